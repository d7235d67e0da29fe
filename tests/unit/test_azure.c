// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Azure's evidence: the report of an SNP guest or of a TD, and the quote of its TPM. Each is spoilt
 * in one place, and one check must fail.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include "failed.h"
#include "forge_azure.h"
#include "seed.h"

/* SNP: the report covers the runtime data, which contain the TPM's key and the nonce. */
static void snp_checks(void **state)
{
	static const struct azure_spoil all[] = {
		{ 0 },
		{ .version = 1, .user_data = "" },
		{ .fails = "report-data", .other_runtime = true },
		{ .fails = "user-data", .user_data = "" },
		{ .fails = "user-data",
		  .user_data = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
			       "1d1e1f202122232425262728292a2b2c2d2e2e" },
		{ .fails = "tpm-signature", .quote = { .flip = true } },
		{ .fails = "tpm-signature", .quote = { .other_key = true } },
		{ .fails = "tpm-pcr-digest", .quote = { .other_pcr = true } },
		{ .fails = "tpm-pcr-selection", .quote = { .banks = 2 } },
		{ .fails = "tpm-report-data", .quote = { .other_nonce = true } },
		{ .fails = "vmpl", .snp = { .at = 0x30, .value = 1 } },
		{ .fails = "debug", .snp = { .at = 0xa, .value = 0x0b } },
		{ .fails = "signature", .snp = { .flip = 0x2a0 } },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_anchor anchor = { .name = "Milan" };
	struct ccdm_tpm_facts facts;
	uint8_t nonce[48];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonce); i++)
		nonce[i] = i;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&all[i], certs, &anchor, NULL);
		struct ccdm_azure_want want = {
			.snp = { .certs = certs, .at = AT, .anchors = &anchor, .nr_anchors = 1 },
			.nonce = nonce,
			.nonce_size = sizeof(nonce)
		};
		struct ccdm_azure az;

		memset(v, 0, sizeof(*v));
		seed_json("azure", o);
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &want.snp.leaf, &err), 0);
		assert_int_equal(ccdm_azure_verify(&az, &want, &facts, v, &err), 0);
		if (strcmp(failed(v), all[i].fails ? all[i].fails : ""))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(v),
				 all[i].fails ? all[i].fails : "");
		assert_int_equal(ccdm_verdict_accepted(v), !all[i].fails);
		/* without user data nothing binds the report to the nonce */
		json_object_del(az.claims, "user-data");
		memset(v, 0, sizeof(*v));
		assert_int_equal(ccdm_azure_verify(&az, &want, &facts, v, &err), 0);
		if (!all[i].fails)
			assert_string_equal(failed(v), all[i].version == 1 ? "" : "user-data");
		/* A quote cannot hold a nonce of this size. */
		want.nonce_size = CCDM_DIGEST_MAX + 1;
		assert_int_equal(ccdm_azure_verify(&az, &want, &facts, v, &err), -EINVAL);
		ccdm_azure_drop(&az);
		ccdm_certs_free(certs);
		json_decref(o);
	}
	free(v);
}

/* TDX: the quote covers the runtime data; the TDREPORT proves nothing. */
static void td_checks(void **state)
{
	static const struct azure_spoil all[] = {
		{ .version = 1 },
		{ 0 },
		{ .fails = "report-data", .version = 1, .other_runtime = true },
		{ .fails = "report-data", .version = 1, .td = { .at = 1520 + 63, .value = 7 } },
		{ .fails = "user-data", .user_data = "" },
		{ .fails = "tpm-signature", .version = 1, .quote = { .other_key = true } },
		{ .fails = "debug", .version = 1, .td = { .at = 1120, .value = 1 } },
		{ .fails = "signature", .version = 1, .td = { .flip_signature = true } },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_anchor anchor = { .name = "Milan" };
	struct ccdm_tpm_facts facts;
	const struct ccdm_cert *vcek;
	struct azure_td td;
	uint8_t nonce[48];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonce); i++)
		nonce[i] = i;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&all[i], certs, &anchor, &td);
		struct ccdm_azure_want want = { .tdx = { .certs = certs,
							 .at = AT,
							 .anchors = &td.anchor,
							 .nr_anchors = 1,
							 .collateral = &td.collateral },
						.nonce = nonce,
						.nonce_size = sizeof(nonce) };
		struct ccdm_azure az;

		memset(v, 0, sizeof(*v));
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), 0);
		assert_null(vcek);
		assert_int_equal(ccdm_azure_whole(&az), !all[i].other_runtime);
		assert_int_equal(ccdm_azure_verify(&az, &want, &facts, v, &err), 0);
		if (strcmp(failed(v), all[i].fails ? all[i].fails : ""))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(v),
				 all[i].fails ? all[i].fails : "");
		assert_int_equal(ccdm_verdict_accepted(v), !all[i].fails);
		ccdm_azure_drop(&az);
		ccdm_collateral_drop(&td.collateral);
		ccdm_certs_free(certs);
		json_decref(o);
	}
	/* three bytes for a quote; a TDX quote with an SNP report */
	for (i = 0; i < 2; i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&all[0], certs, &anchor, i ? NULL : &td);
		struct ccdm_azure az;

		json_object_set_new(o, "td_quote", json_string("QUJD"));
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), -EINVAL);
		assert_non_null(strstr(err.text, i ? "is of SNP, but there is a td_quote"
						   : "TDX quote of 3 bytes"));
		if (!i)
			ccdm_collateral_drop(&td.collateral);
		ccdm_certs_free(certs);
		json_decref(o);
	}
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snp_checks),
		cmocka_unit_test(td_checks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
