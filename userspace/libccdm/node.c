// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* node.c - see node.h */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "disk/dm.h"
#include "node.h"

/* Is @path a block device with the number @dev? */
static bool ccdm_node_is(const char *path, dev_t dev)
{
	struct stat st;

	return !stat(path, &st) && S_ISBLK(st.st_mode) && st.st_rdev == dev;
}

int ccdm_node_create(const char *name, uint64_t dev, struct ccdm_err *err)
{
	char path[CCDM_DM_NAME + 16], real[32], target[32];
	dev_t number = makedev(major(dev), minor(dev));
	int r = 0;

	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	snprintf(real, sizeof(real), "/dev/dm-%u", minor(dev));
	snprintf(target, sizeof(target), "../dm-%u", minor(dev));
	/* udev may make the same link at the same time */
	if (ccdm_node_is(path, number))
		return 0;
	if (ccdm_node_is(real, number))
		r = symlink(target, path) ? -errno : 0;
	else
		r = mknod(path, S_IFBLK | 0600, number) ? -errno : 0;
	if (r && ccdm_node_is(path, number))
		return 0;
	if (r == -EEXIST)
		ccdm_err_hint(err, "remove this file, which belongs to no mapping");
	return r ? ccdm_err_set(err, r, "%s: cannot create it: %s", path, strerror(-r)) : 0;
}

void ccdm_node_remove(const char *name)
{
	char path[CCDM_DM_NAME + 16];

	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	unlink(path);
}
