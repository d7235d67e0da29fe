/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* attesters.h - the attesters there are, in the order in which they are tried */
#ifndef CCDM_ATTESTERS_H
#define CCDM_ATTESTERS_H

#include "base/compiler.h"
#include "attester.h"

/* Ends with NULL. */
extern const struct ccdm_attester *const ccdm_attesters[];

/**
 * ccdm_attesters_choose() - which of them speak for this machine
 * @primary: set to the first that is here
 * @beside: set to the TPM, if the first is another; else NULL
 *
 * Return: 0, -ENODEV if there is none.
 */
int __must_check ccdm_attesters_choose(const struct ccdm_attester **primary,
				       const struct ccdm_attester **beside, struct ccdm_err *err);

#endif
