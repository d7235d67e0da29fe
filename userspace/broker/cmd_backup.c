// SPDX-License-Identifier: Apache-2.0
/* cmd_backup.c - ccdm-broker backup, restore: database and audit log in one file, and back */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "../lib/file.h"
#include "audit.h"
#include "cli.h"
#include "client.h"
#include "store.h"

#define PATH (CCDM_CONF_PATH + 32)

/* ---- backup ------------------------------------------------------------------- */

/* Whole lines alone: the daemon may be at the next one. */
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

int cmd_backup(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	char db[PATH], log[PATH], *file = cli->argv[0], *now = NULL;
	struct ccdm_store *from = NULL, *to = NULL;
	struct ccdm_keys *keys = NULL;
	struct ccdm_conf conf = { 0 };
	uint64_t lines = 0;
	int r = ccdm_cli_conf(cli, &conf, err);

	snprintf(db, sizeof(db), "%s/broker.db", conf.state);
	snprintf(log, sizeof(log), "%s/audit.log", conf.state);
	if (!r && access(db, F_OK))
		r = ccdm_err_set(err, -errno, "%s: %s", db, strerror(errno));
	if (!r && !access(file, F_OK))
		r = ccdm_err_set(err, -EEXIST, "%s is there already", file);
	if (!r && asprintf(&now, "%s.new", file) < 0)
		r = ccdm_err_set(err, -ENOMEM, "out of memory");
	if (!r)
		unlink(now);
	if (!r)
		r = ccdm_keys_load(conf.key_file, &keys, err);
	if (!r)
		r = ccdm_store_open(db, keys, &from, err);
	if (!r)
		r = ccdm_store_copy(from, now, err);
	if (!r)
		r = ccdm_store_open(now, keys, &to, err);
	if (!r)
		r = ccdm_store_begin(to, err);
	if (!r)
		r = ccdm_store_end(to, backup_log(log, to, &lines, err), err);
	ccdm_store_close(to);
	ccdm_store_close(from);
	ccdm_keys_free(keys);
	if (!r && rename(now, file))
		r = ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	if (r && now)
		unlink(now);
	free(now);
	if (!r)
		printf("%s: database, and %llu lines of the audit log; keys and certificates are not in it\n",
		       file, (unsigned long long)lines);
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

/* Whoever owns the directory runs the daemon. */
static int restore_owner(const char *dir, const char *file, struct ccdm_err *err)
{
	struct stat st;

	if (stat(dir, &st) || (!geteuid() && chown(file, st.st_uid, st.st_gid)))
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	return 0;
}

static int restore_do(const struct ccdm_conf *conf, const char *file, uint64_t *lines,
		      struct ccdm_err *err)
{
	char db[PATH], log[PATH], db_new[PATH + 8], log_new[PATH + 8];
	struct ccdm_store *from = NULL, *to = NULL;
	struct ccdm_signer *signer = NULL;
	struct ccdm_keys *keys = NULL;
	int r;

	snprintf(db, sizeof(db), "%s/broker.db", conf->state);
	snprintf(log, sizeof(log), "%s/audit.log", conf->state);
	snprintf(db_new, sizeof(db_new), "%s.new", db);
	snprintf(log_new, sizeof(log_new), "%s.new", log);
	if (!access(db, F_OK) || !access(log, F_OK)) {
		ccdm_err_hint(err, "move what is there away first");
		return ccdm_err_set(err, -EEXIST, "%s holds a database or a log already",
				    conf->state);
	}
	unlink(db_new);
	r = ccdm_signer_load(conf->token_key, &signer, err);
	if (!r)
		r = ccdm_keys_load(conf->key_file, &keys, err);
	if (!r)
		r = ccdm_store_open(file, keys, &from, err);
	if (!r)
		r = restore_log(from, log_new, signer, lines, err);
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
		r = restore_owner(conf->state, db_new, err);
	if (!r)
		r = restore_owner(conf->state, log_new, err);
	if (!r) {
		r = ccdm_file_rename(log_new, log);
		if (!r)
			r = ccdm_file_rename(db_new, db);
		if (r) {
			ccdm_err_set(err, r, "%s: %s", conf->state, strerror(-r));
			unlink(log);
			unlink(db);
		}
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
	uint64_t lines = 0;
	int r = ccdm_cli_conf(cli, &conf, err);

	if (!r && access(cli->argv[0], R_OK))
		r = ccdm_err_set(err, -errno, "%s: %s", cli->argv[0], strerror(errno));
	if (!r && ccdm_client_there(conf.admin)) {
		ccdm_err_hint(err, "systemctl stop ccdm-brokerd");
		r = ccdm_err_set(err, -EBUSY, "the broker runs");
	}
	if (!r)
		r = restore_do(&conf, cli->argv[0], &lines, err);
	if (!r)
		printf("%s: restored, with %llu lines of the audit log; guests attest anew\n",
		       conf.state, (unsigned long long)lines);
	return r;
}
