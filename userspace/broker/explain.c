// SPDX-License-Identifier: Apache-2.0
/* explain.c - see explain.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/digest.h"
#include "../lib/kbs.h"
#include "../lib/member.h"
#include "explain.h"

static json_t *ccdm_explain_policies(const struct ccdm_policy *p, const json_t *facts)
{
	json_t *all = json_array();

	for (; p; p = p->next) {
		json_t *trace = json_array();
		enum ccdm_answer answer = ccdm_policy_judge(p, facts, &trace);

		ccdm_member_add(&all, json_pack("{s:s, s:b, s:O, s:o}", "name", p->name, "holds",
						answer == CCDM_YES, "secrets", p->secrets,
						"conditions", trace));
	}
	return all;
}

int ccdm_explain(const struct ccdm_trust_dir *trust, const struct ccdm_policy *policies,
		 const json_t *o, int64_t at, json_t **out, struct ccdm_err *err)
{
	const json_t *runtime = json_object_get(o, "runtime-data");
	const json_t *evidence = json_object_get(o, "tee-evidence");
	const char *nonce = json_string_value(json_object_get(runtime, "nonce"));
	json_t *jwk = json_object_get(runtime, "tee-pubkey");
	struct ccdm_digest bound, beside;
	struct ccdm_claim claim = {
		.tee = json_string_value(json_object_get(o, "tee")),
		.primary = json_object_get(evidence, "primary_evidence"),
		.additional = json_string_value(json_object_get(evidence, "additional_evidence")),
	};
	struct ccdm_proof proof = { 0 };
	struct ccdm_verdict *v;
	int r;

	*out = NULL;
	if (!claim.tee || !claim.primary || !nonce || !json_is_object(jwk) ||
	    !ccdm_tee_known(claim.tee))
		return ccdm_err_set(err, -EINVAL,
				    "tee, nonce, tee-pubkey or primary_evidence is "
				    "missing, or no TEE is called so");
	if (!claim.additional)
		claim.additional = "";
	r = ccdm_kbs_report_data(CCDM_KBS_0_4, nonce, jwk, claim.additional, &bound);
	if (!r)
		r = ccdm_kbs_report_data(CCDM_KBS_0_2, nonce, jwk, "", &beside);
	if (r)
		return ccdm_err_set(err, r, "nonce and key cannot be hashed");
	claim.bound = (struct ccdm_bound){ bound.bytes, ccdm_tee_bound(claim.tee) };
	claim.bound_beside = (struct ccdm_bound){ beside.bytes, ccdm_tee_bound("tpm") };
	v = calloc(1, sizeof(*v));
	if (!v)
		return ccdm_err_set(err, -ENOMEM, "out of memory");
	r = ccdm_trust_judge(trust, &claim, at, v, &proof, err);
	if (!r) {
		*out = ccdm_verdict_json(v);
		if (proof.facts) {
			ccdm_member_put(out, "facts", json_incref(proof.facts));
			ccdm_member_put(out, "notes", json_incref(proof.notes));
			ccdm_member_put(out, "policies",
					ccdm_explain_policies(policies, proof.facts));
		}
		if (!*out)
			r = ccdm_err_set(err, -ENOMEM, "out of memory");
	}
	ccdm_proof_drop(&proof);
	free(v);
	return r;
}
