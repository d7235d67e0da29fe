// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* repack.c - see repack.h */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cpio.h"
#include "initrd.h"
#include "repack.h"

/* An entry that was read. */
struct repack_item {
	char *path;
	uint32_t mode;
	uint32_t links;
	uint32_t inode[4];
	uint32_t device[2];
	uint32_t size;
	uint8_t *content;
};

struct repack {
	const char *name;
	const char *const *drop;
	struct repack_item *item;
	size_t count, room;
	struct ccdm_err *err;
};

static bool ccdm_repack_want(const struct ccdm_initrd_file *file, void *arg)
{
	(void)file;
	(void)arg;
	return true;
}

static int ccdm_repack_take(struct ccdm_initrd_file *file, void *arg)
{
	struct repack *repack = arg;
	struct repack_item *item;

	if (repack->count == repack->room) {
		size_t room = repack->room ? 2 * repack->room : 256;

		item = reallocarray(repack->item, room, sizeof(*item));
		if (!item)
			return ccdm_err_memory(repack->err);
		repack->item = item;
		repack->room = room;
	}
	item = &repack->item[repack->count];
	*item = (struct repack_item){ .mode = file->mode,
				      .links = S_ISDIR(file->mode) ? 1 : file->links,
				      .device = { file->device[0], file->device[1] },
				      .size = file->size,
				      .content = file->content };
	/* (not strdup(), of which the analyzer of gcc 12 reports a leak) */
	if (asprintf(&item->path, "%.*s", (int)strlen(file->path), file->path) < 0)
		return ccdm_err_memory(repack->err);
	memcpy(item->inode, file->inode, sizeof(item->inode));
	file->content = NULL;
	repack->count++;
	return 0;
}

/* Names of one inode next to each other, the one with the content first. */
static int ccdm_repack_by_inode(const void *a, const void *b)
{
	const struct repack_item *x = a, *y = b;
	int r;

	if ((x->links > 1) != (y->links > 1))
		return x->links > 1 ? 1 : -1;
	if (x->links > 1) {
		r = memcmp(x->inode, y->inode, sizeof(x->inode));
		if (r)
			return r;
		if (x->size != y->size)
			return x->size > y->size ? -1 : 1;
	}
	return strcmp(x->path, y->path);
}

/* True if @a and @b are names of the same file. */
static bool ccdm_repack_linked(const struct repack_item *a, const struct repack_item *b)
{
	return a->links > 1 && b->links > 1 && !memcmp(a->inode, b->inode, sizeof(a->inode));
}

static bool ccdm_repack_same_folder(const struct repack_item *a, const struct repack_item *b)
{
	return S_ISDIR(a->mode) && a->mode == b->mode && !strcmp(a->path, b->path);
}

/* What the kernel would unpack as it stands in the archive, but this code writes otherwise. */
static int ccdm_repack_differ(const struct repack *repack, const struct repack_item *first,
			      const struct repack_item *item)
{
	const char *what = NULL;

	/* (the kernel takes the content from whichever name has one) */
	if (item->mode != first->mode)
		what = "modes";
	else if (item->size &&
		 (item->size != first->size || memcmp(item->content, first->content, item->size)))
		what = "contents";
	if (!what)
		return 0;
	return ccdm_err_set(repack->err, -EINVAL, "%s: initrd: %s and %s are one file with two %s",
			    repack->name, first->path, item->path, what);
}

/* True if the caller does not want this path. */
static bool ccdm_repack_dropped(const struct repack *repack, const char *path)
{
	const char *const *drop = repack->drop;

	while (drop && *drop && strcmp(*drop, path))
		drop++;
	return drop && *drop;
}

static int ccdm_repack_by_path(const void *a, const void *b)
{
	const struct repack_item *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* True if the folder of @path is an entry of its own. @by_path: @count entries, sorted by path */
static bool ccdm_repack_inside(const char *path, struct repack_item *const *by_path, size_t count)
{
	const char *end = strrchr(path, '/');
	char folder[CCDM_INITRD_NAME];
	struct repack_item key = { .path = folder }, *at = &key;
	struct repack_item *const *found;

	if (!end)
		return true;
	memcpy(folder, path, (size_t)(end - path));
	folder[end - path] = '\0';
	found = bsearch(&at, by_path, count, sizeof(void *), ccdm_repack_by_path);
	return found && S_ISDIR((*found)->mode);
}

/* Behind a link, or without a folder, the order of the entries would decide what is unpacked. */
static int ccdm_repack_folders(const struct repack *repack)
{
	struct repack_item **by_path = calloc(repack->count + 1, sizeof(void *));
	size_t i, n = 0;
	int r = 0;

	if (!by_path)
		return ccdm_err_memory(repack->err);
	for (i = 0; i < repack->count; i++)
		if (!ccdm_repack_dropped(repack, repack->item[i].path))
			by_path[n++] = &repack->item[i];
	qsort(by_path, n, sizeof(void *), ccdm_repack_by_path);
	for (i = 0; !r && i < n; i++)
		if (!ccdm_repack_inside(by_path[i]->path, by_path, n))
			r = ccdm_err_set(repack->err, -EINVAL,
					 "%s: initrd: %s: expected an entry for its folder",
					 repack->name, by_path[i]->path);
	free(by_path);
	return r;
}

/* The archive of all entries, which are sorted by inode. */
static int ccdm_repack_write(struct repack *repack, struct ccdm_cpio *cpio)
{
	const struct repack_item *first = NULL;
	size_t i;
	int r = 0;

	for (i = 0; !r && i < repack->count; i++) {
		struct repack_item *item = &repack->item[i];

		if (!first || !ccdm_repack_linked(first, item))
			first = item;
		r = ccdm_repack_differ(repack, first, item);
		if (r)
			return r;
		if (i && ccdm_repack_same_folder(&repack->item[i - 1], item))
			continue;
		/* (a name that is left out may be the one with the content) */
		if (ccdm_repack_dropped(repack, item->path))
			continue;
		r = ccdm_cpio_add(
			cpio,
			&(struct ccdm_cpio_entry){ .path = item->path,
						   .mode = item->mode,
						   .device = { item->device[0], item->device[1] },
						   .content = first->content,
						   .size = first->size },
			repack->err);
	}
	return r;
}

int ccdm_initrd_repack(const char *name, const uint8_t *bytes, size_t size, const char *const *drop,
		       int64_t date, uint8_t **cpio, size_t *cpio_size, struct ccdm_err *err)
{
	struct repack repack = { .name = name, .drop = drop, .err = err };
	struct ccdm_cpio *archive = ccdm_cpio_new(date);
	size_t i;
	int r = archive ? 0 : ccdm_err_memory(err);

	if (!r)
		r = ccdm_initrd_walk(name, bytes, size, ccdm_repack_want, ccdm_repack_take, &repack,
				     err);
	if (!r) {
		if (repack.count)
			qsort(repack.item, repack.count, sizeof(*repack.item),
			      ccdm_repack_by_inode);
		r = ccdm_repack_folders(&repack);
	}
	if (!r)
		r = ccdm_repack_write(&repack, archive);
	if (!r)
		r = ccdm_cpio_end(archive, cpio, cpio_size, err);
	for (i = 0; i < repack.count; i++) {
		free(repack.item[i].path);
		free(repack.item[i].content);
	}
	free(repack.item);
	ccdm_cpio_free(archive);
	return r;
}
