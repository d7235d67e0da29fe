// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* inspect_base.c - ccdm-image inspect --base: is what the disk has of a base that base? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/json.h"
#include "image/base_difference.h"
#include "inspect.h"

static int inspect_base_say(const char *line, void *arg)
{
	json_t **lines = arg;

	if (!lines) {
		puts(line);
		return 0;
	}
	ccdm_json_add(lines, json_string(line));
	return *lines ? 0 : -ENOMEM;
}

enum ccdm_exit inspect_base(const char *folder, const struct ccdm_image_disk *disk, bool as_json)
{
	struct ccdm_base *base = calloc(1, sizeof(*base));
	enum ccdm_exit e = CCDM_EXIT_OK;
	struct ccdm_err err = { 0 };
	json_t *lines = json_array();
	unsigned int count = 0;
	int r = base && lines ? 0 : ccdm_err_memory(&err);

	if (!r)
		r = ccdm_base_open(folder, base, &err);
	if (!r)
		r = ccdm_base_difference(&disk->boot, base, inspect_base_say,
					 as_json ? &lines : NULL, &count, &err);
	if (r)
		e = ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	else if (as_json)
		e = ccdm_image_print(json_pack("{s:s, s:s, s:s, s:I, s:b, s:O?}", "file",
					       disk->boot.source.name, "base", folder, "name",
					       base->name, "svn", (json_int_t)base->svn, "same",
					       !count, "differences", lines));
	else if (!count)
		ccdm_ui_line("the base of %s is %s, svn %" PRIu64 ", byte for byte",
			     disk->boot.source.name, base->name, base->svn);
	if (!e && count)
		e = CCDM_EXIT_REFUSED;
	json_decref(lines);
	if (base)
		ccdm_base_close(base);
	free(base);
	return e;
}
