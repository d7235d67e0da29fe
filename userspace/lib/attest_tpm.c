// SPDX-License-Identifier: Apache-2.0
/* attest_tpm.c - see attest_tpm.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "attest_tpm.h"
#include "base64.h"
#include "evidence.h"
#include "file.h"
#include "measure.h"
#include "tcglog.h"
#include "tpm_ak.h"

static bool ccdm_attest_tpm_exists(const struct ccdm_attester *attester)
{
	(void)attester;
	return !access(CCDM_TPM_DEVICE, R_OK | W_OK);
}

static int ccdm_member_set(json_t *o, const char *key, json_t *value)
{
	return json_object_set_new(o, key, value) ? -ENOMEM : 0;
}

static json_t *ccdm_json_base64(const void *bytes, size_t size)
{
	char *text = ccdm_base64(bytes, size);
	json_t *value = text ? json_string(text) : NULL;

	free(text);
	return value;
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

/* A log that there is not is none; one that there is goes along. */
static int ccdm_attest_log(json_t *o, const char *key, const char *file, size_t max, bool text,
			   struct ccdm_err *err)
{
	char *bytes;
	size_t size;
	int r;

	if (access(file, R_OK))
		return 0;
	r = ccdm_file_read(file, max, &bytes, &size, err);
	if (r)
		return r;
	r = ccdm_member_set(o, key,
			    text ? json_stringn(bytes, size) : ccdm_json_base64(bytes, size));
	free(bytes);
	return r;
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
			      ccdm_json_base64(s->signature, s->signature_size), "message",
			      ccdm_json_base64(s->message, s->message_size), "pcrs",
			      ccdm_json_pcrs(s), "ak_public", ccdm_json_base64(s->ak, s->ak_size));
		r = o ? 0 : -ENOMEM;
	}
	if (!r)
		r = ccdm_attest_log(o, "firmware_log", CCDM_BIOS_LOG, CCDM_TCGLOG_MAX, false, err);
	if (!r)
		r = ccdm_attest_log(o, "ccdm_log", CCDM_EVENTLOG_FILE, CCDM_EVENTLOG_MAX, true,
				    err);
	if (!r)
		r = ccdm_attest_log(o, "systemd_log", CCDM_MEASURE_SYSTEMD_LOG, CCDM_EVENTLOG_MAX,
				    true, err);
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
