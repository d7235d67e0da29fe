// SPDX-License-Identifier: Apache-2.0
/* evidence.c - see evidence.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "azure.h"
#include "evidence.h"
#include "facts.h"
#include "manifest.h"
#include "member.h"
#include "snp_json.h"
#include "tpm_activation.h"
#include "tpm_json.h"

/* ---- what a TPM's key is worth ---------------------------------------------- */

/* A certificate of the attestation key, below a provider's root, with its usage. */
static int ccdm_evidence_provider(const struct ccdm_cert *leaf, const struct ccdm_pubkey *ak,
				  const struct ccdm_trust *trust, struct ccdm_verdict *v)
{
	struct ccdm_path path = {
		.prefix = "ak-",
		.at = trust->at,
		.anchors = trust->ak_anchors,
		.nr_anchors = trust->ak_anchors ? trust->nr_ak_anchors : 0,
	};
	bool good = leaf && ccdm_pubkey_equal(ak, ccdm_cert_key(leaf));
	const char *usage = NULL;
	int r;

	ccdm_verdict_add(v, "ak", good, 0, "a certificate of the attestation key", "%s",
			 good	? "one"
			 : leaf ? "one of another key"
				: "none");
	if (!leaf)
		return 0;
	r = ccdm_certs_path(trust->certs, leaf, &path, v);
	if (path.anchor && trust->ak_usages)
		usage = trust->ak_usages[path.anchor - trust->ak_anchors];
	ccdm_cert_usage(leaf, usage ? usage : CCDM_USAGE_AK, true, "ak-usage", v);
	return r;
}

/* Would a certificate do? */
static int ccdm_evidence_certified(const struct ccdm_cert *leaf, const struct ccdm_pubkey *ak,
				   const struct ccdm_trust *trust, unsigned int allow, bool *good)
{
	struct ccdm_verdict *tried = calloc(1, sizeof(*tried));
	int r = -ENOMEM;

	if (tried) {
		tried->allow = allow;
		r = ccdm_evidence_provider(leaf, ak, trust, tried);
		tried->complete = !r;
		*good = !r && ccdm_verdict_accepted(tried);
	}
	free(tried);
	return r;
}

/*
 * Whose key is it? Its certificate says so, and stands beside the quote or was given; or an
 * EK vouches for it; or it is known. @provider: is it the first of these?
 */
static int ccdm_evidence_ak(const json_t *evidence, const struct ccdm_pubkey *ak,
			    const struct ccdm_trust *trust, struct ccdm_verdict *v, bool *provider,
			    struct ccdm_err *err)
{
	const json_t *pem = json_object_get(evidence, "ak_cert");
	const json_t *activation = json_object_get(evidence, "activation");
	const struct ccdm_cert *leaf = trust->leaf;
	bool known = trust->known && trust->known(trust->known_arg, ak);
	int r = 0;

	*provider = false;
	if (!leaf && pem && !json_is_null(pem)) {
		if (!json_is_string(pem))
			return ccdm_err_set(err, -EINVAL, "ak_cert is no text");
		r = ccdm_certs_add(trust->certs, "ak_cert", json_string_value(pem),
				   json_string_length(pem), &leaf, err);
	}
	if (r)
		return r;
	/* What is known needs no certificate; a good one says more of it all the same. */
	if (known && leaf)
		r = ccdm_evidence_certified(leaf, ak, trust, v->allow, provider);
	if (r)
		return r;
	if (known && !*provider) {
		ccdm_verdict_add(v, "ak", true, 0, "a known attestation key", "one");
		return 0;
	}
	if (!leaf && activation)
		return ccdm_tpm_activation_judge(activation, ak, trust, v, err);
	*provider = leaf;
	return ccdm_evidence_provider(leaf, ak, trust, v);
}

static int ccdm_evidence_tpm(const json_t *evidence, const struct ccdm_trust *trust,
			     const struct ccdm_bound *bound, struct ccdm_tpm_facts *quoted,
			     struct ccdm_verdict *v, bool *provider, struct ccdm_err *err)
{
	struct ccdm_tpm_quote quote;
	struct ccdm_pubkey *ak;
	int r;

	r = ccdm_tpm_json_parse(evidence, &quote, &ak, err);
	if (!r)
		r = ccdm_tpm_quote_verify(&quote, ak, bound->bytes, bound->size, "", quoted, v);
	if (!r)
		r = ccdm_evidence_ak(evidence, ak, trust, v, provider, err);
	v->complete = !r;
	ccdm_pubkey_free(ak);
	return r;
}

/* ---- logs ---------------------------------------------------------------------- */

static int ccdm_evidence_text(const json_t *evidence, const char *key, const char **text,
			      size_t *size, struct ccdm_err *err)
{
	const json_t *value = json_object_get(evidence, key);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return ccdm_err_set(err, -EINVAL, "%s is no text", key);
	*text = json_string_value(value);
	*size = json_string_length(value);
	return 0;
}

/* @facts gets what the logs beside the evidence prove of registers that are proved. */
static int ccdm_evidence_logs(const json_t *evidence, const char *firmware,
			      const struct ccdm_registers *regs, json_t *facts, json_t *notes,
			      struct ccdm_err *err)
{
	const json_t *value = json_object_get(evidence, firmware);
	struct ccdm_bootlog log = { 0 };
	uint8_t *bytes = NULL;
	int r = 0;

	if (value && !json_is_null(value))
		r = ccdm_member_base64(value, firmware, CCDM_TCGLOG_MAX, &bytes, &log.firmware_size,
				       err);
	log.firmware = bytes;
	if (!r)
		r = ccdm_evidence_text(evidence, "ccdm_log", &log.ccdm, &log.ccdm_size, err);
	if (!r)
		r = ccdm_evidence_text(evidence, "systemd_log", &log.systemd, &log.systemd_size,
				       err);
	if (!r)
		r = ccdm_bootlog_facts(&log, regs, facts, notes, err);
	free(bytes);
	return r;
}

/* ---- kinds ------------------------------------------------------------------------ */

struct ccdm_judging {
	const json_t *evidence;
	const struct ccdm_trust *trust;
	const struct ccdm_bound *bound;
	struct ccdm_verdict *v;
	struct ccdm_proof *proof;
	struct ccdm_err *err;
};

static struct ccdm_snp_want ccdm_judging_snp(const struct ccdm_judging *j)
{
	return (struct ccdm_snp_want){
		.certs = j->trust->certs,
		.leaf = j->trust->leaf,
		.at = j->trust->at,
		.anchors = j->trust->anchors,
		.nr_anchors = j->trust->nr_anchors,
		.report_data = j->bound->bytes,
		.report_data_size = j->bound->size,
	};
}

static struct ccdm_tdx_want ccdm_judging_tdx(const struct ccdm_judging *j)
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

/* Registers of a TPM that is what it says it is. */
static int ccdm_judged_pcrs(const struct ccdm_judging *j, const struct ccdm_tpm_facts *quoted)
{
	struct ccdm_registers regs;
	int r = ccdm_facts_pcr(quoted, j->proof->facts);

	ccdm_facts_pcrs(quoted, &regs);
	if (!r)
		r = ccdm_evidence_logs(j->evidence, "firmware_log", &regs, j->proof->facts,
				       j->proof->notes, j->err);
	return r;
}

#define CCDM_SVSM_MANIFEST 1024 /* bytes */

/*
 * An SVSM's report is bound to what was asked for, and to its manifest. @bound: 64 bytes, set if
 * the evidence is an SVSM's; *@size: bytes of its manifest, or 0.
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
	r = ccdm_member_base64(json_object_get(svsm, "manifest"), "svsm.manifest",
			       CCDM_SVSM_MANIFEST, &bytes, size, j->err);
	if (r)
		return r;
	memcpy(manifest, bytes, *size);
	free(bytes);
	if (!*size)
		return ccdm_err_set(j->err, -EINVAL, "svsm.manifest is empty");
	if (!want->report_data)
		return 0;
	if (want->report_data_size > sizeof(asked))
		return ccdm_err_set(j->err, -EINVAL, "a report is bound to %zu bytes at most",
				    sizeof(asked));
	memcpy(asked, want->report_data, want->report_data_size);
	r = ccdm_digest_of(CCDM_ALG_SHA512, asked, sizeof(asked), manifest, *size, bound);
	want->report_data = bound->bytes;
	want->report_data_size = bound->size;
	return r;
}

/* What an accepted report of an SVSM says of its TPM. @bound: nonce and manifest are in the report */
static int ccdm_svsm_grant(const struct ccdm_judging *j, const struct ccdm_snp *snp, bool bound,
			   const uint8_t *manifest, size_t size)
{
	bool listed =
		ccdm_launches_have(j->trust->svsms, CCDM_LAUNCH_MEASUREMENT, snp->measurement);
	char hex[2 * sizeof(snp->measurement) + 1];
	json_t *note = NULL;

	ccdm_digest_hex(snp->measurement, sizeof(snp->measurement), hex);
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

static int ccdm_judge_snp(const struct ccdm_judging *j)
{
	struct ccdm_snp_want want = ccdm_judging_snp(j);
	uint8_t raw[CCDM_SNP_REPORT_SIZE], manifest[CCDM_SVSM_MANIFEST];
	const struct ccdm_cert *leaf;
	struct ccdm_digest bound;
	struct ccdm_snp snp;
	size_t size;
	int r;

	r = ccdm_svsm_bound(j, manifest, &size, &bound, &want);
	if (r)
		return r;
	r = ccdm_snp_json_parse(j->evidence, raw, j->trust->certs, &leaf, j->err);
	if (!r)
		r = ccdm_snp_parse(raw, sizeof(raw), &snp, j->err);
	if (!want.leaf)
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

	r = ccdm_member_base64(json_object_get(j->evidence, "quote"), "quote", CCDM_TDX_QUOTE_MAX,
			       &quote, &size, j->err);
	if (!r)
		r = ccdm_tdx_parse(quote, size, &tdx, j->err);
	if (!r)
		r = ccdm_tdx_verify(&tdx, &want, j->v, j->err);
	if (!r && ccdm_verdict_accepted(j->v)) {
		ccdm_facts_rtmrs(&tdx, &regs);
		r = ccdm_facts_tdx(&tdx, j->v, j->proof->facts);
		if (!r)
			r = ccdm_evidence_logs(j->evidence, "cc_eventlog", &regs, j->proof->facts,
					       j->proof->notes, j->err);
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

/*
 * Is what was launched a paravisor that the operator listed? Whoever owns a genuine chip can
 * launch code of his own, and write runtime data as a paravisor does.
 */
static bool ccdm_azure_listed(const struct ccdm_azure *az, const struct ccdm_trust *trust)
{
	/* (of a quote that is not known nothing but its header is there) */
	if (az->is_tdx)
		return ccdm_tdx_known(&az->tdx) &&
		       ccdm_launches_have(trust->paravisors, CCDM_LAUNCH_MRTD, az->tdx.mrtd);
	return ccdm_launches_have(trust->paravisors, CCDM_LAUNCH_ID_KEY, az->snp.id_key_digest) ||
	       ccdm_launches_have(trust->paravisors, CCDM_LAUNCH_MEASUREMENT, az->snp.measurement);
}

/* Says why the vTPM does not count, with the values as a list has them. */
static int ccdm_azure_unlisted(const struct ccdm_judging *j, const struct ccdm_azure *az,
			       bool listed)
{
	char launch[2 * CCDM_LAUNCH_SIZE + 1], key[2 * CCDM_LAUNCH_SIZE + 1];
	json_t *note;

	if (listed)
		note = json_sprintf("the paravisor runs at VMPL %u, not 0; the TPM's registers and "
				    "logs do not count",
				    az->snp.vmpl);
	else if (az->is_tdx) {
		ccdm_digest_hex(az->tdx.mrtd, CCDM_LAUNCH_SIZE, launch);
		note = json_sprintf("no listed paravisor: \"mrtd %s\" is not in trust/paravisors; "
				    "the TPM's registers and logs do not count",
				    launch);
	} else {
		ccdm_digest_hex(az->snp.id_key_digest, CCDM_LAUNCH_SIZE, key);
		ccdm_digest_hex(az->snp.measurement, CCDM_LAUNCH_SIZE, launch);
		note = json_sprintf("no listed paravisor: neither \"id-key %s\" nor "
				    "\"measurement %s\" is in trust/paravisors; the TPM's "
				    "registers and logs do not count",
				    key, launch);
	}
	return json_array_append_new(j->proof->notes, note) ? -ENOMEM : 0;
}

/* Binding and registers of the vTPM; without a listed paravisor what the TEE says stands alone. */
static int ccdm_azure_bind(const struct ccdm_judging *j, const struct ccdm_azure *az,
			   const struct ccdm_tpm_facts *quoted)
{
	bool listed = ccdm_azure_listed(az, j->trust);
	int r;

	if (!listed || (!az->is_tdx && az->snp.vmpl))
		return ccdm_azure_unlisted(j, az, listed);
	r = ccdm_judged_pcrs(j, quoted);
	if (!r && json_object_set_new(j->proof->facts, "binding", json_string("paravisor")))
		r = -ENOMEM;
	return r;
}

static int ccdm_judge_azure(const struct ccdm_judging *j)
{
	struct ccdm_azure_want want = {
		.snp = ccdm_judging_snp(j),
		.tdx = ccdm_judging_tdx(j),
		.nonce = j->bound->bytes,
		.nonce_size = j->bound->size,
	};
	struct ccdm_tpm_facts quoted;
	const struct ccdm_cert *vcek;
	struct ccdm_azure az;
	int r;

	r = ccdm_azure_parse(j->evidence, &az, j->trust->certs, &vcek, j->err);
	if (r)
		return r;
	if (!want.snp.leaf)
		want.snp.leaf = vcek;
	want.tdx.paravisor = j->trust->genuine_only || ccdm_azure_listed(&az, j->trust);
	r = ccdm_azure_verify(&az, &want, &quoted, j->v, j->err);
	if (!r && ccdm_verdict_accepted(j->v)) {
		r = az.is_tdx ? ccdm_facts_tdx(&az.tdx, j->v, j->proof->facts)
			      : ccdm_facts_snp(&az.snp, j->proof->facts);
		if (!r)
			r = ccdm_azure_bind(j, &az, &quoted);
	}
	ccdm_azure_drop(&az);
	return r;
}

static const struct ccdm_kind {
	const char *tee;
	size_t bound; /* bytes of a SHA-384 that it carries */
	int (*judge)(const struct ccdm_judging *j);
} ccdm_kinds[] = {
	{ "snp", 48, ccdm_judge_snp },		 { "tdx", 48, ccdm_judge_tdx },
	{ "tpm", 32, ccdm_judge_tpm },		 { "az-snp-vtpm", 48, ccdm_judge_azure },
	{ "az-tdx-vtpm", 48, ccdm_judge_azure },
};

static const struct ccdm_kind *ccdm_kind(const char *tee)
{
	size_t i;

	for (i = 0; i < sizeof(ccdm_kinds) / sizeof(ccdm_kinds[0]); i++)
		if (!strcmp(ccdm_kinds[i].tee, tee))
			return &ccdm_kinds[i];
	return NULL;
}

bool ccdm_tee_known(const char *tee)
{
	return ccdm_kind(tee);
}

size_t ccdm_tee_bound(const char *tee)
{
	const struct ccdm_kind *kind = ccdm_kind(tee);

	return kind ? kind->bound : 0;
}

/* ---- the builder's word ------------------------------------------------------------------ */

static bool ccdm_fact_is(const json_t *facts, const char *name, const char *word)
{
	const char *text = json_string_value(json_object_get(facts, name));

	return text && !strcmp(text, word);
}

/* Lists the manifest this image, for the TEE or for the TPM whose registers it was measured into? */
static bool ccdm_manifest_fits(const struct ccdm_manifest *m, const json_t *facts)
{
	const json_t *ids = json_object_get(facts, "enclave-id");
	const char *tee = json_string_value(json_object_get(facts, "tee"));

	return (tee && ccdm_manifest_lists(m, tee, ids)) ||
	       (json_object_get(facts, "pcr") && ccdm_manifest_lists(m, "tpm", ids));
}

/* Who signed a manifest that lists this image, if one did: untrusted as long as no policy names the key. */
static int ccdm_judged_manifest(const struct ccdm_judging *j)
{
	const json_t *value = json_object_get(j->evidence, "manifest");
	struct ccdm_manifest m;
	json_t *note = NULL;
	int r;

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return ccdm_err_set(j->err, -EINVAL, "manifest is no text");
	r = ccdm_manifest_read(json_string_value(value), &m, j->err);
	if (r == -EINVAL)
		note = json_sprintf("%s; no signer", j->err->text);
	else if (!r && !ccdm_manifest_fits(&m, j->proof->facts))
		note = json_sprintf("the manifest does not list this image; no signer");
	else if (!r)
		r = json_object_set_new(j->proof->facts, "signer",
					json_pack("{s:s, s:s, s:I}", "key", m.key, "product",
						  m.product, "svn", (json_int_t)m.svn))
			    ? -ENOMEM
			    : 0;
	ccdm_manifest_drop(&m);
	if (note)
		r = json_array_append_new(j->proof->notes, note) ? -ENOMEM : 0;
	return r;
}

/* ---- judging ------------------------------------------------------------------------ */

void ccdm_proof_drop(struct ccdm_proof *proof)
{
	json_decref(proof->facts);
	json_decref(proof->notes);
	ccdm_pubkey_free(proof->svsm_ek);
	memset(proof, 0, sizeof(*proof));
}

int ccdm_evidence_judge(const char *tee, const json_t *evidence, const struct ccdm_trust *trust,
			const struct ccdm_bound *bound, struct ccdm_verdict *v,
			struct ccdm_proof *proof, struct ccdm_err *err)
{
	struct ccdm_trust own = trust ? *trust : (struct ccdm_trust){ 0 };
	const struct ccdm_judging j = { evidence, &own, bound, v, proof, err };
	const struct ccdm_kind *kind = ccdm_kind(tee);
	int r;

	/* What no TPM proves beside the TEE; the kinds know better. */
	proof->facts = json_pack("{s:s, s:s}", "binding", "none", "phase", "unknown");
	proof->notes = json_array();
	proof->svsm_ek = NULL;
	own.certs = ccdm_certs_guest(own.certs);
	if (!kind)
		r = ccdm_err_set(err, -EINVAL, "no TEE is called %.40s", tee);
	else if (!json_is_object(evidence))
		r = ccdm_err_set(err, -EINVAL, "the evidence is no object");
	else if (!proof->facts || !proof->notes || !own.certs)
		r = -ENOMEM;
	else
		r = kind->judge(&j);
	if (!r && kind && ccdm_verdict_accepted(v))
		r = ccdm_judged_manifest(&j);
	if (r == -ENOMEM)
		ccdm_err_set(err, r, "out of memory");
	ccdm_certs_free(own.certs);
	/* Of what is not accepted nothing is proved. */
	if (r || !ccdm_verdict_accepted(v))
		ccdm_proof_drop(proof);
	return r;
}

/* ---- a TPM beside a TEE --------------------------------------------------------------- */

static int ccdm_beside_note(struct ccdm_proof *proof, const char *why)
{
	return json_array_append_new(
		       proof->notes,
		       json_sprintf("the TPM beside it: %s; its registers and logs do not count",
				    why))
		       ? -ENOMEM
		       : 0;
}

/* Nothing ties it to the TEE, or it is none: in the words of the check that failed. */
static int ccdm_beside_failed(struct ccdm_proof *proof, const struct ccdm_verdict *v)
{
	char why[sizeof(struct ccdm_check)];
	unsigned int i;

	for (i = 0; i < v->count; i++)
		if (!v->check[i].passed) {
			snprintf(why, sizeof(why), "%s: %s; expected %s", v->check[i].name,
				 v->check[i].found, v->check[i].expected);
			return ccdm_beside_note(proof, why);
		}
	return ccdm_beside_note(proof, "not all of it can be judged");
}

static int ccdm_beside_merge(struct ccdm_proof *proof, const json_t *facts, const char *binding)
{
	const char *phase = json_string_value(json_object_get(facts, "phase"));
	const char *had = json_string_value(json_object_get(proof->facts, "phase"));
	json_t *events = json_object_get(proof->facts, "events");
	json_t *id = json_object_get(facts, "enclave-id");
	int r;

	/*
	 * The image's identity is by events then, and so is what a manifest lists. Where a TD's
	 * own registers prove one, that one stands: a TPM could be another machine's.
	 */
	if (ccdm_fact_is(proof->facts, "tee", "tdx") && json_object_get(proof->facts, "enclave-id"))
		id = json_object_get(proof->facts, "enclave-id");
	else
		json_object_del(proof->facts, "enclave-id");
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
	/* Who says that it runs already is right. */
	if (!had || !strcmp(had, "unknown") || (phase && !strcmp(phase, "running")))
		r |= json_object_set(proof->facts, "phase", json_object_get(facts, "phase"));
	r |= json_object_set_new(proof->facts, "binding", json_string(binding));
	return r ? -ENOMEM : 0;
}

/*
 * Is this the SVSM's own TPM? Nothing else that the operator trusts helps: the key that signs was
 * activated, in this session, with the EK of the manifest.
 */
static int ccdm_beside_svsm(const struct ccdm_judging *j, const struct ccdm_proof *proof, bool *is)
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

int ccdm_evidence_beside(const char *additional, const json_t *primary,
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

	/* The leaf that was given is the TEE's. */
	own.leaf = NULL;
	own.certs = ccdm_certs_guest(trust->certs);
	r = v && tpm.facts && own.certs ? 0 : -ENOMEM;
	if (!r && additional[0]) {
		all = json_loads(additional, JSON_REJECT_DUPLICATES, NULL);
		j.evidence = json_object_get(all, "tpm");
		if (j.evidence)
			r = ccdm_beside_svsm(&j, proof, &svsm);
		if (svsm) {
			own.svsm_ek = proof->svsm_ek;
			own.known = NULL;
		}
		if (!r)
			r = j.evidence ? ccdm_evidence_tpm(j.evidence, &own, bound, &quoted, v,
							   &provider, &err)
				       : ccdm_err_set(&err, -EINVAL, "no object with a member tpm");
		if (!r && !ccdm_verdict_accepted(v))
			r = ccdm_beside_failed(proof, v);
		else if (!r && !svsm && !provider)
			r = ccdm_beside_note(proof, "no provider certified its attestation key, so "
						    "nothing ties it to the TEE");
		else if (!r)
			r = ccdm_judged_pcrs(&j, &quoted);
		if (r == -EINVAL || r == -E2BIG)
			r = ccdm_beside_note(proof, err.text);
		else if (!r && (svsm || provider) && ccdm_verdict_accepted(v)) {
			r = ccdm_beside_merge(proof, tpm.facts, svsm ? "svsm" : "provider");
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
