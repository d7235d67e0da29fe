/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* explain.h - how a broker would judge evidence, condition by condition */
#ifndef CCDM_BROKER_EXPLAIN_H
#define CCDM_BROKER_EXPLAIN_H

#include <jansson.h>
#include "base/compiler.h"
#include "policy.h"
#include "trust/trust.h"

/**
 * ccdm_explain() - judge evidence from a file
 * @trust: the trust directory
 * @policies: in order; may be NULL
 * @evidence: untrusted: what "ccdm-setup evidence --json" prints (capture.h)
 * @at: time of evaluation
 * @out: set: {"verdict", "checks", "nonce-checked", "facts"?, "notes"?,
 *	"policies": [{"name", "holds", "secrets", "conditions"}]}; the caller drops it
 *
 * Evidence without a nonce is judged, except for the binding to a nonce. The result is only
 * an explanation, and "nonce-checked" is false.
 *
 * Return: 0 for any result; -EINVAL; -ENOMEM.
 */
int __must_check ccdm_explain(const struct ccdm_trust_dir *trust,
			      const struct ccdm_policy *policies, const json_t *evidence,
			      int64_t at, json_t **out, struct ccdm_err *err);

#endif
