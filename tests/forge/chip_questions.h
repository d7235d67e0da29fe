/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* chip_questions.h - all requests that ccdm makes to a TPM, for a unit test and for a fuzzer */
#ifndef CCDM_TEST_CHIP_QUESTIONS_H
#define CCDM_TEST_CHIP_QUESTIONS_H

#include <errno.h>
#include "tpm/tpm_ak.h"
#include "tpm/tpm_ek.h"
#include "tpm/tpm_nv.h"

#define CHIP_INDEX 0x01800100
#define CHIP_KEPT  0x81000003

/* One letter for each request; chip_question() lists them. */
#define CHIP_QUESTIONS "erqkiawn"

/* Make one request. Return: what the tested function returns. */
static inline int chip_question(struct ccdm_tpm *tpm, char question, const json_t *credential,
				struct ccdm_err *err)
{
	static struct ccdm_tpm_signed out;
	static const uint8_t nonce[48] = "nonce";
	struct ccdm_digests values;
	uint8_t bytes[600] = "bytes";
	json_t *o = NULL;
	size_t size;
	int r;

	switch (question) {
	case 'e':
		return ccdm_tpm_extend(tpm, 15, "ccdm", &values, err);
	case 'r':
		return ccdm_tpm_read(tpm, 15, &values, err);
	case 'q':
		return ccdm_tpm_quote(tpm, 0, nonce, 32, &out, err);
	case 'k':
		return ccdm_tpm_quote(tpm, CHIP_KEPT, nonce, 48, &out, err);
	case 'i':
		r = ccdm_tpm_identity(tpm, &o, err);
		json_decref(o);
		return r;
	case 'a':
		r = ccdm_tpm_activate(tpm, credential, &o, err);
		json_decref(o);
		return r;
	case 'n':
		return ccdm_tpm_nv_read(tpm, CHIP_INDEX, bytes, sizeof(bytes), &size, err);
	case 'w':
		return ccdm_tpm_nv_write(tpm, CHIP_INDEX, bytes, 5, err);
	default:
		return -EINVAL;
	}
}

#endif
