// SPDX-License-Identifier: Apache-2.0
/* main.c - ccdm-broker, the broker's admin tool */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/file.h"
#include "policy.h"

#define PROGRAM "ccdm-broker"

static const struct option broker_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static void broker_help(FILE *to)
{
	fprintf(to,
		"usage: " PROGRAM " policy check [OPTION...] FILE...\n\n"
		"  policy check FILE...   are these policies good, and what is odd about them\n\n"
		"      --json             as JSON\n"
		"  -h, --help             this\n"
		"  -V, --version          version\n\n"
		"man 8 " PROGRAM "; man 5 ccdm-policy\n");
}

static const char *policy_odd(const struct ccdm_policy *p)
{
	return p->identity ? NULL : "no condition says which image it must be: any guest gets them";
}

/* One file; the JSON object of each policy goes to @all. */
static int policy_file(const char *file, bool json, json_t *all, struct ccdm_err *err)
{
	struct ccdm_policy *policies = NULL, *p;
	char *text;
	size_t size;
	json_t *o;
	int r;

	r = ccdm_file_read(file, CCDM_POLICY_MAX, &text, &size, err);
	if (r)
		return r;
	r = ccdm_policy_parse(file, text, size, &policies, err);
	free(text);
	for (p = policies; p; p = p->next) {
		const char *odd = policy_odd(p);

		o = json_pack("{s:s, s:s, s:O}", "file", file, "name", p->name, "secrets",
			      p->secrets);
		if (odd)
			json_object_set_new(o, "warning", json_string(odd));
		json_array_append_new(all, o);
		if (json)
			continue;
		printf("%s: %s: good\n", file, p->name);
		if (odd)
			fprintf(stderr, PROGRAM ": %s: %s: %s\n", file, p->name, odd);
	}
	ccdm_policy_free(policies);
	return r;
}

static enum ccdm_exit policy_check(int count, char **files, bool json)
{
	json_t *all = json_array();
	struct ccdm_err err = { 0 };
	int i, r = 0;

	for (i = 0; !r && i < count; i++)
		r = policy_file(files[i], json, all, &err);
	if (r) {
		json_decref(all);
		return ccdm_ui_fail(PROGRAM, &err, r);
	}
	if (json)
		return ccdm_ui_json(all);
	json_decref(all);
	return CCDM_EXIT_OK;
}

int main(int argc, char **argv)
{
	bool json = false;
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "hV", broker_options, NULL)) != -1) {
		switch (o) {
		case 'j':
			json = true;
			break;
		case 'h':
			broker_help(stdout);
			return CCDM_EXIT_OK;
		case 'V':
			puts(PROGRAM " " CCDM_VERSION);
			return CCDM_EXIT_OK;
		default:
			fprintf(stderr, PROGRAM ": %s is not an option\n", argv[optind - 1]);
			broker_help(stderr);
			return CCDM_EXIT_USAGE;
		}
	}
	if (argc - optind >= 3 && !strcmp(argv[optind], "policy") &&
	    !strcmp(argv[optind + 1], "check"))
		return policy_check(argc - optind - 2, argv + optind + 2, json);
	broker_help(stderr);
	return CCDM_EXIT_USAGE;
}
