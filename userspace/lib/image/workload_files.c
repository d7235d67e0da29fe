// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_files.c - files of this machine that workload.yaml puts into the container */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/file.h"
#include "sandbox.h"
#include "workload.h"

#define CCDM_WORKLOAD_FILE (64 << 20) /* bytes of one */

/* @to: set to the place of the file */
static int ccdm_workload_put(const json_t *file, const char *folder, struct ccdm_rootfs *fs,
			     char to[CCDM_ROOTFS_PATH + 1], struct ccdm_err *err)
{
	const char *path = json_string_value(json_object_get(file, "path"));
	const char *source = json_string_value(json_object_get(file, "source"));
	uint32_t mode = (uint32_t)json_integer_value(json_object_get(file, "mode"));
	const struct ccdm_rootfs_node *node;
	char from[PATH_MAX], *text;
	struct stat st;
	size_t size;
	int r;

	/* a link at the end is replaced, not followed: so does ccdm_rootfs_put() */
	r = ccdm_sandbox_resolve(fs, path, CCDM_SANDBOX_FILE, to, &node, err);
	if (r)
		return r;
	if ((size_t)snprintf(from, sizeof(from), "%s%s%s", *source == '/' ? "" : folder,
			     *source == '/' ? "" : "/", source) >= sizeof(from))
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: this name is too long", source);
	if (!stat(from, &st) && !S_ISREG(st.st_mode))
		return ccdm_err_set(err, -EINVAL, "%s: expected a regular file", from);
	r = ccdm_file_read(from, CCDM_WORKLOAD_FILE, &text, &size, err);
	if (r)
		return r;
	r = ccdm_rootfs_put(fs, to, mode, 0, 0, text, size, err);
	free(text);
	return r;
}

int ccdm_workload_files(const struct ccdm_workload *w, const char *folder, struct ccdm_rootfs *fs,
			struct ccdm_err *err)
{
	size_t count = json_array_size(w->files), i, k;
	char **places = calloc(count + 1, sizeof(void *)), to[CCDM_ROOTFS_PATH + 1];
	int r = places ? 0 : ccdm_err_memory(err);

	for (i = 0; !r && i < count; i++) {
		r = ccdm_workload_put(json_array_get(w->files, i), folder, fs, to, err);
		for (k = 0; !r && k < i; k++)
			if (!strcmp(places[k], to))
				r = ccdm_err_set(err, -EINVAL,
						 "files: %s: there are two files for "
						 "this place",
						 to);
		if (!r)
			places[i] = strdup(to);
		if (!r && !places[i])
			r = ccdm_err_memory(err);
	}
	for (i = 0; places && i < count; i++)
		free(places[i]);
	free(places);
	return r;
}
