// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* conf.c - see conf.h */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "base/file.h"
#include "base/ini.h"
#include "kbs/kbs.h"
#include "conf.h"

static const struct ccdm_conf_key {
	const char *section;
	const char *key;
	size_t offset;
	size_t size; /* of a text, in bytes; 0: it is a number from @min to @max */
	/* of a text: @max is 1 if it may be empty */
	uint64_t min, max;
	const char *text;
	uint64_t number;
} ccdm_conf_keys[] = {
#define TEXT(f, value) \
	offsetof(struct ccdm_conf, f), sizeof(((struct ccdm_conf *)0)->f), 0, 0, value, 0
#define LIST(f)		       offsetof(struct ccdm_conf, f), sizeof(((struct ccdm_conf *)0)->f), 0, 1, "", 0
#define NUMBER(f, a, b, value) offsetof(struct ccdm_conf, f), 0, a, b, NULL, value
	{ "server", "listen", TEXT(listen, "::") },
	{ "server", "port", NUMBER(port, 0, 65535, 8080) },
	{ "server", "certificate", TEXT(certificate, CCDM_CONF_DIR "/server.pem") },
	{ "server", "key", TEXT(key, CCDM_CONF_DIR "/server.key") },
	{ "server", "max_body", NUMBER(max_body, 1024, 16 << 20, 2 << 20) },
	{ "server", "max_connections", NUMBER(max_connections, 1, 65536, 512) },
	{ "server", "timeout", NUMBER(timeout, 1, 600, 30) },
	{ "server", "proxies", LIST(proxies) },
	{ "limits", "rate", NUMBER(rate, 0, 1000000, 20) },
	{ "limits", "burst", NUMBER(burst, 1, 1000000, 60) },
	{ "limits", "handshake", NUMBER(handshake, 1, 600, 10) },
	{ "limits", "queue", NUMBER(queue, 0, 65536, 0) },
	{ "limits", "refusals", NUMBER(refusals, 0, 1000000, 10) },
	{ "limits", "refusals_size", NUMBER(refusals_size, 0, 1 << 20, 8) },
	{ "broker", "state", TEXT(state, "/var/lib/ccdm-broker") },
	{ "broker", "key_file", TEXT(key_file, CCDM_CONF_DIR "/secrets.key") },
	{ "broker", "token_key", TEXT(token_key, CCDM_CONF_DIR "/token.key") },
	{ "broker", "trust", TEXT(trust, CCDM_CONF_DIR "/trust") },
	{ "broker", "admin", TEXT(admin, "/run/ccdm-broker/admin.sock") },
	{ "broker", "protocol", TEXT(protocol, "0.4.0 0.2.0") },
	{ "broker", "nonce_lifetime", NUMBER(nonce_lifetime, 1, 3600, 300) },
	{ "broker", "session_lifetime", NUMBER(session_lifetime, 1, 86400, 300) },
#undef NUMBER
#undef LIST
#undef TEXT
};

#define CCDM_CONF_KEYS (ARRAY_SIZE(ccdm_conf_keys))

struct ccdm_conf_state {
	struct ccdm_conf *conf;
	bool seen[CCDM_CONF_KEYS];
};

static int ccdm_conf_bad(const struct ccdm_ini_item *item, unsigned int column, const char *what,
			 struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "%s:%u:%u: %s: %s", item->file, item->line, column,
			    item->key ? item->key : item->section, what);
}

static int ccdm_conf_value(const struct ccdm_ini_item *item, const struct ccdm_conf_key *k,
			   struct ccdm_conf *conf, struct ccdm_err *err)
{
	char *to = (char *)conf + k->offset, *end;
	uint64_t number;

	if (k->size) {
		if ((!*item->value && !k->max) || strlen(item->value) >= k->size)
			return ccdm_conf_bad(
				item, item->value_column,
				k->max ? "expected a shorter value"
				       : "expected a value, not empty and not too long",
				err);
		memcpy(to, item->value, strlen(item->value) + 1);
		return 0;
	}
	number = strtoull(item->value, &end, 10);
	if (!strchr("0123456789", *item->value) || end == item->value || *end || number < k->min ||
	    number > k->max)
		return ccdm_err_set(err, -EINVAL,
				    "%s:%u:%u: %s: expected a number from %llu to %llu", item->file,
				    item->line, item->value_column, item->key,
				    (unsigned long long)k->min, (unsigned long long)k->max);
	memcpy(to, &number, sizeof(number));
	return 0;
}

static int ccdm_conf_item(const struct ccdm_ini_item *item, void *arg, struct ccdm_err *err)
{
	struct ccdm_conf_state *s = arg;
	bool known = false;
	size_t i;

	for (i = 0; i < CCDM_CONF_KEYS; i++) {
		const struct ccdm_conf_key *k = &ccdm_conf_keys[i];

		if (strcmp(k->section, item->section))
			continue;
		known = true;
		if (!item->key || strcmp(k->key, item->key))
			continue;
		if (s->seen[i])
			return ccdm_conf_bad(item, item->key_column, "appears twice", err);
		s->seen[i] = true;
		return ccdm_conf_value(item, k, s->conf, err);
	}
	return known && !item->key
		       ? 0
		       : ccdm_conf_bad(item, item->key_column, "unknown section or key", err);
}

unsigned int ccdm_conf_versions(const struct ccdm_conf *conf)
{
	char copy[sizeof(conf->protocol)], *words = copy, *word;
	enum ccdm_kbs_version v;
	unsigned int versions = 0;

	memcpy(copy, conf->protocol, sizeof(copy));
	while ((word = strsep(&words, " ,"))) {
		if (!*word)
			continue;
		if (!ccdm_kbs_version_of(word, &v))
			return 0;
		versions |= 1U << v;
	}
	return versions;
}

struct ccdm_limits ccdm_conf_limits(const struct ccdm_conf *conf)
{
	return (struct ccdm_limits){
		.rate = conf->rate,
		.burst = conf->burst,
		.lines = conf->refusals,
		.bytes = conf->refusals_size << 20,
	};
}

/* Read a file. Its keys replace those of the files before it. */
static int ccdm_conf_file(const char *file, struct ccdm_conf *conf, struct ccdm_err *err)
{
	struct ccdm_conf_state s = { .conf = conf };
	struct ccdm_err why = { 0 };
	char *text;
	size_t size;
	int r = ccdm_file_read(file, CCDM_INI_MAX, &text, &size, err);

	if (r)
		return r;
	r = ccdm_ini_parse(file, text, size, ccdm_conf_item, &s, err);
	free(text);
	/* Now the file is known in which the value is. */
	if (!r && !ccdm_conf_versions(conf))
		r = ccdm_err_set(err, -EINVAL,
				 "%s: protocol: expected 0.4.0, 0.2.0 or both, found '%s'", file,
				 conf->protocol);
	if (!r && ccdm_proxies_read(conf->proxies, &conf->proxy_list, &why))
		r = ccdm_err_set(err, -EINVAL, "%s: proxies: %s", file, why.text);
	return r;
}

/* Names of drop-ins end in .conf; others, and hidden ones, are left out. */
static int ccdm_conf_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       !strcmp(entry->d_name + length - 5, ".conf");
}

/* Read FILE.d, in the order of the names. It need not exist. */
static int ccdm_conf_drop_ins(const char *file, struct ccdm_conf *conf, struct ccdm_err *err)
{
	struct dirent **names = NULL;
	char *dir = NULL, *path;
	int i, n = -1, r = 0;

	if (asprintf(&dir, "%s.d", file) < 0)
		return ccdm_err_memory(err);
	n = scandir(dir, &names, ccdm_conf_drop_in, alphasort);
	if (n < 0 && errno != ENOENT)
		r = ccdm_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	for (i = 0; i < n; i++) {
		path = NULL;
		if (!r && asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0)
			r = ccdm_err_memory(err);
		if (!r)
			r = ccdm_conf_file(path, conf, err);
		free(path);
		free(names[i]);
	}
	free(names);
	free(dir);
	return r;
}

int ccdm_conf_load(const char *file, struct ccdm_conf *conf, struct ccdm_err *err)
{
	size_t i;
	int r;

	memset(conf, 0, sizeof(*conf));
	for (i = 0; i < CCDM_CONF_KEYS; i++) {
		const struct ccdm_conf_key *k = &ccdm_conf_keys[i];
		char *to = (char *)conf + k->offset;

		if (k->size)
			snprintf(to, k->size, "%s", k->text);
		else
			memcpy(to, &k->number, sizeof(k->number));
	}
	r = ccdm_conf_file(file, conf, err);
	return r ? r : ccdm_conf_drop_ins(file, conf, err);
}
