/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* policy_fields.h - the conditions of a policy: their names, and what each may say */
#ifndef CCDM_POLICY_FIELDS_H
#define CCDM_POLICY_FIELDS_H

#include "policy.h"
#include "policy_yaml.h"

/* The condition that @word names. Return: true if there is one. */
bool __must_check ccdm_cond_find(const char *word, enum ccdm_cond_kind *kind);

/* What condition @kind, which is none of all, any and not, wants; as in policy_yaml.h. */
json_t *ccdm_cond_value(struct ccdm_yaml *y, const yaml_node_t *n, enum ccdm_cond_kind kind,
			int *r);

#endif
