/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * system.h - the running system after the boot: check what it may mount,
 * and close channels of the host
 */
#ifndef CCDM_SYSTEM_H
#define CCDM_SYSTEM_H

#include "base/compiler.h"
#include "config.h"

/**
 * ccdm_system_fstab() - check that fstab names no device of the host
 * @file: its name, for messages
 * @text: a string
 *
 * Allowed are /dev/mapper/ccdm-*, file systems without a device, files, and the
 * ESP (vfat on /boot, /efi or /boot/efi, with the option x-ccdm.esp).
 *
 * Return: 0, -ECANCELED with file, line, expected and found.
 */
int __must_check ccdm_system_fstab(const char *file, const char *text, struct ccdm_err *err);
/* The same for crypttab, and for a .mount or .swap unit or a drop-in of one. */
int __must_check ccdm_system_crypttab(const char *file, const char *text, struct ccdm_err *err);
int __must_check ccdm_system_unit(const char *file, const char *text, struct ccdm_err *err);

/* All three for the system under @root, with its links resolved inside @root. */
int __must_check ccdm_system_mounts(const char *root, struct ccdm_err *err);

/**
 * ccdm_system_close() - close channels of the host in the running system
 * @config: lockdown
 * @run: "/run"
 *
 * Generators that act on what the host says are masked; with lockdown, logins on
 * consoles, SysRq and the agents of hypervisors and clouds too. Written where it survives
 * the switch.
 */
int __must_check ccdm_system_close(const struct ccdm_config *config, const char *run,
				   struct ccdm_err *err);

/* A machine-id for a root that is new at every boot. */
int __must_check ccdm_system_machine_id(const char *root, struct ccdm_err *err);

#endif
