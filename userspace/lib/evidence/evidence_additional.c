// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* evidence_additional.c - judging evidence: a TPM in addition to a TEE */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "evidence_judging.h"
#include "log/eventlog.h"

static int ccdm_additional_note(struct ccdm_proof *proof, const char *why)
{
	return json_array_append_new(
		       proof->notes,
		       json_sprintf(
			       "the TPM beside the TEE: %s; its registers and logs do not count",
			       why))
		       ? -ENOMEM
		       : 0;
}

/* Note why the TPM does not count, in the words of the check that failed. */
static int ccdm_additional_failed(struct ccdm_proof *proof, const struct ccdm_verdict *v)
{
	const struct ccdm_check *c = ccdm_verdict_failed(v);
	char why[sizeof(struct ccdm_check) + 16]; /* the check's texts and the words between them */

	/* coverage: evidence is incomplete only after a check has failed, which has a name */
	if (c) {
		snprintf(why, sizeof(why), "%s: %s; expected %s", c->name, c->found, c->expected);
		return ccdm_additional_note(proof, why);
	}
	/* coverage: see above */
	return ccdm_additional_note(proof, "not all of its evidence could be verified");
}

/* Has anything been measured into the TD's register that tells its phase? */
static bool ccdm_additional_measured(const json_t *facts)
{
	char name[12];
	const char *value;

	snprintf(name, sizeof(name), "%u", CCDM_EVENT_RTMR);
	value = json_string_value(json_object_get(json_object_get(facts, "rtmr"), name));
	return value && value[strspn(value, "0")];
}

/* The TPM's registers say which image it is. */
static void ccdm_additional_id(struct ccdm_proof *proof, struct ccdm_proof *tpm)
{
	json_object_del(proof->facts, "enclave-id");
	free(proof->id_text);
	proof->id_text = tpm->id_text;
	tpm->id_text = NULL;
}

static int ccdm_additional_merge(struct ccdm_proof *proof, struct ccdm_proof *tpm,
				 const char *binding)
{
	const json_t *facts = tpm->facts;
	const char *phase = json_string_value(json_object_get(facts, "phase"));
	const char *had = json_string_value(json_object_get(proof->facts, "phase"));
	json_t *events = json_object_get(proof->facts, "events");
	json_t *id = json_object_get(facts, "enclave-id");
	int r;

	/*
	 * The TPM's events now identify the image, and the manifest must list that identity. If a
	 * TD's own registers prove an identity, keep that one: the TPM may be another machine's.
	 */
	if (ccdm_fact_is(proof->facts, "tee", "tdx") && json_object_get(proof->facts, "enclave-id"))
		id = json_object_get(proof->facts, "enclave-id");
	else
		ccdm_additional_id(proof, tpm);
	json_object_del(proof->facts, "signer");
	r = json_object_set(proof->facts, "pcr", json_object_get(facts, "pcr"));
	if (json_object_get(facts, "bank"))
		r |= json_object_set(proof->facts, "bank", json_object_get(facts, "bank"));
	if (id)
		r |= json_object_set(proof->facts, "enclave-id", id);
	if (events)
		r |= json_array_extend(events, json_object_get(facts, "events"));
	else
		r |= json_object_set(proof->facts, "events", json_object_get(facts, "events"));
	/*
	 * "running" wins, from either side. A TD that hides the log of a register with measurements
	 * may be running. The TPM cannot prove otherwise, since it may be another machine's.
	 */
	if (((!had || !strcmp(had, "unknown")) && !ccdm_additional_measured(proof->facts)) ||
	    (phase && !strcmp(phase, "running")))
		r |= json_object_set(proof->facts, "phase", json_object_get(facts, "phase"));
	r |= json_object_set_new(proof->facts, "binding", json_string(binding));
	return r ? -ENOMEM : 0;
}

/*
 * Is this the SVSM's own TPM? Only one proof counts, whatever else the operator trusts: in this
 * session, the signing key was activated with the EK of the manifest.
 */
static int ccdm_additional_svsm(const struct ccdm_judging *j, const struct ccdm_proof *proof,
				bool *is)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_trust alone = *j->trust;
	struct ccdm_tpm_facts quoted;
	bool provider;
	int r = v ? 0 : -ENOMEM;

	*is = false;
	alone.svsm_ek = proof->svsm_ek;
	alone.ak_anchors = NULL;
	alone.nr_ak_anchors = 0;
	alone.ek_anchors = NULL;
	alone.nr_ek_anchors = 0;
	alone.known = NULL;
	if (!r && proof->svsm_ek && json_object_get(j->evidence, "activation") &&
	    !json_object_get(j->evidence, "ak_cert")) {
		r = ccdm_evidence_tpm(j->evidence, &alone, j->bound, &quoted, v, &provider, j->err);
		*is = !r && ccdm_verdict_accepted(v);
		if (r != -ENOMEM)
			r = 0;
	}
	free(v);
	return r;
}

int ccdm_evidence_additional(const char *tee, const char *additional, const json_t *primary,
			     const struct ccdm_trust *trust, const struct ccdm_bound *bound,
			     struct ccdm_proof *proof)
{
	struct ccdm_trust own = *trust;
	struct ccdm_proof tpm = { .facts = json_object(), .notes = json_incref(proof->notes) };
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_tpm_facts quoted;
	struct ccdm_err err = { 0 };
	json_t *all = NULL;
	struct ccdm_judging j = {
		.trust = &own, .bound = bound, .v = v, .proof = &tpm, .err = &err
	};
	bool svsm = false, provider = false;
	int r;

	/* The caller's leaf certificate belongs to the TEE. */
	own.leaf = NULL;
	own.certs = ccdm_certs_guest(trust->certs);
	r = v && tpm.facts && own.certs ? 0 : -ENOMEM;
	if (!r && additional[0] && ccdm_tee_has_tpm(tee)) {
		r = ccdm_additional_note(proof, "the primary evidence already comes from a TPM");
	} else if (!r && additional[0]) {
		all = json_loads(additional, JSON_REJECT_DUPLICATES, NULL);
		j.evidence = json_object_get(all, "tpm");
		if (j.evidence)
			r = ccdm_additional_svsm(&j, proof, &svsm);
		if (svsm) {
			own.svsm_ek = proof->svsm_ek;
			own.known = NULL;
		}
		if (!r)
			r = j.evidence ? ccdm_evidence_tpm(j.evidence, &own, bound, &quoted, v,
							   &provider, &err)
				       : ccdm_err_set(&err, -EINVAL,
						      "expected an object with a member tpm");
		if (!r && !ccdm_verdict_accepted(v))
			r = ccdm_additional_failed(proof, v);
		else if (!r && !svsm && !provider)
			r = ccdm_additional_note(proof,
						 "no provider certified its attestation key, so "
						 "nothing ties it to the TEE");
		else if (!r)
			r = ccdm_judged_pcrs(&j, &quoted);
		if (r == -EINVAL || r == -E2BIG)
			r = ccdm_additional_note(proof, err.text);
		else if (!r && (svsm || provider) && ccdm_verdict_accepted(v)) {
			r = ccdm_additional_merge(proof, &tpm, svsm ? "svsm" : "provider");
			j.evidence = primary;
			j.proof = proof;
			if (!r)
				r = ccdm_judged_manifest(&j);
		}
	}
	json_decref(all);
	ccdm_certs_free(own.certs);
	ccdm_proof_drop(&tpm);
	free(v);
	return r;
}
