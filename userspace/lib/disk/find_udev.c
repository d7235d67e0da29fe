// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* find_udev.c - see find_parts.h: through libblkid and libudev */
#include <blkid.h>
#include <errno.h>
#include <libudev.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "find_parts.h"

bool ccdm_find_partition(const char *path, enum ccdm_find_key key, const char *guid)
{
	const char *name = key == CCDM_FIND_TYPE ? "PART_ENTRY_TYPE" : "PART_ENTRY_UUID";
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
	    !strcmp(scheme, "gpt") && !blkid_probe_lookup_value(probe, name, &value, NULL))
		found = !strcasecmp(value, guid);
	blkid_free_probe(probe);
	return found;
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

int ccdm_find_wait(const struct ccdm_find *f, unsigned int seconds, unsigned int *found)
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
