/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* broker.h - what a broker decides with */
#ifndef CCDM_BROKER_BROKER_H
#define CCDM_BROKER_BROKER_H

#include <jansson.h>
#include "base/compiler.h"
#include "store/audit.h"
#include "policy/policy.h"
#include "refusals.h"
#include "store/store.h"
#include "trust/trust.h"
#include "trust/trust_status.h"

#define CCDM_BROKER_ODD 64 /* rows without a good MAC that are named */

/**
 * struct ccdm_life - what happened to the daemon
 * @started: when; seconds since 1970
 * @reloaded: when it was told to reload; 0: never
 * @why: the reload failed; "": it did not
 */
struct ccdm_life {
	int64_t started;
	int64_t reloaded;
	char why[512];
};

/**
 * struct ccdm_broker - what decides
 * @store, @keys, @signer, @trust, @audit: borrowed
 * @versions: bit by bit, enum ccdm_kbs_version
 * @nonce_lifetime, @session_lifetime: seconds
 * @policies: those of the store, in order; NULL at first
 * @policies_version: which ones @policies are
 * @policies_read: they were read at all
 * @trust_state: the worst of the trust directory, as it was looked at last
 * @odd: rows without a good MAC that the log has, by a hash
 * @nr_odd: how many
 * @odd_rows: how often one was left out
 * @refusals: of peers without a session
 * @life: for who asks how it is
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
	struct ccdm_life life;
};

/* Drops what it has read itself. */
void ccdm_broker_drop(struct ccdm_broker *broker);

/* Keys, trust or limits are others now: what was read under the old ones is read, and said, anew. */
void ccdm_broker_reloaded(struct ccdm_broker *broker);

/**
 * ccdm_broker_note() - ccdm_audit_add(), behind those that were refused before it
 *
 * Their line is written at most once a second here, so that they cannot slow down who is served.
 */
int __must_check ccdm_broker_note(struct ccdm_broker *broker, int64_t now, const char *event,
				  json_t *entry, struct ccdm_err *err);

/**
 * ccdm_broker_refusals() - a line with the peers that were refused since the last one, if there are any
 *
 * Return: 0; -errno, and their number is not lost.
 */
int __must_check ccdm_broker_refusals(struct ccdm_broker *broker, int64_t now,
				      struct ccdm_err *err);

/**
 * ccdm_broker_policies() - the policies as they are now
 *
 * Return: 0; -EINVAL if one of them cannot be read, which opens nothing at all.
 */
int __must_check ccdm_broker_policies(struct ccdm_broker *broker,
				      const struct ccdm_policy **policies, struct ccdm_err *err);

/**
 * ccdm_broker_odd() - rows that the store just left out go into the log, each once
 *
 * Until the next reload no more than CCDM_BROKER_ODD rows are named, so that nobody who writes to
 * the database fills the log; @odd_rows counts on.
 *
 * Return: 0, -errno if they cannot.
 */
int __must_check ccdm_broker_odd(struct ccdm_broker *broker, struct ccdm_err *err);

#endif
