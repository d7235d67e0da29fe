// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* attest_tdx.c - see attest_tdx.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "attest_log.h"
#include "attest_tdx.h"
#include "base/json.h"
#include "tsm.h"

#define TDX_PROVIDER "tdx_guest"

static bool ccdm_attest_tdx_exists(const struct ccdm_attester *attester)
{
	(void)attester;
	return ccdm_tsm_provides(TDX_PROVIDER);
}

struct ccdm_tdx_signing {
	const struct ccdm_ask *ask;
	struct ccdm_tsm_report report;
};

static int ccdm_attest_tdx_sign(void *arg, struct ccdm_err *err)
{
	struct ccdm_tdx_signing *s = arg;
	uint8_t padded[CCDM_TSM_DATA];

	ccdm_tsm_drop(&s->report);
	ccdm_tsm_pad(padded, s->ask->data, s->ask->size);
	return ccdm_tsm_report(TDX_PROVIDER, padded, &s->report, err);
}

static int ccdm_attest_tdx_collect(const struct ccdm_attester *attester, const struct ccdm_ask *ask,
				   json_t **evidence, struct ccdm_err *err)
{
	struct ccdm_tdx_signing s = { .ask = ask };
	const struct ccdm_attest_logs logs = { "cc_eventlog", CCDM_CC_LOG, ccdm_attest_tdx_sign,
					       &s };
	json_t *o = json_pack("{s:n}", "cc_eventlog");
	int r = o ? ccdm_attest_steady(&logs, o, err) : ccdm_err_memory(err);

	(void)attester;
	if (!r && json_object_set_new(o, "quote", ccdm_json_make(s.report.out, s.report.out_size)))
		r = ccdm_err_memory(err);
	ccdm_tsm_drop(&s.report);
	if (r) {
		json_decref(o);
		o = NULL;
	}
	*evidence = o;
	return r;
}

const struct ccdm_attester ccdm_attest_tdx = {
	.tee = "tdx",
	.what = "Intel TDX (configfs-tsm)",
	.exists = ccdm_attest_tdx_exists,
	.collect = ccdm_attest_tdx_collect,
};
