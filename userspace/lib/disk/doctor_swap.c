// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* doctor_swap.c - see doctor.h: which devices the kernel swaps to */
#include <limits.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "base/err.h"
#include "base/file.h"
#include "doctor.h"

#define SWAP_DEPTH 8 /* devices on top of each other */
#define SWAP_NEXT  "use a mapping as swap; see Documentation/howto/swap.rst"

/* What protects a device, from the best to the worst */
enum swap_kind {
	SWAP_CCDM,
	SWAP_MEMORY, /* zram */
	SWAP_CRYPT,
	SWAP_UNKNOWN,
	SWAP_CLEAR,
};

static enum swap_kind swap_worse(enum swap_kind a, enum swap_kind b)
{
	return a > b ? a : b;
}

/*
 * @sys: the device's folder below /sys. A mapping of another kind, or a RAID, is as good as the worst
 * device below it.
 */
static enum swap_kind swap_device(const struct ccdm_doctor *d, const char *sys, unsigned int depth)
{
	enum swap_kind kind = SWAP_CCDM;
	char path[PATH_MAX], full[PATH_MAX], text[160];
	struct dirent *entry;
	unsigned int below = 0;
	DIR *dir;

	if (depth == SWAP_DEPTH ||
	    snprintf(path, sizeof(path), "%s/dm/uuid", sys) >= (int)sizeof(path))
		return SWAP_UNKNOWN;
	ccdm_doctor_read(d, path, text, sizeof(text));
	if (!strncmp(text, "CCDM-", 5))
		return SWAP_CCDM;
	snprintf(path, sizeof(path), "%s/backing_dev", sys);
	ccdm_doctor_read(d, path, full, sizeof(full));
	if (full[0]) /* only zram has this file */
		return strcmp(full, "none") ? SWAP_UNKNOWN : SWAP_MEMORY;
	snprintf(path, sizeof(path), "%s/loop/backing_file", sys);
	ccdm_doctor_read(d, path, full, sizeof(full));
	if (full[0])
		return SWAP_UNKNOWN;
	if (snprintf(full, sizeof(full), "%s%s/slaves", d->root, sys) >= (int)sizeof(full))
		return SWAP_UNKNOWN;
	dir = opendir(full);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		below++;
		if (snprintf(path, sizeof(path), "/sys/class/block/%s", entry->d_name) >=
		    (int)sizeof(path))
			kind = SWAP_UNKNOWN;
		else
			kind = swap_worse(kind, swap_device(d, path, depth + 1));
	}
	if (dir)
		closedir(dir);
	if (!below)
		kind = SWAP_CLEAR;
	/* dm-crypt on a mapping of ccdm is as good as the mapping */
	return kind > SWAP_CRYPT && !strncmp(text, "CRYPT-", 6) ? SWAP_CRYPT : kind;
}

static bool swap_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Blanks in a path are written as \040. */
static void swap_unescape(char *path)
{
	char *to = path;

	for (; *path; to++) {
		if (path[0] == '\\' && swap_octal(path[1]) && swap_octal(path[2]) &&
		    swap_octal(path[3])) {
			*to = (char)((path[1] - '0') << 6 | (path[2] - '0') << 3 | (path[3] - '0'));
			path += 4;
		} else {
			*to = *path++;
		}
	}
	*to = '\0';
}

/* What protects a swap area? A file is as good as the device of its file system. */
static enum swap_kind swap_area(const struct ccdm_doctor *d, const char *path, bool partition)
{
	char sys[PATH_MAX], full[2 * PATH_MAX];
	const char *name = strrchr(path, '/');
	struct stat st;
	dev_t number;

	if (partition && name && !strncmp(path, "/dev/", 5)) {
		snprintf(sys, sizeof(sys), "/sys/class/block%s", name);
		snprintf(full, sizeof(full), "%s%s", d->root, sys);
		if (!stat(full, &st))
			return swap_device(d, sys, 0);
	}
	snprintf(full, sizeof(full), "%s%s", d->root, path);
	if (stat(full, &st))
		return SWAP_UNKNOWN;
	number = partition ? st.st_rdev : st.st_dev;
	snprintf(sys, sizeof(sys), "/sys/dev/block/%u:%u", major(number), minor(number));
	snprintf(full, sizeof(full), "%s%s", d->root, sys);
	/* btrfs and network file systems have numbers of no device */
	return stat(full, &st) ? SWAP_UNKNOWN : swap_device(d, sys, 0);
}

static int swap_line(char *line, unsigned int number, void *arg, struct ccdm_err *err)
{
	struct ccdm_doctor *d = arg;
	char path[PATH_MAX], type[16];

	(void)err;
	if (number == 1 || sscanf(line, "%4095s %15s", path, type) != 2)
		return 0;
	swap_unescape(path);
	switch (swap_area(d, path, !strcmp(type, "partition"))) {
	case SWAP_CCDM:
		ccdm_doctor_add(d, "swap", CCDM_DOCTOR_OK, "", "%s is on a mapping of ccdm", path);
		break;
	case SWAP_MEMORY:
		ccdm_doctor_add(d, "swap", CCDM_DOCTOR_OK, "", "%s is in memory", path);
		break;
	case SWAP_CRYPT:
		ccdm_doctor_add(
			d, "swap", CCDM_DOCTOR_WARNING, SWAP_NEXT,
			"%s is encrypted, but the host can change pages of memory, or bring "
			"back old ones",
			path);
		break;
	case SWAP_UNKNOWN:
		ccdm_doctor_add(d, "swap", CCDM_DOCTOR_WARNING, SWAP_NEXT,
				"%s: cannot tell on which device it is", path);
		break;
	case SWAP_CLEAR:
		ccdm_doctor_add(d, "swap", CCDM_DOCTOR_FAILED, "swapoff, then " SWAP_NEXT,
				"%s is not encrypted: the host can read and change pages of memory",
				path);
		break;
	}
	return 0;
}

void ccdm_doctor_swap(struct ccdm_doctor *d)
{
	const unsigned int before = d->count;
	char path[PATH_MAX], *text = NULL;
	struct ccdm_err err = { 0 };
	size_t size;
	int r;

	snprintf(path, sizeof(path), "%s/proc/swaps", d->root);
	r = ccdm_file_read(path, 1 << 20, &text, &size, &err);
	if (!r)
		r = ccdm_file_lines(path, text, size, 1 << 20, swap_line, d, &err);
	free(text);
	if (r && r != -ENOENT)
		ccdm_doctor_add(d, "swap", CCDM_DOCTOR_WARNING, "", "%s", err.text);
	else if (d->count == before)
		ccdm_doctor_add(d, "swap", CCDM_DOCTOR_OK, "", "there is none");
}
