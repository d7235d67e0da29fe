/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* sparse.h - the bytes of a disk file without its long runs of zeros */
#ifndef CCDM_SPARSE_H
#define CCDM_SPARSE_H

#include <stddef.h>
#include <stdint.h>
#include "format.h"

#define CCDM_SPARSE_BLOCK 65536 /* bytes of a block; the last one may be shorter */

/**
 * struct ccdm_sparse - a disk file
 * @name: for messages
 * @fd: the file
 * @size: its bytes
 * @progress: may be NULL
 */
struct ccdm_sparse {
	const char *name;
	int fd;
	uint64_t size;
	const struct ccdm_format_progress *progress;
};

/* Opens a regular file. Return: 0, -EINVAL for another kind, errors of open(2). */
int __must_check ccdm_sparse_open(const char *file, struct ccdm_sparse *disk, struct ccdm_err *err);
void ccdm_sparse_close(struct ccdm_sparse *disk);

/**
 * ccdm_sparse_walk() - walk through the blocks of a disk in their order
 * @data: called for a block that is not zero; a nonzero result ends the walk and is returned
 * @zeros: called for a run of zero blocks; may be NULL
 * @arg: argument of the callbacks
 *
 * Which blocks are zero depends on the bytes alone, not on the holes of the file.
 *
 * Return: 0, -ENOMEM, -EINTR after a signal, errors of read(2), the result of a callback.
 */
int __must_check ccdm_sparse_walk(const struct ccdm_sparse *disk,
				  int (*data)(void *arg, uint64_t at, const uint8_t *bytes,
					      size_t size, struct ccdm_err *err),
				  int (*zeros)(void *arg, uint64_t size, struct ccdm_err *err),
				  void *arg, struct ccdm_err *err);

/**
 * struct ccdm_sparse_id - a digest over blocks that are not zero, each with its place
 * @digest: of the blocks so far; begins as zeros
 */
struct ccdm_sparse_id {
	uint8_t digest[32];
};

/* Add a block, in the order of the walk. Return: 0, -EIO. */
int __must_check ccdm_sparse_id_add(struct ccdm_sparse_id *id, uint64_t at, const uint8_t *bytes,
				    size_t size, struct ccdm_err *err);

/* Write all of a buffer at a place. Return: 0, errors of write(2) with @name in @err. */
int __must_check ccdm_sparse_put(int fd, const char *name, uint64_t at, const void *bytes,
				 size_t size, struct ccdm_err *err);

#endif
