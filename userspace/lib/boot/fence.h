/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * fence.h - check that the host gave the boot no input except the disk
 *
 * This is a fence, not a proof: a host that replaces the initrd or the init program passes it,
 * but the TPM's registers show the change.
 */
#ifndef CCDM_FENCE_H
#define CCDM_FENCE_H

#include <stdbool.h>
#include "base/compiler.h"
#include "config.h"

/**
 * ccdm_fence_expected() - check that the configured command line has the mandatory words
 * @file: name of the configuration, for messages
 *
 * Return: 0, -EINVAL with the missing word.
 */
int __must_check ccdm_fence_expected(const char *file, const struct ccdm_config *config,
				     struct ccdm_err *err);

/**
 * ccdm_fence_direct() - did firmware start the kernel without a stub?
 * @root: "", or a folder in place of / (tests)
 *
 * systemd's stub leaves the variable StubInfo. Firmware that starts a kernel from the host's
 * command line (qemu -kernel) leaves none.
 *
 * Return: true only if the variables of the firmware can be read, and StubInfo is not among them.
 */
bool __must_check ccdm_fence_direct(const char *root);

/**
 * ccdm_fence_cmdline() - compare a command line with the configured one
 * @found: as /proc/cmdline has it
 * @direct: from ccdm_fence_direct(): OVMF then adds the word "initrd=initrd" at the end, which
 *	is accepted once
 *
 * Return: 0, -ECANCELED with what was expected and found.
 */
int __must_check ccdm_fence_cmdline(const struct ccdm_config *config, const char *found,
				    bool direct, struct ccdm_err *err);

/**
 * ccdm_fence_options() - reject words for systemd from a firmware variable
 * @root: "", or a folder in place of / (tests)
 *
 * Without Secure Boot systemd before 258 takes the words of the variable SystemdOptions for
 * words of the command line (it may ask on the console before it starts a unit), and keeps
 * them in /run.
 *
 * Return: 0, -ECANCELED with what was found.
 */
int __must_check ccdm_fence_options(const char *root, struct ccdm_err *err);

/**
 * ccdm_fence_files() - reject credentials and extensions from outside of the image
 * @root: "", or a folder in place of / (tests)
 *
 * Return: 0, -ECANCELED with the first file.
 */
int __must_check ccdm_fence_files(const char *root, struct ccdm_err *err);

#endif
