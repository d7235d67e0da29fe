/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* runtime_parts.h - the parts of runtime.h's texts; for runtime*.c alone */
#ifndef CCDM_RUNTIME_PARTS_H
#define CCDM_RUNTIME_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include "base/compiler.h"
#include "base/err.h"
#include "runtime.h"
#include "user.h"

/**
 * struct ccdm_runtime_parts - what both texts are made of
 * @in: what was given
 * @user: who the workload runs as
 * @caps: bounding set
 * @volumes: paths in the container, resolved and sorted; a volume's number is its place
 * @said: array of warnings
 */
struct ccdm_runtime_parts {
	const struct ccdm_runtime_input *in;
	struct ccdm_user user;
	uint64_t caps;
	json_t *volumes;
	json_t *said;
};

/* Set @volumes. Return: 0, -EINVAL for a place that the sandbox does not allow, -ENOMEM. */
int __must_check ccdm_runtime_volumes(struct ccdm_runtime_parts *p, struct ccdm_err *err);

/* "process". Return: 0, -EINVAL if there is nothing to run, -ENOMEM. */
int __must_check ccdm_runtime_process(const struct ccdm_runtime_parts *p, json_t **process,
				      struct ccdm_err *err);

/* "mounts"; as ccdm_runtime_volumes(). */
int __must_check ccdm_runtime_mounts(const struct ccdm_runtime_parts *p, json_t **mounts,
				     struct ccdm_err *err);

/* workload.json; NULL: out of memory. */
json_t *ccdm_runtime_workload(const struct ccdm_runtime_parts *p);

/* Append a warning for the builder. If memory is short, the array becomes NULL. */
void ccdm_runtime_say(struct ccdm_runtime_parts *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
