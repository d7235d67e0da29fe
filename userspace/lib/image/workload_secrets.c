// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_secrets.c - the secrets that workload.yaml names: "secrets" */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "boot/credstore.h"
#include "kbs/kbs.h"
#include "sandbox.h"
#include "workload.h"
#include "workload_fields.h"
#include "workload_parts.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

static int ccdm_want_from(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload_want *s = to;
	const char *text;
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	if (strlen(text) >= sizeof(s->from) || !ccdm_kbs_path_good(text))
		return ccdm_yaml_bad(y, n, "expected a secret as REPO/TYPE/TAG, found", text);
	if (ccdm_credstore_volume(text))
		return ccdm_yaml_bad(y, n,
				     "expected another TYPE than cryptsetup, which is for "
				     "keys of volumes",
				     NULL);
	snprintf(s->from, sizeof(s->from), "%s", text);
	return 0;
}

static int ccdm_want_env(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload_want *s = to;
	const char *text;
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	if (!*text || strlen(text) >= sizeof(s->env) ||
	    strspn(text, LETTERS DIGITS "_") != strlen(text) || strchr(DIGITS, *text))
		return ccdm_yaml_bad(y, n,
				     "expected the name of a variable: letters, digits and _; "
				     "found",
				     text);
	if (!ccdm_sandbox_variable(text))
		return ccdm_yaml_bad(
			y, n, "a secret may not be a variable that chooses which code runs:", text);
	snprintf(s->env, sizeof(s->env), "%s", text);
	return 0;
}

static int ccdm_want_path(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload_want *s = to;
	int r = ccdm_field_path(y, n, s->path, sizeof(s->path));
	const char *why = r ? NULL : ccdm_sandbox_reserved(s->path);

	if (why)
		r = ccdm_yaml_bad(y, n, why, NULL);
	else if (!r && s->path[strlen(s->path) - 1] == '/')
		r = ccdm_yaml_bad(y, n, "expected the path of a file, found", s->path);
	return r;
}

static int ccdm_want_one(struct ccdm_yaml *y, const yaml_node_t *n, struct ccdm_workload_want *s)
{
	static const struct ccdm_field fields[] = {
		{ "from", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_want_from },
		{ "env", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_want_env },
		{ "path", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_want_path },
		/* nobody writes to a secret: it is mounted read-only */
		{ "mode", CCDM_FIELD_MODE, offsetof(struct ccdm_workload_want, mode), 0, 0555, NULL,
		  NULL },
		{ NULL, 0, 0, 0, 0, NULL, NULL },
	};
	int r;

	if (n->type != YAML_MAPPING_NODE)
		return ccdm_want_from(y, n, s);
	s->mode = UINT64_MAX;
	r = ccdm_fields_read(y, n, fields, s);
	if (!r && !s->from[0])
		r = ccdm_yaml_bad(y, n, "a secret needs 'from': REPO/TYPE/TAG", NULL);
	if (!r && s->env[0] && s->path[0])
		r = ccdm_yaml_bad(y, n, "expected either 'env' or 'path', found both", NULL);
	if (!r && s->env[0] && s->mode != UINT64_MAX)
		r = ccdm_yaml_bad(y, n, "a secret in the environment has no 'mode'", NULL);
	if (s->mode == UINT64_MAX)
		s->mode = 0400;
	return r;
}

static int ccdm_want_take(struct ccdm_yaml *y, const yaml_node_t *key, const char *word,
			  const yaml_node_t *value, void *arg)
{
	struct ccdm_workload *w = arg;
	struct ccdm_workload_want *s;
	unsigned int i;
	int r;

	if (w->nr_secrets == CCDM_WORKLOAD_SECRETS)
		return ccdm_yaml_bad(y, key, "more than 64 secrets", NULL);
	s = &w->secret[w->nr_secrets];
	if (!*word || *word == '.' || strlen(word) >= sizeof(s->name) ||
	    strspn(word, LETTERS DIGITS "_-.") != strlen(word))
		return ccdm_yaml_bad(y, key,
				     "expected the name of a secret: 1 to 64 letters, digits and "
				     "_ - . ; found",
				     word);
	snprintf(s->name, sizeof(s->name), "%s", word);
	s->mode = 0400;
	r = ccdm_want_one(y, value, s);
	for (i = 0; !r && i < w->nr_secrets; i++) {
		if (s->env[0] && !strcmp(s->env, w->secret[i].env))
			r = ccdm_yaml_bad(y, value, "two secrets have the same variable", s->env);
		if (s->path[0] && !strcmp(s->path, w->secret[i].path))
			r = ccdm_yaml_bad(y, value, "two secrets have the same path", s->path);
	}
	w->nr_secrets++;
	return r;
}

int ccdm_workload_secrets(struct ccdm_yaml *y, const yaml_node_t *n, void *workload)
{
	return ccdm_yaml_members(y, n, ccdm_want_take, workload);
}
