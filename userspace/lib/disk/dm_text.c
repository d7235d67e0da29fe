// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* dm_text.c - words of a status line; see dm.h */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dm.h"

bool ccdm_dm_word(const char *status, const char *key, char *value, size_t size)
{
	size_t len = strlen(key), n;
	const char *at = status;

	while (*at) {
		if (!strncmp(at, key, len) && at[len] == ':') {
			at += len + 1;
			n = strcspn(at, " ");
			if (n >= size)
				n = size - 1;
			memcpy(value, at, n);
			value[n] = '\0';
			return true;
		}
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	return false;
}

uint64_t ccdm_dm_number(const char *status, const char *key)
{
	char text[32];

	return ccdm_dm_word(status, key, text, sizeof(text)) ? strtoull(text, NULL, 10) : 0;
}

unsigned int ccdm_dm_values(const char *text, uint64_t values[2])
{
	unsigned int n;
	char *end;

	for (n = 0; n < 2 && isdigit((unsigned char)*text); text = end + 1) {
		errno = 0;
		values[n++] = strtoull(text, &end, 10);
		if (errno)
			return 0;
		if (!*end)
			return n;
		if (*end != '/')
			return 0;
	}
	return 0;
}
