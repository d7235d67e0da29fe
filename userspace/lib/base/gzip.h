/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* gzip.h - unpack an operator's gzip'ed files; data from the network is never unpacked */
#ifndef CCDM_GZIP_H
#define CCDM_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include "compiler.h"
#include "err.h"

/* True if the bytes begin as gzip data does; no evidence and no log begins so. */
bool __must_check ccdm_gzip_is(const void *bytes, size_t size);

/**
 * ccdm_gzip_unpack() - unpack gzip data
 * @file: its name, for messages
 * @bytes, @size: untrusted; one member (RFC 1952), whole, and nothing behind it
 * @max: most bytes that it may unpack to
 * @text: set to what it unpacks to, and a NUL after it; the caller frees it
 * @text_size: its bytes
 *
 * Return: 0; -EFBIG: it unpacks to more than @max bytes, of which no more than one was made;
 * -EINVAL: it is damaged, cut off, or something follows it; -ENOMEM.
 */
int __must_check ccdm_gzip_unpack(const char *file, const void *bytes, size_t size, size_t max,
				  char **text, size_t *text_size, struct ccdm_err *err);

#endif
