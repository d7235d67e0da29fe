// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* find.c - see find.h */
#include <blkid.h>
#include <dirent.h>
#include <errno.h>
#include <libudev.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "ccdm_format.h"
#include "base/clock.h"
#include "device.h"
#include "find.h"

#define CCDM_PARTUUID "PARTUUID="
#define CCDM_PARTTYPE "PARTTYPE="

/* Is @path the wanted partition? @key: libblkid's name of the value to compare with @guid. */
static bool ccdm_find_partition(const char *path, const char *key, const char *guid)
{
	blkid_probe probe = blkid_new_probe_from_filename(path);
	const char *value = NULL, *scheme = NULL;
	bool found = false;

	if (!probe)
		return false;
	blkid_probe_enable_superblocks(probe, 0);
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS);
	if (blkid_do_fullprobe(probe) >= 0 &&
	    !blkid_probe_lookup_value(probe, "PART_ENTRY_SCHEME", &scheme, NULL) &&
	    !strcmp(scheme, "gpt") && !blkid_probe_lookup_value(probe, key, &value, NULL))
		found = !strcasecmp(value, guid);
	blkid_free_probe(probe);
	return found;
}

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

/* Count the matching devices; @path receives the last one. @key: NULL for blank disks. */
static unsigned int ccdm_find_all(const char *key, const char *guid, char *path, size_t size)
{
	char name[512], device[300];
	unsigned int found = 0;
	struct dirent *entry;
	DIR *dir = opendir("/sys/class/block");

	while (dir && (entry = readdir(dir))) {
		snprintf(name, sizeof(name), "/sys/class/block/%s/partition", entry->d_name);
		if (entry->d_name[0] == '.' || !access(name, F_OK) == !key)
			continue;
		snprintf(device, sizeof(device), "/dev/%s", entry->d_name);
		if (key ? !ccdm_find_partition(device, key, guid)
			: !ccdm_find_blank(device, entry->d_name))
			continue;
		found++;
		snprintf(path, size, "%s", device);
	}
	if (dir)
		closedir(dir);
	return found;
}

struct ccdm_find {
	const char *what;
	bool any; /* any kind of file, not only a block device */
	char *path;
	size_t size;
};

static unsigned int ccdm_find_now(const struct ccdm_find *f)
{
	struct stat st;

	if (!f->what)
		return ccdm_find_all("PART_ENTRY_TYPE", CCDM_GPT_SCRATCH, f->path, f->size);
	if (!strcmp(f->what, CCDM_FIND_BLANK))
		return ccdm_find_all(NULL, NULL, f->path, f->size);
	if (!strncmp(f->what, CCDM_PARTUUID, strlen(CCDM_PARTUUID)))
		return ccdm_find_all("PART_ENTRY_UUID", f->what + strlen(CCDM_PARTUUID), f->path,
				     f->size);
	if (!strncmp(f->what, CCDM_PARTTYPE, strlen(CCDM_PARTTYPE)))
		return ccdm_find_all("PART_ENTRY_TYPE", f->what + strlen(CCDM_PARTTYPE), f->path,
				     f->size);
	snprintf(f->path, f->size, "%s", f->what);
	return !stat(f->what, &st) && (f->any || S_ISBLK(st.st_mode));
}

/* Search now, and again after each event, until @end. Return: how many devices were found. */
static unsigned int ccdm_find_loop(struct udev_monitor *monitor, struct udev_queue *queue,
				   const struct ccdm_find *f, int64_t end)
{
	struct pollfd fds[2] = { { .fd = udev_monitor_get_fd(monitor), .events = POLLIN },
				 { .fd = udev_queue_get_fd(queue), .events = POLLIN } };
	struct udev_device *device;
	unsigned int found;
	int64_t left;
	bool idle;

	for (;;) {
		/* Keep this order: an event after the search must wake poll(). */
		idle = udev_queue_get_queue_is_empty(queue);
		found = ccdm_find_now(f);
		left = end - ccdm_clock_ms();
		if ((found && idle) || left <= 0)
			return found;
		/*
		 * udev's queue is watched through a file that may not exist yet, so search each
		 * second.
		 */
		if (poll(fds, 2, left > 1000 ? 1000 : (int)left) < 0 && errno != EINTR)
			return found;
		udev_queue_flush(queue);
		while ((device = udev_monitor_receive_device(monitor)))
			udev_device_unref(device);
	}
}

static int ccdm_find_wait(const struct ccdm_find *f, unsigned int seconds, unsigned int *found)
{
	struct udev *udev = udev_new();
	struct udev_monitor *monitor = udev ? udev_monitor_new_from_netlink(udev, "udev") : NULL;
	struct udev_queue *queue = udev ? udev_queue_new(udev) : NULL;
	int r = -EIO;

	if (monitor && queue && udev_monitor_enable_receiving(monitor) >= 0) {
		*found = ccdm_find_loop(monitor, queue, f, ccdm_clock_ms() + seconds * 1000LL);
		r = 0;
	}
	udev_queue_unref(queue);
	udev_monitor_unref(monitor);
	udev_unref(udev);
	return r;
}

void ccdm_find_node(const char *path, unsigned int seconds)
{
	char ignored[256];
	const struct ccdm_find f = { path, true, ignored, sizeof(ignored) };
	unsigned int found;

	ccdm_find_wait(&f, seconds, &found);
}

int ccdm_find_device(const char *what, unsigned int seconds, char *path, size_t size,
		     struct ccdm_err *err)
{
	const struct ccdm_find f = { what, false, path, size };
	unsigned int found = 0;

	if (ccdm_find_wait(&f, seconds, &found))
		return ccdm_err_set(err, -EIO, "udev does not answer");
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
