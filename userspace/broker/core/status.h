/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* status.h - state of a running broker */
#ifndef CCDM_BROKER_STATUS_H
#define CCDM_BROKER_STATUS_H

#include "base/compiler.h"
#include "broker.h"

/**
 * ccdm_status() - collect the state for an operator
 * @answer: set: {"version", "started", "policies": number, or null if they cannot be read,
 *	"secrets", "database": {"schema"}, "log": {"lines", "head"},
 *	"reload": null or {"time", "result": "done" | "failed", "why"?}, "refusals": {reason: number},
 *	"rows-refused", "trust": {directory: number of files, or null}, "warnings": [text]};
 *	the caller drops it
 *
 * Return: 0, -errno if the database does not answer.
 */
int __must_check ccdm_status(struct ccdm_broker *broker, json_t **answer, struct ccdm_err *err);

#endif
