// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* protocol.c - see protocol.h */
#include <stdio.h>
#include <string.h>
#include "attest.h"
#include "credential.h"
#include "protocol.h"
#include "resource.h"

#define AUTH (64 << 10) /* bytes of a guest's first message */

/*
 * The "extra-params" of a challenge: a credential if the guest names a TPM. Return: NULL if the
 * TPM's identity is unusable.
 */
static json_t *ccdm_protocol_extra(struct ccdm_broker *b, const json_t *asked,
				   const struct ccdm_nonce *nonce, struct ccdm_err *err)
{
	const json_t *tpm = json_object_get(json_object_get(asked, "extra-params"), "ccdm-tpm");
	json_t *credential;

	if (!tpm)
		return json_string("");
	/*
	 * The host controls a TPM in addition to a TEE: if its identity is unusable, go on without
	 * it.
	 */
	if (ccdm_credential_new(b->keys, nonce, tpm, &credential, err))
		return strcmp(nonce->tee, "tpm") ? json_string("") : NULL;
	return json_pack("{s:o}", "ccdm-credential", credential);
}

/* Refuse a request of an unknown peer; it is counted, not logged. */
static void ccdm_protocol_refuse(struct ccdm_broker *b, const struct ccdm_request *q,
				 enum ccdm_refusal why, const char *type, const char *detail,
				 struct ccdm_reply *a)
{
	ccdm_refusals_add(&b->refusals, why, q->now);
	ccdm_reply_error(a, why == CCDM_REFUSED_PATH ? 404 : 401, type, detail);
}

static void ccdm_protocol_auth(struct ccdm_broker *b, const struct ccdm_request *q,
			       struct ccdm_reply *a)
{
	/* Parsing costs more than refusing, and no guest needs a longer message. */
	json_t *o =
		q->size <= AUTH ? json_loadb(q->body, q->size, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *version = json_string_value(json_object_get(o, "version"));
	const char *tee = json_string_value(json_object_get(o, "tee"));
	enum ccdm_kbs_version v;
	struct ccdm_err err = { 0 };
	struct ccdm_nonce nonce;
	char detail[160];
	json_t *extra;

	if (!version || !tee) {
		ccdm_protocol_refuse(b, q, CCDM_REFUSED_MESSAGE, "SerdeError",
				     "expected members version and tee", a);
	} else if (!ccdm_kbs_version_of(version, &v) || !(b->versions & 1U << v)) {
		snprintf(
			detail, sizeof(detail),
			"KBS Client Protocol Version Mismatch: expect =0.4.0 while the request is %.32s",
			version);
		ccdm_protocol_refuse(b, q, CCDM_REFUSED_VERSION, "AttestationError", detail, a);
	} else if (!ccdm_tee_known(tee)) {
		ccdm_protocol_refuse(b, q, CCDM_REFUSED_TEE, "AttestationError", "unknown TEE", a);
	} else if (ccdm_nonce_new(b->keys, tee, v, q->now + b->nonce_lifetime, &nonce, a->cookie)) {
		ccdm_reply_error(a, 500, "AttestationError", "cannot create a nonce");
	} else {
		extra = ccdm_protocol_extra(b, o, &nonce, &err);
		if (extra) {
			a->cookie_expires = nonce.expires;
			ccdm_reply_json(a, 200,
					json_pack("{s:s, s:o}", "nonce", nonce.text, "extra-params",
						  extra));
		} else {
			a->cookie[0] = '\0';
			ccdm_protocol_refuse(b, q, CCDM_REFUSED_MESSAGE, "SerdeError", err.text, a);
		}
	}
	json_decref(o);
}

/* The state for monitoring. It reveals nothing that would help a guest. */
static void ccdm_protocol_health(const struct ccdm_broker *b, struct ccdm_reply *a)
{
	ccdm_reply_json(a, 200,
			json_pack("{s:s, s:s}", "status",
				  b->trust_state < CCDM_TRUST_CHANGED ? "ok" : "warning", "trust",
				  ccdm_trust_state_name(b->trust_state)));
}

#define RESOURCE CCDM_KBS_PREFIX "/resource/"

void ccdm_protocol_answer(struct ccdm_broker *b, const struct ccdm_request *q, struct ccdm_reply *a)
{
	const char *path = q->path;

	memset(a, 0, sizeof(*a));
	if (q->post && !strcmp(path, CCDM_KBS_PREFIX "/auth"))
		ccdm_protocol_auth(b, q, a);
	else if (q->post && !strcmp(path, CCDM_KBS_PREFIX "/attest"))
		ccdm_attest_answer(b, q, a);
	else if (!q->post && !strcmp(path, "/healthz"))
		ccdm_protocol_health(b, a);
	else if (!q->post && !strncmp(path, RESOURCE, strlen(RESOURCE)) &&
		 ccdm_kbs_path_good(path + strlen(RESOURCE)))
		ccdm_resource_answer(b, q, path + strlen(RESOURCE), a);
	else
		ccdm_protocol_refuse(b, q, CCDM_REFUSED_PATH, "InvalidRequestPath", "not found", a);
}
