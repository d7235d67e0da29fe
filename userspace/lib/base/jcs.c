// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* jcs.c - see jcs.h */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jcs.h"

#define CCDM_JCS_DEPTH 64
#define CCDM_JCS_EXACT (1LL << 53) /* a double holds each integer below it exactly */

/*
 * A sort key: JCS orders members by UTF-16 code units, and a character above U+FFFF begins with
 * D800 to DBFF.
 */
static uint32_t ccdm_jcs_unit(const unsigned char **at)
{
	const unsigned char *p = *at;
	uint32_t c = *p;
	unsigned int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	if (!c)
		return 0;
	if (more)
		c &= 0x3f >> more;
	for (p++; more && *p; more--)
		c = c << 6 | (*p++ & 0x3f);
	*at = p;
	/* Both code units in one number, the high one first, so numbers compare as UTF-16 does. */
	return c < 0x10000 ? c << 10 : (0xd800 + ((c - 0x10000) >> 10)) << 10 | (c & 0x3ff);
}

static int ccdm_jcs_compare(const void *a, const void *b)
{
	const unsigned char *x = *(const unsigned char *const *)a;
	const unsigned char *y = *(const unsigned char *const *)b;
	uint32_t i, k;

	do {
		i = ccdm_jcs_unit(&x);
		k = ccdm_jcs_unit(&y);
	} while (i == k && i);
	return i < k ? -1 : i > k;
}

static void ccdm_jcs_string(FILE *to, const char *s, size_t n)
{
	static const char names[] = "btn\vfr"; /* the escapes of 8 to 13; 11 has none */
	size_t i;

	fputc('"', to);
	for (i = 0; i < n; i++) {
		unsigned char c = s[i];

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c >= 8 && c <= 13 && c != 11)
			fprintf(to, "\\%c", names[c - 8]);
		else if (c < 0x20)
			fprintf(to, "\\u%04x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static int ccdm_jcs_value(FILE *to, const json_t *value, unsigned int depth);

static int ccdm_jcs_object(FILE *to, const json_t *object, unsigned int depth)
{
	size_t n = json_object_size(object), i = 0;
	const char **keys = calloc(n ? n : 1, sizeof(*keys)), *key;
	json_t *value;
	int r = 0;

	if (!keys)
		return -ENOMEM;
	json_object_foreach((json_t *)object, key, value) keys[i++] = key;
	qsort(keys, n, sizeof(*keys), ccdm_jcs_compare);
	fputc('{', to);
	for (i = 0; !r && i < n; i++) {
		if (i)
			fputc(',', to);
		ccdm_jcs_string(to, keys[i], strlen(keys[i]));
		fputc(':', to);
		r = ccdm_jcs_value(to, json_object_get(object, keys[i]), depth + 1);
	}
	fputc('}', to);
	free(keys);
	return r;
}

static int ccdm_jcs_array(FILE *to, const json_t *array, unsigned int depth)
{
	size_t i;
	int r = 0;

	fputc('[', to);
	for (i = 0; !r && i < json_array_size(array); i++) {
		if (i)
			fputc(',', to);
		r = ccdm_jcs_value(to, json_array_get(array, i), depth + 1);
	}
	fputc(']', to);
	return r;
}

static int ccdm_jcs_value(FILE *to, const json_t *value, unsigned int depth)
{
	json_int_t n;

	if (depth > CCDM_JCS_DEPTH)
		return -EINVAL;
	switch (value ? json_typeof(value) : JSON_REAL) {
	case JSON_OBJECT:
		return ccdm_jcs_object(to, value, depth);
	case JSON_ARRAY:
		return ccdm_jcs_array(to, value, depth);
	case JSON_STRING:
		ccdm_jcs_string(to, json_string_value(value), json_string_length(value));
		return 0;
	case JSON_INTEGER:
		n = json_integer_value(value);
		if (n <= -CCDM_JCS_EXACT || n >= CCDM_JCS_EXACT)
			return -EINVAL;
		fprintf(to, "%" JSON_INTEGER_FORMAT, n);
		return 0;
	case JSON_TRUE:
		fputs("true", to);
		return 0;
	case JSON_FALSE:
		fputs("false", to);
		return 0;
	case JSON_NULL:
		fputs("null", to);
		return 0;
	default:
		return -EINVAL;
	}
}

int ccdm_jcs(const json_t *value, char **text)
{
	size_t size;
	FILE *to = open_memstream(text, &size);
	int r;

	if (!to)
		return -ENOMEM;
	r = ccdm_jcs_value(to, value, 0);
	/* If memory runs out, the stream cuts the text; only ferror() tells. */
	if (ferror(to))
		r = -ENOMEM;
	if (fclose(to) || !*text)
		r = -ENOMEM;
	if (r) {
		free(*text);
		*text = NULL;
	}
	return r;
}
