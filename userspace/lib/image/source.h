/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* source.h - an untrusted file or block device that is read in pieces, never beyond its end */
#ifndef CCDM_SOURCE_H
#define CCDM_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_source - what is read
 * @name: of the file, for messages
 * @fd: the file, if @bytes is NULL
 * @bytes: its content in memory, or NULL
 * @size: its bytes
 */
struct ccdm_source {
	const char *name;
	int fd;
	const uint8_t *bytes;
	uint64_t size;
};

/* Open a regular file or a block device. Return: 0, -EINVAL for another kind, errors of open(2). */
int __must_check ccdm_source_open(const char *file, struct ccdm_source *source,
				  struct ccdm_err *err);
void ccdm_source_close(struct ccdm_source *source);

/**
 * ccdm_source_read() - read a piece
 * @at, @size: the piece; it must lie within the source
 * @what: what it is, for messages
 *
 * Return: 0, -EINVAL if it ends after the source's end, errors of read(2).
 */
int __must_check ccdm_source_read(const struct ccdm_source *source, uint64_t at, void *buf,
				  size_t size, const char *what, struct ccdm_err *err);

/* The same into memory that the caller frees. Also -ENOMEM. */
int __must_check ccdm_source_load(const struct ccdm_source *source, uint64_t at, size_t size,
				  const char *what, uint8_t **bytes, struct ccdm_err *err);

#endif
