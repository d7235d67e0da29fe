// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_close.c - ccdm-setup close NAME */
#include <errno.h>
#include <string.h>
#include "disk/device.h"
#include "verb.h"

struct close_args {
	bool deferred;
	bool discard;
};

static const struct ccdm_option close_options[] = {
	{ "deferred", 0, 'd', NULL, "close the mapping when its last user is gone", NULL, NULL },
	{ "discard", 0, 'D', NULL, "then discard the whole backing device", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit close_take(int option, void *arg)
{
	struct close_args *a = arg;

	if (option == 'd')
		a->deferred = true;
	else if (option == 'D')
		a->discard = true;
	else
		return CCDM_EXIT_USAGE;
	return CCDM_EXIT_OK;
}

static int close_mapping(const struct close_args *a, const char *name, struct ccdm_err *err)
{
	struct ccdm_dm_info info;
	int r = ccdm_setup_dm(err);

	if (!r)
		r = ccdm_dm_info(name, &info, err);
	if (r)
		return r;
	r = ccdm_dm_remove(name, a->deferred, err);
	if (!r && a->discard)
		r = ccdm_device_discard(info.backing, err);
	return r;
}

static enum ccdm_exit cmd_close(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct close_args a = { 0 };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, close_take, &a, &over);
	if (over)
		return e;
	if (a.deferred && a.discard)
		return ccdm_setup_usage(verb, "--discard and --deferred cannot be combined");
	r = close_mapping(&a, argv[optind], &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_close = {
	.verb = { .name = "close",
		  .usage = "NAME",
		  .summary = "close a mapping; its content is lost",
		  .options = close_options,
		  .offer = "@mapping|",
		  .min_args = 1,
		  .max_args = 1 },
	.run = cmd_close,
};
