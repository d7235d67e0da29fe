// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* attest_log.c - see attest_log.h */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "attest_log.h"
#include "base/file.h"
#include "boot/measure.h"
#include "base/json.h"
#include "log/tcglog.h"

#define TRIES 8 /* attempts while something is measured */

/* Add a file as a member, as text or in base64. A missing file adds nothing. */
static int ccdm_attest_file(json_t *o, const char *key, const char *file, size_t max, bool text,
			    struct ccdm_err *err)
{
	char *bytes;
	size_t size;
	int r;

	if (access(file, R_OK))
		return 0;
	r = ccdm_file_read(file, max, &bytes, &size, err);
	if (r)
		return r;
	if (json_object_set_new(o, key,
				text ? json_stringn(bytes, size) : ccdm_json_make(bytes, size)))
		r = ccdm_err_set(err, -ENOMEM, "%s: out of memory, or the log is not UTF-8", file);
	free(bytes);
	return r;
}

static int ccdm_attest_logs(const struct ccdm_attest_logs *logs, json_t **o, struct ccdm_err *err)
{
	int r;

	*o = json_object();
	r = *o ? 0 : ccdm_err_memory(err);
	if (!r)
		r = ccdm_attest_file(*o, logs->key, logs->file, CCDM_TCGLOG_MAX, false, err);
	if (!r)
		r = ccdm_attest_file(*o, "ccdm_log", CCDM_EVENTLOG_FILE, CCDM_EVENTLOG_MAX, true,
				     err);
	if (!r)
		r = ccdm_attest_file(*o, "systemd_log", CCDM_MEASURE_SYSTEMD_LOG, CCDM_EVENTLOG_MAX,
				     true, err);
	return r;
}

int ccdm_attest_steady(const struct ccdm_attest_logs *logs, json_t *o, struct ccdm_err *err)
{
	json_t *before = NULL, *after;
	bool steady = false;
	unsigned int n;
	int r = ccdm_attest_logs(logs, &before, err);

	for (n = 0; !r && !steady && n < TRIES; n++) {
		r = logs->sign(logs->arg, err);
		if (r)
			break;
		r = ccdm_attest_logs(logs, &after, err);
		steady = !r && json_equal(before, after);
		json_decref(before);
		before = after;
	}
	if (!r && !steady)
		r = ccdm_err_set(err, -EAGAIN,
				 "the registers changed at every attempt to quote them; try again");
	if (!r && json_object_update(o, before))
		r = ccdm_err_memory(err);
	json_decref(before);
	return r;
}
