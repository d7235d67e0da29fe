/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* sql.h - what the files of the store share: the open database, and statements */
#ifndef CCDM_BROKER_SQL_H
#define CCDM_BROKER_SQL_H

#include <sqlite3.h>
#include "base/compiler.h"
#include "store.h"

struct ccdm_store {
	sqlite3 *db;
	const struct ccdm_keys *keys;
	struct ccdm_store_odd odd;
};

/* Set the error of the last call. Return: -ENOMEM, -EIO */
int __must_check ccdm_store_bad(struct ccdm_store *s, struct ccdm_err *err);

int __must_check ccdm_store_exec(struct ccdm_store *s, const char *sql, struct ccdm_err *err);

/* Prepare a statement; @text is its first parameter, unless it is NULL. */
sqlite3_stmt *ccdm_store_prepare(struct ccdm_store *s, const char *sql, const char *text);

/* Run a statement that returns no row. @none: the error if it changed nothing, or 0. */
int __must_check ccdm_store_run(struct ccdm_store *s, sqlite3_stmt *st, int none, const char *name,
				struct ccdm_err *err);

int __must_check ccdm_store_number(struct ccdm_store *s, const char *sql, int64_t *number,
				   struct ccdm_err *err);

/* Write the barrier: each nonce that expires at or before this time is invalid. */
int __must_check ccdm_store_barrier_put(struct ccdm_store *s, int64_t nonces, struct ccdm_err *err);

#endif
