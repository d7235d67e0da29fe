// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_backup.c - ccdm-broker backup, restore: database and audit log in one file, and back */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"
#include "store/audit.h"
#include "cli.h"
#include "client.h"
#include "store/store.h"
#include "work.h"

#define PATH (CCDM_CONF_PATH + 32)

/* ---- backup ------------------------------------------------------------------- */

/* Copy only complete lines: the daemon may be writing the next one. */
static int backup_log(const char *file, struct ccdm_store *to, uint64_t *lines,
		      struct ccdm_err *err)
{
	FILE *f = fopen(file, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	*lines = 0;
	if (!f)
		return errno == ENOENT ? 0
				       : ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	while (!r && (n = getline(&line, &room, f)) > 0 && line[n - 1] == '\n') {
		line[n - 1] = '\0';
		r = ccdm_store_kept_put(to, line, err);
		++*lines;
	}
	free(line);
	fclose(f);
	return r;
}

static int backup_do(const struct ccdm_conf *conf, const char *file, uint64_t *lines,
		     struct ccdm_err *err)
{
	char db[PATH], log[PATH], *now = NULL;
	struct ccdm_store *from = NULL, *to = NULL;
	struct ccdm_keys *keys = NULL;
	int r = 0;

	snprintf(db, sizeof(db), "%s/broker.db", conf->state);
	snprintf(log, sizeof(log), "%s/audit.log", conf->state);
	if (access(db, F_OK))
		return ccdm_err_set(err, -errno, "%s: %s", db, strerror(errno));
	if (!access(file, F_OK))
		return ccdm_err_set(err, -EEXIST, "%s already exists", file);
	if (asprintf(&now, "%s.new", file) < 0)
		return ccdm_err_memory(err);
	unlink(now);
	r = ccdm_keys_load(conf->key_file, &keys, err);
	if (!r)
		r = ccdm_store_open(db, keys, &from, err);
	if (!r)
		r = ccdm_store_copy(from, now, err);
	if (!r)
		r = ccdm_store_open(now, keys, &to, err);
	if (!r)
		r = ccdm_store_begin(to, err);
	if (!r)
		r = ccdm_store_end(to, backup_log(log, to, lines, err), err);
	ccdm_store_close(to);
	ccdm_store_close(from);
	ccdm_keys_free(keys);
	if (!r && rename(now, file))
		r = ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	if (r)
		unlink(now);
	free(now);
	return r;
}

int cmd_backup(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	struct ccdm_conf conf = { 0 };
	struct ccdm_work work = {
		.conf = &conf, .what = "backup", .name = cli->argv[0], .lines = -1
	};
	uint64_t lines = 0;
	int r = ccdm_cli_conf(cli, &conf, err);

	if (!r)
		r = ccdm_work_begin(&work, err);
	if (r)
		return r;
	r = backup_do(&conf, work.name, &lines, err);
	if (!r) {
		work.lines = (int64_t)lines;
		r = ccdm_work_hash(&work, err);
	}
	r = ccdm_work_end(&work, r, err);
	if (!r)
		printf("%s: saved the database and %llu lines of the audit log, without keys and "
		       "certificates\n",
		       work.name, (unsigned long long)lines);
	return r;
}

/* ---- restore -------------------------------------------------------------------- */

static int restore_line(const char *line, const char *none, void *arg)
{
	(void)none;
	return fprintf(arg, "%s\n", line) < 0 ? -EIO : 0;
}

static int restore_log(struct ccdm_store *from, const char *file, const struct ccdm_signer *signer,
		       uint64_t *lines, struct ccdm_err *err)
{
	FILE *f;
	int r;

	unlink(file);
	f = fopen(file, "wxe");
	if (!f || fchmod(fileno(f), 0640))
		r = ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	else
		r = ccdm_store_kept(from, restore_line, f, err);
	if (f && !r && (fflush(f) || fsync(fileno(f))))
		r = ccdm_err_set(err, -EIO, "%s: %s", file, strerror(errno));
	if (f && fclose(f) && !r)
		r = ccdm_err_set(err, -EIO, "%s: %s", file, strerror(errno));
	return r ? r : ccdm_audit_verify(file, signer, lines, err);
}

/* struct restore_old - the log of a database that no longer exists; its lock is held */
struct restore_old {
	struct ccdm_audit *audit;
	uint64_t lines;
	char head[65];
	char kept[PATH + 24]; /* the name under which it is kept */
};

static int restore_old_open(const struct ccdm_conf *conf, const char *log,
			    const struct ccdm_signer *signer, struct restore_old *old,
			    struct ccdm_err *err)
{
	int r;

	if (access(log, F_OK))
		return errno == ENOENT ? 0
				       : ccdm_err_set(err, -errno, "%s: %s", log, strerror(errno));
	r = ccdm_audit_open(log, signer, &old->audit, err);
	if (r) {
		ccdm_err_hint(err, "first move the existing files away");
		return r;
	}
	snprintf(old->head, sizeof(old->head), "%s", ccdm_audit_end(old->audit, &old->lines));
	snprintf(old->kept, sizeof(old->kept), "%s/audit.log.%.16s", conf->state, old->head);
	return 0;
}

/* Record the restore in the restored log before the database gets its name. */
static int restore_note(const struct ccdm_work *work, const char *log,
			const struct ccdm_signer *signer, const struct restore_old *old,
			struct ccdm_err *err)
{
	struct ccdm_audit *audit = NULL;
	json_t *entry, *before = NULL;
	int r = ccdm_work_entry(work, "done", &entry, err);

	if (r)
		return r;
	if (old->lines) {
		before = json_pack("{s:I, s:s, s:s}", "lines", (json_int_t)old->lines, "head",
				   old->head, "kept", strrchr(old->kept, '/') + 1);
		ccdm_json_put(&entry, "before", before);
	}
	r = entry ? ccdm_audit_open(log, signer, &audit, err) : ccdm_err_memory(err);
	if (!r)
		r = ccdm_audit_add(audit, time(NULL), "tool", json_incref(entry), err);
	ccdm_audit_close(audit);
	json_decref(entry);
	return r;
}

/*
 * Give all files their final names, or none. A failed rename may have happened nevertheless, if
 * only the directory could not be synced.
 */
static int restore_names(const struct restore_old *old, const char *log_new, const char *log,
			 const char *db_new, const char *db)
{
	int r = old->lines ? ccdm_file_rename(log, old->kept) : 0;

	if (!r) {
		r = ccdm_file_rename(log_new, log);
		if (!r)
			r = ccdm_file_rename(db_new, db);
		if (!r)
			return 0;
		unlink(db);
		unlink(log);
	}
	if (old->lines)
		rename(old->kept, log);
	return r;
}

static int restore_do(struct ccdm_work *work, struct restore_old *old, struct ccdm_err *err)
{
	char db[PATH], log[PATH], db_new[PATH + 8], log_new[PATH + 8];
	const struct ccdm_conf *conf = work->conf;
	struct ccdm_store *from = NULL, *to = NULL;
	struct ccdm_signer *signer = NULL;
	struct ccdm_keys *keys = NULL;
	uint64_t lines = 0;
	int r;

	snprintf(db, sizeof(db), "%s/broker.db", conf->state);
	snprintf(log, sizeof(log), "%s/audit.log", conf->state);
	snprintf(db_new, sizeof(db_new), "%s.new", db);
	snprintf(log_new, sizeof(log_new), "%s.new", log);
	if (!access(db, F_OK)) {
		ccdm_err_hint(err, "first move the existing files away");
		return ccdm_err_set(err, -EEXIST, "%s already holds a database", conf->state);
	}
	unlink(db_new);
	r = ccdm_signer_load(conf->token_key, &signer, err);
	if (!r)
		r = ccdm_keys_load(conf->key_file, &keys, err);
	if (!r)
		r = restore_old_open(conf, log, signer, old, err);
	if (!r)
		r = ccdm_work_hash(work, err);
	if (!r)
		r = ccdm_store_open(work->name, keys, &from, err);
	if (!r)
		r = restore_log(from, log_new, signer, &lines, err);
	work->lines = (int64_t)lines;
	if (!r)
		r = restore_note(work, log_new, signer, old, err);
	if (!r)
		r = ccdm_store_copy(from, db_new, err);
	if (!r)
		r = ccdm_store_open(db_new, keys, &to, err);
	if (!r)
		r = ccdm_store_restored(to, time(NULL) + (int64_t)conf->nonce_lifetime, err);
	ccdm_store_close(to);
	ccdm_store_close(from);
	ccdm_signer_free(signer);
	ccdm_keys_free(keys);
	if (!r)
		r = ccdm_work_own(conf, db_new, err);
	if (!r)
		r = ccdm_work_own(conf, log_new, err);
	if (!r) {
		r = restore_names(old, log_new, log, db_new, db);
		if (r)
			ccdm_err_set(err, r, "%s: %s", conf->state, strerror(-r));
	}
	if (r) {
		unlink(db_new);
		unlink(log_new);
	}
	return r;
}

int cmd_restore(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	struct ccdm_conf conf = { 0 };
	struct ccdm_work work = {
		.conf = &conf, .what = "restore", .name = cli->argv[0], .lines = -1
	};
	struct restore_old old = { 0 };
	int r = ccdm_cli_conf(cli, &conf, err);

	if (r)
		return r;
	if (access(work.name, R_OK))
		r = ccdm_err_set(err, -errno, "%s: %s", work.name, strerror(errno));
	if (!r && ccdm_client_there(conf.admin)) {
		ccdm_err_hint(err, "stop it first: systemctl stop ccdm-brokerd");
		r = ccdm_err_set(err, -EBUSY, "the broker is running");
	}
	if (!r)
		r = restore_do(&work, &old, err);
	ccdm_audit_close(old.audit);
	if (r)
		return ccdm_work_end(&work, r, err);
	printf("%s: restored, with %llu lines of the audit log; guests must attest again\n",
	       conf.state, (unsigned long long)work.lines);
	if (old.lines)
		printf("the previous log is now %s\n", old.kept);
	return 0;
}
