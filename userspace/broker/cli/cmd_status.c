// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_status.c - ccdm-broker status: the state of the daemon */
#include <stdio.h>
#include "base/ui.h"
#include "cli.h"

static const char *status_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static long long status_number(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

/* Print counts as in "session 3, tls 1". */
static void status_numbers(const char *what, const json_t *o)
{
	const char *name, *sep = "";
	json_t *n;

	printf("%-10s ", what);
	json_object_foreach((json_t *)o, name, n)
	{
		if (json_is_integer(n))
			printf("%s%s %lld", sep, name, (long long)json_integer_value(n));
		else
			printf("%s%s ?", sep, name);
		sep = ", ";
	}
	puts(*sep ? "" : "none");
}

static void status_reload(const json_t *o)
{
	if (json_is_object(o))
		ccdm_ui_line("%-10s %s at %s%s%s", "reload", status_text(o, "result"),
			     status_text(o, "time"), *status_text(o, "why") ? ": " : "",
			     status_text(o, "why"));
	else
		ccdm_ui_line("%-10s none", "reload");
}

int cmd_status(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	json_t *answer, *log, *warning;
	size_t i;
	int r = ccdm_cli_ask(cli, json_pack("{s:s}", "do", "status"), &answer, err);

	if (r)
		return r;
	if (cli->json)
		return ccdm_ui_json(answer, err);
	ccdm_ui_line("ccdm-brokerd %s, since %s", status_text(answer, "version"),
		     status_text(answer, "started"));
	if (json_is_integer(json_object_get(answer, "policies")))
		ccdm_ui_line("%-10s %lld", "policies", status_number(answer, "policies"));
	else
		ccdm_ui_line("%-10s ?", "policies");
	ccdm_ui_line("%-10s %lld", "secrets", status_number(answer, "secrets"));
	ccdm_ui_line("%-10s schema %lld; rows left out: %lld", "database",
		     status_number(json_object_get(answer, "database"), "schema"),
		     status_number(answer, "rows-refused"));
	log = json_object_get(answer, "log");
	ccdm_ui_line("%-10s %lld lines, head %s", "log", status_number(log, "lines"),
		     status_text(log, "head"));
	status_reload(json_object_get(answer, "reload"));
	status_numbers("refused", json_object_get(answer, "refusals"));
	status_numbers("ended", json_object_get(answer, "connections"));
	status_numbers("trust", json_object_get(answer, "trust"));
	json_array_foreach(json_object_get(answer, "warnings"), i, warning)
		ccdm_ui_line("warning: %s", json_string_value(warning));
	json_decref(answer);
	return 0;
}
