// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Opening a TPM, and its registers; also each request to a TPM, as a seed for the fuzzer. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "chip_questions.h"
#include "chip_test.h"
#include "evidence/tpm_activation.h"

static struct ccdm_digests values;

/* ---- lies ---------------------------------------------------------------------------- */

/* PCR_Event: return no bank. */
static void no_bank(uint8_t *answer, size_t *size)
{
	chip_put_u32(answer + 14, 0);
	parameters(answer, size, 0, 4);
}

/* PCR_Event: return one value, of SM3. */
static void unknown_bank(uint8_t *answer, size_t *size)
{
	chip_put_u32(answer + 14, 1);
	answer[18] = 0;
	answer[19] = TPM2_ALG_SM3_256;
	parameters(answer, size, 0, 4 + 2 + 32);
}

/*
 * GetCapability: return banks of an unknown hash, without PCR 15, with only eight registers; and
 * SHA-512.
 */
static void one_usable_bank(uint8_t *answer, size_t *size)
{
	uint8_t *p = answer + CHIP_HEADER + 9;

	p[1] = TPM2_ALG_SM3_256;
	p[6 + 4] = 0x7f;
	p[12 + 2] = 1;
	memmove(p + 12 + 4, p + 12 + 6, answer + *size - p - 18);
	*size -= 2;
}

/*
 * GetCapability: return curves instead of banks, as many as fit; the library could take them for
 * banks.
 */
static void curves(uint8_t *answer, size_t *size)
{
	unsigned int i;

	chip_put_u32(answer + CHIP_HEADER + 1, TPM2_CAP_ECC_CURVES);
	chip_put_u32(answer + CHIP_HEADER + 5, TPM2_MAX_ECC_CURVES);
	for (i = 0; i < 2 * TPM2_MAX_ECC_CURVES; i++)
		answer[CHIP_HEADER + 9 + i] = i & 1 ? TPM2_ALG_SHA256 : 0;
	*size = CHIP_HEADER + 9 + 2 * TPM2_MAX_ECC_CURVES;
}

/* ---- tests --------------------------------------------------------------------------- */

static void registers(void **state)
{
	static char text[1100];

	(void)state;
	assert_int_equal(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), 0);
	assert_int_equal(values.count, BANKS);
	memset(text, 'x', sizeof(text) - 1);
	is(ccdm_tpm_extend(tpm, 15, text, &values, &err), -E2BIG,
	   "an event: expected at most 1024 bytes");
	{
		char *wraps = calloc(1, 65536 + 5);

		memset(wraps, 'x', 65536 + 4);
		is(ccdm_tpm_extend(tpm, 15, wraps, &values, &err), -E2BIG,
		   "an event: expected at most 1024 bytes");
		free(wraps);
	}
	refuse(TPM2_CC_PCR_Event, 0);
	is(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), -EIO, "cannot extend a PCR");
	lie(TPM2_CC_PCR_Event, 0, no_bank);
	is(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), -EIO, "no bank of PCRs is active");
	lie(TPM2_CC_PCR_Event, 0, unknown_bank);
	is(ccdm_tpm_extend(tpm, 15, "ccdm", &values, &err), -EIO, "no bank of PCRs is active");

	assert_int_equal(ccdm_tpm_read(tpm, 15, &values, &err), 0);
	assert_int_equal(values.count, BANKS);
	refuse(TPM2_CC_GetCapability, 0);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "the list of banks");
	lie(TPM2_CC_GetCapability, 0, curves);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "the list of banks");
	refuse(TPM2_CC_PCR_Read, 1);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "cannot read a PCR");
	lie(TPM2_CC_PCR_Read, 0, no_value);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "PCR 15: expected one value of 20 bytes");
	lie(TPM2_CC_PCR_Read, 0, shorter_value);
	is(ccdm_tpm_read(tpm, 15, &values, &err), -EIO, "PCR 15: expected one value of 20 bytes");
	lie(TPM2_CC_GetCapability, 0, one_usable_bank);
	assert_int_equal(ccdm_tpm_read(tpm, 15, &values, &err), 0);
	assert_int_equal(values.count, 1);
	assert_int_equal(values.digest[0].alg, CCDM_ALG_SHA512);
}

static void no_tpm(void **state)
{
	struct ccdm_tpm *none = (void *)1;

	(void)state;
	is(ccdm_tpm_open("/dev/ccdm-none", &none, &err), -ENODEV, "found no TPM (/dev/ccdm-none)");
	assert_null(none);
	chip_gone = true;
	is(ccdm_tpm_open(CHIP_DEVICE, &none, &err), -EIO, "cannot open it");
	chip_gone = false;
	assert_null(none);
}

/* Make each request of chip_questions.h; the answers to each are a seed. */
static void seeds(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(registers, begin, end),
		cmocka_unit_test_setup_teardown(no_tpm, begin, end),
		cmocka_unit_test_setup_teardown(seeds, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
