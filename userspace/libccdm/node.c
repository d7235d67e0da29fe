// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* node.c - see node.h */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>
#include "disk/dm.h"
#include "node.h"

#define CCDM_NODE_TRIES	   100 /* to see that udev has removed a link */
#define CCDM_NODE_PAUSE_MS 20

/* Is @path a block device with the number @dev? */
static bool ccdm_node_is(const char *path, dev_t dev)
{
	struct stat st;

	return !stat(path, &st) && S_ISBLK(st.st_mode) && st.st_rdev == dev;
}

/*
 * The number of the mapping that a link of udev's form or a node leads to, also if that mapping is gone.
 * @dm: major number of device-mapper. Return: 0 for all other files
 */
static dev_t ccdm_node_number(const char *path, unsigned int dm)
{
	char text[32], *end;
	unsigned long number;
	struct stat st;
	ssize_t n;

	if (lstat(path, &st))
		return 0;
	if (S_ISBLK(st.st_mode))
		return major(st.st_rdev) == dm ? st.st_rdev : 0;
	n = S_ISLNK(st.st_mode) ? readlink(path, text, sizeof(text) - 1) : -1;
	if (n < 0)
		return 0;
	text[n] = '\0';
	if (strncmp(text, "../dm-", 6) || !isdigit((unsigned char)text[6]))
		return 0;
	number = strtoul(text + 6, &end, 10);
	return *end ? 0 : makedev(dm, number);
}

static int ccdm_node_make(const char *path, dev_t number)
{
	char real[32], target[32];

	snprintf(real, sizeof(real), "/dev/dm-%u", minor(number));
	snprintf(target, sizeof(target), "../dm-%u", minor(number));
	if (ccdm_node_is(real, number))
		return symlink(target, path) ? -errno : 0;
	return mknod(path, S_IFBLK | 0600, number) ? -errno : 0;
}

int ccdm_node_create(const char *name, uint64_t dev, struct ccdm_err *err)
{
	char path[CCDM_DM_NAME + 16];
	dev_t number = makedev(major(dev), minor(dev));
	int r;

	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	if (ccdm_node_is(path, number))
		return 0;
	r = ccdm_node_make(path, number);
	/* udev may make the same link at the same time */
	if (r && ccdm_node_is(path, number))
		return 0;
	/* the name belongs to this mapping, so whatever has it is old */
	if (r == -EEXIST && ccdm_node_number(path, major(dev)) && !unlink(path))
		r = ccdm_node_make(path, number);
	if (r && ccdm_node_is(path, number))
		return 0;
	if (r == -EEXIST)
		ccdm_err_hint(err, "remove this file, which belongs to no mapping");
	return r ? ccdm_err_set(err, r, "%s: cannot create it: %s", path, strerror(-r)) : 0;
}

void ccdm_node_remove(const char *name, uint64_t dev)
{
	static const struct timespec pause = { .tv_nsec = CCDM_NODE_PAUSE_MS * 1000000L };
	char path[CCDM_DM_NAME + 16];
	dev_t number = makedev(major(dev), minor(dev));
	unsigned int tries = access("/run/udev/control", F_OK) ? 0 : CCDM_NODE_TRIES;

	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	while (tries && ccdm_node_number(path, major(dev)) == number) {
		nanosleep(&pause, NULL);
		tries--;
	}
	if (ccdm_node_number(path, major(dev)) == number)
		unlink(path);
}
