/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* guid.h - derive identifiers and salts from a content: the same content gives the same ones */
#ifndef CCDM_GUID_H
#define CCDM_GUID_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"

#define CCDM_GUID_TEXT 37 /* with the zero */

/**
 * ccdm_guid_bytes() - SHA-256 of a name followed by a hash
 * @name: what it is for: "verity salt"
 * @hash, @size: of the content
 *
 * Return: 0, -EIO.
 */
int __must_check ccdm_guid_bytes(const char *name, const void *hash, size_t size,
				 uint8_t bytes[32]);

/*
 * The first 16 bytes of that, as a UUID of version 8 (RFC 9562, section 5.8) in lower case.
 * Return: 0, -EIO.
 */
int __must_check ccdm_guid_text(const char *name, const void *hash, size_t size,
				char text[CCDM_GUID_TEXT]);

#endif
