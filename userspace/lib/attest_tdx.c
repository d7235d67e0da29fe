// SPDX-License-Identifier: Apache-2.0
/* attest_tdx.c - see attest_tdx.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "attest_log.h"
#include "attest_tdx.h"
#include "tcglog.h"
#include "tsm.h"

#define TDX_PROVIDER "tdx_guest"

static bool ccdm_attest_tdx_exists(const struct ccdm_attester *attester)
{
	(void)attester;
	return ccdm_tsm_provides(TDX_PROVIDER);
}

static int ccdm_attest_tdx_collect(const struct ccdm_attester *attester, const uint8_t *data,
				   size_t size, json_t **evidence, struct ccdm_err *err)
{
	uint8_t padded[CCDM_TSM_DATA] = { 0 };
	struct ccdm_tsm_report report;
	json_t *o;
	int r;

	(void)attester;
	*evidence = NULL;
	memcpy(padded, data, size < sizeof(padded) ? size : sizeof(padded));
	r = ccdm_tsm_report(TDX_PROVIDER, padded, &report, err);
	if (r)
		return r;
	o = json_pack("{s:o, s:n}", "quote", ccdm_attest_base64(report.out, report.out_size),
		      "cc_eventlog");
	ccdm_tsm_drop(&report);
	r = o ? 0 : ccdm_err_set(err, -ENOMEM, "out of memory");
	if (!r)
		r = ccdm_attest_file(o, "cc_eventlog", CCDM_CC_LOG, CCDM_TCGLOG_MAX, false, err);
	if (!r)
		r = ccdm_attest_logs(o, err);
	if (r)
		json_decref(o);
	else
		*evidence = o;
	return r;
}

const struct ccdm_attester ccdm_attest_tdx = {
	.tee = "tdx",
	.what = "Intel TDX (configfs-tsm)",
	.exists = ccdm_attest_tdx_exists,
	.collect = ccdm_attest_tdx_collect,
};
