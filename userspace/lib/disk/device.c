// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* device.c - see device.h */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
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

int ccdm_device_discard(const char *path, struct ccdm_err *err)
{
	uint64_t range[2] = { 0, 0 };
	int fd = open(path, O_WRONLY | O_EXCL | O_CLOEXEC), r = 0;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &range[1]) || ioctl(fd, BLKDISCARD, range))
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r ? ccdm_err_set(err, r, "cannot discard %s: %s", path, strerror(-r)) : 0;
}
