/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* attest_log.h - logs in evidence of every kind */
#ifndef CCDM_ATTEST_LOG_H
#define CCDM_ATTEST_LOG_H

#include <jansson.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_attest_logs - logs, and the function that signs their registers
 * @key, @file: of the firmware's log
 * @sign: signs the registers to which the logs replay; may be called again
 * @arg: argument of the callback
 */
struct ccdm_attest_logs {
	const char *key;
	const char *file;
	int (*sign)(void *arg, struct ccdm_err *err);
	void *arg;
};

/**
 * ccdm_attest_steady() - get a signature and logs of the same moment
 * @o: gets the firmware's log, "ccdm_log" and "systemd_log", as far as they exist
 *
 * It retries until no event was measured between signature and logs.
 *
 * Return: 0; -EAGAIN: they changed at every attempt; errors of @sign and of reading.
 */
int __must_check ccdm_attest_steady(const struct ccdm_attest_logs *logs, json_t *o,
				    struct ccdm_err *err);

#endif
