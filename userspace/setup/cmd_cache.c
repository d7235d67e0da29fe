// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_cache.c - ccdm-setup cache NAME SIZE */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "ccdm_format.h"
#include "setup.h"

static int cache_change(const char *name, const char *size, struct ccdm_err *err)
{
	struct ccdm_dm_info info;
	char message[64];
	uint64_t bytes;
	int r;

	if (ccdm_ui_size(size, &bytes) || !bytes)
		return ccdm_err_set(err, -EINVAL, "expected a size, found '%s'", size);
	r = ccdm_setup_dm(err);
	if (!r)
		r = ccdm_dm_info(name, &info, err);
	if (r)
		return r;
	snprintf(message, sizeof(message), "cache_mib %llu",
		 (unsigned long long)((bytes + (1 << 20) - 1) >> 20));
	r = ccdm_dm_message(name, message, err);
	if (r == -EINVAL)
		ccdm_err_set(
			err, r,
			"%s: cannot set the cache to %s: expected at least %u MiB and at most half "
			"of the memory",
			name, size, CCDM_CACHE_MIB_MIN);
	else if (r == -ENOSPC)
		r = ccdm_err_set(
			err, -EINVAL,
			"%s: cannot set the cache to %s: the memory allocated when the mapping was "
			"opened is larger",
			name, size);
	return r;
}

static enum ccdm_exit cmd_cache(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, NULL, NULL, &over);
	if (over)
		return e;
	r = cache_change(argv[optind], argv[optind + 1], &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_cache = {
	.verb = { .name = "cache",
		  .usage = "NAME SIZE",
		  .summary = "change the cache size of an open mapping",
		  .offer = "@mapping|",
		  .min_args = 2,
		  .max_args = 2 },
	.run = cmd_cache,
};
