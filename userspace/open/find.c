// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* find.c - see disk/find_parts.h: with sysfs, the kernel's events and the partition table alone */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "disk/find_parts.h"

#define CCDM_GPT_ENTRY 128

/* Read a number from sysfs: 0 if there is none. */
static uint64_t ccdm_find_number(const char *name, const char *file)
{
	char path[320], *text;
	struct ccdm_err ignored;
	uint64_t number;
	size_t size;

	snprintf(path, sizeof(path), "/sys/class/block/%s/%s", name, file);
	if (ccdm_file_read(path, 64, &text, &size, &ignored))
		return 0;
	number = strtoull(text, NULL, 10);
	free(text);
	return number;
}

/* Open the disk that holds the partition @name: the folder above it in sysfs has the disk's name. */
static int ccdm_find_disk(const char *name)
{
	char link[320], target[512], disk[320], *slash;
	ssize_t n;

	snprintf(link, sizeof(link), "/sys/class/block/%s", name);
	n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0)
		return -1;
	target[n] = '\0';
	slash = strrchr(target, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	slash = strrchr(target, '/');
	snprintf(disk, sizeof(disk), "/dev/%.255s", slash ? slash + 1 : target);
	return open(disk, O_RDONLY | O_CLOEXEC);
}

/*
 * Read the entry of partition @number. The kernel has checked the table, and found this partition
 * in it; it begins at @start (in sectors of 512 bytes), or the table has changed since.
 */
static bool ccdm_find_entry(int disk, uint64_t number, uint64_t start,
			    uint8_t entry[CCDM_GPT_ENTRY])
{
	uint8_t header[512];
	uint64_t at, size;
	int sector;

	if (ioctl(disk, BLKSSZGET, &sector) || sector < 512 || sector > 65536 ||
	    pread(disk, header, sizeof(header), sector) != sizeof(header) ||
	    memcmp(header, "EFI PART", 8))
		return false;
	at = ccdm_le64(header + 72);
	size = ccdm_le32(header + 84);
	if (!number || number > ccdm_le32(header + 80) || size < CCDM_GPT_ENTRY || size > 4096 ||
	    at > UINT64_MAX / 2 / (unsigned int)sector)
		return false;
	at = at * (unsigned int)sector + (number - 1) * size;
	return at <= INT64_MAX && pread(disk, entry, CCDM_GPT_ENTRY, (off_t)at) == CCDM_GPT_ENTRY &&
	       ccdm_le64(entry + 32) == start / ((unsigned int)sector / 512);
}

/* A GUID as text: three numbers in little endian, then bytes (UEFI 2.10, appendix A). */
static void ccdm_find_guid(const uint8_t *p, char text[37])
{
	snprintf(text, 37, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", ccdm_le32(p),
		 ccdm_le16(p + 4), ccdm_le16(p + 6), p[8], p[9], p[10], p[11], p[12], p[13], p[14],
		 p[15]);
}

bool ccdm_find_partition(const char *path, enum ccdm_find_key key, const char *guid)
{
	const char *name = path + strlen("/dev/");
	uint8_t entry[CCDM_GPT_ENTRY];
	int disk = ccdm_find_disk(name);
	char text[37];
	bool found;

	if (disk < 0)
		return false;
	found = ccdm_find_entry(disk, ccdm_find_number(name, "partition"),
				ccdm_find_number(name, "start"), entry);
	close(disk);
	if (!found)
		return false;
	ccdm_find_guid(entry + (key == CCDM_FIND_TYPE ? 0 : 16), text);
	return !strcasecmp(text, guid);
}

int ccdm_find_wait(const struct ccdm_find *f, unsigned int seconds, unsigned int *found)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);
	struct pollfd events = { .fd = fd, .events = POLLIN };
	int64_t end = ccdm_clock_ms() + seconds * 1000LL, left;
	char event[64];

	/* without events (another user namespace), search each second */
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		events.fd = -1;
	}
	for (;;) {
		*found = ccdm_find_now(f);
		left = end - ccdm_clock_ms();
		if (*found || left <= 0)
			break;
		if (poll(&events, 1, left > 1000 ? 1000 : (int)left) < 0 && errno != EINTR)
			break;
		/* what the events say is not needed */
		while (events.fd >= 0 && recv(fd, event, sizeof(event), 0) > 0)
			;
	}
	if (events.fd >= 0)
		close(fd);
	return 0;
}
