// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* attest.c - see attest.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/digest.h"
#include "base/json.h"
#include "base/trace.h"
#include "attest.h"
#include "credential.h"

/* ---- the message -------------------------------------------------------------- */

/* The guest's second message, parsed; the members point into @all. */
struct ccdm_attest {
	json_t *all;
	struct ccdm_nonce nonce;
	json_t *jwk;
	const json_t *primary;
	const char *additional;
	const char *said; /* the nonce as the guest repeats it; NULL in version 0.2 */
};

/*
 * What a message may contain: each value costs time, to parse and to hash. Evidence as arrays of
 * bytes has fewer than 9,000 values.
 */
#define ATTEST_VALUES	   32768
#define ATTEST_KEY_MEMBERS 16

/* An upper bound of the values in a text of JSON, without parsing it. */
static size_t ccdm_attest_values(const char *text, size_t size)
{
	size_t i, n = 1;

	for (i = 0; i < size; i++)
		n += text[i] == ',' || text[i] == '[' || text[i] == '{';
	return n;
}

static int ccdm_attest_read(const struct ccdm_request *q, struct ccdm_attest *m,
			    struct ccdm_err *err)
{
	json_error_t where;
	const json_t *runtime, *evidence;

	if (ccdm_attest_values(q->body, q->size) > ATTEST_VALUES)
		return ccdm_err_set(err, -E2BIG, "expected a message of at most %d values",
				    ATTEST_VALUES);
	m->all = json_loadb(q->body, q->size, JSON_REJECT_DUPLICATES, &where);
	if (!m->all)
		return ccdm_err_set(err, -EINVAL, "line %d, column %d: %s", where.line,
				    where.column, where.text);
	evidence = json_object_get(m->all, "tee-evidence");
	if (m->nonce.version == CCDM_KBS_0_2) {
		m->jwk = json_object_get(m->all, "tee-pubkey");
		m->primary = evidence;
		m->additional = "";
		m->said = m->nonce.text;
	} else {
		runtime = json_object_get(m->all, "runtime-data");
		m->jwk = json_object_get(runtime, "tee-pubkey");
		m->said = json_string_value(json_object_get(runtime, "nonce"));
		m->primary = json_object_get(evidence, "primary_evidence");
		m->additional = json_string_value(json_object_get(evidence, "additional_evidence"));
	}
	if (!m->said)
		return ccdm_err_set(err, -EINVAL, "runtime-data.nonce: expected a string");
	if (!json_is_object(m->jwk))
		return ccdm_err_set(err, -EINVAL, "tee-pubkey: expected an object");
	if (json_object_size(m->jwk) > ATTEST_KEY_MEMBERS)
		return ccdm_err_set(err, -EINVAL, "tee-pubkey: expected at most %d members",
				    ATTEST_KEY_MEMBERS);
	if (!json_is_object(m->primary))
		return ccdm_err_set(err, -EINVAL, "%s: expected an object",
				    m->nonce.version == CCDM_KBS_0_2 ? "tee-evidence"
								     : "primary_evidence");
	if (!m->additional)
		return ccdm_err_set(err, -EINVAL, "additional_evidence: expected a string");
	return 0;
}

/* Judge the evidence; @v lists all checks that failed. */
static int ccdm_attest_judge(struct ccdm_broker *b, const struct ccdm_request *q,
			     const struct ccdm_attest *m, struct ccdm_verdict *v,
			     struct ccdm_proof *proof, struct ccdm_err *err)
{
	struct ccdm_digest bound, beside;
	const struct ccdm_credential_session session = { b->keys, &m->nonce };
	struct ccdm_tee_key *key;
	struct ccdm_claim claim = {
		.tee = m->nonce.tee,
		.primary = m->primary,
		.additional = m->additional,
		.bound = { bound.bytes, ccdm_tee_bound(m->nonce.tee) },
		.bound_beside = { beside.bytes, ccdm_tee_bound("tpm") },
		.activated = ccdm_credential_known,
		.activated_arg = &session,
	};
	struct ccdm_err why = { 0 };
	int r = ccdm_tee_key_from_jwk(m->jwk, &key, &why);

	if (r)
		return ccdm_err_set(err, r, "tee-pubkey: %s", why.text);
	ccdm_tee_key_free(key);
	if (strcmp(m->said, m->nonce.text))
		return ccdm_err_set(err, -EINVAL, "nonce: expected the nonce of the session");
	r = ccdm_kbs_report_data(m->nonce.version, m->said, m->jwk, m->additional, &bound);
	if (!r)
		r = ccdm_kbs_report_data(CCDM_KBS_0_2, m->said, m->jwk, "", &beside);
	if (r)
		return ccdm_err_set(err, r, "cannot hash nonce and key");
	return ccdm_trust_judge(b->trust, &claim, q->now, v, proof, err);
}

/* The policies that hold, each with the hash of its text. Return: NULL on error. */
static json_t *ccdm_attest_policies(struct ccdm_broker *b, const json_t *facts, json_t **traces,
				    struct ccdm_err *err)
{
	const struct ccdm_policy *p;
	json_t *names = json_object();

	if (ccdm_broker_policies(b, &p, err)) {
		json_decref(names);
		return NULL;
	}
	for (; p; p = p->next) {
		json_t *trace = json_array();

		if (ccdm_policy_judge(p, facts, &trace) == CCDM_YES)
			ccdm_json_put(&names, p->name, json_string(p->hash));
		ccdm_json_put(traces, p->name, trace);
	}
	if (!names)
		ccdm_err_memory(err);
	return names;
}

/* The failed checks, for the log. */
static json_t *ccdm_failed(const struct ccdm_verdict *v)
{
	json_t *all = ccdm_verdict_json(v), *failed = json_array(), *check;
	size_t i;

	json_array_foreach(json_object_get(all, "checks"), i,
			   check) if (!json_is_true(json_object_get(check, "passed")))
		json_array_append(failed, check);
	json_decref(all);
	return failed;
}

/* Store the session: what later requests need to know about the guest. */
static int ccdm_attest_session(struct ccdm_broker *b, const struct ccdm_request *q,
			       const struct ccdm_attest *m, const json_t *facts,
			       struct ccdm_err *err)
{
	json_t *o =
		json_pack("{s:s, s:O, s:O}", "tee", m->nonce.tee, "jwk", m->jwk, "facts", facts);
	char *state = o ? ccdm_json_dump(o, JSON_COMPACT) : NULL;
	int r = state ? ccdm_store_session_add(b->store, &m->nonce, q->now + b->session_lifetime,
					       state, err)
		      : ccdm_err_memory(err);

	free(state);
	json_decref(o);
	return r;
}

static int ccdm_attest_token(const struct ccdm_broker *b, const struct ccdm_request *q,
			     const struct ccdm_attest *m, const json_t *facts, char **token)
{
	char id[2 * CCDM_NONCE_ID + 1];
	json_t *claims;
	int r;

	ccdm_nonce_hex(&m->nonce, id);
	claims = json_pack("{s:s, s:I, s:I, s:s, s:s, s:O, s:O?, s:O?}", "iss", "ccdm-broker",
			   "iat", (json_int_t)q->now, "exp",
			   (json_int_t)q->now + b->session_lifetime, "jti", id, "tee", m->nonce.tee,
			   "tee-pubkey", m->jwk, "binding", json_object_get(facts, "binding"),
			   "phase", json_object_get(facts, "phase"));
	r = claims ? ccdm_token_sign(b->signer, claims, token) : -ENOMEM;
	json_decref(claims);
	return r;
}

/* The decision about the evidence; zero is a refusal. */
enum ccdm_outcome {
	CCDM_REFUSED,
	CCDM_ACCEPTED,
};

/* The log's entry of an attestation. @reason: why it was refused, or NULL */
static json_t *ccdm_attest_entry(const struct ccdm_request *q, const struct ccdm_attest *m,
				 enum ccdm_outcome outcome, const char *reason, json_t *more)
{
	char id[2 * CCDM_NONCE_ID + 1];

	ccdm_nonce_hex(&m->nonce, id);
	ccdm_json_put(&more, "peer", json_string(q->peer));
	ccdm_json_put(&more, "tee", json_string(m->nonce.tee));
	ccdm_json_put(&more, "session", json_string(id));
	ccdm_json_put(&more, "result",
		      json_string(outcome == CCDM_ACCEPTED ? "accepted" : "refused"));
	if (outcome != CCDM_ACCEPTED)
		ccdm_json_put(&more, "why", json_string(reason));
	return more;
}

/* Log an attestation. */
static int ccdm_attest_log(struct ccdm_broker *b, const struct ccdm_request *q,
			   const struct ccdm_attest *m, enum ccdm_outcome outcome,
			   const char *reason, json_t *more, struct ccdm_err *err)
{
	return ccdm_broker_note(b, q->now, "attest", ccdm_attest_entry(q, m, outcome, reason, more),
				err);
}

/*
 * Refuse a message, and its nonce for the future. @why: how the refusal is counted; @line: what the peer
 * has proved
 */
static int ccdm_attest_refused(struct ccdm_broker *b, const struct ccdm_request *q,
			       const struct ccdm_attest *m, enum ccdm_refusal why,
			       enum ccdm_line_kind line, const char *reason, json_t *more,
			       struct ccdm_err *err)
{
	int r = ccdm_broker_refused(b, q, why, line, "attest",
				    ccdm_attest_entry(q, m, CCDM_REFUSED, reason, more), err);

	/* A refusal that is not in the log does not count: the guest may try again. */
	if (!r)
		ccdm_spent_add(&b->spent, &m->nonce);
	return r;
}

/* A decision and its reasons. */
struct ccdm_decision {
	enum ccdm_outcome outcome;
	const char *reason; /* of a refusal, for the operator's log */
	const char *type;   /* of a refusal, for the guest */
	json_t *more;	    /* members for the log */
	struct ccdm_err err;
};

static void ccdm_decision_refuse(struct ccdm_decision *d, const char *reason)
{
	d->outcome = CCDM_REFUSED;
	d->reason = reason;
}

static void ccdm_attest_decide(struct ccdm_broker *b, const struct ccdm_request *q,
			       const struct ccdm_attest *m, struct ccdm_verdict *v,
			       struct ccdm_proof *proof, struct ccdm_decision *d)
{
	json_t *traces, *names, *facts;

	d->type = "AttestationError";
	if (ccdm_attest_judge(b, q, m, v, proof, &d->err)) {
		ccdm_decision_refuse(d, d->err.text);
		d->more = json_object();
		return;
	}
	if (!proof->facts) {
		ccdm_decision_refuse(d, "the evidence is not accepted");
		d->more = json_pack("{s:o}", "failed", ccdm_failed(v));
		return;
	}
	traces = json_object();
	names = ccdm_attest_policies(b, proof->facts, &traces, &d->err);
	if (!names) {
		ccdm_decision_refuse(d, d->err.text);
	} else if (!json_object_size(names)) {
		d->type = "PolicyDeny";
		ccdm_decision_refuse(d, "no policy holds");
	} else {
		d->outcome = CCDM_ACCEPTED;
	}
	/*
	 * Leave the events out, since they are many; the conditions' traces contain those that
	 * matter.
	 */
	facts = json_copy(proof->facts);
	json_object_del(facts, "events");
	d->more = json_pack("{s:o, s:O, s:O?}", "facts", facts, "notes", proof->notes, "policies",
			    names);
	if (d->outcome != CCDM_ACCEPTED)
		ccdm_json_put(&d->more, "conditions", json_incref(traces));
	json_decref(traces);
	json_decref(names);
}

/* The evidence is accepted, but the decision cannot be stored; tell the operator, as far as possible. */
static void ccdm_attest_failed(struct ccdm_broker *b, const struct ccdm_request *q,
			       const struct ccdm_attest *m, const char *reason, bool logged)
{
	struct ccdm_err err;
	int r;

	/* The log says "accepted", but the session is not stored: correct the log. */
	if (logged)
		r = ccdm_attest_log(b, q, m, CCDM_REFUSED, reason, json_object(), &err);
	else
		r = ccdm_broker_refused(
			b, q, CCDM_REFUSED_EVIDENCE, CCDM_LINE_GENUINE, "attest",
			ccdm_attest_entry(q, m, CCDM_REFUSED, reason, json_object()), &err);
	if (r)
		ccdm_trace("attest: %s", err.text);
}

/* Store the session only if its log entry is written, and the reverse. */
static int ccdm_attest_accept(struct ccdm_broker *b, const struct ccdm_request *q,
			      const struct ccdm_attest *m, const struct ccdm_proof *proof,
			      struct ccdm_decision *d)
{
	bool logged = false;
	int r = ccdm_store_begin(b->store, &d->err);

	if (r) {
		ccdm_attest_failed(b, q, m, d->err.text, logged);
		return r;
	}
	r = ccdm_attest_session(b, q, m, proof->facts, &d->err);
	if (r == -EEXIST || r == -EBADMSG) {
		/* the nonce, not the disk: the guest cannot use it again */
		ccdm_decision_refuse(d, d->err.text);
		return ccdm_store_end(b->store, r, &d->err);
	}
	if (!r) {
		r = ccdm_attest_log(b, q, m, d->outcome, NULL, json_incref(d->more), &d->err);
		logged = !r;
	}
	r = ccdm_store_end(b->store, r, &d->err);
	if (r)
		ccdm_attest_failed(b, q, m, d->err.text, logged);
	return r;
}

/* Store and log the decision. */
static int ccdm_attest_keep(struct ccdm_broker *b, const struct ccdm_request *q,
			    const struct ccdm_attest *m, const struct ccdm_proof *proof,
			    struct ccdm_decision *d)
{
	struct ccdm_err err;
	int r = 0;

	if (d->outcome == CCDM_ACCEPTED)
		r = ccdm_attest_accept(b, q, m, proof, d);
	if (d->outcome != CCDM_ACCEPTED)
		r = ccdm_attest_refused(b, q, m, CCDM_REFUSED_EVIDENCE,
					proof->facts ? CCDM_LINE_GENUINE : CCDM_LINE_STRANGER,
					d->reason, json_incref(d->more), &err);
	json_decref(d->more);
	return r;
}

static void ccdm_attest_reply(struct ccdm_broker *b, const struct ccdm_request *q,
			      const struct ccdm_attest *m, struct ccdm_verdict *v,
			      struct ccdm_proof *proof, struct ccdm_reply *a)
{
	struct ccdm_decision d = { 0 };
	char *token = NULL;

	ccdm_attest_decide(b, q, m, v, proof, &d);
	if (ccdm_attest_keep(b, q, m, proof, &d)) {
		ccdm_reply_later(a, "cannot store the decision; try again later");
	} else if (d.outcome != CCDM_ACCEPTED) {
		ccdm_reply_error(a, 401, d.type, "the evidence is not accepted");
	} else if (ccdm_attest_token(b, q, m, proof->facts, &token)) {
		ccdm_reply_error(a, 500, "AttestationError", "cannot create a token");
	} else {
		ccdm_reply_json(a, 200, json_pack("{s:s}", "token", token));
		snprintf(a->cookie, sizeof(a->cookie), "%s", q->cookie);
		a->cookie_expires = q->now + b->session_lifetime;
	}
	free(token);
}

/* The nonce is this broker's, but the message is unreadable. */
static void ccdm_attest_unreadable(struct ccdm_broker *b, const struct ccdm_request *q,
				   const struct ccdm_attest *m, const struct ccdm_err *why,
				   struct ccdm_reply *a)
{
	struct ccdm_err err;

	if (ccdm_attest_refused(b, q, m, CCDM_REFUSED_MESSAGE, CCDM_LINE_STRANGER, why->text,
				json_object(), &err))
		ccdm_reply_later(a, "cannot write to the audit log; try again later");
	else
		ccdm_reply_error(a, 401, "SerdeError", why->text);
}

/* Read the cookie. Return: false if it is no nonce, or no longer one; then the refusal is counted. */
static bool ccdm_attest_nonce(struct ccdm_broker *b, const struct ccdm_request *q,
			      struct ccdm_nonce *nonce)
{
	int r = q->cookie ? ccdm_nonce_read(b->keys, q->cookie, q->now, nonce) : -EINVAL;
	bool spent = !r && ccdm_spent_has(&b->spent, nonce);

	if (r || spent)
		ccdm_refusals_add(&b->refusals,
				  spent		? CCDM_REFUSED_NONCE
				  : r == -ETIME ? CCDM_REFUSED_EXPIRED
						: CCDM_REFUSED_SESSION,
				  q->now);
	return !r && !spent;
}

void ccdm_attest_answer(struct ccdm_broker *b, const struct ccdm_request *q, struct ccdm_reply *a)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_proof proof = { 0 };
	struct ccdm_attest m = { 0 };
	struct ccdm_err err = { 0 };

	if (!v) {
		a->status = 500;
		return;
	}
	/* The guest must not learn whether a session is unknown, expired or refused before. */
	if (!ccdm_attest_nonce(b, q, &m.nonce))
		ccdm_reply_error(a, 401, "TokenNotFound", "unknown session");
	else if (ccdm_attest_read(q, &m, &err))
		ccdm_attest_unreadable(b, q, &m, &err, a);
	else
		ccdm_attest_reply(b, q, &m, v, &proof, a);
	ccdm_proof_drop(&proof);
	json_decref(m.all);
	free(v);
}
