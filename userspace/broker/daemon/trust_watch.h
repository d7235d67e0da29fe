/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* trust_watch.h - daily warnings of files in the trust directory that expire */
#ifndef CCDM_BROKER_TRUST_WATCH_H
#define CCDM_BROKER_TRUST_WATCH_H

#include "base/compiler.h"
#include "trust/trust.h"
#include "trust/trust_status.h"

#define CCDM_WATCH_LINES 16 /* warnings at a time; the number of further ones is one more line */

/**
 * struct ccdm_trust_watch - results of earlier checks; starts as zeros
 * @start, @platforms: worst state of the files that a daemon reads at start, and of collateral
 * @looked: time of the last check of collateral, CLOCK_MONOTONIC; 0: never
 * @said: hashes and times of printed lines; the oldest is overwritten
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
 * ccdm_trust_watch() - check the directory, and warn
 * @watch: kept between calls
 * @trust: the directory as the daemon has read it
 * @whole: check collateral as well, if the last check is an hour old
 * @program: name in the warnings on standard error
 *
 * Return: the worst state.
 */
enum ccdm_trust_state __must_check ccdm_trust_watch(struct ccdm_trust_watch *watch,
						    const struct ccdm_trust_dir *trust, bool whole,
						    const char *program);

#endif
