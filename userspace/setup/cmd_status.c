// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_status.c - ccdm-setup status [NAME] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "verb.h"

static const struct ccdm_option status_options[] = {
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit status_take(int option, void *arg)
{
	if (option != 'j')
		return CCDM_EXIT_USAGE;
	*(bool *)arg = true;
	return CCDM_EXIT_OK;
}

static void status_print(const struct ccdm_dm_info *info)
{
	char text[64], size[32];
	const char *s = info->status, *origin = strstr(info->table, " origin:");

	printf("/dev/mapper/%s is active%s.\n", info->name,
	       info->open_count ? " and is in use" : "");
	printf("  type:       ccdm, ephemeral\n");
	if (ccdm_dm_word(s, "state", text, sizeof(text)))
		printf("  state:      %s%s\n", text, info->suspended ? " (suspended)" : "");
	if (ccdm_dm_word(s, "suite", text, sizeof(text)))
		printf("  cipher:     %s", text);
	if (ccdm_dm_word(s, "gmac", text, sizeof(text)) && strcmp(text, "none"))
		printf(" (gmac:%s)", text);
	printf("\n");
	printf("  device:     %s\n", info->backing);
	if (origin)
		printf("  origin:     %.*s\n", (int)strcspn(origin + 8, " "), origin + 8);
	printf("  size:       %s (%llu sectors)\n", ccdm_ui_human(info->length * 512, size),
	       (unsigned long long)info->length);
	if (ccdm_dm_word(s, "cache_kib", text, sizeof(text)))
		printf("  cache:      %s KiB, %llu nodes dirty, %llu unwritable\n", text,
		       (unsigned long long)ccdm_dm_number(s, "dirty"),
		       (unsigned long long)ccdm_dm_number(s, "unwritable"));
	printf("  blocks:     %llu read, %llu written, %llu zeroed, %llu poisoned\n",
	       (unsigned long long)ccdm_dm_number(s, "read"),
	       (unsigned long long)ccdm_dm_number(s, "written"),
	       (unsigned long long)ccdm_dm_number(s, "zeroed"),
	       (unsigned long long)ccdm_dm_number(s, "poisoned"));
	printf("  errors:     %llu on data, %llu on nodes, %llu tampers\n",
	       (unsigned long long)ccdm_dm_number(s, "data_errors"),
	       (unsigned long long)ccdm_dm_number(s, "node_errors"),
	       (unsigned long long)ccdm_dm_number(s, "tampers"));
	if (ccdm_dm_word(s, "scrub", text, sizeof(text)))
		printf("  scrub:      %s\n", text);
}

static enum ccdm_exit cmd_status(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_dm_info *info;
	struct ccdm_err err = { 0 };
	bool json = false, over;
	enum ccdm_exit e;
	char state[16];
	int r;

	e = ccdm_setup_options(verb, argc, argv, status_take, &json, &over);
	if (over)
		return e;
	info = malloc(sizeof(*info));
	if (!info)
		return ccdm_setup_memory();
	r = ccdm_setup_dm(&err);
	if (!r)
		r = ccdm_dm_info(argv[optind] ? argv[optind] : CCDM_ROOT_NAME, info, &err);
	if (r) {
		e = ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	} else {
		if (json) {
			ccdm_setup_json(info, 0);
			putchar('\n');
		} else {
			status_print(info);
		}
		if (!e && ccdm_dm_word(info->status, "state", state, sizeof(state)) &&
		    !strcmp(state, "tampered"))
			e = CCDM_EXIT_TAMPER;
	}
	free(info);
	return e;
}

const struct ccdm_setup_verb ccdm_verb_status = {
	.verb = { .name = "status",
		  .usage = "[NAME]",
		  .summary = "show the state of a mapping (default: the root)",
		  .options = status_options,
		  .offer = "@mapping|",
		  .min_args = 0,
		  .max_args = 1 },
	.run = cmd_status,
};
