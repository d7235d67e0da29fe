/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* policy_identity.h - does a policy pin the image, and can it hold at all? */
#ifndef CCDM_POLICY_IDENTITY_H
#define CCDM_POLICY_IDENTITY_H

#include "policy.h"

/**
 * ccdm_policy_outcome() - look at every way in which conditions can be satisfied
 * @require: all conditions of a policy, with those that need not be said
 *
 * Return: CCDM_POLICY_MAY_OPEN if each way pins the image and at least one is possible.
 */
enum ccdm_policy_outcome __must_check ccdm_policy_outcome(const struct ccdm_cond *require);

#endif
