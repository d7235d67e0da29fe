/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* archive.h - untrusted tar archives and compressed data, through libarchive */
#ifndef CCDM_ARCHIVE_H
#define CCDM_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "source.h"

struct ccdm_archive;

/**
 * struct ccdm_archive_entry - an entry of an archive
 * @path: as the archive has it; lives until the next entry
 * @link: target of a link, or NULL; lives as long
 * @hard: it is a hard link
 * @mode: kind and permissions, as in stat(2); of a hard link only the permissions
 * @uid, @gid, @mtime: as the archive has them; seconds since 1970
 * @size: bytes of a file
 * @whole: the content is stored in one piece
 * @at: of a whole content: its place in the source
 * @acl: it has an access control list in the form of a text
 */
struct ccdm_archive_entry {
	const char *path;
	const char *link;
	bool hard;
	uint32_t mode;
	int64_t uid;
	int64_t gid;
	int64_t mtime;
	uint64_t size;
	bool whole;
	uint64_t at;
	bool acl;
};

/**
 * ccdm_archive_fn - takes bytes of a content, in order
 * @bytes: NULL: @size zeros
 *
 * Return: 0, or an error that ends the reading.
 */
typedef int (*ccdm_archive_fn)(const void *bytes, size_t size, void *arg, struct ccdm_err *err);

/**
 * ccdm_archive_unpack() - unpack data: plain, or compressed once, with gzip or zstd
 * @source, @at, @size: the data; their beginning says how they are compressed
 *
 * Return: 0, -EINVAL for damaged data, -ENOMEM, errors of read(2) and @each.
 */
int __must_check ccdm_archive_unpack(const struct ccdm_source *source, uint64_t at, uint64_t size,
				     ccdm_archive_fn each, void *arg, struct ccdm_err *err);

/* True if data begin with the magic number of gzip or zstd. */
bool __must_check ccdm_archive_packed(const uint8_t *bytes, size_t size);

/**
 * ccdm_archive_open() - read a tar archive that is not compressed
 * @source, @at, @size: the archive; the source must live until ccdm_archive_close()
 * @archive: set
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_archive_open(const struct ccdm_source *source, uint64_t at, uint64_t size,
				   struct ccdm_archive **archive, struct ccdm_err *err);
void ccdm_archive_close(struct ccdm_archive *archive);

/**
 * ccdm_archive_next() - go to the next entry
 * @entry: filled
 *
 * Return: 0; -ENODATA after the last entry; -EINVAL for an archive that is damaged or that other
 * programs read in another way (tar.h), -ENOMEM, errors of read(2).
 */
int __must_check ccdm_archive_next(struct ccdm_archive *archive, struct ccdm_archive_entry *entry,
				   struct ccdm_err *err);

/* The next extended attribute of the entry; false: there is none. */
bool __must_check ccdm_archive_xattr(struct ccdm_archive *archive, const char **name,
				     const void **value, size_t *size);

/* The content of an entry that is not whole. Return: as ccdm_archive_unpack(). */
int __must_check ccdm_archive_content(struct ccdm_archive *archive,
				      const struct ccdm_archive_entry *entry, ccdm_archive_fn each,
				      void *arg, struct ccdm_err *err);

#endif
