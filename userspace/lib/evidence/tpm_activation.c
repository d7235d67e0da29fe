// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tpm_activation.c - see tpm_activation.h */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include "base/json.h"
#include "tpm_activation.h"

#define SEED 32 /* bytes; the seed is as long as the EK's name hash */
#define NEED                                                                                \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
	 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT)

/* ---- EK and AK as a pair --------------------------------------------------------- */

void ccdm_tpm_pair_drop(struct ccdm_tpm_pair *pair)
{
	/* a key from a certificate is freed with the certificate */
	if (!pair->ek_cert)
		ccdm_pubkey_free(pair->ek);
	ccdm_pubkey_free(pair->ak);
	memset(pair, 0, sizeof(*pair));
}

static int ccdm_pair_ek(const json_t *o, struct ccdm_certs *certs, struct ccdm_tpm_pair *pair,
			struct ccdm_err *err)
{
	const json_t *cert = json_object_get(o, "ek-cert");
	uint8_t *bytes;
	size_t size;
	int r;

	if (cert) {
		r = ccdm_json_base64(cert, "ek-cert", CCDM_EK_CERT_MAX, &bytes, &size, err);
		if (r)
			return r;
		r = ccdm_certs_add(certs, "ek-cert", bytes, size, &pair->ek_cert, err);
		if (!r && pair->ek_cert)
			pair->ek = (struct ccdm_pubkey *)ccdm_cert_key(pair->ek_cert);
	} else {
		r = ccdm_json_base64(json_object_get(o, "ek-pub"), "ek-pub", CCDM_TPM_AREA_MAX,
				     &bytes, &size, err);
		if (r)
			return r;
		pair->ek = ccdm_pubkey_spki(bytes, size);
	}
	free(bytes);
	if (!r && (!pair->ek || !ccdm_pubkey_is_rsa(pair->ek)))
		r = ccdm_err_set(err, -EINVAL, "%s: expected an RSA key",
				 cert ? "ek-cert" : "ek-pub");
	return r;
}

static struct ccdm_pubkey *ccdm_pair_key(const TPMT_PUBLIC *area)
{
	const TPMS_ECC_POINT *point = &area->unique.ecc;
	uint32_t e = area->parameters.rsaDetail.exponent;
	uint8_t xy[64] = { 0 }, exponent[4];

	if (area->type == TPM2_ALG_RSA) {
		e = e ? e : 65537;
		exponent[0] = e >> 24;
		exponent[1] = e >> 16;
		exponent[2] = e >> 8;
		exponent[3] = e;
		return ccdm_pubkey_rsa(area->unique.rsa.buffer, area->unique.rsa.size, exponent,
				       sizeof(exponent));
	}
	if (area->type != TPM2_ALG_ECC ||
	    area->parameters.eccDetail.curveID != TPM2_ECC_NIST_P256 || point->x.size > 32 ||
	    point->y.size > 32)
		return NULL;
	memcpy(xy + 32 - point->x.size, point->x.buffer, point->x.size);
	memcpy(xy + 64 - point->y.size, point->y.buffer, point->y.size);
	return ccdm_pubkey_p256(xy);
}

/*
 * Template L-1 of the TCG EK Credential Profile, with RSA 2048. Its size is fixed: the SVSM's
 * report covers the hash of a nonce followed by the manifest. With a variable size, the end of a
 * chosen nonce could pass as the beginning of the manifest.
 */
static bool ccdm_ek_template(const TPMT_PUBLIC *area)
{
	const TPMS_RSA_PARMS *rsa = &area->parameters.rsaDetail;

	return area->type == TPM2_ALG_RSA && area->nameAlg == TPM2_ALG_SHA256 &&
	       area->authPolicy.size == 32 && rsa->symmetric.algorithm == TPM2_ALG_AES &&
	       rsa->symmetric.keyBits.aes == 128 && rsa->symmetric.mode.aes == TPM2_ALG_CFB &&
	       rsa->scheme.scheme == TPM2_ALG_NULL && rsa->keyBits == 2048 && !rsa->exponent &&
	       area->unique.rsa.size == 256;
}

struct ccdm_pubkey *ccdm_tpm_ek_parse(const uint8_t *bytes, size_t size)
{
	const TPMA_OBJECT need = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED |
				 TPMA_OBJECT_DECRYPT;
	TPMT_PUBLIC area = { 0 };
	size_t at = 0;

	if (Tss2_MU_TPMT_PUBLIC_Unmarshal(bytes, size, &at, &area) || at != size ||
	    (area.objectAttributes & need) != need ||
	    area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT || !ccdm_ek_template(&area))
		return NULL;
	return ccdm_pair_key(&area);
}

static int ccdm_pair_ak(const json_t *o, struct ccdm_tpm_pair *pair, struct ccdm_err *err)
{
	TPMT_PUBLIC area = { 0 };
	struct ccdm_digest d;
	uint8_t *bytes;
	size_t size, at = 0;
	int r;

	r = ccdm_json_base64(json_object_get(o, "ak-pub"), "ak-pub", CCDM_TPM_AREA_MAX, &bytes,
			     &size, err);
	if (r)
		return r;
	if (Tss2_MU_TPMT_PUBLIC_Unmarshal(bytes, size, &at, &area) || at != size ||
	    area.nameAlg != TPM2_ALG_SHA256)
		r = ccdm_err_set(err, -EINVAL, "ak-pub: expected a TPMT_PUBLIC with SHA-256");
	if (!r) {
		pair->ak = ccdm_pair_key(&area);
		if (!pair->ak)
			r = ccdm_err_set(err, -EINVAL, "ak-pub: expected an RSA or P-256 key");
	}
	if (!r) {
		pair->attributes = area.objectAttributes;
		r = ccdm_digest_of(CCDM_ALG_SHA256, bytes, size, NULL, 0, &d);
	}
	if (!r) {
		pair->name[0] = TPM2_ALG_SHA256 >> 8;
		pair->name[1] = TPM2_ALG_SHA256 & 0xff;
		memcpy(pair->name + 2, d.bytes, CCDM_TPM_NAME_SIZE - 2);
	}
	free(bytes);
	return r;
}

int ccdm_tpm_pair_parse(const json_t *o, struct ccdm_certs *certs, struct ccdm_tpm_pair *pair,
			struct ccdm_err *err)
{
	int r;

	memset(pair, 0, sizeof(*pair));
	r = ccdm_pair_ek(o, certs, pair, err);
	if (!r)
		r = ccdm_pair_ak(o, pair, err);
	if (r)
		ccdm_tpm_pair_drop(pair);
	return r;
}

/* ---- credentials ------------------------------------------------------------------ */

/* KDFa of the TPM specification with SHA-256; OpenSSL's name for it is KBKDF. */
static bool ccdm_kdfa(const uint8_t seed[SEED], const char *label, const uint8_t *name,
		      size_t name_size, uint8_t *out, size_t size)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, "COUNTER", 0),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, "HMAC", 0),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)seed, SEED),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)label,
						  strlen(label)),
		name_size ? OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)name,
							      name_size)
			  : OSSL_PARAM_construct_end(),
		OSSL_PARAM_construct_end(),
	};
	bool good = ctx && EVP_KDF_derive(ctx, out, size, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good;
}

static bool ccdm_cfb(const uint8_t key[16], const uint8_t *text, size_t size, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const uint8_t iv[16] = { 0 };
	int n = 0, end = 0;
	bool good = ctx && EVP_EncryptInit_ex2(ctx, EVP_aes_128_cfb128(), key, iv, NULL) == 1 &&
		    EVP_EncryptUpdate(ctx, out, &n, text, (int)size) == 1 &&
		    EVP_EncryptFinal_ex(ctx, out + n, &end) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return good && n + end == (int)size;
}

/* Build a TPMS_ID_OBJECT: the MAC with its length, and the encrypted value with its length. */
static bool ccdm_credential_blob(const uint8_t seed[SEED], const uint8_t *name,
				 const uint8_t *value, uint8_t blob[2 + 32 + 2 + 32])
{
	uint8_t key[16], mac_key[32], text[2 + CCDM_CREDENTIAL_MAX] = { 0, CCDM_CREDENTIAL_MAX };
	uint8_t covered[sizeof(text) + CCDM_TPM_NAME_SIZE];
	size_t n = 0;
	bool good;

	memcpy(text + 2, value, CCDM_CREDENTIAL_MAX);
	good = ccdm_kdfa(seed, "STORAGE", name, CCDM_TPM_NAME_SIZE, key, sizeof(key)) &&
	       ccdm_cfb(key, text, sizeof(text), covered) &&
	       ccdm_kdfa(seed, "INTEGRITY", NULL, 0, mac_key, sizeof(mac_key));
	memcpy(covered + sizeof(text), name, CCDM_TPM_NAME_SIZE);
	blob[0] = 0;
	blob[1] = 32;
	good = good && EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, mac_key, sizeof(mac_key),
				 covered, sizeof(covered), blob + 2, 32, &n);
	memcpy(blob + 2 + 32, covered, sizeof(text));
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(mac_key, sizeof(mac_key));
	OPENSSL_cleanse(text, sizeof(text));
	return good && n == 32;
}

json_t *ccdm_tpm_credential_make(const struct ccdm_tpm_pair *pair,
				 const uint8_t value[CCDM_CREDENTIAL_MAX])
{
	uint8_t seed[SEED], secret[1024], blob[2 + 32 + 2 + CCDM_CREDENTIAL_MAX];
	size_t size = sizeof(secret);
	json_t *o = NULL;

	/* the label includes its NUL */
	if (RAND_bytes(seed, sizeof(seed)) == 1 &&
	    !ccdm_pubkey_oaep(pair->ek, "IDENTITY", sizeof("IDENTITY"), seed, sizeof(seed), secret,
			      &size) &&
	    ccdm_credential_blob(seed, pair->name, value, blob))
		o = json_pack("{s:o, s:o}", "blob", ccdm_json_make(blob, sizeof(blob)), "secret",
			      ccdm_json_make(secret, size));
	OPENSSL_cleanse(seed, sizeof(seed));
	return o;
}

/* ---- judging ------------------------------------------------------------------------ */

static bool ccdm_activation_value(const json_t *o, const struct ccdm_tpm_pair *pair,
				  const struct ccdm_trust *trust)
{
	struct ccdm_err ignored;
	uint8_t *value;
	size_t size;
	bool good;

	if (!trust->activated || ccdm_json_base64(json_object_get(o, "value"), "value",
						  CCDM_CREDENTIAL_MAX, &value, &size, &ignored))
		return false;
	good = size == CCDM_CREDENTIAL_MAX && trust->activated(trust->activated_arg, pair, value);
	free(value);
	return good;
}

static int ccdm_activation_ek(const struct ccdm_tpm_pair *pair, const struct ccdm_trust *trust,
			      struct ccdm_verdict *v)
{
	struct ccdm_path path = {
		.prefix = "ek-",
		.at = trust->at,
		.anchors = trust->ek_anchors,
		.nr_anchors = trust->ek_anchors ? trust->nr_ek_anchors : 0,
	};
	/* The certificate of a known EK is not checked: the guest could have left it out. */
	bool known = trust->known && trust->known(trust->known_arg, pair->ek);
	int r;

	if (trust->svsm_ek) {
		known = ccdm_pubkey_equal(pair->ek, trust->svsm_ek);
		ccdm_verdict_add(v, "ek", known, 0, "the key in the SVSM's manifest", "%s",
				 known ? "it" : "another key");
		return 0;
	}
	ccdm_verdict_add(v, "ek", known || pair->ek_cert, 0, "a known key, or a certificate of it",
			 "%s",
			 known		 ? "a known key"
			 : pair->ek_cert ? "a certificate"
					 : "neither");
	if (known || !pair->ek_cert)
		return 0;
	r = ccdm_certs_path(trust->certs, pair->ek_cert, &path, v);
	ccdm_cert_usage(pair->ek_cert, CCDM_USAGE_EK, false, "ek-usage", v);
	return r;
}

int ccdm_tpm_activation_judge(const json_t *o, const struct ccdm_pubkey *ak,
			      const struct ccdm_trust *trust, struct ccdm_verdict *v,
			      struct ccdm_err *err)
{
	struct ccdm_tpm_pair pair;
	bool good;
	int r = ccdm_tpm_pair_parse(o, trust->certs, &pair, err);

	if (r)
		return r;
	good = ccdm_pubkey_equal(ak, pair.ak);
	ccdm_verdict_add(v, "ak", good, 0, "the activated key", "%s", good ? "it" : "another key");
	good = (pair.attributes & NEED) == NEED && !(pair.attributes & TPMA_OBJECT_DECRYPT);
	ccdm_verdict_add(v, "ak-attributes", good, 0,
			 "a restricted signing key that never leaves its TPM", "%#x",
			 pair.attributes);
	good = ccdm_activation_value(o, &pair, trust);
	ccdm_verdict_add(v, "activation", good, 0, "the value of this session's credential", "%s",
			 good		    ? "it"
			 : trust->activated ? "another"
					    : "no session");
	r = ccdm_activation_ek(&pair, trust, v);
	ccdm_tpm_pair_drop(&pair);
	return r;
}
