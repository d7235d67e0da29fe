// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* jwe.c - see jwe.h */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "jwe.h"
#include "crypto/pubkey.h"

#define ALG "ECDH-ES+A256KW"

enum {
	XY = 32,
	KEY = 32,
	WRAPPED = 40,
	IV = 12,
	TAG = 16,
};

/* ---- keys ---------------------------------------------------------------- */

static EVP_PKEY *ccdm_tee_evp(const struct ccdm_tee_key *key)
{
	return (EVP_PKEY *)key;
}

struct ccdm_tee_key *ccdm_tee_key_new(void)
{
	return (struct ccdm_tee_key *)EVP_EC_gen("P-256");
}

void ccdm_tee_key_free(struct ccdm_tee_key *key)
{
	EVP_PKEY_free(ccdm_tee_evp(key)); /* OpenSSL wipes the private key */
}

/* Write the public key's coordinates: X, then Y. */
static int ccdm_tee_point(const struct ccdm_tee_key *key, uint8_t xy[2 * XY])
{
	uint8_t point[1 + 2 * XY];
	size_t n;

	if (EVP_PKEY_get_octet_string_param(ccdm_tee_evp(key), OSSL_PKEY_PARAM_PUB_KEY, point,
					    sizeof(point), &n) != 1 ||
	    n != sizeof(point) || point[0] != 4)
		return -EINVAL;
	memcpy(xy, point + 1, sizeof(point) - 1);
	return 0;
}

json_t *ccdm_tee_key_jwk(const struct ccdm_tee_key *key)
{
	uint8_t xy[2 * XY];
	json_t *jwk = NULL;
	char *x, *y;

	if (ccdm_tee_point(key, xy))
		return NULL;
	x = ccdm_base64url(xy, XY);
	y = ccdm_base64url(xy + XY, XY);
	if (x && y)
		jwk = json_pack("{s:s, s:s, s:s, s:s, s:s}", "alg", ALG, "crv", "P-256", "kty",
				"EC", "x", x, "y", y);
	free(x);
	free(y);
	return jwk;
}

static int ccdm_jwk_number(const json_t *jwk, const char *key, uint8_t to[XY])
{
	const char *text = json_string_value(json_object_get(jwk, key));
	uint8_t *bytes;
	size_t size;
	int r;

	r = text ? ccdm_base64_decode(text, true, XY, &bytes, &size) : -EINVAL;
	if (r)
		return r;
	if (size == XY)
		memcpy(to, bytes, XY);
	free(bytes);
	return size == XY ? 0 : -EINVAL;
}

static bool ccdm_json_is(const json_t *o, const char *key, const char *want)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value && !strcmp(value, want);
}

int ccdm_tee_key_from_jwk(const json_t *jwk, struct ccdm_tee_key **key, struct ccdm_err *err)
{
	uint8_t xy[2 * XY];

	*key = NULL;
	if (!ccdm_json_is(jwk, "kty", "EC") || !ccdm_json_is(jwk, "crv", "P-256") ||
	    (json_object_get(jwk, "alg") && !ccdm_json_is(jwk, "alg", ALG)))
		return ccdm_err_set(err, -EINVAL, "the key: expected EC, P-256, " ALG);
	if (ccdm_jwk_number(jwk, "x", xy) || ccdm_jwk_number(jwk, "y", xy + XY))
		return ccdm_err_set(err, -EINVAL,
				    "the key's x and y: expected 32 bytes each in base64url");
	/* Both types are an EVP_PKEY. */
	*key = (struct ccdm_tee_key *)ccdm_pubkey_p256(xy);
	return *key ? 0 : ccdm_err_set(err, -EINVAL, "the key is not a point on P-256");
}

/* ---- key agreement ------------------------------------------------------------ */

int ccdm_jwe_kek(const uint8_t *z, size_t size, uint8_t kek[32])
{
	/* RFC 7518, 4.6.2: length and ALG, empty PartyUInfo and PartyVInfo, key size 256 */
	static const uint8_t info[] = "\0\0\0\x0e" ALG "\0\0\0\0\0\0\0\0\0\0\1\0";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)z, size),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info,
						  sizeof(info) - 1),
		OSSL_PARAM_construct_end(),
	};
	int good = ctx && EVP_KDF_derive(ctx, kek, KEY, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	ERR_clear_error();
	return good ? 0 : -ENOMEM;
}

static int ccdm_jwe_agree(const struct ccdm_tee_key *mine, const struct ccdm_tee_key *theirs,
			  uint8_t kek[KEY])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ccdm_tee_evp(mine), NULL);
	uint8_t z[XY];
	size_t n = sizeof(z);
	int r = -ENOMEM;

	/* coverage: no memory in OpenSSL */
	if (ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, ccdm_tee_evp(theirs)) == 1 &&
	    EVP_PKEY_derive(ctx, z, &n) == 1 && n == sizeof(z))
		r = ccdm_jwe_kek(z, sizeof(z), kek);
	OPENSSL_cleanse(z, sizeof(z));
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return r;
}

/* AES-256 key wrap, RFC 3394. */
static int ccdm_jwe_wrap(const uint8_t kek[KEY], const uint8_t *in, int size, uint8_t *out,
			 bool wrap)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0, good;

	if (!ctx)
		return -ENOMEM;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	good = EVP_CipherInit_ex(ctx, EVP_aes_256_wrap(), NULL, kek, NULL, wrap) == 1 &&
	       EVP_CipherUpdate(ctx, out, &n, in, size) == 1 &&
	       EVP_CipherFinal_ex(ctx, out + n, &last) == 1 &&
	       /* coverage: EVP_CipherUpdate() refuses an incomplete input */
	       n + last == (wrap ? WRAPPED : KEY);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return good ? 0 : -EBADMSG;
}

/* AES-256-GCM. Sealing writes @tag, opening compares it. */
static int ccdm_jwe_gcm(const uint8_t cek[KEY], const uint8_t iv[IV], const char *aad,
			const uint8_t *in, size_t size, uint8_t *out, uint8_t tag[TAG], bool seal)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, good;

	if (!ctx)
		return -ENOMEM;
	good = EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, cek, iv, seal) == 1 &&
	       EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)aad, (int)strlen(aad)) == 1 &&
	       EVP_CipherUpdate(ctx, out, &n, in, (int)size) == 1 && n == (int)size &&
	       (seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1) &&
	       EVP_CipherFinal_ex(ctx, out + n, &n) == 1 &&
	       (!seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return good ? 0 : -EBADMSG;
}

/* ---- sealing --------------------------------------------------------------------- */

/* The protected header. Its text is authenticated, and readers build it again in this order. */
static char *ccdm_jwe_header(const struct ccdm_tee_key *epk)
{
	char *x = NULL, *y = NULL, *text = NULL, *b64 = NULL;
	uint8_t xy[2 * XY];

	if (!ccdm_tee_point(epk, xy)) {
		x = ccdm_base64url(xy, XY);
		y = ccdm_base64url(xy + XY, XY);
	}
	if (x && y &&
	    asprintf(&text,
		     "{\"alg\":\"" ALG "\",\"enc\":\"A256GCM\",\"epk\":{\"crv\":\"P-256\","
		     "\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}}",
		     x, y) > 0)
		b64 = ccdm_base64url(text, strlen(text));
	free(x);
	free(y);
	free(text);
	return b64;
}

static char *ccdm_jwe_text(const char *header, const uint8_t *wrapped, const uint8_t *iv,
			   const uint8_t *sealed, size_t size, const uint8_t *tag)
{
	char *part[4] = { ccdm_base64url(wrapped, WRAPPED), ccdm_base64url(iv, IV),
			  ccdm_base64url(sealed, size), ccdm_base64url(tag, TAG) };
	char *text = NULL;
	size_t i;

	if (part[0] && part[1] && part[2] && part[3] &&
	    asprintf(&text,
		     "{\"protected\":\"%s\",\"encrypted_key\":\"%s\",\"iv\":\"%s\","
		     "\"ciphertext\":\"%s\",\"tag\":\"%s\"}",
		     header, part[0], part[1], part[2], part[3]) < 0)
		text = NULL;
	for (i = 0; i < 4; i++)
		free(part[i]);
	return text;
}

int ccdm_jwe_seal(const struct ccdm_tee_key *to, const void *bytes, size_t size, char **text)
{
	uint8_t kek[KEY], cek[KEY], wrapped[WRAPPED + 8], iv[IV], tag[TAG];
	struct ccdm_tee_key *epk = ccdm_tee_key_new();
	/* coverage: the store holds no secret of this size */
	uint8_t *sealed = size <= CCDM_JWE_MAX ? malloc(size + 16) : NULL;
	char *header = epk ? ccdm_jwe_header(epk) : NULL;
	int r = sealed && header ? 0 : -ENOMEM;

	*text = NULL;
	if (!r && (RAND_priv_bytes(cek, sizeof(cek)) != 1 || RAND_bytes(iv, sizeof(iv)) != 1))
		r = -EIO;
	if (!r)
		r = ccdm_jwe_agree(epk, to, kek);
	if (!r)
		r = ccdm_jwe_wrap(kek, cek, KEY, wrapped, true);
	if (!r)
		r = ccdm_jwe_gcm(cek, iv, header, bytes, size, sealed, tag, true);
	if (!r) {
		*text = ccdm_jwe_text(header, wrapped, iv, sealed, size, tag);
		r = *text ? 0 : -ENOMEM;
	}
	OPENSSL_cleanse(kek, sizeof(kek));
	OPENSSL_cleanse(cek, sizeof(cek));
	ccdm_tee_key_free(epk);
	free(sealed);
	free(header);
	return r;
}

/* ---- opening ------------------------------------------------------------------------ */

/* Decode a member of exactly @size bytes; 0: of any size. */
static int ccdm_jwe_member(const json_t *jwe, const char *key, size_t size, uint8_t **bytes,
			   size_t *n, struct ccdm_err *err)
{
	const char *text = json_string_value(json_object_get(jwe, key));
	int r = text ? ccdm_base64_decode(text, true, size ? size : CCDM_JWE_MAX, bytes, n)
		     : -EINVAL;

	if (!r && size && *n != size) {
		free(*bytes);
		*bytes = NULL;
		r = -EINVAL;
	}
	if (r == -ENOMEM)
		return r;
	if (r)
		return ccdm_err_set(err, -EINVAL, "JWE: invalid member %s", key);
	return 0;
}

/* Check the header, and read the sender's key from it. */
static int ccdm_jwe_epk(const json_t *jwe, struct ccdm_tee_key **epk, struct ccdm_err *err)
{
	uint8_t *text;
	json_t *header;
	size_t size;
	int r;

	r = ccdm_jwe_member(jwe, "protected", 0, &text, &size, err);
	if (r)
		return r;
	header = json_loadb((char *)text, size, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (!ccdm_json_is(header, "alg", ALG) || !ccdm_json_is(header, "enc", "A256GCM"))
		r = ccdm_err_set(err, -EINVAL, "JWE: expected alg " ALG " and enc A256GCM");
	/* crit names extensions that a reader must understand */
	else if (json_object_get(header, "crit") || json_object_get(header, "zip"))
		r = ccdm_err_set(err, -EINVAL,
				 "JWE: found crit or zip in the header, which is not supported");
	else
		r = ccdm_tee_key_from_jwk(json_object_get(header, "epk"), epk, err);
	json_decref(header);
	return r;
}

int ccdm_jwe_open(const struct ccdm_tee_key *key, const json_t *jwe, uint8_t **bytes, size_t *size,
		  struct ccdm_err *err)
{
	uint8_t *wrapped = NULL, *iv = NULL, *sealed = NULL, *tag = NULL, *out = NULL;
	uint8_t kek[KEY], cek[KEY + 8];
	struct ccdm_tee_key *epk = NULL;
	size_t n = 0, any;
	int r;

	*bytes = NULL;
	*size = 0;
	r = ccdm_jwe_epk(jwe, &epk, err);
	if (!r)
		r = ccdm_jwe_member(jwe, "encrypted_key", WRAPPED, &wrapped, &any, err);
	if (!r)
		r = ccdm_jwe_member(jwe, "iv", IV, &iv, &any, err);
	if (!r)
		r = ccdm_jwe_member(jwe, "ciphertext", 0, &sealed, &n, err);
	if (!r)
		r = ccdm_jwe_member(jwe, "tag", TAG, &tag, &any, err);
	if (!r)
		r = ccdm_jwe_agree(key, epk, kek);
	if (!r) {
		out = OPENSSL_malloc(n + 16);
		r = out ? ccdm_jwe_wrap(kek, wrapped, WRAPPED, cek, false) : -ENOMEM;
	}
	if (!r)
		r = ccdm_jwe_gcm(cek, iv, json_string_value(json_object_get(jwe, "protected")),
				 sealed, n, out, tag, false);
	OPENSSL_cleanse(kek, sizeof(kek));
	OPENSSL_cleanse(cek, sizeof(cek));
	ccdm_tee_key_free(epk);
	free(wrapped);
	free(iv);
	free(sealed);
	free(tag);
	if (r) {
		if (out)
			OPENSSL_clear_free(out, n + 16);
		return r == -EBADMSG
			       ? ccdm_err_set(
					 err, r,
					 "JWE: decryption failed: it is for another key, or was changed")
			       : r;
	}
	*bytes = out;
	*size = n;
	return 0;
}
