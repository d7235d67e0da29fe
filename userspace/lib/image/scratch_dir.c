// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* scratch_dir.c - see scratch_dir.h */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "scratch_dir.h"

int ccdm_scratch_dir_make(char path[CCDM_SCRATCH_DIR], struct ccdm_err *err)
{
	const char *tmp = getenv("TMPDIR");
	int n;

	if (!tmp || *tmp != '/')
		tmp = "/var/tmp";
	n = snprintf(path, CCDM_SCRATCH_DIR, "%s/ccdm-XXXXXX", tmp);
	if (n >= CCDM_SCRATCH_DIR) {
		path[0] = '\0';
		return ccdm_err_set(err, -EINVAL, "TMPDIR: expected at most %d bytes, found %zu",
				    CCDM_SCRATCH_DIR - 13, strlen(tmp));
	}
	if (mkdtemp(path))
		return 0;
	n = errno;
	ccdm_err_set(err, -n, "%s: %s", path, strerror(n));
	path[0] = '\0';
	return -n;
}

static int scratch_dir_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path) && errno == ENOMEM;
}

void ccdm_scratch_dir_remove(const char *path)
{
	if (path[0])
		nftw(path, scratch_dir_entry, 16, FTW_DEPTH | FTW_PHYS);
}
