// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* policy.c - reading policies; see policy.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "crypto/digest.h"
#include "kbs/kbs.h"
#include "policy.h"
#include "policy_identity.h"
#include "policy_yaml.h"

static const char *const ccdm_cond_names[] = {
	[CCDM_COND_TEE] = "tee",
	[CCDM_COND_DEBUG] = "debug",
	[CCDM_COND_VMPL] = "vmpl",
	[CCDM_COND_TCB] = "tcb",
	[CCDM_COND_MEASUREMENT] = "measurement",
	[CCDM_COND_ENCLAVE_ID] = "enclave-id",
	[CCDM_COND_SIGNER] = "signer",
	[CCDM_COND_PCR] = "pcr",
	[CCDM_COND_RTMR] = "rtmr",
	[CCDM_COND_EVENT] = "event",
	[CCDM_COND_BANK] = "bank",
	[CCDM_COND_HOST_DATA] = "host-data",
	[CCDM_COND_ID_KEY] = "id-key",
	[CCDM_COND_AUTHOR_KEY] = "author-key",
	[CCDM_COND_CHIP] = "chip",
	[CCDM_COND_GENERATION] = "generation",
	[CCDM_COND_ALIAS_CHECK] = "alias-check",
	[CCDM_COND_IDENTITY] = "identity",
	[CCDM_COND_BINDING] = "binding",
	[CCDM_COND_PHASE] = "phase",
	[CCDM_COND_ALL] = "all",
	[CCDM_COND_ANY] = "any",
	[CCDM_COND_NOT] = "not",
};

#define CCDM_CONDS (ARRAY_SIZE(ccdm_cond_names))

const char *ccdm_cond_name(enum ccdm_cond_kind kind)
{
	return ccdm_cond_names[kind];
}

/* ---- conditions with members ------------------------------------------------- */

static const char *const ccdm_banks[] = { "sha256", "sha384", "sha512", NULL };
static const char *const ccdm_covers[] = { "image", "firmware", NULL };
static const char *const ccdm_statuses[] = { "UpToDate",
					     "SWHardeningNeeded",
					     "ConfigurationNeeded",
					     "ConfigurationAndSWHardeningNeeded",
					     "OutOfDate",
					     "OutOfDateConfigurationNeeded",
					     NULL };
/* Members of signer, pcr, rtmr, event, tcb, measurement and enclave-id: words, or digits from @min to @max; a number up to @most; a name; a register */
static const struct ccdm_member {
	enum ccdm_cond_kind kind;
	enum { A_WORD, A_NUMBER, A_NAME, A_REGISTER } is;
	const char *name;
	const char *const *words;
	unsigned int min, max;
	unsigned int most;
} ccdm_members[] = {
	{ CCDM_COND_SIGNER, A_WORD, "key", NULL, 64, 64, 0 },
	{ CCDM_COND_SIGNER, A_NAME, "product", NULL, 0, 0, 0 },
	{ CCDM_COND_SIGNER, A_NUMBER, "svn", NULL, 0, 0, UINT32_MAX },
	{ CCDM_COND_PCR, A_WORD, "bank", ccdm_banks, 0, 0, 0 },
	/* 16 to 23 can be reset while the system runs */
	{ CCDM_COND_PCR, A_NUMBER, "index", NULL, 0, 0, 15 },
	{ CCDM_COND_PCR, A_WORD, "value", NULL, 64, 2 * CCDM_DIGEST_MAX, 0 },
	{ CCDM_COND_RTMR, A_NUMBER, "index", NULL, 0, 0, 3 },
	{ CCDM_COND_RTMR, A_WORD, "value", NULL, 96, 96, 0 },
	{ CCDM_COND_MEASUREMENT, A_WORD, "value", NULL, 96, 96, 0 },
	{ CCDM_COND_MEASUREMENT, A_WORD, "covers", ccdm_covers, 0, 0, 0 },
	{ CCDM_COND_ENCLAVE_ID, A_WORD, "value", NULL, 64, 96, 0 },
	{ CCDM_COND_ENCLAVE_ID, A_WORD, "covers", ccdm_covers, 0, 0, 0 },
	{ CCDM_COND_EVENT, A_REGISTER, "register", NULL, 0, 0, 0 },
	{ CCDM_COND_EVENT, A_NAME, "name", NULL, 0, 0, 0 },
	{ CCDM_COND_EVENT, A_WORD, "digest", NULL, 64, 2 * CCDM_DIGEST_MAX, 0 },
	{ CCDM_COND_TCB, A_WORD, "status", ccdm_statuses, 0, 0, 0 },
	{ CCDM_COND_TCB, A_NUMBER, "fmc", NULL, 0, 0, 255 },
	{ CCDM_COND_TCB, A_NUMBER, "bootloader", NULL, 0, 0, 255 },
	{ CCDM_COND_TCB, A_NUMBER, "tee", NULL, 0, 0, 255 },
	{ CCDM_COND_TCB, A_NUMBER, "snp", NULL, 0, 0, 255 },
	{ CCDM_COND_TCB, A_NUMBER, "microcode", NULL, 0, 0, 255 },
};

/* One member of one of them. */
struct ccdm_part {
	enum ccdm_cond_kind kind;
	json_t *to;
};

static int ccdm_part_take(struct ccdm_yaml *y, const yaml_node_t *key, const char *word,
			  const yaml_node_t *n, void *arg)
{
	const struct ccdm_member *m, *end = ccdm_members + sizeof(ccdm_members) / sizeof(*m);
	struct ccdm_part *part = arg;
	json_t *value;
	int r;

	for (m = ccdm_members; m < end; m++)
		if (m->kind == part->kind && !strcmp(word, m->name))
			break;
	if (m == end)
		return ccdm_yaml_bad(y, key, "this word is not known here:", word);
	if (m->is == A_WORD)
		value = ccdm_value_words(y, n, m->words, m->min, m->max, &r);
	else if (m->is == A_NUMBER)
		value = ccdm_value_number(y, n, m->most, &r);
	else if (m->is == A_REGISTER)
		value = ccdm_value_register(y, n, &r);
	else
		value = ccdm_value_name(y, n, &r);
	if (!value)
		return r ? r : -ENOMEM;
	if (json_object_set_new(part->to, word, value))
		return -ENOMEM;
	return r;
}

/* Members that must be there. */
static int ccdm_parts_all(struct ccdm_yaml *y, const yaml_node_t *n, const json_t *o,
			  const char *const *need, const char *why)
{
	for (; *need; need++)
		if (!json_object_get(o, *need))
			return ccdm_yaml_bad(y, n, why, *need);
	return 0;
}

static json_t *ccdm_value_parts(struct ccdm_yaml *y, const yaml_node_t *n, enum ccdm_cond_kind kind,
				int *r)
{
	static const char *const signer[] = { "key", "product", "svn", NULL };
	static const char *const reg[] = { "index", "value", NULL };
	static const char *const covered[] = { "value", "covers", NULL };
	static const char *const event[] = { "register", NULL };
	struct ccdm_part part = { kind, json_object() };

	*r = part.to ? ccdm_yaml_members(y, n, ccdm_part_take, &part) : -ENOMEM;
	if (*r)
		return part.to;
	/* an old image with its holes has the same signer */
	if (kind == CCDM_COND_SIGNER)
		*r = ccdm_parts_all(y, n, part.to, signer, "a signer must have a");
	else if (kind == CCDM_COND_PCR)
		*r = ccdm_parts_all(y, n, part.to, reg, "a PCR must have a");
	else if (kind == CCDM_COND_RTMR)
		*r = ccdm_parts_all(y, n, part.to, reg, "an RTMR must have a");
	else if (kind == CCDM_COND_MEASUREMENT || kind == CCDM_COND_ENCLAVE_ID)
		*r = ccdm_parts_all(y, n, part.to, covered, "there must be a");
	else if (kind == CCDM_COND_EVENT)
		*r = ccdm_parts_all(y, n, part.to, event, "an event must have a");
	if (!*r && kind == CCDM_COND_PCR && !json_object_get(part.to, "bank") &&
	    json_object_set_new(part.to, "bank", json_pack("[s]", "sha256")))
		*r = -ENOMEM;
	if (!*r && kind == CCDM_COND_PCR && json_array_size(json_object_get(part.to, "bank")) != 1)
		*r = ccdm_yaml_bad(y, n, "a PCR is of one bank", NULL);
	if (!*r && kind != CCDM_COND_PCR && json_array_size(json_object_get(part.to, "covers")) > 1)
		*r = ccdm_yaml_bad(y, n, "covers is one word, image or firmware", NULL);
	if (!*r && kind == CCDM_COND_EVENT && !json_object_get(part.to, "name") &&
	    !json_object_get(part.to, "digest"))
		*r = ccdm_yaml_bad(y, n, "an event must have a name or a digest", NULL);
	if (!*r && !json_object_size(part.to))
		*r = ccdm_yaml_bad(y, n, "nothing is wanted here", NULL);
	return part.to;
}

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

/* The list that a condition is put into, and how deep it is. */
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

static json_t *ccdm_cond_value(struct ccdm_yaml *y, const yaml_node_t *n, enum ccdm_cond_kind kind,
			       int *r)
{
	static const char *const tees[] = { "snp", "tdx", "tpm", NULL };
	static const char *const bindings[] = { "paravisor", "svsm",	 "provider",
						"none",	     "tpm-only", NULL };
	static const char *const phases[] = { "initrd", "running", "unknown", NULL };
	static const char *const generations[] = { "Milan", "Genoa", "Turin", "Venice", NULL };
	static const char *const any[] = { "any", NULL };

	switch (kind) {
	case CCDM_COND_TEE:
		return ccdm_value_words(y, n, tees, 0, 0, r);
	case CCDM_COND_DEBUG:
	case CCDM_COND_ALIAS_CHECK:
		return ccdm_value_bool(y, n, r);
	case CCDM_COND_VMPL:
		return ccdm_value_number(y, n, 3, r);
	case CCDM_COND_MEASUREMENT:
		return n->type == YAML_MAPPING_NODE ? ccdm_value_parts(y, n, kind, r)
						    : ccdm_value_words(y, n, NULL, 96, 96, r);
	case CCDM_COND_ENCLAVE_ID:
		return n->type == YAML_MAPPING_NODE ? ccdm_value_parts(y, n, kind, r)
						    : ccdm_value_words(y, n, NULL, 64, 96, r);
	case CCDM_COND_BANK:
		return ccdm_value_words(y, n, ccdm_banks, 0, 0, r);
	case CCDM_COND_HOST_DATA:
		return ccdm_value_words(y, n, NULL, 64, 64, r);
	case CCDM_COND_ID_KEY:
	case CCDM_COND_AUTHOR_KEY:
		return ccdm_value_words(y, n, NULL, 96, 96, r);
	case CCDM_COND_CHIP:
		return ccdm_value_words(y, n, NULL, 16, 128, r);
	case CCDM_COND_GENERATION:
		return ccdm_value_words(y, n, generations, 0, 0, r);
	case CCDM_COND_IDENTITY:
		return ccdm_value_words(y, n, any, 0, 0, r);
	case CCDM_COND_BINDING:
		return ccdm_value_words(y, n, bindings, 0, 0, r);
	case CCDM_COND_PHASE:
		return ccdm_value_words(y, n, phases, 0, 0, r);
	default:
		return ccdm_value_parts(y, n, kind, r);
	}
}

static int ccdm_cond_take(struct ccdm_yaml *y, const yaml_node_t *key, const char *word,
			  const yaml_node_t *n, void *arg)
{
	struct ccdm_conds *to = arg, inner;
	enum ccdm_cond_kind kind;
	struct ccdm_cond *c;
	json_t *value;
	int r;

	for (kind = 0; kind < CCDM_CONDS; kind++)
		if (!strcmp(word, ccdm_cond_names[kind]))
			break;
	if (kind == CCDM_CONDS)
		return ccdm_yaml_bad(y, key, "this condition is not known:", word);
	if (++y->conds > CCDM_POLICY_CONDS)
		return ccdm_yaml_bad(y, key, "more conditions than a policy may have", NULL);
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
		return ccdm_yaml_bad(y, n, "there must be a list of conditions here", NULL);
	inner = (struct ccdm_conds){ &c->child, to->depth };
	return ccdm_yaml_elements(y, n, ccdm_conds_element, &inner);
}

static int ccdm_conds_read(struct ccdm_yaml *y, const yaml_node_t *map, struct ccdm_cond *in,
			   unsigned int depth)
{
	struct ccdm_conds to = { &in->child, depth };
	int r = ccdm_yaml_members(y, map, ccdm_cond_take, &to);

	if (!r && !in->child)
		r = ccdm_yaml_bad(y, map, "nothing is required here", NULL);
	return r;
}

/* ---- what need not be said ----------------------------------------------------------- */

static bool ccdm_cond_said(const struct ccdm_cond *all, enum ccdm_cond_kind kind)
{
	const struct ccdm_cond *c;

	/* a floor of versions says nothing of the status */
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
	return ccdm_yaml_bad(y, n, "this is no secret, REPO/TYPE/TAG or REPO/TYPE/*:", text);
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
			return ccdm_yaml_bad(y, n, "a name is 1 to 64 of a-z, 0-9, - _ .", NULL);
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
	return ccdm_yaml_bad(y, key, "this word is not known here:", word);
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
		return ccdm_yaml_bad(y, top, "a policy must require something", NULL);
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
	int r;

	if (!yaml_parser_load(parser, &doc))
		return parser->error == YAML_MEMORY_ERROR
			       ? -ENOMEM
			       : ccdm_err_set(err, -EINVAL, "%s: line %zu, column %zu: %s", what,
					      parser->problem_mark.line + 1,
					      parser->problem_mark.column + 1,
					      parser->problem ? parser->problem : "no YAML");
	*end = !yaml_document_get_root_node(&doc);
	if (*end) {
		yaml_document_delete(&doc);
		return 0;
	}
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
				r = ccdm_err_set(err, -EINVAL, "%s: two policies are named %s",
						 what, p->name);
		if (*tail)
			tail = &(*tail)->next;
	}
	yaml_parser_delete(&parser);
	if (!r && !*policies)
		r = ccdm_err_set(err, -EINVAL, "%s: no policy in it", what);
	if (r) {
		ccdm_policy_free(*policies);
		*policies = NULL;
		return r == -ENOMEM ? ccdm_err_memory(err) : r;
	}
	return 0;
}

bool ccdm_policy_opens(const struct ccdm_policy *policy, const char *secret)
{
	size_t i;

	if (!ccdm_kbs_path_good(secret))
		return false;
	for (i = 0; i < json_array_size(policy->secrets); i++) {
		const char *s = json_string_value(json_array_get(policy->secrets, i));
		size_t n = strlen(s);

		/* the last word stands for one TAG, which has no slash */
		if (s[n - 1] == '*' ? !strncmp(s, secret, n - 1) : !strcmp(s, secret))
			return true;
	}
	return false;
}
