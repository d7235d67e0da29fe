// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* dm_mapping.c - the parts of dm.h that are the same on libdevmapper and on the kernel's ioctls */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dm.h"
#include "dm_calls.h"

int ccdm_dm_reload(const char *name, const struct ccdm_dm_target *table, struct ccdm_err *err)
{
	int r = ccdm_dm_load(name, table, err);

	return r ? r : ccdm_dm_resume(name, err);
}

int ccdm_dm_create(const char *name, const char *uuid, const struct ccdm_dm_target *table,
		   struct ccdm_err *err)
{
	int r = ccdm_dm_create_empty(name, uuid, err);

	if (r)
		return r;
	r = ccdm_dm_reload(name, table, err);
	if (r)
		ccdm_dm_undo(name, err);
	return r;
}

int ccdm_dm_info(const char *name, struct ccdm_dm_info *info, struct ccdm_err *err)
{
	const char *word;
	int r;

	memset(info, 0, sizeof(*info));
	r = ccdm_dm_line(true, name, "ccdm", info, info->table, err);
	if (r)
		return r;
	/* "<version> <backing device> ..." */
	word = info->table + strcspn(info->table, " ");
	word += *word == ' ';
	snprintf(info->backing, sizeof(info->backing), "%.*s", (int)strcspn(word, " "), word);
	return ccdm_dm_line(false, name, "ccdm", info, info->status, err);
}

int ccdm_dm_status(const char *name, const char *target, char *line, struct ccdm_err *err)
{
	struct ccdm_dm_info *info = calloc(1, sizeof(*info));
	int r;

	if (!info)
		return ccdm_err_memory(err);
	r = ccdm_dm_line(false, name, target, info, line, err);
	free(info);
	return r;
}
