// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cpio.c - see cpio.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cpio.h"

#define HEADER	110 /* 6 letters and 13 words of 8 digits */
#define TRAILER "TRAILER!!!"

struct cpio_item {
	char *path;
	uint32_t mode;
	uint32_t device[2];
	const uint8_t *content;
	uint32_t size;
};

/**
 * struct ccdm_cpio - an archive that is not written yet
 * @date: of all entries
 * @item: @count entries, with room for @room
 * @all: bytes of these entries in the archive
 */
struct ccdm_cpio {
	int64_t date;
	struct cpio_item *item;
	size_t count, room;
	uint64_t all;
};

struct ccdm_cpio *ccdm_cpio_new(int64_t date)
{
	struct ccdm_cpio *cpio = calloc(1, sizeof(*cpio));

	if (cpio)
		cpio->date = date;
	return cpio;
}

void ccdm_cpio_free(struct ccdm_cpio *cpio)
{
	size_t i;

	for (i = 0; cpio && i < cpio->count; i++)
		free(cpio->item[i].path);
	if (cpio)
		free(cpio->item);
	free(cpio);
}

static uint64_t ccdm_cpio_pad(uint64_t size)
{
	return (size + 3) & ~(uint64_t)3;
}

/* Bytes of an entry in the archive. */
static uint64_t ccdm_cpio_size(const char *path, uint32_t size)
{
	return ccdm_cpio_pad(HEADER + strlen(path) + 1) + ccdm_cpio_pad(size);
}

int ccdm_cpio_add(struct ccdm_cpio *cpio, const struct ccdm_cpio_entry *entry, struct ccdm_err *err)
{
	struct cpio_item *item;
	size_t length = strlen(entry->path);

	if (!length || length > CCDM_CPIO_NAME || entry->path[0] == '/' ||
	    !strcmp(entry->path, TRAILER))
		return ccdm_err_set(err, -EINVAL,
				    "cpio: expected a relative path of 1 to %u bytes, found '%s'",
				    CCDM_CPIO_NAME, entry->path);
	if (entry->size && !S_ISREG(entry->mode) && !S_ISLNK(entry->mode))
		return ccdm_err_set(err, -EINVAL,
				    "cpio: %s: only files and symbolic links have a content",
				    entry->path);
	if (cpio->all + ccdm_cpio_size(entry->path, entry->size) > CCDM_CPIO_ALL)
		return ccdm_err_set(err, -EFBIG, "cpio: %s: expected at most 1 GiB in all",
				    entry->path);
	if (cpio->count == cpio->room) {
		size_t room = cpio->room ? 2 * cpio->room : 64;

		item = reallocarray(cpio->item, room, sizeof(*item));
		if (!item)
			return ccdm_err_memory(err);
		cpio->item = item;
		cpio->room = room;
	}
	item = &cpio->item[cpio->count];
	*item = (struct cpio_item){ .mode = entry->mode,
				    .device = { entry->device[0], entry->device[1] },
				    .content = entry->content,
				    .size = entry->size };
	/* (not strdup(), of which the analyzer of gcc 12 reports a leak) */
	if (asprintf(&item->path, "%.*s", (int)length, entry->path) < 0)
		return ccdm_err_memory(err);
	cpio->all += ccdm_cpio_size(entry->path, entry->size);
	cpio->count++;
	return 0;
}

static int ccdm_cpio_order(const void *a, const void *b)
{
	const struct cpio_item *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Write one entry at @to, which holds zeros. Return: what follows it. */
static uint8_t *ccdm_cpio_put(uint8_t *to, const struct cpio_item *item, uint32_t inode,
			      uint32_t date)
{
	size_t name = strlen(item->path) + 1;
	char header[HEADER + 1];

	/* inode, mode, uid, gid, links, mtime, size, device of the file, device, name's size, checksum */
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode, item->mode, 0,
		 0, 1, date, item->size, 0, 0, item->device[0], item->device[1], (unsigned int)name,
		 0);
	memcpy(to, header, HEADER);
	memcpy(to + HEADER, item->path, name);
	to += ccdm_cpio_pad(HEADER + name);
	if (item->size)
		memcpy(to, item->content, item->size);
	return to + ccdm_cpio_pad(item->size);
}

int ccdm_cpio_end(struct ccdm_cpio *cpio, uint8_t **bytes, size_t *size, struct ccdm_err *err)
{
	struct cpio_item trailer = { .path = (char[]){ TRAILER } };
	uint64_t all = cpio->all + ccdm_cpio_size(trailer.path, trailer.size);
	uint8_t *to;
	size_t i;

	if (cpio->count)
		qsort(cpio->item, cpio->count, sizeof(*cpio->item), ccdm_cpio_order);
	for (i = 1; i < cpio->count; i++)
		if (!strcmp(cpio->item[i - 1].path, cpio->item[i].path))
			return ccdm_err_set(err, -EEXIST,
					    "cpio: %s: there are two entries of this name",
					    cpio->item[i].path);
	*bytes = calloc(1, all);
	if (!*bytes)
		return ccdm_err_memory(err);
	for (to = *bytes, i = 0; i < cpio->count; i++)
		to = ccdm_cpio_put(to, &cpio->item[i], (uint32_t)i + 1, (uint32_t)cpio->date);
	ccdm_cpio_put(to, &trailer, 0, 0);
	*size = all;
	return 0;
}
