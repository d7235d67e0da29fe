/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * dm_calls.h - the calls of device-mapper that dm_mapping.c is made of
 *
 * dm.c has them through libdevmapper, libccdm/dm.c with the ioctls of the kernel alone.
 */
#ifndef CCDM_DM_CALLS_H
#define CCDM_DM_CALLS_H

#include "dm.h"

/* Make a mapping without a table. -EEXIST: its name or its UUID is in use. */
int __must_check ccdm_dm_create_empty(const char *name, const char *uuid, struct ccdm_err *err);

/* Load a table, which the mapping uses after ccdm_dm_resume(); the kernel's reason is in @err. */
int __must_check ccdm_dm_load(const char *name, const struct ccdm_dm_target *table,
			      struct ccdm_err *err);

/* Use the loaded table; afterwards the mapping's device node exists. */
int __must_check ccdm_dm_resume(const char *name, struct ccdm_err *err);

/**
 * ccdm_dm_line() - read the one line of a mapping
 * @table: its table, instead of its status
 * @name: the mapping
 * @want: its type of target; another one is -ENXIO, as is a mapping that is not active
 * @info: the facts of device-mapper are set, but none of its lines
 * @line: CCDM_DM_TEXT bytes, set to what follows the type
 */
int __must_check ccdm_dm_line(bool table, const char *name, const char *want,
			      struct ccdm_dm_info *info, char *line, struct ccdm_err *err);

#endif
