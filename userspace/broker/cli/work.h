/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* work.h - audit log entries for work that the admin tool does itself, with or without a daemon */
#ifndef CCDM_BROKER_WORK_H
#define CCDM_BROKER_WORK_H

#include <jansson.h>
#include <stdint.h>
#include "base/compiler.h"
#include "core/conf.h"

/**
 * struct ccdm_work - work that the tool does itself and logs
 * @conf: of the broker
 * @what: the verb
 * @name: the file that it works on
 * @hash: SHA-256 of it, in hexadecimal; "": there is none
 * @lines: of the log in it; -1: it has none
 */
struct ccdm_work {
	const struct ccdm_conf *conf;
	const char *what;
	const char *name;
	char hash[65];
	int64_t lines;
};

/**
 * ccdm_work_begin() - log that the work begins
 *
 * The daemon writes the line; without a daemon the tool does. The line is on the disk when this
 * returns: work that cannot be logged must not begin.
 */
int __must_check ccdm_work_begin(const struct ccdm_work *work, struct ccdm_err *err);

/**
 * ccdm_work_end() - log that the work has ended
 * @r: 0, or the error that @err tells of
 *
 * Return: @r; or an error if the work is done but could not be logged.
 */
int __must_check ccdm_work_end(const struct ccdm_work *work, int r, struct ccdm_err *err);

/* Make its entry, for a caller that writes the log itself. */
int __must_check ccdm_work_entry(const struct ccdm_work *work, const char *result, json_t **entry,
				 struct ccdm_err *err);

/* Fill @hash. */
int __must_check ccdm_work_hash(struct ccdm_work *work, struct ccdm_err *err);

/* Give a file to the owner of the state directory, which is the daemon's user. */
int __must_check ccdm_work_own(const struct ccdm_conf *conf, const char *file,
			       struct ccdm_err *err);

#endif
