// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* policy_yaml.c - see policy_yaml.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/digest.h"
#include "policy_yaml.h"

/* ---- reading ------------------------------------------------------------- */

int ccdm_yaml_bad(const struct ccdm_yaml *y, const yaml_node_t *at, const char *why,
		  const char *which)
{
	return ccdm_err_set(y->err, -EINVAL, "%s: line %zu, column %zu: %s%s%s", y->what,
			    at->start_mark.line + 1, at->start_mark.column + 1, why,
			    which ? " " : "", which ? which : "");
}

yaml_node_t *ccdm_yaml_node(const struct ccdm_yaml *y, int index)
{
	return yaml_document_get_node(y->doc, index);
}

const char *ccdm_yaml_text(const yaml_node_t *n)
{
	const char *text;

	if (n->type != YAML_SCALAR_NODE)
		return NULL;
	text = (const char *)n->data.scalar.value;
	return strlen(text) == n->data.scalar.length ? text : NULL;
}

int ccdm_yaml_members(struct ccdm_yaml *y, const yaml_node_t *map,
		      int (*take)(struct ccdm_yaml *y, const yaml_node_t *key, const char *word,
				  const yaml_node_t *value, void *arg),
		      void *arg)
{
	const yaml_node_pair_t *p, *q;
	int r = 0;

	if (map->type != YAML_MAPPING_NODE)
		return ccdm_yaml_bad(y, map, "expected members KEY: VALUE", NULL);
	for (p = map->data.mapping.pairs.start; !r && p < map->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = ccdm_yaml_node(y, p->key);
		const char *word = ccdm_yaml_text(key), *before;

		if (!word)
			return ccdm_yaml_bad(y, key, "expected a word", NULL);
		for (q = map->data.mapping.pairs.start; q < p; q++) {
			before = ccdm_yaml_text(ccdm_yaml_node(y, q->key));
			if (before && !strcmp(word, before))
				return ccdm_yaml_bad(y, key, "this key appears twice:", word);
		}
		r = take(y, key, word, ccdm_yaml_node(y, p->value), arg);
	}
	return r;
}

int ccdm_yaml_elements(struct ccdm_yaml *y, const yaml_node_t *list,
		       int (*take)(struct ccdm_yaml *y, const yaml_node_t *n, void *arg), void *arg)
{
	const yaml_node_item_t *i;
	int r = 0;

	if (list->type != YAML_SEQUENCE_NODE)
		return take(y, list, arg);
	if (list->data.sequence.items.start == list->data.sequence.items.top)
		return ccdm_yaml_bad(y, list, "expected a list that is not empty", NULL);
	for (i = list->data.sequence.items.start; !r && i < list->data.sequence.items.top; i++)
		r = take(y, ccdm_yaml_node(y, *i), arg);
	return r;
}

/* ---- values --------------------------------------------------------------- */

/* What a word may be. */
struct ccdm_words {
	const char *const *words; /* one of these, ends with NULL; or */
	unsigned int min, max;	  /* so many hexadecimal digits, an even number */
	json_t *to;
};

static int ccdm_word_take(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	const struct ccdm_words *w = arg;
	const char *text = ccdm_yaml_text(n);
	char low[2 * CCDM_DIGEST_MAX + 1];
	size_t i, size;

	if (!text)
		return ccdm_yaml_bad(y, n, "expected a word", NULL);
	for (i = 0; w->words && w->words[i]; i++)
		if (!strcmp(text, w->words[i]))
			return json_array_append_new(w->to, json_string(text)) ? -ENOMEM : 0;
	if (w->words)
		return ccdm_yaml_bad(y, n, "unknown value:", text);
	size = strlen(text);
	if (size < w->min || size > w->max || size % 2 ||
	    strspn(text, "0123456789abcdefABCDEF") != size)
		return ccdm_yaml_bad(
			y, n, "expected a digest in hexadecimal of the right length, found:", text);
	for (i = 0; i <= size; i++)
		low[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] + 32) : text[i];
	return json_array_append_new(w->to, json_string(low)) ? -ENOMEM : 0;
}

json_t *ccdm_value_words(struct ccdm_yaml *y, const yaml_node_t *n, const char *const *words,
			 unsigned int min, unsigned int max, int *r)
{
	struct ccdm_words w = { words, min, max, json_array() };

	*r = w.to ? ccdm_yaml_elements(y, n, ccdm_word_take, &w) : -ENOMEM;
	return w.to;
}

json_t *ccdm_value_number(struct ccdm_yaml *y, const yaml_node_t *n, unsigned long most, int *r)
{
	const char *text = ccdm_yaml_text(n);
	unsigned long value;
	char *end;

	*r = 0;
	if (!text || !*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 10) {
		*r = ccdm_yaml_bad(y, n, "expected a whole number", NULL);
		return NULL;
	}
	value = strtoul(text, &end, 10);
	if (value > most) {
		*r = ccdm_yaml_bad(y, n, "this number is too large:", text);
		return NULL;
	}
	return json_integer((json_int_t)value);
}

json_t *ccdm_value_bool(struct ccdm_yaml *y, const yaml_node_t *n, int *r)
{
	const char *text = ccdm_yaml_text(n);

	*r = 0;
	if (text && !strcmp(text, "true"))
		return json_true();
	if (text && !strcmp(text, "false"))
		return json_false();
	*r = ccdm_yaml_bad(y, n, "expected true or false", NULL);
	return NULL;
}

json_t *ccdm_value_name(struct ccdm_yaml *y, const yaml_node_t *n, int *r)
{
	const char *text = ccdm_yaml_text(n);
	size_t size = 0;

	*r = 0;
	while (text && text[size] > ' ' && text[size] <= '~')
		size++;
	if (text && size && !text[size] && size < CCDM_NAME_MAX)
		return json_string(text);
	*r = ccdm_yaml_bad(y, n, "expected a name of 1 to 63 characters without blanks", NULL);
	return NULL;
}

json_t *ccdm_value_register(struct ccdm_yaml *y, const yaml_node_t *n, int *r)
{
	const char *text = ccdm_yaml_text(n);
	char want[8];
	unsigned int i;

	*r = 0;
	/* PCR 16 to 23 can be reset while the system runs */
	for (i = 0; text && i < 20; i++) {
		snprintf(want, sizeof(want), i < 16 ? "pcr%u" : "rtmr%u", i < 16 ? i : i - 16);
		if (!strcmp(text, want))
			return json_string(text);
	}
	*r = ccdm_yaml_bad(y, n, "expected pcr0 to pcr15 or rtmr0 to rtmr3, found:", text);
	return NULL;
}
