// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* ui_report.c - see ui_report.h */
#include <errno.h>
#include <stdio.h>
#include "ui.h"
#include "ui_report.h"

int ccdm_ui_json(json_t *object, struct ccdm_err *err)
{
	int r;

	if (!object)
		return ccdm_err_memory(err);
	/* ASCII only: text from others must not steer a terminal in JSON output either. */
	r = json_dumpf(object, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	json_decref(object);
	if (r || puts("") == EOF || fflush(stdout))
		return ccdm_err_set(err, -EIO, "cannot write JSON to standard output");
	return 0;
}

void ccdm_ui_checks(const struct ccdm_verdict *v)
{
	unsigned int i;

	for (i = 0; i < v->count; i++) {
		const struct ccdm_check *c = &v->check[i];

		printf("%-7s %-20s %s; expected %s\n",
		       c->allowed  ? "allowed"
		       : c->passed ? "ok"
				   : "FAILED",
		       c->name, c->found, c->expected);
	}
}
