// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * NV indices of a TPM.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "chip_questions.h"
#include "chip_test.h"

/* NV_Read: return one byte less. */
static void shorter(uint8_t *answer, size_t *size)
{
	answer[15]--;
	parameters(answer, size, 0, chip_u32(answer + CHIP_HEADER) - 1);
}

static void indices(void **state)
{
	uint8_t bytes[600] = { 1, 2, 3, 4, 5 }, got[600];
	size_t size;

	(void)state;
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -ENOENT,
	   "no NV index 0x1800100");
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, sizeof(bytes), &err), -EFBIG,
	   "NV index: too many bytes: 600");
	refuse(TPM2_CC_NV_DefineSpace, 0);
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), -EIO, "cannot create an NV index");
	refuse(TPM2_CC_NV_Write, 0);
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), -EIO, "cannot write an NV index");
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -ENOENT, "is empty");
	assert_int_equal(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), 0);
	assert_int_equal(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), 0);
	assert_int_equal(size, 5);
	assert_memory_equal(got, bytes, 5);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, 4, &size, &err), -EFBIG,
	   "expected at most 4 bytes, found 5");
	refuse(TPM2_CC_NV_ReadPublic, 0);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -EIO, "NV index");
	refuse(TPM2_CC_NV_ReadPublic, 1);
	is(ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, &err), -EIO, "NV index");
	refuse(TPM2_CC_NV_Read, 0);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -EIO,
	   "cannot read an NV index");
	lie(TPM2_CC_NV_Read, 0, shorter);
	is(ccdm_tpm_nv_read(tpm, CHIP_INDEX, got, sizeof(got), &size, &err), -EIO,
	   "expected 5 bytes, found 4");
	assert_int_equal(size, 0);
	/* an index that only its owner may use */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(indices, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
