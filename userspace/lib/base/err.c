// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* err.c - see err.h */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "err.h"

/* The length in bytes of the UTF-8 character at @p; 0 if no valid one begins there. */
static size_t ccdm_err_letter(const unsigned char *p)
{
	size_t n = *p < 0x80		      ? 1
		   : *p >= 0xc2 && *p <= 0xdf ? 2
		   : *p >= 0xe0 && *p <= 0xef ? 3
		   : *p >= 0xf0 && *p <= 0xf4 ? 4
					      : 0;
	size_t i;

	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* an overlong form, a surrogate, or a code point above U+10FFFF */
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/*
 * U+0080 to U+009F, which some terminals obey, and characters that change the text's direction or
 * end a line.
 */
static bool ccdm_err_steers(const unsigned char *p)
{
	if (*p == 0xe2 && p[1] == 0x80)
		return p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae);
	if (*p == 0xe2 && p[1] == 0x81)
		return p[2] >= 0xa6 && p[2] <= 0xa9;
	return (*p == 0xc2 && p[1] < 0xa0) || (*p == 0xd8 && p[1] == 0x9c);
}

/*
 * Replaces control characters, other characters that steer a terminal, and invalid UTF-8. A text
 * that was cut may end inside a character, and JSON refuses such a text.
 */
void ccdm_err_plain(char *text)
{
	unsigned char *p;
	size_t n;

	for (p = (unsigned char *)text; *p; p += n ? n : 1) {
		n = ccdm_err_letter(p);
		if (!n || *p < ' ' || *p == 0x7f)
			*p = '?';
		else if (ccdm_err_steers(p))
			memset(p, '?', n);
	}
}

void ccdm_err_text(struct ccdm_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	ccdm_err_plain(err->text);
}

void ccdm_err_hint(struct ccdm_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	ccdm_err_plain(err->hint);
}
