// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* guid.c - see guid.h */
#include <stdio.h>
#include <string.h>
#include "crypto/digest.h"
#include "guid.h"

int ccdm_guid_bytes(const char *name, const void *hash, size_t size, uint8_t bytes[32])
{
	struct ccdm_digest digest;
	int r = ccdm_digest_of(CCDM_ALG_SHA256, name, strlen(name), hash, size, &digest);

	if (!r)
		memcpy(bytes, digest.bytes, 32);
	return r;
}

int ccdm_guid_text(const char *name, const void *hash, size_t size, char text[CCDM_GUID_TEXT])
{
	uint8_t b[32];
	int r = ccdm_guid_bytes(name, hash, size, b);

	if (r)
		return r;
	b[6] = (b[6] & 0x0f) | 0x80;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(text, CCDM_GUID_TEXT,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	return 0;
}
