// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Policies: each worked example of Documentation/policy with facts that satisfy it, and
 * with each of these facts changed or gone; and texts that are none.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy/policy.h"
#include "base/file.h"
#include "seed.h"

#define DIR "Documentation/policy/"

static struct ccdm_err err;
static char m1[97], m2[97], key[65], d[65], long_d[97], e[65], f6[65];

static int setup(void **state)
{
	static const struct {
		char *to, *two;
		size_t n;
	} all[] = { { m1, "a1", 48 },	  { m2, "b2", 48 }, { key, "c3", 32 }, { d, "d4", 32 },
		    { long_d, "d4", 48 }, { e, "e5", 32 },  { f6, "f6", 32 } };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (k = 0; k < all[i].n; k++)
			memcpy(all[i].to + 2 * k, all[i].two, 2);
	return 0;
}

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

/* A good SNP guest, in the initrd, with a TPM that nothing binds. */
static json_t *snp(void)
{
	return json_pack(
		"{s:s, s:b, s:i, s:{s:s, s:{s:i,s:i,s:i}, s:{s:i,s:i,s:i}, s:{s:i,s:i,s:i}}, s:s, s:s, s:s}",
		"tee", "snp", "debug", 0, "vmpl", 0, "tcb", "status", "UpToDate", "reported",
		"bootloader", 4, "snp", 24, "microcode", 219, "committed", "bootloader", 4, "snp",
		24, "microcode", 219, "launch", "bootloader", 5, "snp", 25, "microcode", 220,
		"measurement", m1, "binding", "none", "phase", "initrd");
}

/* NULL: nobody knows */
static json_t *snp_status(const char *status)
{
	json_t *facts = snp();

	json_object_del(json_object_get(facts, "tcb"), "status");
	if (status)
		json_object_set_new(json_object_get(facts, "tcb"), "status", json_string(status));
	return facts;
}

static json_t *tdx(void)
{
	return json_pack("{s:s, s:b, s:{s:s}, s:s, s:[s], s:s, s:s}", "tee", "tdx", "debug", 0,
			 "tcb", "status", "UpToDate", "measurement", m1, "enclave-id", e, "binding",
			 "none", "phase", "initrd");
}

static json_t *tpm(void)
{
	return json_pack("{s:s, s:[s], s:s, s:s}", "tee", "tpm", "enclave-id", e, "binding",
			 "tpm-only", "phase", "initrd");
}

static void set(json_t *facts, const char *key_, json_t *value)
{
	json_object_set_new(facts, key_, value);
}

static json_t *signer(const char *k, const char *product, int svn)
{
	return json_pack("{s:s, s:s, s:i}", "key", k, "product", product, "svn", svn);
}

/* The answer to these facts, which are dropped. */
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

static json_t *with(json_t *facts, const char *key_, json_t *value)
{
	if (value)
		set(facts, key_, value);
	else
		json_object_del(facts, key_);
	return facts;
}

/* What every policy asks that does not say otherwise. */
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

static json_t *event(const char *digest, const char *reg)
{
	return json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "register", reg, "name", "EV_IPL",
			 "digest", e, "register", reg, "name", "EV_IPL", "digest", digest);
}

static json_t *logged(void)
{
	return with(tdx(), "events", event(long_d, "rtmr2"));
}

static void examples(void **state)
{
	(void)state;
	strict("01-one-image", snp);
	answer("01-one-image", with(snp(), "measurement", json_string(m2)), CCDM_NO);
	answer("01-one-image", with(snp(), "vmpl", json_integer(1)), CCDM_NO);
	answer("01-one-image", with(snp(), "vmpl", NULL), CCDM_UNKNOWN);
	answer("01-one-image", tdx(), CCDM_NO);

	/* covers says what SNP's firmware hashes: of another TEE it says nothing */
	answer("01-one-image", with(tdx(), "tee", json_string("tdx")), CCDM_NO);

	strict("02-old-and-new-image", tdx);
	answer("02-old-and-new-image", with(tdx(), "enclave-id", json_pack("[s]", f6)), CCDM_YES);
	answer("02-old-and-new-image", with(tdx(), "enclave-id", json_pack("[s]", d)),
	       CCDM_UNKNOWN);
	/* firmware of the host's own can fill the registers alike */
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

	/* of firmware with a hole that is known, or of which nothing is known, nothing is good */
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

			set(json_object_get(json_object_get(facts, "tcb"), states[i]), "snp",
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
	/* the guest does not choose the bank */
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
	/* nobody knows that it is not the withdrawn one */
	answer("11-withdrawn-image", with(signed_snp(), "measurement", NULL), CCDM_UNKNOWN);

	answer("12-debugging", snp(), CCDM_NO);
	answer("12-debugging", with(with(snp(), "debug", json_true()), "vmpl", json_integer(2)),
	       CCDM_YES);
	answer("12-debugging", with(with(snp(), "debug", json_true()), "vmpl", json_integer(1)),
	       CCDM_NO);
}

#define HEAD "name: a\nsecrets: a/b/c\nrequire:\n"

/* What every policy asks may also be said. */
static void no_debugging(void **state)
{
	static const char text[] = HEAD "  tee: snp\n  debug: false\n  identity: any\n";
	const struct {
		json_t *debug;
		enum ccdm_answer answer;
	} all[] = { { json_false(), CCDM_YES }, { json_true(), CCDM_NO }, { NULL, CCDM_UNKNOWN } };
	struct ccdm_policy *p;
	json_t *facts;
	size_t i;

	(void)state;
	seed("policy", text, strlen(text));
	assert_int_equal(ccdm_policy_parse("x", text, strlen(text), &p, &err), 0);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		facts = with(snp(), "debug", all[i].debug);
		assert_int_equal(ccdm_policy_judge(p, facts, NULL), all[i].answer);
		json_decref(facts);
	}
	ccdm_policy_free(p);
}

#define D30 "000000000000000000000000000000"
#define D64 D30 D30 "0000"
#define D65 D64 "0"

/* An event by its name alone; and letters of a digest that are large. */
static void by_name(void **state)
{
	static const char text[] = HEAD "  tee: tdx\n  event: {register: rtmr2, name: EV_IPL}\n"
					"  measurement: AB" D64 D30 "\n  identity: any\n";
	const struct {
		json_t *facts;
		enum ccdm_answer answer;
	} all[] = {
		{ with(logged(), "measurement", json_string("ab" D64 D30)), CCDM_YES },
		{ with(tdx(), "measurement", json_string("ab" D64 D30)), CCDM_UNKNOWN },
		{ with(with(tdx(), "events", event(e, "rtmr1")), "measurement",
		       json_string("ab" D64 D30)),
		  CCDM_UNKNOWN },
		{ logged(), CCDM_NO },
	};
	struct ccdm_policy *p;
	size_t i;

	(void)state;
	seed("policy", text, strlen(text));
	assert_int_equal(ccdm_policy_parse("x", text, strlen(text), &p, &err), 0);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (ccdm_policy_judge(p, all[i].facts, NULL) != all[i].answer)
			fail_msg("case %zu", i);
		json_decref(all[i].facts);
	}
	ccdm_policy_free(p);
}

/* Each with the line and column where it is wrong. */
static void refused(void **state)
{
	static const struct {
		const char *text, *where;
	} all[] = {
		{ "", "no policy" },
		{ "name: a\n\tb: c\n", "line 2" },
		{ "[a]", "line 1, column 1: there must be members" },
		{ "name: a\nname: b\n", "line 2, column 1: this is said twice: name" },
		{ "nome: a\n", "line 1, column 1: this word is not known here: nome" },
		{ "name: A\n", "line 1, column 7: a name is" },
		{ "name: a\nrequire:\n  tee: snp\n", "must have secrets" },
		{ "name: a\nsecrets: a/b/c\n", "must require something" },
		{ "secrets: a/b/c\nrequire:\n  tee: snp\n", "must have a name" },
		{ "name: a\nsecrets: a/b\n", "line 2, column 10: this is no secret" },
		{ "name: a\nsecrets: [a/b/c, ../x/y]\n", "line 2, column 18: this is no secret" },
		{ "name: a\nsecrets: a/*/c\n", "this is no secret" },
		{ "name: a\nsecrets: []\n", "this list is empty" },
		{ HEAD "  {}\n", "nothing is required" },
		{ HEAD "  tee: sev\n", "line 4, column 8: this word is not known here: sev" },
		{ HEAD "  teee: snp\n", "line 4, column 3: this condition is not known: teee" },
		{ HEAD "  pcr: {index: 16, value: " D64 "}\n", "too large: 16" },
		{ HEAD "  pcr: {index: 23, value: " D64 "}\n", "too large: 23" },
		{ HEAD "  event: {register: pcr16, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr23, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  pcr: {bank: sha1, index: 4, value: " D64 "}\n", "not known here: sha1" },
		{ HEAD "  bank: sha1\n", "not known here: sha1" },
		{ HEAD "  identity: all\n", "not known here: all" },
		{ HEAD "  tee: snp\n  measurement: {covers: image}\n", "there must be a value" },
		{ HEAD "  tee: snp\n  measurement: {value: " D64 D30 "00, covers: both}\n",
		  "not known here: both" },
		{ HEAD "  tee: snp\n  tee: tdx\n", "line 5, column 3: this is said twice: tee" },
		{ HEAD "  ? [tee]\n  : snp\n", "line 4, column 5: this is no word" },
		{ HEAD "  \"t\\0ee\": snp\n", "line 4, column 3: this is no word" },
		{ HEAD "  pcr: {bank: sha256, colour: red}\n",
		  "this word is not known here: colour" },
		{ HEAD "  debug: perhaps\n", "there must be true or false here" },
		{ HEAD "  debug: no\n", "line 4, column 10: there must be true or false" },
		{ HEAD "  vmpl: 4\n", "this number is too large: 4" },
		{ HEAD "  vmpl: -1\n", "there must be a whole number" },
		{ HEAD "  vmpl: 0x1\n", "there must be a whole number" },
		{ HEAD "  vmpl: 99999999999999999999\n", "there must be a whole number" },
		{ HEAD "  measurement: abcd\n", "this is no digest" },
		{ HEAD "  enclave-id: [" D65 "]\n", "this is no digest" },
		{ HEAD "  measurement: [snp, [tdx]]\n", "this is no digest" },
		{ HEAD "  measurement: " D65 "\n", "this is no digest" },
		{ HEAD "  measurement: " D64 D64 "00\n", "this is no digest" },
		{ HEAD "  measurement: xx" D64 D30 "\n", "this is no digest" },
		{ HEAD "  vmpl: \"\"\n", "there must be a whole number" },
		{ HEAD "  vmpl: [1]\n", "there must be a whole number" },
		{ HEAD "  vmpl: 00000000001\n", "there must be a whole number" },
		{ HEAD "  debug: [true]\n", "there must be true or false here" },
		{ HEAD "  event: {register: [pcr1], name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr1, name: \"\"}\n", "there must be a name" },
		{ HEAD "  event: {register: pcr1, name: a b}\n", "there must be a name" },
		{ HEAD "  event: {register: pcr1, name: [x]}\n", "there must be a name" },
		{ HEAD "  event: {register: pcr1, name: \"a\xc3\xa9\"}\n", "there must be a name" },
		{ HEAD "  event: {register: pcr1, name: " D64 D64 D64 D65 "}\n",
		  "there must be a name" },
		{ "name: [a]\n", "a name is" },
		{ "name: \"\"\n", "a name is" },
		{ "name: " D65 "\n", "a name is" },
		{ "name: a\nsecrets: [[a/b/c]]\n", "this is no secret" },
		{ "name: a\nsecrets: [a/b/" D64 D64 D64 D64 "]\n", "this is no secret" },
		{ HEAD
		  "  signer: {key: 0000000000000000000000000000000000000000000000000000000000000000}\n",
		  "line 4, column 11: a signer must have a product" },
		{ HEAD
		  "  signer: {key: 0000000000000000000000000000000000000000000000000000000000000000, product: a}\n",
		  "a signer must have a svn" },
		{ HEAD "  signer: {product: a, svn: 1}\n", "a signer must have a key" },
		{ HEAD "  pcr: {bank: sha256, index: 24, value: 00}\n", "too large: 24" },
		{ HEAD "  pcr: {bank: md5}\n", "not known here: md5" },
		{ HEAD "  pcr: {bank: sha256, index: 1}\n", "a PCR must have a value" },
		{ HEAD "  pcr: {bank: [sha384, sha256], index: 1, value: " D64 "}\n",
		  "a PCR is of one bank" },
		{ HEAD "  event: {register: pcr1}\n", "a name or a digest" },
		{ HEAD "  event: {register: 1, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr24, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: rtmr4, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr01, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {name: x}\n", "an event must have a register" },
		{ HEAD "  tcb: {}\n", "nothing is wanted" },
		{ HEAD "  tcb: {status: Revoked}\n", "not known here: Revoked" },
		{ HEAD "  any: {tee: snp}\n",
		  "line 4, column 8: there must be a list of conditions" },
		{ HEAD "  any: []\n", "this list is empty" },
		{ HEAD "  not: []\n", "there must be members" },
		{ HEAD "  any: [tee]\n", "there must be members" },
		{ HEAD "  not: {not: {not: {not: {not: {not: {not: {not: {tee: snp}}}}}}}}\n",
		  "nested too deep" },
		{ HEAD "  all: &x [{all: *x}]\n", "nested too deep" },
		{ HEAD "  tee: \"snp\\0x\"\n", "there must be a word here" },
		{ HEAD "  tee: snp\n---\n" HEAD "  tee: tdx\n", "two policies are named a" },
		{ HEAD "  tee: snp\n---\nname: b\n",
		  "line 6, column 1: a policy must have secrets" },
	};
	struct ccdm_policy *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		seed("policy", all[i].text, strlen(all[i].text));
		if (ccdm_policy_parse("x", all[i].text, strlen(all[i].text), &p, &err) != -EINVAL)
			fail_msg("case %zu is taken", i);
		assert_null(p);
		if (!strstr(err.text, all[i].where))
			fail_msg("case %zu: '%s', not '%s'", i, err.text, all[i].where);
	}
}

static void many(void **state)
{
	char *text = calloc(1, 100000);
	struct ccdm_policy *p;
	unsigned int i;

	(void)state;
	strcpy(text, HEAD "  any:\n");
	for (i = 0; i < CCDM_POLICY_CONDS - 1; i++)
		strcat(text, "  - tee: snp\n");
	assert_int_equal(ccdm_policy_parse("x", text, strlen(text), &p, &err), 0);
	ccdm_policy_free(p);
	strcat(text, "  - tee: snp\n");
	assert_int_equal(ccdm_policy_parse("x", text, strlen(text), &p, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more conditions"));
	assert_int_equal(ccdm_policy_parse("x", text, CCDM_POLICY_MAX + 1, &p, &err), -EINVAL);
	assert_non_null(strstr(err.text, "larger than"));
	free(text);
}

/* An event of another name is another event, whatever its digest. */
static void names(void **state)
{
	struct ccdm_policy *p;
	json_t *facts = logged();
	char text[1024];
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		snprintf(text, sizeof(text),
			 "name: a\nsecrets: a/b/c\nrequire:\n  tee: tdx\n  event:\n"
			 "    register: rtmr2\n    name: %s\n    digest: %s\n  identity: any\n",
			 i ? "EV_IPL" : "EV_EFI_ACTION", long_d);
		if (ccdm_policy_parse("x", text, strlen(text), &p, &err))
			fail_msg("%s", err.text);
		assert_int_equal(ccdm_policy_judge(p, facts, NULL), i ? CCDM_YES : CCDM_NO);
		ccdm_policy_free(p);
	}
	json_decref(facts);
}

/* Each prefix of a good text is an error or a policy, and nothing else. */
static void cut_off(void **state)
{
	struct ccdm_policy *p;
	size_t size, n;
	char *text, *copy;
	int r;

	(void)state;
	assert_int_equal(ccdm_file_read(DIR "03-signer.yaml", CCDM_POLICY_MAX, &text, &size, &err),
			 0);
	for (n = 0; n < size; n++) {
		copy = malloc(n ? n : 1);
		memcpy(copy, text, n);
		r = ccdm_policy_parse("x", copy, n, &p, &err);
		/* whole but for its newline, or no condition of those that were cut off is believed */
		assert_true(r == -EINVAL ||
			    (!r && (n + 1 >= size || p->outcome != CCDM_POLICY_MAY_OPEN)));
		ccdm_policy_free(p);
		free(copy);
	}
	free(text);
}

/* What pins the image whatever way a policy is satisfied, what does not, and what can never hold. */
static void says_image(void **state)
{
	enum { PINS, OPEN, NEVER };
#define M " {value: " A96 ", covers: image}"
#define A96                                                \
	"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1" \
	"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
#define E64 "e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5"
#define ID  "enclave-id: " E64 "\n"
	static const struct {
		const char *require;
		int says;
	} cases[] = {
		{ "  tee: snp\n", OPEN },
		{ "  tee: snp\n  identity: any\n", PINS },
		/* a launch measurement covers firmware, unless the policy says more */
		{ "  tee: snp\n  measurement: " A96 "\n", OPEN },
		{ "  tee: snp\n  measurement: {value: " A96 ", covers: firmware}\n", OPEN },
		{ "  tee: snp\n  measurement:" M "\n", PINS },
		{ "  measurement:" M "\n", PINS },
		{ "  tee: tdx\n  measurement: " A96 "\n", OPEN },
		{ "  tee: tdx\n  measurement:" M "\n", NEVER },
		{ "  tee: [snp, tdx]\n  measurement:" M "\n", PINS },
		/* enclave IDs */
		{ "  tee: [snp, tpm]\n  " ID, PINS },
		{ "  tee: tdx\n  measurement: " A96 "\n  " ID, PINS },
		/* whose firmware filled the registers, nobody says */
		{ "  " ID, OPEN },
		{ "  tee: tdx\n  " ID, OPEN },
		{ "  tee: tdx\n  binding: provider\n  " ID, OPEN },
		{ "  tee: tdx\n  binding: paravisor\n  " ID, PINS },
		{ "  tee: tdx\n  binding: [paravisor, none]\n  " ID, OPEN },
		{ "  tee: tdx\n  signer: {key: " E64 ", product: web, svn: 1}\n", OPEN },
		{ "  tee: tdx\n  measurement: " A96 "\n  signer: {key: " E64
		  ", product: web, svn: 1}\n",
		  PINS },
		/* below a paravisor the launch measurement is its own */
		{ "  tee: snp\n  binding: paravisor\n  measurement:" M "\n", NEVER },
		{ "  tee: snp\n  binding: [svsm, paravisor]\n  enclave-id:" M "\n", NEVER },
		{ "  tee: snp\n  binding: [none, paravisor]\n  measurement:" M "\n", PINS },
		{ "  tee: tdx\n  enclave-id: " A96 "\n", NEVER },
		{ "  tee: snp\n  enclave-id: " A96 "\n", OPEN },
		{ "  tee: snp\n  enclave-id: [" E64 ", " A96 "]\n", OPEN },
		{ "  tee: snp\n  enclave-id:" M "\n", PINS },
		{ "  tee: tpm\n  binding: tpm-only\n  " ID, PINS },
		{ "  tee: tpm\n  " ID, NEVER },
		/* registers by value */
		{ "  tee: tdx\n  measurement: " A96 "\n  all:\n    - rtmr: {index: 1, value: " A96
		  "}\n    - rtmr: {index: 2, value: " A96 "}\n",
		  PINS },
		{ "  tee: tdx\n  all:\n    - rtmr: {index: 1, value: " A96 "}\n"
		  "    - rtmr: {index: 2, value: " A96 "}\n",
		  OPEN },
		{ "  tee: tdx\n  rtmr: {index: 2, value: " A96 "}\n", OPEN },
		{ "  tee: tdx\n  all:\n    - rtmr: {index: 3, value: " A96 "}\n"
		  "    - rtmr: {index: 2, value: " A96 "}\n",
		  OPEN },
		{ "  tee: snp\n  rtmr: {index: 1, value: " A96 "}\n", NEVER },
		{ "  binding: paravisor\n  all:\n    - pcr: {index: 4, value: " E64 "}\n"
		  "    - pcr: {index: 2, value: " E64 "}\n"
		  "    - pcr: {index: 9, value: " E64 "}\n    - pcr: {index: 12, value: " D64 "}\n"
		  "    - pcr: {index: 13, value: " D64 "}\n",
		  PINS },
		/* a driver runs before what PCR 4 has */
		{ "  binding: paravisor\n  all:\n    - pcr: {index: 4, value: " E64 "}\n"
		  "    - pcr: {index: 9, value: " E64 "}\n    - pcr: {index: 12, value: " D64 "}\n"
		  "    - pcr: {index: 13, value: " D64 "}\n",
		  OPEN },
		{ "  binding: paravisor\n  all:\n    - pcr: {index: 4, value: " E64 "}\n"
		  "    - pcr: {index: 9, value: " E64 "}\n    - pcr: {index: 12, value: " E64 "}\n"
		  "    - pcr: {index: 13, value: " D64 "}\n",
		  OPEN },
		{ "  binding: paravisor\n  all:\n    - pcr: {index: 4, value: " E64 "}\n"
		  "    - pcr: {index: 9, value: " E64 "}\n",
		  OPEN },
		{ "  binding: paravisor\n  pcr: {index: 15, value: " E64 "}\n", OPEN },
		{ "  binding: paravisor\n  identity: any\n  pcr: {bank: sha384, index: 4, value: " A96
		  "}\n",
		  NEVER },
		{ "  binding: paravisor\n  identity: any\n  bank: sha384\n  pcr: {bank: sha384, "
		  "index: 4, value: " A96 "}\n",
		  PINS },
		/* containment */
		{ "  tee: tdx\n  event: {register: rtmr2, digest: " A96 "}\n", OPEN },
		{ "  tee: snp\n  identity: any\n  event: {register: rtmr2, digest: " A96 "}\n",
		  NEVER },
		/* classes */
		{ "  binding: svsm\n  " ID, PINS },
		{ "  tee: tdx\n  binding: svsm\n  " ID, NEVER },
		{ "  binding: [svsm, paravisor]\n  " ID, PINS },
		{ "  tee: tdx\n  vmpl: 0\n  " ID, NEVER },
		{ "  tee: tdx\n  host-data: " E64 "\n  " ID, NEVER },
		{ "  tee: snp\n  id-key: " A96 "\n  generation: Milan\n", OPEN },
		{ "  tee: tdx\n  tcb: {snp: 3}\n  " ID, NEVER },
		{ "  tee: snp\n  tcb: {status: SWHardeningNeeded}\n  measurement:" M "\n", NEVER },
		{ "  tee: snp\n  tcb: {status: [SWHardeningNeeded, OutOfDate]}\n  measurement:" M
		  "\n",
		  PINS },
		{ "  tee: tpm\n  tcb: {status: UpToDate}\n  " ID, NEVER },
		/* ways */
		{ "  any:\n    - measurement:" M "\n    - tee: tdx\n", OPEN },
		{ "  any:\n    - tee: tdx\n    - measurement:" M "\n", OPEN },
		{ "  any:\n    - measurement:" M "\n    - tee: tdx\n      measurement: " A96
		  "\n      " ID,
		  PINS },
		{ "  any:\n    - tee: tdx\n      measurement: " A96 "\n    - tee: snp\n  " ID,
		  PINS },
		{ "  any:\n    - tee: tdx\n    - tee: snp\n      measurement:" M "\n  tee: snp\n",
		  PINS },
		{ "  all:\n    - tee: snp\n    - measurement:" M "\n", PINS },
		{ "  all:\n    - tee: snp\n    - vmpl: 0\n", OPEN },
		{ "  tee: snp\n  not:\n    measurement:" M "\n", OPEN },
		{ "  not: {identity: any}\n", OPEN },
		{ "  all:\n    - not:\n        measurement:" M "\n    - measurement:" M "\n",
		  PINS },
	};
	struct ccdm_policy *p;
	json_t *trace, *last;
	char text[2048];
	const char *refused;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), HEAD "%s", cases[i].require);
		if (ccdm_policy_parse("x", text, strlen(text), &p, &err))
			fail_msg("case %zu: %s", i, err.text);
		refused =
			p->outcome == CCDM_POLICY_MAY_OPEN ? NULL : ccdm_policy_reason(p->outcome);
		if (!refused != (cases[i].says == PINS) ||
		    (refused &&
		     !strstr(refused, cases[i].says == OPEN ? "pins the image" : "never hold")))
			fail_msg("%s: %s", cases[i].require, refused ? refused : "good");
		/* one that was stored before opens nothing, and says why */
		if (refused) {
			json_t *facts = with(snp(), "enclave-id", json_pack("[s]", e));

			trace = json_array();
			assert_int_equal(ccdm_policy_judge(p, facts, &trace), CCDM_NO);
			assert_int_equal(ccdm_policy_judge(p, facts, NULL), CCDM_NO);
			last = json_array_get(trace, json_array_size(trace) - 1);
			assert_string_equal(json_string_value(json_object_get(last, "condition")),
					    "identity");
			assert_string_equal(json_string_value(json_object_get(last, "found")),
					    refused);
			json_decref(trace);
			json_decref(facts);
		}
		ccdm_policy_free(p);
	}
}

/* Nor on what the guest may leave out, or choose. */
static void chosen(void **state)
{
	static const char *const texts[] = {
		HEAD "  tee: snp\n  identity: any\n  not: {enclave-id: " E64 "}\n",
		HEAD "  tee: snp\n  identity: any\n  not: {signer: {key: " E64
		     ", product: web, svn: 1}}\n",
	};
	struct ccdm_policy *p;
	json_t *facts;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(ccdm_policy_parse("x", texts[i], strlen(texts[i]), &p, &err), 0);
		facts = with(with(snp(), "enclave-id", json_pack("[s]", d)), "signer",
			     signer(d, "other", 9));
		assert_int_equal(ccdm_policy_judge(p, facts, NULL), CCDM_UNKNOWN);
		json_decref(facts);
		ccdm_policy_free(p);
	}
}

/* "not" rests on no label: an event whose name was left away may be the one that must not be. */
static void nameless(void **state)
{
	static const char text[] = HEAD "  tee: tdx\n  identity: any\n  not:\n    event: "
					"{register: rtmr3, name: ccdm-x}\n";
	struct ccdm_policy *p;
	json_t *events;
	int i;

	(void)state;
	assert_int_equal(ccdm_policy_parse("x", text, strlen(text), &p, &err), 0);
	for (i = 0; i < 3; i++) {
		json_t *facts;

		events = json_pack("[{s:s, s:s, s:s}]", "register", "rtmr3", "name",
				   i == 1 ? "ccdm-x" : "ccdm-base", "digest", long_d);
		if (i == 2)
			json_array_append_new(
				events, json_pack("{s:s, s:s}", "register", "rtmr3", "digest", m1));
		facts = with(tdx(), "events", events);
		assert_int_equal(ccdm_policy_judge(p, facts, NULL), i == 0   ? CCDM_YES
								    : i == 1 ? CCDM_NO
									     : CCDM_UNKNOWN);
		json_decref(facts);
	}
	ccdm_policy_free(p);
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

/* No file can say so, but a list of nothing would hold for everybody. */
static void childless(void **state)
{
	static const enum ccdm_cond_kind kinds[] = { CCDM_COND_ALL, CCDM_COND_ANY, CCDM_COND_NOT };
	json_t *facts = json_object();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct ccdm_cond nothing = { .kind = kinds[i] };
		struct ccdm_policy p = { .name = "a", .require = &nothing };

		assert_int_equal(ccdm_policy_judge(&p, facts, NULL), CCDM_NO);
	}
	json_decref(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),   cmocka_unit_test(no_debugging),
		cmocka_unit_test(refused),    cmocka_unit_test(many),
		cmocka_unit_test(names),      cmocka_unit_test(cut_off),
		cmocka_unit_test(secrets),    cmocka_unit_test(childless),
		cmocka_unit_test(says_image), cmocka_unit_test(by_name),
		cmocka_unit_test(nameless),   cmocka_unit_test(chosen),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
