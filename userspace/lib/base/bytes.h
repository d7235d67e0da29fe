/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* bytes.h - numbers in byte strings, and hexadecimal */
#ifndef CCDM_BYTES_H
#define CCDM_BYTES_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "compiler.h"

static inline uint16_t ccdm_le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static inline uint32_t ccdm_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t ccdm_le64(const uint8_t *p)
{
	return ccdm_le32(p) | (uint64_t)ccdm_le32(p + 4) << 32;
}

/* Value of a hexadecimal digit of either case, or -1. */
static inline int __must_check ccdm_nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* @text must be 2 * @size digits and nothing else. Return: 0 or -EINVAL */
static inline int __must_check ccdm_unhex(const char *text, uint8_t *bytes, size_t size)
{
	size_t i;

	if (strlen(text) != 2 * size)
		return -EINVAL;
	for (i = 0; i < size; i++) {
		int high = ccdm_nibble(text[2 * i]), low = ccdm_nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		bytes[i] = high << 4 | low;
	}
	return 0;
}

/* @hex: 2 * @size + 1 bytes */
static inline void ccdm_hex(const void *bytes, size_t size, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes;

	for (; size; size--, p++) {
		*hex++ = digits[*p >> 4];
		*hex++ = digits[*p & 15];
	}
	*hex = 0;
}

#endif
