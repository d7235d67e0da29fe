/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * workload_userns.h - forbid user namespaces while the workload runs
 *
 * In a user namespace of its own, each user has all capabilities towards the kernel. The container's
 * seccomp filter refuses the calls that make one; this is the second line. Neither the units of a
 * base nor crun need them.
 */
#ifndef CCDM_WORKLOAD_USERNS_H
#define CCDM_WORKLOAD_USERNS_H

#include "base/compiler.h"
#include "base/err.h"

#define CCDM_WORKLOAD_USERNS "/proc/sys/user/max_user_namespaces"

/**
 * ccdm_workload_userns_close() - set the limit of user namespaces to 0
 * @from: folder of the workload's partition, with config.json
 * @file: CCDM_WORKLOAD_USERNS; a kernel without user namespaces lacks it
 *
 * A workload that has CAP_SYS_ADMIN may make namespaces anyway: the limit stays as it is.
 *
 * Return: 0; -EINVAL for a config.json without capabilities; errors of the files; -ENOMEM.
 */
int __must_check ccdm_workload_userns_close(const char *from, const char *file,
					    struct ccdm_err *err);

#endif
