/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* verify_log.h - ccdm-setup verify eventlog: what a log replays to, and what it should */
#ifndef CCDM_VERIFY_LOG_H
#define CCDM_VERIFY_LOG_H

#include "base/compiler.h"
#include "log/bootlog.h"
#include "verify.h"

/**
 * verify_log_expect() - a check for each register that is expected
 * @expected: the registers
 * @log: all logs; untrusted
 * @banks: what the log of the firmware replays to
 * @proof: set: what the logs say, for those registers of one bank to which they lead. It is
 *	true as far as @expected is: the caller proves the registers, by a quote for example
 *
 * Registers that were written down are those that somebody asks for. Of a quote all count that
 * it covers, and all of which the logs have an event: one that is not in both is a check that
 * fails, unless it was never extended. @expected->only takes out what shall not count.
 *
 * Return: 0 for any verdict; -EINVAL; -ENOMEM.
 */
int __must_check verify_log_expect(const struct verify_expected *expected,
				   const struct ccdm_bootlog *log, const struct ccdm_banks *banks,
				   struct ccdm_verdict *v, struct ccdm_proof *proof,
				   struct ccdm_err *err);

/* With nothing to hold it against: the values. */
enum ccdm_exit __must_check verify_log_print(const struct ccdm_banks *banks, bool as_json);

#endif
