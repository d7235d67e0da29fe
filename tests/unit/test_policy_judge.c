// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * How a policy judges facts: conditions that depend on the guest's statements, and facts that are
 * unknown.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "policy_facts.h"

/* A policy may spell out the default "debug: false". */
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

/* An event given only by its name, and a digest in capital letters. */
static void event_by_name(void **state)
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

/* An event with the same digest but another name is another event. */
static void event_by_name_and_digest(void **state)
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

/* Under "not", an event without a name could be the forbidden one: the answer is unknown. */
static void nameless_event(void **state)
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

/* "not" does not hold because of an enclave ID or a signer: the guest may choose those. */
static void guest_chooses(void **state)
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

/* The lowest security version of the base: what is not named is not known. */
static void base_svn(void **state)
{
	static const struct {
		const char *value; /* of the fact; NULL: there is none */
		enum ccdm_answer answer;
	} cases[] = {
		{ "3", CCDM_YES },	   { "4", CCDM_YES },	    { "1000000000", CCDM_YES },
		{ "2", CCDM_UNKNOWN },	   { "0", CCDM_UNKNOWN },   { NULL, CCDM_UNKNOWN },
		{ "\"3\"", CCDM_UNKNOWN }, { "3.0", CCDM_UNKNOWN }, { "null", CCDM_UNKNOWN },
	};
	static const char text[] =
		HEAD "  tee: snp\n  signer: {key: " E64 ", product: web, svn: 1, base-svn: 3}\n";
	struct ccdm_policy *p;
	json_t *facts, *who;
	size_t i;

	(void)state;
	assert_int_equal(ccdm_policy_parse("x", text, strlen(text), &p, &err), 0);
	assert_int_equal(p->outcome, CCDM_POLICY_MAY_OPEN);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		who = signer(E64, "web", 1);
		if (cases[i].value)
			json_object_set_new(who, "base-svn",
					    json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		facts = with(snp(), "signer", who);
		if (ccdm_policy_judge(p, facts, NULL) != cases[i].answer)
			fail_msg("case %zu", i);
		json_decref(facts);
	}
	ccdm_policy_free(p);
}

/* No file yields a condition without children. If there were one, it must not hold. */
static void no_children(void **state)
{
	static const enum ccdm_cond_kind kinds[] = { CCDM_COND_ALL, CCDM_COND_ANY, CCDM_COND_NOT };
	json_t *facts = json_object();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct ccdm_cond nothing = { .kind = kinds[i] };
		struct ccdm_policy p = { .name = "a",
					 .outcome = CCDM_POLICY_MAY_OPEN,
					 .require = &nothing };

		assert_int_equal(ccdm_policy_judge(&p, facts, NULL), CCDM_NO);
	}
	json_decref(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_debugging),
		cmocka_unit_test(event_by_name),
		cmocka_unit_test(event_by_name_and_digest),
		cmocka_unit_test(nameless_event),
		cmocka_unit_test(guest_chooses),
		cmocka_unit_test(base_svn),
		cmocka_unit_test(no_children),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
