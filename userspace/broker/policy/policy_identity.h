/* SPDX-License-Identifier: Apache-2.0 */
/* policy_identity.h - does a policy pin the image, and can it hold at all? */
#ifndef CCDM_POLICY_IDENTITY_H
#define CCDM_POLICY_IDENTITY_H

#include "policy.h"

/**
 * ccdm_policy_refusal() - look at every way in which conditions can be satisfied
 * @require: all conditions of a policy, with those that need not be said
 *
 * Return: NULL if each way pins the image and at least one is possible; else why not, a
 * text that lives as long as the program.
 */
const char *ccdm_policy_refusal(const struct ccdm_cond *require);

#endif
