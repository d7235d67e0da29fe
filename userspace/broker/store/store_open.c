// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* store_open.c - open a store: its tables, and the upgrade of an earlier version; see store.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/file.h"
#include "sql.h"

#define VERSION 2   /* version of the tables, in SQLite's user_version */
#define UPGRADE 300 /* seconds: an upgrade makes all nonces invalid that expire within this time */

static const char ccdm_store_tables[] =
	"CREATE TABLE policy (name TEXT PRIMARY KEY, text TEXT NOT NULL, mac BLOB)"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE secret (path TEXT PRIMARY KEY, sealed BLOB NOT NULL,"
	"  changed TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))) STRICT, WITHOUT ROWID;"
	"CREATE TABLE session (id BLOB PRIMARY KEY, expires INTEGER NOT NULL, forget INTEGER NOT NULL,"
	"  state TEXT NOT NULL, mac BLOB) STRICT, WITHOUT ROWID;"
	"CREATE INDEX session_forget ON session (forget);"
	"CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL, mac BLOB)"
	"  STRICT, WITHOUT ROWID;";

/*
 * Keep the rows: a session's row marks its nonce as used. Rows without a MAC serve no other
 * purpose.
 */
static const char ccdm_store_upgrade[] = "DROP TRIGGER IF EXISTS policy_insert;"
					 "DROP TRIGGER IF EXISTS policy_update;"
					 "DROP TRIGGER IF EXISTS policy_delete;"
					 "DELETE FROM counter WHERE name = 'policies';"
					 "ALTER TABLE policy ADD COLUMN mac BLOB;"
					 "ALTER TABLE session ADD COLUMN mac BLOB;"
					 "ALTER TABLE counter ADD COLUMN mac BLOB;";

/* ---- opening ------------------------------------------------------------------- */

/* Sync a file that SQLite has written without that. */
static int ccdm_store_sync(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		r = -errno;
	close(fd);
	return r;
}

/* Copy the database to FILE.version-N before an upgrade changes it. */
static int ccdm_store_keep(struct ccdm_store *s, const char *file, int64_t version,
			   struct ccdm_err *err)
{
	char *copy = NULL, *fresh = NULL;
	int r = 0;

	if (asprintf(&copy, "%s.version-%lld", file, (long long)version) < 0 ||
	    asprintf(&fresh, "%s.new", copy) < 0)
		r = ccdm_err_memory(err);
	if (!r && unlink(fresh) && errno != ENOENT)
		r = ccdm_err_set(err, -errno, "%s: %s", fresh, strerror(errno));
	if (!r) {
		r = ccdm_store_copy(s, fresh, err);
		if (r)
			unlink(fresh);
	}
	if (!r) {
		r = ccdm_store_sync(fresh);
		if (!r)
			r = ccdm_file_rename(fresh, copy);
		if (r)
			ccdm_err_set(err, r, "%s: %s", copy, strerror(-r));
	}
	free(copy);
	free(fresh);
	return r;
}

static int ccdm_store_tables_make(struct ccdm_store *s, const char *file, struct ccdm_err *err)
{
	int64_t version, tables, before = 0, today;
	int r;

	r = ccdm_store_number(s, "PRAGMA user_version", &version, err);
	if (!r)
		r = ccdm_store_number(s, "SELECT count(*) FROM sqlite_master", &tables, err);
	if (r)
		return r;
	if (version == VERSION)
		return 0;
	if (version > 1 || (!version && tables))
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected a database of version %d, found version %lld",
				    file, VERSION, (long long)version);
	if (version)
		r = ccdm_store_keep(s, file, version, err);
	if (!r)
		r = ccdm_store_begin(s, err);
	if (r)
		return r;
	/* The barrier from before the upgrade may be later than today's. */
	if (version)
		r = ccdm_store_number(
			s, "SELECT coalesce(max(value), 0) FROM counter WHERE name = 'nonces'",
			&before, err);
	if (!r)
		r = ccdm_store_exec(s, version ? ccdm_store_upgrade : ccdm_store_tables, err);
	today = version ? time(NULL) + UPGRADE : 0;
	if (!r)
		r = ccdm_store_barrier_put(s, before > today ? before : today, err);
	if (!r)
		r = ccdm_store_exec(s, "PRAGMA user_version = 2", err);
	r = ccdm_store_end(s, r, err);
	if (!r && version)
		fprintf(stderr,
			"warning: %s: upgraded from version 1, of which %s.version-1 is a copy; its "
			"policies and sessions have no MAC and are ignored; add the policies again: "
			"ccdm-broker policy add FILE\n",
			file, file);
	return r;
}

int ccdm_store_open(const char *file, const struct ccdm_keys *keys, struct ccdm_store **store,
		    struct ccdm_err *err)
{
	struct ccdm_store *s = calloc(1, sizeof(*s));
	mode_t mask = umask(077);
	int code, r = 0;

	*store = NULL;
	if (!s) {
		umask(mask);
		return ccdm_err_memory(err);
	}
	s->keys = keys;
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
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
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

int ccdm_store_schema(struct ccdm_store *s, int64_t *version, struct ccdm_err *err)
{
	return ccdm_store_number(s, "PRAGMA user_version", version, err);
}
