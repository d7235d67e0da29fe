/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* base64.h - RFC 4648, strictly: no blanks, no lines, nothing behind the padding */
#ifndef CCDM_BASE64_H
#define CCDM_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "compiler.h"

/**
 * ccdm_base64_decode() - bytes of a text
 * @text: in the standard alphabet, or with @url in that of URLs; there the padding
 *	  may be missing
 * @max: most bytes it may be
 * @bytes: set; the caller frees it
 * @size: their number
 *
 * Return: 0, -EINVAL, -EFBIG, -ENOMEM.
 */
int __must_check ccdm_base64_decode(const char *text, bool url, size_t max, uint8_t **bytes,
				    size_t *size);

/* Text of bytes, in the alphabet of URLs and without padding, as JOSE has it; the caller frees it. */
char *ccdm_base64url(const void *bytes, size_t size);

/* The same in the standard alphabet, with padding. */
char *ccdm_base64(const void *bytes, size_t size);

#endif
