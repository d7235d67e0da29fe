/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * refusals.h - count refused peers instead of logging each
 *
 * A peer that has proved nothing must not fill the audit log: there is a counter for each reason,
 * and now and then a line with all counters. Refused evidence and refused secrets have a line each,
 * as long as there is room for them (limit.h).
 */
#ifndef CCDM_BROKER_REFUSALS_H
#define CCDM_BROKER_REFUSALS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/* Reasons to refuse a connection or a request. */
enum ccdm_refusal {
	CCDM_REFUSED_RATE,	  /* one address opened connections too fast */
	CCDM_REFUSED_CONNECTIONS, /* too many connections */
	CCDM_REFUSED_LATE,	  /* timeout before a request */
	CCDM_REFUSED_PROXY,	  /* no valid header of a load balancer */
	CCDM_REFUSED_TLS,	  /* the connection ended in the TLS handshake */
	CCDM_REFUSED_REQUEST,	  /* the connection ended before a valid request */
	CCDM_REFUSED_BUSY,	  /* no place in the queue */
	CCDM_REFUSED_PATH,	  /* unknown path */
	CCDM_REFUSED_MESSAGE,	  /* malformed message */
	CCDM_REFUSED_VERSION,	  /* unsupported version of the protocol */
	CCDM_REFUSED_TEE,	  /* unknown TEE */
	CCDM_REFUSED_SESSION,	  /* no cookie or token of a session */
	CCDM_REFUSED_EXPIRED,	  /* expired nonce or token */
	CCDM_REFUSED_NONCE,	  /* evidence for this nonce was refused before */
	CCDM_REFUSED_EVIDENCE,	  /* evidence, without a line of its own */
	CCDM_REFUSED_RESOURCE,	  /* a secret, without a line of its own */
	CCDM_REFUSALS
};

/**
 * struct ccdm_refusals - counters
 * @total: since the start
 * @fresh: not yet in a line of the log
 * @since: time of the first of these, seconds since 1970
 * @written: when the last line was written
 * @evicted: connections that made room for one of another address, since the start
 * @late: connections that their time limit ended after a request, since the start
 */
struct ccdm_refusals {
	uint64_t total[CCDM_REFUSALS];
	uint64_t fresh[CCDM_REFUSALS];
	int64_t since;
	int64_t written;
	uint64_t evicted;
	uint64_t late;
};

/* Count a refusal. @now: seconds since 1970 */
void ccdm_refusals_add(struct ccdm_refusals *refusals, enum ccdm_refusal why, int64_t now);

/* Number of refusals that no line has yet. */
uint64_t ccdm_refusals_fresh(const struct ccdm_refusals *refusals);

/* Record that the log has them. */
void ccdm_refusals_noted(struct ccdm_refusals *refusals, int64_t now);

/* {reason: number}, without zeros; NULL: out of memory. */
json_t *ccdm_refusals_json(const uint64_t count[CCDM_REFUSALS]);

#endif
