// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_health.c - see workload_health.h */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "base/file.h"
#include "base/json.h"
#include "workload_health.h"

#define HEALTH_MAX 4096

static const char *const ccdm_workload_health_words[] = { "starting", "healthy", "unhealthy" };

void ccdm_workload_health_reset(struct ccdm_workload_state *state, int64_t now)
{
	*state = (struct ccdm_workload_state){ .last = -1, .since = now };
}

bool ccdm_workload_health_next(const struct ccdm_workload_health *h,
			       struct ccdm_workload_state *state, int64_t now, int result)
{
	bool was = state->status == CCDM_WORKLOAD_UNHEALTHY;

	state->last = result;
	if (!result) {
		state->status = CCDM_WORKLOAD_HEALTHY;
		state->failures = 0;
		return false;
	}
	/* a check that has succeeded once ends the start period */
	if (state->status == CCDM_WORKLOAD_STARTING &&
	    now - state->since < (int64_t)h->start_period)
		return false;
	state->failures++;
	if (state->failures >= (h->retries ? h->retries : 1))
		state->status = CCDM_WORKLOAD_UNHEALTHY;
	return state->status == CCDM_WORKLOAD_UNHEALTHY && !was;
}

int ccdm_workload_health_save(const char *file, const struct ccdm_workload_state *state,
			      struct ccdm_err *err)
{
	json_t *o = json_pack("{s:s, s:i, s:i, s:I}", "status",
			      ccdm_workload_health_words[state->status], "failures",
			      (int)state->failures, "last", state->last, "since_ms",
			      (json_int_t)state->since);
	char *text = ccdm_json_dump(o, JSON_COMPACT);
	int r = text ? ccdm_file_write(file, text, strlen(text), 0644, err) : ccdm_err_memory(err);

	free(text);
	json_decref(o);
	return r;
}

int ccdm_workload_health_load(const char *file, struct ccdm_workload_state *state,
			      struct ccdm_err *err)
{
	json_int_t since = 0;
	const char *status = NULL;
	int failures = 0, last = 0, r;
	char *text;
	size_t i, size;
	json_t *o;

	r = ccdm_file_read(file, HEALTH_MAX, &text, &size, err);
	if (r)
		return r;
	o = json_loadb(text, size, 0, NULL);
	free(text);
	r = -EINVAL;
	if (!json_unpack(o, "{s:s, s:i, s:i, s:I}", "status", &status, "failures", &failures,
			 "last", &last, "since_ms", &since) &&
	    failures >= 0)
		for (i = 0; i < ARRAY_SIZE(ccdm_workload_health_words); i++)
			if (!strcmp(status, ccdm_workload_health_words[i])) {
				*state = (struct ccdm_workload_state){
					.status = i,
					.failures = failures,
					.last = last,
					.since = since,
				};
				r = 0;
			}
	json_decref(o);
	return r ? ccdm_err_set(err, r, "%s: expected what ccdm-setup wrote", file) : 0;
}
