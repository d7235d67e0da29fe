// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base.c - see base.h: the files of a base; base_json.c reads base.json */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base.h"
#include "base/file.h"
#include "crypto/digest.h"

#define JSON_MAX (4 << 20)

/* A file of the folder must be as base.json says. */
static int ccdm_base_check(const struct ccdm_base *base, unsigned int i, struct ccdm_err *err)
{
	char expected[65], found[2 * CCDM_DIGEST_MAX + 1];
	const char *path = base->path[i];
	struct ccdm_digest digest;
	struct stat st;
	int r;

	if (stat(path, &st))
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	/* (a pipe would never end) */
	if (!S_ISREG(st.st_mode))
		return ccdm_err_set(err, -EINVAL, "%s: expected a regular file", path);
	if ((uint64_t)st.st_size != base->size[i]) {
		ccdm_err_hint(err, "make the base again");
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected %" PRIu64
				    " bytes as in base.json, found %" PRIu64,
				    path, base->size[i], (uint64_t)st.st_size);
	}
	r = ccdm_digest_file(CCDM_ALG_SHA256, path, &digest);
	if (r)
		return ccdm_err_set(err, r, "%s: %s", path, strerror(-r));
	ccdm_hex(base->sha256[i], 32, expected);
	ccdm_hex(digest.bytes, digest.size, found);
	if (memcmp(digest.bytes, base->sha256[i], 32)) {
		ccdm_err_hint(err, "make the base again");
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected SHA-256 %s as in base.json, found %s", path,
				    expected, found);
	}
	return 0;
}

int ccdm_base_open(const char *folder, struct ccdm_base *base, struct ccdm_err *err)
{
	char file[PATH_MAX + 16], *text = NULL;
	struct stat st;
	unsigned int i;
	size_t size;
	int r;

	memset(base, 0, sizeof(*base));
	if ((size_t)snprintf(file, sizeof(file), "%s/base.json", folder) >= PATH_MAX)
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", folder);
	if (!stat(file, &st) && !S_ISREG(st.st_mode))
		return ccdm_err_set(err, -EINVAL, "%s: expected a regular file", file);
	r = ccdm_file_read(file, JSON_MAX, &text, &size, err);
	if (!r)
		r = ccdm_base_parse(folder, text, size, base, err);
	free(text);
	for (i = 0; !r && i < CCDM_BASE_FILES; i++)
		r = ccdm_base_check(base, i, err);
	return r;
}

void ccdm_base_close(struct ccdm_base *base)
{
	json_decref(base->json);
	base->json = NULL;
}
