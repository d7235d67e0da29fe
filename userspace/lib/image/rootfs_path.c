// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* rootfs_path.c - see rootfs.h: paths are resolved inside the tree, and files are put at paths */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "rootfs.h"

/**
 * struct ccdm_rootfs_way - what is left of a path
 * @rest: allocated; targets of links are put before it
 * @at: its first byte that was not taken
 * @hops: links so far
 */
struct ccdm_rootfs_way {
	char *rest;
	char *at;
	unsigned int hops;
};

/* The next part that is not empty or ".". Return: its bytes; 0: there is none. */
static size_t ccdm_rootfs_part(struct ccdm_rootfs_way *way, const char **part)
{
	size_t n;

	for (;;) {
		way->at += strspn(way->at, "/");
		n = strcspn(way->at, "/");
		*part = way->at;
		way->at += n;
		if (n != 1 || **part != '.')
			return n;
	}
}

/* True if only slashes and "." follow. */
static bool ccdm_rootfs_last(const struct ccdm_rootfs_way *way)
{
	struct ccdm_rootfs_way copy = *way;
	const char *part;

	return !ccdm_rootfs_part(&copy, &part);
}

/* Put the target of the link @name before what is left. */
static int ccdm_rootfs_follow(struct ccdm_rootfs *fs, struct ccdm_rootfs_way *way, const char *name,
			      const char *target, struct ccdm_err *err)
{
	size_t n = strlen(target), left = strlen(way->at);
	char *rest;

	if (way->hops++ == CCDM_ROOTFS_HOPS)
		return ccdm_err_set(err, -ELOOP, "'%s' needs more than %u symbolic links", name,
				    CCDM_ROOTFS_HOPS);
	if (n > CCDM_ROOTFS_FOLLOWED - fs->followed)
		return ccdm_err_set(
			err, -ELOOP,
			"'%s': expected symbolic links of at most %u MiB on all paths together",
			name, CCDM_ROOTFS_FOLLOWED >> 20);
	fs->followed += n;
	rest = malloc(n + left + 2);
	if (!rest)
		return ccdm_err_memory(err);
	memcpy(rest, target, n);
	rest[n] = '/';
	memcpy(rest + n + 1, way->at, left + 1);
	free(way->rest);
	way->rest = way->at = rest;
	return 0;
}

/* A folder that no archive described. */
static int ccdm_rootfs_make(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *folder,
			    const char *name, struct ccdm_rootfs_node **node, struct ccdm_err *err)
{
	struct ccdm_rootfs_inode *inode =
		ccdm_rootfs_inode(S_IFDIR | 0755, 0, 0, CCDM_ROOTFS_NO_TIME);
	int r;

	if (!inode)
		return ccdm_err_memory(err);
	r = ccdm_rootfs_set(fs, folder, name, inode, node, err);
	if (r)
		ccdm_rootfs_inode_free(inode);
	return r;
}

/*
 * Walk along @way from @node. With @name, the walk ends before the last part of the path, and
 * copies this part to @name; it does not follow a link in this part.
 */
static int ccdm_rootfs_walk(struct ccdm_rootfs *fs, struct ccdm_rootfs_way *way, bool make,
			    struct ccdm_rootfs_node **node, char *name, struct ccdm_err *err)
{
	struct ccdm_rootfs_node *next;
	char one[CCDM_ROOTFS_NAME + 1];
	const char *part;
	size_t n;
	int r;

	while ((n = ccdm_rootfs_part(way, &part))) {
		if (n > CCDM_ROOTFS_NAME)
			return ccdm_err_set(err, -ENAMETOOLONG,
					    "expected a name of at most 255 bytes, found %zu", n);
		if (!S_ISDIR((*node)->inode->mode))
			return ccdm_err_set(err, -ENOTDIR, "'%s' is not a folder", (*node)->name);
		memcpy(one, part, n);
		one[n] = '\0';
		if (name && ccdm_rootfs_last(way)) {
			memcpy(name, one, n + 1);
			return 0;
		}
		if (!strcmp(one, "..")) {
			*node = (*node)->parent ? (*node)->parent : *node;
			continue;
		}
		next = ccdm_rootfs_child(*node, one);
		if (!next && !make)
			return ccdm_err_set(err, -ENOENT, "'%s' is not there", one);
		if (!next) {
			r = ccdm_rootfs_make(fs, *node, one, &next, err);
			if (r)
				return r;
		}
		if (!S_ISLNK(next->inode->mode)) {
			*node = next;
			continue;
		}
		r = ccdm_rootfs_follow(fs, way, one, next->inode->target, err);
		if (r)
			return r;
		if (next->inode->target[0] == '/')
			*node = fs->root;
	}
	return 0;
}

struct ccdm_rootfs_node *ccdm_rootfs_find(const struct ccdm_rootfs *fs, const char *path)
{
	struct ccdm_rootfs_way way = { .rest = strdup(path) };
	struct ccdm_rootfs_node *node = fs->root;
	struct ccdm_err err;
	int r = -ENOMEM;

	way.at = way.rest;
	/* (without @make no entry is written) */
	if (way.rest)
		r = ccdm_rootfs_walk((struct ccdm_rootfs *)fs, &way, false, &node, NULL, &err);
	free(way.rest);
	return r ? NULL : node;
}

/* Paths of archives have no "..". */
static int ccdm_rootfs_check(const char *path, struct ccdm_err *err)
{
	struct ccdm_rootfs_way way = { .at = (char *)path };
	const char *part;
	size_t n;

	if (strlen(path) > CCDM_ROOTFS_PATH)
		return ccdm_err_set(err, -ENAMETOOLONG,
				    "expected a path of at most 4095 bytes, found %zu",
				    strlen(path));
	while ((n = ccdm_rootfs_part(&way, &part))) {
		if (n == 2 && part[0] == '.' && part[1] == '.')
			return ccdm_err_set(err, -EINVAL, "expected a path without '..'");
		if (n > CCDM_ROOTFS_NAME)
			return ccdm_err_set(err, -ENAMETOOLONG,
					    "expected a name of at most 255 bytes, found %zu", n);
	}
	return 0;
}

int ccdm_rootfs_parent(struct ccdm_rootfs *fs, const char *path, bool make,
		       struct ccdm_rootfs_node **folder, char *name, struct ccdm_err *err)
{
	struct ccdm_rootfs_node *node = fs->root;
	struct ccdm_rootfs_way way;
	int r = ccdm_rootfs_check(path, err);

	*folder = NULL;
	*name = '\0';
	if (r)
		return r;
	way = (struct ccdm_rootfs_way){ .rest = strdup(path) };
	way.at = way.rest;
	if (!way.rest)
		return ccdm_err_memory(err);
	r = ccdm_rootfs_walk(fs, &way, make, &node, name, err);
	free(way.rest);
	if (!r && *name)
		*folder = node;
	return r;
}

int ccdm_rootfs_put(struct ccdm_rootfs *fs, const char *path, uint32_t mode, uint32_t uid,
		    uint32_t gid, const void *bytes, size_t size, struct ccdm_err *err)
{
	struct ccdm_rootfs_node *folder = NULL, *old;
	uint32_t kind = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
	struct ccdm_rootfs_inode *inode;
	char name[CCDM_ROOTFS_NAME + 1];
	int r = ccdm_rootfs_parent(fs, path, true, &folder, name, err);

	if (r)
		return r;
	old = folder ? ccdm_rootfs_child(folder, name) : fs->root;
	if (kind != S_IFDIR && old && S_ISDIR(old->inode->mode))
		return ccdm_err_set(err, -EISDIR, "%s: a folder is there", path);
	if (kind == S_IFLNK && (!size || size > CCDM_ROOTFS_PATH || memchr(bytes, 0, size)))
		return ccdm_err_set(err, -EINVAL, "%s: expected a target of 1 to 4095 bytes", path);
	inode = ccdm_rootfs_inode(kind | (mode & 07777), uid, gid, CCDM_ROOTFS_NO_TIME);
	if (!inode)
		return ccdm_err_memory(err);
	if (kind == S_IFLNK) {
		inode->target = strndup(bytes, size);
		if (!inode->target)
			r = ccdm_err_memory(err);
	} else if (kind == S_IFREG) {
		inode->at = fs->spool_size;
		inode->size = size;
		r = ccdm_rootfs_spool(fs, bytes, size, err);
	}
	if (!r)
		r = ccdm_rootfs_set(fs, folder, name, inode, NULL, err);
	if (r)
		ccdm_rootfs_inode_free(inode);
	return r;
}
