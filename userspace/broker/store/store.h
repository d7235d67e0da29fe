/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * store.h - what the broker keeps: policies, secrets (sealed), sessions
 *
 * One file of SQLite. All of the broker's state that outlives a request is behind these
 * functions, so that several brokers can share another database later.
 *
 * Who can write to the file is not believed: each row that decides (a policy, a session, the
 * barrier of nonces) carries an HMAC-SHA256 under a key of the key file over its table, its key
 * and all its columns. A row whose MAC is missing or wrong is not there; see ccdm_store_odd().
 * An old row of ours that was put back has a good MAC, and rows can be removed: neither is seen.
 */
#ifndef CCDM_BROKER_STORE_H
#define CCDM_BROKER_STORE_H

#include "base/compiler.h"
#include "nonce.h"

/* An open store; opaque. */
struct ccdm_store;

/**
 * ccdm_store_open() - open it, and make its tables if there are none
 * @file: made with mode 0600 if there is none; ":memory:" for tests
 * @keys: make and check the MACs of rows; borrowed
 * @store: set
 *
 * One of version 1, whose rows have no MACs, is upgraded: stderr says what is lost.
 *
 * Return: 0, -EINVAL if it is no store of this version, or what open(2) says.
 */
int __must_check ccdm_store_open(const char *file, const struct ccdm_keys *keys,
				 struct ccdm_store **store, struct ccdm_err *err);
void ccdm_store_close(struct ccdm_store *store); /* accepts NULL */

/* Version of its tables. */
int __must_check ccdm_store_schema(struct ccdm_store *store, int64_t *version,
				   struct ccdm_err *err);

/* The key file was read anew. */
void ccdm_store_keys(struct ccdm_store *store, const struct ccdm_keys *keys);
/* New MACs under the key that is used now, for policies and the barrier of nonces. */
int __must_check ccdm_store_reseal(struct ccdm_store *store, struct ccdm_err *err);

#define CCDM_STORE_KEY 128
#define CCDM_STORE_ODD 16 /* rows that are named */

/**
 * struct ccdm_store_odd - rows that the last reading of policies or of a session left out
 * @table: where
 * @key: of the first ones, in hexadecimal if it is a session's; cut
 * @count: 0 if there was none; may be more than @key has
 */
struct ccdm_store_odd {
	const char *table;
	char key[CCDM_STORE_ODD][CCDM_STORE_KEY + 1];
	unsigned int count;
};
const struct ccdm_store_odd *ccdm_store_odd(const struct ccdm_store *store);

/* Several changes that are made together, or not at all. */
int __must_check ccdm_store_begin(struct ccdm_store *store, struct ccdm_err *err);
/* @r: 0 keeps them. Return: @r, or what went wrong while they were kept */
int __must_check ccdm_store_end(struct ccdm_store *store, int r, struct ccdm_err *err);

/* A copy of everything, as it is at one moment, into a file that is not there. */
int __must_check ccdm_store_copy(struct ccdm_store *store, const char *file, struct ccdm_err *err);

/* What is called for each row: name and text, or NULL. Nonzero ends it and is returned. */
typedef int (*ccdm_store_fn)(const char *name, const char *text, void *arg);

/* ---- policies: name and YAML ---- */

/* In place of one of the same name. */
int __must_check ccdm_store_policy_put(struct ccdm_store *store, const char *name, const char *text,
				       struct ccdm_err *err);
/* Return: 0, -ENOENT */
int __must_check ccdm_store_policy_remove(struct ccdm_store *store, const char *name,
					  struct ccdm_err *err);
/* In the order of their names. */
int __must_check ccdm_store_policies(struct ccdm_store *store, ccdm_store_fn each, void *arg,
				     struct ccdm_err *err);
/* Another one with every change of a policy: a hash of all names and MACs. */
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
 * ccdm_store_session_add() - use a nonce up
 * @state: what is kept of the guest
 * @expires: of the session; the row is there as long as the nonce is good, too
 *
 * Return: 0, -EEXIST if it was used before, -EBADMSG if the barrier has no good MAC.
 */
int __must_check ccdm_store_session_add(struct ccdm_store *store, const struct ccdm_nonce *nonce,
					int64_t expires, const char *state, struct ccdm_err *err);
/* @state: set; the caller frees it. Return: 0; -ENOENT, also for one that has expired */
int __must_check ccdm_store_session_get(struct ccdm_store *store, const uint8_t id[CCDM_NONCE_ID],
					int64_t now, char **state, struct ccdm_err *err);
/**
 * ccdm_store_restored() - this is a copy of some time ago
 * @nonces: nonces that expire until then are used up: it does not know which of them were
 *
 * Forgets sessions, and what was kept beside.
 */
int __must_check ccdm_store_restored(struct ccdm_store *store, int64_t nonces,
				     struct ccdm_err *err);
/* Forget what has expired. */
int __must_check ccdm_store_sessions_prune(struct ccdm_store *store, int64_t now,
					   struct ccdm_err *err);

/* ---- lines that are kept beside, in a copy ---- */

int __must_check ccdm_store_kept_put(struct ccdm_store *store, const char *line,
				     struct ccdm_err *err);
/* In their order. Return: -EIO also if it is no such copy */
int __must_check ccdm_store_kept(struct ccdm_store *store, ccdm_store_fn each, void *arg,
				 struct ccdm_err *err);

#endif
