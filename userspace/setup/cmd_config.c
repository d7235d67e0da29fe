// SPDX-License-Identifier: Apache-2.0
/* cmd_config.c - ccdm-setup config check|files [FILE] */
#include <stdio.h>
#include <string.h>
#include "../lib/config.h"
#include "setup.h"

static const struct option config_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

enum ccdm_exit cmd_config(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_config config;
	struct ccdm_err err = { 0 };
	const char *file;
	enum ccdm_exit e;
	bool over, files;
	int r;

	e = ccdm_setup_options(verb, argc, argv, config_options, NULL, NULL, 1, 2, &over);
	if (over)
		return e;
	files = !strcmp(argv[optind], "files");
	if (!files && strcmp(argv[optind], "check"))
		return ccdm_setup_usage(verb, "what to do with it is one of: check, files");
	file = argv[optind + 1] ? argv[optind + 1] : CCDM_CONFIG_FILE;
	r = ccdm_config_load(file, &config, &err);
	if (r)
		return ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	if (!files)
		printf("%s: good\n", file);
	if (files && config.workload[0])
		puts(config.workload);
	if (files && config.signer[0])
		puts(config.signer);
	return CCDM_EXIT_OK;
}
