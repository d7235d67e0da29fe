/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * spent.h - nonces for which a message was refused
 *
 * A nonce is good for one message. The store remembers those that were accepted; these are the others,
 * in memory: a peer needs a new nonce for each try, and cannot repeat a refusal with an old one. If
 * it is forgotten, or the daemon starts again, the same evidence is refused once more.
 */
#ifndef CCDM_BROKER_SPENT_H
#define CCDM_BROKER_SPENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "store/nonce.h"

#define CCDM_SPENT 1024 /* a new one replaces the oldest */

/* Starts as zeros. */
struct ccdm_spent {
	uint8_t id[CCDM_SPENT][CCDM_NONCE_ID];
	unsigned int count; /* since the start */
};

void ccdm_spent_add(struct ccdm_spent *spent, const struct ccdm_nonce *nonce);
bool __must_check ccdm_spent_has(const struct ccdm_spent *spent, const struct ccdm_nonce *nonce);

#endif
