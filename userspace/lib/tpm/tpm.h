/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* tpm.h - access to a TPM, through tpm2-tss (ESYS) */
#ifndef CCDM_TPM_H
#define CCDM_TPM_H

#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"

#define CCDM_TPM_DEVICE "/dev/tpmrm0"

struct ccdm_tpm;

/**
 * ccdm_tpm_open() - connect to a TPM
 * @device: its character device
 * @tpm: set; free it with ccdm_tpm_close()
 *
 * Return: 0, -ENODEV if there is none, -EIO if its answer is invalid.
 */
int __must_check ccdm_tpm_open(const char *device, struct ccdm_tpm **tpm, struct ccdm_err *err);
void ccdm_tpm_close(struct ccdm_tpm *tpm);

/**
 * ccdm_tpm_extend() - extend every active bank of a PCR with the hash of @text
 * @pcr: its number
 * @text: at most 1024 bytes
 * @digests: set to what the banks were extended with
 */
int __must_check ccdm_tpm_extend(struct ccdm_tpm *tpm, unsigned int pcr, const char *text,
				 struct ccdm_digests *digests, struct ccdm_err *err);

/* The value of a PCR in every active bank. */
int __must_check ccdm_tpm_read(struct ccdm_tpm *tpm, unsigned int pcr, struct ccdm_digests *values,
			       struct ccdm_err *err);

#endif
