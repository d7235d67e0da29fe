// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* name.c - the name that a mapping has at device-mapper */
#include "ccdm.h"

const char *ccdm_name(struct ccdm *c)
{
	return c->name;
}

/* A mapping may be renamed: looked up again whenever it matters. */
void ccdm_name_update(struct ccdm *c)
{
	char name[DM_NAME_LEN], uuid[DM_UUID_LEN];

	if (dm_copy_name_and_uuid(c->md, name, uuid))
		return;
	strscpy(c->name, name, sizeof(c->name));
	strscpy(c->uuid, uuid, sizeof(c->uuid));
}
