// SPDX-License-Identifier: Apache-2.0
/* attest_log.c - see attest_log.h */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "attest_log.h"
#include "base64.h"
#include "file.h"
#include "measure.h"

json_t *ccdm_attest_base64(const void *bytes, size_t size)
{
	char *text = ccdm_base64(bytes, size);
	json_t *value = text ? json_string(text) : NULL;

	free(text);
	return value;
}

int ccdm_attest_file(json_t *o, const char *key, const char *file, size_t max, bool text,
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
				text ? json_stringn(bytes, size) : ccdm_attest_base64(bytes, size)))
		r = ccdm_err_set(err, -ENOMEM, "%s: out of memory, or no text", file);
	free(bytes);
	return r;
}

int ccdm_attest_logs(json_t *o, struct ccdm_err *err)
{
	int r = ccdm_attest_file(o, "ccdm_log", CCDM_EVENTLOG_FILE, CCDM_EVENTLOG_MAX, true, err);

	if (!r)
		r = ccdm_attest_file(o, "systemd_log", CCDM_MEASURE_SYSTEMD_LOG, CCDM_EVENTLOG_MAX,
				     true, err);
	return r;
}
