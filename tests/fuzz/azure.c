// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/evidence/azure.c - evidence of Azure's paravisor */
#include "evidence/azure.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *o = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct ccdm_certs *certs = fuzz_own(ccdm_certs_new());
	struct ccdm_anchor anchors[FUZZ_ANCHORS];
	struct ccdm_azure_want want = {
		.snp = { .certs = certs, .at = FUZZ_AT, .anchors = anchors },
		.tdx = { .certs = certs, .at = FUZZ_AT, .anchors = anchors },
		.nonce = (const uint8_t *)"nonce",
		.nonce_size = 5,
	};
	struct ccdm_tpm_facts facts;
	struct ccdm_verdict v = { 0 };
	struct ccdm_err err;
	struct ccdm_azure az;

	if (!ccdm_azure_parse(o, &az, certs, &want.snp.leaf, &err)) {
		want.snp.nr_anchors = want.tdx.nr_anchors = fuzz_anchors(certs, anchors);
		ccdm_azure_verify(&az, &want, &facts, &v, &err);
		fuzz_verdict(&v);
		ccdm_azure_drop(&az);
	}
	ccdm_certs_free(certs);
	json_decref(o);
	return 0;
}
