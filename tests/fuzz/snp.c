// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/evidence/snp_json.c lib/evidence/snp.c - an SNP report with its chain, in the form of the KBS protocol */
#include "evidence/snp_json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *o = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL), *back;
	struct ccdm_certs *certs = fuzz_own(ccdm_certs_new());
	struct ccdm_anchor anchors[FUZZ_ANCHORS];
	struct ccdm_snp_want want = { .certs = certs, .at = FUZZ_AT, .anchors = anchors };
	uint8_t raw[CCDM_SNP_REPORT_SIZE];
	struct ccdm_verdict v = { 0 };
	struct ccdm_err err;
	struct ccdm_snp snp;

	if (!ccdm_snp_json_parse(o, raw, certs, &want.leaf, &err) &&
	    !ccdm_snp_parse(raw, sizeof(raw), &snp, &err)) {
		want.nr_anchors = fuzz_anchors(certs, anchors);
		want.report_data = snp.report_data;
		want.report_data_size = 48;
		if (!want.leaf)
			want.leaf = ccdm_snp_leaf(certs, &snp);
		ccdm_snp_verify(&snp, &want, &v);
		fuzz_verdict(&v);
		if (!ccdm_snp_json_make(raw, NULL, 0, &back, &err)) {
			ccdm_snp_json_add(back, certs, &err);
			json_decref(back);
		}
	}
	ccdm_certs_free(certs);
	json_decref(o);
	return 0;
}
