// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* manifest_part.c - see manifest_part.h */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "disk/find.h"
#include "manifest_part.h"

static int ccdm_manifest_part_bytes(const char *path, char *bytes, struct ccdm_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	size_t at = 0;
	ssize_t n = 1;

	while (fd >= 0 && at < CCDM_MANIFEST_PART_SIZE && n > 0) {
		n = read(fd, bytes + at, CCDM_MANIFEST_PART_SIZE - at);
		at += n > 0 ? n : 0;
	}
	if (fd < 0 || n < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r ? ccdm_err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

int ccdm_manifest_part_read(char **text, struct ccdm_err *err)
{
	char path[64];
	size_t length;
	int r = ccdm_find_device("PARTTYPE=" CCDM_GPT_MANIFEST, 0, path, sizeof(path), err);

	*text = NULL;
	if (r)
		return r == -ENODEV ? 0 : r;
	*text = calloc(1, CCDM_MANIFEST_PART_SIZE + 1);
	if (!*text)
		return ccdm_err_memory(err);
	r = ccdm_manifest_part_bytes(path, *text, err);
	if (!r)
		r = ccdm_manifest_part_text(path, *text, CCDM_MANIFEST_PART_SIZE, &length, err);
	if (r || !length) {
		free(*text);
		*text = NULL;
	}
	return r;
}
