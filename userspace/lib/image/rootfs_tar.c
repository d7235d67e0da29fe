// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * rootfs_tar.c - see rootfs.h: a tree as an archive in PAX format (POSIX.1-2008, pax)
 *
 * The digest of this archive becomes the identity of a file system. So the bytes are made here, and
 * do not depend on the version of a library.
 */
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rootfs.h"

#define BLOCK	   512
#define BUFFER	   (1 << 20)
#define NUMBER_MAX 07777777	  /* of 7 octal digits */
#define SIZE_MAX_8 077777777777LL /* of 11 */

/**
 * struct ccdm_rootfs_out - an archive that is written
 * @prefix: "rootfs/", or ""
 * @buffer, @used: bytes that were not written yet
 * @pax, @pax_size, @pax_room: records of the next entry
 * @bytes, @entries: so far
 * @stream: hashes all of it
 * @r: first error
 */
struct ccdm_rootfs_out {
	struct ccdm_rootfs *fs;
	char prefix[CCDM_ROOTFS_PATH + 2];
	int64_t clamp;
	int fd;
	uint8_t *buffer;
	size_t used;
	char *pax;
	size_t pax_size, pax_room;
	uint64_t bytes, entries;
	struct ccdm_digest_stream stream;
	struct ccdm_err *err;
	int r;
};

/* ---- bytes ----------------------------------------------------------------------------- */

static void ccdm_rootfs_flush(struct ccdm_rootfs_out *o)
{
	size_t at = 0;
	ssize_t n;

	if (!o->r && ccdm_digest_add(&o->stream, o->buffer, o->used))
		o->r = ccdm_err_set(o->err, -EIO, "cannot compute a digest");
	while (!o->r && at < o->used) {
		n = write(o->fd, o->buffer + at, o->used - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			o->r = ccdm_err_set(o->err, -errno, "archive: cannot write: %s",
					    strerror(errno));
		else
			at += (size_t)n;
	}
	o->used = 0;
}

/* @bytes: NULL: zeros */
static void ccdm_rootfs_write(struct ccdm_rootfs_out *o, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	size_t n;

	o->bytes += size;
	while (!o->r && size) {
		n = size < BUFFER - o->used ? size : BUFFER - o->used;
		if (p) {
			memcpy(o->buffer + o->used, p, n);
			p += n;
		} else {
			memset(o->buffer + o->used, 0, n);
		}
		o->used += n;
		size -= n;
		if (o->used == BUFFER)
			ccdm_rootfs_flush(o);
	}
}

static void ccdm_rootfs_pad(struct ccdm_rootfs_out *o)
{
	ccdm_rootfs_write(o, NULL, (size_t)(-o->bytes & (BLOCK - 1)));
}

static void ccdm_rootfs_content(struct ccdm_rootfs_out *o, const struct ccdm_rootfs_inode *inode)
{
	uint64_t at = inode->at, left = inode->size;
	size_t n;

	while (!o->r && left) {
		n = BUFFER - o->used;
		if (n > left)
			n = (size_t)left;
		o->r = ccdm_rootfs_spool_read(o->fs, at, o->buffer + o->used, n, o->err);
		o->used += n;
		o->bytes += n;
		at += n;
		left -= n;
		if (!o->r && o->used == BUFFER)
			ccdm_rootfs_flush(o);
	}
	ccdm_rootfs_pad(o);
}

/* ---- headers --------------------------------------------------------------------------- */

static size_t ccdm_rootfs_digits(size_t n)
{
	size_t digits = 1;

	while (n >= 10) {
		n /= 10;
		digits++;
	}
	return digits;
}

/* A record "LENGTH KEY=VALUE\n"; the length counts its own digits. */
static void ccdm_rootfs_record(struct ccdm_rootfs_out *o, const char *space, const char *key,
			       const void *value, size_t size)
{
	size_t n = strlen(space) + strlen(key) + size + 3, length = n + ccdm_rootfs_digits(n), room;
	char *pax;

	length = n + ccdm_rootfs_digits(length);
	if (o->r)
		return;
	if (o->pax_room - o->pax_size <= length) {
		room = 2 * o->pax_room + length + BLOCK;
		pax = realloc(o->pax, room);
		if (!pax) {
			o->r = ccdm_err_memory(o->err);
			return;
		}
		o->pax = pax;
		o->pax_room = room;
	}
	o->pax_size += (size_t)sprintf(o->pax + o->pax_size, "%zu %s%s=", length, space, key);
	memcpy(o->pax + o->pax_size, value, size);
	o->pax_size += size;
	o->pax[o->pax_size++] = '\n';
}

static void ccdm_rootfs_number(struct ccdm_rootfs_out *o, const char *key, long long value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld", value);

	ccdm_rootfs_record(o, "", key, text, (size_t)n);
}

static bool ccdm_rootfs_ascii(const char *text)
{
	for (; *text; text++)
		if (*text & 0x80)
			return false;
	return true;
}

/* An octal number in a field of @size bytes, the last of which is zero. */
static void ccdm_rootfs_octal(char *field, size_t size, uint64_t value)
{
	field[--size] = '\0';
	while (size--) {
		field[size] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

/**
 * struct ccdm_rootfs_header - a header of "ustar"
 */
struct ccdm_rootfs_header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char sum[8];
	char type;
	char link[100];
	char magic[8];
	char owner[32];
	char group[32];
	char major[8];
	char minor[8];
	char more[167];
};

static void ccdm_rootfs_header(struct ccdm_rootfs_out *o, struct ccdm_rootfs_header *h)
{
	const uint8_t *p = (const uint8_t *)h;
	unsigned int sum = 0, i;

	memcpy(h->magic, "ustar\00000", sizeof(h->magic));
	ccdm_rootfs_octal(h->major, sizeof(h->major), 0);
	ccdm_rootfs_octal(h->minor, sizeof(h->minor), 0);
	memset(h->sum, ' ', sizeof(h->sum));
	for (i = 0; i < sizeof(*h); i++)
		sum += p[i];
	ccdm_rootfs_octal(h->sum, sizeof(h->sum) - 1, sum);
	ccdm_rootfs_write(o, h, sizeof(*h));
}

/* Header and records of what does not fit into the header of an entry. */
static void ccdm_rootfs_pax(struct ccdm_rootfs_out *o)
{
	struct ccdm_rootfs_header h = { .name = "PaxHeader", .type = 'x' };

	if (o->r || !o->pax_size)
		return;
	ccdm_rootfs_octal(h.mode, sizeof(h.mode), 0644);
	ccdm_rootfs_octal(h.uid, sizeof(h.uid), 0);
	ccdm_rootfs_octal(h.gid, sizeof(h.gid), 0);
	ccdm_rootfs_octal(h.size, sizeof(h.size), o->pax_size);
	ccdm_rootfs_octal(h.mtime, sizeof(h.mtime), 0);
	ccdm_rootfs_header(o, &h);
	ccdm_rootfs_write(o, o->pax, o->pax_size);
	ccdm_rootfs_pad(o);
	o->pax_size = 0;
}

/* A name in a field of 100 bytes, or else in a record. */
static void ccdm_rootfs_name(struct ccdm_rootfs_out *o, char field[100], const char *key,
			     const char *name)
{
	size_t n = strlen(name);

	memcpy(field, name, n < 100 ? n : 100);
	if (n > 100)
		ccdm_rootfs_record(o, "", key, name, n);
}

/* A number in a field, or else in a record. */
static void ccdm_rootfs_field(struct ccdm_rootfs_out *o, char *field, size_t size, int64_t most,
			      const char *key, int64_t value)
{
	if (value < 0 || value > most) {
		ccdm_rootfs_number(o, key, value);
		value = 0;
	}
	ccdm_rootfs_octal(field, size, (uint64_t)value);
}

static char ccdm_rootfs_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return '5';
	case S_IFLNK:
		return '2';
	case S_IFIFO:
		return '6';
	default:
		return '0';
	}
}

static int64_t ccdm_rootfs_time(const struct ccdm_rootfs_out *o, int64_t mtime)
{
	if (o->clamp >= 0 && mtime > o->clamp)
		return o->clamp;
	return mtime == CCDM_ROOTFS_NO_TIME ? 0 : mtime;
}

/* The path of a node in the archive. @path: 2 * CCDM_ROOTFS_PATH + 4 bytes */
static void ccdm_rootfs_in_archive(const struct ccdm_rootfs_out *o,
				   const struct ccdm_rootfs_node *node, char *path)
{
	size_t n = strlen(o->prefix);

	memcpy(path, o->prefix, n + 1);
	ccdm_rootfs_path(node, path + n);
	if (!*path)
		memcpy(path, "./", 3);
	else if (node->length && S_ISDIR(node->inode->mode))
		memcpy(path + strlen(path), "/", 2);
}

static void ccdm_rootfs_entry(struct ccdm_rootfs_out *o, struct ccdm_rootfs_node *node)
{
	struct ccdm_rootfs_header h = { .type = ccdm_rootfs_type(node->inode->mode) };
	char path[2 * CCDM_ROOTFS_PATH + 4], link[2 * CCDM_ROOTFS_PATH + 4] = "";
	struct ccdm_rootfs_inode *inode = node->inode;
	const struct ccdm_rootfs_xattr *x;

	ccdm_rootfs_in_archive(o, node, path);
	if (inode->first) {
		h.type = '1';
		ccdm_rootfs_in_archive(o, inode->first, link);
	} else {
		inode->first = node;
		if (inode->target)
			snprintf(link, sizeof(link), "%s", inode->target);
	}
	/* names are bytes; without this record they would be UTF-8 */
	if ((strlen(path) > 100 || strlen(link) > 100) &&
	    !(ccdm_rootfs_ascii(path) && ccdm_rootfs_ascii(link)))
		ccdm_rootfs_record(o, "", "hdrcharset", "BINARY", 6);
	ccdm_rootfs_name(o, h.name, "path", path);
	ccdm_rootfs_name(o, h.link, "linkpath", link);
	ccdm_rootfs_octal(h.mode, sizeof(h.mode), inode->mode & 07777);
	ccdm_rootfs_field(o, h.uid, sizeof(h.uid), NUMBER_MAX, "uid", inode->uid);
	ccdm_rootfs_field(o, h.gid, sizeof(h.gid), NUMBER_MAX, "gid", inode->gid);
	ccdm_rootfs_field(o, h.size, sizeof(h.size), SIZE_MAX_8, "size",
			  h.type == '0' ? (int64_t)inode->size : 0);
	ccdm_rootfs_field(o, h.mtime, sizeof(h.mtime), SIZE_MAX_8, "mtime",
			  ccdm_rootfs_time(o, inode->mtime));
	for (x = h.type == '1' ? NULL : inode->xattrs; x; x = x->next)
		ccdm_rootfs_record(o, "SCHILY.xattr.", x->name, x->value, x->size);
	ccdm_rootfs_pax(o);
	ccdm_rootfs_header(o, &h);
	if (h.type == '0')
		ccdm_rootfs_content(o, inode);
	o->entries++;
}

/* ---- the walk -------------------------------------------------------------------------- */

static void ccdm_rootfs_each(const void *at, VISIT visit, void *arg)
{
	struct ccdm_rootfs_out *o = arg;
	struct ccdm_rootfs_node *node;

	if (o->r || (visit != postorder && visit != leaf))
		return;
	node = ccdm_rootfs_at(at);
	ccdm_rootfs_entry(o, node);
	twalk_r(node->children, ccdm_rootfs_each, o);
}

/* Forget which node holds a content, for the next archive. */
static void ccdm_rootfs_fresh(const void *at, VISIT visit, void *arg)
{
	struct ccdm_rootfs_node *node;

	if (visit != postorder && visit != leaf)
		return;
	node = ccdm_rootfs_at(at);
	node->inode->first = NULL;
	twalk_r(node->children, ccdm_rootfs_fresh, arg);
}

static int ccdm_rootfs_prefix(struct ccdm_rootfs_out *o, const char *prefix)
{
	if (!prefix || !*prefix)
		return 0;
	if (strlen(prefix) > CCDM_ROOTFS_PATH)
		return ccdm_err_set(o->err, -EINVAL, "the prefix of the archive is too long");
	snprintf(o->prefix, sizeof(o->prefix), "%s/", prefix);
	return 0;
}

int ccdm_rootfs_tar(struct ccdm_rootfs *fs, const char *prefix, int64_t mtime_clamp, int fd,
		    struct ccdm_digest *sha256, uint64_t *bytes, uint64_t *entries,
		    struct ccdm_err *err)
{
	struct ccdm_rootfs_out o = { .fs = fs, .clamp = mtime_clamp, .fd = fd, .err = err };
	struct ccdm_digest digest;
	int r;

	o.r = ccdm_rootfs_prefix(&o, prefix);
	if (o.r)
		return o.r;
	o.buffer = malloc(BUFFER);
	if (!o.buffer || ccdm_digest_start(CCDM_ALG_SHA256, &o.stream))
		o.r = ccdm_err_memory(err);
	if (!o.r) {
		fs->root->inode->first = NULL;
		twalk_r(fs->root->children, ccdm_rootfs_fresh, NULL);
		ccdm_rootfs_entry(&o, fs->root);
		twalk_r(fs->root->children, ccdm_rootfs_each, &o);
		ccdm_rootfs_write(&o, NULL, (size_t)2 * BLOCK);
		ccdm_rootfs_flush(&o);
	}
	r = ccdm_digest_finish(&o.stream, o.r, &digest);
	if (r && !o.r)
		ccdm_err_text(err, "cannot compute a digest");
	free(o.buffer);
	free(o.pax);
	if (r)
		return r;
	if (sha256)
		*sha256 = digest;
	if (bytes)
		*bytes = o.bytes;
	if (entries)
		*entries = o.entries;
	return 0;
}
