/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * machine.h - boot a disk on this machine, in a VM of QEMU, to try it
 *
 * It has UEFI firmware, an emulated TPM and a network of its own, which QEMU connects. It needs no
 * root. It protects nothing: this machine can read and change all of it.
 */
#ifndef CCDM_MACHINE_H
#define CCDM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include "child.h"
#include "console.h"
#include "firmware.h"
#include "program.h"

#define CCDM_MACHINE_FORWARDS 16

/**
 * struct ccdm_machine - a VM
 * @disk: the file, or a block device
 * @keep: what the VM writes goes to the disk; else it goes to a file that is deleted
 * @memory: MiB
 * @cpus: 0: two, or one without KVM
 * @firmware: as ccdm_firmware_find() has it
 * @forwards, @forward: ports of this machine's loopback, and the port of the VM for each
 * @dir: a folder for the TPM's state, variables of the firmware and what the VM writes
 * @console: where the VM's output goes
 * @drain: a descriptor whose messages go to --verbose; -1: none. Closed at its end
 * @kvm: set by ccdm_machine_prepare(): KVM works
 * @no_kvm: why it does not
 * @format: of the disk, for QEMU
 */
struct ccdm_machine {
	const char *disk;
	bool keep;
	uint64_t memory;
	unsigned int cpus;
	struct ccdm_firmware firmware;
	unsigned int forwards;
	struct {
		uint16_t host, guest;
	} forward[CCDM_MACHINE_FORWARDS];
	const char *dir;
	struct ccdm_console console;
	int drain;
	bool kvm;
	char no_kvm[256];
	const char *format;
	struct ccdm_program_found qemu, swtpm;
};

/**
 * ccdm_machine_prepare() - find programs, the disk's format, and whether KVM works
 * @firmware: a file, or NULL
 *
 * Return: 0; -ENOENT with a program and its package; -EINVAL for a disk that QEMU cannot boot;
 * -EINTR.
 */
int __must_check ccdm_machine_prepare(struct ccdm_machine *m, const char *firmware,
				      struct ccdm_err *err);

/**
 * ccdm_machine_run() - run the VM until it ends
 *
 * @m->dir may hold "tpm", the state of a TPM. Input from a terminal goes to the VM's console.
 *
 * Return: 0: the VM powered off. Else @err says how it ended: -ECANCELED with the code of ccdm;
 * -EBADMSG: it found tampering; -EIO: its kernel panicked, or QEMU failed; -EINVAL: the firmware
 * found nothing to boot; -EINTR after a signal.
 */
int __must_check ccdm_machine_run(struct ccdm_machine *m, struct ccdm_err *err);

#endif
