// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* jws_sign.c - see jws_sign.h */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "base/file.h"
#include "base/jcs.h"
#include "crypto/pubkey.h"
#include "jws_sign.h"

#define XY	  32
#define SIGNATURE 64	       /* 2 * XY */
#define KEY_MAX	  65536	       /* bytes of a file */
#define NONCE	  "nonce-type" /* OSSL_SIGNATURE_PARAM_NONCE_TYPE, from OpenSSL 3.2 on */

static EVP_PKEY *ccdm_jws_evp(const struct ccdm_jws_key *key)
{
	return (EVP_PKEY *)key;
}

/* ---- keys ------------------------------------------------------------------------ */

/* OpenSSL asks for a passphrase; nobody answers. */
static int ccdm_jws_passphrase(char *buf, int size, int writes, void *arg)
{
	bool *asked = arg;

	(void)buf;
	(void)size;
	(void)writes;
	*asked = true;
	return -1;
}

static bool ccdm_jws_curve(const EVP_PKEY *key)
{
	char curve[32];

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 &&
	       !strcmp(curve, SN_X9_62_prime256v1);
}

static int ccdm_jws_key_read(const char *file, bool is_private, struct ccdm_jws_key **key,
			     struct ccdm_err *err)
{
	bool encrypted = false;
	EVP_PKEY *pkey = NULL;
	size_t size;
	char *text;
	BIO *bio;
	int r = ccdm_file_read(file, KEY_MAX, &text, &size, err);

	if (r)
		return r;
	bio = BIO_new_mem_buf(text, (int)size);
	if (bio && is_private)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, ccdm_jws_passphrase, &encrypted);
	else if (bio)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, ccdm_jws_passphrase, &encrypted);
	BIO_free(bio);
	OPENSSL_cleanse(text, size);
	free(text);
	ERR_clear_error();
	if (pkey && ccdm_jws_curve(pkey)) {
		*key = (struct ccdm_jws_key *)pkey;
		return 0;
	}
	if (encrypted) {
		ccdm_err_hint(err,
			      "decrypt it to a file of your own: openssl pkey -in %s -out FILE; "
			      "or sign elsewhere, with --to-sign",
			      file);
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected a key without a passphrase, found an "
				    "encrypted key",
				    file);
	}
	r = ccdm_err_set(err, -EINVAL, "%s: expected a %s key on P-256 in PEM%s", file,
			 is_private ? "private" : "public",
			 pkey ? ", found another kind of key" : "");
	EVP_PKEY_free(pkey);
	return r;
}

int ccdm_jws_key_private(const char *file, struct ccdm_jws_key **key, struct ccdm_err *err)
{
	int r;

	*key = NULL;
	r = ccdm_file_private(file, err);
	return r ? r : ccdm_jws_key_read(file, true, key, err);
}

int ccdm_jws_key_public(const char *file, struct ccdm_jws_key **key, struct ccdm_err *err)
{
	*key = NULL;
	return ccdm_jws_key_read(file, false, key, err);
}

void ccdm_jws_key_free(struct ccdm_jws_key *key)
{
	EVP_PKEY_free(ccdm_jws_evp(key)); /* OpenSSL wipes private halves */
}

/* X and Y, as a policy's key has them: OpenSSL may hold the point in another form. */
static struct ccdm_pubkey *ccdm_jws_point(const struct ccdm_jws_key *key, uint8_t xy[2 * XY])
{
	static const char *const names[] = { OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y };
	BIGNUM *n = NULL;
	unsigned int i;
	int good = 1;

	for (i = 0; good && i < 2; i++) {
		good = EVP_PKEY_get_bn_param(ccdm_jws_evp(key), names[i], &n) == 1 &&
		       BN_bn2binpad(n, xy + (size_t)i * XY, XY) == XY;
		BN_free(n);
		n = NULL;
	}
	ERR_clear_error();
	return good ? ccdm_pubkey_p256(xy) : NULL;
}

int ccdm_jws_key_hash(const struct ccdm_jws_key *key, char hex[65])
{
	uint8_t xy[2 * XY];
	struct ccdm_pubkey *public = ccdm_jws_point(key, xy);
	struct ccdm_digest digest;
	int r = public ? ccdm_pubkey_hash(public, &digest) : -ENOMEM;

	if (!r)
		ccdm_hex(digest.bytes, digest.size, hex);
	ccdm_pubkey_free(public);
	return r;
}

int ccdm_jws_key_pem(const struct ccdm_jws_key *key, char **text)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long size;

	*text = NULL;
	if (bio && PEM_write_bio_PUBKEY(bio, ccdm_jws_evp(key)) == 1) {
		size = BIO_get_mem_data(bio, &bytes);
		*text = strndup(bytes, (size_t)size);
	}
	BIO_free(bio);
	return *text ? 0 : -ENOMEM;
}

/* ---- texts ----------------------------------------------------------------------- */

static json_t *ccdm_jws_header(const struct ccdm_jws_key *key, const char *typ)
{
	uint8_t xy[2 * XY];
	struct ccdm_pubkey *public = ccdm_jws_point(key, xy);
	char *x = NULL, *y = NULL;
	json_t *header = NULL;

	if (public) {
		x = ccdm_base64url(xy, XY);
		y = ccdm_base64url(xy + XY, XY);
	}
	if (x && y)
		header = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "alg", "ES256", "typ", typ,
				   "jwk", "crv", "P-256", "kty", "EC", "x", x, "y", y);
	free(x);
	free(y);
	ccdm_pubkey_free(public);
	return header;
}

static int ccdm_jws_encode(const json_t *o, char **text)
{
	char *plain;
	int r = o ? ccdm_jcs(o, &plain) : -ENOMEM;

	if (r)
		return r;
	*text = ccdm_base64url(plain, strlen(plain));
	free(plain);
	return *text ? 0 : -ENOMEM;
}

int ccdm_jws_to_sign(const struct ccdm_jws_key *key, const char *typ, const json_t *payload,
		     char **text)
{
	json_t *header = ccdm_jws_header(key, typ);
	char *first = NULL, *second = NULL;
	int r = ccdm_jws_encode(header, &first);

	if (!r)
		r = ccdm_jws_encode(payload, &second);
	if (!r && asprintf(text, "%s.%s", first, second) < 0)
		r = -ENOMEM;
	json_decref(header);
	free(first);
	free(second);
	return r;
}

static int ccdm_jws_join(const char *text, const uint8_t raw[SIGNATURE], char **jws)
{
	char *signature = ccdm_base64url(raw, SIGNATURE);
	int n = signature ? asprintf(jws, "%s.%s", text, signature) : -1;

	free(signature);
	return n < 0 ? -ENOMEM : 0;
}

/* r and s of a DER sequence, which must fill @der. */
static int ccdm_jws_der(const uint8_t *der, size_t size, uint8_t raw[SIGNATURE])
{
	const uint8_t *at = der;
	ECDSA_SIG *sig =
		size <= (size_t)2 * SIGNATURE ? d2i_ECDSA_SIG(NULL, &at, (long)size) : NULL;
	int r = -EINVAL;

	if (sig && at == der + size && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, XY) == XY &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + XY, XY) == XY)
		r = 0;
	ECDSA_SIG_free(sig);
	ERR_clear_error();
	return r;
}

int ccdm_jws_attach(const char *text, const void *signature, size_t size, char **jws,
		    struct ccdm_err *err)
{
	uint8_t raw[SIGNATURE];

	if (size == sizeof(raw))
		memcpy(raw, signature, size);
	else if (ccdm_jws_der(signature, size, raw))
		return ccdm_err_set(
			err, -EINVAL,
			"the signature: expected ECDSA on P-256, in DER or as r and s of "
			"32 bytes each, found %zu bytes of another form",
			size);
	return ccdm_jws_join(text, raw, jws) ? ccdm_err_memory(err) : 0;
}

/* ---- signing --------------------------------------------------------------------- */

/* Set the nonce's origin, if this OpenSSL knows it. */
static bool ccdm_jws_nonce(EVP_PKEY_CTX *ctx)
{
	unsigned int type = 1; /* RFC 6979 */
	OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(NONCE, &type),
				OSSL_PARAM_construct_end() };
	const OSSL_PARAM *can = EVP_PKEY_CTX_settable_params(ctx);

	return can && OSSL_PARAM_locate_const(can, NONCE) &&
	       EVP_PKEY_CTX_set_params(ctx, params) == 1;
}

bool ccdm_jws_deterministic(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool can = ctx && EVP_PKEY_sign_init(ctx) == 1 && ccdm_jws_nonce(ctx);

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return can;
}

int ccdm_jws_sign(const struct ccdm_jws_key *key, const char *text, char **jws,
		  struct ccdm_err *err)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t der[2 * SIGNATURE], raw[SIGNATURE];
	EVP_PKEY_CTX *ctx = NULL;
	size_t size = sizeof(der);
	int good;

	if (!md)
		return ccdm_err_memory(err);
	good = EVP_DigestSignInit_ex(md, &ctx, "SHA256", NULL, NULL, ccdm_jws_evp(key), NULL) == 1;
	if (good)
		(void)!ccdm_jws_nonce(ctx);
	good = good && EVP_DigestSign(md, der, &size, (const uint8_t *)text, strlen(text)) == 1 &&
	       !ccdm_jws_der(der, size, raw);
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	if (!good)
		return ccdm_err_set(err, -EIO, "signing failed: expected a private key on P-256");
	return ccdm_jws_join(text, raw, jws) ? ccdm_err_memory(err) : 0;
}
