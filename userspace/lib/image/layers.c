// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* layers.c - see layers.h: digests of a layer, and its entries; whiteout.c removes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "archive.h"
#include "layers.h"
#include "whiteout.h"

#define PIECE	   (256 << 10)
#define NAME_SHOWN 200
#define XATTR_NAME 255
#define XATTR_SIZE 65536
#define ID_MAX	   0xfffffffeLL /* the highest number is no user */

/**
 * struct ccdm_layers_at - a layer that is applied
 * @entry: the entry at hand
 */
struct ccdm_layers_at {
	struct ccdm_rootfs *fs;
	struct ccdm_archive *archive;
	struct ccdm_archive_entry entry;
	struct ccdm_layers_count *count;
	struct ccdm_err *err;
};

static int ccdm_layers_bad(const struct ccdm_layers_at *l, const char *why)
{
	return ccdm_err_set(l->err, -EINVAL, "%s", why);
}

/* ---- digests --------------------------------------------------------------------------- */

static int ccdm_layers_differ(const char *what, const struct ccdm_digest *wanted,
			      const struct ccdm_digest *found, struct ccdm_err *err)
{
	char one[2 * CCDM_DIGEST_MAX + 1], two[2 * CCDM_DIGEST_MAX + 1];

	if (wanted->alg == found->alg && wanted->size == found->size &&
	    !memcmp(wanted->bytes, found->bytes, found->size))
		return 0;
	ccdm_hex(wanted->bytes, wanted->size, one);
	ccdm_hex(found->bytes, found->size, two);
	return ccdm_err_set(err, -EINVAL, "%s: expected the digest %s, found %s", what, one, two);
}

static int ccdm_layers_blob(const struct ccdm_layer *layer, struct ccdm_err *err)
{
	uint64_t at = layer->at, left = layer->size;
	struct ccdm_digest_stream stream;
	struct ccdm_digest digest;
	uint8_t *piece;
	size_t n;
	int r;

	if (!layer->digest.size)
		return 0;
	piece = malloc(PIECE);
	r = piece ? ccdm_digest_start(layer->digest.alg, &stream) : -ENOMEM;
	if (r) {
		free(piece);
		return ccdm_err_set(err, r, "cannot compute a digest");
	}
	while (!r && left) {
		n = left < PIECE ? (size_t)left : PIECE;
		r = ccdm_source_read(layer->source, at, piece, n, "a layer", err);
		if (!r && ccdm_digest_add(&stream, piece, n))
			r = ccdm_err_set(err, -EIO, "cannot compute a digest");
		at += n;
		left -= n;
	}
	free(piece);
	r = ccdm_digest_finish(&stream, r, &digest);
	return r ? r : ccdm_layers_differ("its bytes", &layer->digest, &digest, err);
}

/**
 * struct ccdm_layers_unpacked - an archive that goes into the spool
 */
struct ccdm_layers_unpacked {
	struct ccdm_rootfs *fs;
	struct ccdm_digest_stream stream;
};

static int ccdm_layers_each(const void *bytes, size_t size, void *arg, struct ccdm_err *err)
{
	struct ccdm_layers_unpacked *u = arg;

	if (ccdm_digest_add(&u->stream, bytes, size))
		return ccdm_err_set(err, -EIO, "cannot compute a digest");
	return ccdm_rootfs_spool(u->fs, bytes, size, err);
}

/* The archive at the end of the spool. */
static int ccdm_layers_unpack(struct ccdm_rootfs *fs, const struct ccdm_layer *layer,
			      struct ccdm_err *err)
{
	struct ccdm_layers_unpacked u = { .fs = fs };
	struct ccdm_digest digest;
	int r = ccdm_digest_start(layer->diff_id.alg, &u.stream);

	if (r)
		return ccdm_err_set(err, r, "cannot compute a digest");
	r = ccdm_archive_unpack(layer->source, layer->at, layer->size, ccdm_layers_each, &u, err);
	r = ccdm_digest_finish(&u.stream, r, &digest);
	return r ? r : ccdm_layers_differ("its unpacked bytes", &layer->diff_id, &digest, err);
}

/* ---- entries --------------------------------------------------------------------------- */

/* Shape of a list as the kernel has it (include/uapi/linux/posix_acl_xattr.h). */
static bool ccdm_layers_acl(const uint8_t *value, size_t size)
{
	return size >= 4 && !((size - 4) & 7) && ccdm_le32(value) == 2;
}

static int ccdm_layers_xattrs(struct ccdm_layers_at *l, struct ccdm_rootfs_inode *inode)
{
	bool can = S_ISREG(inode->mode) || S_ISDIR(inode->mode);
	const void *value;
	const char *name;
	size_t size;

	while (ccdm_archive_xattr(l->archive, &name, &value, &size)) {
		if (!can || !size || !ccdm_rootfs_xattr_kept(name)) {
			l->count->xattrs++;
			continue;
		}
		if (strlen(name) > XATTR_NAME || size > XATTR_SIZE)
			return ccdm_layers_bad(l, "an extended attribute has more than 64 KiB, or "
						  "its name more than 255 bytes");
		if (!strncmp(name, "system.", 7) && !ccdm_layers_acl(value, size))
			return ccdm_layers_bad(l, "an access control list is malformed");
		if (ccdm_rootfs_xattr_set(inode, name, value, size))
			return ccdm_err_memory(l->err);
	}
	l->count->acls += l->entry.acl;
	return 0;
}

static int ccdm_layers_spool(const void *bytes, size_t size, void *arg, struct ccdm_err *err)
{
	return ccdm_rootfs_spool(arg, bytes, size, err);
}

/* Content or target of an entry. */
static int ccdm_layers_fill(struct ccdm_layers_at *l, struct ccdm_rootfs_inode *inode)
{
	const struct ccdm_archive_entry *e = &l->entry;

	if (S_ISLNK(inode->mode)) {
		if (!e->link || !*e->link || strlen(e->link) > CCDM_ROOTFS_PATH)
			return ccdm_layers_bad(l, "expected a target of 1 to 4095 bytes");
		inode->target = strdup(e->link);
		return inode->target ? 0 : ccdm_err_memory(l->err);
	}
	if (!S_ISREG(inode->mode))
		return 0;
	inode->size = e->size;
	inode->at = e->at;
	if (e->whole)
		return 0;
	inode->at = l->fs->spool_size;
	if (e->size > l->fs->max_size - l->fs->spool_size)
		return ccdm_rootfs_full(l->fs, l->err);
	return ccdm_archive_content(l->archive, e, ccdm_layers_spool, l->fs, l->err);
}

/* The inode that a hard link names. */
static int ccdm_layers_linked(struct ccdm_layers_at *l, struct ccdm_rootfs_inode **inode)
{
	struct ccdm_rootfs_node *folder, *node = NULL;
	char name[CCDM_ROOTFS_NAME + 1];
	int r = ccdm_rootfs_parent(l->fs, l->entry.link, false, &folder, name, l->err);

	if (r && r != -ENOENT && r != -ENOTDIR)
		return r;
	if (!r && folder)
		node = ccdm_rootfs_child(folder, name);
	if (!node)
		return ccdm_err_set(l->err, -EINVAL, "a hard link to '%.*s', which is not there",
				    NAME_SHOWN, l->entry.link);
	if (S_ISDIR(node->inode->mode))
		return ccdm_err_set(l->err, -EINVAL, "a hard link to the folder '%.*s'", NAME_SHOWN,
				    l->entry.link);
	*inode = node->inode;
	return 0;
}

/* A file that an image may bring. NULL: it is left out. */
static int ccdm_layers_inode(struct ccdm_layers_at *l, struct ccdm_rootfs_inode **inode)
{
	const struct ccdm_archive_entry *e = &l->entry;
	struct ccdm_rootfs_inode *new;
	int r;

	*inode = NULL;
	switch (e->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFIFO:
		break;
	case S_IFSOCK:
		l->count->sockets++;
		return 0;
	default:
		l->count->devices++;
		return 0;
	}
	if (e->uid < 0 || e->uid > ID_MAX || e->gid < 0 || e->gid > ID_MAX)
		return ccdm_layers_bad(l, "expected a user and a group of 0 to 4294967294");
	new = ccdm_rootfs_inode(e->mode, (uint32_t)e->uid, (uint32_t)e->gid, e->mtime);
	if (!new)
		return ccdm_err_memory(l->err);
	r = ccdm_layers_xattrs(l, new);
	if (!r)
		r = ccdm_layers_fill(l, new);
	if (r) {
		ccdm_rootfs_inode_free(new);
		return r;
	}
	*inode = new;
	return 0;
}

static int ccdm_layers_entry(struct ccdm_layers_at *l)
{
	struct ccdm_rootfs_node *folder, *node = NULL;
	struct ccdm_rootfs_inode *inode = NULL;
	char name[CCDM_ROOTFS_NAME + 1];
	enum ccdm_whiteout kind;
	int r = ccdm_whiteout_of(l->entry.path, &kind, l->err);

	if (r)
		return r;
	l->count->whiteouts += kind != CCDM_WHITEOUT_NONE;
	if (kind != CCDM_WHITEOUT_NONE)
		return ccdm_whiteout_apply(l->fs, l->entry.path, kind, l->err);
	r = ccdm_rootfs_parent(l->fs, l->entry.path, true, &folder, name, l->err);
	if (!r)
		r = l->entry.hard ? ccdm_layers_linked(l, &inode) : ccdm_layers_inode(l, &inode);
	if (r)
		return r;
	if (inode) {
		r = ccdm_rootfs_set(l->fs, folder, name, inode, &node, l->err);
		if (r && !inode->names)
			ccdm_rootfs_inode_free(inode);
	} else if (folder) {
		/* an entry that is left out replaces an older one, too */
		node = ccdm_rootfs_child(folder, name);
		if (node)
			ccdm_rootfs_remove(l->fs, node);
		node = folder;
	}
	if (r || !node)
		return r;
	ccdm_rootfs_touch(l->fs, node);
	if (inode)
		node->written = l->fs->layer;
	return 0;
}

static int ccdm_layers_entries(struct ccdm_layers_at *l)
{
	char why[sizeof(l->err->text)];
	int r;

	while (!(r = ccdm_archive_next(l->archive, &l->entry, l->err))) {
		if (++l->count->entries > CCDM_ROOTFS_ENTRIES)
			r = ccdm_err_set(l->err, -ENFILE,
					 "expected at most %u entries in all layers",
					 CCDM_ROOTFS_ENTRIES);
		else
			r = ccdm_layers_entry(l);
		if (!r)
			continue;
		memcpy(why, l->err->text, sizeof(why));
		return ccdm_err_set(l->err, r, "'%.*s': %.256s", NAME_SHOWN, l->entry.path, why);
	}
	return r == -ENODATA ? 0 : r;
}

int ccdm_layer_apply(struct ccdm_rootfs *fs, const struct ccdm_layer *layer, unsigned int number,
		     struct ccdm_layers_count *count, struct ccdm_err *err)
{
	struct ccdm_layers_at l = { .fs = fs, .count = count, .err = err };
	struct ccdm_source spool = { .name = "temporary file", .fd = fs->spool };
	uint64_t begin = fs->spool_size;
	char why[sizeof(err->text)];
	int r;

	if (number > CCDM_LAYERS_MAX)
		return ccdm_err_set(err, -EINVAL, "expected at most %u layers", CCDM_LAYERS_MAX);
	fs->layer = (uint16_t)number;
	r = ccdm_layers_blob(layer, err);
	if (!r)
		r = ccdm_layers_unpack(fs, layer, err);
	spool.size = fs->spool_size;
	if (!r)
		r = ccdm_archive_open(&spool, begin, spool.size - begin, &l.archive, err);
	if (!r)
		r = ccdm_layers_entries(&l);
	ccdm_archive_close(l.archive);
	if (!r)
		return 0;
	memcpy(why, err->text, sizeof(why));
	return ccdm_err_set(err, r, "layer %u: %s", number, why);
}
