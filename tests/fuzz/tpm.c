// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/evidence/tpm_json.c lib/evidence/tpm_quote.c - a TPM's quote in the form of the KBS protocol */
#include "evidence/tpm_json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *o = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct ccdm_tpm_facts facts;
	struct ccdm_tpm_quote quote;
	struct ccdm_pubkey *ak = NULL;
	struct ccdm_verdict v = { 0 };
	struct ccdm_err err;

	if (!ccdm_tpm_json_parse(o, &quote, &ak, &err))
		ccdm_tpm_quote_verify(&quote, ak, (const uint8_t *)"nonce", 5, "", &facts, &v);
	fuzz_verdict(&v);
	ccdm_pubkey_free(ak);
	json_decref(o);
	return 0;
}
