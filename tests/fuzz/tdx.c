// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/evidence/tdx.c lib/evidence/collateral.c - the length of a TDX quote, the quote, its collateral */
#include "base/bytes.h"
#include "evidence/tdx.h"
#include "fuzz.h"

static void judge(const struct ccdm_tdx *tdx, struct ccdm_certs *certs,
		  const struct ccdm_collateral *c)
{
	struct ccdm_anchor anchors[FUZZ_ANCHORS];
	struct ccdm_tdx_want want = {
		.certs = certs, .collateral = c, .at = FUZZ_AT, .anchors = anchors
	};
	struct ccdm_verdict v = { 0 };
	struct ccdm_err err;

	want.report_data = tdx->report_data;
	want.report_data_size = 48;
	want.nr_anchors = fuzz_anchors(certs, anchors);
	ccdm_tdx_verify(tdx, &want, &v, &err);
	fuzz_verdict(&v);
}

/* The collateral without a quote. */
static void keep(const struct ccdm_certs *certs, const struct ccdm_collateral *c)
{
	struct ccdm_anchor anchors[FUZZ_ANCHORS];
	struct ccdm_verdict v = { .allow = CCDM_ALLOW_NO_CRL };
	struct ccdm_signed_info info;
	uint8_t fmspc[6];

	if (!ccdm_collateral_genuine(c, certs, anchors, fuzz_anchors(certs, anchors), FUZZ_AT, &v))
		fuzz_verdict(&v);
	ccdm_collateral_fmspc(c, fmspc);
	ccdm_signed_info(&c->tcb, &info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_certs *certs = fuzz_own(ccdm_certs_new());
	struct ccdm_collateral c = { 0 };
	struct ccdm_err err;
	struct ccdm_tdx tdx;
	uint8_t *quote;
	size_t n = size >= 2 ? ccdm_le16(data) : 0;
	char *text;

	if (size >= 2 && n <= size - 2) {
		quote = fuzz_own(malloc(n ? n : 1));
		memcpy(quote, data + 2, n);
		text = fuzz_text(data + 2 + n, size - 2 - n);
		if (ccdm_collateral_bundle("test", text, size - 2 - n, &c, certs, &err)) {
			/* not a bundle: perhaps one of Intel's own answers */
			ccdm_collateral_tcb("test", text, size - 2 - n, &c, &err);
			ccdm_collateral_qe("test", text, size - 2 - n, &c, &err);
		}
		if (!ccdm_tdx_parse(quote, n, &tdx, &err) && ccdm_tdx_known(&tdx))
			judge(&tdx, certs, c.tcb.text || c.qe.text ? &c : NULL);
		keep(certs, &c);
		free(text);
		free(quote);
	}
	ccdm_collateral_drop(&c);
	ccdm_certs_free(certs);
	return 0;
}
