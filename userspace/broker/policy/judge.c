// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* judge.c - judge facts by a policy; see policy.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "policy.h"

#define FOUND 8 /* events that a trace lists at most; the guest chooses how many its log has */

/* The facts to judge, and the trace of all conditions. */
struct ccdm_judge {
	const json_t *facts;
	json_t **trace;
};

static enum ccdm_answer ccdm_answer_of(bool yes)
{
	return yes ? CCDM_YES : CCDM_NO;
}

/* A value as readable text. */
static char *ccdm_judge_text(const json_t *value)
{
	const char *none = "not known";

	if (!value)
		return strdup(none);
	if (json_is_string(value))
		return strdup(json_string_value(value));
	return ccdm_json_dump(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static enum ccdm_answer ccdm_judge_note(struct ccdm_judge *j, const struct ccdm_cond *c,
					const json_t *found, enum ccdm_answer answer)
{
	char *want, *have;

	if (!j->trace)
		return answer;
	want = ccdm_judge_text(c->value);
	have = ccdm_judge_text(found);
	/* if one of the texts is NULL, json_pack() returns NULL */
	ccdm_json_add(j->trace, json_pack("{s:s, s:i, s:s, s:s, s:b}", "condition",
					  ccdm_cond_name(c->kind), "line", (int)c->line, "expected",
					  want, "found", have, "passed", answer == CCDM_YES));
	free(want);
	free(have);
	return answer;
}

/* Is @fact, a text or a list of texts, one of @want? */
static enum ccdm_answer ccdm_judge_words(const json_t *want, const json_t *fact)
{
	size_t i, k, n = json_is_array(fact) ? json_array_size(fact) : 1;

	if (!fact || !n)
		return CCDM_UNKNOWN;
	for (k = 0; k < n; k++) {
		const json_t *one = json_is_array(fact) ? json_array_get(fact, k) : fact;

		for (i = 0; i < json_array_size(want); i++)
			if (json_equal(json_array_get(want, i), one))
				return CCDM_YES;
	}
	return CCDM_NO;
}

static bool ccdm_judge_is(const json_t *facts, const char *name, const char *word)
{
	const char *text = json_string_value(json_object_get(facts, name));

	return text && !strcmp(text, word);
}

/*
 * Judge a launch value. With "covers", which concerns what SNP's firmware hashes, only SNP can
 * match. Below a paravisor or an SVSM, the launch value is theirs, and never covers the image.
 */
static enum ccdm_answer ccdm_judge_launch(const json_t *want, const json_t *fact,
					  const json_t *facts)
{
	const json_t *covers = json_array_get(json_object_get(want, "covers"), 0);

	if (!json_is_object(want))
		return ccdm_judge_words(want, fact);
	if (!json_object_get(facts, "tee") || !json_object_get(facts, "binding"))
		return CCDM_UNKNOWN;
	if (!ccdm_judge_is(facts, "tee", "snp"))
		return CCDM_NO;
	if (!strcmp(json_string_value(covers), "image") &&
	    (ccdm_judge_is(facts, "binding", "paravisor") ||
	     ccdm_judge_is(facts, "binding", "svsm")))
		return CCDM_NO;
	return ccdm_judge_words(json_object_get(want, "value"), fact);
}

/*
 * The guest may leave out or choose its log and its manifest. So a mismatch is "unknown" rather
 * than "no", or "not" could be satisfied by leaving something out.
 */
static enum ccdm_answer ccdm_judge_chosen(enum ccdm_answer a)
{
	return a == CCDM_NO ? CCDM_UNKNOWN : a;
}

static enum ccdm_answer ccdm_judge_equal(const json_t *want, const json_t *fact)
{
	return fact ? ccdm_answer_of(json_equal(want, fact)) : CCDM_UNKNOWN;
}

static enum ccdm_answer ccdm_and(enum ccdm_answer a, enum ccdm_answer b)
{
	return a < b ? a : b;
}

/* Is the fact an integer that is not below the floor? */
static enum ccdm_answer ccdm_judge_floor(const json_t *floor, const json_t *fact)
{
	if (!json_is_integer(fact))
		return CCDM_UNKNOWN;
	return ccdm_answer_of(json_integer_value(fact) >= json_integer_value(floor));
}

/* Judge the TCB versions: reported now, committed (no rollback below them), and at launch. */
static enum ccdm_answer ccdm_judge_tcb(const json_t *want, const json_t *tcb)
{
	static const char *const states[] = { "reported", "committed", "launch" };
	enum ccdm_answer a = CCDM_YES;
	const char *part;
	json_t *value;
	size_t i;

	json_object_foreach((json_t *)want, part, value)
	{
		if (!strcmp(part, "status")) {
			a = ccdm_and(a, ccdm_judge_words(value, json_object_get(tcb, "status")));
			continue;
		}
		for (i = 0; i < 3; i++)
			a = ccdm_and(
				a, ccdm_judge_floor(
					   value,
					   json_object_get(json_object_get(tcb, states[i]), part)));
	}
	return a;
}

static enum ccdm_answer ccdm_judge_signer(const json_t *want, const json_t *signer)
{
	enum ccdm_answer a;

	if (!signer)
		return CCDM_UNKNOWN;
	a = ccdm_judge_words(json_object_get(want, "key"), json_object_get(signer, "key"));
	a = ccdm_and(a, ccdm_judge_equal(json_object_get(want, "product"),
					 json_object_get(signer, "product")));
	a = ccdm_and(
		a, ccdm_judge_floor(json_object_get(want, "svn"), json_object_get(signer, "svn")));
	/* if the manifest names no base, its svn is unknown */
	if (json_object_get(want, "base-svn"))
		a = ccdm_and(a, ccdm_judge_floor(json_object_get(want, "base-svn"),
						 json_object_get(signer, "base-svn")));
	return a;
}

static enum ccdm_answer ccdm_judge_pcr(const json_t *want, const json_t *pcrs, const json_t **found)
{
	const char *bank = json_string_value(json_array_get(json_object_get(want, "bank"), 0));
	char index[24];

	snprintf(index, sizeof(index), "%lld",
		 (long long)json_integer_value(json_object_get(want, "index")));
	*found = json_object_get(json_object_get(pcrs, bank), index);
	return ccdm_judge_words(json_object_get(want, "value"), *found);
}

static enum ccdm_answer ccdm_judge_rtmr(const json_t *want, const json_t *rtmrs,
					const json_t **found)
{
	char index[24];

	snprintf(index, sizeof(index), "%lld",
		 (long long)json_integer_value(json_object_get(want, "index")));
	*found = json_object_get(rtmrs, index);
	return ccdm_judge_words(json_object_get(want, "value"), *found);
}

/*
 * Is there such an event in the register? Unknown if the register has no known events. An event
 * without a proven name may be the wanted one, because a guest can leave names out of its log: then
 * the answer is unknown, too, or "not" could be satisfied that way. @found gets candidates: events
 * of the register and, if a name is wanted, of that name; NULL: out of memory.
 */
static enum ccdm_answer ccdm_judge_event(const json_t *want, const json_t *events, json_t **found)
{
	const json_t *name = json_object_get(want, "name"),
		     *digest = json_object_get(want, "digest");
	enum ccdm_answer answer = CCDM_UNKNOWN;
	bool nameless = false;
	size_t i;

	for (i = 0; i < json_array_size(events); i++) {
		json_t *e = json_array_get(events, i);

		if (!json_equal(json_object_get(e, "register"), json_object_get(want, "register")))
			continue;
		if (answer == CCDM_UNKNOWN)
			answer = CCDM_NO;
		if (name && !json_object_get(e, "name"))
			nameless |=
				!digest ||
				ccdm_judge_words(digest, json_object_get(e, "digest")) == CCDM_YES;
		if (name && ccdm_judge_equal(name, json_object_get(e, "name")) != CCDM_YES)
			continue;
		if (json_array_size(*found) < FOUND)
			ccdm_json_add(found, json_incref(json_object_get(e, "digest")));
		if (!digest || ccdm_judge_words(digest, json_object_get(e, "digest")) == CCDM_YES)
			answer = CCDM_YES;
	}
	return answer == CCDM_NO && nameless ? CCDM_UNKNOWN : answer;
}

/* Is this a default condition about something that this TEE does not have? */
static bool ccdm_judge_moot(const struct ccdm_cond *c, const json_t *facts)
{
	const char *tee = json_string_value(json_object_get(facts, "tee"));

	if (c->line || !tee)
		return false;
	switch (c->kind) {
	case CCDM_COND_VMPL:
		return strcmp(tee, "snp");
	case CCDM_COND_BANK:
		return !json_object_get(facts, "pcr");
	case CCDM_COND_TCB:
	case CCDM_COND_DEBUG:
		return !strcmp(tee, "tpm");
	default:
		return false;
	}
}

static enum ccdm_answer ccdm_judge_cond(struct ccdm_judge *j, const struct ccdm_cond *c);

static enum ccdm_answer ccdm_judge_many(struct ccdm_judge *j, const struct ccdm_cond *c)
{
	enum ccdm_answer all = CCDM_YES, any = CCDM_NO, a;
	const struct ccdm_cond *child;

	/* judge all children, so the trace is complete */
	for (child = c->child; child; child = child->next) {
		a = ccdm_judge_cond(j, child);
		all = ccdm_and(all, a);
		any = a > any ? a : any;
	}
	if (!c->child)
		return CCDM_NO;
	if (c->kind == CCDM_COND_NOT)
		return all == CCDM_UNKNOWN ? CCDM_UNKNOWN : ccdm_answer_of(all == CCDM_NO);
	return c->kind == CCDM_COND_ANY ? any : all;
}

static enum ccdm_answer ccdm_judge_cond(struct ccdm_judge *j, const struct ccdm_cond *c)
{
	const json_t *fact = json_object_get(j->facts, ccdm_cond_name(c->kind));
	json_t *found = NULL;
	enum ccdm_answer a;

	if (ccdm_judge_moot(c, j->facts))
		return CCDM_YES;
	switch (c->kind) {
	case CCDM_COND_ALL:
	case CCDM_COND_ANY:
	case CCDM_COND_NOT:
		return ccdm_judge_many(j, c);
	case CCDM_COND_IDENTITY:
		return CCDM_YES;
	case CCDM_COND_DEBUG:
	case CCDM_COND_VMPL:
	case CCDM_COND_ALIAS_CHECK:
		a = ccdm_judge_equal(c->value, fact);
		break;
	case CCDM_COND_MEASUREMENT:
		a = ccdm_judge_launch(c->value, fact, j->facts);
		break;
	case CCDM_COND_ENCLAVE_ID:
		a = ccdm_judge_chosen(ccdm_judge_launch(c->value, fact, j->facts));
		break;
	case CCDM_COND_RTMR:
		a = ccdm_judge_rtmr(c->value, fact, &fact);
		break;
	case CCDM_COND_TCB:
		a = ccdm_judge_tcb(c->value, fact);
		break;
	case CCDM_COND_SIGNER:
		a = ccdm_judge_chosen(ccdm_judge_signer(c->value, fact));
		break;
	case CCDM_COND_PCR:
		a = ccdm_judge_pcr(c->value, fact, &fact);
		break;
	case CCDM_COND_EVENT:
		found = json_array();
		a = ccdm_judge_event(c->value, json_object_get(j->facts, "events"), &found);
		fact = json_array_size(found) ? found : NULL;
		/* coverage: no memory; the fuzzer reaches it by chance */
		if (!found && j->trace) {
			json_decref(*j->trace);
			*j->trace = NULL;
		}
		break;
	default:
		a = ccdm_judge_words(c->value, fact);
	}
	a = ccdm_judge_note(j, c, fact, a);
	json_decref(found);
	return a;
}

enum ccdm_answer ccdm_policy_judge(const struct ccdm_policy *policy, const json_t *facts,
				   json_t **trace)
{
	struct ccdm_judge j = { facts, trace };
	enum ccdm_answer a = ccdm_judge_cond(&j, policy->require);

	if (policy->outcome == CCDM_POLICY_MAY_OPEN)
		return a;
	if (trace)
		ccdm_json_add(trace,
			      json_pack("{s:s, s:i, s:s, s:s, s:b}", "condition", "identity",
					"line", 0, "expected", "a policy that may open secrets",
					"found", ccdm_policy_reason(policy->outcome), "passed", 0));
	return CCDM_NO;
}
