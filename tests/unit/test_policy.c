// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Policies: each worked example of Documentation/policy with facts that satisfy it, and with
 * each of these facts changed or missing; and which secrets a policy opens.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/file.h"
#include "policy_facts.h"

#define DIR "Documentation/policy/"

static struct ccdm_policy *load(const char *name)
{
	struct ccdm_policy *p;
	char file[128], *text;
	size_t size;

	snprintf(file, sizeof(file), DIR "%s.yaml", name);
	assert_int_equal(ccdm_file_read(file, CCDM_POLICY_MAX, &text, &size, &err), 0);
	seed("policy", text, size);
	if (ccdm_policy_parse(file, text, size, &p, &err))
		fail_msg("%s", err.text);
	free(text);
	return p;
}

static json_t *signed_snp(void)
{
	return with(snp(), "signer", signer(key, "web", 7));
}

static json_t *azure(void)
{
	return with(with(with(with(snp(), "binding", json_string("paravisor")), "pcr",
			      json_pack("{s:{s:s}}", "sha256", "15", d)),
			 "bank", json_string("sha256")),
		    "enclave-id", json_pack("[s]", e));
}

/* Expect this answer of policy @name to @facts, which are freed. */
static void answer(const char *name, json_t *facts, enum ccdm_answer want)
{
	struct ccdm_policy *p = load(name);
	json_t *trace = json_array();
	enum ccdm_answer got = ccdm_policy_judge(p, facts, &trace);

	assert_non_null(facts);
	if (got != want)
		fail_msg("%s: %d, not %d: %s", name, got, want, json_dumps(trace, 0));
	assert_int_equal(ccdm_policy_judge(p, facts, NULL), want);
	assert_true(json_array_size(trace) > 0);
	ccdm_policy_free(p);
	json_decref(trace);
	json_decref(facts);
}

/* Conditions that each policy has by default: vary their facts. */
static void strict(const char *name, json_t *(*facts)(void))
{
	answer(name, facts(), CCDM_YES);
	answer(name, with(facts(), "debug", json_true()), CCDM_NO);
	answer(name, with(facts(), "debug", NULL), CCDM_UNKNOWN);
	answer(name, with(facts(), "phase", json_string("running")), CCDM_NO);
	answer(name, with(facts(), "phase", json_string("unknown")), CCDM_NO);
	answer(name, with(facts(), "phase", NULL), CCDM_UNKNOWN);
	answer(name, with(facts(), "binding", json_string("tpm-only")), CCDM_NO);
	answer(name, with(facts(), "binding", NULL), CCDM_UNKNOWN);
	answer(name, with(facts(), "tee", NULL), CCDM_UNKNOWN);
	answer(name, json_object(), CCDM_UNKNOWN);
}

static void examples(void **state)
{
	(void)state;
	strict("01-one-image", snp);
	answer("01-one-image", with(snp(), "measurement", json_string(m2)), CCDM_NO);
	answer("01-one-image", with(snp(), "vmpl", json_integer(1)), CCDM_NO);
	answer("01-one-image", with(snp(), "vmpl", NULL), CCDM_UNKNOWN);
	answer("01-one-image", tdx(), CCDM_NO);

	/* "covers" concerns the hash table that only SNP's firmware fills */
	answer("01-one-image", with(tdx(), "tee", json_string("tdx")), CCDM_NO);

	strict("02-old-and-new-image", tdx);
	answer("02-old-and-new-image", with(tdx(), "enclave-id", json_pack("[s]", f6)), CCDM_YES);
	answer("02-old-and-new-image", with(tdx(), "enclave-id", json_pack("[s]", d)),
	       CCDM_UNKNOWN);
	/* the host's own firmware could fill the registers in the same way */
	answer("02-old-and-new-image", with(tdx(), "measurement", json_string(m2)), CCDM_NO);
	answer("02-old-and-new-image", with(tdx(), "enclave-id", NULL), CCDM_UNKNOWN);
	answer("02-old-and-new-image",
	       with(tdx(), "tcb", json_pack("{s:s}", "status", "OutOfDate")), CCDM_NO);
	answer("02-old-and-new-image", with(tdx(), "tcb", NULL), CCDM_UNKNOWN);

	strict("03-signer", signed_snp);
	answer("03-signer", with(snp(), "signer", signer(key, "web", 8)), CCDM_YES);
	answer("03-signer", with(snp(), "signer", signer(key, "web", 6)), CCDM_UNKNOWN);
	answer("03-signer", with(snp(), "signer", signer(key, "db", 7)), CCDM_UNKNOWN);
	answer("03-signer", with(snp(), "signer", signer(d, "web", 7)), CCDM_UNKNOWN);
	answer("03-signer", snp(), CCDM_UNKNOWN);
	answer("03-signer", with(tdx(), "signer", signer(key, "web", 7)), CCDM_YES);
	answer("03-signer",
	       with(with(tdx(), "signer", signer(key, "web", 7)), "measurement", json_string(m2)),
	       CCDM_NO);

	/* firmware that is out of date, or whose status is unknown */
	answer("01-one-image", snp_status("OutOfDate"), CCDM_NO);
	answer("01-one-image", snp_status(NULL), CCDM_UNKNOWN);
	answer("01-one-image", with(snp(), "tcb", NULL), CCDM_UNKNOWN);

	strict("04-tcb-floor", snp);
	answer("04-tcb-floor", snp_status("OutOfDate"), CCDM_YES);
	answer("04-tcb-floor", snp_status(NULL), CCDM_UNKNOWN);
	{
		static const char *const states[] = { "reported", "committed", "launch" };
		size_t i;

		for (i = 0; i < 3; i++) {
			json_t *facts = snp();

			json_object_set_new(
				json_object_get(json_object_get(facts, "tcb"), states[i]), "snp",
				json_integer(23));
			answer("04-tcb-floor", facts, CCDM_NO);
			facts = snp();
			json_object_del(json_object_get(json_object_get(facts, "tcb"), states[i]),
					"microcode");
			answer("04-tcb-floor", facts, CCDM_UNKNOWN);
		}
	}

	strict("05-tdx-status", tdx);
	answer("05-tdx-status",
	       with(tdx(), "tcb", json_pack("{s:s}", "status", "SWHardeningNeeded")), CCDM_YES);
	answer("05-tdx-status", with(tdx(), "tcb", json_pack("{s:s}", "status", "OutOfDate")),
	       CCDM_NO);

	strict("06-paravisor", azure);
	answer("06-paravisor", with(azure(), "binding", json_string("none")), CCDM_NO);
	answer("06-paravisor", with(azure(), "enclave-id", NULL), CCDM_UNKNOWN);
	answer("06-paravisor", with(azure(), "enclave-id", json_pack("[s]", d)), CCDM_UNKNOWN);
	/* the guest must not choose the bank */
	answer("06-paravisor", with(azure(), "bank", json_string("sha384")), CCDM_NO);
	answer("06-paravisor", with(azure(), "bank", json_string("sha1")), CCDM_NO);
	answer("06-paravisor", with(azure(), "bank", NULL), CCDM_UNKNOWN);

	strict("07-event", logged);
	answer("07-event", with(tdx(), "events", event(m1, "rtmr2")), CCDM_NO);
	answer("07-event", with(tdx(), "events", event(long_d, "rtmr1")), CCDM_UNKNOWN);
	answer("07-event", tdx(), CCDM_UNKNOWN);

	answer("08-tpm-only", tpm(), CCDM_YES);
	answer("08-tpm-only", with(tpm(), "enclave-id", json_pack("[s,s]", d, e)), CCDM_YES);
	answer("08-tpm-only", with(tpm(), "enclave-id", json_array()), CCDM_UNKNOWN);
	answer("08-tpm-only", with(tpm(), "phase", json_string("running")), CCDM_NO);
	answer("08-tpm-only", with(snp(), "enclave-id", json_pack("[s]", e)), CCDM_NO);

	answer("09-running-system", snp(), CCDM_YES);
	answer("09-running-system", with(snp(), "phase", json_string("running")), CCDM_YES);
	answer("09-running-system", with(snp(), "phase", json_string("unknown")), CCDM_NO);

	strict("10-either-platform", snp);
	answer("10-either-platform", with(tdx(), "measurement", json_string(m2)), CCDM_YES);
	answer("10-either-platform", tdx(), CCDM_NO);
	answer("10-either-platform",
	       with(with(tdx(), "measurement", json_string(m2)), "enclave-id", json_pack("[s]", d)),
	       CCDM_UNKNOWN);
	answer("10-either-platform", with(snp(), "measurement", json_string(m2)), CCDM_NO);

	strict("11-withdrawn-image", signed_snp);
	answer("11-withdrawn-image", with(signed_snp(), "measurement", json_string(m2)), CCDM_NO);
	/* without a measurement it is unknown whether it is the withdrawn image */
	answer("11-withdrawn-image", with(signed_snp(), "measurement", NULL), CCDM_UNKNOWN);

	answer("12-debugging", snp(), CCDM_NO);
	answer("12-debugging", with(with(snp(), "debug", json_true()), "vmpl", json_integer(2)),
	       CCDM_YES);
	answer("12-debugging", with(with(snp(), "debug", json_true()), "vmpl", json_integer(1)),
	       CCDM_NO);
}

static void secrets(void **state)
{
	struct ccdm_policy *p = load("02-old-and-new-image");

	(void)state;
	assert_true(ccdm_policy_opens(p, "default/web/tls-key"));
	assert_true(ccdm_policy_opens(p, "default/db/password"));
	assert_false(ccdm_policy_opens(p, "default/db/"));
	assert_false(ccdm_policy_opens(p, "default/db/*"));
	assert_false(ccdm_policy_opens(p, "default/db/a/b"));
	assert_false(ccdm_policy_opens(p, "default/web/tls-key2"));
	assert_false(ccdm_policy_opens(p, "default/web/tls-ke"));
	assert_false(ccdm_policy_opens(p, "default/dbx/password"));
	ccdm_policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(secrets),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
