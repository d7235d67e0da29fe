/* SPDX-License-Identifier: Apache-2.0 */
/* verify_log.h - ccdm-setup verify eventlog: what a log replays to, and what it should */
#ifndef CCDM_VERIFY_LOG_H
#define CCDM_VERIFY_LOG_H

#include "../lib/tcglog.h"
#include "../lib/verdict.h"

/**
 * verify_log_expect() - a check for each register that is expected
 * @file: JSON: {"sha256": {"0": HEX, ...}, ...}, or {"rtmr0": HEX, ...}
 *
 * Return: 0, whatever the verdict; -EINVAL.
 */
int verify_log_expect(const char *file, const struct ccdm_banks *banks, struct ccdm_verdict *v,
		      struct ccdm_err *err);

/* With nothing to hold it against: the values. */
enum ccdm_exit verify_log_print(const struct ccdm_banks *banks, bool as_json);

#endif
