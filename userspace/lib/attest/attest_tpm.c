// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* attest_tpm.c - see attest_tpm.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "attest_log.h"
#include "attest_tpm.h"
#include "evidence/evidence.h"
#include "base/json.h"
#include "tpm/tpm_ak.h"
#include "tpm/tpm_ek.h"

static bool ccdm_attest_tpm_exists(const struct ccdm_attester *attester)
{
	(void)attester;
	return !access(CCDM_TPM_DEVICE, R_OK | W_OK);
}

/* The identity with which a broker can make a credential for this TPM; NULL if there is none. */
static json_t *ccdm_attest_tpm_introduce(const struct ccdm_attester *attester)
{
	struct ccdm_tpm *tpm = NULL;
	struct ccdm_err ignored;
	json_t *pair = NULL;

	(void)attester;
	if (ccdm_tpm_open(CCDM_TPM_DEVICE, &tpm, &ignored))
		return NULL;
	/* A key that the provider has certified needs no credential for the endorsement key. */
	if (!ccdm_tpm_ak_certified(tpm) && ccdm_tpm_identity(tpm, &pair, &ignored))
		pair = NULL;
	ccdm_tpm_close(tpm);
	return pair ? json_pack("{s:o}", "ccdm-tpm", pair) : NULL;
}

/*
 * If the broker sent a credential, add "activation": the TPM's identity and the credential's value.
 */
static int ccdm_attest_tpm_activate(struct ccdm_tpm *tpm, const struct ccdm_ask *ask, json_t *o,
				    struct ccdm_err *err)
{
	const json_t *credential = json_object_get(ask->extra, "ccdm-credential");
	json_t *pair = json_object_get(ask->introduced, "ccdm-tpm"), *value;
	int r;

	if (!credential || !pair)
		return 0;
	r = ccdm_tpm_activate(tpm, credential, &value, err);
	if (!r &&
	    (json_object_set_new(pair, "value", value) || json_object_set(o, "activation", pair)))
		r = ccdm_err_memory(err);
	return r;
}

struct ccdm_tpm_signing {
	struct ccdm_tpm *tpm;
	const struct ccdm_ask *ask;
	struct ccdm_tpm_signed out;
};

static int ccdm_attest_tpm_sign(void *arg, struct ccdm_err *err)
{
	struct ccdm_tpm_signing *s = arg;
	size_t bound = ccdm_tee_bound("tpm");

	return ccdm_tpm_quote(s->tpm, 0, s->ask->data, s->ask->size < bound ? s->ask->size : bound,
			      &s->out, err);
}

static int ccdm_attest_tpm_collect(const struct ccdm_attester *attester, const struct ccdm_ask *ask,
				   json_t **evidence, struct ccdm_err *err)
{
	struct ccdm_tpm_signing *s = calloc(1, sizeof(*s));
	const struct ccdm_attest_logs logs = { "firmware_log", CCDM_BIOS_LOG, ccdm_attest_tpm_sign,
					       s };
	json_t *o = json_object();
	int r = s && o ? ccdm_tpm_open(CCDM_TPM_DEVICE, &s->tpm, err) : ccdm_err_memory(err);

	(void)attester;
	if (!r) {
		s->ask = ask;
		r = ccdm_attest_tpm_activate(s->tpm, ask, o, err);
	}
	if (!r)
		r = ccdm_attest_steady(&logs, o, err);
	if (s)
		ccdm_tpm_close(s->tpm);
	if (!r && (json_object_set_new(
			   o, "tpm_quote",
			   json_pack("{s:o, s:o, s:o}", "signature",
				     ccdm_json_make(s->out.signature, s->out.signature_size),
				     "message", ccdm_json_make(s->out.message, s->out.message_size),
				     "pcrs", ccdm_tpm_signed_pcrs(&s->out))) ||
		   json_object_set_new(o, "ak_public", ccdm_json_make(s->out.ak, s->out.ak_size))))
		r = ccdm_err_memory(err);
	if (!r && s->out.ak_cert_size &&
	    json_object_set_new(o, "ak_cert", ccdm_tpm_signed_cert(&s->out)))
		r = ccdm_err_memory(err);
	free(s);
	if (r) {
		json_decref(o);
		o = NULL;
	}
	*evidence = o;
	return r;
}

const struct ccdm_attester ccdm_attest_tpm = {
	.tee = "tpm",
	.what = "TPM 2.0 (" CCDM_TPM_DEVICE ")",
	.exists = ccdm_attest_tpm_exists,
	.introduce = ccdm_attest_tpm_introduce,
	.collect = ccdm_attest_tpm_collect,
};
