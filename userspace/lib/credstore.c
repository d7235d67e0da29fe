// SPDX-License-Identifier: Apache-2.0
/* credstore.c - see credstore.h */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include "credstore.h"
#include "file.h"

#define KEYS "/run/cryptsetup-keys.d"

static bool ccdm_credstore_mounted(const char *dir)
{
	struct statfs fs;

	return !statfs(dir, &fs) && fs.f_type == RAMFS_MAGIC;
}

static int ccdm_credstore_dir(const char *dir, struct ccdm_err *err)
{
	if (mkdir(dir, 0700) && errno != EEXIST)
		return ccdm_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	if (ccdm_credstore_mounted(dir))
		return 0;
	if (mount("ramfs", dir, "ramfs", MS_NODEV | MS_NOEXEC | MS_NOSUID, "mode=0700"))
		return ccdm_err_set(err, -errno, "%s: a ramfs cannot be mounted: %s", dir,
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
	const char *type = strchr(path, '/'), *tag = strrchr(path, '/');
	char file[512];
	int r;

	snprintf(file, sizeof(file), CCDM_CREDSTORE "/%s", name);
	r = ccdm_file_write(file, bytes, size, 0400, err);
	if (r || !type || strncmp(type, "/cryptsetup/", 12))
		return r;
	r = ccdm_credstore_dir(KEYS, err);
	snprintf(file, sizeof(file), KEYS "/%s.key", tag + 1);
	return r ? r : ccdm_file_write(file, bytes, size, 0400, err);
}

static int ccdm_credstore_empty(const char *dir, struct ccdm_err *err)
{
	struct statfs fs;
	struct dirent *e;
	DIR *d;
	int r = 0;

	if (statfs(dir, &fs))
		/* (what cannot be looked at is not empty) */
		return errno == ENOENT ? 0
				       : ccdm_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	if (fs.f_type != RAMFS_MAGIC)
		return 0;
	d = opendir(dir);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0))
			r = -errno;
	if (!d)
		r = -errno;
	else
		closedir(d);
	return r ? ccdm_err_set(err, r, "%s: %s", dir, strerror(-r)) : 0;
}

int ccdm_credstore_drop(struct ccdm_err *err)
{
	int r = ccdm_credstore_empty(CCDM_CREDSTORE, err), k = ccdm_credstore_empty(KEYS, err);

	return r ? r : k;
}
