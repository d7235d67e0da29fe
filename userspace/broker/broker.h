/* SPDX-License-Identifier: Apache-2.0 */
/* broker.h - what a broker decides with */
#ifndef CCDM_BROKER_BROKER_H
#define CCDM_BROKER_BROKER_H

#include "audit.h"
#include "policy.h"
#include "store.h"
#include "trust.h"

/**
 * struct ccdm_broker - what decides
 * @store, @keys, @signer, @trust, @audit: borrowed
 * @versions: bit by bit, enum ccdm_kbs_version
 * @nonce_lifetime, @session_lifetime: seconds
 * @policies: those of the store, in order; NULL at first
 * @policies_version: which ones @policies are
 * @policies_read: they were read at all
 * @odd: the last row without a good MAC that the log has
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
	char odd[CCDM_STORE_KEY + 64];
};

/* Drops what it has read itself. */
void ccdm_broker_drop(struct ccdm_broker *broker);

/**
 * ccdm_broker_policies() - the policies as they are now
 *
 * Return: 0; -EINVAL if one of them cannot be read, which opens nothing at all.
 */
int ccdm_broker_policies(struct ccdm_broker *broker, const struct ccdm_policy **policies,
			 struct ccdm_err *err);

/**
 * ccdm_broker_odd() - rows that the store just left out go into the log, once
 *
 * Return: 0, -errno if they cannot.
 */
int ccdm_broker_odd(struct ccdm_broker *broker, struct ccdm_err *err);

#endif
