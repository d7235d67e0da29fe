/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* workload_health.h - /run/ccdm/health.json: whether the workload works */
#ifndef CCDM_WORKLOAD_HEALTH_H
#define CCDM_WORKLOAD_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "workload_json.h"

#define CCDM_WORKLOAD_HEALTH_FILE "/run/ccdm/health.json"

/**
 * enum ccdm_workload_status - what the checks say
 * @CCDM_WORKLOAD_STARTING: no check has succeeded, and failures do not count yet
 * @CCDM_WORKLOAD_HEALTHY: the last check succeeded, or too few have failed since
 * @CCDM_WORKLOAD_UNHEALTHY: as many as 'retries' have failed in a row
 */
enum ccdm_workload_status {
	CCDM_WORKLOAD_STARTING,
	CCDM_WORKLOAD_HEALTHY,
	CCDM_WORKLOAD_UNHEALTHY
};

/**
 * struct ccdm_workload_state - content of the file
 * @status: see there
 * @failures: in a row
 * @last: exit status of the last check; -1: there was none
 * @since: milliseconds of CLOCK_MONOTONIC at the workload's start
 */
struct ccdm_workload_state {
	enum ccdm_workload_status status;
	unsigned int failures;
	int last;
	int64_t since;
};

/**
 * ccdm_workload_health_next() - count the result of a check
 * @h: the rules
 * @state: as it was; set to what it is
 * @now: milliseconds of CLOCK_MONOTONIC
 * @result: exit status of the check; 0: the workload works
 *
 * Return: true if the workload becomes unhealthy by this result.
 */
bool __must_check ccdm_workload_health_next(const struct ccdm_workload_health *h,
					    struct ccdm_workload_state *state, int64_t now,
					    int result);

/* A workload that starts @now. */
void ccdm_workload_health_reset(struct ccdm_workload_state *state, int64_t now);

int __must_check ccdm_workload_health_save(const char *file,
					   const struct ccdm_workload_state *state,
					   struct ccdm_err *err);
/* Return: 0; -EINVAL for another content; errors of the file */
int __must_check ccdm_workload_health_load(const char *file, struct ccdm_workload_state *state,
					   struct ccdm_err *err);

#endif
