// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* yaml.c - see yaml.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "yaml.h"

/* ---- nodes --------------------------------------------------------------- */

int ccdm_yaml_bad(const struct ccdm_yaml *y, const yaml_node_t *at, const char *why,
		  const char *which)
{
	return ccdm_err_set(y->err, -EINVAL, "%s:%zu:%zu: %s%s%s", y->what, at->start_mark.line + 1,
			    at->start_mark.column + 1, why, which ? " " : "", which ? which : "");
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

/* ---- values -------------------------------------------------------------- */

int ccdm_yaml_number(const struct ccdm_yaml *y, const yaml_node_t *n, uint64_t least, uint64_t most,
		     uint64_t *value)
{
	const char *text = ccdm_yaml_text(n);
	char why[96];

	if (!text || !*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 10)
		return ccdm_yaml_bad(y, n, "expected a whole number", NULL);
	*value = strtoull(text, NULL, 10);
	if (*value >= least && *value <= most)
		return 0;
	snprintf(why, sizeof(why), "expected a number from %llu to %llu, found",
		 (unsigned long long)least, (unsigned long long)most);
	return ccdm_yaml_bad(y, n, why, text);
}

int ccdm_yaml_bool(const struct ccdm_yaml *y, const yaml_node_t *n, bool *value)
{
	const char *text = ccdm_yaml_text(n);

	*value = text && !strcmp(text, "true");
	if (*value || (text && !strcmp(text, "false")))
		return 0;
	return ccdm_yaml_bad(y, n, "expected true or false", NULL);
}

int ccdm_yaml_word(const struct ccdm_yaml *y, const yaml_node_t *n, const char *const *words,
		   unsigned int *place)
{
	const char *text = ccdm_yaml_text(n);
	char why[160] = "expected ";
	unsigned int i;

	for (i = 0; words[i]; i++) {
		if (text && !strcmp(text, words[i])) {
			*place = i;
			return 0;
		}
		snprintf(why + strlen(why), sizeof(why) - strlen(why), "%s%s",
			 !i		? ""
			 : words[i + 1] ? ", "
					: " or ",
			 words[i]);
	}
	if (text)
		snprintf(why + strlen(why), sizeof(why) - strlen(why), ", found");
	return ccdm_yaml_bad(y, n, why, text);
}

/* ---- documents ----------------------------------------------------------- */

int ccdm_yaml_load(struct ccdm_yaml *y, yaml_parser_t *parser, bool *end)
{
	*end = false;
	if (!yaml_parser_load(parser, y->doc)) {
		if (parser->error == YAML_MEMORY_ERROR)
			return -ENOMEM;
		return ccdm_err_set(y->err, -EINVAL, "%s:%zu:%zu: %s", y->what,
				    parser->problem_mark.line + 1, parser->problem_mark.column + 1,
				    parser->problem ? parser->problem : "invalid YAML");
	}
	*end = !yaml_document_get_root_node(y->doc);
	if (*end)
		yaml_document_delete(y->doc);
	return 0;
}

/* The tag that libyaml gives a node that has none. */
static bool ccdm_yaml_untagged(const yaml_node_t *n)
{
	const char *plain = n->type == YAML_SCALAR_NODE	    ? YAML_STR_TAG
			    : n->type == YAML_SEQUENCE_NODE ? YAML_SEQ_TAG
							    : YAML_MAP_TAG;

	return !strcmp((const char *)n->tag, plain);
}

/* Mark a node as used. An alias is the second use. */
static int ccdm_yaml_use(const struct ccdm_yaml *y, const yaml_node_t *by, int index, bool *used)
{
	const yaml_node_t *n = ccdm_yaml_node(y, index);

	if (used[index])
		return ccdm_yaml_bad(y, by, "an alias (*NAME) is not allowed; repeat the value",
				     NULL);
	used[index] = true;
	if (!ccdm_yaml_untagged(n))
		return ccdm_yaml_bad(y, n, "a tag is not allowed:", (const char *)n->tag);
	return 0;
}

static int ccdm_yaml_uses(const struct ccdm_yaml *y, const yaml_node_t *n, bool *used)
{
	const yaml_node_pair_t *p;
	const yaml_node_item_t *i;
	int r = 0;

	if (n->type == YAML_MAPPING_NODE)
		for (p = n->data.mapping.pairs.start; !r && p < n->data.mapping.pairs.top; p++) {
			r = ccdm_yaml_use(y, n, p->key, used);
			if (!r)
				r = ccdm_yaml_use(y, ccdm_yaml_node(y, p->key), p->value, used);
		}
	if (n->type == YAML_SEQUENCE_NODE)
		for (i = n->data.sequence.items.start; !r && i < n->data.sequence.items.top; i++)
			r = ccdm_yaml_use(y, n, *i, used);
	return r;
}

static int ccdm_yaml_plain(const struct ccdm_yaml *y, size_t most)
{
	const yaml_node_t *n, *top = y->doc->nodes.top;
	size_t count = y->doc->nodes.top - y->doc->nodes.start;
	bool *used;
	int r = 0;

	if (count > most)
		return ccdm_err_set(y->err, -EINVAL, "%s: more than %zu keys and values", y->what,
				    most);
	used = calloc(count + 1, sizeof(*used));
	if (!used)
		return -ENOMEM;
	used[1] = true; /* the top */
	if (!ccdm_yaml_untagged(y->doc->nodes.start))
		r = ccdm_yaml_bad(y, y->doc->nodes.start, "a tag is not allowed", NULL);
	for (n = y->doc->nodes.start; !r && n < top; n++)
		r = ccdm_yaml_uses(y, n, used);
	free(used);
	return r;
}

static int ccdm_yaml_read(struct ccdm_yaml *y, yaml_parser_t *parser, size_t most,
			  int (*take)(struct ccdm_yaml *y, const yaml_node_t *top, void *arg),
			  void *arg)
{
	bool end;
	int r = ccdm_yaml_load(y, parser, &end);

	if (r)
		return r;
	if (end)
		return ccdm_err_set(y->err, -EINVAL, "%s: expected a document, found none",
				    y->what);
	r = ccdm_yaml_plain(y, most);
	if (!r)
		r = take(y, yaml_document_get_root_node(y->doc), arg);
	yaml_document_delete(y->doc);
	if (r)
		return r;
	r = ccdm_yaml_load(y, parser, &end);
	if (r || end)
		return r;
	r = ccdm_yaml_bad(y, yaml_document_get_root_node(y->doc),
			  "expected the end of the file, found a second document", NULL);
	yaml_document_delete(y->doc);
	return r;
}

int ccdm_yaml_one(const char *what, const char *text, size_t size, size_t max, size_t most,
		  int (*take)(struct ccdm_yaml *y, const yaml_node_t *top, void *arg), void *arg,
		  struct ccdm_err *err)
{
	yaml_document_t doc;
	struct ccdm_yaml y = { .what = what, .doc = &doc, .err = err };
	yaml_parser_t parser;
	int r;

	if (size > max)
		return ccdm_err_set(err, -EINVAL, "%s: larger than %zu bytes", what, max);
	if (!yaml_parser_initialize(&parser))
		return ccdm_err_memory(err);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	r = ccdm_yaml_read(&y, &parser, most, take, arg);
	yaml_parser_delete(&parser);
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}
