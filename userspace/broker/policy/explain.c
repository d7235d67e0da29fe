// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* explain.c - see explain.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "evidence/capture.h"
#include "base/json.h"
#include "explain.h"

static json_t *ccdm_explain_policies(const struct ccdm_policy *p, const json_t *facts)
{
	json_t *all = json_array();

	for (; p; p = p->next) {
		json_t *trace = json_array();
		enum ccdm_answer answer = ccdm_policy_judge(p, facts, &trace);

		ccdm_json_add(&all, json_pack("{s:s, s:b, s:O, s:o}", "name", p->name, "holds",
					      answer == CCDM_YES, "secrets", p->secrets,
					      "conditions", trace));
	}
	return all;
}

int ccdm_explain(const struct ccdm_trust_dir *trust, const struct ccdm_policy *policies,
		 const json_t *o, int64_t at, json_t **out, struct ccdm_err *err)
{
	struct ccdm_proof proof = { 0 };
	struct ccdm_capture capture;
	struct ccdm_claim claim;
	struct ccdm_verdict *v;
	int r;

	*out = NULL;
	r = ccdm_capture_parse(o, &capture, err);
	if (r)
		return r;
	claim = (struct ccdm_claim){
		.tee = capture.tee,
		.primary = capture.primary,
		.additional = capture.additional,
		.bound = capture.bound,
		.bound_beside = capture.bound_beside,
	};
	v = calloc(1, sizeof(*v));
	if (!v)
		return ccdm_err_memory(err);
	r = ccdm_trust_judge(trust, &claim, at, v, &proof, err);
	if (!r) {
		*out = ccdm_verdict_json(v);
		ccdm_json_put(out, "nonce-checked", json_boolean(capture.has_nonce));
		if (proof.facts) {
			ccdm_json_put(out, "facts", json_incref(proof.facts));
			ccdm_json_put(out, "notes", json_incref(proof.notes));
			ccdm_json_put(out, "policies",
				      ccdm_explain_policies(policies, proof.facts));
		}
		if (!*out)
			r = ccdm_err_memory(err);
	}
	ccdm_proof_drop(&proof);
	free(v);
	return r;
}
