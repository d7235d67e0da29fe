// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* archive.c - see archive.h */
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "archive.h"
#include "tar.h"

#define PIECE (256 << 10)
#define ZEROS (1 << 20)

/**
 * struct ccdm_archive - an archive that is read
 * @source, @at, @end: what is left of it for libarchive
 * @begin: where it begins
 * @piece: what libarchive reads from
 * @read: libarchive's reader
 * @entry: the entry
 * @begun: @read was opened
 * @locale: "C", in which names are bytes
 * @tar: our own walk, which must find the same entries as libarchive
 * @r: error of the last read
 * @err: where its text goes
 */
struct ccdm_archive {
	const struct ccdm_source *source;
	uint64_t at, end, begin;
	uint8_t *piece;
	struct archive *read;
	struct archive_entry *entry;
	bool begun;
	locale_t locale;
	struct ccdm_tar tar;
	int r;
	struct ccdm_err *err;
};

/* ---- what libarchive calls ------------------------------------------------------------- */

static la_ssize_t ccdm_archive_read(struct archive *read, void *arg, const void **bytes)
{
	struct ccdm_archive *a = arg;
	size_t n = a->end - a->at < PIECE ? (size_t)(a->end - a->at) : PIECE;

	*bytes = a->piece;
	if (n)
		a->r = ccdm_source_read(a->source, a->at, a->piece, n, "the archive", a->err);
	if (a->r) {
		archive_set_error(read, -a->r, "cannot read");
		return ARCHIVE_FATAL;
	}
	a->at += n;
	return (la_ssize_t)n;
}

static la_int64_t ccdm_archive_skip(struct archive *read, void *arg, la_int64_t size)
{
	struct ccdm_archive *a = arg;

	(void)read;
	if ((uint64_t)size > a->end - a->at)
		size = (la_int64_t)(a->end - a->at);
	a->at += (uint64_t)size;
	return size;
}

/* ---- opening --------------------------------------------------------------------------- */

/* @raw: unpack data; else read a tar archive */
static int ccdm_archive_begin(struct ccdm_archive *a, bool raw)
{
	a->piece = malloc(PIECE);
	a->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	a->read = archive_read_new();
	/* (libarchive's own entry may be missing when memory is short) */
	a->entry = archive_entry_new();
	if (!a->piece || !a->locale || !a->read || !a->entry)
		return ccdm_err_memory(a->err);
	if (raw ? archive_read_support_format_raw(a->read) != ARCHIVE_OK ||
			    archive_read_support_filter_gzip(a->read) != ARCHIVE_OK ||
			    archive_read_support_filter_zstd(a->read) != ARCHIVE_OK
		: archive_read_support_format_tar(a->read) != ARCHIVE_OK)
		return ccdm_err_memory(a->err);
	if (archive_read_set_read_callback(a->read, ccdm_archive_read) != ARCHIVE_OK ||
	    archive_read_set_skip_callback(a->read, ccdm_archive_skip) != ARCHIVE_OK ||
	    archive_read_set_callback_data(a->read, a) != ARCHIVE_OK)
		return ccdm_err_memory(a->err);
	return 0;
}

static void ccdm_archive_end(struct ccdm_archive *a)
{
	archive_read_free(a->read);
	archive_entry_free(a->entry);
	if (a->locale)
		freelocale(a->locale);
	free(a->piece);
}

/* The error of the last call of libarchive; @what: what failed. */
static int ccdm_archive_failed(struct ccdm_archive *a, const char *what)
{
	const char *text = archive_error_string(a->read);

	if (a->r)
		return a->r;
	if (archive_errno(a->read) == ENOMEM)
		return ccdm_err_memory(a->err);
	return ccdm_err_set(a->err, -EINVAL, "%s: %s", what, text ? text : "damaged data");
}

/* ---- compressed data ------------------------------------------------------------------- */

bool ccdm_archive_packed(const uint8_t *bytes, size_t size)
{
	return (size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) ||
	       (size >= 4 && !memcmp(bytes, "\x28\xb5\x2f\xfd", 4));
}

static int ccdm_archive_all(struct ccdm_archive *a, ccdm_archive_fn each, void *arg)
{
	const void *bytes;
	size_t size = 0;
	la_int64_t at = 0;
	int r;

	if (archive_read_open1(a->read) != ARCHIVE_OK ||
	    archive_read_next_header2(a->read, a->entry) != ARCHIVE_OK)
		return ccdm_archive_failed(a, "compressed data");
	/* (the filter that reads counts, too) */
	if (archive_filter_count(a->read) > 2)
		return ccdm_err_set(a->err, -EINVAL,
				    "expected data that are compressed once, found two "
				    "compressions");
	while ((r = archive_read_data_block(a->read, &bytes, &size, &at)) == ARCHIVE_OK) {
		r = size ? each(bytes, size, arg, a->err) : 0;
		if (r)
			return r;
	}
	return r == ARCHIVE_EOF ? 0 : ccdm_archive_failed(a, "compressed data");
}

int ccdm_archive_unpack(const struct ccdm_source *source, uint64_t at, uint64_t size,
			ccdm_archive_fn each, void *arg, struct ccdm_err *err)
{
	struct ccdm_archive a = { .source = source, .at = at, .end = at + size, .err = err };
	int r;

	if (!size)
		return 0;
	r = ccdm_archive_begin(&a, true);
	if (!r)
		r = ccdm_archive_all(&a, each, arg);
	ccdm_archive_end(&a);
	return r;
}

/* ---- tar archives ---------------------------------------------------------------------- */

int ccdm_archive_open(const struct ccdm_source *source, uint64_t at, uint64_t size,
		      struct ccdm_archive **archive, struct ccdm_err *err)
{
	struct ccdm_archive *a = calloc(1, sizeof(*a));
	int r;

	*archive = NULL;
	if (!a)
		return ccdm_err_memory(err);
	a->source = source;
	a->begin = a->at = at;
	a->end = at + size;
	a->err = err;
	a->tar = (struct ccdm_tar){ .source = source, .begin = at, .at = at, .end = a->end };
	r = ccdm_archive_begin(a, false);
	if (r)
		ccdm_archive_close(a);
	else
		*archive = a;
	return r;
}

void ccdm_archive_close(struct ccdm_archive *archive)
{
	if (!archive)
		return;
	ccdm_archive_end(archive);
	free(archive);
}

/* libarchive's next entry, with names that are bytes whatever the caller's locale is. */
static int ccdm_archive_header(struct ccdm_archive *a)
{
	locale_t before = uselocale(a->locale);
	int r = ARCHIVE_OK;

	if (!a->begun)
		r = archive_read_open1(a->read);
	a->begun = true;
	/* (it warns about each name that is not ASCII) */
	if (r == ARCHIVE_OK)
		r = archive_read_next_header2(a->read, a->entry);
	uselocale(before);
	return r;
}

/* Both walks must be at the same place, or they would read different files. */
static int ccdm_archive_same(struct ccdm_archive *a, const struct ccdm_tar_entry *t,
			     struct ccdm_archive_entry *e)
{
	uint64_t at = a->begin + (uint64_t)archive_filter_bytes(a->read, 0);
	la_int64_t size = archive_entry_size(a->entry);
	bool sparse = t->type == 'S' || archive_entry_sparse_count(a->entry) > 0 ||
		      at != t->content || (uint64_t)size != t->size;

	e->at = t->content;
	e->size = size < 0 ? 0 : (uint64_t)size;
	e->whole = !sparse;
	if (size < 0 || at < t->content || at > t->content + t->size)
		return ccdm_err_set(a->err, -EINVAL,
				    "tar archive, byte %llu: programs would read it differently",
				    (unsigned long long)(t->content - a->begin));
	return 0;
}

int ccdm_archive_next(struct ccdm_archive *archive, struct ccdm_archive_entry *entry,
		      struct ccdm_err *err)
{
	struct ccdm_tar_entry t;
	int r;

	archive->err = err;
	r = ccdm_tar_next(&archive->tar, &t, err);
	if (r)
		return r;
	r = ccdm_archive_header(archive);
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return r == ARCHIVE_EOF ? ccdm_err_set(err, -EINVAL, "tar archive: it ends early")
					: ccdm_archive_failed(archive, "tar archive");
	*entry = (struct ccdm_archive_entry){
		.path = archive_entry_pathname(archive->entry),
		.link = archive_entry_hardlink(archive->entry),
		.mode = archive_entry_mode(archive->entry),
		.uid = archive_entry_uid(archive->entry),
		.gid = archive_entry_gid(archive->entry),
		.mtime = archive_entry_mtime(archive->entry),
		.acl = archive_entry_acl_types(archive->entry) != 0,
	};
	entry->hard = entry->link;
	if (!entry->link)
		entry->link = archive_entry_symlink(archive->entry);
	if (!entry->path)
		return ccdm_err_set(err, -EINVAL, "tar archive: an entry has no name");
	if (entry->hard != (t.type == '1') || (t.size && !entry->hard && !S_ISREG(entry->mode)))
		return ccdm_err_set(err, -EINVAL,
				    "tar archive: programs would read '%.200s' differently",
				    entry->path);
	archive_entry_xattr_reset(archive->entry);
	return ccdm_archive_same(archive, &t, entry);
}

bool ccdm_archive_xattr(struct ccdm_archive *archive, const char **name, const void **value,
			size_t *size)
{
	return archive_entry_xattr_next(archive->entry, name, value, size) == ARCHIVE_OK;
}

/* @size zeros */
static int ccdm_archive_zeros(uint64_t size, ccdm_archive_fn each, void *arg, struct ccdm_err *err)
{
	int r = 0;

	for (; !r && size > ZEROS; size -= ZEROS)
		r = each(NULL, ZEROS, arg, err);
	return !r && size ? each(NULL, (size_t)size, arg, err) : r;
}

int ccdm_archive_content(struct ccdm_archive *archive, const struct ccdm_archive_entry *entry,
			 ccdm_archive_fn each, void *arg, struct ccdm_err *err)
{
	uint64_t done = 0;
	const void *bytes;
	size_t size = 0;
	la_int64_t at = 0;
	int r, e = 0;

	archive->err = err;
	while ((r = archive_read_data_block(archive->read, &bytes, &size, &at)) == ARCHIVE_OK) {
		if (at < 0 || (uint64_t)at < done || (uint64_t)at > entry->size ||
		    size > entry->size - (uint64_t)at)
			return ccdm_err_set(err, -EINVAL,
					    "tar archive: a sparse file has pieces out of order");
		e = ccdm_archive_zeros((uint64_t)at - done, each, arg, err);
		if (!e && size)
			e = each(bytes, size, arg, err);
		if (e)
			return e;
		done = (uint64_t)at + size;
	}
	if (r != ARCHIVE_EOF)
		return ccdm_archive_failed(archive, "tar archive");
	return ccdm_archive_zeros(entry->size - done, each, arg, err);
}
