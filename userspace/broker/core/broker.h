/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* broker.h - state of a broker */
#ifndef CCDM_BROKER_BROKER_H
#define CCDM_BROKER_BROKER_H

#include <jansson.h>
#include "base/compiler.h"
#include "store/audit.h"
#include "policy/policy.h"
#include "limit.h"
#include "refusals.h"
#include "request.h"
#include "spent.h"
#include "store/store.h"
#include "trust/trust.h"
#include "trust/trust_status.h"

#define CCDM_BROKER_ODD 64 /* rows without a valid MAC that the log names */

/**
 * struct ccdm_life - start and reloads of the daemon
 * @started: when; seconds since 1970
 * @reloaded: when it was told to reload; 0: never
 * @why: why the reload failed; "": it succeeded
 */
struct ccdm_life {
	int64_t started;
	int64_t reloaded;
	char why[512];
};

/**
 * struct ccdm_broker - state of a broker
 * @store, @keys, @signer, @trust, @audit: borrowed
 * @versions: bit by bit, enum ccdm_kbs_version
 * @nonce_lifetime, @session_lifetime: seconds
 * @policies: those of the store, in order; NULL at first
 * @policies_version: version of @policies
 * @policies_read: the policies were read
 * @trust_state: worst state of the trust directory at the last check
 * @odd: hashes of the rows without a valid MAC that the log has
 * @nr_odd: how many
 * @odd_rows: how often such a row was ignored
 * @refusals: of peers, without a line of their own
 * @quota: room in the log for refusals that get one
 * @spent: nonces for which evidence was refused
 * @life: for the status
 */
struct ccdm_broker {
	struct ccdm_store *store;
	const struct ccdm_keys *keys;
	const struct ccdm_signer *signer;
	const struct ccdm_trust_dir *trust;
	struct ccdm_audit *audit;
	unsigned int versions;
	int nonce_lifetime;
	int session_lifetime;
	struct ccdm_policy *policies;
	uint8_t policies_version[32];
	bool policies_read;
	enum ccdm_trust_state trust_state;
	uint8_t odd[CCDM_BROKER_ODD][32];
	unsigned int nr_odd;
	uint64_t odd_rows;
	struct ccdm_refusals refusals;
	struct ccdm_quota quota;
	struct ccdm_spent spent;
	struct ccdm_life life;
};

/* Free what the broker has read itself. */
void ccdm_broker_drop(struct ccdm_broker *broker);

/* Keys, trust directory or limits have changed: read and report everything again. */
void ccdm_broker_reloaded(struct ccdm_broker *broker);

/**
 * ccdm_broker_note() - ccdm_audit_add(), after the line of earlier refusals
 *
 * It writes that line at most once a second, so that refused peers cannot slow down accepted ones.
 */
int __must_check ccdm_broker_note(struct ccdm_broker *broker, int64_t now, const char *event,
				  json_t *entry, struct ccdm_err *err);

/**
 * ccdm_broker_refused() - log a refusal, or only count it if there is no room for its line
 * @why: how it is counted
 * @kind: what the peer has proved
 * @entry: dropped; a short line leaves out its largest members
 *
 * Return: 0, also if it was only counted; -errno if the line could not be written.
 */
int __must_check ccdm_broker_refused(struct ccdm_broker *broker, const struct ccdm_request *q,
				     enum ccdm_refusal why, enum ccdm_line_kind kind,
				     const char *event, json_t *entry, struct ccdm_err *err);

/**
 * ccdm_broker_refusals() - log the number of peers refused since the last such line, if any
 *
 * Return: 0; -errno, and the numbers are kept.
 */
int __must_check ccdm_broker_refusals(struct ccdm_broker *broker, int64_t now,
				      struct ccdm_err *err);

/**
 * ccdm_broker_policies() - get the present policies
 *
 * Return: 0; -EINVAL if one of them is malformed; then the broker releases nothing.
 */
int __must_check ccdm_broker_policies(struct ccdm_broker *broker,
				      const struct ccdm_policy **policies, struct ccdm_err *err);

/**
 * ccdm_broker_odd() - log each row that the store just ignored, once
 *
 * Until the next reload it names at most CCDM_BROKER_ODD rows, so that a writer of
 * the database cannot fill the log; @odd_rows counts all.
 *
 * Return: 0; -errno if it cannot write.
 */
int __must_check ccdm_broker_odd(struct ccdm_broker *broker, struct ccdm_err *err);

#endif
