// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* grow.c - see grow.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/blkpg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/file.h"
#include "grow.h"

#define CCDM_GROW_SECTOR 512  /* sysfs counts in these, whatever the disk has */
#define CCDM_GROW_ALIGN	 8    /* sectors of a block of 4096 bytes */
#define CCDM_GROW_BACKUP 2048 /* sectors at the end that stay free: a GPT needs 33 or fewer */
#define CCDM_GROW_PARTS	 256

uint64_t ccdm_grow_size(uint64_t disk, const struct ccdm_grow_part *part,
			const struct ccdm_grow_part *others, unsigned int count)
{
	uint64_t size;
	unsigned int i;

	for (i = 0; i < count; i++)
		if (others[i].start > part->start)
			return part->size;
	if (disk < CCDM_GROW_BACKUP || part->start >= disk - CCDM_GROW_BACKUP)
		return part->size;
	size = disk - CCDM_GROW_BACKUP - part->start;
	size -= size % CCDM_GROW_ALIGN;
	return size > part->size ? size : part->size;
}

/* A number in a file of sysfs; 0 if there is none. */
static uint64_t ccdm_grow_number(const char *folder, const char *name)
{
	char path[PATH_MAX + 32], *text;
	struct ccdm_err ignored;
	uint64_t number;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (access(path, F_OK) || ccdm_file_read(path, 4096, &text, &size, &ignored))
		return 0;
	number = strtoull(text, NULL, 10);
	free(text);
	return number;
}

/* The partitions of a disk but for @name. */
static unsigned int ccdm_grow_others(const char *disk, const char *name,
				     struct ccdm_grow_part *others)
{
	char path[PATH_MAX + 300];
	unsigned int count = 0;
	struct dirent *entry;
	DIR *dir = opendir(disk);

	while (dir && count < CCDM_GROW_PARTS && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", disk, entry->d_name);
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, name) ||
		    !ccdm_grow_number(path, "partition"))
			continue;
		others[count].start = ccdm_grow_number(path, "start");
		others[count++].size = ccdm_grow_number(path, "size");
	}
	if (dir)
		closedir(dir);
	return count;
}

static int ccdm_grow_tell(const char *disk, int number, const struct ccdm_grow_part *part,
			  uint64_t size, struct ccdm_err *err)
{
	struct blkpg_partition p = { .start = (long long)part->start * CCDM_GROW_SECTOR,
				     .length = (long long)size * CCDM_GROW_SECTOR,
				     .pno = number };
	struct blkpg_ioctl_arg arg = { .op = BLKPG_RESIZE_PARTITION,
				       .datalen = sizeof(p),
				       .data = &p };
	int fd = open(disk, O_RDONLY | O_CLOEXEC), r = 0;

	if (fd < 0 || ioctl(fd, BLKPG, &arg))
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r ? ccdm_err_set(err, r, "%s: cannot extend partition %d to %llu bytes: %s", disk,
				number, (unsigned long long)p.length, strerror(-r))
		 : 0;
}

int ccdm_grow(const char *path, uint64_t *bytes, struct ccdm_err *err)
{
	char device[PATH_MAX], name[PATH_MAX], folder[PATH_MAX], *slash;
	struct ccdm_grow_part part, others[CCDM_GROW_PARTS];
	uint64_t number, size;
	int r;

	*bytes = 0;
	if (!realpath(path, device)) {
		r = -errno;
		return ccdm_err_set(err, r, "%s: %s", path, strerror(-r));
	}
	snprintf(name, sizeof(name), "/sys/class/block/%.200s", strrchr(device, '/') + 1);
	if (!realpath(name, folder))
		return 0;
	number = ccdm_grow_number(folder, "partition");
	if (!number || number > INT_MAX)
		return 0;
	part.start = ccdm_grow_number(folder, "start");
	part.size = ccdm_grow_number(folder, "size");
	/* the folder of a partition is in that of its disk */
	slash = strrchr(folder, '/');
	*slash = '\0';
	size = ccdm_grow_size(ccdm_grow_number(folder, "size"), &part, others,
			      ccdm_grow_others(folder, slash + 1, others));
	if (size == part.size)
		return 0;
	snprintf(name, sizeof(name), "/dev/%.200s", strrchr(folder, '/') + 1);
	r = ccdm_grow_tell(name, (int)number, &part, size, err);
	if (!r)
		*bytes = size * CCDM_GROW_SECTOR;
	return r;
}
