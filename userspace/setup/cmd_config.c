// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_config.c - ccdm-setup config check|files|attest [FILE] */
#include <stdio.h>
#include <string.h>
#include "base/compiler.h"
#include "boot/config.h"
#include "setup.h"

/* Print the files that the configuration names and the initrd must contain. */
static void config_files(const struct ccdm_config *config)
{
	const char *const files[] = { config->workload_file, config->signer, config->ca,
				      config->certificate };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i][0])
			puts(files[i]);
}

static enum ccdm_exit cmd_config(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_config config;
	struct ccdm_err err = { 0 };
	const char *file;
	enum ccdm_exit e;
	const char *what;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, NULL, NULL, &over);
	if (over)
		return e;
	what = argv[optind];
	if (strcmp(what, "check") && strcmp(what, "files") && strcmp(what, "attest"))
		return ccdm_setup_usage(verb, "expected one of: check, files, attest");
	file = argv[optind + 1] ? argv[optind + 1] : CCDM_CONFIG_FILE;
	r = ccdm_config_load(file, &config, &err);
	if (r)
		return ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	if (!strcmp(what, "check"))
		printf("%s: valid\n", file);
	if (!strcmp(what, "files"))
		config_files(&config);
	if (!strcmp(what, "attest"))
		return config.attest == CCDM_ATTEST_OFF ? CCDM_EXIT_REFUSED : CCDM_EXIT_OK;
	return CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_config = {
	.verb = { .name = "config",
		  .usage = "check|files|attest [FILE]",
		  .summary = "check the boot configuration; list its files",
		  .offer = "check files attest|@file",
		  .min_args = 1,
		  .max_args = 2 },
	.run = cmd_config,
};
