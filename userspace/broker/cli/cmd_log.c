// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_log.c - ccdm-broker log [verify]: print the audit log, verify its hash chain */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/ui.h"
#include "store/audit.h"
#include "cli.h"

static int log_file(const struct ccdm_cli *cli, char path[CCDM_CONF_PATH + 32],
		    struct ccdm_conf *conf, struct ccdm_err *err)
{
	int r = ccdm_cli_conf(cli, conf, err);

	if (!r)
		snprintf(path, CCDM_CONF_PATH + 32, "%s/audit.log", conf->state);
	return r;
}

static const char *log_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* Print the failed checks of the evidence, or the failed conditions of the policies. */
static void log_failed(const json_t *entry)
{
	const json_t *conditions = json_object_get(entry, "conditions");
	json_t *check, *list;
	const char *policy;
	size_t i;

	json_array_foreach(json_object_get(entry, "failed"), i, check)
		ccdm_ui_line("    %s: expected %s, found %s", log_text(check, "name"),
			     log_text(check, "expected"), log_text(check, "found"));
	if (strcmp(log_text(entry, "result"), "refused"))
		return;
	json_object_foreach((json_t *)conditions, policy, list) json_array_foreach(
		list, i, check) if (!json_is_true(json_object_get(check, "passed")))
		ccdm_ui_line("    %s: %s: expected %s, found %s", policy,
			     log_text(check, "condition"), log_text(check, "expected"),
			     log_text(check, "found"));
}

/* Print how many requests without a session were refused, and why. */
static void log_anonymous(const json_t *o)
{
	char why[512] = "";
	const char *reason;
	size_t at = 0;
	json_t *n;

	json_object_foreach(json_object_get(o, "reasons"), reason, n) if (at < sizeof(why)) at +=
		snprintf(why + at, sizeof(why) - at, "%s%s %lld", at ? ", " : "", reason,
			 (long long)json_integer_value(n));
	ccdm_ui_line("%s %-8s %-8s %lld since %s: %s", log_text(o, "time"), log_text(o, "event"),
		     log_text(o, "result"),
		     (long long)json_integer_value(json_object_get(o, "count")),
		     log_text(o, "since"), why);
}

/* Print a database row that the broker ignored. */
static void log_store(const json_t *o)
{
	ccdm_ui_line("%s %-8s %-8s %s %s: %s%s%s", log_text(o, "time"), log_text(o, "event"),
		     "refused", log_text(o, "table"), log_text(o, "key"), log_text(o, "why"),
		     *log_text(o, "more") ? "; " : "", log_text(o, "more"));
}

static void log_line(const json_t *o)
{
	const char *event = log_text(o, "event"), *time = log_text(o, "time");
	const char *result = log_text(o, "result"), *why = log_text(o, "why"), *name;
	json_t *size;

	if (!strcmp(event, "head"))
		return;
	if (!strcmp(event, "anonymous")) {
		log_anonymous(o);
		return;
	}
	if (!strcmp(event, "store")) {
		log_store(o);
		return;
	}
	if (log_text(o, "do")[0])
		ccdm_ui_line("%s %-8s %-8s %s %s %s%s%s", time, event, result, log_text(o, "who"),
			     log_text(o, "do"), log_text(o, "name"), *why ? ": " : "", why);
	else
		ccdm_ui_line("%s %-8s %-8s %s %.8s %s%s%s%s", time, event, result,
			     log_text(o, "peer"), log_text(o, "session"), log_text(o, "tee"),
			     log_text(o, "secret"), *why ? ": " : "", why);
	log_failed(o);
	json_object_foreach(json_object_get(o, "cut"), name, size)
		ccdm_ui_line("    %s: %lld bytes, too many for a line: removed", name,
			     (long long)json_integer_value(size));
}

int cmd_log(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	char path[CCDM_CONF_PATH + 32], *line = NULL;
	struct ccdm_conf conf;
	unsigned int unread = 0;
	size_t room = 0;
	FILE *f;
	int r = log_file(cli, path, &conf, err);

	if (r)
		return r;
	f = fopen(path, "re");
	if (!f)
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	while (getline(&line, &room, f) > 0) {
		json_t *o;

		if (cli->json) {
			fputs(line, stdout);
			continue;
		}
		o = json_loads(line, 0, NULL);
		if (o)
			log_line(o);
		else
			puts("?");
		unread += !o;
		json_decref(o);
	}
	if (ferror(f))
		r = ccdm_err_set(err, -EIO, "%s: %s", path, strerror(errno));
	free(line);
	fclose(f);
	if (!r && unread) {
		ccdm_err_hint(err, CCDM_PROGRAM " log verify shows the first invalid line");
		r = ccdm_err_set(err, -EINVAL, "%s: found %u invalid lines", path, unread);
	}
	return r;
}

int cmd_log_verify(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	char path[CCDM_CONF_PATH + 32];
	struct ccdm_signer *signer = NULL;
	struct ccdm_conf conf;
	uint64_t lines = 0;
	int r = log_file(cli, path, &conf, err);

	if (!r)
		r = ccdm_signer_load(conf.token_key, &signer, err);
	if (!r && cli->argc)
		snprintf(path, sizeof(path), "%s", cli->argv[0]);
	if (!r)
		r = ccdm_audit_verify(path, signer, &lines, err);
	ccdm_signer_free(signer);
	if (r)
		return r;
	if (cli->json)
		return ccdm_ui_json(
			json_pack("{s:s, s:I}", "verdict", "good", "lines", (json_int_t)lines),
			err);
	printf("%llu lines, hash chain valid\n", (unsigned long long)lines);
	return 0;
}
