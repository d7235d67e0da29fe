// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* status.c - see status.h */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/compiler.h"
#include "base/json.h"
#include "base/ui.h"
#include "conf.h"
#include "status.h"

#define EXPIRY 16 /* warnings about expiry that are listed; the rest are counted */

static int ccdm_status_count(const char *name, const char *text, void *arg)
{
	(void)name;
	(void)text;
	++*(json_int_t *)arg;
	return 0;
}

/*
 * Count the files in a directory as ccdm_trust_load() sees them; 0 if the directory does not exist.
 */
static json_t *ccdm_status_files(const char *trust, const char *name)
{
	char path[CCDM_CONF_PATH + 32];
	const struct dirent *entry;
	json_int_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", trust, name);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? json_integer(0) : json_null();
	while ((entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		/* NAME.usage accompanies NAME.pem */
		if (entry->d_name[0] != '.' &&
		    (length < 6 || strcmp(entry->d_name + length - 6, ".usage")))
			n++;
	}
	closedir(dir);
	return json_integer(n);
}

static json_t *ccdm_status_trust(const char *trust)
{
	static const char *const names[] = { "roots",	 "ak-roots", "ek-roots",  "certs",
					     "tpm-keys", "vcek",     "collateral" };
	json_t *o = json_object();
	size_t i;

	for (i = 0; trust && i < ARRAY_SIZE(names); i++)
		ccdm_json_put(&o, names[i], ccdm_status_files(trust, names[i]));
	return o;
}

/* Warn of what expires in the trust directory, as it is at this moment. */
static void ccdm_status_expiry(const char *trust, json_t **warnings)
{
	struct ccdm_trust_items items;
	struct ccdm_err err = { 0 };
	unsigned int i, n = 0;
	char line[512];

	if (!trust)
		return;
	if (ccdm_trust_status(trust, time(NULL), CCDM_LOOK_PLATFORMS, &items, &err)) {
		ccdm_json_add(warnings, json_string(err.text));
		return;
	}
	for (i = 0; i < items.count; i++)
		if (items.item[i].state >= CCDM_TRUST_EXPIRES && n++ < EXPIRY)
			ccdm_json_add(warnings, json_string(ccdm_trust_line(&items.item[i], line)));
	if (n > EXPIRY)
		ccdm_json_add(warnings,
			      json_sprintf("%u more; \"ccdm-broker trust status\" lists them",
					   n - EXPIRY));
	ccdm_trust_items_drop(&items);
}

static json_t *ccdm_status_reload(const struct ccdm_life *life, json_t **warnings)
{
	char date[32];

	if (!life->reloaded)
		return json_null();
	if (life->why[0])
		ccdm_json_add(warnings, json_sprintf("the last reload failed: %s", life->why));
	return json_pack("{s:s, s:s, s:s*}", "time", ccdm_ui_date(life->reloaded, date), "result",
			 life->why[0] ? "failed" : "done", "why", life->why[0] ? life->why : NULL);
}

/* Count the policies in force; null if they cannot be read, in which case nothing is released. */
static json_t *ccdm_status_policies(struct ccdm_broker *b, json_t **warnings)
{
	const struct ccdm_policy *p;
	struct ccdm_err why = { 0 };
	json_int_t n = 0;
	int r = ccdm_broker_policies(b, &p, &why);

	if (r) {
		ccdm_json_add(warnings, json_sprintf("cannot use the policies: %s",
						     why.text[0] ? why.text : strerror(-r)));
		return json_null();
	}
	for (; p; p = p->next)
		n++;
	return json_integer(n);
}

int ccdm_status(struct ccdm_broker *b, json_t **answer, struct ccdm_err *err)
{
	const char *trust = b->trust ? ccdm_trust_path(b->trust) : NULL;
	json_t *o = json_object(), *warnings = json_array();
	json_int_t secrets = 0;
	int64_t schema = 0;
	const char *head;
	uint64_t lines;
	char date[32];
	int r = ccdm_store_secrets(b->store, ccdm_status_count, &secrets, err);

	if (!r)
		r = ccdm_store_schema(b->store, &schema, err);
	if (r) {
		json_decref(o);
		json_decref(warnings);
		return r;
	}
	ccdm_json_put(&o, "version", json_string(CCDM_VERSION));
	ccdm_json_put(&o, "started", json_string(ccdm_ui_date(b->life.started, date)));
	ccdm_json_put(&o, "policies", ccdm_status_policies(b, &warnings));
	ccdm_json_put(&o, "secrets", json_integer(secrets));
	ccdm_json_put(&o, "database", json_pack("{s:I}", "schema", (json_int_t)schema));
	/* read the log's end last: reading the policies may have added an entry */
	head = ccdm_audit_end(b->audit, &lines);
	ccdm_json_put(&o, "log", json_pack("{s:I, s:s}", "lines", (json_int_t)lines, "head", head));
	ccdm_json_put(&o, "reload", ccdm_status_reload(&b->life, &warnings));
	ccdm_json_put(&o, "refusals", ccdm_refusals_json(b->refusals.total));
	ccdm_json_put(&o, "connections",
		      json_pack("{s:I, s:I}", "evicted", (json_int_t)b->refusals.evicted, "late",
				(json_int_t)b->refusals.late));
	if (ccdm_quota_low(&b->quota))
		ccdm_json_add(&warnings,
			      json_sprintf("%s: the disk is nearly full: refusals are only counted",
					   b->quota.directory));
	ccdm_json_put(&o, "rows-refused", json_integer((json_int_t)b->odd_rows));
	if (b->odd_rows)
		ccdm_json_add(
			&warnings,
			json_string(
				"the database has or had rows without a valid MAC; see the events "
				"\"store\" in the log"));
	ccdm_json_put(&o, "trust", ccdm_status_trust(trust));
	ccdm_status_expiry(trust, &warnings);
	if (trust && ccdm_trust_changed(b->trust))
		ccdm_json_add(&warnings, json_string(CCDM_TRUST_CHANGED_TEXT));
	ccdm_json_put(&o, "warnings", warnings);
	*answer = o;
	return o ? 0 : ccdm_err_memory(err);
}
