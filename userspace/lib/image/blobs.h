/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * blobs.h - named files of a container image: in a folder, or in a tar archive
 *
 * Symbolic links cannot lead out of the folder or the archive.
 */
#ifndef CCDM_BLOBS_H
#define CCDM_BLOBS_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"
#include "source.h"

#define CCDM_BLOBS_ENTRIES 65536 /* entries of an archive, at most */

struct ccdm_blobs;

/**
 * struct ccdm_blob - where a file is
 * @source: lives until ccdm_blobs_close()
 * @at, @size: the file
 */
struct ccdm_blob {
	const struct ccdm_source *source;
	uint64_t at;
	uint64_t size;
};

/**
 * ccdm_blobs_open() - open a folder or an archive
 * @path: a folder, or a tar archive, perhaps compressed with gzip or zstd
 * @spool_dir: folder for temporary files
 * @max_size: bytes that a compressed archive may unpack to
 * @blobs: set; the caller closes it, and may pass NULL to ccdm_blobs_close()
 *
 * Return: 0, -EINVAL, -EFBIG, -ENOMEM, errors of open(2) and read(2).
 */
int __must_check ccdm_blobs_open(const char *path, const char *spool_dir, uint64_t max_size,
				 struct ccdm_blobs **blobs, struct ccdm_err *err);
void ccdm_blobs_close(struct ccdm_blobs *blobs);

/**
 * ccdm_blobs_find() - find a file by its name
 * @name: "blobs/sha256/…", from the top of the folder or the archive
 *
 * Return: 0; -ENOENT, -EINVAL if it is no regular file, -ENOMEM, errors of openat2(2).
 */
int __must_check ccdm_blobs_find(struct ccdm_blobs *blobs, const char *name, struct ccdm_blob *blob,
				 struct ccdm_err *err);

/**
 * ccdm_blobs_read() - the content of a small file
 * @digest: expected digest; NULL: any
 * @max: size limit in bytes
 * @text: set to the content, which a NUL follows; the caller frees it
 *
 * Return: 0, -EINVAL for another digest, -EFBIG, as above.
 */
int __must_check ccdm_blobs_read(struct ccdm_blobs *blobs, const char *name,
				 const struct ccdm_digest *digest, size_t max, char **text,
				 size_t *size, struct ccdm_err *err);

#endif
