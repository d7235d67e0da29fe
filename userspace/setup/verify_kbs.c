// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verify_kbs.c - ccdm-setup verify: captures, and evidence in the form of the KBS protocol */
#include <errno.h>
#include <string.h>
#include "verify.h"

bool verify_has_collateral(const struct verify_args *a)
{
	return a->collateral || a->tcb_info || a->qe_identity;
}

/* Is the data that a capture's nonce and key are hashed to what --report-data expects? */
static void verify_asked(const struct ccdm_capture *c, const struct verify_args *a,
			 struct ccdm_verdict *v)
{
	char expected[2 * sizeof(a->report_data) + 1], found[2 * sizeof(a->report_data) + 1];
	uint8_t bound[sizeof(a->report_data)] = { 0 };

	if (!a->report_data_size)
		return;
	memcpy(bound, c->bound.bytes, c->bound.size);
	ccdm_hex(a->report_data, a->report_data_size, expected);
	ccdm_hex(bound, c->bound.size, found);
	ccdm_verdict_add(v, "nonce-and-key",
			 a->report_data_size >= c->bound.size &&
				 !memcmp(a->report_data, bound, a->report_data_size),
			 0, expected, "%s", found);
}

/* Judge the additional evidence of a capture; note what the capture lacks. */
static int verify_beside(const struct ccdm_capture *c, const struct ccdm_trust *trust,
			 struct ccdm_proof *proof)
{
	int r = 0;

	if (!c->has_nonce &&
	    json_array_append_new(proof->notes,
				  json_string("the nonce was not checked: the evidence has none")))
		return -ENOMEM;
	if (!c->additional[0])
		return 0;
	if (c->has_nonce)
		r = ccdm_evidence_additional(c->tee, c->additional, c->primary, trust,
					     &c->bound_beside, proof);
	else if (
		json_array_append_new(
			proof->notes,
			json_string(
				"without a nonce nothing ties the TPM to the TEE; the TPM's registers and "
				"logs do not count")))
		r = -ENOMEM;
	return r;
}

/* A file can prove an SVSM's report. That the SVSM's TPM signs, only a session can prove. */
static int verify_svsm(struct ccdm_proof *proof)
{
	if (!proof->svsm_ek)
		return 0;
	return json_array_append_new(
		       proof->notes,
		       json_string(
			       "a listed SVSM names the endorsement key in its manifest; only a session "
			       "with a broker proves that its TPM signs"))
		       ? -ENOMEM
		       : 0;
}

int verify_kbs(const struct verify_source *source, const struct verify_args *a,
	       const struct verify_input *in, struct ccdm_verdict *v, struct ccdm_proof *proof,
	       struct ccdm_err *err)
{
	struct ccdm_trust trust = {
		.certs = in->certs,
		.leaf = in->leaf,
		.collateral = verify_has_collateral(a) ? &in->collateral : NULL,
		.at = a->at,
		.anchors = in->has_root ? &in->root : NULL,
		.nr_anchors = 1,
		.ak_anchors = in->has_ak_root ? &in->ak_root
			      : in->has_root  ? &in->root
					      : NULL,
		.ak_usages = &a->ak_usage,
		.nr_ak_anchors = 1,
		.ek_anchors = in->has_ek_root ? &in->ek_root : NULL,
		.nr_ek_anchors = 1,
		.paravisors = &in->paravisors,
		.svsms = &in->svsms,
		.snp_floor = a->tcb_floor ? &in->floor : NULL,
		.genuine_only = !a->paravisors,
	};
	struct ccdm_bound bound = { a->report_data_size ? a->report_data : NULL,
				    a->report_data_size };
	const struct ccdm_capture *c = source->capture;
	int r;

	if (c && c->has_nonce) {
		verify_asked(c, a, v);
		bound = c->bound;
	}
	r = source->evidence ? ccdm_evidence_judge(source->tee, source->evidence, &trust, &bound, v,
						   proof, err)
			     : ccdm_evidence_judge_report(source->report, source->report_size,
							  &trust, &bound, v, proof, err);
	if (!r && proof->facts && c)
		r = verify_beside(c, &trust, proof);
	if (!r && proof->facts)
		r = verify_svsm(proof);
	if (r)
		ccdm_proof_drop(proof);
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}
