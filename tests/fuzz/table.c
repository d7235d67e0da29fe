// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/evidence/snp_json.c - a raw SNP report, then the host's certificate table */
#include "evidence/snp_json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_certs *certs = fuzz_own(ccdm_certs_new());
	uint8_t raw[CCDM_SNP_REPORT_SIZE], *table;
	const struct ccdm_cert *leaf;
	struct ccdm_err err;
	json_t *o;

	if (size >= sizeof(raw)) {
		/* an exact copy: the sanitizer sees a read beyond it */
		table = fuzz_own(malloc(size - sizeof(raw) ? size - sizeof(raw) : 1));
		memcpy(table, data + sizeof(raw), size - sizeof(raw));
		if (!ccdm_snp_json_make(data, table, size - sizeof(raw), &o, &err)) {
			ccdm_snp_json_parse(o, raw, certs, &leaf, &err);
			ccdm_snp_json_add(o, certs, &err);
			json_decref(o);
		}
		if (!ccdm_snp_json_make(data, NULL, 0, &o, &err)) {
			ccdm_snp_json_add(o, certs, &err);
			json_decref(o);
		}
		free(table);
	}
	ccdm_certs_free(certs);
	return 0;
}
