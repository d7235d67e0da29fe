/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* attest_log.h - what evidence of every kind carries beside its signature: logs */
#ifndef CCDM_ATTEST_LOG_H
#define CCDM_ATTEST_LOG_H

#include <jansson.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_attest_logs - which logs there are, and what is signed with them
 * @key, @file: of the firmware's log
 * @sign: signs the registers that the logs lead to, once more if it is called again
 * @arg: argument of the callback
 */
struct ccdm_attest_logs {
	const char *key;
	const char *file;
	int (*sign)(void *arg, struct ccdm_err *err);
	void *arg;
};

/**
 * ccdm_attest_steady() - registers and logs of one moment
 * @o: gets the firmware's log, "ccdm_log" and "systemd_log", as far as they are here
 *
 * Something may be measured at any time: between signature and logs nothing was.
 *
 * Return: 0; -EAGAIN: they change all the time; what @sign and reading them say.
 */
int __must_check ccdm_attest_steady(const struct ccdm_attest_logs *logs, json_t *o,
				    struct ccdm_err *err);

#endif
