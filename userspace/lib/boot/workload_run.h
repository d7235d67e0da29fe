/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* workload_run.h - run a program of the base, without a shell */
#ifndef CCDM_WORKLOAD_RUN_H
#define CCDM_WORKLOAD_RUN_H

#include "base/compiler.h"
#include "base/err.h"

#define CCDM_WORKLOAD_RUN_MAX 280 /* words of a command */

/**
 * ccdm_workload_run() - run a program and wait for its end
 * @argv: path of the program and its arguments
 * @milliseconds: SIGTERM then, and SIGKILL two seconds later; 0: no limit
 * @status: set to its exit status, or 128 and the signal that ended it
 *
 * It has an empty environment but for PATH. Its standard input and output are /dev/null.
 *
 * Return: 0; -ETIMEDOUT; errors of posix_spawn(3).
 */
int __must_check ccdm_workload_run(const char *const *argv, unsigned int milliseconds, int *status,
				   struct ccdm_err *err);

/* The same; another exit status than 0 is -EIO. */
int __must_check ccdm_workload_run_well(const char *const *argv, struct ccdm_err *err);

#endif
