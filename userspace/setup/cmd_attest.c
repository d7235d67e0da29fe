// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_attest.c - ccdm-setup attest */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "broker_args.h"

struct attest_args {
	struct ccdm_broker_args with;
	const char *output;
	bool json;
};

static const struct ccdm_option attest_options[] = {
	CCDM_BROKER_ARGS_OPTIONS,
	{ "output", 0, 'o', "FILE", "write the token to FILE", "@file", NULL },
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit attest_take(int option, void *arg)
{
	struct attest_args *a = arg;

	if (option == 'o')
		a->output = optarg;
	else if (option == 'j')
		a->json = true;
	else if (!ccdm_broker_args_take(&a->with, option, optarg))
		return CCDM_EXIT_USAGE;
	return CCDM_EXIT_OK;
}

static int attest_do(struct attest_args *a, struct ccdm_err *err)
{
	struct ccdm_session *s = NULL;
	const char *token;
	int r = ccdm_broker_args_conf(&a->with, false, err);

	if (!r)
		r = ccdm_session_open(&a->with.session, &s, err);
	if (!r)
		r = ccdm_session_attest(s, err);
	token = r ? NULL : ccdm_session_token(s);
	if (token && a->output)
		r = ccdm_file_write(a->output, token, strlen(token), 0600, err);
	ccdm_session_close(s);
	return r;
}

static enum ccdm_exit cmd_attest(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct attest_args *a = calloc(1, sizeof(*a));
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	if (!a)
		return ccdm_setup_memory();
	e = ccdm_setup_options(verb, argc, argv, attest_take, a, &over);
	if (!over) {
		r = attest_do(a, &err);
		if (r)
			e = ccdm_ui_fail(CCDM_PROGRAM, &err, r);
		else if (a->json)
			e = ccdm_setup_print(json_pack("{s:s, s:s, s:s}", "broker", a->with.broker,
						       "tee", a->with.session.primary->tee,
						       "result", "accepted"));
		else
			printf("accepted by %s: %s\n", a->with.broker,
			       a->with.session.primary->what);
	}
	ccdm_broker_args_drop(&a->with);
	free(a);
	return e;
}

const struct ccdm_setup_verb ccdm_verb_attest = {
	.verb = { .name = "attest",
		  .usage = "",
		  .summary = "prove to a broker what this guest runs",
		  .options = attest_options,
		  .min_args = 0,
		  .max_args = 0 },
	.run = cmd_attest,
};
