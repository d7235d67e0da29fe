// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* evidence.c - see evidence.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "evidence_judging.h"
#include "facts.h"
#include "base/json.h"
#include "snp_json.h"
#include "tpm_activation.h"

/* ---- logs ---------------------------------------------------------------------- */

static int ccdm_evidence_text(const json_t *evidence, const char *key, const char **text,
			      size_t *size, struct ccdm_err *err)
{
	const json_t *value = json_object_get(evidence, key);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return ccdm_err_set(err, -EINVAL, "%s: expected a string", key);
	*text = json_string_value(value);
	*size = json_string_length(value);
	return 0;
}

/* Add to @proof what the logs in the evidence prove of the proved registers. */
static int ccdm_evidence_logs(const json_t *evidence, const char *firmware,
			      const struct ccdm_registers *regs, struct ccdm_proof *proof,
			      struct ccdm_err *err)
{
	const json_t *value = json_object_get(evidence, firmware);
	struct ccdm_bootlog log = { 0 };
	uint8_t *bytes = NULL;
	char *id_text = NULL;
	int r = 0;

	if (value && !json_is_null(value))
		r = ccdm_json_base64(value, firmware, CCDM_TCGLOG_MAX, &bytes, &log.firmware_size,
				     err);
	log.firmware = bytes;
	if (!r)
		r = ccdm_evidence_text(evidence, "ccdm_log", &log.ccdm, &log.ccdm_size, err);
	if (!r)
		r = ccdm_evidence_text(evidence, "systemd_log", &log.systemd, &log.systemd_size,
				       err);
	if (!r)
		r = ccdm_bootlog_facts(&log, regs, proof->facts, proof->notes, &id_text, err);
	if (id_text) {
		free(proof->id_text);
		proof->id_text = id_text;
	}
	free(bytes);
	return r;
}

/* ---- kinds of evidence ------------------------------------------------------------- */

struct ccdm_snp_want ccdm_judging_snp(const struct ccdm_judging *j)
{
	return (struct ccdm_snp_want){
		.certs = j->trust->certs,
		.leaf = j->trust->leaf,
		.at = j->trust->at,
		.anchors = j->trust->anchors,
		.nr_anchors = j->trust->nr_anchors,
		.report_data = j->bound->bytes,
		.report_data_size = j->bound->size,
		.floor = j->trust->snp_floor,
	};
}

struct ccdm_tdx_want ccdm_judging_tdx(const struct ccdm_judging *j)
{
	return (struct ccdm_tdx_want){
		.certs = j->trust->certs,
		.collateral = j->trust->collateral,
		.find = j->trust->find,
		.find_arg = j->trust->find_arg,
		.at = j->trust->at,
		.anchors = j->trust->anchors,
		.nr_anchors = j->trust->nr_anchors,
		.report_data = j->bound->bytes,
		.report_data_size = j->bound->size,
	};
}

/* Add the registers of a TPM whose quote was accepted. */
int ccdm_judged_pcrs(const struct ccdm_judging *j, const struct ccdm_tpm_facts *quoted)
{
	struct ccdm_registers regs;
	int r = ccdm_facts_pcr(quoted, j->proof->facts);

	ccdm_facts_pcrs(quoted, &regs);
	if (!r)
		r = ccdm_evidence_logs(j->evidence, "firmware_log", &regs, j->proof, j->err);
	return r;
}

#define CCDM_SVSM_MANIFEST 1024 /* bytes */

/*
 * An SVSM's report is bound to the nonce and to the SVSM's manifest. If the evidence is of an SVSM,
 * *@size is the manifest's size, else 0, and @bound (64 bytes) receives the hash of both.
 */
static int ccdm_svsm_bound(const struct ccdm_judging *j, uint8_t *manifest, size_t *size,
			   struct ccdm_digest *bound, struct ccdm_snp_want *want)
{
	const json_t *svsm = json_object_get(j->evidence, "svsm");
	uint8_t asked[64] = { 0 }, *bytes;
	int r;

	*size = 0;
	if (!svsm)
		return 0;
	r = ccdm_json_base64(json_object_get(svsm, "manifest"), "svsm.manifest", CCDM_SVSM_MANIFEST,
			     &bytes, size, j->err);
	if (r)
		return r;
	memcpy(manifest, bytes, *size);
	free(bytes);
	if (!*size)
		return ccdm_err_set(j->err, -EINVAL, "svsm.manifest is empty");
	if (!want->report_data)
		return 0;
	if (want->report_data_size > sizeof(asked))
		return ccdm_err_set(j->err, -EINVAL, "report data: expected at most %zu bytes",
				    sizeof(asked));
	memcpy(asked, want->report_data, want->report_data_size);
	r = ccdm_digest_of(CCDM_ALG_SHA512, asked, sizeof(asked), manifest, *size, bound);
	want->report_data = bound->bytes;
	want->report_data_size = bound->size;
	return r;
}

/*
 * Take the EK from the manifest of an accepted SVSM report. @bound: the report covers nonce and
 * manifest.
 */
static int ccdm_svsm_grant(const struct ccdm_judging *j, const struct ccdm_snp *snp, bool bound,
			   const uint8_t *manifest, size_t size)
{
	bool listed =
		ccdm_launches_have(j->trust->svsms, CCDM_LAUNCH_MEASUREMENT, snp->measurement);
	char hex[2 * sizeof(snp->measurement) + 1];
	json_t *note = NULL;

	ccdm_hex(snp->measurement, sizeof(snp->measurement), hex);
	if (!listed)
		note = json_sprintf("no listed SVSM: \"measurement %s\" is not in trust/svsms",
				    hex);
	else if (snp->vmpl)
		note = json_sprintf("the SVSM's report is of VMPL %u, not 0", snp->vmpl);
	else if (!bound)
		note = json_string("the SVSM's manifest is not proved: no nonce was given");
	else
		j->proof->svsm_ek = ccdm_tpm_ek_parse(manifest, size);
	if (!note && !j->proof->svsm_ek)
		note = json_string("the SVSM's manifest holds no endorsement key");
	if (j->proof->svsm_ek)
		return 0;
	return json_array_append_new(j->proof->notes, note) ? -ENOMEM : 0;
}

static int ccdm_judged_report(const struct ccdm_judging *j, struct ccdm_snp *snp,
			      const struct ccdm_cert **leaf)
{
	uint8_t raw[CCDM_SNP_REPORT_SIZE];
	int r;

	*leaf = NULL;
	if (j->report)
		return ccdm_snp_parse(j->report, j->report_size, snp, j->err);
	r = ccdm_snp_json_parse(j->evidence, raw, j->trust->certs, leaf, j->err);
	return r ? r : ccdm_snp_parse(raw, sizeof(raw), snp, j->err);
}

static int ccdm_judge_snp(const struct ccdm_judging *j)
{
	struct ccdm_snp_want want = ccdm_judging_snp(j);
	uint8_t manifest[CCDM_SVSM_MANIFEST];
	const struct ccdm_cert *leaf;
	struct ccdm_digest bound;
	struct ccdm_snp snp;
	size_t size;
	int r;

	r = ccdm_svsm_bound(j, manifest, &size, &bound, &want);
	if (r)
		return r;
	r = ccdm_judged_report(j, &snp, &leaf);
	if (!r && !want.leaf)
		want.leaf = leaf;
	if (!r && !want.leaf)
		want.leaf = ccdm_snp_leaf(j->trust->certs, &snp);
	if (!r)
		r = ccdm_snp_verify(&snp, &want, j->v);
	if (r || !ccdm_verdict_accepted(j->v))
		return r;
	if (size)
		r = ccdm_svsm_grant(j, &snp, want.report_data, manifest, size);
	return r ? r : ccdm_facts_snp(&snp, j->proof->facts);
}

static int ccdm_judge_tdx(const struct ccdm_judging *j)
{
	struct ccdm_tdx_want want = ccdm_judging_tdx(j);
	struct ccdm_registers regs;
	uint8_t *quote = NULL;
	struct ccdm_tdx tdx;
	size_t size;
	int r;

	r = ccdm_json_base64(json_object_get(j->evidence, "quote"), "quote", CCDM_TDX_QUOTE_MAX,
			     &quote, &size, j->err);
	if (!r)
		r = ccdm_tdx_parse(quote, size, &tdx, j->err);
	if (!r)
		r = ccdm_tdx_verify(&tdx, &want, j->v, j->err);
	if (!r && ccdm_verdict_accepted(j->v)) {
		ccdm_facts_rtmrs(&tdx, &regs);
		r = ccdm_facts_tdx(&tdx, j->v, j->proof->facts);
		if (!r)
			r = ccdm_evidence_logs(j->evidence, "cc_eventlog", &regs, j->proof, j->err);
	}
	free(quote);
	return r;
}

static int ccdm_judge_tpm(const struct ccdm_judging *j)
{
	struct ccdm_tpm_facts quoted;
	bool provider;
	int r = ccdm_evidence_tpm(j->evidence, j->trust, j->bound, &quoted, j->v, &provider,
				  j->err);

	if (r || !ccdm_verdict_accepted(j->v))
		return r;
	if (json_object_set_new(j->proof->facts, "tee", json_string("tpm")) ||
	    json_object_set_new(j->proof->facts, "binding", json_string("tpm-only")))
		return -ENOMEM;
	return ccdm_judged_pcrs(j, &quoted);
}

enum {
	KIND_SNP,
	KIND_TDX,
	KIND_TPM,
	KIND_AZURE_SNP,
	KIND_AZURE_TDX,
};

static const struct ccdm_kind {
	const char *tee;
	size_t bound; /* bytes of a SHA-384 that its report data holds */
	bool tpm;     /* it is of a TPM or includes one, so no additional TPM counts */
	int (*judge)(const struct ccdm_judging *j);
} ccdm_kinds[] = {
	[KIND_SNP] = { "snp", 48, false, ccdm_judge_snp },
	[KIND_TDX] = { "tdx", 48, false, ccdm_judge_tdx },
	[KIND_TPM] = { "tpm", 32, true, ccdm_judge_tpm },
	[KIND_AZURE_SNP] = { "az-snp-vtpm", 48, true, ccdm_judge_azure },
	[KIND_AZURE_TDX] = { "az-tdx-vtpm", 48, true, ccdm_judge_azure },
};

static const struct ccdm_kind *ccdm_kind(const char *tee)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_kinds); i++)
		if (!strcmp(ccdm_kinds[i].tee, tee))
			return &ccdm_kinds[i];
	return NULL;
}

bool ccdm_tee_known(const char *tee)
{
	return ccdm_kind(tee);
}

bool ccdm_tee_has_tpm(const char *tee)
{
	const struct ccdm_kind *kind = ccdm_kind(tee);

	return !kind || kind->tpm;
}

size_t ccdm_tee_bound(const char *tee)
{
	const struct ccdm_kind *kind = ccdm_kind(tee);

	return kind ? kind->bound : 0;
}

/* ---- facts ------------------------------------------------------------------------------ */

bool ccdm_fact_is(const json_t *facts, const char *name, const char *word)
{
	const char *text = json_string_value(json_object_get(facts, name));

	return text && !strcmp(text, word);
}

/* ---- judging ------------------------------------------------------------------------ */

void ccdm_proof_drop(struct ccdm_proof *proof)
{
	json_decref(proof->facts);
	json_decref(proof->notes);
	free(proof->id_text);
	ccdm_pubkey_free(proof->svsm_ek);
	memset(proof, 0, sizeof(*proof));
}

/* Judge @given, whose trust may be NULL. */
static int ccdm_evidence_judged(const struct ccdm_kind *kind, const struct ccdm_judging *given)
{
	struct ccdm_trust own = given->trust ? *given->trust : (struct ccdm_trust){ 0 };
	struct ccdm_proof *proof = given->proof;
	struct ccdm_judging j = *given;
	int r;

	/* The values without a TPM; a kind of evidence that proves more replaces them. */
	proof->facts = json_pack("{s:s, s:s}", "binding", "none", "phase", "unknown");
	proof->notes = json_array();
	proof->svsm_ek = NULL;
	own.certs = ccdm_certs_guest(own.certs);
	j.trust = &own;
	if (!proof->facts || !proof->notes || !own.certs)
		r = -ENOMEM;
	else
		r = kind->judge(&j);
	if (!r && ccdm_verdict_accepted(j.v))
		r = ccdm_judged_manifest(&j);
	if (r == -ENOMEM)
		r = ccdm_err_memory(j.err);
	ccdm_certs_free(own.certs);
	/* Evidence that is not accepted proves nothing. */
	if (r || !ccdm_verdict_accepted(j.v))
		ccdm_proof_drop(proof);
	return r;
}

int ccdm_evidence_judge(const char *tee, const json_t *evidence, const struct ccdm_trust *trust,
			const struct ccdm_bound *bound, struct ccdm_verdict *v,
			struct ccdm_proof *proof, struct ccdm_err *err)
{
	const struct ccdm_kind *kind = ccdm_kind(tee);
	const struct ccdm_judging j = {
		.evidence = evidence,
		.trust = trust,
		.bound = bound,
		.v = v,
		.proof = proof,
		.err = err,
	};

	*proof = (struct ccdm_proof){ 0 };
	if (!kind)
		return ccdm_err_set(err, -EINVAL, "unknown TEE '%.40s'", tee);
	if (!json_is_object(evidence))
		return ccdm_err_set(err, -EINVAL, "the evidence: expected a JSON object");
	return ccdm_evidence_judged(kind, &j);
}

int ccdm_evidence_judge_report(const void *report, size_t size, const struct ccdm_trust *trust,
			       const struct ccdm_bound *bound, struct ccdm_verdict *v,
			       struct ccdm_proof *proof, struct ccdm_err *err)
{
	const struct ccdm_judging j = {
		.report = report,
		.report_size = size,
		.trust = trust,
		.bound = bound,
		.v = v,
		.proof = proof,
		.err = err,
	};

	return ccdm_evidence_judged(&ccdm_kinds[KIND_SNP], &j);
}
