/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* dm_reason.h - why device-mapper refused something */
#ifndef CCDM_DM_REASON_H
#define CCDM_DM_REASON_H

#include <stddef.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_DM_CONTROL "/dev/mapper/control"

/* Before a table is loaded: remember the end of the kernel's log. Return: for _end(), or -1. */
int __must_check ccdm_dm_reason_begin(void);

/**
 * ccdm_dm_reason_end() - the target's reason for refusing a table
 * @log: of ccdm_dm_reason_begin(); closed
 * @target: type of the target
 * @reason: set; empty if there is none
 * @size: bytes of @reason
 */
void ccdm_dm_reason_end(int log, const char *target, char *reason, size_t size);

/* Device-mapper cannot be used: find out why. Return: -ENODEV, -EPERM, -EACCES, -ENOMEM. */
int __must_check ccdm_dm_unusable(struct ccdm_err *err);

#endif
