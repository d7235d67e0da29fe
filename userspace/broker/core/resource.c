// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* resource.c - see resource.h */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "crypto/digest.h"
#include "base/json.h"
#include "resource.h"

/* Find the session by the cookie, or by the ID in a token of this broker. */
static json_t *ccdm_resource_session(struct ccdm_broker *b, const struct ccdm_request *q,
				     struct ccdm_nonce *nonce, enum ccdm_refusal *why)
{
	struct ccdm_err err;
	json_t *claims = NULL, *state = NULL;
	const char *jti;
	char *text = NULL;
	bool known = false;
	int r;

	*why = CCDM_REFUSED_SESSION;
	/* The session lives longer than its nonce, so ignore the nonce's expiry. */
	if (q->cookie)
		known = ccdm_nonce_read(b->keys, q->cookie, 0, nonce) == 0;
	r = !known && q->bearer ? ccdm_token_verify(b->signer, q->bearer, q->now, &claims)
				: -EINVAL;
	if (r == -ETIME)
		*why = CCDM_REFUSED_EXPIRED;
	if (!r) {
		jti = json_string_value(json_object_get(claims, "jti"));
		/* coverage: this broker wrote the token's jti */
		known = jti && !ccdm_unhex(jti, nonce->id, CCDM_NONCE_ID);
	}
	if (known && !ccdm_store_session_get(b->store, nonce->id, q->now, &text, &err))
		state = json_loads(text, 0, NULL);
	else if (known && ccdm_broker_odd(b, &err))
		fprintf(stderr, "ccdm-brokerd: %s\n", err.text);
	free(text);
	json_decref(claims);
	return state;
}

/*
 * Find a policy that releases the resource, or NULL. @traces: the result of each policy that names
 * it.
 */
static const struct ccdm_policy *ccdm_resource_policy(struct ccdm_broker *b, const char *path,
						      const json_t *facts, json_t **traces,
						      struct ccdm_err *err)
{
	const struct ccdm_policy *p;

	if (ccdm_broker_policies(b, &p, err))
		return NULL;
	for (; p; p = p->next) {
		enum ccdm_answer answer;
		json_t *trace;

		if (!ccdm_policy_opens(p, path))
			continue;
		trace = json_array();
		answer = ccdm_policy_judge(p, facts, &trace);
		ccdm_json_put(traces, p->name, trace);
		if (answer == CCDM_YES)
			return p;
	}
	ccdm_err_set(err, -EACCES, "no policy releases it");
	return NULL;
}

/* Seal the resource for the guest's key. */
static int ccdm_resource_seal(struct ccdm_broker *b, const char *path, const json_t *jwk,
			      char **jwe, struct ccdm_err *err)
{
	struct ccdm_tee_key *key = NULL;
	uint8_t *sealed, *bytes = NULL;
	size_t sealed_size, size = 0;
	int r = ccdm_store_secret_get(b->store, path, &sealed, &sealed_size, err);

	if (!r) {
		r = ccdm_keys_open(b->keys, path, sealed, sealed_size, &bytes, &size, NULL);
		if (r)
			ccdm_err_set(err, r, "cannot open the sealed secret %s: %s", path,
				     strerror(-r));
	}
	if (!r)
		r = ccdm_tee_key_from_jwk(jwk, &key, err);
	if (!r)
		r = ccdm_jwe_seal(key, bytes, size, jwe);
	ccdm_tee_key_free(key);
	OPENSSL_clear_free(bytes, size + 1);
	free(sealed);
	return r;
}

static void ccdm_resource_decide(struct ccdm_broker *b, const struct ccdm_request *q,
				 const char *path, const json_t *state,
				 const struct ccdm_nonce *nonce, struct ccdm_reply *a)
{
	const json_t *facts = json_object_get(state, "facts");
	char id[2 * CCDM_NONCE_ID + 1], *jwe = NULL;
	struct ccdm_err err = { 0 }, ignored;
	json_t *traces = json_object(), *more;
	const struct ccdm_policy *p;
	int r = -EACCES, logged;

	ccdm_nonce_hex(nonce, id);
	p = ccdm_resource_policy(b, path, facts, &traces, &err);
	if (p)
		r = ccdm_resource_seal(b, path, json_object_get(state, "jwk"), &jwe, &err);
	more = json_pack("{s:s, s:s, s:s, s:s}", "peer", q->peer, "session", id, "secret", path,
			 "result", r ? "refused" : "released");
	if (p)
		ccdm_json_put(&more, "policy", json_string(p->name));
	if (p)
		ccdm_json_put(&more, "policy-hash", json_string(p->hash));
	if (r) {
		ccdm_json_put(&more, "why", json_string(err.text));
		ccdm_json_put(&more, "conditions", json_incref(traces));
	}
	logged = r ? ccdm_broker_refused(b, q, CCDM_REFUSED_RESOURCE, CCDM_LINE_GENUINE, "resource",
					 more, &ignored)
		   : ccdm_broker_note(b, q->now, "resource", more, &ignored);
	if (logged) {
		ccdm_reply_later(a, "cannot write to the audit log; try again later");
	} else if (r) {
		/*
		 * The guest must not learn whether a resource does not exist or is not released to
		 * it.
		 */
		ccdm_reply_error(a, 401, "PolicyDeny", "not released to this guest");
	} else {
		a->body = jwe;
		a->status = 200;
		jwe = NULL;
	}
	free(jwe);
	json_decref(traces);
}

void ccdm_resource_answer(struct ccdm_broker *b, const struct ccdm_request *q, const char *path,
			  struct ccdm_reply *a)
{
	struct ccdm_nonce nonce = { 0 };
	enum ccdm_refusal why;
	json_t *state = ccdm_resource_session(b, q, &nonce, &why);

	if (state) {
		ccdm_resource_decide(b, q, path, state, &nonce, a);
	} else {
		ccdm_refusals_add(&b->refusals, why, q->now);
		ccdm_reply_error(a, 401, "TokenNotFound", "unknown session");
	}
	json_decref(state);
}
