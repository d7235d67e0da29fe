// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/evidence/tpm_quote.c - the length of a TPMT_SIGNATURE, the TPMT_SIGNATURE, a TPMS_ATTEST */
#include "base/bytes.h"
#include "evidence/tpm_quote.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_tpm_quote quote = { .nr_pcrs = CCDM_TPM_PCRS, .bank = CCDM_ALG_SHA256 };
	size_t n = size >= 2 ? ccdm_le16(data) : 0;
	struct ccdm_tpm_facts facts;
	struct ccdm_verdict v = { 0 };
	struct ccdm_err err;

	if (size < 2 || n > size - 2 || size - 2 - n > sizeof(quote.message))
		return 0;
	quote.size = size - 2 - n;
	memcpy(quote.message, data + 2 + n, quote.size);
	if (!ccdm_tpm_signature_parse(data + 2, n, &quote.signature, &err) &&
	    !ccdm_tpm_quote_parse(&quote, &err))
		ccdm_tpm_quote_verify(&quote, NULL, (const uint8_t *)"nonce", 5, "", &facts, &v);
	fuzz_verdict(&v);
	return 0;
}
