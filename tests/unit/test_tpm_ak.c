// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Quotes of a TPM: with its own attestation key, and with a key that a provider certifies.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <tss2/tss2_mu.h>
#include "base/json.h"
#include "chip_questions.h"
#include "evidence/tpm_json.h"
#include "gce.h"
#include "provider.h"
#include "chip_test.h"

static struct ccdm_tpm_signed out;

/* ---- lies ---------------------------------------------------------------------------- */

/* PCR_Read: return no selection. */
static void no_selection(uint8_t *answer, size_t *size)
{
	uint8_t *p = answer + CHIP_HEADER + 4;

	memmove(p + 4, p + 10, *size - CHIP_HEADER - 14);
	chip_put_u32(p, 0);
	*size -= 6;
}

/* PCR_Read: return PCR 0 only. */
static void first_only(uint8_t *answer, size_t *size)
{
	size_t at = CHIP_HEADER + 8 + 6, value = answer[at + 5];

	memcpy(answer + at - 3, (uint8_t[]){ 1, 0, 0 }, 3);
	chip_put_u32(answer + at, 1);
	*size = at + 4 + 2 + value;
}

/* GetCapability: claim that SHA-1 is the only bank with registers. */
static void sha1_only(uint8_t *answer, size_t *size)
{
	uint32_t i, n = chip_u32(answer + CHIP_HEADER + 5);

	for (i = 0; i < n; i++)
		if (answer[CHIP_HEADER + 10 + 6 * i] != TPM2_ALG_SHA1)
			memset(answer + CHIP_HEADER + 12 + 6 * i, 0, 3);
	(void)size;
}

/* CreatePrimary returns: a handle, the parameters' size, a public area, here of a P-256 key. */
#define POINT (CHIP_HEADER + 4 + 4 + 2 + 20)

/*
 * Recompute the name in a changed answer, because the library compares it: the hash of the
 * public area, in front of a session of 5 bytes.
 */
static void rename_key(uint8_t *answer, size_t size)
{
	const uint8_t *area = answer + POINT - 20;

	assert_true(EVP_Digest(area, area[-2] << 8 | area[-1], answer + size - 5 - 32, NULL,
			       EVP_sha256(), NULL));
}

/* CreatePrimary: return a point that is not on the curve. */
static void no_point(uint8_t *answer, size_t *size)
{
	answer[POINT + 2] ^= 1;
	rename_key(answer, *size);
}

/* CreatePrimary: return x of 33 bytes and y of 31. */
static void long_x(uint8_t *answer, size_t *size)
{
	answer[POINT + 1] = 33;
	answer[POINT + 2 + 33] = 0;
	answer[POINT + 2 + 34] = 31;
	rename_key(answer, *size);
}

/* CreatePrimary: return x of 31 bytes and y of 33. */
static void long_y(uint8_t *answer, size_t *size)
{
	answer[POINT + 1] = 31;
	answer[POINT + 2 + 31] = 0;
	answer[POINT + 2 + 32] = 33;
	rename_key(answer, *size);
}

/* ---- its own attestation key --------------------------------------------------------- */

static void quotes(void **state)
{
	static const uint8_t nonce[49] = "nonce";

	(void)state;
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
	assert_true(out.ak_size && out.message_size && out.signature_size);
	is(ccdm_tpm_quote(tpm, 0, nonce, 33, &out, &err), -EINVAL, "expected at most 32 bytes");
	is(ccdm_tpm_quote(tpm, CHIP_KEPT, nonce, 49, &out, &err), -EINVAL,
	   "expected at most 48 bytes");
	is(ccdm_tpm_quote(tpm, CHIP_KEPT, nonce, 48, &out, &err), -EIO,
	   "cannot open the attestation key");
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "cannot create an attestation key");
	lie(TPM2_CC_CreatePrimary, 0, no_point);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "not a point on P-256");
	lie(TPM2_CC_CreatePrimary, 0, long_x);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "not a point on P-256");
	lie(TPM2_CC_CreatePrimary, 0, long_y);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "not a point on P-256");
	refuse(TPM2_CC_Quote, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "cannot sign a quote");
	lie(TPM2_CC_GetCapability, 0, sha1_only);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no bank of SHA-256");
	refuse(TPM2_CC_PCR_Read, BANKS);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "cannot read PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, no_value);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "did not return all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, shorter_value);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "did not return all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, no_selection);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "did not return all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, first_only);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "did not return all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, other_value);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EAGAIN, "changed at every attempt");
	/* none of these calls left a key in the TPM, which holds three */
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
}

/* ---- a key that the provider of the TPM certifies ------------------------------------- */

/* Store a certificate of the provider for @key. */
static void gce_put_cert(uint32_t index, struct provider *p, EVP_PKEY *key)
{
	X509 *x = pki_cert(&(struct pki_want){
		.cn = "AK", .key = key, .issuer = p->ca, .issuer_key = p->ca_key, .serial = 3 });
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);

	assert_true(n > 0);
	gce_put(tpm, index, der, n);
	OPENSSL_free(der);
	X509_free(x);
}

/* Expect that the last quote verifies under @key, and that its certificate is of @key. */
static void gce_verify(EVP_PKEY *key)
{
	static const uint8_t nonce[32] = "nonce";
	struct ccdm_pubkey *spki = ccdm_pubkey_spki(out.ak, out.ak_size);
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	json_t *pem = ccdm_tpm_signed_cert(&out), *o;
	struct ccdm_tpm_facts facts;
	struct ccdm_tpm_quote quote;
	struct ccdm_pubkey *ak;
	BIO *bio;
	X509 *x;

	assert_non_null(spki);
	bio = BIO_new_mem_buf(json_string_value(pem), -1);
	x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(x);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), key), 1);
	o = json_pack("{s:{s:o, s:o, s:o}, s:o}", "tpm_quote", "signature",
		      ccdm_json_make(out.signature, out.signature_size), "message",
		      ccdm_json_make(out.message, out.message_size), "pcrs",
		      ccdm_tpm_signed_pcrs(&out), "ak_public", ccdm_json_make(out.ak, out.ak_size));
	assert_int_equal(ccdm_tpm_json_parse(o, &quote, &ak, &err), 0);
	assert_true(ccdm_pubkey_equal(ak, spki));
	assert_int_equal(ccdm_tpm_quote_verify(&quote, ak, nonce, 32, "", &facts, v), 0);
	assert_true(v->count);
	for (unsigned int i = 0; i < v->count; i++)
		assert_true(v->check[i].passed);
	free(v);
	ccdm_pubkey_free(ak);
	ccdm_pubkey_free(spki);
	json_decref(o);
	json_decref(pem);
	X509_free(x);
	BIO_free(bio);
}

/* With a template and a certificate at @cert, the quote comes with this certificate. */
static void gce(const TPM2B_PUBLIC *template, uint32_t cert)
{
	static const uint8_t nonce[32] = "nonce", garbage[] = { 0x30, 0x82, 0, 2, 1, 2 };
	struct provider p = provider_new();
	EVP_PKEY *key = gce_key(tpm, template), *foreign = pki_key("P-256");
	TPM2B_PUBLIC open = *template;

	/* a template without a certificate: the TPM uses ccdm's own key, which nobody certified */
	gce_put_template(tpm, cert + 1, template);
	assert_false(ccdm_tpm_ak_certified(tpm));
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
	assert_int_equal(out.ak_cert_size, 0);
	gce_put_cert(cert, &p, key);
	assert_true(ccdm_tpm_ak_certified(tpm));
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
	gce_verify(key);
	/* a certificate for the key of another TPM, and bytes that are no certificate */
	gce_put_cert(cert, &p, foreign);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "is not the one in its certificate");
	gce_put(tpm, cert, garbage, sizeof(garbage));
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "has no X.509 certificate");
	gce_put(tpm, cert, (const uint8_t[]){ 0x31, 0x82, 0, 2 }, 4);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "expected a certificate");
	gce_put(tpm, cert, (const uint8_t[]){ 0x30, 0x82, 4, 0 }, 4);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "expected a certificate");
	gce_put_cert(cert, &p, key);
	/* templates: a key that signs any data, a key that may leave its TPM, garbage */
	open.publicArea.objectAttributes &= ~TPMA_OBJECT_RESTRICTED;
	gce_put_template(tpm, cert + 1, &open);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "expected a template of an attestation key");
	open.publicArea.objectAttributes = GCE_SIGNS & ~TPMA_OBJECT_FIXEDTPM;
	gce_put_template(tpm, cert + 1, &open);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "expected a template of an attestation key");
	gce_put(tpm, cert + 1, garbage, sizeof(garbage));
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "expected a template of an attestation key");
	gce_put_template(tpm, cert + 1, template);
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "cannot create an attestation key from");
	refuse(TPM2_CC_NV_Read, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "cannot read an NV index");
	/* none of these calls left a key in the TPM */
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
	gce_verify(key);
	EVP_PKEY_free(foreign);
	EVP_PKEY_free(key);
	provider_free(&p);
}

static void gce_p256(void **state)
{
	(void)state;
	gce(&gce_ecc, GCE_ECC_CERT);
}

static void gce_rsa_2048(void **state)
{
	(void)state;
	gce(&gce_rsa, GCE_RSA_CERT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(quotes, begin, end),
		cmocka_unit_test_setup_teardown(gce_p256, begin, end),
		cmocka_unit_test_setup_teardown(gce_rsa_2048, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
