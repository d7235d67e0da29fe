// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Quotes of a TPM with test keys, each spoilt in one place: one check must fail. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "evidence/tpm_quote.h"
#include "failed.h"
#include "forge_quote.h"

static struct ccdm_err err;

static int setup(void **state)
{
	(void)state;
	quote_keys_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	quote_keys_free();
	return 0;
}

static struct ccdm_pubkey *public_of(EVP_PKEY *key)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	struct ccdm_pubkey *k = ccdm_pubkey_spki(der, n);

	assert_non_null(k);
	OPENSSL_free(der);
	return k;
}

static const struct quote_spoil spoils[] = {
	{ 0 },
	{ .ecc = true },
	{ .pss = true },
	{ .selection = 0x80ff },
	{ .selection = 0x80ff, .pcrs = 9 },
	{ .hash = CCDM_ALG_SHA384 },
	{ .fails = "quote-type", .magic = 0xff544348 },
	{ .fails = "quote-type", .type = 0x8017 },
	{ .fails = "signature-hash", .hash = CCDM_ALG_SHA1 },
	{ .fails = "pcr-bank", .sha1_bank = true },
	{ .fails = "pcr-bank",
	  .sha1_bank = true,
	  .hash = CCDM_ALG_SHA384,
	  .allow = CCDM_ALLOW_DEBUG },
	{ .sha1_bank = true, .allow = CCDM_ALLOW_SHA1 },
	{ .hash = CCDM_ALG_SHA1, .allow = CCDM_ALLOW_SHA1 },
	{ .fails = "signature", .flip = true },
	{ .fails = "signature", .other_key = true },
	{ .fails = "signature", .ecc = true, .flip = true },
	{ .fails = "signature", .pss = true, .flip = true },
	{ .fails = "pcr-selection", .bank = CCDM_ALG_SHA384 },
	{ .fails = "pcr-selection", .banks = 2 },
	{ .fails = "pcr-selection", .banks = 2, .same_bank = true },
	{ .fails = "pcr-selection", .banks = 9 },
	{ .fails = "pcr-selection", .none = true },
	{ .fails = "pcr-selection", .wide = true },
	{ .fails = "pcr-digest", .digest_size = 31 },
	{ .fails = "pcr-list", .selection = 0x80ff, .pcrs = 8 },
	{ .fails = "pcr-list", .selection = 0x80ff, .pcrs = 10 },
	{ .fails = "pcr-list", .pcrs = 23 },
	{ .fails = "pcr-digest", .other_pcr = true },
	{ .other_pcr = true, .selection = 0x7f }, /* the quote does not cover this register */
	{ .fails = "report-data", .nonce_size = 47 },
	{ .fails = "report-data", .nonce_size = 49 },
	{ .fails = "report-data", .other_nonce = true },
};

static void one_check_each(void **state)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_pubkey *rsa = public_of(rsa_key), *ecc = public_of(ecc_key);
	struct ccdm_tpm_facts facts;
	struct ccdm_tpm_quote q;
	uint8_t nonce[48];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonce); i++)
		nonce[i] = i;
	for (i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		const struct quote_spoil *w = &spoils[i];

		make_quote(w, &q);
		memset(v, 0, sizeof(*v));
		v->allow = w->allow;
		assert_int_equal(ccdm_tpm_quote_parse(&q, &err), 0);
		assert_int_equal(
			ccdm_tpm_quote_verify(&q, w->ecc ? ecc : rsa, nonce, 48, "", &facts, v), 0);
		if (strcmp(failed(v), w->fails ? w->fails : ""))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(v),
				 w->fails ? w->fails : "");
	}
	/* a register that the quote omits is no fact */
	make_quote(&(struct quote_spoil){ .selection = 0x81 }, &q);
	memset(v, 0, sizeof(*v));
	assert_int_equal(ccdm_tpm_quote_verify(&q, rsa, nonce, 48, "", &facts, v), 0);
	assert_int_equal(facts.covered, 0x81);
	assert_int_equal(facts.pcr[7][0], 0x47);
	assert_int_equal(facts.pcr[6][0], 0);
	/* without an expected nonce, all other checks remain */
	memset(v, 0, sizeof(*v));
	assert_int_equal(ccdm_tpm_quote_verify(&q, rsa, NULL, 0, "", &facts, v), 0);
	assert_string_equal(failed(v), "");
	assert_int_equal(facts.covered, 0x81);
	/* an unknown hash: no signature verifies, and no register counts */
	q.signature.hash = 0x27;
	memset(v, 0, sizeof(*v));
	v->allow = CCDM_ALLOW_SHA1;
	assert_int_equal(ccdm_tpm_quote_verify(&q, rsa, nonce, 48, "", &facts, v), 0);
	assert_false(ccdm_verdict_accepted(v));
	assert_int_equal(facts.covered, 0);
	/* a message that cannot be parsed */
	q.size = 20;
	assert_int_equal(ccdm_tpm_quote_verify(&q, rsa, nonce, 48, "", &facts, v), -EINVAL);
	ccdm_pubkey_free(rsa);
	ccdm_pubkey_free(ecc);
	free(v);
}

/* TPMT_SIGNATURE of each scheme, and of schemes that are refused. */
static void signature_schemes(void **state)
{
	static const struct {
		uint8_t alg, hash;
		size_t size;
		enum ccdm_scheme scheme;
		int r;
	} all[] = {
		{ 0x14, CCDM_ALG_SHA256, 256, CCDM_RSASSA, 0 },
		{ 0x16, CCDM_ALG_SHA256, 256, CCDM_RSAPSS, 0 },
		{ 0x16, CCDM_ALG_SHA384, 384, CCDM_RSAPSS, 0 },
		{ 0x05, CCDM_ALG_SHA256, 256, 0, -EINVAL },
	};
	uint8_t text[6 + 512];
	struct ccdm_signature s;
	size_t i;

	(void)state;
	memset(text, 0x5a, sizeof(text));
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint8_t *p = text;

		forge_be(&p, all[i].alg, 2);
		forge_be(&p, all[i].hash, 2);
		forge_be(&p, all[i].size, 2);
		assert_int_equal(ccdm_tpm_signature_parse(text, 6 + all[i].size, &s, &err),
				 all[i].r);
		if (all[i].r)
			continue;
		assert_int_equal(s.scheme, all[i].scheme);
		assert_int_equal(s.hash, all[i].hash);
		assert_int_equal(s.size, all[i].size);
		assert_int_equal(ccdm_tpm_signature_parse(text, 5 + all[i].size, &s, &err),
				 -EINVAL);
	}
	{
		uint8_t *p = text;

		forge_be(&p, 0x1a, 2); /* ECDAA: two numbers, as in ECDSA */
		forge_be(&p, CCDM_ALG_SHA256, 2);
		for (i = 0; i < 2; i++) {
			forge_be(&p, 32, 2);
			p += 32;
		}
		assert_int_equal(ccdm_tpm_signature_parse(text, p - text, &s, &err), -EINVAL);
		assert_string_equal(err.text,
				    "the signature: expected RSA or ECDSA, found scheme 0x1a");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_check_each),
		cmocka_unit_test(signature_schemes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
