// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* trust_stamp.c - see trust_stamp.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/compiler.h"
#include "trust.h"
#include "trust_stamp.h"

/* FNV-1a */
static uint64_t ccdm_stamp_bytes(uint64_t h, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	while (size--)
		h = (h ^ *p++) * UINT64_C(1099511628211);
	return h;
}

static uint64_t ccdm_stamp_file(uint64_t h, const char *dir, const char *sub, const char *name)
{
	int64_t is[6] = { 0 };
	struct stat st;
	char path[1024];
	int n = snprintf(path, sizeof(path), "%s/%s%s%s", dir, sub, *sub ? "/" : "", name);

	if (n > 0 && n < (int)sizeof(path) && !stat(path, &st)) {
		is[0] = st.st_ino;
		is[1] = st.st_size;
		is[2] = st.st_mtim.tv_sec;
		is[3] = st.st_mtim.tv_nsec;
		is[4] = st.st_ctim.tv_sec;
		is[5] = st.st_ctim.tv_nsec;
	}
	h = ccdm_stamp_bytes(h, path, strlen(path) + 1);
	return ccdm_stamp_bytes(h, is, sizeof(is));
}

uint64_t ccdm_trust_stamp(const char *dir)
{
	static const char *const subs[] = { "roots", "ak-roots", "ek-roots", "certs" };
	static const char *const lists[] = { "paravisors", "svsms", "snp-floor" };
	uint64_t h = UINT64_C(14695981039346656037);
	struct dirent **names;
	struct ccdm_err ignored;
	char path[1024];
	size_t i;
	int k, n;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		h = ccdm_stamp_file(h, dir, "", lists[i]);
	for (i = 0; i < ARRAY_SIZE(subs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, subs[i]);
		n = ccdm_trust_names(path, &names, &ignored);
		h = ccdm_stamp_bytes(h, &n, sizeof(n));
		for (k = 0; k < n; k++) {
			h = ccdm_stamp_file(h, dir, subs[i], names[k]->d_name);
			free(names[k]);
		}
		if (n >= 0)
			free(names);
	}
	return h;
}
