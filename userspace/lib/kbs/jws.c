// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* jws.c - see jws.h */
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "jws.h"

#define XY	  32
#define SIGNATURE 64

bool ccdm_jws_split(const char *text, size_t max, const char **payload, const char **signature)
{
	const char *dot = strchr(text, '.'), *last = dot ? strchr(dot + 1, '.') : NULL;

	if (!last || strchr(last + 1, '.') || strlen(text) > max)
		return false;
	*payload = dot + 1;
	*signature = last + 1;
	return true;
}

json_t *ccdm_jws_part(const char *text, size_t size)
{
	char *copy = strndup(text, size);
	uint8_t *bytes = NULL;
	json_t *o = NULL;
	size_t n;

	if (copy && !ccdm_base64_decode(copy, true, size, &bytes, &n))
		o = json_loadb((char *)bytes, n, JSON_REJECT_DUPLICATES, NULL);
	free(bytes);
	free(copy);
	return o;
}

bool ccdm_jws_signed(const struct ccdm_pubkey *key, const char *text, const char *signature)
{
	uint8_t *raw = NULL;
	size_t n;
	bool good;

	good = !ccdm_base64_decode(signature, true, SIGNATURE, &raw, &n) && n == SIGNATURE &&
	       !ccdm_pubkey_ecdsa(key, raw, raw + XY, XY, text, signature - 1 - text);
	free(raw);
	return good;
}
