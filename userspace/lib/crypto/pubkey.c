// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* pubkey.c - see pubkey.h */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include "pubkey.h"

static EVP_PKEY *ccdm_evp(const struct ccdm_pubkey *key)
{
	return (EVP_PKEY *)key;
}

void ccdm_pubkey_free(struct ccdm_pubkey *key)
{
	EVP_PKEY_free(ccdm_evp(key));
}

static bool ccdm_pubkey_curve(const EVP_PKEY *key)
{
	char curve[32];

	return EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 &&
	       (!strcmp(curve, SN_X9_62_prime256v1) || !strcmp(curve, SN_secp384r1));
}

/* Return: the key if ccdm supports its type and size; otherwise frees it and returns NULL. */
static struct ccdm_pubkey *ccdm_pubkey_fit(EVP_PKEY *key)
{
	int bits = key ? EVP_PKEY_get_bits(key) : 0;

	ERR_clear_error();
	if (key && ((EVP_PKEY_is_a(key, "RSA") && bits >= 2048 && bits <= 8192) ||
		    (EVP_PKEY_is_a(key, "EC") && ccdm_pubkey_curve(key))))
		return (struct ccdm_pubkey *)key;
	EVP_PKEY_free(key);
	return NULL;
}

struct ccdm_pubkey *ccdm_pubkey_spki(const void *der, size_t size)
{
	const uint8_t *at = der;
	EVP_PKEY *key = size <= 4096 ? d2i_PUBKEY(NULL, &at, (long)size) : NULL;
	uint8_t *again = NULL;
	int n;

	/*
	 * OpenSSL keeps the form in which it read a key: perhaps compressed, or with an explicit
	 * curve. Ask for one form, to compare with it.
	 */
	if (key && EVP_PKEY_is_a(key, "EC") &&
	    (EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
					    "uncompressed") != 1 ||
	     EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
					    OSSL_PKEY_EC_ENCODING_GROUP) != 1)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	n = key ? i2d_PUBKEY(key, &again) : 0;
	if (n <= 0 || (size_t)n != size || memcmp(again, der, size)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	OPENSSL_free(again);
	return ccdm_pubkey_fit(key);
}

struct ccdm_pubkey *ccdm_pubkey_rsa(const uint8_t *n, size_t n_size, const uint8_t *e,
				    size_t e_size)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *bn = NULL, *be = NULL;
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (n_size <= 1024 && e_size <= 8) {
		bn = BN_bin2bn(n, (int)n_size, NULL);
		be = BN_bin2bn(e, (int)e_size, NULL);
	}
	if (ctx && build && bn && be && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be))
		params = OSSL_PARAM_BLD_to_param(build);
	if (params && EVP_PKEY_fromdata_init(ctx) == 1)
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(bn);
	BN_free(be);
	EVP_PKEY_CTX_free(ctx);
	return ccdm_pubkey_fit(key);
}

struct ccdm_pubkey *ccdm_pubkey_p256(const uint8_t xy[64])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t point[65] = { 4 };
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};

	memcpy(point + 1, xy, sizeof(point) - 1);
	if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	return ccdm_pubkey_fit(key);
}

int ccdm_pubkey_hash(const struct ccdm_pubkey *key, struct ccdm_digest *digest)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY((EVP_PKEY *)key, &der), r;

	r = n > 0 ? ccdm_digest_of(CCDM_ALG_SHA256, der, n, NULL, 0, digest) : -ENOMEM;
	OPENSSL_free(der);
	return r;
}

int ccdm_pubkey_der(const struct ccdm_pubkey *key, uint8_t *der, size_t *size)
{
	uint8_t *bytes = NULL;
	int n = i2d_PUBKEY((EVP_PKEY *)key, &bytes);
	int r = n <= 0 ? -ENOMEM : (size_t)n > *size ? -ENOSPC : 0;

	if (!r) {
		memcpy(der, bytes, n);
		*size = n;
	}
	OPENSSL_free(bytes);
	return r;
}

bool ccdm_pubkey_is_rsa(const struct ccdm_pubkey *key)
{
	return EVP_PKEY_is_a(ccdm_evp(key), "RSA");
}

int ccdm_pubkey_oaep(const struct ccdm_pubkey *key, const char *label, size_t label_size,
		     const uint8_t *text, size_t size, uint8_t *out, size_t *out_size)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ccdm_evp(key), NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE,
						 OSSL_PKEY_RSA_PAD_MODE_OAEP, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, (void *)label,
						  label_size),
		OSSL_PARAM_construct_end(),
	};
	bool good = ctx && ccdm_pubkey_is_rsa(key) && EVP_PKEY_encrypt_init_ex(ctx, params) == 1 &&
		    EVP_PKEY_encrypt(ctx, out, out_size, text, size) == 1;
	int r = !ctx ? -ENOMEM : good ? 0 : -EINVAL;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return r;
}

bool ccdm_pubkey_equal(const struct ccdm_pubkey *a, const struct ccdm_pubkey *b)
{
	return a && b && EVP_PKEY_eq(ccdm_evp(a), ccdm_evp(b)) == 1;
}

static uint8_t *ccdm_signature_der(const struct ccdm_signature *s, int *size)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int half = (int)s->size / 2;
	BIGNUM *br = BN_bin2bn(s->bytes, half, NULL), *bs = BN_bin2bn(s->bytes + half, half, NULL);
	uint8_t *der = NULL;

	*size = 0;
	if (sig && br && bs && ECDSA_SIG_set0(sig, br, bs)) {
		*size = i2d_ECDSA_SIG(sig, &der);
	} else {
		BN_free(br);
		BN_free(bs);
	}
	ECDSA_SIG_free(sig);
	return der;
}

int ccdm_pubkey_verify(const struct ccdm_pubkey *key, const struct ccdm_signature *s,
		       const void *text, size_t size)
{
	bool rsa = EVP_PKEY_is_a(ccdm_evp(key), "RSA");
	const char *hash = ccdm_digest_name(s->hash);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	const uint8_t *bytes = s->bytes;
	int len = (int)s->size, good;
	uint8_t *der = NULL;

	if (!ctx)
		return -ENOMEM;
	good = hash && rsa == (s->scheme != CCDM_ECDSA) &&
	       EVP_DigestVerifyInit_ex(ctx, &pctx, hash, NULL, NULL, ccdm_evp(key), NULL) == 1;
	if (good && s->scheme == CCDM_RSAPSS)
		good = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_AUTO) == 1;
	if (good && s->scheme == CCDM_ECDSA) {
		bytes = der = ccdm_signature_der(s, &len);
		good = der && len > 0;
	}
	good = good && EVP_DigestVerify(ctx, bytes, len, text, size) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good ? 0 : -EBADMSG;
}

int ccdm_pubkey_ecdsa(const struct ccdm_pubkey *key, const uint8_t *r, const uint8_t *s, size_t n,
		      const void *text, size_t size)
{
	int bits = key ? EVP_PKEY_get_bits(ccdm_evp(key)) : 0;
	struct ccdm_signature signature = {
		.scheme = CCDM_ECDSA,
		.hash = bits == 256 ? CCDM_ALG_SHA256 : CCDM_ALG_SHA384,
		.size = 2 * n,
	};

	if ((bits != 256 && bits != 384) || n > 66)
		return -EBADMSG;
	memcpy(signature.bytes, r, n);
	memcpy(signature.bytes + n, s, n);
	return ccdm_pubkey_verify(key, &signature, text, size);
}
