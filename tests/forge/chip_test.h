/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * chip_test.h - a TPM (chip.h) for unit tests in which it refuses a command or lies in an answer
 *
 * Each refusal and each lie must lead to an error with a given text, and no result may be used.
 */
#ifndef CCDM_TEST_CHIP_TEST_H
#define CCDM_TEST_CHIP_TEST_H

#include <errno.h>
#include "chip.h"
#include "tpm/tpm_ak.h"
#include "tpm/tpm_esys.h"

#define BANKS	4 /* of swtpm: SHA-1, SHA-256, SHA-384, SHA-512 */
#define REFUSED TPM2_RC_FAILURE

static struct ccdm_tpm *tpm;
static struct ccdm_err err;

static inline int begin(void **state)
{
	(void)state;
	chip_begin();
	return ccdm_tpm_open(CHIP_DEVICE, &tpm, &err);
}

static inline int end(void **state)
{
	(void)state;
	ccdm_tpm_close(tpm);
	chip_end();
	return 0;
}

/* Expect that a call returned @expected with this error text; the TPM is honest again. */
static inline void is(int r, int expected, const char *text)
{
	if (r != expected || !strstr(err.text, text))
		print_error("%d: %s\nexpected %d: %s\n", r, err.text, expected, text);
	assert_int_equal(r, expected);
	assert_non_null(strstr(err.text, text));
	chip_honest();
}

/* The TPM answers @command @skip times, then refuses it. */
static inline void refuse(uint32_t command, unsigned int skip)
{
	chip.of = command;
	chip.skip = skip;
	chip.refuse = REFUSED;
}

/* The TPM answers @command honestly @skip times, then changes its answer. */
static inline void lie(uint32_t command, unsigned int skip,
		       void (*how)(uint8_t *answer, size_t *size))
{
	chip.of = command;
	chip.skip = skip;
	chip.lie = how;
}

/* Make an ECC attestation key persistent at the handle @where. */
static inline void keep(uint32_t where)
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

/* ---- lies ---------------------------------------------------------------------------- */

/*
 * Change the size of the parameters in an answer with a session. The size precedes the parameters;
 * the session follows them. @before: bytes in front of the size; @now: the new size.
 */
static inline void parameters(uint8_t *answer, size_t *size, size_t before, size_t now)
{
	uint8_t *p = answer + CHIP_HEADER + before;
	size_t had = chip_u32(p);

	memmove(p + 4 + now, p + 4 + had, *size - CHIP_HEADER - before - 4 - had);
	chip_put_u32(p, now);
	*size += now - had;
}

/* PCR_Read (a counter, a list of selections, a list of values): return no value. */
static inline void no_value(uint8_t *answer, size_t *size)
{
	size_t at = CHIP_HEADER + 8 + 6 * chip_u32(answer + CHIP_HEADER + 4);

	chip_put_u32(answer + at, 0);
	*size = at + 4;
}

/* PCR_Read: make the first value one byte shorter. */
static inline void shorter_value(uint8_t *answer, size_t *size)
{
	size_t at = CHIP_HEADER + 8 + 6 * chip_u32(answer + CHIP_HEADER + 4) + 4;

	answer[at + 1]--;
	memmove(answer + at + 2, answer + at + 3, *size - at - 3);
	--*size;
}

/* PCR_Read: change the last value. */
static inline void other_value(uint8_t *answer, size_t *size)
{
	answer[*size - 1] ^= 1;
}

#endif
