// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* error.c - see error.h */
#include <stdio.h>
#include <string.h>
#include "error.h"

int ccdm_disk_error_fill(struct ccdm_disk_error *error, const struct ccdm_err *err, int r)
{
	if (error && r) {
		snprintf(error->text, sizeof(error->text), "%s", err->text);
		snprintf(error->hint, sizeof(error->hint), "%s", err->hint);
	}
	return r;
}

int ccdm_disk_copy(void *to, const void *from, size_t size, size_t least, struct ccdm_err *err)
{
	size_t room;

	memcpy(&room, to, sizeof(room));
	if (room < least)
		return ccdm_err_set(err, -EINVAL,
				    "libccdm: a structure's size: expected at least %zu, found %zu",
				    least, room);
	if (room > size) {
		memset((char *)to + size, 0, room - size);
		room = size;
	}
	memcpy((char *)to + sizeof(room), (const char *)from + sizeof(room), room - sizeof(room));
	return 0;
}
