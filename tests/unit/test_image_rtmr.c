// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Predicted registers of a TD, with a known answer: the log of a TD at Google (trustee's
 * CCEL_data_gcp) has the same kinds of events in RTMR 1, and a register that they lead to.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "image/predict.h"
#include "image_test.h"

static struct ccdm_bootable boot;
static struct ccdm_prediction prediction;

/* RTMR 1 of that TD, and its events in their order. */
#define REGISTER \
	"204d49f78d29918fe7b2f694e76653861a0c2a018987d2c3a54266eff737232524cf0af68c4d180e2f8c2c0937f21967"

static const struct {
	enum ccdm_predict_kind kind;
	unsigned int pcr;
	const char *digest;
} events[] = {
	{ CCDM_PREDICT_CONSTANT, 4,
	  "77a0dab2312b4e1e57a84d865a21e5b2ee8d677a21012ada819d0a98988078d3d740f6346bfe0abaa938ca20439a8d71" },
	{ CCDM_PREDICT_CONSTANT, 4,
	  "394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae41019f5818b4b971c9effc60e1ad9f1289f0" },
	{ CCDM_PREDICT_GPT, 5,
	  "150de7cb5074b119f562209c0944a2a13350f146c46340ae3b168b289b273dfdfda8ba452bddda366f9f70cd3dd2aa17" },
	{ CCDM_PREDICT_UKI, 4,
	  "8a00de1d573d1af635e1e4e1f98c49c2fe5c3f7bc464097833a99eb78c2b9be2f90f3fe55e0f6314664fbee815a2aea5" },
	{ CCDM_PREDICT_KERNEL, 4,
	  "476f35ba0cf5110367716bcc5511591575588fde5794cd2ea7c6c0e89c4ccf4a29ce15343ff194e1143afd1f3c165011" },
	{ CCDM_PREDICT_CONSTANT, 5,
	  "214b0bef1379756011344877743fdc2a5382bac6e70362d624ccf3f654407c1b4badf7d8f9295dd3dabdef65b27677e0" },
	{ CCDM_PREDICT_CONSTANT, 5,
	  "0a2e01c85deae718a530ad8c6d20a84009babe6c8989269e950d8cf440c6e997695e64d455c4174a652cd080f6230b74" },
};

static const char *hex_of(const struct ccdm_digest *d)
{
	static char hex[2 * CCDM_DIGEST_MAX + 1];

	ccdm_hex(d->bytes, d->size, hex);
	return hex;
}

/* Firmware's events are those of the log; with its programs and table the register is the TD's. */
static void known_answer(void **state)
{
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0);
	struct ccdm_digest value;
	unsigned int i, k = 0;

	(void)state;
	open_disk(&disk, &boot);
	assert_int_equal(ccdm_predict(&boot, false, &prediction, &err), 0);
	for (i = 0; i < prediction.events; i++) {
		struct ccdm_predicted *e = &prediction.event[i];

		/* (one separator of three counts) */
		if (ccdm_predict_rtmr(e->pcr) != 1 || (k == 2 && !strcmp(e->what, "separator")))
			continue;
		assert_true(k < ARRAY_SIZE(events));
		assert_int_equal(e->kind, events[k].kind);
		if (e->kind == CCDM_PREDICT_CONSTANT)
			assert_string_equal(hex_of(&e->digest[1]), events[k].digest);
		else
			assert_int_equal(ccdm_unhex(events[k].digest, e->digest[1].bytes, 48), 0);
		k++;
	}
	assert_int_equal(k, ARRAY_SIZE(events));
	assert_int_equal(ccdm_predict_rtmr_value(&prediction, 1, true, &value), 0);
	assert_string_equal(hex_of(&value), REGISTER);
	assert_int_equal(ccdm_predict_rtmr_value(&prediction, 1, false, &value), 0);
	assert_string_not_equal(hex_of(&value), REGISTER);
	ccdm_bootable_close(&boot);
	forge_free(&disk);
}

/* RTMR 3 is what PCR 15 is, and RTMR 2 has the sections before options and initrd. */
static void others(void **state)
{
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0);
	struct ccdm_digest value, pcr = { 0 };
	unsigned int i;

	(void)state;
	open_disk(&disk, &boot);
	assert_int_equal(ccdm_predict(&boot, false, &prediction, &err), 0);
	assert_int_equal(ccdm_predict_rtmr_value(&prediction, 3, false, &value), 0);
	assert_int_equal(ccdm_predict_value(&prediction, CCDM_EVENT_PCR, 1, &pcr), 0);
	assert_string_equal(hex_of(&value), hex_of(&pcr));
	memset(&pcr, 0, sizeof(pcr));
	pcr.alg = CCDM_ALG_SHA384;
	pcr.size = 48;
	for (i = 0; i < prediction.events; i++)
		if (prediction.event[i].pcr == 9 || prediction.event[i].pcr == 11)
			assert_int_equal(ccdm_eventlog_extend(&pcr, &prediction.event[i].digest[1]),
					 0);
	assert_int_equal(ccdm_predict_rtmr_value(&prediction, 2, true, &value), 0);
	assert_memory_equal(value.bytes, pcr.bytes, 48);
	ccdm_bootable_close(&boot);
	forge_free(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answer),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
