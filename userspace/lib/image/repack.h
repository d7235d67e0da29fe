/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * repack.h - an initrd as one cpio archive that has the same bytes each time
 *
 * Two runs of dracut give the same files, but other hard links, inode numbers and orders. The archive
 * written here depends only on paths, modes, device numbers and contents.
 */
#ifndef CCDM_REPACK_H
#define CCDM_REPACK_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_initrd_repack() - unpack an initrd, and pack it again
 * @name: of the file, for messages
 * @bytes: the initrd, as ccdm_initrd_walk() takes it
 * @size: its bytes
 * @drop: paths that are left out; ends with NULL; may be NULL
 * @date: time of all entries
 * @cpio: set to one archive that is not compressed, which the caller frees
 * @cpio_size: its bytes
 *
 * Each name of a hard link becomes a file of its own, also if the name with the content is left
 * out. A path with two entries is an error, unless both are folders of the same mode.
 *
 * Return: 0; -EINVAL for what the kernel would not unpack, for names of one file with two modes or
 * contents, or for an entry whose folder has none; -EEXIST; -EFBIG above CCDM_CPIO_ALL; -ENOMEM.
 */
int __must_check ccdm_initrd_repack(const char *name, const uint8_t *bytes, size_t size,
				    const char *const *drop, int64_t date, uint8_t **cpio,
				    size_t *cpio_size, struct ccdm_err *err);

/**
 * ccdm_initrd_compress() - compress an archive with zstd, by one thread (initrd_pack.c)
 * @packed: set to the result, which the caller frees
 *
 * The same version of zstd gives the same bytes.
 *
 * Return: 0, -ENOMEM, -EIO.
 */
int __must_check ccdm_initrd_compress(const uint8_t *bytes, size_t size, uint8_t **packed,
				      size_t *packed_size, struct ccdm_err *err);

/* The version of zstd. */
const char *ccdm_initrd_compressor(void);

#endif
