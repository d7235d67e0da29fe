/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* attesters.h - all attesters, in the order in which they are tried */
#ifndef CCDM_ATTESTERS_H
#define CCDM_ATTESTERS_H

#include "base/compiler.h"
#include "attester.h"

/* The list ends with NULL. */
extern const struct ccdm_attester *const ccdm_attesters[];

/**
 * ccdm_attesters_choose() - choose the attesters for this machine
 * @primary: set to the first that exists
 * @beside: set to the TPM if @primary is a TEE; else NULL
 *
 * Return: 0, -ENODEV if there is none.
 */
int __must_check ccdm_attesters_choose(const struct ccdm_attester **primary,
				       const struct ccdm_attester **beside, struct ccdm_err *err);

#endif
