// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_list.c - ccdm-setup list */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "verb.h"

struct list_args {
	bool json;
	bool any;
};

static const struct ccdm_option list_options[] = {
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit list_take(int option, void *arg)
{
	struct list_args *a = arg;

	if (option != 'j')
		return CCDM_EXIT_USAGE;
	a->json = true;
	return CCDM_EXIT_OK;
}

#define LIST_WORD 32

static const char *list_word(const struct ccdm_dm_info *info, const char *key, char word[LIST_WORD])
{
	return ccdm_dm_word(info->status, key, word, LIST_WORD) ? word : "?";
}

static int list_each(const char *name, void *arg, struct ccdm_err *err)
{
	struct ccdm_dm_info *info = malloc(sizeof(*info));
	char state[LIST_WORD], suite[LIST_WORD], size[32];
	struct list_args *a = arg;
	int r;

	if (!info)
		return ccdm_err_memory(err);
	r = ccdm_dm_info(name, info, err);
	if (!r) {
		if (a->json) {
			fputs(a->any ? ",\n  " : "[\n  ", stdout);
			ccdm_setup_json(info, 2);
		} else {
			if (!a->any)
				printf("%-20s %-10s %-8s %-20s %s\n", "NAME", "SIZE", "DEVICE",
				       "CIPHER", "STATE");
			printf("%-20s %-10s %-8s %-20s %s\n", info->name,
			       ccdm_ui_human(info->length * 512, size), info->backing,
			       list_word(info, "suite", suite), list_word(info, "state", state));
		}
		a->any = true;
	}
	free(info);
	return r == -ENXIO ? 0 : r; /* the last mapping disappeared in the meantime */
}

static enum ccdm_exit cmd_list(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct list_args a = { 0 };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, list_take, &a, &over);
	if (over)
		return e;
	r = ccdm_setup_dm(&err);
	if (!r)
		r = ccdm_dm_list(list_each, &a, &err);
	/* a list that ends with an error is valid JSON, too */
	if (a.json && a.any)
		puts("\n]");
	else if (a.json && !r)
		puts("[]");
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_list = {
	.verb = { .name = "list",
		  .usage = "",
		  .summary = "list the mappings",
		  .options = list_options,
		  .min_args = 0,
		  .max_args = 0 },
	.run = cmd_list,
};
