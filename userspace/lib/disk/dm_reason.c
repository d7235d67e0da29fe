// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* dm_reason.c - see dm_reason.h */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "dm_reason.h"

/* ---- the kernel's reason ------------------------------------------------- */

/*
 * The ioctl returns an errno only. The reason why a table was refused stands in the kernel's log
 * ("device-mapper: table: 253:0: ccdm: REASON (-EINVAL)").
 */
int ccdm_dm_reason_begin(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

void ccdm_dm_reason_end(int fd, const char *target, char *reason, size_t size)
{
	char line[2048], mark[64], *at, *end;
	ssize_t n;

	reason[0] = '\0';
	snprintf(mark, sizeof(mark), ": %s: ", target);
	if (fd < 0)
		return;
	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		line[n] = '\0';
		if (!strstr(line, "device-mapper: table:"))
			continue;
		at = strstr(line, mark);
		if (!at)
			continue;
		at += strlen(mark);
		end = strstr(at, " (-");
		if (!end)
			end = strchr(at, '\n');
		if (end)
			*end = '\0';
		snprintf(reason, size, "%s", at);
	}
	close(fd);
}

/* ---- no device-mapper ---------------------------------------------------- */

/* Does the kernel have device-mapper? Without /proc nobody can tell: assume that it has. */
static bool ccdm_dm_in_kernel(void)
{
	FILE *misc = fopen("/proc/misc", "re");
	bool found = !misc;
	char name[64];

	while (misc && !found && fscanf(misc, "%*u %63s", name) == 1)
		found = !strcmp(name, "device-mapper");
	if (misc)
		fclose(misc);
	return found;
}

int ccdm_dm_unusable(struct ccdm_err *err)
{
	struct dm_ioctl version = { .version = { DM_VERSION_MAJOR, 0, 0 },
				    .data_size = sizeof(version) };
	int fd = open(CCDM_DM_CONTROL, O_RDWR | O_CLOEXEC), r = 0;

	if (fd < 0 || ioctl(fd, DM_VERSION, &version))
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (!r)
		return ccdm_err_memory(err);
	if (!ccdm_dm_in_kernel()) {
		ccdm_err_hint(err,
			      "load it with \"modprobe dm-mod\" (for a container, on its host)");
		return ccdm_err_set(err, -ENODEV,
				    "the kernel has no device-mapper: /proc/misc does not list it");
	}
	if (r == -EPERM || r == -EACCES) {
		ccdm_err_hint(
			err,
			"run it as root with CAP_SYS_ADMIN; give a container this capability and " CCDM_DM_CONTROL);
		return ccdm_err_set(err, r,
				    CCDM_DM_CONTROL ": device-mapper needs CAP_SYS_ADMIN: %s",
				    strerror(-r));
	}
	ccdm_err_hint(err, "give a container " CCDM_DM_CONTROL
			   " of its host; elsewhere udev creates it");
	return ccdm_err_set(err, -ENODEV, CCDM_DM_CONTROL ": cannot use it: %s", strerror(-r));
}
