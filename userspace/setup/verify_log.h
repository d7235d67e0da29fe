/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* verify_log.h - ccdm-setup verify eventlog: replay a log, and compare it with registers */
#ifndef CCDM_VERIFY_LOG_H
#define CCDM_VERIFY_LOG_H

#include "base/compiler.h"
#include "log/bootlog.h"
#include "verify.h"

/**
 * verify_log_expect() - add a check for each expected register
 * @expected: the registers
 * @log: all logs; untrusted
 * @banks: the values to which the firmware's log replays
 * @proof: set to what the logs say about those registers of one bank to which they replay. This is
 * true only if @expected is; the caller proves the registers, for example with a quote
 *
 * If the registers come from a file, each of them is compared. If they come from a quote, all that
 * it covers are compared, and all that the logs have events of: a register that only one side has
 * is a failed check, unless it was never extended. @expected->only restricts both.
 *
 * Return: 0 for any verdict; -EINVAL; -ENOMEM.
 */
int __must_check verify_log_expect(const struct verify_expected *expected,
				   const struct ccdm_bootlog *log, const struct ccdm_banks *banks,
				   struct ccdm_verdict *v, struct ccdm_proof *proof,
				   struct ccdm_err *err);

/* Print the values if there are no registers to compare with. */
enum ccdm_exit __must_check verify_log_print(const struct ccdm_banks *banks, bool as_json);

#endif
