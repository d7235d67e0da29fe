/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* work.h - what the admin tool does itself, with a daemon or without, is in the audit log */
#ifndef CCDM_BROKER_WORK_H
#define CCDM_BROKER_WORK_H

#include <jansson.h>
#include <stdint.h>
#include "base/compiler.h"
#include "core/conf.h"

/**
 * struct ccdm_work - what the tool does itself, and says to the audit log
 * @conf: of the broker
 * @what: the verb
 * @name: the file that it is about
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
 * ccdm_work_begin() - it is about to be done
 *
 * The daemon writes the line; where none runs, it is written here. It is on the disk when this
 * returns: what cannot be noted must not be done.
 */
int __must_check ccdm_work_begin(const struct ccdm_work *work, struct ccdm_err *err);

/**
 * ccdm_work_end() - it has ended
 * @r: 0, or the error that @err tells of
 *
 * Return: @r; or that it is done and cannot be noted.
 */
int __must_check ccdm_work_end(const struct ccdm_work *work, int r, struct ccdm_err *err);

/* Its entry in the log, for who writes the log himself. */
int __must_check ccdm_work_entry(const struct ccdm_work *work, const char *result, json_t **entry,
				 struct ccdm_err *err);

/* Fill @hash. */
int __must_check ccdm_work_hash(struct ccdm_work *work, struct ccdm_err *err);

/* A file in the state directory is the directory's owner's, who runs the daemon. */
int __must_check ccdm_work_own(const struct ccdm_conf *conf, const char *file,
			       struct ccdm_err *err);

#endif
