// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Policies that ccdm-image writes: a broker takes them, and they hold for their image alone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "image/policy_text.h"
#include "policy_facts.h"

#define KEY   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static char *none_;

static struct ccdm_manifest manifest(bool keyed, bool base)
{
	struct ccdm_manifest m = { .product = "web", .svn = 7, .base_svn = -1 };

	if (keyed)
		strcpy(m.key, KEY);
	if (base) {
		strcpy(m.base, "trixie-7");
		m.base_svn = 3;
	}
	m.ids = json_pack("{s:[s,s], s:[s]}", "tpm", d, OTHER, "tdx", e);
	return m;
}

/* The policy of @w, as a broker reads it. */
static struct ccdm_policy *policy(const struct ccdm_policy_words *w)
{
	struct ccdm_policy *p;
	char *text;

	if (ccdm_policy_text(w, &text, &err))
		fail_msg("%s", err.text);
	if (ccdm_policy_parse("x", text, strlen(text), &p, &err))
		fail_msg("%s\n%s", err.text, text);
	if (p->outcome != CCDM_POLICY_MAY_OPEN)
		fail_msg("%s\n%s", ccdm_policy_reason(p->outcome), text);
	free(text);
	return p;
}

static void holds(const struct ccdm_policy *p, json_t *facts, enum ccdm_answer want)
{
	json_t *trace = json_array();

	if (ccdm_policy_judge(p, facts, &trace) != want)
		fail_msg("not %d: %s", want, json_dumps(trace, 0));
	json_decref(trace);
	json_decref(facts);
}

static json_t *by(json_t *facts, const char *k, const char *product, int svn, int base_svn)
{
	json_t *s = signer(k, product, svn);

	if (base_svn >= 0)
		json_object_set_new(s, "base-svn", json_integer(base_svn));
	return with(facts, "signer", s);
}

static void signers(void **state)
{
	struct ccdm_manifest m = manifest(true, true), bare = manifest(true, false);
	json_t *secrets =
		json_pack("[s,s,s]", "default/web/key", "default/db/pw", "default/web/key");
	json_t *mrtd = json_pack("[s]", m1);
	struct ccdm_policy_words w = { .platform = CCDM_POLICY_SNP,
				       .manifest = &m,
				       .secrets = secrets };
	struct ccdm_policy *p = policy(&w);

	(void)state;
	assert_string_equal(p->name, "web");
	assert_int_equal(json_array_size(p->secrets), 2);
	assert_true(ccdm_policy_opens(p, "default/web/key"));
	assert_false(ccdm_policy_opens(p, "default/web/other"));
	holds(p, by(snp(), KEY, "web", 7, 3), CCDM_YES);
	/* a later image, a later base */
	holds(p, by(snp(), KEY, "web", 8, 3), CCDM_YES);
	holds(p, by(snp(), KEY, "web", 7, 4), CCDM_YES);
	/* an older one of either, another product, another key, no manifest, no base in it */
	holds(p, by(snp(), KEY, "web", 6, 3), CCDM_UNKNOWN);
	holds(p, by(snp(), KEY, "web", 7, 2), CCDM_UNKNOWN);
	holds(p, by(snp(), KEY, "web", 7, -1), CCDM_UNKNOWN);
	holds(p, by(snp(), KEY, "web-debug", 7, 3), CCDM_UNKNOWN);
	holds(p, by(snp(), OTHER, "web", 7, 3), CCDM_UNKNOWN);
	holds(p, snp(), CCDM_UNKNOWN);
	holds(p, by(tpm(), KEY, "web", 7, 3), CCDM_NO);
	holds(p, by(tdx(), KEY, "web", 7, 3), CCDM_NO);
	ccdm_policy_free(p);
	/* a TPM alone: only if somebody says so */
	w.platform = CCDM_POLICY_TPM;
	p = policy(&w);
	holds(p, by(tpm(), KEY, "web", 7, 3), CCDM_YES);
	holds(p, by(snp(), KEY, "web", 7, 3), CCDM_NO);
	ccdm_policy_free(p);
	/* TDX: the firmware fills the registers */
	w.platform = CCDM_POLICY_TDX;
	assert_int_equal(ccdm_policy_text(&w, &none_, &err), -EINVAL);
	assert_non_null(strstr(err.text, "MRTD"));
	w.firmware = mrtd;
	p = policy(&w);
	holds(p, by(tdx(), KEY, "web", 7, 3), CCDM_YES);
	holds(p, by(with(tdx(), "measurement", json_string(m2)), KEY, "web", 7, 3), CCDM_NO);
	ccdm_policy_free(p);
	/* an image without a known base: none is demanded */
	w.platform = CCDM_POLICY_SNP;
	w.manifest = &bare;
	p = policy(&w);
	holds(p, by(snp(), KEY, "web", 7, -1), CCDM_YES);
	ccdm_policy_free(p);
	ccdm_manifest_drop(&m);
	ccdm_manifest_drop(&bare);
	json_decref(secrets);
	json_decref(mrtd);
}

static void ids(void **state)
{
	struct ccdm_manifest m = manifest(false, true);
	json_t *secrets = json_pack("[s]", "default/web/key"), *mrtd = json_pack("[s]", m1);
	struct ccdm_policy_words w = { .platform = CCDM_POLICY_SNP,
				       .manifest = &m,
				       .secrets = secrets };
	struct ccdm_policy *p = policy(&w);

	(void)state;
	/* of a TPM that is bound to the machine */
	holds(p, with(snp(), "enclave-id", json_pack("[s]", d)), CCDM_YES);
	holds(p, with(snp(), "enclave-id", json_pack("[s]", e)), CCDM_UNKNOWN);
	ccdm_policy_free(p);
	/* by the firmware's hash of the UKI */
	json_object_set_new(m.ids, "snp", json_pack("[s]", m1));
	p = policy(&w);
	holds(p, with(snp(), "enclave-id", json_pack("[s]", m1)), CCDM_YES);
	holds(p, with(snp(), "enclave-id", json_pack("[s]", m2)), CCDM_UNKNOWN);
	ccdm_policy_free(p);
	w.platform = CCDM_POLICY_TDX;
	w.firmware = mrtd;
	p = policy(&w);
	holds(p, with(tdx(), "enclave-id", json_pack("[s]", e)), CCDM_YES);
	holds(p, with(tdx(), "enclave-id", json_pack("[s]", d)), CCDM_UNKNOWN);
	ccdm_policy_free(p);
	w.platform = CCDM_POLICY_TPM;
	p = policy(&w);
	holds(p, with(tpm(), "enclave-id", json_pack("[s]", OTHER)), CCDM_YES);
	ccdm_policy_free(p);
	json_object_del(m.ids, "tpm");
	assert_int_equal(ccdm_policy_text(&w, &none_, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no known enclave ID"));
	ccdm_manifest_drop(&m);
	json_decref(secrets);
	json_decref(mrtd);
}

/* Names that are none for a policy; secrets that are none; words. */
static void words(void **state)
{
	struct ccdm_manifest m = manifest(true, false);
	json_t *secrets = json_pack("[s]", "default/web/key"), *none = json_array();
	json_t *bad = json_pack("[s]", "default/web/key]\nrequire: {identity: any}");
	struct ccdm_policy_words w = { .manifest = &m, .secrets = secrets };
	enum ccdm_policy_platform platform;
	struct ccdm_policy *p;

	(void)state;
	strcpy(m.product, "Web:\"#{x}'\\");
	p = policy(&w);
	assert_string_equal(p->name, "web----x---");
	holds(p, by(snp(), KEY, "Web:\"#{x}'\\", 7, -1), CCDM_YES);
	ccdm_policy_free(p);
	w.secrets = none;
	assert_int_equal(ccdm_policy_text(&w, &none_, &err), -ENODATA);
	w.secrets = bad;
	assert_int_equal(ccdm_policy_text(&w, &none_, &err), -EINVAL);
	assert_non_null(strstr(err.text, "expected REPO/TYPE/TAG"));
	assert_int_equal(ccdm_policy_platform("tdx", &platform), 0);
	assert_int_equal(platform, CCDM_POLICY_TDX);
	assert_int_equal(ccdm_policy_platform("sgx", &platform), -EINVAL);
	ccdm_manifest_drop(&m);
	json_decref(secrets);
	json_decref(none);
	json_decref(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signers),
		cmocka_unit_test(ids),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
