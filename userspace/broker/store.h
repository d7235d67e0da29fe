/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - what the broker keeps: policies, secrets (sealed), sessions
 *
 * One file of SQLite. All of the broker's state that outlives a request is behind these
 * functions, so that several brokers can share another database later.
 */
#ifndef CCDM_BROKER_STORE_H
#define CCDM_BROKER_STORE_H

#include "nonce.h"

/* An open store; opaque. */
struct ccdm_store;

/**
 * ccdm_store_open() - open it, and make its tables if there are none
 * @file: made with mode 0600 if there is none; ":memory:" for tests
 * @store: set
 *
 * Return: 0, -EINVAL if it is no store of this version, or what open(2) says.
 */
int ccdm_store_open(const char *file, struct ccdm_store **store, struct ccdm_err *err);
void ccdm_store_close(struct ccdm_store *store); /* accepts NULL */

/* Several changes that are made together, or not at all. */
int ccdm_store_begin(struct ccdm_store *store, struct ccdm_err *err);
/* @r: 0 keeps them. Return: @r, or what went wrong while they were kept */
int ccdm_store_end(struct ccdm_store *store, int r, struct ccdm_err *err);

/* A copy of everything, as it is at one moment, into a file that is not there. */
int ccdm_store_copy(struct ccdm_store *store, const char *file, struct ccdm_err *err);

/* What is called for each row: name and text, or NULL. Nonzero ends it and is returned. */
typedef int (*ccdm_store_fn)(const char *name, const char *text, void *arg);

/* ---- policies: name and YAML ---- */

/* In place of one of the same name. */
int ccdm_store_policy_put(struct ccdm_store *store, const char *name, const char *text,
			  struct ccdm_err *err);
/* Return: 0, -ENOENT */
int ccdm_store_policy_remove(struct ccdm_store *store, const char *name, struct ccdm_err *err);
/* In the order of their names. */
int ccdm_store_policies(struct ccdm_store *store, ccdm_store_fn each, void *arg,
			struct ccdm_err *err);
/* Grows with every change of a policy. */
int ccdm_store_policies_version(struct ccdm_store *store, int64_t *version, struct ccdm_err *err);

/* ---- secrets: path and sealed bytes ---- */

int ccdm_store_secret_put(struct ccdm_store *store, const char *path, const void *sealed,
			  size_t size, struct ccdm_err *err);
/* @sealed: set; the caller frees it. Return: 0, -ENOENT, -ENOMEM */
int ccdm_store_secret_get(struct ccdm_store *store, const char *path, uint8_t **sealed,
			  size_t *size, struct ccdm_err *err);
int ccdm_store_secret_remove(struct ccdm_store *store, const char *path, struct ccdm_err *err);
/* Paths, in order; the text is the time of the last change. */
int ccdm_store_secrets(struct ccdm_store *store, ccdm_store_fn each, void *arg,
		       struct ccdm_err *err);

/* ---- sessions: a nonce that was used, and what was proved with it ---- */

/**
 * ccdm_store_session_add() - use a nonce up
 * @state: what is kept of the guest
 * @expires: of the session; the row is there as long as the nonce is good, too
 *
 * Return: 0, -EEXIST if it was used before.
 */
int ccdm_store_session_add(struct ccdm_store *store, const struct ccdm_nonce *nonce,
			   int64_t expires, const char *state, struct ccdm_err *err);
/* @state: set; the caller frees it. Return: 0; -ENOENT, also for one that has expired */
int ccdm_store_session_get(struct ccdm_store *store, const uint8_t id[CCDM_NONCE_ID], int64_t now,
			   char **state, struct ccdm_err *err);
/**
 * ccdm_store_restored() - this is a copy of some time ago
 * @nonces: nonces that expire until then are used up: it does not know which of them were
 *
 * Forgets sessions, and what was kept beside.
 */
int ccdm_store_restored(struct ccdm_store *store, int64_t nonces, struct ccdm_err *err);
/* Forget what has expired. */
int ccdm_store_sessions_prune(struct ccdm_store *store, int64_t now, struct ccdm_err *err);

/* ---- lines that are kept beside, in a copy ---- */

int ccdm_store_kept_put(struct ccdm_store *store, const char *line, struct ccdm_err *err);
/* In their order. Return: -EIO also if it is no such copy */
int ccdm_store_kept(struct ccdm_store *store, ccdm_store_fn each, void *arg, struct ccdm_err *err);

#endif
