// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* capture.c - see capture.h */
#include <errno.h>
#include <string.h>
#include "capture.h"
#include "kbs/kbs.h"

bool ccdm_capture_is(const json_t *o)
{
	return json_object_get(o, "tee-evidence");
}

static int ccdm_capture_bound(struct ccdm_capture *c, const char *nonce, json_t *key,
			      struct ccdm_err *err)
{
	int r = ccdm_kbs_report_data(CCDM_KBS_0_4, nonce, key, c->additional, &c->digest);

	if (!r)
		r = ccdm_kbs_report_data(CCDM_KBS_0_2, nonce, key, "", &c->digest_beside);
	if (r)
		return ccdm_err_set(err, r, "cannot hash nonce and key");
	c->has_nonce = true;
	c->bound = (struct ccdm_bound){ c->digest.bytes, ccdm_tee_bound(c->tee) };
	c->bound_beside = (struct ccdm_bound){ c->digest_beside.bytes, ccdm_tee_bound("tpm") };
	return 0;
}

int ccdm_capture_parse(const json_t *o, struct ccdm_capture *c, struct ccdm_err *err)
{
	const json_t *runtime = json_object_get(o, "runtime-data");
	const json_t *evidence = json_object_get(o, "tee-evidence");
	const json_t *nonce = json_object_get(runtime, "nonce");
	const json_t *more = json_object_get(evidence, "additional_evidence");
	json_t *key = json_object_get(runtime, "tee-pubkey");

	memset(c, 0, sizeof(*c));
	c->tee = json_string_value(json_object_get(o, "tee"));
	c->primary = json_object_get(evidence, "primary_evidence");
	c->additional = more ? json_string_value(more) : "";
	if (!c->tee || !c->primary || !ccdm_tee_known(c->tee))
		return ccdm_err_set(err, -EINVAL,
				    "expected a known name in tee, and an object primary_evidence");
	if (!c->additional)
		return ccdm_err_set(err, -EINVAL, "additional_evidence: expected a string");
	/*
	 * A nonce without a key (or the reverse) is a mistake; it must not pass as unbound
	 * evidence.
	 */
	if (!nonce && (!runtime || json_is_object(runtime)))
		return 0;
	if (!json_is_string(nonce) || !json_is_object(key))
		return ccdm_err_set(err, -EINVAL,
				    "runtime-data: expected a valid nonce and tee-pubkey");
	return ccdm_capture_bound(c, json_string_value(nonce), key, err);
}
