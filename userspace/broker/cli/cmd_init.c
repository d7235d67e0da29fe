// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_init.c - ccdm-broker init|renew|rotate-key: keys, certificates and configuration */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/compiler.h"
#include "base/ui.h"
#include "crypto/digest.h"
#include "base/file.h"
#include "cli.h"
#include "issue.h"
#include "store/keys.h"
#include "work.h"

#define OWNER	"ccdm-broker"
#define CA_DAYS 3650

/* Build the path of @name in the folder of @file. */
static void init_beside(const char *file, const char *name, char path[CCDM_CONF_PATH])
{
	char copy[CCDM_CONF_PATH];

	snprintf(copy, sizeof(copy), "%s", file);
	snprintf(path, CCDM_CONF_PATH, "%.200s/%.40s", dirname(copy), name);
}

static int init_dir(const char *path, mode_t mode, struct ccdm_err *err)
{
	if (!mkdir(path, mode) || errno == EEXIST)
		return 0;
	return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
}

/* Give the file to the daemon's user, if it exists. */
static int init_own(const char *path, struct ccdm_err *err)
{
	const struct passwd *pw = geteuid() ? NULL : getpwnam(OWNER);

	if (pw && chown(path, pw->pw_uid, pw->pw_gid))
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

/* Make one line of a key file. */
static int init_line(char line[66], struct ccdm_err *err)
{
	uint8_t key[32];

	if (RAND_priv_bytes(key, sizeof(key)) != 1)
		return ccdm_err_set(err, -EIO, "cannot read random numbers");
	ccdm_hex(key, sizeof(key), line);
	line[64] = '\n';
	line[65] = '\0';
	OPENSSL_cleanse(key, sizeof(key));
	return 0;
}

static int init_secrets_key(const char *file, struct ccdm_err *err)
{
	char line[66];
	int r = init_line(line, err);

	if (!r)
		r = ccdm_file_write(file, line, strlen(line), 0600, err);
	OPENSSL_cleanse(line, sizeof(line));
	return r ? r : init_own(file, err);
}

static int init_server(const struct ccdm_cli *cli, const struct ccdm_conf *conf,
		       struct ccdm_err *err)
{
	char ca[CCDM_CONF_PATH], ca_key[CCDM_CONF_PATH];
	struct ccdm_issue want = { .file = conf->certificate,
				   .key = conf->key,
				   .cn = cli->names[0],
				   .names = (char **)cli->names,
				   .nr_names = cli->nr_names,
				   .ca = ca,
				   .ca_key = ca_key,
				   .days = cli->days };

	init_beside(conf->certificate, "ca.pem", ca);
	init_beside(conf->certificate, "ca.key", ca_key);
	return ccdm_issue_cert(&want, err);
}

/* struct init_made - the files that init has created so far; a failure removes them all */
struct init_made {
	const char *file[8];
	size_t count;
};

static int init_exists(const char *file, struct ccdm_err *err)
{
	ccdm_err_hint(err, "if no broker uses it, an interrupted init left it: remove it");
	return ccdm_err_set(err, -EEXIST, "%s: %s", file, strerror(EEXIST));
}

static int init_key(struct init_made *made, const char *file, const char *curve,
		    struct ccdm_err *err)
{
	int r = ccdm_issue_key(file, curve, err);

	if (r == -EEXIST)
		return init_exists(file, err);
	if (!r)
		made->file[made->count++] = file;
	return r;
}

static int init_keys(const struct ccdm_cli *cli, const struct ccdm_conf *conf, struct ccdm_err *err)
{
	char ca[CCDM_CONF_PATH], ca_key[CCDM_CONF_PATH];
	struct init_made made = { 0 };
	int r;

	init_beside(conf->certificate, "ca.pem", ca);
	init_beside(conf->certificate, "ca.key", ca_key);
	/* a new certificate would replace the file */
	if (!access(ca, F_OK))
		return init_exists(ca, err);
	if (!access(conf->certificate, F_OK))
		return init_exists(conf->certificate, err);
	r = init_key(&made, ca_key, "P-384", err);
	if (!r) {
		made.file[made.count++] = ca;
		r = ccdm_issue_cert(&(struct ccdm_issue){ .file = ca,
							  .key = ca_key,
							  .cn = "ccdm-broker CA",
							  .days = CA_DAYS },
				    err);
	}
	if (!r)
		r = init_key(&made, conf->key, "P-256", err);
	if (!r)
		r = init_own(conf->key, err);
	if (!r) {
		made.file[made.count++] = conf->certificate;
		r = init_server(cli, conf, err);
	}
	if (!r)
		r = init_key(&made, conf->token_key, "P-256", err);
	if (!r)
		r = init_own(conf->token_key, err);
	if (!r) {
		made.file[made.count++] = conf->key_file;
		r = init_secrets_key(conf->key_file, err);
	}
	while (r && made.count)
		unlink(made.file[--made.count]);
	return r;
}

static int init_dirs(const struct ccdm_conf *conf, struct ccdm_err *err)
{
	static const char *const subs[] = { "",		 "/roots", "/ak-roots",	  "/ek-roots",
					    "/tpm-keys", "/certs", "/collateral", "/vcek" };
	char path[CCDM_CONF_PATH + 16];
	size_t i;
	int r;

	r = init_dir(conf->state, 0700, err);
	if (!r)
		r = init_own(conf->state, err);
	for (i = 0; !r && i < ARRAY_SIZE(subs); i++) {
		snprintf(path, sizeof(path), "%s%s", conf->trust, subs[i]);
		r = init_dir(path, 0755, err);
	}
	return r;
}

static int init_print(const struct ccdm_cli *cli, const struct ccdm_conf *conf,
		      struct ccdm_err *err)
{
	char ca[CCDM_CONF_PATH], pin[65];
	int r = ccdm_issue_pin(conf->certificate, pin, err);

	if (r)
		return r;
	init_beside(conf->certificate, "ca.pem", ca);
	if (cli->json)
		return ccdm_ui_json(json_pack("{s:s, s:s, s:s}", "ca", ca, "certificate",
					      conf->certificate, "pin", pin),
				    err);
	printf("CA for guests:            %s\n"
	       "or pin of the server key:  %s\n",
	       ca, pin);
	return 0;
}

/* Write a configuration file without settings: all defaults apply. */
static int init_conf(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	static const char text[] = "# ccdm-brokerd(8) describes this file\n";
	const char *file = cli->conf_file ? cli->conf_file : CCDM_CONF_FILE;
	char dir[CCDM_CONF_PATH];
	int r;

	if (!access(file, F_OK))
		return 0;
	init_beside(file, "", dir);
	r = init_dir(dir, 0755, err);
	return r ? r : ccdm_file_write(file, text, sizeof(text) - 1, 0644, err);
}

int cmd_init(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	struct ccdm_conf conf;
	int r;

	if (!cli->nr_names) {
		ccdm_err_hint(
			err,
			"give --name HOST with each name or address that guests use for the server");
		return ccdm_err_set(err, -EINVAL, "the server needs a name");
	}
	r = init_conf(cli, err);
	if (!r)
		r = ccdm_cli_conf(cli, &conf, err);
	if (!r && !access(conf.key_file, F_OK)) {
		ccdm_err_hint(
			err,
			"for a new certificate run ccdm-broker renew, for a new key ccdm-broker "
			"rotate-key");
		r = ccdm_err_set(err, -EEXIST, "%s: a broker already exists", conf.key_file);
	}
	if (!r)
		r = init_dirs(&conf, err);
	if (!r)
		r = init_keys(cli, &conf, err);
	return r ? r : init_print(cli, &conf, err);
}

int cmd_renew(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	struct ccdm_conf conf;
	struct ccdm_work work = { .conf = &conf, .what = "renew", .lines = -1 };
	struct ccdm_cli kept = *cli;
	unsigned int i;
	int r = ccdm_cli_conf(cli, &conf, err);

	work.name = conf.certificate;
	if (!r)
		r = ccdm_work_begin(&work, err);
	if (r)
		return r;
	/* Without a name, the new certificate has those of the old one. */
	if (!cli->nr_names)
		r = ccdm_issue_names_of(conf.certificate, kept.names, ARRAY_SIZE(kept.names),
					&kept.nr_names, err);
	if (r)
		ccdm_err_hint(err, "give --name HOST with each name or address of the server");
	if (!r)
		r = init_server(&kept, &conf, err);
	for (i = 0; !cli->nr_names && i < kept.nr_names; i++)
		free(kept.names[i]);
	if (!r)
		r = ccdm_work_hash(&work, err);
	r = ccdm_work_end(&work, r, err);
	return r ? r : init_print(cli, &conf, err);
}

/* Put a new key first. Keep the old keys: something may be sealed with them. */
static int rotate_key(const struct ccdm_conf *conf, struct ccdm_err *err)
{
	struct ccdm_keys *keys = NULL;
	char *old = NULL, text[66 + 4096];
	size_t size = 0;
	int r = ccdm_keys_load(conf->key_file, &keys, err);

	if (!r && ccdm_keys_count(keys) == CCDM_KEYS_MAX) {
		ccdm_err_hint(
			err,
			"run ccdm-broker secret reseal, then remove the last key once no session "
			"uses it");
		r = ccdm_err_set(err, -EEXIST, "%s: holds %u keys, which is the maximum",
				 conf->key_file, CCDM_KEYS_MAX);
	}
	if (!r)
		r = ccdm_file_read(conf->key_file, 4096, &old, &size, err);
	if (!r)
		r = init_line(text, err);
	if (!r) {
		memcpy(text + strlen(text), old, size + 1);
		r = ccdm_file_write(conf->key_file, text, strlen(text), 0600, err);
	}
	if (!r)
		r = init_own(conf->key_file, err);
	if (old)
		OPENSSL_cleanse(old, size);
	OPENSSL_cleanse(text, sizeof(text));
	free(old);
	ccdm_keys_free(keys);
	return r;
}

int cmd_rotate(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	struct ccdm_conf conf;
	struct ccdm_work work = { .conf = &conf, .what = "rotate-key", .lines = -1 };
	int r = ccdm_cli_conf(cli, &conf, err);

	work.name = conf.key_file;
	if (!r)
		r = ccdm_work_begin(&work, err);
	if (!r)
		r = ccdm_work_end(&work, rotate_key(&conf, err), err);
	if (r)
		return r;
	if (cli->json)
		return ccdm_ui_json(json_pack("{s:s}", "key-file", conf.key_file), err);
	printf("now run systemctl reload ccdm-brokerd, then ccdm-broker secret reseal; "
	       "keep the old\n"
	       "key in %s until no session uses it\n",
	       conf.key_file);
	return 0;
}
