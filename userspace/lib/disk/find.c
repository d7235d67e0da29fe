// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* find.c - see find.h */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ccdm_format.h"
#include "device.h"
#include "find.h"
#include "find_parts.h"

#define CCDM_PARTUUID "PARTUUID="
#define CCDM_PARTTYPE "PARTTYPE="

/*
 * Is it a blank whole disk, without a known signature? A device without hardware (loop, dm, md) is
 * never the disk that a host attached as scratch space.
 */
static bool ccdm_find_blank(const char *path, const char *name)
{
	struct ccdm_device device;
	struct ccdm_err ignored;
	char hardware[300];

	snprintf(hardware, sizeof(hardware), "/sys/class/block/%s/device", name);
	return !access(hardware, F_OK) && strncmp(name, "sr", 2) && strncmp(name, "fd", 2) &&
	       !ccdm_device_look(path, &device, &ignored) && device.bytes && !device.read_only &&
	       !device.signature[0];
}

/* Count the matching devices; @path receives the last one. @guid: NULL for blank disks. */
static unsigned int ccdm_find_all(enum ccdm_find_key key, const char *guid, char *path, size_t size)
{
	char name[512], device[300];
	unsigned int found = 0;
	struct dirent *entry;
	DIR *dir = opendir("/sys/class/block");

	while (dir && (entry = readdir(dir))) {
		snprintf(name, sizeof(name), "/sys/class/block/%s/partition", entry->d_name);
		if (entry->d_name[0] == '.' || !access(name, F_OK) == !guid)
			continue;
		snprintf(device, sizeof(device), "/dev/%s", entry->d_name);
		if (guid ? !ccdm_find_partition(device, key, guid)
			 : !ccdm_find_blank(device, entry->d_name))
			continue;
		found++;
		snprintf(path, size, "%s", device);
	}
	if (dir)
		closedir(dir);
	return found;
}

unsigned int ccdm_find_now(const struct ccdm_find *f)
{
	struct stat st;

	if (!f->what)
		return ccdm_find_all(CCDM_FIND_TYPE, CCDM_GPT_SCRATCH, f->path, f->size);
	if (!strcmp(f->what, CCDM_FIND_BLANK))
		return ccdm_find_all(CCDM_FIND_UUID, NULL, f->path, f->size);
	if (!strncmp(f->what, CCDM_PARTUUID, strlen(CCDM_PARTUUID)))
		return ccdm_find_all(CCDM_FIND_UUID, f->what + strlen(CCDM_PARTUUID), f->path,
				     f->size);
	if (!strncmp(f->what, CCDM_PARTTYPE, strlen(CCDM_PARTTYPE)))
		return ccdm_find_all(CCDM_FIND_TYPE, f->what + strlen(CCDM_PARTTYPE), f->path,
				     f->size);
	snprintf(f->path, f->size, "%s", f->what);
	return !stat(f->what, &st) && (f->any || S_ISBLK(st.st_mode));
}

void ccdm_find_node(const char *path, unsigned int seconds)
{
	char ignored[256];
	const struct ccdm_find f = { path, true, ignored, sizeof(ignored) };
	unsigned int found;

	/* the caller looks at the file itself */
	if (ccdm_find_wait(&f, seconds, &found))
		return;
}

int ccdm_find_device(const char *what, unsigned int seconds, char *path, size_t size,
		     struct ccdm_err *err)
{
	const struct ccdm_find f = { what, false, path, size };
	unsigned int found = 0;

	if (ccdm_find_wait(&f, seconds, &found))
		return ccdm_err_set(err, -EIO,
				    "cannot wait for devices: no events of udev or of the kernel");
	if (what && !strcmp(what, CCDM_FIND_BLANK)) {
		if (found == 1)
			return 0;
		return ccdm_err_set(err, found ? -ENOTUNIQ : -ENODEV,
				    "expected one disk without partition table or signature, "
				    "found %u",
				    found);
	}
	if (!found)
		return ccdm_err_set(err, -ENODEV, "found no %s%s within %u s",
				    what ? "device " : "partition of the GPT type ",
				    what ? what : CCDM_GPT_SCRATCH, seconds);
	if (found > 1)
		return ccdm_err_set(err, -ENOTUNIQ, "expected one partition%s%s, found %u",
				    what ? " with " : " with the GPT type ",
				    what ? what : CCDM_GPT_SCRATCH, found);
	return 0;
}
