// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_explain.c - ccdm-broker explain EVIDENCE */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/ui.h"
#include "evidence/evidence.h"
#include "base/file.h"
#include "core/admin.h"
#include "cli.h"

static const char *explain_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void explain_checks(const json_t *list, const char *name, const char *indent)
{
	json_t *check;
	size_t i;

	json_array_foreach((json_t *)list, i, check)
		ccdm_ui_line("%s%-7s %-20s %s; expected %s", indent,
			     json_object_get(check, "allowed")		      ? "allowed"
			     : json_is_true(json_object_get(check, "passed")) ? "ok"
									      : "FAILED",
			     explain_text(check, name), explain_text(check, "found"),
			     explain_text(check, "expected"));
}

static bool explain_fresh(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "nonce-checked"));
}

static void explain_print(const json_t *answer)
{
	json_t *one;
	size_t i;

	explain_checks(json_object_get(answer, "checks"), "name", "");
	puts(explain_text(answer, "verdict"));
	if (!explain_fresh(answer))
		puts("note: the nonce was not checked: the evidence has none, so it may be old "
		     "or from another guest");
	json_array_foreach(json_object_get(answer, "notes"), i, one)
		ccdm_ui_line("note: %s", json_string_value(one));
	json_array_foreach(json_object_get(answer, "policies"), i, one)
	{
		puts("");
		ccdm_ui_line("policy %s: %s", explain_text(one, "name"),
			     json_is_true(json_object_get(one, "holds")) ? "holds"
									 : "does NOT hold");
		explain_checks(json_object_get(one, "conditions"), "condition", "  ");
	}
}

/* The first check that failed without an exception, or NULL. */
static const json_t *explain_refused(const json_t *answer)
{
	json_t *check;
	size_t i;

	json_array_foreach(json_object_get(answer, "checks"), i, check)
	{
		if (!json_is_true(json_object_get(check, "passed")) &&
		    !json_object_get(check, "allowed"))
			return check;
	}
	return NULL;
}

int cmd_explain(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	json_t *evidence, *answer, *one;
	const json_t *refused;
	json_error_t where;
	bool holds = false;
	size_t i, size;
	char *text;
	int r;

	r = ccdm_file_read(cli->argv[0], CCDM_ADMIN_MAX, &text, &size, err);
	if (r)
		return r;
	evidence = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	free(text);
	if (!json_is_object(evidence)) {
		json_decref(evidence);
		return ccdm_err_set(err, -EINVAL, "%s: line %d: %s", cli->argv[0], where.line,
				    evidence ? "expected an object" : where.text);
	}
	r = ccdm_cli_ask(cli, json_pack("{s:s, s:o}", "do", "explain", "evidence", evidence),
			 &answer, err);
	if (r)
		return r;
	json_array_foreach(json_object_get(answer, "policies"), i, one) holds |=
		json_is_true(json_object_get(one, "holds"));
	if (cli->json)
		r = ccdm_ui_json(json_incref(answer), err);
	else
		explain_print(answer);
	refused = explain_refused(answer);
	if (!r && refused)
		r = ccdm_err_set(err, -ECANCELED,
				 "the evidence was refused: %s: found %s, expected %s",
				 explain_text(refused, "name"), explain_text(refused, "found"),
				 explain_text(refused, "expected"));
	else if (!r && strcmp(explain_text(answer, "verdict"), "accepted"))
		r = ccdm_err_set(err, -ECANCELED, "the evidence was refused");
	else if (!r && !holds)
		r = ccdm_err_set(err, -ECANCELED, "no policy holds");
	else if (!r && !explain_fresh(answer))
		r = ccdm_err_set(
			err, -ECANCELED,
			"the nonce was not checked: the evidence has none, and without a nonce no "
			"secret is released");
	json_decref(answer);
	return r;
}
