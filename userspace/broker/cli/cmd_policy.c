// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_policy.c - ccdm-broker policy check|add|list|show|remove */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "base/ui.h"
#include "cli.h"
#include "policy/policy.h"

/* Read one file; append the JSON object of each policy to @all. */
static int policy_file(const char *file, bool json, json_t **all, struct ccdm_err *err)
{
	struct ccdm_policy *policies = NULL, *p;
	char *text;
	size_t size;
	json_t *o;
	int r;

	r = ccdm_file_read(file, CCDM_POLICY_MAX, &text, &size, err);
	if (r)
		return r;
	r = ccdm_policy_parse(file, text, size, &policies, err);
	free(text);
	for (p = policies; p; p = p->next) {
		o = json_pack("{s:s, s:s, s:O}", "file", file, "name", p->name, "secrets",
			      p->secrets);
		if (p->outcome != CCDM_POLICY_MAY_OPEN) {
			ccdm_json_put(&o, "refused", json_string(ccdm_policy_reason(p->outcome)));
			if (!r)
				r = ccdm_err_set(err, -EINVAL, "%s: %s: %s", file, p->name,
						 ccdm_policy_reason(p->outcome));
		}
		ccdm_json_add(all, o);
		if (!json && p->outcome == CCDM_POLICY_MAY_OPEN)
			printf("%s: %s: valid\n", file, p->name);
	}
	ccdm_policy_free(policies);
	return r;
}

int cmd_policy_check(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	struct ccdm_err unused = { 0 };
	json_t *all = json_array();
	int i, printed, r = 0;

	for (i = 0; !r && i < cli->argc; i++)
		r = policy_file(cli->argv[i], cli->json, &all, err);
	if (!cli->json) {
		json_decref(all);
		return r;
	}
	/* print the policies that were read, also if one of them is refused */
	printed = ccdm_ui_json(all, r ? &unused : err);
	return r ? r : printed;
}

/* Print the lines of @text that @other lacks; their order does not matter. */
static void policy_lines(const char *sign, const char *text, const char *other)
{
	size_t n;

	for (; text && *text; text += n + (text[n] == '\n')) {
		const char *at = other;

		n = strcspn(text, "\n");
		while (at && *at && (strcspn(at, "\n") != n || strncmp(at, text, n))) {
			at += strcspn(at, "\n");
			at += *at == '\n';
		}
		if (!at || !*at)
			printf("%s %.*s\n", sign, (int)n, text);
	}
}

/* Print what an addition changes. */
static void policy_change(const json_t *one, bool dry)
{
	const char *before = json_string_value(json_object_get(one, "before"));
	const char *after = json_string_value(json_object_get(one, "after"));

	policy_lines("-", before, after);
	policy_lines("+", after, before);
	printf("%s: %s%s\n", json_string_value(json_object_get(one, "name")),
	       before ? "replaced" : "added", dry ? " (dry run: nothing changed)" : "");
}

int cmd_policy_add(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	json_t *answer = NULL, *all, *one;
	size_t size, i;
	char *text;
	int r;

	r = ccdm_file_read(cli->argv[0], CCDM_POLICY_MAX, &text, &size, err);
	if (r)
		return r;
	if (strlen(text) == size)
		r = ccdm_cli_ask(cli,
				 json_pack("{s:s, s:s, s:b}", "do", "policy-add", "text", text,
					   "dry-run", cli->dry),
				 &answer, err);
	else
		r = ccdm_err_set(err, -EINVAL, "%s: expected text, found a zero byte",
				 cli->argv[0]);
	free(text);
	if (r)
		return r;
	if (cli->json)
		return ccdm_ui_json(answer, err);
	all = json_object_get(answer, "policies");
	if (!all)
		policy_change(answer, cli->dry);
	json_array_foreach(all, i, one) policy_change(one, cli->dry);
	json_decref(answer);
	return 0;
}

int cmd_policy_list(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	json_t *answer, *one;
	size_t i;
	int r = ccdm_cli_ask(cli, json_pack("{s:s}", "do", "policy-list"), &answer, err);

	if (r)
		return r;
	if (cli->json)
		return ccdm_ui_json(answer, err);
	json_array_foreach(json_object_get(answer, "policies"), i, one)
		puts(json_string_value(json_object_get(one, "name")));
	json_decref(answer);
	return 0;
}

int cmd_policy_show(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	json_t *answer, *all, *one, *found = NULL;
	const char *text;
	size_t i;
	int r = ccdm_cli_ask(cli, json_pack("{s:s}", "do", "policy-list"), &answer, err);

	if (r)
		return r;
	all = json_object_get(answer, "policies");
	for (i = 0; !found && i < json_array_size(all); i++) {
		one = json_array_get(all, i);
		if (!strcmp(json_string_value(json_object_get(one, "name")), cli->argv[0]))
			found = json_incref(one);
	}
	json_decref(answer);
	if (!found) {
		ccdm_err_hint(err, "ccdm-broker policy list lists the policies");
		return ccdm_err_set(err, -ENOENT, "%s: no policy has this name", cli->argv[0]);
	}
	if (cli->json)
		return ccdm_ui_json(found, err);
	text = json_string_value(json_object_get(found, "text"));
	printf("%s%s", text, *text && text[strlen(text) - 1] == '\n' ? "" : "\n");
	json_decref(found);
	return 0;
}

int cmd_policy_remove(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	json_t *answer = NULL;
	int r = ccdm_cli_ask(cli,
			     json_pack("{s:s, s:s}", "do", "policy-remove", "name", cli->argv[0]),
			     &answer, err);

	json_decref(answer);
	return r;
}
