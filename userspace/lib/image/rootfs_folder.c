// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* rootfs_folder.c - see rootfs.h: a folder of this machine becomes a tree */
#include <dirent.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "rootfs.h"

#define PIECE (256 << 10)

/**
 * struct ccdm_rootfs_seen - an inode of the machine that has several names
 */
struct ccdm_rootfs_seen {
	struct ccdm_rootfs_seen *next;
	dev_t device;
	ino_t number;
	struct ccdm_rootfs_inode *inode;
};

/**
 * struct ccdm_rootfs_in - a folder that is read
 * @seen: inodes with several names: a tree of tsearch(3)
 * @all: the same as a list, which frees them
 * @piece: for contents
 */
struct ccdm_rootfs_in {
	struct ccdm_rootfs *fs;
	void *seen;
	struct ccdm_rootfs_seen *all;
	uint64_t left_out;
	char *piece;
	struct ccdm_err *err;
};

static int ccdm_rootfs_seen_compare(const void *a, const void *b)
{
	const struct ccdm_rootfs_seen *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->number == y->number ? 0 : x->number < y->number ? -1 : 1;
}

static int ccdm_rootfs_bad(struct ccdm_rootfs_in *in, const char *name, const char *what)
{
	return ccdm_err_set(in->err, -errno, "%s: cannot %s: %s", name, what, strerror(errno));
}

static int ccdm_rootfs_xattrs(struct ccdm_rootfs_in *in, int fd, const char *name,
			      struct ccdm_rootfs_inode *inode)
{
	char *names = malloc(XATTR_LIST_MAX), *value = malloc(XATTR_SIZE_MAX), *x;
	ssize_t size = -1, n;
	int r = 0;

	if (!names || !value)
		r = ccdm_err_memory(in->err);
	else
		size = flistxattr(fd, names, XATTR_LIST_MAX);
	if (!r && size < 0 && errno != ENOTSUP)
		r = ccdm_rootfs_bad(in, name, "list its extended attributes");
	for (x = names; !r && size > 0 && x < names + size; x += strlen(x) + 1) {
		if (!ccdm_rootfs_xattr_kept(x))
			continue;
		n = fgetxattr(fd, x, value, XATTR_SIZE_MAX);
		if (n < 0)
			r = ccdm_rootfs_bad(in, name, "read an extended attribute");
		else if (n && ccdm_rootfs_xattr_set(inode, x, value, (size_t)n))
			r = ccdm_err_memory(in->err);
	}
	free(names);
	free(value);
	return r;
}

static int ccdm_rootfs_file(struct ccdm_rootfs_in *in, int fd, const char *name,
			    struct ccdm_rootfs_inode *inode)
{
	ssize_t n;
	int r = 0;

	inode->at = in->fs->spool_size;
	while (!r && (n = read(fd, in->piece, PIECE))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ccdm_rootfs_bad(in, name, "read");
		inode->size += (uint64_t)n;
		r = ccdm_rootfs_spool(in->fs, in->piece, (size_t)n, in->err);
	}
	return r;
}

static int ccdm_rootfs_link(struct ccdm_rootfs_in *in, int at, const char *name,
			    struct ccdm_rootfs_inode *inode)
{
	char target[CCDM_ROOTFS_PATH + 2];
	ssize_t n = readlinkat(at, name, target, sizeof(target));

	if (n < 0)
		return ccdm_rootfs_bad(in, name, "read the link");
	if (!n || n > CCDM_ROOTFS_PATH)
		return ccdm_err_set(in->err, -EINVAL,
				    "%s: expected a target of 1 to 4095 bytes, found %zd", name, n);
	inode->target = strndup(target, (size_t)n);
	return inode->target ? 0 : ccdm_err_memory(in->err);
}

static int ccdm_rootfs_below(struct ccdm_rootfs_in *in, int fd, struct ccdm_rootfs_node *folder);

/* Content, target and attributes of an entry, whose file is @fd if it was opened. */
static int ccdm_rootfs_fill(struct ccdm_rootfs_in *in, int at, int fd, const char *name,
			    struct ccdm_rootfs_inode *inode)
{
	int r;

	if (S_ISLNK(inode->mode))
		return ccdm_rootfs_link(in, at, name, inode);
	if (fd < 0)
		return 0;
	r = ccdm_rootfs_xattrs(in, fd, name, inode);
	if (!r && S_ISREG(inode->mode))
		r = ccdm_rootfs_file(in, fd, name, inode);
	return r;
}

static int ccdm_rootfs_remember(struct ccdm_rootfs_in *in, const struct stat *st,
				struct ccdm_rootfs_inode *inode)
{
	struct ccdm_rootfs_seen *seen = calloc(1, sizeof(*seen));

	if (!seen)
		return ccdm_err_memory(in->err);
	seen->device = st->st_dev;
	seen->number = st->st_ino;
	seen->inode = inode;
	seen->next = in->all;
	in->all = seen;
	if (!tsearch(seen, &in->seen, ccdm_rootfs_seen_compare))
		return ccdm_err_memory(in->err);
	return 0;
}

/* The tree does not free what it holds: the list does. */
static void ccdm_rootfs_keep(void *seen)
{
	(void)seen;
}

/* The inode of an entry: another name of a known one, or a new one. */
static int ccdm_rootfs_inode_of(struct ccdm_rootfs_in *in, int at, int fd, const char *name,
				const struct stat *st, struct ccdm_rootfs_inode **inode)
{
	struct ccdm_rootfs_seen key = { .device = st->st_dev, .number = st->st_ino };
	bool several = !S_ISDIR(st->st_mode) && st->st_nlink > 1;
	void *found = several ? tfind(&key, &in->seen, ccdm_rootfs_seen_compare) : NULL;
	int r;

	if (found) {
		*inode = (*(struct ccdm_rootfs_seen **)found)->inode;
		return 0;
	}
	*inode = ccdm_rootfs_inode(st->st_mode, st->st_uid, st->st_gid, st->st_mtime);
	if (!*inode)
		return ccdm_err_memory(in->err);
	r = ccdm_rootfs_fill(in, at, fd, name, *inode);
	if (!r && several)
		r = ccdm_rootfs_remember(in, st, *inode);
	if (r)
		ccdm_rootfs_inode_free(*inode);
	return r;
}

static int ccdm_rootfs_one(struct ccdm_rootfs_in *in, int at, const char *name,
			   struct ccdm_rootfs_node *folder)
{
	struct ccdm_rootfs_inode *inode;
	struct ccdm_rootfs_node *node;
	struct stat st;
	int fd = -1, r;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW))
		return ccdm_rootfs_bad(in, name, "read its metadata");
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode) &&
	    !S_ISFIFO(st.st_mode)) {
		in->left_out++;
		return 0;
	}
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st)) {
			r = ccdm_rootfs_bad(in, name, "open");
			if (fd >= 0)
				close(fd);
			return r;
		}
	}
	r = ccdm_rootfs_inode_of(in, at, fd, name, &st, &inode);
	if (!r) {
		r = ccdm_rootfs_set(in->fs, folder, name, inode, &node, in->err);
		if (r && !inode->names)
			ccdm_rootfs_inode_free(inode);
	}
	if (!r && S_ISDIR(st.st_mode))
		r = ccdm_rootfs_below(in, fd, node);
	else if (fd >= 0)
		close(fd);
	return r;
}

/* @fd is closed. */
static int ccdm_rootfs_below(struct ccdm_rootfs_in *in, int fd, struct ccdm_rootfs_node *folder)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = ccdm_rootfs_bad(in, folder->name, "open");
		close(fd);
		return r;
	}
	while (!r && (errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = ccdm_rootfs_one(in, dirfd(dir), entry->d_name, folder);
	if (!r && errno)
		r = ccdm_rootfs_bad(in, folder->name, "read");
	closedir(dir);
	return r;
}

int ccdm_rootfs_folder(struct ccdm_rootfs *fs, const char *dir, uint64_t *left_out,
		       struct ccdm_err *err)
{
	struct ccdm_rootfs_in in = { .fs = fs, .piece = malloc(PIECE), .err = err };
	struct ccdm_rootfs_inode *inode = NULL;
	struct ccdm_rootfs_seen *seen;
	struct stat st = { 0 };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || fstat(fd, &st))
		r = ccdm_rootfs_bad(&in, dir, "open");
	else if (!in.piece)
		r = ccdm_err_memory(err);
	if (!r)
		r = ccdm_rootfs_inode_of(&in, AT_FDCWD, fd, dir, &st, &inode);
	if (!r)
		r = ccdm_rootfs_set(fs, NULL, "", inode, NULL, err);
	if (!r)
		r = ccdm_rootfs_below(&in, fd, fs->root);
	else if (fd >= 0)
		close(fd);
	tdestroy(in.seen, ccdm_rootfs_keep);
	while ((seen = in.all)) {
		in.all = seen->next;
		free(seen);
	}
	free(in.piece);
	if (!r && left_out)
		*left_out = in.left_out;
	return r;
}
