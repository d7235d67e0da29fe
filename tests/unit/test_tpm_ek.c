// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * A TPM's endorsement key: the handle where it is kept, its certificate, and the activation of an
 * attestation key.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/json.h"
#include "chip_test.h"
#include "evidence/tpm_activation.h"
#include "tpm/tpm_ek.h"
#include "tpm/tpm_nv.h"

#define EK_CERT 0x01c00002
#define EK	0x81010001

/* ---- the key ------------------------------------------------------------------------- */

/* Make an RSA key persistent at the EK's handle, with these parts of the template. */
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

/* A persistent key is used only if it matches the template of the endorsement key. */
static void similar_keys(void **state)
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
			   "cannot create the endorsement key");
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

/* The key is created, or read from its handle; an index may hold its certificate. */
static void endorsement(void **state)
{
	static const uint8_t cert[] = { 0x30, 0x82, 0, 3, 1, 2, 3, 0xff, 0xff };
	json_t *pair, *again;

	(void)state;
	assert_int_equal(ccdm_tpm_identity(tpm, &pair, &err), 0);
	assert_non_null(json_object_get(pair, "ek-pub"));
	refuse(TPM2_CC_CreatePrimary, 1);
	is(ccdm_tpm_identity(tpm, &again, &err), -EIO, "cannot create the endorsement key");
	refuse(TPM2_CC_CreatePrimary, 0);
	is(ccdm_tpm_identity(tpm, &again, &err), -EIO, "cannot create an attestation key");
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

/* The public area of a persistent key that does not match is freed once. */
static void freed_once(void **state)
{
	json_t *pair;

	(void)state;
	keep(EK);
	chip.of = TPM2_CC_CreatePrimary;
	chip.skip = 1;
	chip.break_off = true;
	is(ccdm_tpm_identity(tpm, &pair, &err), -EIO, "cannot create the endorsement key");
	assert_null(pair);
}

/* ---- its certificate ----------------------------------------------------------------- */

/* Expect that these bytes in the index are not used as a certificate. */
static void left_out(const uint8_t *cert, size_t size)
{
	json_t *pair;

	assert_int_equal(ccdm_tpm_nv_write(tpm, EK_CERT, cert, size, &err), 0);
	assert_int_equal(ccdm_tpm_identity(tpm, &pair, &err), 0);
	assert_null(json_object_get(pair, "ek-cert"));
	json_decref(pair);
}

/* Not used: a certificate longer than its index, a SET, a length of one byte. */
static void bad_certificates(void **state)
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

/* ---- activation ---------------------------------------------------------------------- */

/* The TPM opens a credential that was made for its pair of keys. */
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
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO,
	   "cannot create an attestation key");
	refuse(TPM2_CC_CreatePrimary, 1);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO,
	   "cannot create the endorsement key");
	refuse(TPM2_CC_StartAuthSession, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO,
	   "cannot activate the broker's credential");
	refuse(TPM2_CC_PolicySecret, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO,
	   "cannot activate the broker's credential");
	refuse(TPM2_CC_ActivateCredential, 0);
	is(ccdm_tpm_activate(tpm, credential, &got, &err), -EIO,
	   "cannot activate the broker's credential");
	assert_null(got);
	/* none of these calls left a key or a session in the TPM */
	assert_int_equal(ccdm_tpm_activate(tpm, credential, &got, &err), 0);
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
	json_decref(credential);
	json_decref(pair);
	ccdm_tpm_pair_drop(&keys);
	ccdm_certs_free(certs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(similar_keys, begin, end),
		cmocka_unit_test_setup_teardown(endorsement, begin, end),
		cmocka_unit_test_setup_teardown(freed_once, begin, end),
		cmocka_unit_test_setup_teardown(bad_certificates, begin, end),
		cmocka_unit_test_setup_teardown(short_certificate, begin, end),
		cmocka_unit_test_setup_teardown(activation, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
