// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* whiteout.c - see whiteout.h */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "whiteout.h"

#define PREFIX ".wh."
#define SIZE   4

static bool ccdm_whiteout_begins(const char *part, size_t size, const char *with)
{
	return size >= strlen(with) && !memcmp(part, with, strlen(with));
}

int ccdm_whiteout_of(const char *path, enum ccdm_whiteout *kind, struct ccdm_err *err)
{
	bool first = true;
	const char *part, *after;
	size_t n;

	*kind = CCDM_WHITEOUT_NONE;
	for (part = path; *part; part = after) {
		n = strcspn(part, "/");
		after = part + n + strspn(part + n, "/");
		if (!n || (n == 1 && *part == '.'))
			continue;
		if (!ccdm_whiteout_begins(part, n, PREFIX)) {
			first = false;
			continue;
		}
		if (n == 12 && !memcmp(part, PREFIX PREFIX ".opq", n) && !*after)
			*kind = CCDM_WHITEOUT_ALL;
		else if (ccdm_whiteout_begins(part, n, PREFIX PREFIX) && first)
			*kind = CCDM_WHITEOUT_AUFS;
		else if (ccdm_whiteout_begins(part, n, PREFIX PREFIX) || *after || n == SIZE ||
			 (n == SIZE + 1 && part[SIZE] == '.') ||
			 (n == SIZE + 2 && part[SIZE] == '.' && part[SIZE + 1] == '.'))
			return ccdm_err_set(err, -EINVAL,
					    "expected '.wh.' only in names of whiteouts");
		else
			*kind = CCDM_WHITEOUT_NAME;
		return 0;
	}
	return 0;
}

/**
 * struct ccdm_whiteout_list - the entries of a folder
 */
struct ccdm_whiteout_list {
	struct ccdm_rootfs_node **node;
	size_t count;
	size_t room;
};

static void ccdm_whiteout_each(const void *at, VISIT visit, void *arg)
{
	struct ccdm_whiteout_list *list = arg;

	if (visit != postorder && visit != leaf)
		return;
	if (list->node && list->count < list->room)
		list->node[list->count] = ccdm_rootfs_at(at);
	list->count++;
}

static int ccdm_whiteout_purge(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *folder,
			       struct ccdm_err *err);

/*
 * Remove an entry, unless this layer wrote it. In a folder into which this layer wrote, remove only
 * older entries.
 */
static int ccdm_whiteout_one(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *node,
			     struct ccdm_err *err)
{
	struct ccdm_rootfs_inode *inode;

	if (node->touched != fs->layer) {
		ccdm_rootfs_remove(fs, node);
		return 0;
	}
	if (!S_ISDIR(node->inode->mode))
		return 0;
	/* the folder of the lower layers is gone, and no entry has described the new one so far */
	if (node->written != fs->layer) {
		inode = ccdm_rootfs_inode(S_IFDIR | 0755, 0, 0, CCDM_ROOTFS_NO_TIME);
		if (!inode)
			return ccdm_err_memory(err);
		if (ccdm_rootfs_set(fs, node->parent, node->name, inode, NULL, err)) {
			ccdm_rootfs_inode_free(inode);
			return -EINVAL; /* coverage: the entry is there, and stays a folder */
		}
	}
	return ccdm_whiteout_purge(fs, node, err);
}

static int ccdm_whiteout_purge(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *folder,
			       struct ccdm_err *err)
{
	struct ccdm_whiteout_list list = { 0 };
	size_t i;
	int r = 0;

	/* what came since then is the layer's own */
	if (folder->purged == fs->layer)
		return 0;
	folder->purged = fs->layer;
	twalk_r(folder->children, ccdm_whiteout_each, &list);
	if (!list.count)
		return 0;
	list.room = list.count;
	list.count = 0;
	list.node = calloc(list.room, sizeof(void *));
	if (!list.node)
		return ccdm_err_memory(err);
	twalk_r(folder->children, ccdm_whiteout_each, &list);
	for (i = 0; !r && i < list.count; i++)
		r = ccdm_whiteout_one(fs, list.node[i], err);
	free(list.node);
	return r;
}

int ccdm_whiteout_apply(struct ccdm_rootfs *fs, const char *path, enum ccdm_whiteout kind,
			struct ccdm_err *err)
{
	struct ccdm_rootfs_node *folder, *node;
	char name[CCDM_ROOTFS_NAME + 1];
	int r = ccdm_rootfs_parent(fs, path, false, &folder, name, err);

	if (r == -ENOENT || r == -ENOTDIR || kind == CCDM_WHITEOUT_AUFS)
		return 0;
	if (r)
		return r;
	if (kind == CCDM_WHITEOUT_ALL)
		return S_ISDIR(folder->inode->mode) ? ccdm_whiteout_purge(fs, folder, err) : 0;
	node = ccdm_rootfs_child(folder, name + SIZE);
	return node ? ccdm_whiteout_one(fs, node, err) : 0;
}
