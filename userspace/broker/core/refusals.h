/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * refusals.h - peers without a session that were refused: counted, not logged one by one
 *
 * Who has proved nothing costs the audit log nothing either: there is a number for each reason,
 * and now and then a line with all of them.
 */
#ifndef CCDM_BROKER_REFUSALS_H
#define CCDM_BROKER_REFUSALS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_REFUSALS_LINES 10 /* unreadable messages that have a line of their own, in a minute */

/* Why: of a connection without a request, and of a request. */
enum ccdm_refusal {
	CCDM_REFUSED_CONNECTIONS, /* one connection too many */
	CCDM_REFUSED_LATE,	  /* its time was over before there was a request */
	CCDM_REFUSED_TLS,	  /* it ended before TLS was there */
	CCDM_REFUSED_REQUEST,	  /* and that before there was a request that can be read */
	CCDM_REFUSED_PATH,	  /* nothing is there */
	CCDM_REFUSED_MESSAGE,	  /* a message that cannot be read */
	CCDM_REFUSED_VERSION,	  /* of the protocol */
	CCDM_REFUSED_TEE,	  /* one that is not known */
	CCDM_REFUSED_SESSION,	  /* no cookie or token of a session */
	CCDM_REFUSED_EXPIRED,	  /* a nonce or a token that was good once */
	CCDM_REFUSALS
};

/**
 * struct ccdm_refusals - how many there were
 * @total: since the start
 * @fresh: that no line of the log has yet
 * @since: when the first of these came; seconds since 1970
 * @written: when the last line was written
 * @minute: when the minute of @lines began
 * @lines: messages that got a line of their own in it
 */
struct ccdm_refusals {
	uint64_t total[CCDM_REFUSALS];
	uint64_t fresh[CCDM_REFUSALS];
	int64_t since;
	int64_t written;
	int64_t minute;
	unsigned int lines;
};

/* One more. @now: seconds since 1970 */
void ccdm_refusals_add(struct ccdm_refusals *refusals, enum ccdm_refusal why, int64_t now);

/* Those that no line has yet. */
uint64_t ccdm_refusals_fresh(const struct ccdm_refusals *refusals);

/* They are in the log. */
void ccdm_refusals_noted(struct ccdm_refusals *refusals, int64_t now);

/* May an unreadable message have a line of its own? Then it has one. */
bool __must_check ccdm_refusals_line(struct ccdm_refusals *refusals, int64_t now);

/* {reason: number}, without zeros; NULL: out of memory. */
json_t *ccdm_refusals_json(const uint64_t count[CCDM_REFUSALS]);

#endif
