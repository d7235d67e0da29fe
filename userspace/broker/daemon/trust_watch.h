/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* trust_watch.h - a daemon warns of what in its trust directory expires, of each thing once a day */
#ifndef CCDM_BROKER_TRUST_WATCH_H
#define CCDM_BROKER_TRUST_WATCH_H

#include "base/compiler.h"
#include "trust/trust.h"
#include "trust/trust_status.h"

#define CCDM_WATCH_LINES 16 /* warnings at a time; of more only the number is said */

/**
 * struct ccdm_trust_watch - what was seen; begins as zeros
 * @start, @platforms: the worst of what a daemon reads when it starts, and of collateral
 * @looked: when collateral was looked at last, of CLOCK_MONOTONIC; 0: never
 * @said: hashes of the lines that were said, and when; the oldest is overwritten
 */
struct ccdm_trust_watch {
	enum ccdm_trust_state start, platforms;
	int64_t looked;
	struct {
		uint32_t hash;
		int64_t at;
	} said[4 * CCDM_WATCH_LINES];
	unsigned int next;
};

/**
 * ccdm_trust_watch() - look, and warn
 * @watch: kept from one time to the next
 * @trust: what the daemon has read of its directory
 * @whole: look at collateral as well, if the last time is an hour ago or never was
 * @program: whose warnings they are, on standard error
 *
 * Return: the worst of what was seen.
 */
enum ccdm_trust_state __must_check ccdm_trust_watch(struct ccdm_trust_watch *watch,
						    const struct ccdm_trust_dir *trust, bool whole,
						    const char *program);

#endif
