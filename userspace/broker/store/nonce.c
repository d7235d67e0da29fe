// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* nonce.c - see nonce.h */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "crypto/digest.h"
#include "evidence/evidence.h"
#include "nonce.h"

/* A nonce is ID, expiry and MAC, in base64url without padding. */
enum {
	EXPIRY = 8,
	MAC = 24,
	SIZE = CCDM_NONCE_ID + EXPIRY + MAC,
};

static int ccdm_nonce_mac(const struct ccdm_keys *keys, unsigned int i, const struct ccdm_nonce *n,
			  const uint8_t *raw, uint8_t mac[CCDM_MAC_SIZE])
{
	uint8_t text[CCDM_NONCE_ID + EXPIRY + 64];
	int size;

	memcpy(text, raw, CCDM_NONCE_ID + EXPIRY);
	size = snprintf((char *)text + CCDM_NONCE_ID + EXPIRY, 64, "%s.%s", n->tee,
			ccdm_kbs_version_name(n->version));
	return ccdm_keys_mac(keys, i, text, CCDM_NONCE_ID + EXPIRY + size, mac);
}

static int ccdm_nonce_text(struct ccdm_nonce *n, const uint8_t raw[SIZE])
{
	char *text = ccdm_base64(raw, SIZE);

	if (!text)
		return -ENOMEM;
	snprintf(n->text, sizeof(n->text), "%s", text);
	free(text);
	return 0;
}

int ccdm_nonce_new(const struct ccdm_keys *keys, const char *tee, enum ccdm_kbs_version version,
		   int64_t expires, struct ccdm_nonce *n, char cookie[CCDM_NONCE_COOKIE])
{
	uint8_t raw[SIZE], mac[CCDM_MAC_SIZE];
	unsigned int i;
	char *url;
	int r;

	memset(n, 0, sizeof(*n));
	n->expires = expires;
	n->version = version;
	snprintf(n->tee, sizeof(n->tee), "%s", tee);
	if (RAND_bytes(raw, CCDM_NONCE_ID) != 1)
		return -EIO;
	memcpy(n->id, raw, CCDM_NONCE_ID);
	for (i = 0; i < EXPIRY; i++)
		raw[CCDM_NONCE_ID + i] = (uint64_t)expires >> 8 * (EXPIRY - 1 - i);
	r = ccdm_nonce_mac(keys, 0, n, raw, mac);
	if (r)
		return r;
	memcpy(raw + CCDM_NONCE_ID + EXPIRY, mac, MAC);
	r = ccdm_nonce_text(n, raw);
	url = r ? NULL : ccdm_base64url(raw, SIZE);
	if (!url)
		return -ENOMEM;
	snprintf(cookie, CCDM_NONCE_COOKIE, "%s.%s.%s", url, n->tee,
		 ccdm_kbs_version_name(n->version));
	free(url);
	return 0;
}

/* Split NONCE.TEE.VERSION; the version itself contains dots. */
static int ccdm_nonce_split(const char *cookie, struct ccdm_nonce *n, uint8_t raw[SIZE])
{
	char copy[CCDM_NONCE_COOKIE], *tee, *version;
	uint8_t *bytes;
	size_t size;

	if (strlen(cookie) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, cookie, strlen(cookie) + 1);
	tee = strchr(copy, '.');
	version = tee ? strchr(tee + 1, '.') : NULL;
	if (!version)
		return -EINVAL;
	*tee++ = '\0';
	*version++ = '\0';
	if (!ccdm_tee_known(tee) || !ccdm_kbs_version_of(version, &n->version))
		return -EINVAL;
	snprintf(n->tee, sizeof(n->tee), "%s", tee);
	if (ccdm_base64_decode(copy, true, SIZE, &bytes, &size))
		return -EINVAL;
	if (size == SIZE)
		memcpy(raw, bytes, SIZE);
	free(bytes);
	return size == SIZE ? 0 : -EINVAL;
}

int ccdm_nonce_read(const struct ccdm_keys *keys, const char *cookie, int64_t now,
		    struct ccdm_nonce *n)
{
	uint8_t raw[SIZE], mac[CCDM_MAC_SIZE];
	bool good = false;
	uint64_t expires = 0;
	unsigned int i;

	memset(n, 0, sizeof(*n));
	if (ccdm_nonce_split(cookie, n, raw))
		return -EINVAL;
	for (i = 0; !good && i < ccdm_keys_count(keys); i++)
		good = !ccdm_nonce_mac(keys, i, n, raw, mac) &&
		       !CRYPTO_memcmp(mac, raw + CCDM_NONCE_ID + EXPIRY, MAC);
	if (!good)
		return -EINVAL;
	memcpy(n->id, raw, CCDM_NONCE_ID);
	for (i = 0; i < EXPIRY; i++)
		expires = expires << 8 | raw[CCDM_NONCE_ID + i];
	n->expires = (int64_t)expires;
	if (now >= n->expires)
		return -ETIME;
	return ccdm_nonce_text(n, raw);
}

void ccdm_nonce_hex(const struct ccdm_nonce *nonce, char hex[2 * CCDM_NONCE_ID + 1])
{
	ccdm_hex(nonce->id, CCDM_NONCE_ID, hex);
}
