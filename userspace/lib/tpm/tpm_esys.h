/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* tpm_esys.h - shared by the files that talk to a TPM (tpm*.c) */
#ifndef CCDM_TPM_ESYS_H
#define CCDM_TPM_ESYS_H

#include <tss2/tss2_esys.h>
#include "base/compiler.h"
#include "tpm.h"

struct ccdm_tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	const char *device;
};

/* Set @err to the text of a response code. Return: -ENOMEM or -EIO */
int __must_check ccdm_tpm_error(const struct ccdm_tpm *tpm, const char *what, TSS2_RC rc,
				struct ccdm_err *err);

/* From now on each command that is sent to @tpm is traced, if anything is (base/trace.h). */
void ccdm_tpm_trace(struct ccdm_tpm *tpm);

/* The attestation key (tpm_ak.h), to be flushed, and its public area, for Esys_Free(). Return: 0, -EIO, -ENOMEM */
int __must_check ccdm_tpm_ak_open(struct ccdm_tpm *tpm, ESYS_TR *ak, TPM2B_PUBLIC **public,
				  struct ccdm_err *err);

struct ccdm_tpm_signed;

/* The provider's attestation key, to be flushed; @out->ak and @out->ak_cert. -ENOENT: there is none */
int __must_check ccdm_tpm_provider_open(struct ccdm_tpm *tpm, ESYS_TR *ak,
					struct ccdm_tpm_signed *out, struct ccdm_err *err);

#endif
