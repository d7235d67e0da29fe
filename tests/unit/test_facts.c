// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Facts: an SNP or TDX report in the terms of policies. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "evidence/facts.h"

/* ---- TCB statuses ----------------------------------------------------------------------- */

static void statuses(void **state)
{
	static const struct {
		unsigned int allowed;
		const char *status;
	} cases[] = {
		{ 0, "UpToDate" },
		{ CCDM_ALLOW_DEBUG | CCDM_ALLOW_EXPIRED, "UpToDate" },
		{ CCDM_ALLOW_TCB_SW_HARDENING, "SWHardeningNeeded" },
		{ CCDM_ALLOW_TCB_CONFIG, "ConfigurationNeeded" },
		{ CCDM_ALLOW_TCB_CONFIG | CCDM_ALLOW_TCB_SW_HARDENING,
		  "ConfigurationAndSWHardeningNeeded" },
		{ CCDM_ALLOW_TCB_OUT_OF_DATE, "OutOfDate" },
		{ CCDM_ALLOW_TCB_OUT_OF_DATE | CCDM_ALLOW_TCB_SW_HARDENING, "OutOfDate" },
		{ CCDM_ALLOW_TCB_OUT_OF_DATE | CCDM_ALLOW_TCB_CONFIG,
		  "OutOfDateConfigurationNeeded" },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	uint8_t zeros[48] = { 0 }, debug[8] = { 1 };
	struct ccdm_tdx tdx = { .tdattributes = debug,
				.mrtd = zeros,
				.rtmr = { zeros, zeros, zeros, zeros } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *facts = json_object();

		memset(v, 0, sizeof(*v));
		v->allow = cases[i].allowed;
		ccdm_verdict_add(v, "good", true, 0, "x", "x\n\x7f\xc3\xa4 ~");
		assert_string_equal(v->check[0].found, "x???? ~");
		/* two parts of the platform, each with some of the exceptions */
		ccdm_verdict_add(v, "tcb", false, cases[i].allowed & ~CCDM_ALLOW_TCB_CONFIG, "x",
				 "x");
		ccdm_verdict_add(v, "qe-tcb", false, cases[i].allowed & CCDM_ALLOW_TCB_CONFIG, "x",
				 "x");
		assert_int_equal(ccdm_facts_tdx(&tdx, v, facts), 0);
		assert_string_equal(
			json_string_value(json_object_get(json_object_get(facts, "tcb"), "status")),
			cases[i].status);
		assert_true(json_is_true(json_object_get(facts, "debug")));
		json_decref(facts);
	}
	free(v);
}

static const char *snp_text(const json_t *facts, const char *key)
{
	const char *text = json_string_value(json_object_get(facts, key));

	return text ? text : "";
}

static void snp_facts(void **state)
{
	struct ccdm_snp snp = { .policy = CCDM_SNP_POLICY_ONE,
				.vmpl = 1,
				.generation = CCDM_SNP_TURIN };
	json_t *facts = json_object(), *tcb;

	(void)state;
	snp.tcb_raw.reported[3] = 7; /* this byte is "snp" since Turin */
	snp.tcb_raw.launch[7] = 9;
	assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
	tcb = json_object_get(facts, "tcb");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(tcb, "reported"), "snp")), 7);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(tcb, "launch"), "microcode")),
		9);
	assert_int_equal(json_integer_value(json_object_get(facts, "vmpl")), 1);
	assert_true(json_is_false(json_object_get(facts, "debug")));
	snp.policy |= CCDM_SNP_POLICY_DEBUG;
	assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
	assert_true(json_is_true(json_object_get(facts, "debug")));
	/* without a floor or a verification there is no status */
	assert_null(json_object_get(json_object_get(facts, "tcb"), "status"));
	snp.status = CCDM_SNP_OUT_OF_DATE;
	assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
	assert_string_equal(snp_text(json_object_get(facts, "tcb"), "status"), "OutOfDate");
	snp.status = CCDM_SNP_UP_TO_DATE;
	assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
	assert_string_equal(snp_text(json_object_get(facts, "tcb"), "status"), "UpToDate");
	json_decref(facts);
}

/* ---- launch and chip of an SNP report ---------------------------------------------- */

static void snp_launch(void **state)
{
	static const struct {
		const char *name;
		unsigned int at; /* a byte of the report to set */
		uint8_t value;
		bool author; /* the author key counts */
		bool turin, old;
		const char *fact;
		size_t digits; /* 0: the fact is missing */
	} rows[] = {
		{ "host data", 0xc0, 0x5a, .fact = "host-data", .digits = 64 },
		{ "last byte of host data", 0xdf, 0x5a, .fact = "host-data", .digits = 64 },
		{ "no host data", 0x90, 1, .fact = "host-data" },
		{ "id key", 0xe0, 0x5a, .fact = "id-key", .digits = 96 },
		{ "no id key", 0xdf, 0x5a, .fact = "id-key" },
		{ "id key alone", 0xe0, 0x5a, true, .fact = "author-key" },
		{ "author key", 0x110, 0x5a, true, .fact = "author-key", .digits = 96 },
		{ "author key that does not count", 0x110, 0x5a, .fact = "author-key" },
		{ "author key is no id key", 0x110, 0x5a, true, .fact = "id-key" },
		{ "chip", 0x1a0, 0x5a, .fact = "chip", .digits = 128 },
		{ "chip, Turin", 0x1a0, 0x5a, .turin = true, .fact = "chip", .digits = 16 },
		{ "masked chip", 0x90, 1, .fact = "chip" },
		{ "masked chip, Turin", 0x90, 1, .turin = true, .fact = "chip" },
		{ "Milan", 0x90, 1, .fact = "generation", .digits = 5 },
		{ "Turin", 0x90, 1, .turin = true, .fact = "generation", .digits = 5 },
		{ "version 2", 0x90, 1, .old = true, .fact = "generation" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t raw[CCDM_SNP_REPORT_SIZE] = { 0 };
		json_t *facts = json_object();
		struct ccdm_snp snp;
		struct ccdm_err err;

		raw[0] = rows[i].old ? 2 : 3;
		raw[0x48] = rows[i].author;
		raw[0x188] = rows[i].turin ? 0x1a : 0x19;
		raw[0x189] = 1;
		raw[rows[i].at] = rows[i].value;
		assert_int_equal(ccdm_snp_parse(raw, sizeof(raw), &snp, &err), 0);
		assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
		if (strlen(snp_text(facts, rows[i].fact)) != rows[i].digits)
			fail_msg("%s: %s is '%s'", rows[i].name, rows[i].fact,
				 snp_text(facts, rows[i].fact));
		json_decref(facts);
	}
}

/* Only bit 5 of the platform is the alias check; the guest's policy holds the ABI version. */
static void snp_platform(void **state)
{
	unsigned int bit;

	(void)state;
	for (bit = 0; bit < 8; bit++) {
		uint8_t raw[CCDM_SNP_REPORT_SIZE] = { 3 };
		json_t *facts = json_object(), *abi;
		struct ccdm_snp snp;
		struct ccdm_err err;

		raw[0x40] = 1U << bit;
		raw[8] = 55;
		raw[9] = 1;
		assert_int_equal(ccdm_snp_parse(raw, sizeof(raw), &snp, &err), 0);
		assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
		assert_int_equal(json_is_true(json_object_get(facts, "alias-check")), bit == 5);
		abi = json_object_get(facts, "abi");
		assert_int_equal(json_integer_value(json_object_get(abi, "major")), 1);
		assert_int_equal(json_integer_value(json_object_get(abi, "minor")), 55);
		json_decref(facts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),
		cmocka_unit_test(snp_facts),
		cmocka_unit_test(snp_launch),
		cmocka_unit_test(snp_platform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
