// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* evidence_azure.c - judging evidence: Azure's vTPM, which a paravisor runs */
#include <errno.h>
#include <string.h>
#include "azure.h"
#include "evidence_judging.h"
#include "facts.h"

/*
 * Did the operator list the launched code as a paravisor? Anyone with a genuine chip can launch own
 * code, and write runtime data as a paravisor does.
 */
static bool ccdm_azure_listed(const struct ccdm_azure *az, const struct ccdm_trust *trust)
{
	/* a quote of an unknown version has only its header parsed */
	if (az->is_tdx)
		return ccdm_tdx_known(&az->tdx) &&
		       ccdm_launches_have(trust->paravisors, CCDM_LAUNCH_MRTD, az->tdx.mrtd);
	return ccdm_launches_have(trust->paravisors, CCDM_LAUNCH_ID_KEY, az->snp.id_key_digest) ||
	       ccdm_launches_have(trust->paravisors, CCDM_LAUNCH_MEASUREMENT, az->snp.measurement);
}

/* Note why the vTPM does not count, with the values in the form of the operator's list. */
static int ccdm_azure_unlisted(const struct ccdm_judging *j, const struct ccdm_azure *az,
			       bool listed)
{
	char launch[2 * CCDM_LAUNCH_SIZE + 1], key[2 * CCDM_LAUNCH_SIZE + 1];
	json_t *note;

	if (listed)
		note = json_sprintf("the paravisor runs at VMPL %u, not 0; the launch, the TPM's "
				    "registers and logs do not count",
				    az->snp.vmpl);
	else if (az->is_tdx) {
		ccdm_hex(az->tdx.mrtd, CCDM_LAUNCH_SIZE, launch);
		note = json_sprintf("no listed paravisor: \"mrtd %s\" is not in trust/paravisors; "
				    "the launch, the TPM's registers and logs do not count",
				    launch);
	} else {
		ccdm_hex(az->snp.id_key_digest, CCDM_LAUNCH_SIZE, key);
		ccdm_hex(az->snp.measurement, CCDM_LAUNCH_SIZE, launch);
		note = json_sprintf("no listed paravisor: neither \"id-key %s\" nor "
				    "\"measurement %s\" is in trust/paravisors; the launch, "
				    "the TPM's registers and logs do not count",
				    key, launch);
	}
	return json_array_append_new(j->proof->notes, note) ? -ENOMEM : 0;
}

/*
 * The report covers the key that signs the nonce. Without a listed paravisor, whoever once ran code
 * in this guest may own that key, and the report may be old. Such a report proves only which kind
 * of processor made it, and nothing about the guest that sends it.
 */
static void ccdm_azure_reduce(json_t *facts)
{
	static const char *const kept[] = { "binding", "phase", "tee",	      "debug",
					    "vmpl",    "tcb",	"generation", NULL };
	const char *name;
	json_t *value;
	void *next;
	size_t i;

	json_object_foreach_safe(facts, next, name, value)
	{
		for (i = 0; kept[i] && strcmp(kept[i], name); i++)
			;
		if (!kept[i])
			json_object_del(facts, name);
	}
}

/* If a listed paravisor runs the vTPM, add its registers and set the binding. */
static int ccdm_azure_bind(const struct ccdm_judging *j, const struct ccdm_azure *az,
			   const struct ccdm_tpm_facts *quoted)
{
	bool listed = ccdm_azure_listed(az, j->trust);
	int r;

	if (!listed || (!az->is_tdx && az->snp.vmpl)) {
		ccdm_azure_reduce(j->proof->facts);
		return ccdm_azure_unlisted(j, az, listed);
	}
	r = ccdm_judged_pcrs(j, quoted);
	if (!r && json_object_set_new(j->proof->facts, "binding", json_string("paravisor")))
		r = -ENOMEM;
	return r;
}

int ccdm_judge_azure(const struct ccdm_judging *j)
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
	/* coverage: no test names the certificate of an Azure guest */
	if (!want.snp.leaf)
		want.snp.leaf = vcek;
	want.tdx.paravisor = j->trust->genuine_only || ccdm_azure_listed(&az, j->trust);
	r = ccdm_azure_verify(&az, &want, &quoted, j->v, j->err);
	if (!r && ccdm_verdict_accepted(j->v)) {
		r = az.is_tdx ? ccdm_facts_tdx(&az.tdx, j->v, j->proof->facts)
			      : ccdm_facts_snp(&az.snp, j->proof->facts);
		/* coverage: no memory */
		if (!r)
			r = ccdm_azure_bind(j, &az, &quoted);
	}
	ccdm_azure_drop(&az);
	return r;
}
