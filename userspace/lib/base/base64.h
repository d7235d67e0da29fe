/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* base64.h - strict RFC 4648: no blanks, no lines, nothing after the padding */
#ifndef CCDM_BASE64_H
#define CCDM_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "compiler.h"

/**
 * ccdm_base64_decode() - decode a text
 * @text: in the standard alphabet, or with @url in that of URLs; there the padding
 *	  may be missing
 * @max: size limit in bytes
 * @bytes: set; the caller frees it
 * @size: their number
 *
 * Return: 0, -EINVAL, -EFBIG, -ENOMEM.
 */
int __must_check ccdm_base64_decode(const char *text, bool url, size_t max, uint8_t **bytes,
				    size_t *size);

/* Encode in the URL alphabet without padding, as JOSE does; the caller frees the text. */
char *ccdm_base64url(const void *bytes, size_t size);

/* The same in the standard alphabet, with padding. */
char *ccdm_base64(const void *bytes, size_t size);

#endif
