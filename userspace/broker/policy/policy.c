// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* policy.c - parse policies: documents, and nested conditions; see policy.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "kbs/kbs.h"
#include "policy.h"
#include "policy_fields.h"
#include "policy_identity.h"
#include "policy_yaml.h"

/* ---- conditions ------------------------------------------------------------------- */

static void ccdm_cond_free(struct ccdm_cond *c)
{
	struct ccdm_cond *next;

	for (; c; c = next) {
		next = c->next;
		ccdm_cond_free(c->child);
		json_decref(c->value);
		free(c);
	}
}

/* The list to which a condition is added, and its nesting depth. */
struct ccdm_conds {
	struct ccdm_cond **tail;
	unsigned int depth;
};

static int ccdm_cond_add(struct ccdm_conds *to, enum ccdm_cond_kind kind, unsigned int line,
			 json_t *value, struct ccdm_cond **added)
{
	struct ccdm_cond *c = calloc(1, sizeof(*c));

	if (!c) {
		json_decref(value);
		return -ENOMEM;
	}
	c->kind = kind;
	c->line = line;
	c->value = value;
	*to->tail = c;
	to->tail = &c->next;
	if (added)
		*added = c;
	return 0;
}

static int ccdm_conds_read(struct ccdm_yaml *y, const yaml_node_t *map, struct ccdm_cond *in,
			   unsigned int depth);

static int ccdm_conds_element(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	struct ccdm_conds *to = arg;
	struct ccdm_cond *all;
	int r = ccdm_cond_add(to, CCDM_COND_ALL, n->start_mark.line + 1, NULL, &all);

	return r ? r : ccdm_conds_read(y, n, all, to->depth + 1);
}

static int ccdm_cond_take(struct ccdm_yaml *y, const yaml_node_t *key, const char *word,
			  const yaml_node_t *n, void *arg)
{
	struct ccdm_conds *to = arg, inner;
	enum ccdm_cond_kind kind;
	struct ccdm_cond *c;
	json_t *value;
	int r;

	if (!ccdm_cond_find(word, &kind))
		return ccdm_yaml_bad(y, key, "unknown condition:", word);
	if (++y->conds > CCDM_POLICY_CONDS)
		return ccdm_yaml_bad(y, key, "too many conditions in one policy", NULL);
	if (kind < CCDM_COND_ALL) {
		value = ccdm_cond_value(y, n, kind, &r);
		if (r || !value) {
			json_decref(value);
			return r ? r : -ENOMEM;
		}
		return ccdm_cond_add(to, kind, key->start_mark.line + 1, value, NULL);
	}
	if (to->depth >= CCDM_POLICY_DEPTH)
		return ccdm_yaml_bad(y, key, "any, all and not are nested too deep", NULL);
	r = ccdm_cond_add(to, kind, key->start_mark.line + 1, NULL, &c);
	if (r)
		return r;
	if (kind == CCDM_COND_NOT)
		return ccdm_conds_read(y, n, c, to->depth + 1);
	if (n->type != YAML_SEQUENCE_NODE)
		return ccdm_yaml_bad(y, n, "expected a list of conditions", NULL);
	inner = (struct ccdm_conds){ &c->child, to->depth };
	return ccdm_yaml_elements(y, n, ccdm_conds_element, &inner);
}

static int ccdm_conds_read(struct ccdm_yaml *y, const yaml_node_t *map, struct ccdm_cond *in,
			   unsigned int depth)
{
	struct ccdm_conds to = { &in->child, depth };
	int r = ccdm_yaml_members(y, map, ccdm_cond_take, &to);

	if (!r && !in->child)
		r = ccdm_yaml_bad(y, map, "expected at least one condition", NULL);
	return r;
}

/* ---- default conditions -------------------------------------------------------------- */

static bool ccdm_cond_said(const struct ccdm_cond *all, enum ccdm_cond_kind kind)
{
	const struct ccdm_cond *c;

	/* a condition on versions does not replace the default one on the status */
	for (c = all->child; c; c = c->next)
		if (c->kind == kind &&
		    (kind != CCDM_COND_TCB || json_object_get(c->value, "status")))
			return true;
	return false;
}

static int ccdm_conds_strict(struct ccdm_cond *all)
{
	static const enum ccdm_cond_kind kinds[] = { CCDM_COND_DEBUG, CCDM_COND_VMPL,
						     CCDM_COND_TCB,   CCDM_COND_PHASE,
						     CCDM_COND_BANK,  CCDM_COND_BINDING };
	struct ccdm_conds to = { &all->child, 0 };
	json_t *value;
	size_t i;
	int r = 0;

	while (*to.tail)
		to.tail = &(*to.tail)->next;
	for (i = 0; !r && i < ARRAY_SIZE(kinds); i++) {
		if (ccdm_cond_said(all, kinds[i]))
			continue;
		switch (kinds[i]) {
		case CCDM_COND_DEBUG:
			value = json_false();
			break;
		case CCDM_COND_VMPL:
			value = json_integer(0);
			break;
		case CCDM_COND_TCB:
			value = json_pack("{s:[s]}", "status", "UpToDate");
			break;
		case CCDM_COND_PHASE:
			value = json_pack("[s]", "initrd");
			break;
		case CCDM_COND_BANK:
			value = json_pack("[s]", "sha256");
			break;
		default:
			value = json_pack("[s,s,s,s]", "paravisor", "svsm", "provider", "none");
		}
		r = value ? ccdm_cond_add(&to, kinds[i], 0, value, NULL) : -ENOMEM;
	}
	return r;
}

/* ---- policies ------------------------------------------------------------------------- */

void ccdm_policy_free(struct ccdm_policy *p)
{
	struct ccdm_policy *next;

	for (; p; p = next) {
		next = p->next;
		json_decref(p->secrets);
		ccdm_cond_free(p->require);
		free(p);
	}
}

static int ccdm_policy_secret(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	struct ccdm_policy *p = arg;
	const char *text = ccdm_yaml_text(n);
	char path[CCDM_KBS_PATH_MAX];
	size_t size = text ? strlen(text) : 0;

	if (text && size < sizeof(path)) {
		memcpy(path, text, size + 1);
		if (size > 2 && !strcmp(path + size - 2, "/*"))
			path[size - 1] = 'x';
		if (ccdm_kbs_path_good(path))
			return json_array_append_new(p->secrets, json_string(text)) ? -ENOMEM : 0;
	}
	return ccdm_yaml_bad(y, n,
			     "expected a secret as REPO/TYPE/TAG or REPO/TYPE/*, found:", text);
}

static int ccdm_policy_take(struct ccdm_yaml *y, const yaml_node_t *key, const char *word,
			    const yaml_node_t *n, void *arg)
{
	struct ccdm_policy *p = arg;
	const char *text;
	size_t size;

	if (!strcmp(word, "name")) {
		text = ccdm_yaml_text(n);
		size = text ? strlen(text) : 0;
		if (!size || size >= sizeof(p->name) ||
		    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != size)
			return ccdm_yaml_bad(
				y, n, "expected a name of 1 to 64 characters of a-z, 0-9, - _ .",
				NULL);
		memcpy(p->name, text, size + 1);
		return 0;
	}
	if (!strcmp(word, "secrets")) {
		p->secrets = json_array();
		return p->secrets ? ccdm_yaml_elements(y, n, ccdm_policy_secret, p) : -ENOMEM;
	}
	if (!strcmp(word, "require")) {
		p->require = calloc(1, sizeof(*p->require));
		if (!p->require)
			return -ENOMEM;
		p->require->kind = CCDM_COND_ALL;
		p->require->line = key->start_mark.line + 1;
		return ccdm_conds_read(y, n, p->require, 1);
	}
	return ccdm_yaml_bad(y, key, "unknown key:", word);
}

static int ccdm_policy_document(struct ccdm_yaml *y, struct ccdm_policy *p)
{
	const yaml_node_t *top = yaml_document_get_root_node(y->doc);
	int r = ccdm_yaml_members(y, top, ccdm_policy_take, p);

	if (!r && !p->name[0])
		r = ccdm_yaml_bad(y, top, "a policy must have a name", NULL);
	if (!r && !p->secrets)
		r = ccdm_yaml_bad(y, top, "a policy must have secrets", NULL);
	if (r)
		return r;
	if (!p->require)
		return ccdm_yaml_bad(y, top, "a policy must have conditions (require)", NULL);
	r = ccdm_conds_strict(p->require);
	if (!r)
		p->outcome = ccdm_policy_outcome(p->require);
	return r;
}

static int ccdm_policy_next(yaml_parser_t *parser, const char *what, struct ccdm_policy **added,
			    bool *end, struct ccdm_err *err)
{
	yaml_document_t doc;
	struct ccdm_yaml y = { .what = what, .doc = &doc, .err = err };
	int r = ccdm_yaml_load(&y, parser, end);

	if (r || *end)
		return r;
	*added = calloc(1, sizeof(**added));
	r = *added ? ccdm_policy_document(&y, *added) : -ENOMEM;
	yaml_document_delete(&doc);
	return r;
}

int ccdm_policy_parse(const char *what, const char *text, size_t size,
		      struct ccdm_policy **policies, struct ccdm_err *err)
{
	struct ccdm_policy **tail = policies, *p;
	yaml_parser_t parser;
	bool end = false;
	int r = 0;

	*policies = NULL;
	if (size > CCDM_POLICY_MAX)
		return ccdm_err_set(err, -EINVAL, "%s: larger than %u bytes", what,
				    CCDM_POLICY_MAX);
	if (!yaml_parser_initialize(&parser))
		return ccdm_err_memory(err);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	while (!r && !end) {
		r = ccdm_policy_next(&parser, what, tail, &end, err);
		for (p = *policies; !r && *tail && p != *tail; p = p->next)
			if (!strcmp(p->name, (*tail)->name))
				r = ccdm_err_set(err, -EINVAL, "%s: two policies have the name %s",
						 what, p->name);
		if (*tail)
			tail = &(*tail)->next;
	}
	yaml_parser_delete(&parser);
	if (!r && !*policies)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a policy, found none", what);
	if (r) {
		ccdm_policy_free(*policies);
		*policies = NULL;
		return r == -ENOMEM ? ccdm_err_memory(err) : r;
	}
	return 0;
}

/* True if the line begins a document. */
static bool ccdm_policy_marker(const char *line)
{
	return !strncmp(line, "---", 3) && (!line[3] || strchr(" \t\r\n", line[3]));
}

/* True for a blank line, a comment, a directive, or the end of a document. */
static bool ccdm_policy_nothing(const char *line)
{
	line += strspn(line, " \t\r");
	return !*line || *line == '\n' || *line == '#' || *line == '%' || !strncmp(line, "...", 3);
}

const char *ccdm_policy_cut(const char *text, bool last, char **document)
{
	const char *end = text;
	bool begun = false;

	while (*end && (last || !begun || !ccdm_policy_marker(end))) {
		begun = begun || ccdm_policy_marker(end) || !ccdm_policy_nothing(end);
		end += strcspn(end, "\n");
		end += *end == '\n';
	}
	*document = strndup(text, (size_t)(end - text));
	return end;
}

bool ccdm_policy_opens(const struct ccdm_policy *policy, const char *secret)
{
	size_t i;

	if (!ccdm_kbs_path_good(secret))
		return false;
	for (i = 0; i < json_array_size(policy->secrets); i++) {
		const char *s = json_string_value(json_array_get(policy->secrets, i));
		size_t n = strlen(s);

		/* a '*' at the end matches a single TAG, which contains no slash */
		if (s[n - 1] == '*' ? !strncmp(s, secret, n - 1) : !strcmp(s, secret))
			return true;
	}
	return false;
}
