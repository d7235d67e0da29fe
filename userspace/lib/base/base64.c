// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* base64.c - see base64.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base64.h"

static int ccdm_base64_digit(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	return c == (url ? '_' : '/') ? 63 : -1;
}

int ccdm_base64_decode(const char *text, bool url, size_t max, uint8_t **bytes, size_t *size)
{
	size_t n = strlen(text), digits = n, i, out = 0;
	uint32_t bits = 0;
	uint8_t *to;

	while (digits && n - digits < 2 && text[digits - 1] == '=')
		digits--;
	/* Plain base64 has whole groups of four digits; base64url may omit the padding. */
	if (digits % 4 == 1 || (n % 4 && (!url || n != digits)))
		return -EINVAL;
	if (digits / 4 * 3 + 2 > max && digits * 6 / 8 > max)
		return -EFBIG;
	to = malloc(digits * 6 / 8 + 1);
	if (!to)
		return -ENOMEM;
	for (i = 0; i < digits; i++) {
		int d = ccdm_base64_digit(text[i], url);

		if (d < 0)
			break;
		bits = bits << 6 | d;
		if (i % 4)
			to[out++] = bits >> (6 - i % 4 * 2);
	}
	/* The bits behind the last byte must be zero, so each content has exactly one text. */
	if (i < digits || (digits % 4 && bits & ((1U << (digits % 4 == 2 ? 4 : 2)) - 1))) {
		free(to);
		return -EINVAL;
	}
	*bytes = to;
	*size = out;
	return 0;
}

static char *ccdm_base64_text(const uint8_t *b, size_t size, const char *last)
{
	static const char first[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	char *text = malloc(size / 3 * 4 + 5), *p = text;
	size_t i, k;

	if (!text)
		return NULL;
	for (i = 0; i < size; i += 3) {
		size_t n = size - i < 3 ? size - i : 3;
		uint32_t bits = b[i] << 16 | (n > 1 ? b[i + 1] << 8 : 0) | (n > 2 ? b[i + 2] : 0);

		for (k = 0; k <= n; k++) {
			uint32_t d = bits >> (18 - 6 * k) & 0x3f;

			*p++ = d < 62 ? first[d] : last[d - 62];
		}
		for (; k < 4 && last[2]; k++)
			*p++ = last[2];
	}
	*p = '\0';
	return text;
}

char *ccdm_base64url(const void *bytes, size_t size)
{
	return ccdm_base64_text(bytes, size, "-_");
}

char *ccdm_base64(const void *bytes, size_t size)
{
	return ccdm_base64_text(bytes, size, "+/=");
}
