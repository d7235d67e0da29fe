// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Compare a disk's prediction with logs of possible boots: each event changed, missing, or
 * additional.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "image_test.h"
#include "image/compare.h"

static struct ccdm_bootable boot;
static struct ccdm_prediction prediction;
static struct ccdm_comparison comparison;

static void predict(const struct forge_bytes *disk)
{
	open_disk(disk, &boot);
	assert_int_equal(ccdm_predict(&boot, false, &prediction, &err), 0);
}

/* ---- logs ---------------------------------------------------------------------------- */

/* @banks: as in ccdm_comparison */
static void log_begin(struct forge_bytes *log, unsigned int banks)
{
	unsigned int n = (banks & 1) + (banks >> 1);

	forge_put(log, 0, 4);
	forge_put(log, 3, 4);
	forge_fill(log, 0, 20);
	forge_put(log, 29 + 4 * n, 4);
	forge_say(log, "Spec ID Event03", 16);
	forge_put(log, 0, 4);
	forge_put(log, 0x02000200, 4);
	forge_put(log, n, 4);
	if (banks & 1)
		forge_put(log, CCDM_ALG_SHA256 | 32 << 16, 4);
	if (banks & 2)
		forge_put(log, CCDM_ALG_SHA384 | 48 << 16, 4);
	forge_put(log, 0, 1);
}

static void log_event(struct forge_bytes *log, unsigned int banks, unsigned int reg,
		      const struct ccdm_digest digest[CCDM_PREDICT_BANKS], const void *data,
		      size_t size)
{
	unsigned int k;

	forge_put(log, reg, 4);
	forge_put(log, 13, 4);
	forge_put(log, (banks & 1) + (banks >> 1), 4);
	for (k = 0; k < CCDM_PREDICT_BANKS; k++) {
		if (!(banks & 1U << k))
			continue;
		forge_put(log, digest[k].alg, 2);
		forge_say(log, digest[k].bytes, digest[k].size);
	}
	forge_put(log, size, 4);
	forge_say(log, data, size);
}

/* Write the hashes of a text as an event of the log. */
static void log_text(struct forge_bytes *log, unsigned int banks, unsigned int reg,
		     const void *text, size_t size)
{
	struct ccdm_digest digest[CCDM_PREDICT_BANKS];
	unsigned int k;

	for (k = 0; k < CCDM_PREDICT_BANKS; k++)
		assert_int_equal(
			ccdm_digest_of(ccdm_predict_bank(k), text, size, NULL, 0, &digest[k]), 0);
	log_event(log, banks, reg, digest, text, size);
}

/*
 * Write the predicted events, except for @but. @how: 'x' replaces it, '-' omits it, '+' adds one
 * before it.
 */
static void log_of(struct forge_bytes *log, unsigned int banks, bool rtmr, int but, char how)
{
	unsigned int i;

	log_begin(log, banks);
	log_text(log, banks, rtmr ? 1 : 0, "firmware", 8);
	for (i = 0; i < prediction.events; i++) {
		const struct ccdm_predicted *e = &prediction.event[i];
		struct ccdm_digest digest[CCDM_PREDICT_BANKS];
		unsigned int reg = rtmr ? ccdm_predict_rtmr(e->pcr) + 1 : e->pcr;

		if (e->kind == CCDM_PREDICT_CCDM)
			continue;
		memcpy(digest, e->digest, sizeof(digest));
		if ((int)i == but && how == '-')
			continue;
		if ((int)i == but && how == '+')
			log_text(log, banks, reg, "one more", 8);
		if ((int)i == but && how == 'x')
			digest[banks & 2 ? 1 : 0].bytes[0] ^= 1;
		log_event(log, banks, reg, digest,
			  e->kind == CCDM_PREDICT_GPT ? boot.gpt.event : (const uint8_t *)e->what,
			  e->kind == CCDM_PREDICT_GPT ? boot.gpt.event_size : strlen(e->what));
	}
}

/* Write ccdm's log. @other: replaces the text of the first event, or NULL */
static void log_ccdm(struct forge_bytes *log, bool rtmr, const char *other)
{
	char hex[2 * CCDM_DIGEST_MAX + 1], line[4096];
	struct ccdm_digest d[2];
	unsigned int i, k;

	for (i = 0; i < prediction.measured.count; i++) {
		const char *text = !i && other ? other : prediction.measured.text[i];

		for (k = 0; k < 2; k++)
			assert_int_equal(ccdm_digest_of(ccdm_predict_bank(k), text, strlen(text),
							NULL, 0, &d[k]),
					 0);
		snprintf(line, sizeof(line), "\x1e{\"%s\":%u,\"digests\":[", rtmr ? "rtmr" : "pcr",
			 rtmr ? 3 : 15);
		forge_say(log, line, strlen(line));
		for (k = rtmr; k < 2; k++) {
			ccdm_hex(d[k].bytes, d[k].size, hex);
			snprintf(line, sizeof(line), "%s{\"hashAlg\":\"%s\",\"digest\":\"%s\"}",
				 k > (unsigned int)rtmr ? "," : "",
				 ccdm_digest_name(ccdm_predict_bank(k)), hex);
			forge_say(log, line, strlen(line));
		}
		snprintf(line, sizeof(line),
			 "],\"content_type\":\"ccdm\",\"content\":{\"ccdm\":\"%s\"}}\n", text);
		forge_say(log, line, strlen(line));
	}
}

static int compare(const struct forge_bytes *log, const struct forge_bytes *ccdm, bool rtmr)
{
	const struct ccdm_compare_logs logs = { .rtmr = rtmr,
						.firmware = log->p,
						.firmware_size = log->size,
						.ccdm = ccdm ? (const char *)ccdm->p : NULL,
						.ccdm_size = ccdm ? ccdm->size : 0 };

	memset(&err, 0, sizeof(err));
	return ccdm_compare(&boot, &prediction, &logs, &comparison, &err);
}

/* ---- tests ------------------------------------------------------------------------------ */

static void same(void **state)
{
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0);
	struct forge_bytes log, ccdm;
	unsigned int banks, rtmr;

	(void)state;
	predict(&disk);
	assert_int_equal(prediction.unknowns, 0);
	for (rtmr = 0; rtmr < 2; rtmr++)
		for (banks = 1 + rtmr; banks < 4; banks++) {
			if (rtmr && banks == 3) /* a TD has SHA-384 only */
				continue;
			memset(&log, 0, sizeof(log));
			memset(&ccdm, 0, sizeof(ccdm));
			log_of(&log, banks, rtmr, -1, 0);
			log_ccdm(&ccdm, rtmr, NULL);
			forge_seed(&disk, &log);
			assert_int_equal(compare(&log, &ccdm, rtmr), 0);
			assert_true(ccdm_compare_same(&comparison));
			assert_int_equal(comparison.equal, prediction.events);
			ccdm_compare_drop(&comparison);
			/*
			 * without ccdm's log its register is not compared, and the result says so
			 */
			assert_int_equal(compare(&log, NULL, rtmr), 0);
			assert_false(ccdm_compare_same(&comparison));
			assert_int_equal(comparison.left, 1);
			assert_int_equal(comparison.count, 0);
			ccdm_compare_drop(&comparison);
			forge_free(&log);
			forge_free(&ccdm);
		}
	ccdm_bootable_close(&boot);
	forge_free(&disk);
}

static void each_event(void **state)
{
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0);
	const char hows[] = "x-+";
	unsigned int i, k;

	(void)state;
	predict(&disk);
	for (i = 0; i < prediction.events; i++) {
		const struct ccdm_predicted *e = &prediction.event[i];

		if (e->kind == CCDM_PREDICT_CCDM)
			continue;
		for (k = 0; k < 3; k++) {
			struct forge_bytes log = { 0 };

			log_of(&log, 3, false, (int)i, hows[k]);
			assert_int_equal(compare(&log, NULL, false), 0);
			/* a missing constant says nothing about the image */
			if (e->kind == CCDM_PREDICT_CONSTANT && hows[k] == '-') {
				assert_int_equal(comparison.count, 0);
			} else {
				assert_true(comparison.count >= 1);
				assert_int_equal(comparison.departure[0].reg, e->pcr);
				assert_string_not_equal(comparison.departure[0].why, "");
				/* PCR 5 is in no ID, and PCR 15 is not compared here */
				assert_int_equal(comparison.id, e->pcr == 5
									? CCDM_COMPARE_UNKNOWN_ID
									: CCDM_COMPARE_OTHER_ID);
			}
			if (e->kind != CCDM_PREDICT_CONSTANT && hows[k] != '+')
				assert_ptr_equal(comparison.departure[0].expected, e);
			if (hows[k] == '+')
				assert_null(comparison.departure[0].expected);
			ccdm_compare_drop(&comparison);
			forge_free(&log);
		}
	}
	ccdm_bootable_close(&boot);
	forge_free(&disk);
}

/* Replace or add an event in PCR 5 or RTMR 1: does the boot have the same ID? */
static void other_ids(void **state)
{
	static const struct {
		const char *stub;
		bool rtmr, ccdm;
		bool replaced; /* in place of the partition table's; else added in @reg */
		unsigned int reg;
		const char *data;
		size_t size;
		enum ccdm_compare_id id;
	} cases[] = {
		/*
		 * a TD: a driver in place of the partition table; another table; a driver in
		 * addition
		 */
		{ "257.1", true, true, true, 1, "driver", 6, CCDM_COMPARE_OTHER_ID },
		{ "257.1", true, true, true, 1, "EFI PART, of another disk", 25,
		  CCDM_COMPARE_SAME_ID },
		{ "257.1", true, true, false, 1, "driver", 6, CCDM_COMPARE_OTHER_ID },
		{ "257.1", true, true, false, 1, "EFI PART, of a second disk", 26,
		  CCDM_COMPARE_SAME_ID },
		{ "257.1", true, true, false, 2, "EFI PART, out of its place", 26,
		  CCDM_COMPARE_OTHER_ID },
		{ "257.1", true, true, false, 3, "one more", 8, CCDM_COMPARE_OTHER_ID },
		/* a register that was not compared makes the ID unknown */
		{ "257.1", true, false, true, 1, "EFI PART, of another disk", 25,
		  CCDM_COMPARE_UNKNOWN_ID },
		{ "257.1", true, false, true, 1, "driver", 6, CCDM_COMPARE_OTHER_ID },
		{ "257.1", false, false, true, 5, "EFI PART, of another disk", 25,
		  CCDM_COMPARE_UNKNOWN_ID },
		{ "258.1", false, true, true, 5, "EFI PART, of another disk", 25,
		  CCDM_COMPARE_UNKNOWN_ID },
		{ "252.1", true, true, true, 1, "EFI PART, of another disk", 25,
		  CCDM_COMPARE_UNKNOWN_ID },
		/* PCR 5 is in no ID; another register is */
		{ "257.1", false, true, true, 5, "EFI PART, of another disk", 25,
		  CCDM_COMPARE_SAME_ID },
		{ "257.1", false, true, true, 5, "a setting of a boot loader", 26,
		  CCDM_COMPARE_SAME_ID },
		{ "257.1", false, true, false, 5, "a setting of a boot loader", 26,
		  CCDM_COMPARE_SAME_ID },
		{ "257.1", false, true, false, 2, "EFI PART, out of its place", 26,
		  CCDM_COMPARE_OTHER_ID },
		{ "257.1", false, true, false, 15, "one more", 8, CCDM_COMPARE_OTHER_ID },
	};
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct forge_bytes disk =
			disk_of(cases[i].stub, FORGE_CMDLINE, forge_conf, NULL, 0);
		struct forge_bytes log = { 0 }, ccdm = { 0 };
		unsigned int banks = cases[i].rtmr ? 2 : 3;

		predict(&disk);
		for (k = 0; prediction.event[k].kind != CCDM_PREDICT_GPT; k++)
			;
		log_of(&log, banks, cases[i].rtmr, cases[i].replaced ? (int)k : -1, '-');
		log_text(&log, banks, cases[i].reg + cases[i].rtmr, cases[i].data, cases[i].size);
		log_ccdm(&ccdm, cases[i].rtmr, NULL);
		assert_int_equal(compare(&log, cases[i].ccdm ? &ccdm : NULL, cases[i].rtmr), 0);
		assert_false(ccdm_compare_same(&comparison));
		assert_int_equal(comparison.id, cases[i].id);
		ccdm_compare_drop(&comparison);
		ccdm_bootable_close(&boot);
		forge_free(&disk);
		forge_free(&log);
		forge_free(&ccdm);
	}
}

/* Constants of the firmware may repeat: the first boot option returned. */
static void returned(void **state)
{
	static const char called[] = "Calling EFI Application from Boot Option";
	static const char gone[] = "Returning from EFI Application from Boot Option";
	struct forge_bytes disk = disk_of("252.1", FORGE_CMDLINE, forge_conf, NULL, 0), log = { 0 },
			   ccdm = { 0 };

	(void)state;
	predict(&disk);
	log_begin(&log, 1);
	log_text(&log, 1, 4, called, strlen(called));
	log_text(&log, 1, 4, gone, strlen(gone));
	{
		struct forge_bytes rest = { 0 }, head = { 0 };

		log_of(&rest, 1, false, -1, 0);
		log_begin(&head, 1);
		forge_say(&log, rest.p + head.size, rest.size - head.size);
		forge_free(&rest);
		forge_free(&head);
	}
	log_ccdm(&ccdm, false, NULL);
	assert_int_equal(compare(&log, &ccdm, false), 0);
	assert_true(ccdm_compare_same(&comparison));
	ccdm_compare_drop(&comparison);
	ccdm_bootable_close(&boot);
	forge_free(&disk);
	forge_free(&log);
	forge_free(&ccdm);
}

static void said(unsigned int reg, const char *word)
{
	unsigned int i;

	for (i = 0; i < comparison.count; i++)
		if (comparison.departure[i].reg == reg && strstr(comparison.departure[i].why, word))
			return;
	fail_msg("pcr%u: nothing says '%s'", reg, word);
}

/* Add an event in each register; each has its own meaning. */
static void words(void **state)
{
	static const struct {
		unsigned int reg;
		const char *word;
	} cases[] = {
		{ 2, "option ROM" }, { 4, "a program ran" },	    { 5, "partition table" },
		{ 8, "GRUB" },	     { 9, "not part of this UKI" }, { 11, "another content" },
		{ 12, "an addon" },  { 13, "system extension" },    { 14, "shim" },
	};
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0), log, ccdm;
	size_t i;

	(void)state;
	predict(&disk);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&log, 0, sizeof(log));
		log_of(&log, 3, false, -1, 0);
		log_text(&log, 3, cases[i].reg, "q\0u\0i\0e\0t\0\0", 12);
		forge_seed(&disk, &log);
		assert_int_equal(compare(&log, NULL, false), 0);
		assert_int_equal(comparison.count, 1);
		said(cases[i].reg, cases[i].word);
		if (cases[i].reg == 12)
			said(12, "the log says 'quiet'");
		ccdm_compare_drop(&comparison);
		forge_free(&log);
	}
	/* the digest of an added section proves the section's name */
	memset(&log, 0, sizeof(log));
	log_of(&log, 3, false, -1, 0);
	log_text(&log, 3, 11, ".splash", 8);
	assert_int_equal(compare(&log, NULL, false), 0);
	said(11, "section .splash");
	ccdm_compare_drop(&comparison);
	forge_free(&log);
	/* another ccdm.conf */
	memset(&log, 0, sizeof(log));
	memset(&ccdm, 0, sizeof(ccdm));
	log_of(&log, 3, false, -1, 0);
	log_ccdm(&ccdm, false, "ccdm-base:other");
	assert_int_equal(compare(&log, &ccdm, false), 0);
	said(15, "'ccdm-base:other'");
	assert_int_equal(comparison.id, CCDM_COMPARE_OTHER_ID);
	ccdm_compare_drop(&comparison);
	forge_free(&log);
	forge_free(&ccdm);
	/* the path of a program that ran, as the log has it */
	memset(&log, 0, sizeof(log));
	log_of(&log, 3, false, -1, 0);
	log_text(&log, 3, 4,
		 "00000000000000000000000000000000\x04\x04\x0a\0x\0y\0\0\0\x7f\xff\x04\0", 46);
	assert_int_equal(compare(&log, NULL, false), 0);
	said(4, "(the log calls it xy)");
	ccdm_compare_drop(&comparison);
	forge_free(&log);
	ccdm_bootable_close(&boot);
	forge_free(&disk);
}

/* Different events are reported before registers that have no event at all. */
static void order(void **state)
{
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0), log = { 0 };

	(void)state;
	predict(&disk);
	log_begin(&log, 3);
	log_text(&log, 3, 4, "another program", 15);
	assert_int_equal(compare(&log, NULL, false), 0);
	assert_true(comparison.count > 2);
	assert_int_equal(comparison.departure[0].reg, 4);
	assert_int_equal(comparison.departure[0].log_number, 1);
	assert_int_equal(comparison.departure[1].log_number, 2);
	ccdm_compare_drop(&comparison);
	ccdm_bootable_close(&boot);
	forge_free(&disk);
	forge_free(&log);
}

static void bad_logs(void **state)
{
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0), log = { 0 };

	(void)state;
	predict(&disk);
	forge_say(&log, "x", 1);
	assert_int_equal(compare(&log, NULL, false), -EINVAL);
	ccdm_compare_drop(&comparison);
	forge_free(&log);
	log_begin(&log, 3);
	assert_int_equal(compare(&log, NULL, false), -EINVAL);
	assert_non_null(strstr(err.text, "no event of the registers"));
	ccdm_compare_drop(&comparison);
	log_text(&log, 3, 4, "a", 1);
	log_text(&log, 1, 4, "b", 1);
	assert_int_equal(compare(&log, NULL, false), -EINVAL);
	assert_non_null(strstr(err.text, "other banks"));
	ccdm_compare_drop(&comparison);
	forge_free(&log);
	ccdm_bootable_close(&boot);
	forge_free(&disk);
}

/* If something is unknown, the result says so and has no ID. */
static void unknown(void **state)
{
	static const struct forge_file beside[] = { { "EFI/BOOT/BOOTX64.EFI.extra.d/a.addon.efi",
						      "x", 1 } };
	static const struct {
		const char *stub, *cmdline, *conf;
		unsigned int more, pcr;
		const char *why;
	} cases[] = {
		{ "258.1", FORGE_CMDLINE, forge_conf, 0, 11, "258.1" },
		{ "258.1", FORGE_CMDLINE, forge_conf, 0, 9, "258.1" },
		{ "257.1", "", forge_conf, 0, 9, "no command line" },
		{ "257.1", FORGE_CMDLINE, NULL, 0, 15, "there is no etc/ccdm/ccdm.conf" },
		{ "257.1", FORGE_CMDLINE, "[x\n", 0, 15, "ccdm.conf" },
		{ "257.1", FORGE_CMDLINE, forge_conf, 1, 12, "a.addon.efi" },
		/*
		 * an addon can change command line and initrd, and bring credentials and extensions
		 */
		{ "257.1", FORGE_CMDLINE, forge_conf, 1, 9, "a.addon.efi" },
		{ "257.1", FORGE_CMDLINE, forge_conf, 1, 13, "a.addon.efi" },
	};
	char id[CCDM_ENCLAVE_ID_SIZE], why[640];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct forge_bytes disk = disk_of(cases[i].stub, cases[i].cmdline, cases[i].conf,
						  beside, cases[i].more);

		predict(&disk);
		assert_non_null(ccdm_predict_why(&prediction, cases[i].pcr));
		assert_non_null(strstr(ccdm_predict_why(&prediction, cases[i].pcr), cases[i].why));
		assert_int_equal(
			ccdm_predict_id(&boot, &prediction, false, 0, id, why, sizeof(why)), 0);
		assert_string_equal(id, "");
		assert_string_not_equal(why, "");
		ccdm_bootable_close(&boot);
		forge_free(&disk);
	}
}

/* IDs of each bank and of a TD; none for a TD whose stub does not measure into RTMRs. */
static void ids(void **state)
{
	char id[3][CCDM_ENCLAVE_ID_SIZE], why[640];
	unsigned int k;
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0);

	(void)state;
	predict(&disk);
	for (k = 0; k < 3; k++) {
		assert_int_equal(
			ccdm_predict_id(&boot, &prediction, k == 2, k & 1, id[k], why, sizeof(why)),
			0);
		assert_int_equal(strlen(id[k]), 64);
	}
	assert_string_not_equal(id[0], id[1]);
	assert_string_not_equal(id[1], id[2]);
	ccdm_bootable_close(&boot);
	forge_free(&disk);
	disk = disk_of("252.1", FORGE_CMDLINE, forge_conf, NULL, 0);
	predict(&disk);
	assert_int_equal(ccdm_predict_id(&boot, &prediction, true, 1, id[2], why, sizeof(why)), 0);
	assert_string_equal(id[2], "");
	assert_non_null(strstr(why, "252"));
	ccdm_bootable_close(&boot);
	forge_free(&disk);
}

/* With Secure Boot the firmware does not measure the kernel. */
static void secure_boot(void **state)
{
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0);
	char id[CCDM_ENCLAVE_ID_SIZE], other[CCDM_ENCLAVE_ID_SIZE], why[640];
	unsigned int events;

	(void)state;
	predict(&disk);
	events = prediction.events;
	assert_int_equal(ccdm_predict_id(&boot, &prediction, false, 0, id, why, sizeof(why)), 0);
	assert_int_equal(ccdm_predict(&boot, true, &prediction, &err), 0);
	assert_int_equal(prediction.events, events - 1);
	assert_int_equal(ccdm_predict_id(&boot, &prediction, false, 0, other, why, sizeof(why)), 0);
	assert_int_equal(strlen(other), 64);
	assert_string_not_equal(id, other);
	ccdm_bootable_close(&boot);
	forge_free(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same),	     cmocka_unit_test(each_event),
		cmocka_unit_test(other_ids), cmocka_unit_test(returned),
		cmocka_unit_test(words),     cmocka_unit_test(order),
		cmocka_unit_test(bad_logs),  cmocka_unit_test(unknown),
		cmocka_unit_test(ids),	     cmocka_unit_test(secure_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
