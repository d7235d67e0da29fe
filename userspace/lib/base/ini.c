// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* ini.c - see ini.h */
#include <errno.h>
#include <string.h>
#include "file.h"
#include "ini.h"

#define CCDM_INI_WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

static int ccdm_ini_bad(const struct ccdm_ini_item *at, unsigned int column, const char *what,
			struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "%s:%u:%u: %s", at->file, at->line, column, what);
}

static char *ccdm_ini_blanks(char *p)
{
	return p + strspn(p, " \t");
}

static void ccdm_ini_trim(char *p)
{
	size_t n = strlen(p);

	while (n && strchr(" \t\r", p[n - 1]))
		p[--n] = '\0';
}

/* Parses "[name]". */
static int ccdm_ini_section(char *line, char *p, struct ccdm_ini_item *item, struct ccdm_err *err)
{
	size_t n = strspn(p + 1, CCDM_INI_WORD);

	if (!n)
		return ccdm_ini_bad(item, p + 2 - line, "a section needs a name", err);
	if (p[1 + n] != ']')
		return ccdm_ini_bad(item, p + 2 + n - line, "expected ']' here", err);
	if (p[2 + n])
		return ccdm_ini_bad(item, p + 3 + n - line, "expected the end of the line here",
				    err);
	p[1 + n] = '\0';
	item->section = p + 1;
	item->key = NULL;
	item->value = NULL;
	item->key_column = p + 2 - line;
	return 0;
}

/* Parses "key = value". */
static int ccdm_ini_key(char *line, char *p, struct ccdm_ini_item *item, struct ccdm_err *err)
{
	size_t n = strspn(p, CCDM_INI_WORD);
	char *equals = ccdm_ini_blanks(p + n), *value;

	if (!n)
		return ccdm_ini_bad(item, p + 1 - line, "expected a key, a section or a comment",
				    err);
	if (*equals != '=')
		return ccdm_ini_bad(item, equals + 1 - line, "expected '=' here", err);
	if (!item->section)
		return ccdm_ini_bad(item, p + 1 - line, "expected a section before the first key",
				    err);
	value = ccdm_ini_blanks(equals + 1);
	p[n] = '\0';
	item->key = p;
	item->value = value;
	item->key_column = p + 1 - line;
	item->value_column = value + 1 - line;
	return 0;
}

struct ccdm_ini_walk {
	struct ccdm_ini_item item;
	int (*each)(const struct ccdm_ini_item *item, void *arg, struct ccdm_err *err);
	void *arg;
};

static int ccdm_ini_line(char *line, unsigned int number, void *arg, struct ccdm_err *err)
{
	struct ccdm_ini_walk *walk = arg;
	char *p = ccdm_ini_blanks(line);
	int r;

	ccdm_ini_trim(line);
	if (!*p || *p == '#' || *p == ';')
		return 0;
	walk->item.line = number;
	r = *p == '[' ? ccdm_ini_section(line, p, &walk->item, err)
		      : ccdm_ini_key(line, p, &walk->item, err);
	return r ? r : walk->each(&walk->item, walk->arg, err);
}

int ccdm_ini_parse(const char *file, const char *text, size_t size,
		   int (*each)(const struct ccdm_ini_item *item, void *arg, struct ccdm_err *err),
		   void *arg, struct ccdm_err *err)
{
	struct ccdm_ini_walk walk = { .item.file = file, .each = each, .arg = arg };

	return ccdm_file_lines(file, text, size, CCDM_INI_MAX, ccdm_ini_line, &walk, err);
}
