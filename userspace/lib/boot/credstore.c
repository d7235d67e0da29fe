// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* credstore.c - see credstore.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include "credstore.h"
#include "base/file.h"

#define KEYS "/run/cryptsetup-keys.d"

/* Return: 1 if it is a ramfs, 0 if nothing is mounted; -errno if that cannot be checked. */
static int ccdm_credstore_mounted(const char *dir, struct ccdm_err *err)
{
	struct statfs fs;

	if (!statfs(dir, &fs))
		return fs.f_type == RAMFS_MAGIC;
	return errno == ENOENT ? 0 : ccdm_err_set(err, -errno, "%s: %s", dir, strerror(errno));
}

static int ccdm_credstore_dir(const char *dir, struct ccdm_err *err)
{
	int r;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return ccdm_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	r = ccdm_credstore_mounted(dir, err);
	if (r)
		return r < 0 ? r : 0;
	if (mount("ramfs", dir, "ramfs", MS_NODEV | MS_NOEXEC | MS_NOSUID, "mode=0700"))
		return ccdm_err_set(err, -errno, "%s: cannot mount a ramfs: %s", dir,
				    strerror(errno));
	return 0;
}

int ccdm_credstore_open(struct ccdm_err *err)
{
	return ccdm_credstore_dir(CCDM_CREDSTORE, err);
}

int ccdm_credstore_put(const char *name, const char *path, const void *bytes, size_t size,
		       struct ccdm_err *err)
{
	const char *volume = ccdm_credstore_volume(path);
	char file[512];
	int r;

	snprintf(file, sizeof(file), CCDM_CREDSTORE "/%s", name);
	r = ccdm_file_write(file, bytes, size, 0400, err);
	if (r || !volume)
		return r;
	r = ccdm_credstore_dir(KEYS, err);
	snprintf(file, sizeof(file), KEYS "/%s.key", volume);
	return r ? r : ccdm_file_write(file, bytes, size, 0400, err);
}

static int ccdm_credstore_empty(const char *dir, struct ccdm_err *err)
{
	int r = ccdm_credstore_mounted(dir, err);

	return r <= 0 ? r : ccdm_file_wipe_all(dir, err);
}

int ccdm_credstore_drop(struct ccdm_err *err)
{
	int r = ccdm_credstore_empty(CCDM_CREDSTORE, err), k = ccdm_credstore_empty(KEYS, err);

	return r ? r : k;
}
