/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* request.h - requests of guests, and replies */
#ifndef CCDM_BROKER_REQUEST_H
#define CCDM_BROKER_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include "source.h"
#include "store/nonce.h"

#define CCDM_COOKIE "kbs-session-id"

/**
 * struct ccdm_request - a request of a guest; all untrusted
 * @post: POST, else GET
 * @path: without the query
 * @cookie: value of CCDM_COOKIE, or NULL
 * @bearer: token of the Authorization header, or NULL
 * @body, @size: of a POST
 * @peer: address, for the audit log
 * @source: what its address may take; NULL: unknown
 * @now: seconds since 1970
 */
struct ccdm_request {
	bool post;
	const char *path;
	const char *cookie;
	const char *bearer;
	const char *body;
	size_t size;
	const char *peer;
	struct ccdm_source *source;
	int64_t now;
};

/**
 * struct ccdm_reply - the reply
 * @status: of HTTP
 * @body: JSON; the caller frees it
 * @cookie: value of CCDM_COOKIE to set, or ""
 * @cookie_expires: when it does
 * @retry: seconds after which the guest may try again; 0: say nothing
 */
struct ccdm_reply {
	int status;
	char *body;
	char cookie[CCDM_NONCE_COOKIE];
	int64_t cookie_expires;
	unsigned int retry;
};

/* Reply with JSON. Takes @o; NULL: out of memory. */
void ccdm_reply_json(struct ccdm_reply *reply, int status, json_t *o);

/*
 * The broker cannot decide now, since it cannot write what it decides: 503. Nothing is decided, and the
 * guest may send the same request again.
 */
void ccdm_reply_later(struct ccdm_reply *reply, const char *detail);

/* @type: an error type of Trustee, which its guests check: "PolicyDeny", ... */
void ccdm_reply_error(struct ccdm_reply *reply, int status, const char *type, const char *detail);

#endif
