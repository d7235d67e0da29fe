// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/evidence/tpm_activation.c - the EK and the AK that a guest names */
#include "evidence/tpm_activation.h"
#include "fuzz.h"

static bool activated(const void *arg, const struct ccdm_tpm_pair *pair, const uint8_t *value)
{
	(void)arg;
	return (pair->name[2] ^ value[0]) & 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ccdm_anchor anchor = { .name = "nobody's" };
	static const uint8_t value[CCDM_CREDENTIAL_MAX];
	json_t *o = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct ccdm_trust t = { .certs = fuzz_own(ccdm_certs_new()),
				.at = 1750000000,
				.ek_anchors = &anchor,
				.nr_ek_anchors = 1,
				.activated = activated };
	struct ccdm_tpm_pair pair;
	struct ccdm_verdict v = { 0 };
	struct ccdm_err err;

	if (!ccdm_tpm_pair_parse(o, t.certs, &pair, &err)) {
		json_decref(ccdm_tpm_credential_make(&pair, value));
		ccdm_tpm_activation_judge(o, pair.ak, &t, &v, &err);
		fuzz_verdict(&v);
		ccdm_tpm_pair_drop(&pair);
	}
	ccdm_certs_free(t.certs);
	json_decref(o);
	return 0;
}
