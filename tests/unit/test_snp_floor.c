// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * The lowest firmware that an SNP platform may run: AMD's bulletins, and an operator's list.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include "failed.h"
#include "snp_judge.h"

/* Make a report of this processor with these versions of SNP firmware and microcode. */
static struct ccdm_snp report_of(uint8_t family, uint8_t model, uint8_t stepping, uint8_t svn,
				 uint8_t microcode)
{
	struct ccdm_snp snp = { .version = 3,
				.cpuid_family = family,
				.cpuid_model = model,
				.cpuid_stepping = stepping,
				.generation = ccdm_snp_cpuid(family, model) };
	bool turin = snp.generation >= CCDM_SNP_TURIN;

	snp.tcb_raw.reported[turin ? 3 : 6] = svn;
	snp.tcb_raw.reported[7] = microcode;
	memcpy(snp.tcb_raw.committed, snp.tcb_raw.reported, 8);
	memcpy(snp.tcb_raw.launch, snp.tcb_raw.reported, 8);
	return snp;
}

/* The built-in floor has the numbers of AMD's bulletins. */
static void bulletins(void **state)
{
	static const struct {
		uint8_t cpu[3], svn, microcode;
		const char *source, *microcode_source;
	} all[] = {
		{ { 0x19, 0x01, 0x01 }, 0x1d, 0xdb, "AMD-SB-3030", "AMD-SB-3019" },
		{ { 0x19, 0x01, 0x02 }, 0x1d, 0x44, "AMD-SB-3030", "AMD-SB-3019" },
		{ { 0x19, 0x11, 0x01 }, 0x1b, 0x56, "AMD-SB-3020", "AMD-SB-3027" },
		{ { 0x19, 0x11, 0x02 }, 0x1b, 0x51, "AMD-SB-3020", "AMD-SB-3027" },
		{ { 0x19, 0xa0, 0x02 }, 0x1b, 0x19, "AMD-SB-3020", "AMD-SB-3019" },
		{ { 0x1a, 0x02, 0x01 }, 0x04, 0x51, "AMD-SB-3020", "AMD-SB-3027" },
		{ { 0x1a, 0x11, 0x00 }, 0x04, 0x00, "AMD-SB-3020", NULL },
	};
	struct ccdm_snp_firmware f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const uint8_t *cpu = all[i].cpu;
		struct ccdm_snp snp =
			report_of(cpu[0], cpu[1], cpu[2], all[i].svn, all[i].microcode);

#define STATUS() (ccdm_snp_floor_judge(NULL, &snp, &f), f.status)
		assert_int_equal(STATUS(), CCDM_SNP_UP_TO_DATE);
		assert_string_equal(f.found, "none below it");
		assert_non_null(strstr(f.expected, all[i].source));
		assert_int_equal(!!strstr(f.expected, "microcode"), !!all[i].microcode_source);
		if (all[i].microcode_source)
			assert_non_null(
				strstr(strstr(f.expected, "microcode"), all[i].microcode_source));
		snp = report_of(cpu[0], cpu[1], cpu[2], all[i].svn - 1, all[i].microcode);
		assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
		assert_non_null(strstr(f.found, "snp reported"));
		assert_null(strstr(f.found, "microcode"));
		if (all[i].microcode_source) {
			snp = report_of(cpu[0], cpu[1], cpu[2], all[i].svn, all[i].microcode - 1);
			assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
			assert_non_null(strstr(f.found, "microcode reported"));
		}
		/* a report of version 2 names no processor: the floor of each processor applies */
		snp = report_of(cpu[0], cpu[1], cpu[2], 0xff, 0xff);
		snp.version = 2;
		assert_int_equal(STATUS(), CCDM_SNP_UP_TO_DATE);
		snp.tcb_raw.launch[7] = 0x50;
		assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
	}
	/* a generation without a bulletin has no floor, and is not up to date */
	{
		struct ccdm_snp snp = report_of(0x1a, 0x50, 0, 0xff, 0xff);

		assert_int_equal(snp.generation, CCDM_SNP_VENICE);
		assert_int_equal(STATUS(), CCDM_SNP_NO_FLOOR);
		assert_string_equal(f.found, "none is for Venice");
		snp.generation = CCDM_SNP_UNKNOWN;
		assert_int_equal(STATUS(), CCDM_SNP_NO_FLOOR);
	}
#undef STATUS
}

/* An operator's list: its syntax, and that it replaces the built-in floor. */
static void own_floor(void **state)
{
	static const struct {
		const char *text, *said;
	} bad[] = {
		{ "milan snp 3", "line 1: expected generation, part, version and source" },
		{ "\nmilan snp", "line 2: expected generation, part" },
		{ "milan snp 3 a b", "line 1: expected generation, part" },
		{ "rome snp 3 a", "'rome': expected milan" },
		{ "mila snp 3 a", "'mila': expected milan" },
		{ "unknown snp 3 a", "'unknown': expected milan" },
		{ "milan: snp 3 a", "'milan:': expected" },
		{ "milan:19/01 snp 3 a", "expected milan" },
		{ "milan:19/01/1 snp 3 a", "expected milan" },
		{ "milan:19/01/01/ snp 3 a", "expected milan" },
		{ "milan:19/01/0g snp 3 a", "expected milan" },
		{ "milan:019/01/01 snp 3 a", "expected milan" },
		{ "milan:19/11/01 snp 3 a", "expected milan" }, /* 19/11 is a Genoa */
		{ "milan SNP 3 a", "'SNP': expected fmc, bootloader" },
		{ "milan snp 256 a", "'256': expected a version" },
		{ "milan snp 0x100 a", "expected a version" },
		{ "milan snp -1 a", "expected a version" },
		{ "milan snp 0x a", "expected a version" },
		{ "milan snp 3a a", "expected a version" },
		{ "milan snp 1000000000000000000000 a", "expected a version" },
		{ "milan snp 3 0123456789012345678901234567890123", "a source has at most" },
	};
	static struct ccdm_snp_floor floor;
	struct ccdm_snp_firmware f;
	char *many;
	static struct ccdm_verdict v;
	struct ccdm_snp snp = report_of(0x19, 1, 1, 20, 200);
	size_t i;

	(void)state;
#define TEXT(t)	 ccdm_snp_floor_parse("f", t, strlen(t), &floor, &err)
#define STATUS() (ccdm_snp_floor_judge(&floor, &snp, &f), f.status)
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(TEXT(bad[i].text), -EINVAL);
		if (!strstr(err.text, bad[i].said))
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(floor.count, 0);
	}
	assert_int_equal(ccdm_snp_floor_parse("f", "milan snp 3 a\0", 14, &floor, &err), -EINVAL);
	assert_int_equal(
		TEXT("# ours\n\n Milan snp 20 ours # bulletin\r\nMILAN:19/01/01 microcode 0xC8 ours\n"),
		0);
	assert_int_equal(floor.count, 2);
	assert_int_equal(STATUS(), CCDM_SNP_UP_TO_DATE);
	assert_string_equal(f.expected, "Milan at snp 20 (ours), microcode 200 (ours) or above");
	snp.tcb_raw.committed[6] = 19;
	assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
	assert_string_equal(f.found, "snp reported 20, committed 19, at launch 20");
	/* of several lines for a part, the highest version counts */
	assert_int_equal(TEXT("milan snp 20 a\nmilan snp 18 b\nmilan snp 19 c"), 0);
	assert_int_equal(STATUS(), CCDM_SNP_OUT_OF_DATE);
	assert_non_null(strstr(f.expected, "snp 20 (a)"));
	/* the other parts */
	assert_int_equal(TEXT("milan fmc 0 a\nmilan bootloader 0 a\nmilan tee 0 a"), 0);
	assert_int_equal(STATUS(), CCDM_SNP_UP_TO_DATE);
	/* a list without this generation, or an empty list: no floor */
	assert_int_equal(TEXT("genoa snp 0 a"), 0);
	assert_int_equal(STATUS(), CCDM_SNP_NO_FLOOR);
	assert_int_equal(TEXT(""), 0);
	assert_int_equal(STATUS(), CCDM_SNP_NO_FLOOR);
	snp_floor = &floor;
	judge(&(struct spoil){ 0 }, &v);
	snp_floor = NULL;
	assert_string_equal(failed(&v), "firmware");
	assert_int_equal(snp_status, CCDM_SNP_NO_FLOOR);
	/* too many lines, too many bytes */
	many = calloc(1, CCDM_SNP_FLOOR_FILE + 2);
	for (i = 0; i <= CCDM_SNP_FLOOR_LINES; i++)
		strcat(many, "milan snp 1 a\n");
	assert_int_equal(TEXT(many), -EINVAL);
	assert_non_null(strstr(err.text, "more than 256 lines"));
	memset(many, '\n', CCDM_SNP_FLOOR_FILE + 1);
	assert_int_equal(TEXT(many), -EINVAL);
	free(many);
#undef TEXT
#undef STATUS
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bulletins),
		cmocka_unit_test(own_floor),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
