// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tab.c - see tab.h */
#include <errno.h>
#include <string.h>
#include "base/compiler.h"
#include "base/file.h"
#include "base/ui.h"
#include "tab.h"

#define CCDM_TAB_LINES	256
#define CCDM_TAB_BLANKS " \t\r"

/* The place in the file that an error message names. */
struct ccdm_tab_at {
	const char *file;
	unsigned int line;
	const char *start;
};

static int ccdm_tab_bad(const struct ccdm_tab_at *at, const char *word, const char *expected,
			struct ccdm_err *err)
{
	return ccdm_err_set(err, -EINVAL, "%s:%u:%d: '%s': expected %s", at->file, at->line,
			    (int)(word - at->start) + 1, word, expected);
}

/* Store one option in its field of the entry, according to the type of its value. */
static int ccdm_tab_option(const struct ccdm_tab_at *at, char *word, struct ccdm_tab_entry *e,
			   struct ccdm_err *err)
{
	const struct {
		const char *name;
		bool *flag;
		const char **text;
		uint64_t *size;
	} options[] = {
		{ "cipher", NULL, &e->open.cipher, NULL },
		{ "on-tamper", NULL, &e->open.on_tamper, NULL },
		{ "origin", NULL, &e->open.origin, NULL },
		{ "uuid", NULL, &e->open.uuid, NULL },
		{ "cache-size", NULL, NULL, &e->open.cache },
		{ "size", NULL, NULL, &e->open.size },
		{ "allow-discards", &e->open.allow_discards, NULL, NULL },
		{ "allow-kdump", &e->open.allow_kdump, NULL, NULL },
		{ "yes", &e->wipe, NULL, NULL },
		{ "mkfs", NULL, &e->mkfs, NULL },
		{ "swap", &e->swap, NULL, NULL },
		{ "nofail", &e->nofail, NULL, NULL },
		{ "noauto", &e->noauto, NULL, NULL },
		{ "x-initrd.attach", &e->initrd, NULL, NULL },
	};
	size_t i, n = strcspn(word, "=");
	char *value = word[n] ? word + n + 1 : NULL;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (strlen(options[i].name) == n && !strncmp(options[i].name, word, n))
			break;
	if (i == ARRAY_SIZE(options))
		return ccdm_tab_bad(at, word, "an option of ccdmtab(5)", err);
	if (!options[i].flag != !!value || (value && !*value))
		return ccdm_tab_bad(at, word,
				    value ? "an option without a value" : "an option with a value",
				    err);
	if (options[i].flag) {
		*options[i].flag = true;
	} else if (options[i].size) {
		if (ccdm_ui_size(value, options[i].size) || !*options[i].size)
			return ccdm_tab_bad(at, value, "a size", err);
	} else {
		*options[i].text = value;
	}
	return 0;
}

/* Check values of which only some texts are allowed. */
static int ccdm_tab_sense(const struct ccdm_tab_at *at, struct ccdm_tab_entry *e,
			  struct ccdm_err *err)
{
	const char *wrong;

	if (e->mkfs && strcmp(e->mkfs, "ext4") && strcmp(e->mkfs, "xfs"))
		return ccdm_tab_bad(at, e->mkfs, "ext4 or xfs", err);
	if (e->mkfs && e->swap)
		return ccdm_tab_bad(at, e->mkfs, "either swap or mkfs", err);
	if (!ccdm_open_words(&e->open, &wrong))
		return ccdm_tab_bad(at, wrong, "a value that \"ccdm-setup open\" accepts", err);
	if (!strcmp(e->open.device, "gpt"))
		e->open.device = NULL;
	else if (strncmp(e->open.device, "/dev/", 5) && strncmp(e->open.device, "PARTUUID=", 9))
		return ccdm_tab_bad(at, e->open.device, "/dev/..., PARTUUID=... or gpt", err);
	return 0;
}

static int ccdm_tab_line(const struct ccdm_tab_at *at, char *line, struct ccdm_tab_entry *e,
			 struct ccdm_err *err)
{
	char *save = NULL, *more, *name, *options, *word;
	int r = 0;

	name = strtok_r(line, CCDM_TAB_BLANKS, &save);
	e->open.name = name;
	e->open.device = strtok_r(NULL, CCDM_TAB_BLANKS, &save);
	options = strtok_r(NULL, CCDM_TAB_BLANKS, &save);
	more = strtok_r(NULL, CCDM_TAB_BLANKS, &save);
	if (strncmp(name, CCDM_TAB_PREFIX, strlen(CCDM_TAB_PREFIX)) ||
	    !name[strlen(CCDM_TAB_PREFIX)] ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")])
		return ccdm_tab_bad(at, name,
				    "a name that begins with " CCDM_TAB_PREFIX
				    ", of letters, digits and _.-",
				    err);
	if (!e->open.device)
		return ccdm_tab_bad(at, name, "a device after the name", err);
	if (more)
		return ccdm_tab_bad(at, more, "the end of the line", err);
	save = NULL;
	for (word = options ? strtok_r(options, ",", &save) : NULL; !r && word;
	     word = strtok_r(NULL, ",", &save))
		r = ccdm_tab_option(at, word, e, err);
	return r ? r : ccdm_tab_sense(at, e, err);
}

struct ccdm_tab_walk {
	struct ccdm_tab_at at;
	const char *names[CCDM_TAB_LINES];
	unsigned int count;
	int (*each)(const struct ccdm_tab_entry *entry, void *arg, struct ccdm_err *err);
	void *arg;
};

static int ccdm_tab_entry(char *line, unsigned int number, void *arg, struct ccdm_err *err)
{
	struct ccdm_tab_walk *walk = arg;
	struct ccdm_tab_entry e = { 0 };
	char *p = line + strspn(line, CCDM_TAB_BLANKS);
	unsigned int i;
	int r;

	if (!*p || *p == '#')
		return 0;
	walk->at.line = number;
	walk->at.start = line;
	r = ccdm_tab_line(&walk->at, line, &e, err);
	if (r)
		return r;
	for (i = 0; i < walk->count; i++)
		if (!strcmp(walk->names[i], e.open.name))
			return ccdm_tab_bad(&walk->at, e.open.name, "a name that appears once",
					    err);
	if (walk->count == CCDM_TAB_LINES)
		return ccdm_tab_bad(&walk->at, e.open.name, "fewer lines in the file", err);
	walk->names[walk->count++] = e.open.name;
	return walk->each ? walk->each(&e, walk->arg, err) : 0;
}

int ccdm_tab_parse(const char *file, const char *text, size_t size,
		   int (*each)(const struct ccdm_tab_entry *entry, void *arg, struct ccdm_err *err),
		   void *arg, struct ccdm_err *err)
{
	struct ccdm_tab_walk first = { .at.file = file };
	struct ccdm_tab_walk walk = { .at.file = file, .each = each, .arg = arg };
	int r = ccdm_file_lines(file, text, size, CCDM_TAB_MAX, ccdm_tab_entry, &first, err);

	return r ? r : ccdm_file_lines(file, text, size, CCDM_TAB_MAX, ccdm_tab_entry, &walk, err);
}
