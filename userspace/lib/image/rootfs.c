// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* rootfs.c - see rootfs.h: nodes, inodes and the spool; rootfs_path.c resolves paths */
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rootfs.h"

/* ---- inodes ---------------------------------------------------------------------------- */

struct ccdm_rootfs_inode *ccdm_rootfs_inode(uint32_t mode, uint32_t uid, uint32_t gid,
					    int64_t mtime)
{
	struct ccdm_rootfs_inode *inode = calloc(1, sizeof(*inode));

	if (inode) {
		inode->mode = mode;
		inode->uid = uid;
		inode->gid = gid;
		inode->mtime = mtime;
	}
	return inode;
}

void ccdm_rootfs_inode_free(struct ccdm_rootfs_inode *inode)
{
	struct ccdm_rootfs_xattr *x;

	if (!inode)
		return;
	while ((x = inode->xattrs)) {
		inode->xattrs = x->next;
		free(x);
	}
	free(inode->target);
	free(inode);
}

static void ccdm_rootfs_inode_put(struct ccdm_rootfs_inode *inode)
{
	if (inode && !--inode->names)
		ccdm_rootfs_inode_free(inode);
}

bool ccdm_rootfs_xattr_kept(const char *name)
{
	if (!strncmp(name, "user.", 5))
		return strncmp(name, "user.overlay.", 13) != 0;
	return !strcmp(name, "security.capability") || !strcmp(name, "system.posix_acl_access") ||
	       !strcmp(name, "system.posix_acl_default");
}

int ccdm_rootfs_xattr_set(struct ccdm_rootfs_inode *inode, const char *name, const void *value,
			  size_t size)
{
	struct ccdm_rootfs_xattr **at = &inode->xattrs, *x, *old;
	size_t n = strlen(name) + 1;

	x = malloc(sizeof(*x) + n + size);
	if (!x)
		return -ENOMEM;
	memcpy(x->name, name, n);
	x->value = (uint8_t *)x->name + n;
	x->size = size;
	if (size)
		memcpy(x->value, value, size);
	while (*at && strcmp((*at)->name, name) < 0)
		at = &(*at)->next;
	old = *at;
	if (old && !strcmp(old->name, name)) {
		x->next = old->next;
		free(old);
	} else {
		x->next = old;
	}
	*at = x;
	return 0;
}

/* ---- nodes ----------------------------------------------------------------------------- */

/* The trees of tsearch(3) hold nodes. */
static int ccdm_rootfs_compare(const void *a, const void *b)
{
	const struct ccdm_rootfs_node *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void ccdm_rootfs_free_node(void *arg)
{
	struct ccdm_rootfs_node *node = arg;

	tdestroy(node->children, ccdm_rootfs_free_node);
	ccdm_rootfs_inode_put(node->inode);
	free(node);
}

static void ccdm_rootfs_count_node(const void *at, VISIT visit, void *entries)
{
	const struct ccdm_rootfs_node *node;

	if (visit != postorder && visit != leaf)
		return;
	node = ccdm_rootfs_at(at);
	--*(uint64_t *)entries;
	twalk_r(node->children, ccdm_rootfs_count_node, entries);
}

/* Remove what is below a folder. */
static void ccdm_rootfs_empty(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *node)
{
	twalk_r(node->children, ccdm_rootfs_count_node, &fs->entries);
	tdestroy(node->children, ccdm_rootfs_free_node);
	node->children = NULL;
	fs->last = NULL;
}

struct ccdm_rootfs_node *ccdm_rootfs_child(const struct ccdm_rootfs_node *folder, const char *name)
{
	union {
		struct ccdm_rootfs_node node;
		char room[sizeof(struct ccdm_rootfs_node) + CCDM_ROOTFS_NAME + 1];
	} key;
	size_t n = strlen(name);
	void *found;

	if (n > CCDM_ROOTFS_NAME)
		return NULL;
	memcpy(key.room + offsetof(struct ccdm_rootfs_node, name), name, n + 1);
	found = tfind(&key.node, &folder->children, ccdm_rootfs_compare);
	return found ? ccdm_rootfs_at(found) : NULL;
}

void ccdm_rootfs_path(const struct ccdm_rootfs_node *node, char *path)
{
	size_t at = node->length, n;

	path[at] = '\0';
	for (; node->parent; node = node->parent) {
		n = strlen(node->name);
		at -= n;
		memcpy(path + at, node->name, n);
		if (at)
			path[--at] = '/';
	}
}

static struct ccdm_rootfs_node *ccdm_rootfs_node(struct ccdm_rootfs_node *parent, const char *name,
						 size_t length)
{
	size_t n = strlen(name) + 1;
	struct ccdm_rootfs_node *node = calloc(1, sizeof(*node) + n);

	if (!node)
		return NULL;
	node->parent = parent;
	node->length = (uint16_t)length;
	memcpy(node->name, name, n);
	return node;
}

/* A new entry of a folder, without an inode. */
static int ccdm_rootfs_insert(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *folder,
			      const char *name, struct ccdm_rootfs_node **node,
			      struct ccdm_err *err)
{
	size_t n = strlen(name), length = folder->length + (folder->parent ? 1 : 0) + n;
	struct ccdm_rootfs_node *new;

	if (!n || n > CCDM_ROOTFS_NAME)
		return ccdm_err_set(err, -ENAMETOOLONG,
				    "expected a name of 1 to 255 bytes, found %zu", n);
	if (length > CCDM_ROOTFS_PATH)
		return ccdm_err_set(err, -ENAMETOOLONG,
				    "expected a path of at most 4095 bytes, found %zu", length);
	if (fs->entries == CCDM_ROOTFS_ENTRIES)
		return ccdm_err_set(err, -ENFILE, "expected at most %u files and folders",
				    CCDM_ROOTFS_ENTRIES);
	new = ccdm_rootfs_node(folder, name, length);
	if (!new)
		return ccdm_err_memory(err);
	if (!tsearch(new, &folder->children, ccdm_rootfs_compare)) {
		free(new);
		return ccdm_err_memory(err);
	}
	fs->last = new;
	*node = new;
	fs->entries++;
	return 0;
}

int ccdm_rootfs_set(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *folder, const char *name,
		    struct ccdm_rootfs_inode *inode, struct ccdm_rootfs_node **node,
		    struct ccdm_err *err)
{
	struct ccdm_rootfs_node *n = fs->root;
	struct ccdm_rootfs_inode *old;
	int r = 0;

	if (!folder && !S_ISDIR(inode->mode))
		return ccdm_err_set(err, -EINVAL, "the root must be a folder");
	if (folder) {
		n = ccdm_rootfs_child(folder, name);
		if (!n)
			r = ccdm_rootfs_insert(fs, folder, name, &n, err);
	}
	if (r)
		return r;
	/* The entry that is removed may be, or contain, another name of the same inode. */
	inode->names++;
	old = n->inode;
	if (!S_ISDIR(inode->mode))
		ccdm_rootfs_empty(fs, n);
	n->inode = inode;
	ccdm_rootfs_inode_put(old);
	if (node)
		*node = n;
	return 0;
}

void ccdm_rootfs_remove(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *node)
{
	ccdm_rootfs_empty(fs, node);
	tdelete(node, &node->parent->children, ccdm_rootfs_compare);
	fs->entries--;
	fs->last = NULL;
	ccdm_rootfs_free_node(node);
}

void ccdm_rootfs_touch(const struct ccdm_rootfs *fs, struct ccdm_rootfs_node *node)
{
	for (; node && node->touched != fs->layer; node = node->parent)
		node->touched = fs->layer;
}

/* ---- spool and tree -------------------------------------------------------------------- */

/*
 * A file without a name. If the file system does not support that, create a file and remove its
 * name at once.
 */
static int ccdm_rootfs_spool_open(const char *dir, int *fd, struct ccdm_err *err)
{
	char path[4096];

	*fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (*fd >= 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == EISDIR) {
		if (snprintf(path, sizeof(path), "%s/ccdm-spool.XXXXXX", dir) >= (int)sizeof(path))
			return ccdm_err_set(err, -ENAMETOOLONG, "%s: the path is too long", dir);
		*fd = mkostemp(path, O_CLOEXEC);
		if (*fd >= 0) {
			unlink(path);
			return 0;
		}
	}
	return ccdm_err_set(err, -errno, "%s: cannot create a temporary file: %s", dir,
			    strerror(errno));
}

int ccdm_rootfs_new(struct ccdm_rootfs **fs, const char *spool_dir, struct ccdm_err *err)
{
	struct ccdm_rootfs *f = calloc(1, sizeof(*f));
	int r;

	*fs = NULL;
	if (!f)
		return ccdm_err_memory(err);
	f->spool = -1;
	f->max_size = CCDM_ROOTFS_SIZE;
	f->root = ccdm_rootfs_node(NULL, "", 0);
	if (f->root)
		f->root->inode = ccdm_rootfs_inode(S_IFDIR | 0755, 0, 0, CCDM_ROOTFS_NO_TIME);
	if (f->root && f->root->inode) {
		f->root->inode->names = 1;
		r = ccdm_rootfs_spool_open(spool_dir, &f->spool, err);
	} else {
		r = ccdm_err_memory(err);
	}
	if (r)
		ccdm_rootfs_free(f);
	else
		*fs = f;
	return r;
}

void ccdm_rootfs_free(struct ccdm_rootfs *fs)
{
	if (!fs)
		return;
	if (fs->root)
		ccdm_rootfs_free_node(fs->root);
	if (fs->spool >= 0)
		close(fs->spool);
	free(fs);
}

int ccdm_rootfs_forget(struct ccdm_rootfs *fs, struct ccdm_err *err)
{
	return ftruncate(fs->spool, 0)
		       ? ccdm_err_set(err, -errno, "temporary file: %s", strerror(errno))
		       : 0;
}

int ccdm_rootfs_full(const struct ccdm_rootfs *fs, struct ccdm_err *err)
{
	return ccdm_err_set(err, -EFBIG, "expected at most %llu bytes of unpacked data",
			    (unsigned long long)fs->max_size);
}

int ccdm_rootfs_spool(struct ccdm_rootfs *fs, const void *bytes, size_t size, struct ccdm_err *err)
{
	const char *p = bytes;
	ssize_t n;

	if (size > fs->max_size || fs->spool_size > fs->max_size - size)
		return ccdm_rootfs_full(fs, err);
	if (!p && ftruncate(fs->spool, (off_t)(fs->spool_size + size)))
		return ccdm_err_set(err, -errno, "temporary file: cannot write: %s",
				    strerror(errno));
	if (!p) {
		fs->spool_size += size;
		return 0;
	}
	while (size) {
		n = pwrite(fs->spool, p, size, (off_t)fs->spool_size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ccdm_err_set(err, -errno, "temporary file: cannot write: %s",
					    strerror(errno));
		p += n;
		size -= (size_t)n;
		fs->spool_size += (uint64_t)n;
	}
	return 0;
}

int ccdm_rootfs_spool_read(const struct ccdm_rootfs *fs, uint64_t at, void *bytes, size_t size,
			   struct ccdm_err *err)
{
	char *p = bytes;
	ssize_t n;

	while (size) {
		n = pread(fs->spool, p, size, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ccdm_err_set(err, n < 0 ? -errno : -EIO,
					    "temporary file: cannot read: %s",
					    n < 0 ? strerror(errno) : "it is too short");
		p += n;
		size -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

int ccdm_rootfs_read(const struct ccdm_rootfs *fs, const struct ccdm_rootfs_node *node, size_t max,
		     char **text, size_t *size, struct ccdm_err *err)
{
	const struct ccdm_rootfs_inode *inode = node->inode;
	int r;

	*text = NULL;
	*size = 0;
	if (!S_ISREG(inode->mode))
		return ccdm_err_set(err, -EINVAL, "%s: expected a regular file", node->name);
	if (inode->size > max)
		return ccdm_err_set(err, -EFBIG, "%s: expected at most %zu bytes, found %llu",
				    node->name, max, (unsigned long long)inode->size);
	*text = malloc((size_t)inode->size + 1);
	if (!*text)
		return ccdm_err_memory(err);
	r = ccdm_rootfs_spool_read(fs, inode->at, *text, (size_t)inode->size, err);
	if (r) {
		free(*text);
		*text = NULL;
		return r;
	}
	*size = (size_t)inode->size;
	(*text)[*size] = '\0';
	return 0;
}
