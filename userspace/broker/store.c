// SPDX-License-Identifier: Apache-2.0
/* store.c - see store.h */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "store.h"

#define VERSION 1 /* of the tables; in SQLite's user_version */

struct ccdm_store {
	sqlite3 *db;
};

static const char ccdm_store_tables[] =
	"CREATE TABLE policy (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE secret (path TEXT PRIMARY KEY, sealed BLOB NOT NULL,"
	"  changed TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))) STRICT, WITHOUT ROWID;"
	"CREATE TABLE session (id BLOB PRIMARY KEY, expires INTEGER NOT NULL, forget INTEGER NOT NULL,"
	"  state TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX session_forget ON session (forget);"
	"CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO counter VALUES ('policies', 0);"
	"CREATE TRIGGER policy_insert AFTER INSERT ON policy BEGIN"
	"  UPDATE counter SET value = value + 1 WHERE name = 'policies'; END;"
	"CREATE TRIGGER policy_update AFTER UPDATE ON policy BEGIN"
	"  UPDATE counter SET value = value + 1 WHERE name = 'policies'; END;"
	"CREATE TRIGGER policy_delete AFTER DELETE ON policy BEGIN"
	"  UPDATE counter SET value = value + 1 WHERE name = 'policies'; END;";

/* ---- statements ------------------------------------------------------------- */

static int ccdm_store_bad(struct ccdm_store *s, struct ccdm_err *err)
{
	int code = sqlite3_errcode(s->db);

	return ccdm_err_set(err, code == SQLITE_NOMEM ? -ENOMEM : -EIO, "%s: %s",
			    sqlite3_db_filename(s->db, NULL), sqlite3_errmsg(s->db));
}

static int ccdm_store_exec(struct ccdm_store *s, const char *sql, struct ccdm_err *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ccdm_store_bad(s, err);
}

/* A statement with its first parameter, a text, or none if it is NULL. */
static sqlite3_stmt *ccdm_store_prepare(struct ccdm_store *s, const char *sql, const char *text)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK && text)
		sqlite3_bind_text(st, 1, text, -1, SQLITE_TRANSIENT);
	return st;
}

/* Run what gives no row. @none: the error if nothing was changed, or 0 */
static int ccdm_store_run(struct ccdm_store *s, sqlite3_stmt *st, int none, const char *name,
			  struct ccdm_err *err)
{
	int code = st ? sqlite3_step(st) : SQLITE_ERROR, r = 0;

	if (code != SQLITE_DONE)
		r = ccdm_store_bad(s, err);
	else if (none && !sqlite3_changes(s->db))
		r = ccdm_err_set(err, none, "there is no %s", name);
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

static int ccdm_store_number(struct ccdm_store *s, const char *sql, int64_t *number,
			     struct ccdm_err *err)
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

/* ---- opening ------------------------------------------------------------------- */

static int ccdm_store_tables_make(struct ccdm_store *s, const char *file, struct ccdm_err *err)
{
	int64_t version, tables;
	int r;

	r = ccdm_store_number(s, "PRAGMA user_version", &version, err);
	if (!r)
		r = ccdm_store_number(s, "SELECT count(*) FROM sqlite_master", &tables, err);
	if (r)
		return r;
	if (version == VERSION)
		return 0;
	if (version || tables)
		return ccdm_err_set(err, -EINVAL,
				    "%s: no database of this broker's: version %lld, not %d", file,
				    (long long)version, VERSION);
	r = ccdm_store_begin(s, err);
	if (r)
		return r;
	r = ccdm_store_exec(s, ccdm_store_tables, err);
	if (!r)
		r = ccdm_store_exec(s, "PRAGMA user_version = 1", err);
	return ccdm_store_end(s, r, err);
}

int ccdm_store_open(const char *file, struct ccdm_store **store, struct ccdm_err *err)
{
	struct ccdm_store *s = calloc(1, sizeof(*s));
	mode_t mask = umask(077);
	int code, r = 0;

	*store = NULL;
	if (!s) {
		umask(mask);
		return ccdm_err_set(err, -ENOMEM, "out of memory");
	}
	code = sqlite3_open_v2(file, &s->db,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
			       NULL);
	if (code != SQLITE_OK)
		r = ccdm_err_set(err, code == SQLITE_NOMEM ? -ENOMEM : -EACCES, "%s: %s", file,
				 s->db ? sqlite3_errmsg(s->db) : "out of memory");
	if (!r) {
		sqlite3_busy_timeout(s->db, 5000);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		r = ccdm_store_exec(s,
				    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				    "PRAGMA secure_delete = ON",
				    err);
	}
	if (!r)
		r = ccdm_store_tables_make(s, file, err);
	umask(mask);
	if (r) {
		ccdm_store_close(s);
		return r;
	}
	*store = s;
	return 0;
}

void ccdm_store_close(struct ccdm_store *s)
{
	if (s)
		sqlite3_close(s->db);
	free(s);
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
	sqlite3_stmt *st = ccdm_store_prepare(
		s,
		"INSERT INTO policy VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text",
		name);

	sqlite3_bind_text(st, 2, text, -1, SQLITE_TRANSIENT);
	return ccdm_store_run(s, st, 0, name, err);
}

int ccdm_store_policy_remove(struct ccdm_store *s, const char *name, struct ccdm_err *err)
{
	return ccdm_store_run(s, ccdm_store_prepare(s, "DELETE FROM policy WHERE name = ?", name),
			      -ENOENT, name, err);
}

int ccdm_store_policies(struct ccdm_store *s, ccdm_store_fn each, void *arg, struct ccdm_err *err)
{
	return ccdm_store_each(s, "SELECT name, text FROM policy ORDER BY name", each, arg, err);
}

int ccdm_store_policies_version(struct ccdm_store *s, int64_t *version, struct ccdm_err *err)
{
	return ccdm_store_number(s, "SELECT value FROM counter WHERE name = 'policies'", version,
				 err);
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
			r = ccdm_err_set(err, -ENOMEM, "out of memory");
	} else {
		r = code == SQLITE_DONE ? ccdm_err_set(err, -ENOENT, "there is no %s", path)
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
	sqlite3_stmt *st = ccdm_store_prepare(
		s,
		"INSERT INTO session (state, id, expires, forget) SELECT ?, ?, ?, ?"
		" WHERE ?5 > (SELECT coalesce(max(value), 0) FROM counter WHERE name = 'nonces')",
		state);
	int code, r = 0;

	sqlite3_bind_blob(st, 2, nonce->id, CCDM_NONCE_ID, SQLITE_TRANSIENT);
	sqlite3_bind_int64(st, 3, expires);
	sqlite3_bind_int64(st, 4, expires > nonce->expires ? expires : nonce->expires);
	sqlite3_bind_int64(st, 5, nonce->expires);
	code = st ? sqlite3_step(st) : SQLITE_ERROR;
	if (code == SQLITE_CONSTRAINT || (code == SQLITE_DONE && !sqlite3_changes(s->db)))
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
		s, "SELECT state FROM session WHERE id = ? AND expires > ?", NULL);
	int code, r = 0;

	*state = NULL;
	sqlite3_bind_blob(st, 1, id, CCDM_NONCE_ID, SQLITE_TRANSIENT);
	sqlite3_bind_int64(st, 2, now);
	code = st ? sqlite3_step(st) : SQLITE_ERROR;
	if (code == SQLITE_ROW) {
		*state = strdup((const char *)sqlite3_column_text(st, 0));
		r = *state ? 0 : ccdm_err_set(err, -ENOMEM, "out of memory");
	} else {
		r = code == SQLITE_DONE ? ccdm_err_set(err, -ENOENT, "there is no such session")
					: ccdm_store_bad(s, err);
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
	sqlite3_stmt *st;
	int r = ccdm_store_begin(s, err);

	if (r)
		return r;
	r = ccdm_store_exec(s, "DROP TABLE IF EXISTS kept; DELETE FROM session", err);
	if (!r) {
		st = ccdm_store_prepare(s, "INSERT OR REPLACE INTO counter VALUES ('nonces', ?)",
					NULL);
		sqlite3_bind_int64(st, 1, nonces);
		r = ccdm_store_run(s, st, 0, "", err);
	}
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
