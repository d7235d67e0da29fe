/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* policy_identity.h - check that a policy pins the image and can hold */
#ifndef CCDM_POLICY_IDENTITY_H
#define CCDM_POLICY_IDENTITY_H

#include "policy.h"

/**
 * ccdm_policy_outcome() - check every way to satisfy conditions
 * @require: all conditions of a policy, with the defaults
 *
 * Return: CCDM_POLICY_MAY_OPEN if each way pins the image and at least one is possible.
 */
enum ccdm_policy_outcome __must_check ccdm_policy_outcome(const struct ccdm_cond *require);

#endif
