/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * suite_openssl.h - the cipher suites a second time, with OpenSSL
 *
 * Written from the layout in Documentation/reference/format.rst, not from kmod/suite.c.
 */
#ifndef CCDM_SUITE_OPENSSL_H
#define CCDM_SUITE_OPENSSL_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <string.h>

static inline void le(uint8_t *p, uint64_t v, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = v >> 8 * i;
}

/* GCM over @text, or GMAC if @text is NULL: then over @aad. 1 on success. */
static inline int ossl_gcm(const uint8_t key[32], uint32_t domain, uint64_t seq, const uint8_t *aad,
			   const uint8_t *text, uint8_t *out, uint8_t tag[16])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t nonce[12];
	int n, ok;

	le(nonce, domain, 4);
	le(nonce + 4, seq, 8);
	ok = EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1;
	if (aad)
		ok &= EVP_EncryptUpdate(c, NULL, &n, aad, 4096) == 1;
	if (text)
		ok &= EVP_EncryptUpdate(c, out, &n, text, 4096) == 1;
	ok &= EVP_EncryptFinal_ex(c, out, &n) == 1;
	ok &= EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

static inline int ossl_xts(const uint8_t key[64], uint32_t domain, uint64_t index, uint64_t seq,
			   const uint8_t *text, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t tweak[16];
	int n, ok;

	le(tweak, (uint64_t)domain << 56 | index, 8);
	le(tweak + 8, seq, 8);
	ok = EVP_EncryptInit_ex(c, EVP_aes_256_xts(), NULL, key, tweak) == 1;
	ok &= EVP_EncryptUpdate(c, out, &n, text, 4096) == 1 && n == 4096;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

static inline int ossl_hmac(const uint8_t key[32], uint32_t domain, uint64_t index, uint64_t seq,
			    const uint8_t *text, uint8_t tag[16])
{
	uint8_t in[24 + 4096], full[32];
	unsigned int n = 32;

	le(in, domain, 4);
	le(in + 4, 0, 4);
	le(in + 8, index, 8);
	le(in + 16, seq, 8);
	memcpy(in + 24, text, 4096);
	if (!HMAC(EVP_sha256(), key, 32, in, sizeof(in), full, &n))
		return 0;
	memcpy(tag, full, 16);
	return 1;
}

/* @kind: 0 XTS + GMAC, 1 XTS + HMAC, 2 GCM, 3 XTS + tag of GCM over the ciphertext */
static inline int ossl_seal(int kind, const uint8_t xts[64], const uint8_t mac[32], uint32_t domain,
			    uint64_t index, uint64_t seq, const uint8_t *text, uint8_t *out,
			    uint8_t tag[16])
{
	uint8_t none[16], dropped[4096];

	if (kind == 2)
		return ossl_gcm(mac, domain, seq, NULL, text, out, tag);
	if (!ossl_xts(xts, domain, index, seq, text, out))
		return 0;
	if (kind == 1)
		return ossl_hmac(mac, domain, index, seq, out, tag);
	if (kind == 3)
		return ossl_gcm(mac, domain, seq, NULL, out, dropped, tag);
	return ossl_gcm(mac, domain, seq, out, NULL, none, tag);
}

#endif
