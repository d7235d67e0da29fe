// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* device.c - see device.h */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "device.h"

int ccdm_device_look(const char *path, struct ccdm_device *device, struct ccdm_err *err)
{
	struct stat st;
	int fd, r = 0;

	memset(device, 0, sizeof(*device));
	device->path = path;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		return ccdm_err_set(err, r, "%s: %s", path, strerror(-r));
	}
	if (fstat(fd, &st) || !S_ISBLK(st.st_mode)) {
		r = ccdm_err_set(err, -ENOTBLK, "%s is not a block device", path);
		ccdm_err_hint(err,
			      "for a file, first create a loop device: losetup --find --show %s",
			      path);
	} else if (ioctl(fd, BLKGETSIZE64, &device->bytes) ||
		   ioctl(fd, BLKROGET, &device->read_only) ||
		   ioctl(fd, BLKSSZGET, &device->sector)) {
		r = -errno;
		ccdm_err_set(err, r, "%s: %s", path, strerror(-r));
	} else if (device->bytes) {
		r = ccdm_device_probe(fd, device, err);
	}
	close(fd);
	return r;
}

/*
 * Open a device by its number. /dev/block has a link to it only where udev runs; elsewhere a node is
 * made beside device-mapper's own, and removed again.
 */
static int ccdm_device_open(const char *number, int flags)
{
	char path[64], *end;
	unsigned long ma, mi;
	struct stat st;
	int fd, r;

	snprintf(path, sizeof(path), "/dev/block/%.23s", number);
	fd = open(path, flags);
	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return -errno;
	ma = strtoul(number, &end, 10);
	if (*end != ':')
		return -EINVAL;
	mi = strtoul(end + 1, &end, 10);
	snprintf(path, sizeof(path), "/dev/mapper/.ccdm-%lu-%lu-%ld", ma, mi, (long)getpid());
	if (mknod(path, S_IFBLK | 0600, makedev(ma, mi)))
		return -errno;
	fd = open(path, flags | O_NOFOLLOW);
	r = fd < 0 ? -errno : fd;
	unlink(path);
	if (fd >= 0 && (fstat(fd, &st) || !S_ISBLK(st.st_mode) || st.st_rdev != makedev(ma, mi))) {
		close(fd);
		return -ENXIO;
	}
	return r;
}

int ccdm_device_discard(const char *number, struct ccdm_err *err)
{
	int fd = ccdm_device_open(number, O_WRONLY | O_EXCL | O_CLOEXEC), r = 0;
	uint64_t range[2] = { 0, 0 };

	if (fd < 0)
		r = fd;
	else if (ioctl(fd, BLKGETSIZE64, &range[1]) || ioctl(fd, BLKDISCARD, range))
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r ? ccdm_err_set(err, r, "cannot discard the device %s: %s", number, strerror(-r))
		 : 0;
}
