/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * store.h - the broker's database: policies, sealed secrets, sessions
 *
 * One file of SQLite. All of the broker's state that outlives a request is behind these
 * functions, so that several brokers can share another database later.
 *
 * Write access to the file gives no trust: each row that decides (a policy, a session, the
 * barrier of nonces) carries an HMAC-SHA256 under a key of the key file over its table, its key
 * and all its columns. A row without a valid MAC is ignored; see ccdm_store_odd().
 * Not detected: an old row that is put back, which has a valid MAC, and the removal of rows.
 */
#ifndef CCDM_BROKER_STORE_H
#define CCDM_BROKER_STORE_H

#include "base/compiler.h"
#include "nonce.h"

/* An open store; opaque. */
struct ccdm_store;

/**
 * ccdm_store_open() - open a store, and create its tables if there are none
 * @file: created with mode 0600 if it does not exist; ":memory:" for tests
 * @keys: make and check the MACs of rows; borrowed
 * @store: set
 *
 * It upgrades a store of version 1, whose rows have no MACs; stderr names the loss.
 *
 * Return: 0; -EINVAL if it is not a store of this version; errors of open(2).
 */
int __must_check ccdm_store_open(const char *file, const struct ccdm_keys *keys,
				 struct ccdm_store **store, struct ccdm_err *err);
void ccdm_store_close(struct ccdm_store *store); /* accepts NULL */

/* Version of its tables. */
int __must_check ccdm_store_schema(struct ccdm_store *store, int64_t *version,
				   struct ccdm_err *err);

/* Use @keys from now on. */
void ccdm_store_keys(struct ccdm_store *store, const struct ccdm_keys *keys);
/* Renew the MACs of policies and of the barrier of nonces with the first key. */
int __must_check ccdm_store_reseal(struct ccdm_store *store, struct ccdm_err *err);

#define CCDM_STORE_KEY 128
#define CCDM_STORE_ODD 16 /* rows with a name in the report */

/**
 * struct ccdm_store_odd - rows that the last read of policies or of a session ignored
 * @table: their table
 * @key: of the first ones, in hexadecimal if it is a session's; cut
 * @count: 0 if there was none; may be more than @key has
 */
struct ccdm_store_odd {
	const char *table;
	char key[CCDM_STORE_ODD][CCDM_STORE_KEY + 1];
	unsigned int count;
};
const struct ccdm_store_odd *ccdm_store_odd(const struct ccdm_store *store);

/* Begin a transaction. */
int __must_check ccdm_store_begin(struct ccdm_store *store, struct ccdm_err *err);
/* End a transaction. @r: 0 commits, else roll back. Return: @r, or the error of the commit */
int __must_check ccdm_store_end(struct ccdm_store *store, int r, struct ccdm_err *err);

/* Write a consistent copy of the store to a new file. */
int __must_check ccdm_store_copy(struct ccdm_store *store, const char *file, struct ccdm_err *err);

/* Called for each row: name and text, or NULL. A nonzero result ends the walk and is returned. */
typedef int (*ccdm_store_fn)(const char *name, const char *text, void *arg);

/* ---- policies: name and YAML ---- */

/* Add a policy, or replace the one of the same name. */
int __must_check ccdm_store_policy_put(struct ccdm_store *store, const char *name, const char *text,
				       struct ccdm_err *err);
/* Return: 0, -ENOENT */
int __must_check ccdm_store_policy_remove(struct ccdm_store *store, const char *name,
					  struct ccdm_err *err);
/* In the order of their names. */
int __must_check ccdm_store_policies(struct ccdm_store *store, ccdm_store_fn each, void *arg,
				     struct ccdm_err *err);
/* A hash of all names and MACs, which changes with every change of a policy. */
int __must_check ccdm_store_policies_version(struct ccdm_store *store, uint8_t version[32],
					     struct ccdm_err *err);

/* ---- secrets: path and sealed bytes ---- */

int __must_check ccdm_store_secret_put(struct ccdm_store *store, const char *path,
				       const void *sealed, size_t size, struct ccdm_err *err);
/* @sealed: set; the caller frees it. Return: 0, -ENOENT, -ENOMEM */
int __must_check ccdm_store_secret_get(struct ccdm_store *store, const char *path, uint8_t **sealed,
				       size_t *size, struct ccdm_err *err);
int __must_check ccdm_store_secret_remove(struct ccdm_store *store, const char *path,
					  struct ccdm_err *err);
/* Paths, in order; the text is the time of the last change. */
int __must_check ccdm_store_secrets(struct ccdm_store *store, ccdm_store_fn each, void *arg,
				    struct ccdm_err *err);

/* ---- sessions: a nonce that was used, and what was proved with it ---- */

/**
 * ccdm_store_session_add() - mark a nonce as used, and add its session
 * @state: state of the guest
 * @expires: of the session; the row also stays until the nonce expires
 *
 * Return: 0, -EEXIST if it was used before, -EBADMSG if the barrier has no valid MAC.
 */
int __must_check ccdm_store_session_add(struct ccdm_store *store, const struct ccdm_nonce *nonce,
					int64_t expires, const char *state, struct ccdm_err *err);
/* @state: set; the caller frees it. Return: 0; -ENOENT, also for one that has expired */
int __must_check ccdm_store_session_get(struct ccdm_store *store, const uint8_t id[CCDM_NONCE_ID],
					int64_t now, char **state, struct ccdm_err *err);
/**
 * ccdm_store_restored() - prepare a restored copy for use
 * @nonces: reject nonces that expire before this time: the copy does not know which were used
 *
 * Deletes sessions and the saved log.
 */
int __must_check ccdm_store_restored(struct ccdm_store *store, int64_t nonces,
				     struct ccdm_err *err);
/* Delete expired sessions. */
int __must_check ccdm_store_sessions_prune(struct ccdm_store *store, int64_t now,
					   struct ccdm_err *err);

/* ---- lines that are kept beside, in a copy ---- */

int __must_check ccdm_store_kept_put(struct ccdm_store *store, const char *line,
				     struct ccdm_err *err);
/* In their order. Return: -EIO also if it is no such copy */
int __must_check ccdm_store_kept(struct ccdm_store *store, ccdm_store_fn each, void *arg,
				 struct ccdm_err *err);

#endif
