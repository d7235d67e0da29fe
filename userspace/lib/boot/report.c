// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* report.c - see report.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/file.h"
#include "base/json.h"
#include "report.h"

json_t *ccdm_report_load(struct ccdm_err *err)
{
	json_error_t where;
	json_t *report;
	char *text;
	size_t size;

	if (ccdm_file_read(CCDM_REPORT_FILE, CCDM_REPORT_MAX, &text, &size, err))
		return NULL;
	report = json_loadb(text, size, 0, &where);
	free(text);
	if (!json_is_object(report)) {
		json_decref(report);
		ccdm_err_set(err, -EINVAL, CCDM_REPORT_FILE ": %s", where.text);
		return NULL;
	}
	return report;
}

int ccdm_report_put(const char *key, json_t *value, struct ccdm_err *err)
{
	struct ccdm_err none = { 0 };
	json_t *report = ccdm_report_load(&none);
	char *text = NULL;
	int r = -ENOMEM;

	if (!report)
		report = json_object();
	if (report && value && !json_object_set_new(report, key, value))
		text = ccdm_json_dump(report, JSON_INDENT(2));
	if (text) {
		mkdir(CCDM_RUN, 0755);
		r = ccdm_file_write(CCDM_REPORT_FILE, text, strlen(text), 0644, err);
	} else {
		r = ccdm_err_memory(err);
	}
	free(text);
	json_decref(report);
	return r;
}
