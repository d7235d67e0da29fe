// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* store.c - see store.h */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "crypto/digest.h"
#include "row.h"
#include "sql.h"

/* ---- statements ------------------------------------------------------------- */

int ccdm_store_bad(struct ccdm_store *s, struct ccdm_err *err)
{
	int code = sqlite3_errcode(s->db);

	return ccdm_err_set(err, code == SQLITE_NOMEM ? -ENOMEM : -EIO, "%s: %s",
			    sqlite3_db_filename(s->db, NULL), sqlite3_errmsg(s->db));
}

int ccdm_store_exec(struct ccdm_store *s, const char *sql, struct ccdm_err *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ccdm_store_bad(s, err);
}

sqlite3_stmt *ccdm_store_prepare(struct ccdm_store *s, const char *sql, const char *text)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK && text)
		sqlite3_bind_text(st, 1, text, -1, SQLITE_TRANSIENT);
	return st;
}

/* If memory runs out, do not run the statement: the row would be written without its MAC. */
static sqlite3_stmt *ccdm_store_bind_mac(sqlite3_stmt *st, int i, const uint8_t mac[CCDM_MAC_SIZE])
{
	if (!st || sqlite3_bind_blob(st, i, mac, CCDM_MAC_SIZE, SQLITE_TRANSIENT) == SQLITE_OK)
		return st;
	sqlite3_finalize(st);
	return NULL;
}

int ccdm_store_run(struct ccdm_store *s, sqlite3_stmt *st, int none, const char *name,
		   struct ccdm_err *err)
{
	int code = st ? sqlite3_step(st) : SQLITE_ERROR, r = 0;

	if (code != SQLITE_DONE)
		r = ccdm_store_bad(s, err);
	else if (none && !sqlite3_changes(s->db))
		r = ccdm_err_set(err, none, "found no %s", name);
	sqlite3_finalize(st);
	return r;
}

static int ccdm_store_each(struct ccdm_store *s, const char *sql, ccdm_store_fn each, void *arg,
			   struct ccdm_err *err)
{
	sqlite3_stmt *st = ccdm_store_prepare(s, sql, NULL);
	int code = SQLITE_ERROR, r = 0;

	while (st && !r && (code = sqlite3_step(st)) == SQLITE_ROW)
		r = each((const char *)sqlite3_column_text(st, 0),
			 (const char *)sqlite3_column_text(st, 1), arg);
	if (!r && code != SQLITE_DONE)
		r = ccdm_store_bad(s, err);
	sqlite3_finalize(st);
	return r;
}

int ccdm_store_number(struct ccdm_store *s, const char *sql, int64_t *number, struct ccdm_err *err)
{
	sqlite3_stmt *st = ccdm_store_prepare(s, sql, NULL);
	int r = 0;

	if (st && sqlite3_step(st) == SQLITE_ROW)
		*number = sqlite3_column_int64(st, 0);
	else
		r = ccdm_store_bad(s, err);
	sqlite3_finalize(st);
	return r;
}

/* ---- rows --------------------------------------------------------------------- */

static void ccdm_store_odd_add(struct ccdm_store *s, const char *table, const void *key, int size)
{
	const char *from = key;
	char *to;
	int i;

	s->odd.table = table;
	if (s->odd.count++ >= CCDM_STORE_ODD)
		return;
	to = s->odd.key[s->odd.count - 1];
	for (i = 0; i < size && i < CCDM_STORE_KEY; i++)
		to[i] = from[i] > ' ' && from[i] < 127 ? from[i] : '?';
	to[i] = '\0';
}

const struct ccdm_store_odd *ccdm_store_odd(const struct ccdm_store *s)
{
	return &s->odd;
}

int ccdm_store_barrier_put(struct ccdm_store *s, int64_t nonces, struct ccdm_err *err)
{
	const struct ccdm_column columns[] = { ccdm_column_text("nonces"),
					       ccdm_column_number(nonces) };
	const struct ccdm_row row = CCDM_ROW("counter", columns);
	uint8_t mac[CCDM_MAC_SIZE];
	sqlite3_stmt *st;
	int r;

	r = ccdm_row_mac(s->keys, &row, mac, err);
	if (r)
		return r;
	st = ccdm_store_prepare(
		s, "INSERT OR REPLACE INTO counter (name, value, mac) VALUES (?, ?, ?)", "nonces");
	sqlite3_bind_int64(st, 2, nonces);
	st = ccdm_store_bind_mac(st, 3, mac);
	return ccdm_store_run(s, st, 0, "", err);
}

/* Read the barrier. Without one, nobody knows which nonces were used, so all are invalid. */
static int ccdm_store_barrier(struct ccdm_store *s, int64_t *nonces, struct ccdm_err *err)
{
	sqlite3_stmt *st = ccdm_store_prepare(
		s, "SELECT name, value, mac FROM counter WHERE name = ?", "nonces");
	int code = st ? sqlite3_step(st) : SQLITE_ERROR, r;

	if (code == SQLITE_ROW) {
		r = ccdm_row_read(s->keys, st, "counter", "tib");
		*nonces = sqlite3_column_int64(st, 1);
	} else {
		r = code == SQLITE_DONE ? 0 : ccdm_store_bad(s, err);
	}
	sqlite3_finalize(st);
	if (r > 0)
		return 0;
	return r ? r
		 : ccdm_err_set(
			   err, -EBADMSG,
			   "the database: its barrier of nonces has no valid MAC under a key of the "
			   "key file");
}

/* ---- transactions ---------------------------------------------------------------- */

void ccdm_store_keys(struct ccdm_store *s, const struct ccdm_keys *keys)
{
	s->keys = keys;
}

int ccdm_store_begin(struct ccdm_store *s, struct ccdm_err *err)
{
	return ccdm_store_exec(s, "BEGIN IMMEDIATE", err);
}

int ccdm_store_end(struct ccdm_store *s, int r, struct ccdm_err *err)
{
	if (!r)
		r = ccdm_store_exec(s, "COMMIT", err);
	if (r && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* ---- policies --------------------------------------------------------------------- */

int ccdm_store_policy_put(struct ccdm_store *s, const char *name, const char *text,
			  struct ccdm_err *err)
{
	const struct ccdm_column columns[] = { ccdm_column_text(name), ccdm_column_text(text) };
	const struct ccdm_row row = CCDM_ROW("policy", columns);
	uint8_t mac[CCDM_MAC_SIZE];
	sqlite3_stmt *st;
	int r;

	r = ccdm_row_mac(s->keys, &row, mac, err);
	if (r)
		return r;
	st = ccdm_store_prepare(
		s,
		"INSERT INTO policy (name, text, mac) VALUES (?, ?, ?)"
		" ON CONFLICT DO UPDATE SET text = excluded.text, mac = excluded.mac",
		name);
	sqlite3_bind_text(st, 2, text, -1, SQLITE_TRANSIENT);
	st = ccdm_store_bind_mac(st, 3, mac);
	return ccdm_store_run(s, st, 0, name, err);
}

int ccdm_store_policy_remove(struct ccdm_store *s, const char *name, struct ccdm_err *err)
{
	return ccdm_store_run(s, ccdm_store_prepare(s, "DELETE FROM policy WHERE name = ?", name),
			      -ENOENT, name, err);
}

int ccdm_store_policies(struct ccdm_store *s, ccdm_store_fn each, void *arg, struct ccdm_err *err)
{
	sqlite3_stmt *st =
		ccdm_store_prepare(s, "SELECT name, text, mac FROM policy ORDER BY name", NULL);
	int code = SQLITE_ERROR, r = 0, good;
	const void *name;

	s->odd.count = 0;
	while (st && !r && (code = sqlite3_step(st)) == SQLITE_ROW) {
		good = ccdm_row_read(s->keys, st, "policy", "ttb");
		if (good < 0) {
			r = ccdm_err_set(err, good, "cannot check a policy of the database");
		} else if (good) {
			r = each((const char *)sqlite3_column_text(st, 0),
				 (const char *)sqlite3_column_text(st, 1), arg);
		} else {
			name = sqlite3_column_blob(st, 0);
			ccdm_store_odd_add(s, "policy", name,
					   name ? sqlite3_column_bytes(st, 0) : 0);
		}
	}
	if (!r && code != SQLITE_DONE)
		r = ccdm_store_bad(s, err);
	sqlite3_finalize(st);
	return r;
}

/*
 * Hash the policies in a chain: each step hashes the previous hash and a row's name and MAC. The
 * MAC covers the rest of the row.
 */
int ccdm_store_policies_version(struct ccdm_store *s, uint8_t version[32], struct ccdm_err *err)
{
	sqlite3_stmt *st =
		ccdm_store_prepare(s, "SELECT name, mac FROM policy ORDER BY name", NULL);
	int code = SQLITE_ERROR, r = 0;
	struct ccdm_digest d;

	memset(version, 0, 32);
	while (st && !r && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct ccdm_column columns[] = { ccdm_column_stored(st, 0),
						       ccdm_column_stored(st, 1) };
		const struct ccdm_row row = CCDM_ROW("policy", columns);
		uint8_t *all;
		size_t size;

		all = ccdm_row_bytes(&row, &size);
		r = all ? ccdm_digest_of(CCDM_ALG_SHA256, version, 32, all, size, &d) : -ENOMEM;
		free(all);
		if (r)
			ccdm_err_set(err, r, "cannot hash the policies");
		else
			memcpy(version, d.bytes, 32);
	}
	if (!r && code != SQLITE_DONE)
		r = ccdm_store_bad(s, err);
	sqlite3_finalize(st);
	return r;
}

/* ---- secrets ------------------------------------------------------------------------ */

int ccdm_store_secret_put(struct ccdm_store *s, const char *path, const void *sealed, size_t size,
			  struct ccdm_err *err)
{
	sqlite3_stmt *st = ccdm_store_prepare(
		s,
		"INSERT INTO secret (path, sealed) VALUES (?, ?) ON CONFLICT DO UPDATE SET"
		" sealed = excluded.sealed, changed = excluded.changed",
		path);

	sqlite3_bind_blob64(st, 2, sealed, size, SQLITE_TRANSIENT);
	return ccdm_store_run(s, st, 0, path, err);
}

int ccdm_store_secret_get(struct ccdm_store *s, const char *path, uint8_t **sealed, size_t *size,
			  struct ccdm_err *err)
{
	sqlite3_stmt *st = ccdm_store_prepare(s, "SELECT sealed FROM secret WHERE path = ?", path);
	int code = st ? sqlite3_step(st) : SQLITE_ERROR, r = 0;

	*sealed = NULL;
	if (code == SQLITE_ROW) {
		*size = sqlite3_column_bytes(st, 0);
		*sealed = malloc(*size + 1);
		if (*sealed)
			memcpy(*sealed, sqlite3_column_blob(st, 0), *size);
		else
			r = ccdm_err_memory(err);
	} else {
		r = code == SQLITE_DONE ? ccdm_err_set(err, -ENOENT, "found no %s", path)
					: ccdm_store_bad(s, err);
	}
	sqlite3_finalize(st);
	return r;
}

int ccdm_store_secret_remove(struct ccdm_store *s, const char *path, struct ccdm_err *err)
{
	return ccdm_store_run(s, ccdm_store_prepare(s, "DELETE FROM secret WHERE path = ?", path),
			      -ENOENT, path, err);
}

int ccdm_store_secrets(struct ccdm_store *s, ccdm_store_fn each, void *arg, struct ccdm_err *err)
{
	return ccdm_store_each(s, "SELECT path, changed FROM secret ORDER BY path", each, arg, err);
}

/* ---- sessions -------------------------------------------------------------------------- */

int ccdm_store_session_add(struct ccdm_store *s, const struct ccdm_nonce *nonce, int64_t expires,
			   const char *state, struct ccdm_err *err)
{
	int64_t forget = expires > nonce->expires ? expires : nonce->expires, used;
	const struct ccdm_column columns[] = { ccdm_column_blob(nonce->id, CCDM_NONCE_ID),
					       ccdm_column_number(expires),
					       ccdm_column_number(forget),
					       ccdm_column_text(state) };
	const struct ccdm_row row = CCDM_ROW("session", columns);
	uint8_t mac[CCDM_MAC_SIZE];
	sqlite3_stmt *st;
	int code, r = ccdm_store_barrier(s, &used, err);

	if (!r && nonce->expires <= used)
		r = ccdm_err_set(err, -EEXIST, "the nonce was used before");
	if (!r)
		r = ccdm_row_mac(s->keys, &row, mac, err);
	if (r)
		return r;
	st = ccdm_store_prepare(
		s, "INSERT INTO session (state, id, expires, forget, mac) VALUES (?, ?, ?, ?, ?)",
		state);
	sqlite3_bind_blob(st, 2, nonce->id, CCDM_NONCE_ID, SQLITE_TRANSIENT);
	sqlite3_bind_int64(st, 3, expires);
	sqlite3_bind_int64(st, 4, forget);
	st = ccdm_store_bind_mac(st, 5, mac);
	code = st ? sqlite3_step(st) : SQLITE_ERROR;
	if (code == SQLITE_CONSTRAINT)
		r = ccdm_err_set(err, -EEXIST, "the nonce was used before");
	else if (code != SQLITE_DONE)
		r = ccdm_store_bad(s, err);
	sqlite3_finalize(st);
	return r;
}

int ccdm_store_session_get(struct ccdm_store *s, const uint8_t id[CCDM_NONCE_ID], int64_t now,
			   char **state, struct ccdm_err *err)
{
	sqlite3_stmt *st = ccdm_store_prepare(
		s, "SELECT id, expires, forget, state, mac FROM session WHERE id = ?", NULL);
	char hex[2 * CCDM_NONCE_ID + 1];
	int code, r = 0, good = 0;

	*state = NULL;
	s->odd.count = 0;
	sqlite3_bind_blob(st, 1, id, CCDM_NONCE_ID, SQLITE_TRANSIENT);
	code = st ? sqlite3_step(st) : SQLITE_ERROR;
	if (code == SQLITE_ROW) {
		good = ccdm_row_read(s->keys, st, "session", "biitb");
		/* The database's index found the row, so compare its ID again. */
		if (good > 0 && (sqlite3_column_bytes(st, 0) != CCDM_NONCE_ID ||
				 memcmp(sqlite3_column_blob(st, 0), id, CCDM_NONCE_ID)))
			good = 0;
		if (!good) {
			ccdm_hex(id, CCDM_NONCE_ID, hex);
			ccdm_store_odd_add(s, "session", hex, 2 * CCDM_NONCE_ID);
		}
	} else if (code != SQLITE_DONE) {
		r = ccdm_store_bad(s, err);
	}
	if (good < 0) {
		r = ccdm_err_set(err, good, "cannot check a session of the database");
	} else if (good && sqlite3_column_int64(st, 1) > now) {
		*state = strdup((const char *)sqlite3_column_text(st, 3));
		r = *state ? 0 : ccdm_err_memory(err);
	} else if (!r) {
		r = ccdm_err_set(err, -ENOENT, "found no such session");
	}
	sqlite3_finalize(st);
	return r;
}

int ccdm_store_sessions_prune(struct ccdm_store *s, int64_t now, struct ccdm_err *err)
{
	sqlite3_stmt *st = ccdm_store_prepare(s, "DELETE FROM session WHERE forget <= ?", NULL);

	sqlite3_bind_int64(st, 1, now);
	return ccdm_store_run(s, st, 0, "", err);
}

/* ---- resealing with a new key -------------------------------------------------------------- */

struct ccdm_reseal {
	struct ccdm_store *s;
	struct ccdm_err *err;
};

static int ccdm_reseal_policy(const char *name, const char *text, void *arg)
{
	struct ccdm_reseal *a = arg;

	return ccdm_store_policy_put(a->s, name, text, a->err);
}

int ccdm_store_reseal(struct ccdm_store *s, struct ccdm_err *err)
{
	struct ccdm_reseal a = { s, err };
	int64_t nonces;
	int r = ccdm_store_barrier(s, &nonces, err);

	if (!r)
		r = ccdm_store_barrier_put(s, nonces, err);
	return r ? r : ccdm_store_policies(s, ccdm_reseal_policy, &a, err);
}

/* ---- copies ------------------------------------------------------------------------------ */

int ccdm_store_copy(struct ccdm_store *s, const char *file, struct ccdm_err *err)
{
	mode_t mask = umask(077);
	int r = ccdm_store_run(s, ccdm_store_prepare(s, "VACUUM INTO ?", file), 0, "", err);

	umask(mask);
	return r;
}

int ccdm_store_restored(struct ccdm_store *s, int64_t nonces, struct ccdm_err *err)
{
	int r = ccdm_store_begin(s, err);

	if (r)
		return r;
	r = ccdm_store_exec(s, "DROP TABLE IF EXISTS kept; DELETE FROM session", err);
	if (!r)
		r = ccdm_store_barrier_put(s, nonces, err);
	return ccdm_store_end(s, r, err);
}

int ccdm_store_kept_put(struct ccdm_store *s, const char *line, struct ccdm_err *err)
{
	int r = ccdm_store_exec(
		s, "CREATE TABLE IF NOT EXISTS kept (n INTEGER PRIMARY KEY, line TEXT) STRICT",
		err);

	return r ? r
		 : ccdm_store_run(s,
				  ccdm_store_prepare(s, "INSERT INTO kept (line) VALUES (?)", line),
				  0, "", err);
}

int ccdm_store_kept(struct ccdm_store *s, ccdm_store_fn each, void *arg, struct ccdm_err *err)
{
	return ccdm_store_each(s, "SELECT line, NULL FROM kept ORDER BY n", each, arg, err);
}
