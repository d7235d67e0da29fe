// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* evidence_tpm.c - judging evidence: a TPM's quote, and the key that signed it */
#include <errno.h>
#include <stdlib.h>
#include "evidence_judging.h"
#include "tpm_activation.h"
#include "tpm_json.h"

/* Check a provider's certificate of the attestation key: its key, its path, and its usage. */
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
			 : leaf ? "a certificate of another key"
				: "none");
	if (!leaf)
		return 0;
	r = ccdm_certs_path(trust->certs, leaf, &path, v);
	if (path.anchor && trust->ak_usages)
		usage = trust->ak_usages[path.anchor - trust->ak_anchors];
	ccdm_cert_usage(leaf, usage ? usage : CCDM_USAGE_AK, true, "ak-usage", v);
	return r;
}

/* Would the key's certificate be accepted? */
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
 * Decide why the attestation key is trusted: the caller gave its certificate or it came with the
 * quote, an EK vouches for it, or the operator knows it. *@provider: a certificate was the reason.
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
			return ccdm_err_set(err, -EINVAL, "ak_cert: expected a string");
		r = ccdm_certs_add(trust->certs, "ak_cert", json_string_value(pem),
				   json_string_length(pem), &leaf, err);
	}
	if (r)
		return r;
	/* A known key needs no certificate, but a valid certificate proves more. */
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

int ccdm_evidence_tpm(const json_t *evidence, const struct ccdm_trust *trust,
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
