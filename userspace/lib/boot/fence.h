/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * fence.h - what the host may say to a boot beside the disk: nothing
 *
 * A fence, not the proof: who replaces the initrd or the init program passes it,
 * and the TPM's registers tell.
 */
#ifndef CCDM_FENCE_H
#define CCDM_FENCE_H

#include "base/compiler.h"
#include "config.h"

/**
 * ccdm_fence_expected() - does the configured command line have what every one must have?
 * @file: name of the configuration, for messages
 *
 * Return: 0, -EINVAL with the word that is missing.
 */
int __must_check ccdm_fence_expected(const char *file, const struct ccdm_config *config,
				     struct ccdm_err *err);

/**
 * ccdm_fence_cmdline() - compare a command line with the configured one
 * @found: as /proc/cmdline has it
 *
 * Return: 0, -ECANCELED with what was expected and found.
 */
int __must_check ccdm_fence_cmdline(const struct ccdm_config *config, const char *found,
				    struct ccdm_err *err);

/**
 * ccdm_fence_options() - words for systemd from a variable of the firmware
 * @root: "", or a folder that stands for / (tests)
 *
 * Without Secure Boot systemd before 258 takes the words of the variable SystemdOptions for
 * words of the command line (it may ask on the console before it starts a unit), and keeps
 * them in /run.
 *
 * Return: 0, -ECANCELED with what was found.
 */
int __must_check ccdm_fence_options(const char *root, struct ccdm_err *err);

/**
 * ccdm_fence_files() - credentials and extensions that came from outside
 * @root: "", or a folder that stands for / (tests)
 *
 * Return: 0, -ECANCELED with the first that was found.
 */
int __must_check ccdm_fence_files(const char *root, struct ccdm_err *err);

#endif
