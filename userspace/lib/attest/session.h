/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * session.h - the guest's side of a conversation with a broker
 *
 * A fresh key, a nonce, evidence bound to both, a token; then secrets, each encrypted for
 * the key. A refusal by policy ends it at once, and so does another version of the
 * protocol; a session that has expired is begun anew once; everything else is tried
 * again, later each time, until the time is over.
 */
#ifndef CCDM_SESSION_H
#define CCDM_SESSION_H

#include "base/compiler.h"
#include "attester.h"
#include "net/http.h"
#include "kbs/kbs.h"

/**
 * struct ccdm_session_conf - with whom, and how
 * @http: the server
 * @version: of the protocol
 * @deadline: seconds for everything, from ccdm_session_open() on
 * @primary: evidence of the TEE, or of the TPM alone
 * @beside: of a TPM beside a TEE, or NULL; goes without it if it fails
 * @left_out: is told why it goes without it; or NULL
 * @no_activation: nothing is said of the TPM's endorsement key; its AK must be known then
 * @certs: a VCEK or VLEK for a host that gives none, borrowed; or NULL
 * @manifest: of the builder, goes along with the evidence; or NULL
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

/* A conversation; opaque. Closing it wipes the key. */
struct ccdm_session;

/* @conf must live as long. Nothing is sent yet. */
int __must_check ccdm_session_open(const struct ccdm_session_conf *conf,
				   struct ccdm_session **session, struct ccdm_err *err);
void ccdm_session_close(struct ccdm_session *session); /* accepts NULL */

/**
 * ccdm_session_attest() - prove what runs here
 *
 * Return: 0; -ECANCELED if the broker refuses; -EBADE if it does not accept the evidence
 * until the time is over; -EPROTO if it speaks another version;
 * what ccdm_http_ask() and the attesters return.
 */
int __must_check ccdm_session_attest(struct ccdm_session *session, struct ccdm_err *err);

/* The token of the last attestation, which lives as long as the session, or NULL. */
const char *ccdm_session_token(const struct ccdm_session *session);

/**
 * ccdm_session_secret() - fetch a secret; attests first, if that is not done
 * @path: REPO/TYPE/TAG
 * @bytes: set; to be freed with OPENSSL_clear_free()
 * @size: their number
 *
 * Return: as above; -ENOENT if the broker has none.
 */
int __must_check ccdm_session_secret(struct ccdm_session *session, const char *path,
				     uint8_t **bytes, size_t *size, struct ccdm_err *err);

/**
 * ccdm_session_evidence() - evidence as a broker would get it, without one
 * @conf: attesters and version
 * @nonce: any text; NULL: one is drawn
 *
 * Return: 0; @out is set to {"version", "tee", "runtime-data": {"nonce", "tee-pubkey"},
 * "tee-evidence": {...}}, which the caller drops. The key is thrown away.
 */
int __must_check ccdm_session_evidence(const struct ccdm_session_conf *conf, const char *nonce,
				       json_t **out, struct ccdm_err *err);

#endif
