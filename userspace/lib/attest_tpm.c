// SPDX-License-Identifier: Apache-2.0
/* attest_tpm.c - see attest_tpm.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "attest_log.h"
#include "attest_tpm.h"
#include "evidence.h"
#include "tcglog.h"
#include "tpm_ak.h"

static bool ccdm_attest_tpm_exists(const struct ccdm_attester *attester)
{
	(void)attester;
	return !access(CCDM_TPM_DEVICE, R_OK | W_OK);
}

static json_t *ccdm_json_pcrs(const struct ccdm_tpm_signed *s)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *pcrs = json_array();
	unsigned int i;

	for (i = 0; i < CCDM_TPM_PCRS; i++) {
		ccdm_digest_hex(s->pcr[i], ccdm_digest_size(s->bank), hex);
		json_array_append_new(pcrs, json_string(hex));
	}
	return pcrs;
}

static int ccdm_attest_tpm_collect(const struct ccdm_attester *attester, const uint8_t *data,
				   size_t size, json_t **evidence, struct ccdm_err *err)
{
	struct ccdm_tpm_signed *s = malloc(sizeof(*s));
	struct ccdm_tpm *tpm = NULL;
	json_t *o = NULL;
	size_t bound = ccdm_tee_bound("tpm");
	int r = s ? ccdm_tpm_open(CCDM_TPM_DEVICE, &tpm, err) : -ENOMEM;

	(void)attester;
	if (!r)
		r = ccdm_tpm_quote(tpm, data, size < bound ? size : bound, s, err);
	ccdm_tpm_close(tpm);
	if (!r) {
		o = json_pack("{s:{s:o, s:o, s:o}, s:o}", "tpm_quote", "signature",
			      ccdm_attest_base64(s->signature, s->signature_size), "message",
			      ccdm_attest_base64(s->message, s->message_size), "pcrs",
			      ccdm_json_pcrs(s), "ak_public",
			      ccdm_attest_base64(s->ak, s->ak_size));
		r = o ? 0 : -ENOMEM;
	}
	if (!r)
		r = ccdm_attest_file(o, "firmware_log", CCDM_BIOS_LOG, CCDM_TCGLOG_MAX, false, err);
	if (!r)
		r = ccdm_attest_logs(o, err);
	free(s);
	*evidence = r ? NULL : o;
	if (r)
		json_decref(o);
	return r;
}

const struct ccdm_attester ccdm_attest_tpm = {
	.tee = "tpm",
	.what = "TPM 2.0 (" CCDM_TPM_DEVICE ")",
	.exists = ccdm_attest_tpm_exists,
	.collect = ccdm_attest_tpm_collect,
};
