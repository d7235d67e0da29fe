/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* workload_run.h - run a program of the base, without a shell */
#ifndef CCDM_WORKLOAD_RUN_H
#define CCDM_WORKLOAD_RUN_H

#include "base/compiler.h"
#include "base/err.h"

#define CCDM_WORKLOAD_RUN_MAX 280 /* words of a command */

/**
 * ccdm_workload_run() - run a program that a container may get hold of, and wait for its end
 * @argv: path of the program and its arguments
 * @milliseconds: SIGTERM then, and SIGKILL two seconds later; 0: no limit
 * @status: set to its exit status, or 128 and the signal that ended it
 *
 * It has an empty environment but for PATH. Its standard input, output and error are /dev/null, and
 * it has no other descriptor: a socket of the journal in a container would let it forge entries.
 *
 * Return: 0; -ETIMEDOUT; errors of posix_spawn(3).
 */
int __must_check ccdm_workload_run(const char *const *argv, unsigned int milliseconds, int *status,
				   struct ccdm_err *err);

/*
 * Run a program of the base. Another exit status than 0 is -EIO. Its standard error and its other
 * descriptors are the caller's.
 */
int __must_check ccdm_workload_run_well(const char *const *argv, struct ccdm_err *err);

/**
 * ccdm_workload_become() - replace this process by a program, which starts the container
 * @argv: path of the program and its arguments
 *
 * Its environment is PATH, and it has descriptors 0 to 2 only.
 *
 * Return: errors of execve(2); it does not return otherwise.
 */
int __must_check ccdm_workload_become(const char *const *argv, struct ccdm_err *err);

/**
 * ccdm_workload_supervisor() - move this process into the cgroup "supervisor"
 * @cgroup: folder of the unit's cgroup, in which it is made
 *
 * The container has a cgroup beside it. A cgroup whose children have limits of memory cannot have
 * processes itself. From systemd 254 on, DelegateSubgroup= of the unit does the same.
 *
 * Return: 0; errors of mkdir(2), open(2) and write(2).
 */
int __must_check ccdm_workload_supervisor(const char *cgroup, struct ccdm_err *err);

#endif
