/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * broker_here.h - a broker on this machine, for a VM of machine.h
 *
 * Its keys and its CA stay in a folder of the user, because "build" puts the CA into an image
 * before the image runs. Its database, its log and its trust directory are deleted after the run. A
 * VM reaches the broker at 10.0.2.2: QEMU's user network maps this address to the loopback of this
 * machine.
 */
#ifndef CCDM_BROKER_HERE_H
#define CCDM_BROKER_HERE_H

#include <limits.h>
#include <stdint.h>
#include "bootable.h"
#include "child.h"

#define CCDM_BROKER_HERE_HOST "10.0.2.2"
#define CCDM_BROKER_HERE_PORT 18443 /* the port that "run --broker-here" prints */

/**
 * struct ccdm_broker_here - a broker; begins as { .daemon.pidfd = -1, .messages = -1 }
 * @dir: a folder of mode 0700, deleted after the run
 * @home: the folder of keys and CA
 * @ca: the certificate of the CA
 * @tool, @brokerd: files of ccdm-broker and ccdm-brokerd
 * @conf: the configuration
 * @daemon: ccdm-brokerd
 * @messages: pipe with its messages; the caller reads and closes it
 */
struct ccdm_broker_here {
	const char *dir;
	char home[PATH_MAX];
	char ca[PATH_MAX];
	char tool[PATH_MAX];
	char brokerd[PATH_MAX];
	char conf[PATH_MAX];
	struct ccdm_child daemon;
	int messages;
};

/**
 * ccdm_broker_here_make() - find the broker's programs, and make keys and a CA if there are none
 *
 * The programs are in the folder of this program, or in PATH. The folder is ccdm/broker-here in
 * $XDG_DATA_HOME, or in ~/.local/share.
 *
 * Return: 0; -ENOENT with what is missing; -EINTR; errors of the programs.
 */
int __must_check ccdm_broker_here_make(struct ccdm_broker_here *b, struct ccdm_err *err);

/**
 * ccdm_broker_here_match() - check that an image attests to this broker
 * @disk: the image
 * @port: set to the port in the image's URL
 *
 * Return: 0; -EINVAL with the options of build that the image needs in @err.
 */
int __must_check ccdm_broker_here_match(const struct ccdm_broker_here *b,
					struct ccdm_bootable *disk, uint16_t *port,
					struct ccdm_err *err);

/* Start the daemon, and wait until it listens. Return: 0; -EIO with its message; -EINTR. */
int __must_check ccdm_broker_here_start(struct ccdm_broker_here *b, uint16_t port,
					struct ccdm_err *err);

/* ccdm-broker policy add FILE */
int __must_check ccdm_broker_here_policy(const struct ccdm_broker_here *b, const char *file,
					 struct ccdm_err *err);

/*
 * Add a policy for this image alone: it releases the image's secrets to the image's enclave IDs, on
 * a machine with a TPM and without a TEE. Return: 0; -EINVAL: its ID is unknown, with the reason.
 */
int __must_check ccdm_broker_here_policy_of(const struct ccdm_broker_here *b,
					    const struct ccdm_bootable *disk, struct ccdm_err *err);

/* ccdm-broker secret put PATH FILE */
int __must_check ccdm_broker_here_secret(const struct ccdm_broker_here *b, const char *path,
					 const char *file, struct ccdm_err *err);

/**
 * ccdm_broker_here_tpm() - make the TPM of a VM, which the broker trusts (broker_here_tpm.c)
 *
 * The TPM's state is in "tpm" in @b->dir. Its endorsement key is written to the broker's trust/tpm-keys,
 * before the daemon starts. swtpm_setup does it.
 *
 * Return: 0; -ENOENT with a program and its package; -EINTR; -EIO.
 */
int __must_check ccdm_broker_here_tpm(const struct ccdm_broker_here *b, struct ccdm_err *err);

/* The end of the broker's log, for a person; the caller frees it. Return: 0, -errno. */
int __must_check ccdm_broker_here_log(const struct ccdm_broker_here *b, char **text,
				      struct ccdm_err *err);

void ccdm_broker_here_end(struct ccdm_broker_here *b);

#endif
