// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * A TPM as its host may make it: what it is asked goes to a real one (swtpm), and what comes back
 * is a refusal, a lie, or nothing. Each is an error with its text; nothing of it is believed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <tss2/tss2_mu.h>
#include "chip.h"
#include "chip_questions.h"
#include "gce.h"
#include "provider.h"
#include "base/file.h"
#include "boot/measure.h"
#include "base/json.h"
#include "evidence/tpm_activation.h"
#include "tpm/tpm_esys.h"
#include "evidence/tpm_json.h"

#define EK_CERT 0x01c00002
#define EK	0x81010001
#define BANKS	4 /* of swtpm: SHA-1, SHA-256, SHA-384, SHA-512 */
#define REFUSED TPM2_RC_FAILURE

static struct ccdm_tpm *tpm;
static struct ccdm_err err;
static struct ccdm_digests values;
static struct ccdm_tpm_signed out;

static int begin(void **state)
{
	(void)state;
	chip_begin();
	return ccdm_tpm_open(CHIP_DEVICE, &tpm, &err);
}

static int end(void **state)
{
	(void)state;
	ccdm_tpm_close(tpm);
	chip_end();
	return 0;
}

/* It was r, and the text says what. */
static void is(int r, int expected, const char *text)
{
	if (r != expected || !strstr(err.text, text))
		print_error("%d: %s\nexpected %d: %s\n", r, err.text, expected, text);
	assert_int_equal(r, expected);
	assert_non_null(strstr(err.text, text));
	chip_honest();
}

static void refuse(uint32_t command, unsigned int skip)
{
	chip.of = command;
	chip.skip = skip;
	chip.refuse = REFUSED;
}

static void lie(uint32_t command, unsigned int skip, void (*how)(uint8_t *answer, size_t *size))
{
	chip.of = command;
	chip.skip = skip;
	chip.lie = how;
}

/* ---- lies ---------------------------------------------------------------------------------- */

/* An answer with a session: how long its parameters are stands before them, the session behind. */
static void parameters(uint8_t *answer, size_t *size, size_t before, size_t now)
{
	uint8_t *p = answer + CHIP_HEADER + before;
	size_t had = chip_u32(p);

	memmove(p + 4 + now, p + 4 + had, *size - CHIP_HEADER - before - 4 - had);
	chip_put_u32(p, now);
	*size += now - had;
}

static void no_bank(uint8_t *answer, size_t *size)
{
	chip_put_u32(answer + 14, 0);
	parameters(answer, size, 0, 4);
}

/* One value, of SM3. */
static void unknown_bank(uint8_t *answer, size_t *size)
{
	chip_put_u32(answer + 14, 1);
	answer[18] = 0;
	answer[19] = TPM2_ALG_SM3_256;
	parameters(answer, size, 0, 4 + 2 + 32);
}

/* PCR_Read: a count of changes, a list of selections, a list of values. */
static void no_value(uint8_t *answer, size_t *size)
{
	size_t at = CHIP_HEADER + 8 + 6 * chip_u32(answer + CHIP_HEADER + 4);

	chip_put_u32(answer + at, 0);
	*size = at + 4;
}

/* The first value is a byte shorter. */
static void shorter_value(uint8_t *answer, size_t *size)
{
	size_t at = CHIP_HEADER + 8 + 6 * chip_u32(answer + CHIP_HEADER + 4) + 4;

	answer[at + 1]--;
	memmove(answer + at + 2, answer + at + 3, *size - at - 3);
	--*size;
}

static void no_selection(uint8_t *answer, size_t *size)
{
	uint8_t *p = answer + CHIP_HEADER + 4;

	memmove(p + 4, p + 10, *size - CHIP_HEADER - 14);
	chip_put_u32(p, 0);
	*size -= 6;
}

static void other_value(uint8_t *answer, size_t *size)
{
	answer[*size - 1] ^= 1;
}

/* PCR 0 alone, whatever was asked for. */
static void first_only(uint8_t *answer, size_t *size)
{
	size_t at = CHIP_HEADER + 8 + 6, value = answer[at + 5];

	memcpy(answer + at - 3, (uint8_t[]){ 1, 0, 0 }, 3);
	chip_put_u32(answer + at, 1);
	*size = at + 4 + 2 + value;
}

/* GetCapability: more, of what, a list. */
static void no_banks(uint8_t *answer, size_t *size)
{
	chip_put_u32(answer + CHIP_HEADER + 5, 0);
	*size = CHIP_HEADER + 9;
}

/* A bank of a hash that nobody knows, one without PCR 15, one of eight registers; the last is left. */
static void odd_banks(uint8_t *answer, size_t *size)
{
	uint8_t *p = answer + CHIP_HEADER + 9;

	p[1] = TPM2_ALG_SM3_256;
	p[6 + 4] = 0x7f;
	p[12 + 2] = 1;
	memmove(p + 12 + 4, p + 12 + 6, answer + *size - p - 18);
	*size -= 2;
}

static void curves(uint8_t *answer, size_t *size)
{
	unsigned int i;

	chip_put_u32(answer + CHIP_HEADER + 1, TPM2_CAP_ECC_CURVES);
	chip_put_u32(answer + CHIP_HEADER + 5, TPM2_MAX_ECC_CURVES);
	for (i = 0; i < 2 * TPM2_MAX_ECC_CURVES; i++)
		answer[CHIP_HEADER + 9 + i] = i & 1 ? TPM2_ALG_SHA256 : 0;
	*size = CHIP_HEADER + 9 + 2 * TPM2_MAX_ECC_CURVES;
}

static void old_hash_only(uint8_t *answer, size_t *size)
{
	uint32_t i, n = chip_u32(answer + CHIP_HEADER + 5);

	for (i = 0; i < n; i++)
		if (answer[CHIP_HEADER + 10 + 6 * i] != TPM2_ALG_SHA1)
			memset(answer + CHIP_HEADER + 12 + 6 * i, 0, 3);
	(void)size;
}

/* CreatePrimary: a handle, the parameters' size, a public area, of P-256 here. */
#define POINT (CHIP_HEADER + 4 + 4 + 2 + 20)

/* The name it gives is the hash of that area, before a session of 5 bytes: the library compares. */
static void named(uint8_t *answer, size_t size)
{
	const uint8_t *area = answer + POINT - 20;

	assert_true(EVP_Digest(area, area[-2] << 8 | area[-1], answer + size - 5 - 32, NULL,
			       EVP_sha256(), NULL));
}

static void no_point(uint8_t *answer, size_t *size)
{
	answer[POINT + 2] ^= 1;
	named(answer, *size);
}

static void long_point(uint8_t *answer, size_t *size)
{
	answer[POINT + 1] = 33;
	answer[POINT + 2 + 33] = 0;
	answer[POINT + 2 + 34] = 31;
	named(answer, *size);
}

static void other_long_point(uint8_t *answer, size_t *size)
{
	answer[POINT + 1] = 31;
	answer[POINT + 2 + 31] = 0;
	answer[POINT + 2 + 32] = 33;
	named(answer, *size);
}

static void shorter(uint8_t *answer, size_t *size)
{
	answer[15]--;
	parameters(answer, size, 0, chip_u32(answer + CHIP_HEADER) - 1);
}

/* ---- registers ------------------------------------------------------------------------------ */

static void registers(void **state)
{
	static char text[1100];

	(void)state;
	assert_int_equal(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), 0);
	assert_int_equal(values.count, BANKS);
	memset(text, 'x', sizeof(text) - 1);
	is(ccdm_tpm_extend(tpm, 15, text, &values, &err), -E2BIG, "an event takes 1024 bytes");
	{
		char *wraps = calloc(1, 65536 + 5);

		memset(wraps, 'x', 65536 + 4);
		is(ccdm_tpm_extend(tpm, 15, wraps, &values, &err), -E2BIG,
		   "an event takes 1024 bytes");
		free(wraps);
	}
	refuse(TPM2_CC_PCR_Event, 0);
	is(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), -EIO, "PCR cannot be extended");
	lie(TPM2_CC_PCR_Event, 0, no_bank);
	is(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), -EIO, "no bank of PCRs is active");
	lie(TPM2_CC_PCR_Event, 0, unknown_bank);
	is(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), -EIO, "no bank of PCRs is active");

	assert_int_equal(ccdm_tpm_read(tpm, 15, &values, &err), 0);
	assert_int_equal(values.count, BANKS);
	refuse(TPM2_CC_GetCapability, 0);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "does not tell its banks");
	lie(TPM2_CC_GetCapability, 0, curves);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "does not tell its banks");
	refuse(TPM2_CC_PCR_Read, 1);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "PCR cannot be read");
	lie(TPM2_CC_PCR_Read, 0, no_value);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "PCR 15: not one value of 20 bytes");
	lie(TPM2_CC_PCR_Read, 0, shorter_value);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "PCR 15: not one value of 20 bytes");
	lie(TPM2_CC_GetCapability, 0, odd_banks);
	assert_int_equal(ccdm_tpm_read(tpm, 15, &values, &err), 0);
	assert_int_equal(values.count, 1);
	assert_int_equal(values.digest[0].alg, CCDM_ALG_SHA512);
}

/* ---- quotes --------------------------------------------------------------------------------- */

static void quotes(void **state)
{
	static const uint8_t nonce[49] = "nonce";

	(void)state;
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
	assert_true(out.ak_size && out.message_size && out.signature_size);
	is(ccdm_tpm_quote(tpm, 0, nonce, 33, &out, &err), -EINVAL, "signs 32 bytes");
	is(ccdm_tpm_quote(tpm, CHIP_KEPT, nonce, 49, &out, &err), -EINVAL, "signs 48 bytes");
	is(ccdm_tpm_quote(tpm, CHIP_KEPT, nonce, 48, &out, &err), -EIO, "no attestation key");
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no attestation key can be made");
	lie(TPM2_CC_CreatePrimary, 0, no_point);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no point on P-256");
	lie(TPM2_CC_CreatePrimary, 0, long_point);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no point on P-256");
	lie(TPM2_CC_CreatePrimary, 0, other_long_point);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no point on P-256");
	refuse(TPM2_CC_Quote, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "does not sign its PCRs");
	lie(TPM2_CC_GetCapability, 0, old_hash_only);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "no bank of SHA-256");
	refuse(TPM2_CC_PCR_Read, BANKS);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "PCRs cannot be read");
	lie(TPM2_CC_PCR_Read, BANKS, no_value);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "does not tell all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, shorter_value);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "does not tell all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, no_selection);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "does not tell all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, first_only);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "does not tell all PCRs");
	lie(TPM2_CC_PCR_Read, BANKS, other_value);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EAGAIN, "change all the time");
	/* none of them has left a key behind: a TPM holds three */
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
}

/* ---- a key that the provider of the TPM certifies ----------------------------------------------- */

/* A certificate of the provider's for @key. */
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

/* Does the quote that was made verify under the key of the certificate beside it? */
static void gce_holds(EVP_PKEY *key)
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

static void gce(const TPM2B_PUBLIC *template, uint32_t cert)
{
	static const uint8_t nonce[32] = "nonce", garbage[] = { 0x30, 0x82, 0, 2, 1, 2 };
	struct provider p = provider_new();
	EVP_PKEY *key = gce_key(tpm, template), *foreign = pki_key("P-256");
	TPM2B_PUBLIC open = *template;

	/* a template alone, a certificate alone: its own key, of which nobody says anything */
	gce_put_template(tpm, cert + 1, template);
	assert_false(ccdm_tpm_ak_certified(tpm));
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
	assert_int_equal(out.ak_cert_size, 0);
	gce_put_cert(cert, &p, key);
	assert_true(ccdm_tpm_ak_certified(tpm));
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
	gce_holds(key);
	/* the key of another TPM */
	gce_put_cert(cert, &p, foreign);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "is not the one in its certificate");
	gce_put(tpm, cert, garbage, sizeof(garbage));
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "has no X.509 certificate");
	gce_put(tpm, cert, (const uint8_t[]){ 0x31, 0x82, 0, 2 }, 4);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "holds no certificate");
	gce_put(tpm, cert, (const uint8_t[]){ 0x30, 0x82, 4, 0 }, 4);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "holds no certificate");
	gce_put_cert(cert, &p, key);
	/* a key that signs what it is given, one that leaves its TPM, no key */
	open.publicArea.objectAttributes &= ~TPMA_OBJECT_RESTRICTED;
	gce_put_template(tpm, cert + 1, &open);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "no template of an attestation key");
	open.publicArea.objectAttributes = GCE_SIGNS & ~TPMA_OBJECT_FIXEDTPM;
	gce_put_template(tpm, cert + 1, &open);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "no template of an attestation key");
	gce_put(tpm, cert + 1, garbage, sizeof(garbage));
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "no template of an attestation key");
	gce_put_template(tpm, cert + 1, template);
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO,
	   "no attestation key can be made of");
	refuse(TPM2_CC_NV_Read, 0);
	is(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), -EIO, "cannot be read");
	/* none of them has left a key behind */
	assert_int_equal(ccdm_tpm_quote(tpm, 0, nonce, 32, &out, &err), 0);
	gce_holds(key);
	EVP_PKEY_free(foreign);
	EVP_PKEY_free(key);
	provider_free(&p);
}

static void gce_on_p256(void **state)
{
	(void)state;
	gce(&gce_ecc, GCE_ECC_CERT);
}

static void gce_by_rsa(void **state)
{
	(void)state;
	gce(&gce_rsa, GCE_RSA_CERT);
}

/* ---- what it keeps --------------------------------------------------------------------------- */

static void indices(void **state)
{
	uint8_t bytes[600] = { 1, 2, 3, 4, 5 }, got[600];
	size_t size;

	(void)state;
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -ENOENT,
	   "no NV index 0x1800100");
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, sizeof(bytes), &err), -EFBIG,
	   "600 bytes for an NV index");
	refuse(TPM2_CC_NV_DefineSpace, 0);
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), -EIO, "no NV index can be made");
	refuse(TPM2_CC_NV_Write, 0);
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), -EIO, "cannot be written");
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -ENOENT,
	   "was never written");
	assert_int_equal(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), 0);
	assert_int_equal(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), 0);
	assert_int_equal(size, 5);
	assert_memory_equal(got, bytes, 5);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, 4, &size, &err), -EFBIG,
	   "has 5 bytes, more than 4");
	refuse(TPM2_CC_NV_ReadPublic, 0);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -EIO, "NV index");
	refuse(TPM2_CC_NV_ReadPublic, 1);
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), -EIO, "NV index");
	refuse(TPM2_CC_NV_Read, 0);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -EIO,
	   "cannot be read");
	lie(TPM2_CC_NV_Read, 0, shorter);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -EIO,
	   "4 bytes instead of 5");
	assert_int_equal(size, 0);
	/* one that its owner alone may use */
	{
		const TPM2B_AUTH auth = { 0 };
		const TPM2B_NV_PUBLIC index = { .nvPublic = { .nvIndex = CHIP_INDEX + 1,
							      .nameAlg = TPM2_ALG_SHA256,
							      .attributes = TPMA_NV_OWNERWRITE |
									    TPMA_NV_OWNERREAD,
							      .dataSize = 5 } };
		ESYS_TR nv;

		assert_int_equal(Esys_NV_DefineSpace(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
						     ESYS_TR_NONE, ESYS_TR_NONE, &auth, &index,
						     &nv),
				 0);
		Esys_TR_Close(tpm->esys, &nv);
		assert_int_equal(ccdm_tpm_nv_write(tpm, CHIP_INDEX + 1, bytes, 5, &err), 0);
		assert_int_equal(
			ccdm_tpm_nv_read(tpm, CHIP_INDEX + 1, got, sizeof(got), &size, &err), 0);
		assert_memory_equal(got, bytes, 5);
	}
}

/* ---- its endorsement key --------------------------------------------------------------------- */

/* A key of another kind than the endorsement key where a key is kept. */
static void keep(uint32_t where)
{
	TPM2B_PUBLIC *area = NULL;
	ESYS_TR ak, kept;

	assert_int_equal(ccdm_tpm_ak_open(tpm, &ak, &area, &err), 0);
	Esys_Free(area);
	assert_int_equal(Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, ak, ESYS_TR_PASSWORD,
					   ESYS_TR_NONE, ESYS_TR_NONE, where, &kept),
			 0);
	Esys_FlushContext(tpm->esys, ak);
	Esys_TR_Close(tpm->esys, &kept);
}

/* One of RSA there, that is nearly an endorsement key, or is one. */
static void keep_rsa(TPMI_ALG_HASH name, TPMA_OBJECT attributes, uint16_t policy, uint8_t flip)
{
	static const uint8_t secret[] = { 0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8,
					  0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
					  0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64,
					  0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa };
	TPM2B_PUBLIC area = {
		.publicArea = { .type = TPM2_ALG_RSA,
				.nameAlg = name,
				.objectAttributes = attributes,
				.authPolicy.size = policy,
				.parameters.rsaDetail = { .symmetric = { .algorithm = TPM2_ALG_AES,
									 .keyBits.aes = 128,
									 .mode.aes = TPM2_ALG_CFB },
							  .scheme.scheme = TPM2_ALG_NULL,
							  .keyBits = 2048 },
				.unique.rsa.size = 256 }
	};
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	const TPM2B_DATA data = { 0 };
	ESYS_TR ek, kept;

	memcpy(area.publicArea.authPolicy.buffer, secret, sizeof(secret));
	area.publicArea.authPolicy.buffer[31] ^= flip;
	assert_int_equal(Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
					    ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &area, &data,
					    &pcrs, &ek, NULL, NULL, NULL, NULL),
			 0);
	assert_int_equal(Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, ek, ESYS_TR_PASSWORD,
					   ESYS_TR_NONE, ESYS_TR_NONE, EK, &kept),
			 0);
	Esys_FlushContext(tpm->esys, ek);
	Esys_TR_Close(tpm->esys, &kept);
}

/* What is there is only used if it is an endorsement key as it would be made. */
static void nearly(void **state)
{
	enum { GOOD = 0x300b2, USER = 0x40 };
	static const struct {
		TPMI_ALG_HASH name;
		TPMA_OBJECT attributes;
		uint16_t policy;
		uint8_t flip;
	} all[] = {
		{ TPM2_ALG_SHA256, GOOD, 32, 0 },	 { TPM2_ALG_SHA1, GOOD | USER, 0, 0 },
		{ TPM2_ALG_SHA256, GOOD | USER, 32, 0 }, { TPM2_ALG_SHA256, GOOD, 0, 0 },
		{ TPM2_ALG_SHA256, GOOD, 32, 1 },
	};
	json_t *pair, *again;
	ESYS_TR kept, none;
	size_t i;

	(void)state;
	assert_int_equal(ccdm_tpm_identity(tpm, &pair, &err), 0);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		keep_rsa(all[i].name, all[i].attributes, all[i].policy, all[i].flip);
		if (i)
			refuse(TPM2_CC_CreatePrimary, 1);
		if (i)
			is(ccdm_tpm_identity(tpm, &again, &err), -EIO,
			   "no endorsement key can be made");
		assert_int_equal(ccdm_tpm_identity(tpm, &again, &err), 0);
		assert_true(json_equal(pair, again));
		json_decref(again);
		assert_int_equal(Esys_TR_FromTPMPublic(tpm->esys, EK, ESYS_TR_NONE, ESYS_TR_NONE,
						       ESYS_TR_NONE, &kept),
				 0);
		assert_int_equal(Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, kept,
						   ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, 0,
						   &none),
				 0);
		Esys_TR_Close(tpm->esys, &kept);
	}
	json_decref(pair);
}

static void endorsement(void **state)
{
	static const uint8_t cert[] = { 0x30, 0x82, 0, 3, 1, 2, 3, 0xff, 0xff };
	json_t *pair, *again;

	(void)state;
	assert_int_equal(ccdm_tpm_identity(tpm, &pair, &err), 0);
	assert_non_null(json_object_get(pair, "ek-pub"));
	refuse(TPM2_CC_CreatePrimary, 1);
	is(ccdm_tpm_identity(tpm, &again, &err), -EIO, "no endorsement key can be made");
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_identity(tpm, &again, &err), -EIO, "no attestation key can be made");
	keep(EK);
	assert_int_equal(ccdm_tpm_identity(tpm, &again, &err), 0);
	assert_true(json_equal(pair, again));
	json_decref(again);
	refuse(TPM2_CC_ReadPublic, 1);
	assert_int_equal(ccdm_tpm_identity(tpm, &again, &err), 0);
	assert_true(json_equal(pair, again));
	json_decref(again);
	chip_honest();

	assert_int_equal(ccdm_tpm_nv_write(tpm, EK_CERT, cert, sizeof(cert), &err), 0);
	assert_int_equal(ccdm_tpm_identity(tpm, &again, &err), 0);
	assert_string_equal(json_string_value(json_object_get(again, "ek-cert")), "MIIAAwECAw==");
	assert_null(json_object_get(again, "ek-pub"));
	json_decref(again);
	json_decref(pair);
}

/* What was read of a key of another kind is not given back twice. */
static void broken_off(void **state)
{
	json_t *pair;

	(void)state;
	keep(EK);
	chip.of = TPM2_CC_CreatePrimary;
	chip.skip = 1;
	chip.break_off = true;
	is(ccdm_tpm_identity(tpm, &pair, &err), -EIO, "no endorsement key can be made");
	assert_null(pair);
}

static void left_out(const uint8_t *cert, size_t size)
{
	json_t *pair;

	assert_int_equal(ccdm_tpm_nv_write(tpm, EK_CERT, cert, size, &err), 0);
	assert_int_equal(ccdm_tpm_identity(tpm, &pair, &err), 0);
	assert_null(json_object_get(pair, "ek-cert"));
	json_decref(pair);
}

/* A certificate that ends after the index does, or is none, is left out. */
static void no_certificate(void **state)
{
	static const uint8_t longer[] = { 0x30, 0x82, 0, 6, 1, 2, 3, 4, 5 },
			     other[] = { 0x31, 0x82, 0, 1, 1 }, small[] = { 0x30, 0x81, 1, 1, 0 };

	(void)state;
	left_out(longer, sizeof(longer));
	left_out(other, sizeof(other));
	left_out(small, sizeof(small));
}

static void short_certificate(void **state)
{
	static const uint8_t three[] = { 0x30, 0x82, 0 };

	(void)state;
	left_out(three, sizeof(three));
}

static void activation(void **state)
{
	uint8_t value[CCDM_CREDENTIAL_MAX] = "a value that only the TPM tells";
	static const char *const names[] = { "blob", "secret" };
	struct ccdm_certs *certs = ccdm_certs_new();
	struct ccdm_tpm_pair keys;
	json_t *pair, *credential, *got, *want, *bad;
	unsigned int i;

	(void)state;
	assert_int_equal(ccdm_tpm_identity(tpm, &pair, &err), 0);
	assert_int_equal(ccdm_tpm_pair_parse(pair, certs, &keys, &err), 0);
	credential = ccdm_tpm_credential_make(&keys, value);
	assert_non_null(credential);
	assert_int_equal(ccdm_tpm_activate(tpm, credential, &got, &err), 0);
	want = ccdm_json_make(value, sizeof(value));
	assert_true(json_equal(got, want));
	json_decref(got);
	for (i = 0; i < 2; i++) {
		bad = json_deep_copy(credential);
		json_object_del(bad, names[i]);
		is(ccdm_tpm_activate(tpm, bad, &got, &err), -EINVAL, names[i]);
		assert_null(got);
		json_decref(bad);
	}
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "no attestation key can be made");
	refuse(TPM2_CC_CreatePrimary, 1);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "no endorsement key can be made");
	refuse(TPM2_CC_StartAuthSession, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "credential is not for it");
	refuse(TPM2_CC_PolicySecret, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "credential is not for it");
	refuse(TPM2_CC_ActivateCredential, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO, "credential is not for it");
	assert_null(got);
	/* nothing of them is left in it */
	assert_int_equal(ccdm_tpm_activate(tpm, credential, &got, &err), 0);
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
	json_decref(credential);
	json_decref(pair);
	ccdm_tpm_pair_drop(&keys);
	ccdm_certs_free(certs);
}

/* ---- none ---------------------------------------------------------------------------------------- */

static void no_tpm(void **state)
{
	struct ccdm_tpm *none = (void *)1;

	(void)state;
	is(ccdm_tpm_open("/dev/ccdm-none", &none, &err), -ENODEV,
	   "there is no TPM (/dev/ccdm-none)");
	assert_null(none);
	chip_gone = true;
	is(ccdm_tpm_open(CHIP_DEVICE, &none, &err), -EIO, "cannot be opened");
	chip_gone = false;
	assert_null(none);
}

/* ---- all of it, as seeds ------------------------------------------------------------------------ */

static void questions(void **state)
{
	static const uint8_t value[CCDM_CREDENTIAL_MAX] = "value";
	struct ccdm_certs *certs = ccdm_certs_new();
	struct ccdm_tpm_pair keys;
	json_t *pair, *credential;
	const char *q;

	(void)state;
	assert_int_equal(ccdm_tpm_identity(tpm, &pair, &err), 0);
	assert_int_equal(ccdm_tpm_pair_parse(pair, certs, &keys, &err), 0);
	credential = ccdm_tpm_credential_make(&keys, value);
	keep(CHIP_KEPT);
	chip.said_size = 1;
	for (q = CHIP_QUESTIONS; *q; q++) {
		assert_int_equal(chip_question(tpm, *q, credential, &err), 0);
		chip_seed(*q);
	}
	json_decref(credential);
	json_decref(pair);
	ccdm_tpm_pair_drop(&keys);
	ccdm_certs_free(certs);
}

/* ---- what was measured ----------------------------------------------------------------------- */

static void measured(void **state)
{
	char log[] = "/tmp/ccdm-chip-log-XXXXXX";
	int fd = mkstemp(log);
	struct ccdm_measure_to to = { .tpm = tpm, .log = log };
	struct ccdm_measure_values now;
	struct ccdm_digests signer;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ccdm_measure_event(&to, "ccdm-base:1", &err), 0);
	assert_int_equal(ccdm_tpm_read(tpm, CCDM_MEASURE_SIGNER_PCR, &signer, &err), 0);
	assert_int_equal(ccdm_measure_event(&to, "ccdm-signer:1", &err), 0);
	assert_int_equal(ccdm_tpm_read(tpm, CCDM_MEASURE_SIGNER_PCR, &values, &err), 0);
	assert_memory_not_equal(values.digest[0].bytes, signer.digest[0].bytes, 20);
	assert_int_equal(ccdm_measure_check(&to, &now, &err), 0);
	assert_int_equal(now.pcr.count, BANKS);
	assert_int_equal(now.rtmr.size, 0);
	/* a second log need not be there */
	to.after = "/nonexistent/ccdm.log";
	assert_int_equal(ccdm_measure_check(&to, &now, &err), 0);
	to.after = "/dev/null";
	assert_int_equal(ccdm_measure_check(&to, &now, &err), 0);
	to.after = NULL;
	lie(TPM2_CC_PCR_Read, 0, other_value);
	is(ccdm_measure_check(&to, &now, &err), -EBADMSG, "the log replays to");
	lie(TPM2_CC_GetCapability, 0, no_banks);
	is(ccdm_measure_check(&to, &now, &err), -EBADMSG, "names no bank that has PCR 15");
	refuse(TPM2_CC_PCR_Event, 0);
	is(ccdm_measure_event(&to, "ccdm-ready:1", &err), -EIO, "PCR cannot be extended");
	assert_int_equal(ccdm_measure_check(&to, &now, &err), 0);
	/* somebody else's event */
	assert_int_equal(ccdm_tpm_extend(tpm, CCDM_EVENT_PCR, "other", &values, &err), 0);
	is(ccdm_measure_check(&to, &now, &err), -EBADMSG, "the log replays to");
	unlink(log);
	is(ccdm_measure_check(&to, &now, &err), -ENOENT, log);
	ccdm_measure_close(&to);
	tpm = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(registers, begin, end),
		cmocka_unit_test_setup_teardown(quotes, begin, end),
		cmocka_unit_test_setup_teardown(gce_on_p256, begin, end),
		cmocka_unit_test_setup_teardown(gce_by_rsa, begin, end),
		cmocka_unit_test_setup_teardown(indices, begin, end),
		cmocka_unit_test_setup_teardown(nearly, begin, end),
		cmocka_unit_test_setup_teardown(endorsement, begin, end),
		cmocka_unit_test_setup_teardown(broken_off, begin, end),
		cmocka_unit_test_setup_teardown(no_certificate, begin, end),
		cmocka_unit_test_setup_teardown(short_certificate, begin, end),
		cmocka_unit_test_setup_teardown(activation, begin, end),
		cmocka_unit_test_setup_teardown(no_tpm, begin, end),
		cmocka_unit_test_setup_teardown(questions, begin, end),
		cmocka_unit_test_setup_teardown(measured, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
