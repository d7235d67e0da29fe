// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base_cache.c - see base_cache.h */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/interrupt.h"
#include "base_cache.h"
#include "base_packages.h"
#include "crypto/digest.h"

/* Return: 0, -errno. */
static int cache_bytes(int from, int to)
{
	char piece[65536];
	ssize_t n, done, w;

	while ((n = read(from, piece, sizeof(piece)))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (done = 0; done < n; done += w) {
			w = write(to, piece + done, (size_t)(n - done));
			if (w < 0 && errno == EINTR)
				w = 0;
			else if (w < 0)
				return -errno;
		}
	}
	return 0;
}

/* Return: 0; -ENOENT if there is no @path. */
static int cache_copy(const char *path, const char *copy, struct ccdm_err *err)
{
	int from = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), to, r;
	struct stat st;

	if (from < 0 || fstat(from, &st))
		r = errno == ENOENT ? -ENOENT
				    : ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	else
		r = S_ISREG(st.st_mode)
			    ? 0
			    : ccdm_err_set(err, -EINVAL, "%s: expected a regular file", path);
	if (!r) {
		to = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		r = to < 0 ? -errno : cache_bytes(from, to);
		if (to >= 0 && close(to) && !r)
			r = -errno;
		if (r)
			ccdm_err_set(err, r, "%s: %s", copy, strerror(-r));
	}
	if (from >= 0)
		close(from);
	return r;
}

static int cache_take(const char *cache, const struct ccdm_package *package, const char *folder,
		      struct ccdm_err *err)
{
	char path[PATH_MAX], copy[PATH_MAX], hex[2 * CCDM_DIGEST_MAX + 1];
	struct ccdm_digest digest;
	int r = ccdm_interrupt_check(err);

	if (r)
		return r;
	if (ccdm_base_deb(cache, package, path) || ccdm_base_deb(folder, package, copy))
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", cache);
	r = cache_copy(path, copy, err);
	if (r)
		return r == -ENOENT ? 0 : r;
	r = ccdm_digest_file(CCDM_ALG_SHA256, copy, &digest);
	if (r)
		return ccdm_err_set(err, r, "%s: %s", copy, strerror(-r));
	ccdm_hex(digest.bytes, digest.size, hex);
	/* (it is fetched) */
	if (strcmp(hex, package->sha256) && unlink(copy))
		return ccdm_err_set(err, -errno, "%s: %s", copy, strerror(errno));
	return 0;
}

int ccdm_base_cache(const char *cache, const struct ccdm_lock *lock, const char *folder,
		    struct ccdm_err *err)
{
	size_t i;
	int r = 0;

	if (mkdir(folder, 0755))
		return ccdm_err_set(err, -errno, "%s: %s", folder, strerror(errno));
	for (i = 0; !r && i < lock->count; i++)
		r = cache_take(cache, &lock->package[i], folder, err);
	return r;
}
