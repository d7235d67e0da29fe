// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_userns.c - see workload_userns.h */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "workload_bundle.h"
#include "workload_userns.h"

/* Does the bounding set have CAP_SYS_ADMIN? */
static int ccdm_workload_userns_may(const char *from, bool *may, struct ccdm_err *err)
{
	json_t *config = NULL, *set, *one;
	char path[PATH_MAX], *text;
	size_t i, size;
	int r;

	*may = false;
	snprintf(path, sizeof(path), "%s/config.json", from);
	r = ccdm_file_read(path, CCDM_WORKLOAD_CONFIG_MAX, &text, &size, err);
	if (r)
		return r;
	config = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	set = json_object_get(json_object_get(json_object_get(config, "process"), "capabilities"),
			      "bounding");
	if (!json_is_array(set))
		r = ccdm_err_set(err, -EINVAL,
				 "%s: expected the array process.capabilities.bounding", path);
	json_array_foreach(set, i, one)
	{
		if (json_is_string(one) && !strcmp(json_string_value(one), "CAP_SYS_ADMIN"))
			*may = true;
	}
	json_decref(config);
	return r;
}

int ccdm_workload_userns_close(const char *from, const char *file, struct ccdm_err *err)
{
	bool may;
	int r = ccdm_workload_userns_may(from, &may, err);

	if (r || may || access(file, F_OK))
		return r;
	return ccdm_file_tell(file, "0", err);
}
