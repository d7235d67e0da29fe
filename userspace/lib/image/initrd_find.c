// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* initrd_find.c - finds one file of an initrd; refuses links by which the kernel may change it */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "initrd.h"

#define NAMES_MAX (32 << 20) /* bytes of names that are kept */

/* How entries use a path. The kernel follows links where it opens files and where it links them. */
enum ccdm_initrd_use {
	CCDM_INITRD_SYMLINK = 1,
	CCDM_INITRD_HARD = 2,	/* another entry may be a hard link to it */
	CCDM_INITRD_PARENT = 4, /* an entry lies below it */
};

struct ccdm_initrd_seen {
	struct ccdm_initrd_seen *next;
	unsigned int use;
	char path[];
};

/**
 * struct ccdm_initrd_search - the search for one file
 * @name: of the initrd's file, for messages
 * @path, @max: the file that is searched, and its largest size
 * @content, @size: of the file, once it is found
 * @seen: tree of the paths that must not be links
 * @nodes: list of the tree's nodes, which frees them
 * @names: bytes of all nodes
 */
struct ccdm_initrd_search {
	const char *name;
	const char *path;
	size_t max;
	char *content;
	size_t size;
	void *seen;
	struct ccdm_initrd_seen *nodes;
	size_t names;
	struct ccdm_err *err;
};

static int ccdm_initrd_refuse(struct ccdm_initrd_search *s, const char *path, const char *why)
{
	return ccdm_err_set(s->err, -EINVAL, "%s: initrd: %s %s", s->name, path, why);
}

static int ccdm_initrd_order(const void *a, const void *b)
{
	const struct ccdm_initrd_seen *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* The node of the first @size bytes of @path; a new one if there is none. NULL: *@r is the error */
static struct ccdm_initrd_seen *ccdm_initrd_seen(struct ccdm_initrd_search *s, const char *path,
						 size_t size, int *r)
{
	struct ccdm_initrd_seen *n, **place;

	if (s->names > NAMES_MAX) {
		*r = ccdm_err_set(s->err, -EINVAL, "%s: initrd: expected names of at most 32 MiB",
				  s->name);
		return NULL;
	}
	n = calloc(1, sizeof(*n) + size + 1);
	if (!n) {
		*r = ccdm_err_memory(s->err);
		return NULL;
	}
	memcpy(n->path, path, size);
	n->next = s->nodes;
	s->nodes = n;
	s->names += sizeof(*n) + size;
	place = tsearch(n, &s->seen, ccdm_initrd_order);
	if (!place) {
		*r = ccdm_err_memory(s->err);
		return NULL;
	}
	if (*place != n) {
		s->names -= sizeof(*n) + size;
		s->nodes = n->next;
		free(n);
	}
	return *place;
}

/* The tree does not free its nodes: the list does. */
static void ccdm_initrd_keep(void *node)
{
	(void)node;
}

/* Mark the path of an entry and its folders. A link that is also something else is refused. */
static int ccdm_initrd_mark(struct ccdm_initrd_search *s, const struct ccdm_initrd_file *file)
{
	unsigned int use = S_ISLNK(file->mode)			     ? CCDM_INITRD_SYMLINK
			   : !S_ISDIR(file->mode) && file->links > 1 ? CCDM_INITRD_HARD
								     : 0;
	size_t n = strlen(file->path);
	struct ccdm_initrd_seen *seen;
	int r = 0;

	for (;;) {
		if (use) {
			seen = ccdm_initrd_seen(s, file->path, n, &r);
			if (!seen)
				return r;
			if (use == CCDM_INITRD_PARENT && seen->use & CCDM_INITRD_PARENT)
				return 0;
			seen->use |= use;
			if (seen->use & CCDM_INITRD_SYMLINK && seen->use != CCDM_INITRD_SYMLINK)
				return ccdm_initrd_refuse(
					s, file->path,
					"is a symbolic link and something else, or its path leads "
					"through a symbolic link");
		}
		do
			n--;
		while (n && file->path[n] != '/');
		if (!n)
			return 0;
		use = CCDM_INITRD_PARENT;
	}
}

static bool ccdm_initrd_wanted(const struct ccdm_initrd_file *file, void *arg)
{
	const struct ccdm_initrd_search *s = arg;

	return S_ISREG(file->mode) && file->size <= s->max && !strcmp(file->path, s->path);
}

static int ccdm_initrd_look(struct ccdm_initrd_file *file, void *arg)
{
	struct ccdm_initrd_search *s = arg;
	size_t n = strlen(file->path);
	int r = ccdm_initrd_mark(s, file);

	if (r)
		return r;
	if (!strncmp(file->path, s->path, n) && s->path[n] == '/' && !S_ISDIR(file->mode))
		return ccdm_initrd_refuse(s, s->path,
					  "has a path through an entry that is no "
					  "folder");
	if (strcmp(file->path, s->path))
		return 0;
	if (!S_ISREG(file->mode))
		return ccdm_initrd_refuse(s, s->path, "is no regular file");
	if (file->links > 1)
		return ccdm_initrd_refuse(s, s->path, "has more than one name");
	if (!file->content)
		return ccdm_initrd_refuse(s, s->path, "is too large");
	/* (the kernel may run out of memory before the second file, and keep the first) */
	if (s->content)
		return ccdm_initrd_refuse(s, s->path, "is there twice");
	s->content = (char *)file->content;
	s->size = file->size;
	file->content = NULL;
	return 0;
}

int ccdm_initrd_find(const char *name, const uint8_t *bytes, size_t size, const char *path,
		     size_t max, char **content, size_t *content_size, struct ccdm_err *err)
{
	struct ccdm_initrd_search s = { .name = name, .path = path, .max = max, .err = err };
	int r = ccdm_initrd_walk(name, bytes, size, ccdm_initrd_wanted, ccdm_initrd_look, &s, err);

	tdestroy(s.seen, ccdm_initrd_keep);
	while (s.nodes) {
		struct ccdm_initrd_seen *n = s.nodes;

		s.nodes = n->next;
		free(n);
	}
	if (!r && !s.content)
		r = ccdm_err_set(err, -ENOENT, "%s: initrd: there is no %s", name, path);
	if (r) {
		free(s.content);
		return r;
	}
	*content = s.content;
	*content_size = s.size;
	return 0;
}
