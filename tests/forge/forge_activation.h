/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * forge_activation.h - keys of a TPM, and activation of a credential, with OpenSSL
 *
 * This is an independent implementation of the key derivation; it shares no code with the tested
 * one.
 */
#ifndef CCDM_TEST_FORGE_ACTIVATION_H
#define CCDM_TEST_FORGE_ACTIVATION_H

#include <jansson.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include "base/base64.h"
#include "forge_tpm.h"
#include "pki.h"

#define FORGE_AK 0x00050472 /* restricted, sign, userWithAuth, sensitiveDataOrigin, fixed, noDA */
#define FORGE_EK 0x000300b2 /* restricted, decrypt, adminWithPolicy, sensitiveDataOrigin, fixed */

/* Write the beginning of a TPMT_PUBLIC, up to the part that depends on its type. */
static inline void forge_area_head(uint8_t **p, uint16_t type, uint32_t attributes, uint16_t hash,
				   uint16_t scheme)
{
	forge_be(p, type, 2);
	forge_be(p, hash, 2);
	forge_be(p, attributes, 4);
	forge_be(p, 0, 2);
	forge_be(p, 0x10, 2);
	forge_be(p, scheme, 2);
	forge_be(p, 0x0b, 2);
}

/* Write the TPMT_PUBLIC of a P-256 key. Return: its size in bytes */
static inline size_t forge_area(EVP_PKEY *key, uint32_t attributes, uint16_t hash, uint8_t *out)
{
	uint8_t point[65], *p = out;
	size_t n;

	pki_must(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
						 &n));
	forge_area_head(&p, 0x23, attributes, hash, 0x18);
	forge_be(&p, 3, 2);
	forge_be(&p, 0x10, 2);
	forge_be(&p, 32, 2);
	memcpy(p, point + 1, 32);
	p += 32;
	forge_be(&p, 32, 2);
	memcpy(p, point + 33, 32);
	return p + 32 - out;
}

/* Write the TPMT_PUBLIC of an endorsement key. Return: its size in bytes */
static inline size_t forge_manifest(EVP_PKEY *key, uint32_t attributes, bool big, uint8_t *out)
{
	const int size = big ? 512 : 256;
	BIGNUM *n = NULL;
	uint8_t *p = out;

	pki_must(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n));
	forge_be(&p, 1, 2);
	forge_be(&p, 0x0b, 2);
	forge_be(&p, attributes, 4);
	forge_be(&p, 32, 2);
	memset(p, 0x83, 32);
	p += 32;
	forge_be(&p, 6, 2);
	forge_be(&p, 128, 2);
	forge_be(&p, 0x43, 2);
	forge_be(&p, 0x10, 2);
	forge_be(&p, 8 * size, 2);
	forge_be(&p, 0, 4);
	forge_be(&p, size, 2);
	BN_bn2binpad(n, p, size);
	BN_free(n);
	return p + size - out;
}

static inline void forge_kdfa(const uint8_t *seed_, const char *label, const uint8_t *context,
			      size_t size, unsigned int bits, uint8_t *out)
{
	uint8_t text[128], *p = text, mac[32];

	forge_be(&p, 1, 4);
	memcpy(p, label, strlen(label) + 1);
	p += strlen(label) + 1;
	if (size)
		memcpy(p, context, size);
	p += size;
	forge_be(&p, bits, 4);
	HMAC(EVP_sha256(), seed_, 32, text, p - text, mac, NULL);
	memcpy(out, mac, bits / 8);
}

static inline size_t forge_member(const json_t *o, const char *key, uint8_t **bytes)
{
	size_t size;

	pki_must(!ccdm_base64_decode(json_string_value(json_object_get(o, key)), false, 4096, bytes,
				     &size));
	return size;
}

/* Do what TPM2_ActivateCredential does, for @key and an AK named @name. Return: success */
static inline bool forge_activate(EVP_PKEY *key, const json_t *credential, const uint8_t name[34],
				  uint8_t value[32])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t *blob, *secret, opened[256], sym[16], mac_key[32], mac[32], covered[34 + 34],
		text[34], iv[16] = { 0 };
	size_t blob_size = forge_member(credential, "blob", &blob),
	       secret_size = forge_member(credential, "secret", &secret), n = sizeof(opened);
	EVP_CIPHER_CTX *cfb = EVP_CIPHER_CTX_new();
	bool good;
	int out;

	pki_must(blob_size == 2 + 32 + 34);
	pki_must(EVP_PKEY_decrypt_init(ctx));
	pki_must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING));
	pki_must(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()));
	pki_must(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_memdup("IDENTITY", 9), 9));
	good = EVP_PKEY_decrypt(ctx, opened, &n, secret, secret_size) == 1 && n == 32;
	if (good) {
		forge_kdfa(opened, "STORAGE", name, 34, 128, sym);
		forge_kdfa(opened, "INTEGRITY", NULL, 0, 256, mac_key);
		memcpy(covered, blob + 34, 34);
		memcpy(covered + 34, name, 34);
		HMAC(EVP_sha256(), mac_key, 32, covered, 68, mac, NULL);
		good = !memcmp(mac, blob + 2, 32);
		pki_must(EVP_DecryptInit_ex(cfb, EVP_aes_128_cfb128(), NULL, sym, iv));
		pki_must(EVP_DecryptUpdate(cfb, text, &out, blob + 34, 34));
		memcpy(value, text + 2, 32);
	}
	EVP_CIPHER_CTX_free(cfb);
	EVP_PKEY_CTX_free(ctx);
	free(blob);
	free(secret);
	return good;
}

#endif
