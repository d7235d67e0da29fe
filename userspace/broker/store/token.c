// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* token.c - see token.h */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/base64.h"
#include "base/file.h"
#include "kbs/jws.h"
#include "kbs/kbs.h"
#include "base/json.h"
#include "crypto/pubkey.h"
#include "token.h"

enum { XY = 32 };

static EVP_PKEY *ccdm_signer_evp(const struct ccdm_signer *signer)
{
	return (EVP_PKEY *)signer;
}

struct ccdm_signer *ccdm_signer_new(void)
{
	return (struct ccdm_signer *)EVP_EC_gen("P-256");
}

void ccdm_signer_free(struct ccdm_signer *signer)
{
	EVP_PKEY_free(ccdm_signer_evp(signer));
}

int ccdm_signer_load(const char *file, struct ccdm_signer **signer, struct ccdm_err *err)
{
	int r = ccdm_file_private(file, err);
	EVP_PKEY *key = NULL;
	FILE *f;

	*signer = NULL;
	if (r)
		return r;
	f = fopen(file, "re");
	if (!f)
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	if (!key || !EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_bits(key) != 256)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a private key on P-256", file);
	fclose(f);
	ERR_clear_error();
	if (r) {
		EVP_PKEY_free(key);
		return r;
	}
	*signer = (struct ccdm_signer *)key;
	return 0;
}

json_t *ccdm_signer_jwk(const struct ccdm_signer *signer)
{
	uint8_t point[1 + 2 * XY];
	json_t *jwk = NULL;
	char *x, *y;
	size_t n;

	if (EVP_PKEY_get_octet_string_param(ccdm_signer_evp(signer), OSSL_PKEY_PARAM_PUB_KEY, point,
					    sizeof(point), &n) != 1 ||
	    n != sizeof(point))
		return NULL;
	x = ccdm_base64url(point + 1, XY);
	y = ccdm_base64url(point + 1 + XY, XY);
	if (x && y)
		jwk = json_pack("{s:s, s:s, s:s, s:s, s:s}", "alg", "ES256", "crv", "P-256", "kty",
				"EC", "x", x, "y", y);
	free(x);
	free(y);
	return jwk;
}

/* Sign the text before the second dot: r, then s. */
static int ccdm_token_signature(const struct ccdm_signer *signer, const char *text, size_t size,
				uint8_t raw[2 * XY])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = NULL;
	uint8_t der[128];
	const uint8_t *at = der;
	size_t len = sizeof(der);
	bool good;

	good = ctx &&
	       EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, ccdm_signer_evp(signer)) == 1 &&
	       EVP_DigestSign(ctx, der, &len, (const uint8_t *)text, size) == 1;
	if (good)
		sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	good = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, XY) == XY &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + XY, XY) == XY;
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	return good ? 0 : -EIO;
}

int ccdm_token_sign(const struct ccdm_signer *signer, const json_t *claims, char **token)
{
	json_t *jwk = ccdm_signer_jwk(signer), *header;
	char *text[2] = { NULL, NULL }, *part[3] = { NULL, NULL, NULL }, *both = NULL;
	uint8_t raw[2 * XY];
	int r = -ENOMEM, n;

	*token = NULL;
	header =
		jwk ? json_pack("{s:s, s:s, s:o}", "alg", "ES256", "typ", "JWT", "jwk", jwk) : NULL;
	text[0] = header ? ccdm_json_dump(header, JSON_COMPACT) : NULL;
	text[1] = ccdm_json_dump(claims, JSON_COMPACT);
	if (text[0] && text[1]) {
		part[0] = ccdm_base64url(text[0], strlen(text[0]));
		part[1] = ccdm_base64url(text[1], strlen(text[1]));
	}
	if (part[0] && part[1] && (n = asprintf(&both, "%s.%s", part[0], part[1])) > 0) {
		r = ccdm_token_signature(signer, both, n, raw);
		part[2] = r ? NULL : ccdm_base64url(raw, sizeof(raw));
		if (!r && (!part[2] || asprintf(token, "%s.%s", both, part[2]) < 0)) {
			*token = NULL;
			r = -ENOMEM;
		}
		free(both);
	}
	json_decref(header);
	free(text[0]);
	free(text[1]);
	free(part[0]);
	free(part[1]);
	free(part[2]);
	return r;
}

int ccdm_token_verify(const struct ccdm_signer *signer, const char *token, int64_t now,
		      json_t **claims)
{
	const char *payload, *signature, *alg;
	json_t *header, *exp;
	int r = -EINVAL;

	*claims = NULL;
	if (!ccdm_jws_split(token, CCDM_KBS_TOKEN_MAX, &payload, &signature))
		return -EINVAL;
	header = ccdm_jws_part(token, payload - 1 - token);
	alg = json_string_value(json_object_get(header, "alg"));
	/* There is only one key; ignore what the header says about keys. */
	if (alg && !strcmp(alg, "ES256") &&
	    ccdm_jws_signed((const struct ccdm_pubkey *)signer, token, signature))
		*claims = ccdm_jws_part(payload, signature - 1 - payload);
	json_decref(header);
	exp = json_object_get(*claims, "exp");
	if (json_is_integer(exp)) {
		if (json_integer_value(exp) > now)
			return 0;
		r = -ETIME;
	}
	json_decref(*claims);
	*claims = NULL;
	return r;
}
