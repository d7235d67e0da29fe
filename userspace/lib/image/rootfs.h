/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * rootfs.h - a root file system in memory, with the contents of its files in a spool
 *
 * The tree holds names, metadata and extended attributes. The spool is one file without a name in a
 * folder of the caller's choice, so the system removes it when the program ends. Paths are resolved
 * inside the tree: "/" and ".." never lead out of it. Paths and names are bytes, whatever the
 * locale is.
 */
#ifndef CCDM_ROOTFS_H
#define CCDM_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"

#define CCDM_ROOTFS_NAME     255	  /* bytes of a name, at most */
#define CCDM_ROOTFS_PATH     4095	  /* bytes of a path, at most */
#define CCDM_ROOTFS_HOPS     40		  /* symbolic links in a path, at most */
#define CCDM_ROOTFS_FOLLOWED (128U << 20) /* bytes of targets that are followed in all, at most */
#define CCDM_ROOTFS_ENTRIES  4000000	  /* names, at most */
#define CCDM_ROOTFS_SIZE     ((uint64_t)64 << 30) /* bytes of the spool, unless set otherwise */
#define CCDM_ROOTFS_NO_TIME  INT64_MAX /* takes the latest time that the archive allows */

/**
 * struct ccdm_rootfs_xattr - an extended attribute
 * @next: the next one, by name
 * @size: bytes of the value; never 0
 * @value: stored after the name
 * @name: "security.capability"
 */
struct ccdm_rootfs_xattr {
	struct ccdm_rootfs_xattr *next;
	size_t size;
	uint8_t *value;
	char name[];
};

/**
 * struct ccdm_rootfs_inode - what all names of a file share
 * @mode: kind and permissions, as in stat(2): a file, a folder, a symbolic link or a FIFO
 * @names: nodes that refer to it
 * @mtime: seconds since 1970, or CCDM_ROOTFS_NO_TIME
 * @size: bytes of a file
 * @at: where they are in the spool
 * @target: of a symbolic link; else NULL
 * @xattrs: sorted by name
 * @first: the node that holds the content in the archive; for rootfs_tar.c alone
 */
struct ccdm_rootfs_inode {
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t names;
	int64_t mtime;
	uint64_t size;
	uint64_t at;
	char *target;
	struct ccdm_rootfs_xattr *xattrs;
	const struct ccdm_rootfs_node *first;
};

/**
 * struct ccdm_rootfs_node - a name in a folder
 * @parent: its folder; NULL for the root
 * @inode: the file
 * @children: of a folder, a tree of tsearch(3) sorted by the bytes of the names
 * @touched: the last layer that wrote this entry or one below it; 0: none
 * @written: the last layer that gave the entry its metadata; 0: none
 * @purged: the last layer that removed what lower layers had below it; 0: none
 * @length: bytes of the path from the root
 * @name: "" for the root
 */
struct ccdm_rootfs_node {
	struct ccdm_rootfs_node *parent;
	struct ccdm_rootfs_inode *inode;
	void *children;
	uint16_t touched;
	uint16_t written;
	uint16_t purged;
	uint16_t length;
	char name[];
};

/**
 * struct ccdm_rootfs - the tree
 * @root: its root folder
 * @spool: descriptor of the spool
 * @spool_size: bytes in it
 * @max_size: bytes that it may hold; CCDM_ROOTFS_SIZE unless the caller sets another
 * @entries: names in the tree, without the root
 * @followed: bytes of the targets that all paths so far have followed. Few names behind long chains
 *	of long links would cost hours otherwise; the names of an honest image follow some bytes each
 * @last: the entry that was made last, or NULL. (No static checker sees that a tree of tsearch(3)
 *	keeps what it is given.)
 * @layer: number of the layer that is applied, from 1; 0: none
 */
struct ccdm_rootfs {
	struct ccdm_rootfs_node *root;
	int spool;
	uint64_t spool_size;
	uint64_t max_size;
	uint64_t entries;
	uint32_t followed;
	const struct ccdm_rootfs_node *last;
	uint16_t layer;
};

/**
 * ccdm_rootfs_new() - an empty tree
 * @fs: set; the caller frees it with ccdm_rootfs_free(), which takes NULL, too
 * @spool_dir: folder for the spool
 *
 * The root is a folder of 0:0 with mode 0755.
 *
 * Return: 0, -ENOMEM, errors of open(2).
 */
int __must_check ccdm_rootfs_new(struct ccdm_rootfs **fs, const char *spool_dir,
				 struct ccdm_err *err);
void ccdm_rootfs_free(struct ccdm_rootfs *fs);

/*
 * Discard the contents of all files, to free the space of the spool. Return: 0, errors of
 * ftruncate(2).
 */
int __must_check ccdm_rootfs_forget(struct ccdm_rootfs *fs, struct ccdm_err *err);

/**
 * ccdm_rootfs_folder() - add a folder of this machine, with all that is below it (rootfs_folder.c)
 * @dir: its content becomes the content of the root; the root gets its metadata, too
 * @left_out: counts device nodes and sockets, which are not added; may be NULL
 *
 * Hard links within the folder stay hard links. Extended attributes are kept where Linux shows them
 * to this user, by the rules of ccdm_rootfs_xattr_kept().
 *
 * Return: 0, -EINVAL, -ELOOP, -EFBIG, -ENOMEM, errors of openat(2), read(2) and such.
 */
int __must_check ccdm_rootfs_folder(struct ccdm_rootfs *fs, const char *dir, uint64_t *left_out,
				    struct ccdm_err *err);

/**
 * ccdm_rootfs_find() - the node of a path
 * @path: from the root, with or without "/" before it; its last part may be a symbolic link, too,
 *	which is followed
 *
 * Return: the node, which lives as long as the entry does; NULL if there is none, if it needs more
 * links than may be followed, or if memory is out.
 */
struct ccdm_rootfs_node *ccdm_rootfs_find(const struct ccdm_rootfs *fs, const char *path);

/* The entry @name of a folder; links are not followed. NULL: there is none. */
struct ccdm_rootfs_node *ccdm_rootfs_child(const struct ccdm_rootfs_node *folder, const char *name);

/* The path of a node, "etc/passwd"; "" for the root. @path: CCDM_ROOTFS_PATH + 1 bytes */
void ccdm_rootfs_path(const struct ccdm_rootfs_node *node, char *path);

/**
 * ccdm_rootfs_read() - the content of a file
 * @node: a regular file
 * @max: size limit in bytes
 * @text: set to the content, followed by a NUL; the caller frees it
 * @size: its bytes
 *
 * Return: 0, -EINVAL if it is no regular file, -EFBIG, -ENOMEM, errors of read(2).
 */
int __must_check ccdm_rootfs_read(const struct ccdm_rootfs *fs, const struct ccdm_rootfs_node *node,
				  size_t max, char **text, size_t *size, struct ccdm_err *err);

/**
 * ccdm_rootfs_put() - write a file, a folder or a symbolic link
 * @path: from the root; folders on the way are made (0:0, mode 0755), symbolic links on the way are
 *	followed inside the root; a symbolic link at its end is replaced
 * @mode: permissions; with S_IFDIR a folder, with S_IFLNK a symbolic link, otherwise a file
 * @bytes: content of the file, or target of the link; @size of them
 *
 * ccdm_rootfs_tar() gives the entry the latest time that it allows. The entry replaces what was at
 * @path; but if both are folders, the content stays.
 *
 * Return: 0, -EINVAL for a path that is not usable, -ENOTDIR, -ELOOP, -EISDIR for a file in the
 * place of a folder, -EFBIG, -ENOMEM, errors of write(2).
 */
int __must_check ccdm_rootfs_put(struct ccdm_rootfs *fs, const char *path, uint32_t mode,
				 uint32_t uid, uint32_t gid, const void *bytes, size_t size,
				 struct ccdm_err *err);

/**
 * ccdm_rootfs_tar() - write the tree as one archive in PAX format (rootfs_tar.c)
 * @prefix: a folder that all entries are put below, "rootfs"; NULL or "": none
 * @mtime_clamp: later times become this one; negative: they stay
 * @fd: where the archive is written
 * @sha256: set to the digest of the archive; may be NULL
 * @bytes, @entries: set to its size and the number of its entries; may be NULL
 *
 * Entries come in the order of the bytes of their paths, a folder before its content; the first is
 * the root, as "./" or "PREFIX/". The second and later names of a file are hard links to the first.
 * The same tree gives the same bytes.
 *
 * Return: 0, -ENOMEM, errors of read(2) and write(2).
 */
int __must_check ccdm_rootfs_tar(struct ccdm_rootfs *fs, const char *prefix, int64_t mtime_clamp,
				 int fd, struct ccdm_digest *sha256, uint64_t *bytes,
				 uint64_t *entries, struct ccdm_err *err);

/* ---- for the files that fill a tree: layers and folders ------------------------------------- */

/* True if an extended attribute is kept: security.capability, POSIX ACLs, user.* but user.overlay.* */
bool __must_check ccdm_rootfs_xattr_kept(const char *name);

/* A new inode without a name. Free it with ccdm_rootfs_inode_free() unless a node took it. */
struct ccdm_rootfs_inode *ccdm_rootfs_inode(uint32_t mode, uint32_t uid, uint32_t gid,
					    int64_t mtime);
void ccdm_rootfs_inode_free(struct ccdm_rootfs_inode *inode);

/* Set an attribute; replaces one of the same name. Return: 0, -ENOMEM. */
int __must_check ccdm_rootfs_xattr_set(struct ccdm_rootfs_inode *inode, const char *name,
				       const void *value, size_t size);

/**
 * ccdm_rootfs_parent() - the folder that a new entry goes into
 * @path: as in ccdm_rootfs_put(), without ".."
 * @make: make folders that are not there
 * @folder: set; for the root itself it is NULL
 * @name: set to the last part of the path, CCDM_ROOTFS_NAME + 1 bytes; "" for the root itself
 *
 * Return: 0, -ENOENT if @make is false, -EINVAL, -ENOTDIR, -ELOOP, -ENAMETOOLONG, -ENFILE, -ENOMEM.
 */
int __must_check ccdm_rootfs_parent(struct ccdm_rootfs *fs, const char *path, bool make,
				    struct ccdm_rootfs_node **folder, char *name,
				    struct ccdm_err *err);

/**
 * ccdm_rootfs_set() - give a name of a folder an inode
 * @folder: NULL: the root itself is meant
 * @inode: taken when this succeeds; it may have other names
 * @node: set to the entry; may be NULL
 *
 * The function removes the old entry of this name with everything below it; but if both are
 * folders, the content stays.
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG, -ENFILE for more than CCDM_ROOTFS_ENTRIES names, -ENOMEM.
 */
int __must_check ccdm_rootfs_set(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *folder,
				 const char *name, struct ccdm_rootfs_inode *inode,
				 struct ccdm_rootfs_node **node, struct ccdm_err *err);

/* The node that a callback of twalk_r(3) over @children is called with. */
static inline struct ccdm_rootfs_node *ccdm_rootfs_at(const void *at)
{
	return *(struct ccdm_rootfs_node *const *)at;
}

/* Remove an entry, not the root, and what is below it. */
void ccdm_rootfs_remove(struct ccdm_rootfs *fs, struct ccdm_rootfs_node *node);

/* Mark a node and the folders above it as written by the layer that is applied. */
void ccdm_rootfs_touch(const struct ccdm_rootfs *fs, struct ccdm_rootfs_node *node);

/* Set the error for a spool that would hold too much. Return: -EFBIG */
int __must_check ccdm_rootfs_full(const struct ccdm_rootfs *fs, struct ccdm_err *err);

/* Append to the spool; NULL: zeros. Return: 0, -EFBIG beyond max_size, errors of write(2). */
int __must_check ccdm_rootfs_spool(struct ccdm_rootfs *fs, const void *bytes, size_t size,
				   struct ccdm_err *err);

/* Read @size bytes at @at of the spool. Return: 0, -EIO, errors of read(2). */
int __must_check ccdm_rootfs_spool_read(const struct ccdm_rootfs *fs, uint64_t at, void *bytes,
					size_t size, struct ccdm_err *err);

#endif
