/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * tpm_ek.h - a TPM's endorsement key, which its manufacturer certifies
 *
 * RSA of 2048 bits, template L-1, its certificate in NV index 0x01c00002 (TCG EK
 * Credential Profile for TPM Family 2.0): every TPM has it.
 */
#ifndef CCDM_TPM_EK_H
#define CCDM_TPM_EK_H

#include <jansson.h>
#include "base/compiler.h"
#include "tpm.h"

/**
 * ccdm_tpm_identity() - get the keys that a broker needs for a credential
 * @pair: set to {"ek-cert" | "ek-pub", "ak-pub"} (tpm_activation.h), which the caller drops
 *
 * Return: 0, -EIO, -ENOMEM.
 */
int __must_check ccdm_tpm_identity(struct ccdm_tpm *tpm, json_t **pair, struct ccdm_err *err);

/**
 * ccdm_tpm_activate() - decrypt the value of a credential
 * @credential: {"blob", "secret"}, untrusted
 * @value: set to a text in base64, which the caller drops
 *
 * Return: 0; -EINVAL if it is not a credential; -EIO if it is for another TPM, or was changed;
 * -ENOMEM.
 */
int __must_check ccdm_tpm_activate(struct ccdm_tpm *tpm, const json_t *credential, json_t **value,
				   struct ccdm_err *err);

#endif
