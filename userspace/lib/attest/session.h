/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * session.h - the guest's side of a session with a broker
 *
 * The guest makes a key, gets a nonce, sends evidence bound to both, and gets a token; then it
 * gets secrets, each encrypted for the key. A refusal by policy and another version of the
 * protocol end the session. An expired session is opened again once. All other errors are
 * retried with growing delays until the deadline. If the broker answers 503 and says in Retry-After when
 * to try again, the guest waits as long, but at most 30 s and half of it more, and repeats the same request.
 */
#ifndef CCDM_SESSION_H
#define CCDM_SESSION_H

#include "base/compiler.h"
#include "attester.h"
#include "net/http.h"
#include "kbs/kbs.h"

/**
 * struct ccdm_session_conf - the broker and the evidence
 * @http: the server
 * @version: of the protocol
 * @deadline: limit for the whole session in seconds, from ccdm_session_open() on
 * @primary: evidence of the TEE, or of the TPM alone
 * @beside: evidence of a TPM beside a TEE, or NULL; left out if it fails
 * @left_out: called with the reason if it is left out; or NULL
 * @no_activation: send no endorsement key of the TPM; the broker must know its AK
 * @certs: a VCEK or VLEK for a host that provides none, borrowed; or NULL
 * @manifest: manifest of the builder, sent with the evidence; or NULL
 */
struct ccdm_session_conf {
	struct ccdm_http_conf http;
	enum ccdm_kbs_version version;
	unsigned int deadline;
	const struct ccdm_attester *primary;
	const struct ccdm_attester *beside;
	void (*left_out)(const struct ccdm_err *why);
	bool no_activation;
	const struct ccdm_certs *certs;
	const char *manifest;
};

/* A session; opaque. Closing it wipes the key. */
struct ccdm_session;

/* @conf must live as long as the session. Sends nothing yet. */
int __must_check ccdm_session_open(const struct ccdm_session_conf *conf,
				   struct ccdm_session **session, struct ccdm_err *err);
void ccdm_session_close(struct ccdm_session *session); /* accepts NULL */

/**
 * ccdm_session_attest() - send evidence, get a token
 *
 * Return: 0; -ECANCELED if the broker refuses; -EBADE if it does not accept the evidence
 * until the time is over; -EPROTO if it speaks another version;
 * errors of ccdm_http_ask() and of the attesters.
 */
int __must_check ccdm_session_attest(struct ccdm_session *session, struct ccdm_err *err);

/* The token of the last attestation, which lives as long as the session, or NULL. */
const char *ccdm_session_token(const struct ccdm_session *session);

/**
 * ccdm_session_secret() - fetch a secret; attests first if necessary
 * @path: REPO/TYPE/TAG
 * @bytes: set; to be freed with OPENSSL_clear_free()
 * @size: their number
 *
 * Return: as above; -ENOENT if the broker has none.
 */
int __must_check ccdm_session_secret(struct ccdm_session *session, const char *path,
				     uint8_t **bytes, size_t *size, struct ccdm_err *err);

/**
 * ccdm_session_evidence() - collect evidence for a broker without contacting one
 * @conf: attesters and version
 * @nonce: any text; NULL: draw one
 *
 * Return: 0; @out is set to {"version", "tee", "runtime-data": {"nonce", "tee-pubkey"},
 * "tee-evidence": {...}}, which the caller drops. The key is thrown away.
 */
int __must_check ccdm_session_evidence(const struct ccdm_session_conf *conf, const char *nonce,
				       json_t **out, struct ccdm_err *err);

#endif
