// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_fields.c - see workload_fields.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/ui.h"
#include "workload.h"
#include "workload_fields.h"

/* ---- values ----------------------------------------------------------------------- */

const char *ccdm_field_text(const struct ccdm_yaml *y, const yaml_node_t *n, int *r)
{
	const char *text = ccdm_yaml_text(n);

	*r = 0;
	if (!text)
		*r = ccdm_yaml_bad(y, n, "expected a text", NULL);
	else if (n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		 (!*text || !strcmp(text, "~") || !strcasecmp(text, "null")))
		*r = ccdm_yaml_bad(y, n, "expected a value, found none; quote a text like", "\"\"");
	return *r ? NULL : text;
}

int ccdm_field_append(json_t *list, json_t *value)
{
	return json_array_append_new(list, value) ? -ENOMEM : 0;
}

/* Is one of the parts of a path ".."? */
static bool ccdm_field_up(const char *path)
{
	for (; *path; path += strcspn(path, "/"), path += strspn(path, "/"))
		if (strcspn(path, "/") == 2 && !strncmp(path, "..", 2))
			return true;
	return false;
}

int ccdm_field_path(const struct ccdm_yaml *y, const yaml_node_t *n, char *to, size_t size)
{
	const char *p, *text;
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	if (*text != '/' || ccdm_field_up(text))
		return ccdm_yaml_bad(y, n, "expected an absolute path without '..', found", text);
	if (strlen(text) >= size)
		return ccdm_yaml_bad(y, n, "this path is too long", NULL);
	for (p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return ccdm_yaml_bad(y, n, "this path has a control character:", text);
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int ccdm_field_word(const struct ccdm_yaml *y, const yaml_node_t *n,
			   const struct ccdm_field *f, const char **to)
{
	unsigned int place = 0;
	int r = ccdm_yaml_word(y, n, f->words, &place);

	if (!r)
		*to = f->words[place];
	return r;
}

static int ccdm_field_size(const struct ccdm_yaml *y, const yaml_node_t *n,
			   const struct ccdm_field *f, uint64_t *bytes)
{
	const char *text;
	char why[96];
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	if (!ccdm_ui_size(text, bytes) && *bytes >= f->min && *bytes <= f->max)
		return 0;
	snprintf(why, sizeof(why), "expected a size from %llu to %llu bytes (512M, 2G), found",
		 (unsigned long long)f->min, (unsigned long long)f->max);
	return ccdm_yaml_bad(y, n, why, text);
}

/* "90", "1h30m", "1m30s": units in falling order, each once. */
static bool ccdm_field_seconds(const char *text, uint64_t *seconds)
{
	static const char units[] = "hms";
	static const uint64_t factor[] = { 3600, 60, 1 };
	const char *unit = units;
	size_t n;

	*seconds = 0;
	do {
		n = strspn(text, "0123456789");
		if (!n || n > 9)
			return false;
		/* a number alone counts seconds */
		if (!text[n] && unit == units)
			unit = units + 2;
		else
			unit = text[n] ? strchr(unit, text[n]) : NULL;
		if (!unit)
			return false;
		*seconds += strtoull(text, NULL, 10) * factor[unit - units];
		text += n + (text[n] ? 1 : 0);
		unit++;
	} while (*text);
	return true;
}

static int ccdm_field_duration(const struct ccdm_yaml *y, const yaml_node_t *n,
			       const struct ccdm_field *f, uint64_t *seconds)
{
	const char *text;
	char why[96];
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	if (ccdm_field_seconds(text, seconds) && *seconds >= f->min && *seconds <= f->max)
		return 0;
	snprintf(why, sizeof(why), "expected %llu to %llu seconds (10, 10s, 1m30s), found",
		 (unsigned long long)f->min, (unsigned long long)f->max);
	return ccdm_yaml_bad(y, n, why, text);
}

static int ccdm_field_mode(const struct ccdm_yaml *y, const yaml_node_t *n,
			   const struct ccdm_field *f, uint64_t *mode)
{
	const char *text;
	char why[96];
	size_t size;
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	size = strlen(text);
	*mode = strtoull(text, NULL, 8);
	/* four digits: "400" could be meant as decimal */
	if (size == 4 && *text == '0' && strspn(text, "01234567") == size && !(*mode & ~f->max))
		return 0;
	snprintf(why, sizeof(why),
		 "expected permissions as four octal digits, with bits of 0%llo "
		 "only, found",
		 (unsigned long long)f->max);
	return ccdm_yaml_bad(y, n, why, text);
}

static int ccdm_field_name(const struct ccdm_yaml *y, const yaml_node_t *n,
			   const struct ccdm_field *f, char *to)
{
	const char *text, *p;
	char why[96];
	int r;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	for (p = text; *p > ' ' && *p <= '~';)
		p++;
	if (p != text && !*p && (uint64_t)(p - text) <= f->max) {
		memcpy(to, text, p - text + 1);
		return 0;
	}
	snprintf(why, sizeof(why), "expected 1 to %llu characters without blanks",
		 (unsigned long long)f->max);
	return ccdm_yaml_bad(y, n, why, NULL);
}

/* ---- lists ------------------------------------------------------------------------ */

int ccdm_field_array(struct ccdm_yaml *y, const yaml_node_t *n, uint64_t most,
		     int (*take)(struct ccdm_yaml *y, const yaml_node_t *n, void *arg),
		     json_t **list)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return ccdm_yaml_bad(y, n, "expected a list", NULL);
	json_decref(*list);
	*list = json_array();
	if (!*list)
		return -ENOMEM;
	if (n->data.sequence.items.start == n->data.sequence.items.top)
		return 0;
	if ((uint64_t)(n->data.sequence.items.top - n->data.sequence.items.start) > most)
		return ccdm_yaml_bad(y, n, "this list is too long", NULL);
	return ccdm_yaml_elements(y, n, take, *list);
}

static int ccdm_field_list_text(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	const char *text;
	int r;

	text = ccdm_field_text(y, n, &r);
	return r ? r : ccdm_field_append(arg, json_string(text));
}

/* ---- mappings --------------------------------------------------------------------- */

/* The table that is read, and the struct. */
struct ccdm_fields {
	const struct ccdm_field *fields;
	void *to;
};

int ccdm_field_value(struct ccdm_yaml *y, const yaml_node_t *n, const struct ccdm_field *f,
		     void *base)
{
	void *to = (char *)base + f->offset;

	switch (f->type) {
	case CCDM_FIELD_WORD:
		return ccdm_field_word(y, n, f, to);
	case CCDM_FIELD_NUMBER:
		return ccdm_yaml_number(y, n, f->min, f->max, to);
	case CCDM_FIELD_SIZE:
		return ccdm_field_size(y, n, f, to);
	case CCDM_FIELD_DURATION:
		return ccdm_field_duration(y, n, f, to);
	case CCDM_FIELD_MODE:
		return ccdm_field_mode(y, n, f, to);
	case CCDM_FIELD_BOOL:
		return ccdm_yaml_bool(y, n, to);
	case CCDM_FIELD_TEXT:
		return ccdm_field_name(y, n, f, to);
	case CCDM_FIELD_PATH:
		return ccdm_field_path(y, n, to, f->max + 1);
	case CCDM_FIELD_LIST:
		return ccdm_field_array(y, n, f->max, ccdm_field_list_text, to);
	default:
		return f->call(y, n, base);
	}
}

static int ccdm_field_take(struct ccdm_yaml *y, const yaml_node_t *key, const char *word,
			   const yaml_node_t *value, void *arg)
{
	const struct ccdm_fields *all = arg;
	const struct ccdm_field *f;
	char why[320];
	size_t at;

	for (f = all->fields; f->key; f++)
		if (!strcmp(f->key, word))
			return ccdm_field_value(y, value, f, all->to);
	at = snprintf(why, sizeof(why), "expected ");
	for (f = all->fields; f->key; f++)
		at += snprintf(why + at, sizeof(why) - at, "%s%s", f->key,
			       f[1].key ? ", " : "; unknown key");
	return ccdm_yaml_bad(y, key, why, word);
}

int ccdm_fields_read(struct ccdm_yaml *y, const yaml_node_t *map, const struct ccdm_field *fields,
		     void *to)
{
	struct ccdm_fields all = { fields, to };

	return ccdm_yaml_members(y, map, ccdm_field_take, &all);
}
