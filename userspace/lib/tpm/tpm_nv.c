// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tpm_nv.c - see tpm_nv.h */
#include <errno.h>
#include <string.h>
#include "tpm_esys.h"
#include "tpm_nv.h"

#define PIECE 512 /* bytes that every TPM can read and write in one command */

/* Open an index and read its public area. Return: -ENOENT if it does not exist. */
static int ccdm_nv_open(struct ccdm_tpm *tpm, uint32_t index, ESYS_TR *nv, TPMS_NV_PUBLIC *public,
			struct ccdm_err *err)
{
	TPM2B_NV_PUBLIC *got = NULL;
	TSS2_RC rc;

	rc = Esys_TR_FromTPMPublic(tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nv);
	if ((rc & ~TPM2_RC_N_MASK & 0xffff) == (TPM2_RC_HANDLE | TPM2_RC_H))
		return ccdm_err_set(err, -ENOENT, "TPM %s: no NV index %#x", tpm->device, index);
	if (rc)
		return ccdm_tpm_error(tpm, "NV index", rc, err);
	rc = Esys_NV_ReadPublic(tpm->esys, *nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &got,
				NULL);
	if (rc) {
		Esys_TR_Close(tpm->esys, nv);
		return ccdm_tpm_error(tpm, "NV index", rc, err);
	}
	*public = got->nvPublic;
	Esys_Free(got);
	return 0;
}

int ccdm_tpm_nv_read(struct ccdm_tpm *tpm, uint32_t index, uint8_t *bytes, size_t max, size_t *size,
		     struct ccdm_err *err)
{
	TPMS_NV_PUBLIC public = { 0 };
	ESYS_TR nv, auth;
	TSS2_RC rc = 0;
	size_t at = 0;
	int r = ccdm_nv_open(tpm, index, &nv, &public, err);

	if (r)
		return r;
	auth = public.attributes & TPMA_NV_AUTHREAD ? nv : ESYS_TR_RH_OWNER;
	if (!(public.attributes & TPMA_NV_WRITTEN))
		r = ccdm_err_set(err, -ENOENT, "TPM %s: NV index %#x is empty", tpm->device, index);
	else if (public.dataSize > max)
		r = ccdm_err_set(err, -EFBIG,
				 "TPM %s: NV index %#x: expected at most %zu bytes, found %u",
				 tpm->device, index, max, public.dataSize);
	while (!r && !rc && at < public.dataSize) {
		size_t n = public.dataSize - at < PIECE ? public.dataSize - at : PIECE;
		TPM2B_MAX_NV_BUFFER *got = NULL;

		rc = Esys_NV_Read(tpm->esys, auth, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
				  n, at, &got);
		if (!rc && got->size != n)
			r = ccdm_err_set(err, -EIO,
					 "TPM %s: NV index %#x: expected %zu bytes, found %u",
					 tpm->device, index, n, got->size);
		if (!rc && !r)
			memcpy(bytes + at, got->buffer, n);
		at += n;
		Esys_Free(got);
	}
	Esys_TR_Close(tpm->esys, &nv);
	if (rc)
		r = ccdm_tpm_error(tpm, "cannot read an NV index", rc, err);
	*size = r ? 0 : at;
	return r;
}

static int ccdm_nv_make(struct ccdm_tpm *tpm, uint32_t index, size_t size, struct ccdm_err *err)
{
	const TPM2B_AUTH empty = { 0 };
	const TPM2B_NV_PUBLIC public = {
		.nvPublic = { .nvIndex = index,
			      .nameAlg = TPM2_ALG_SHA256,
			      .attributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD |
					    TPMA_NV_AUTHWRITE | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA,
			      .dataSize = size },
	};
	ESYS_TR nv;
	TSS2_RC rc;

	rc = Esys_NV_DefineSpace(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				 ESYS_TR_NONE, &empty, &public, &nv);
	if (rc)
		return ccdm_tpm_error(tpm, "cannot create an NV index", rc, err);
	Esys_TR_Close(tpm->esys, &nv);
	return 0;
}

int ccdm_tpm_nv_write(struct ccdm_tpm *tpm, uint32_t index, const uint8_t *bytes, size_t size,
		      struct ccdm_err *err)
{
	TPM2B_MAX_NV_BUFFER data = { .size = size };
	TPMS_NV_PUBLIC public = { 0 };
	ESYS_TR nv;
	TSS2_RC rc;
	int r;

	if (size > PIECE)
		return ccdm_err_set(err, -EFBIG, "NV index: too many bytes: %zu", size);
	memcpy(data.buffer, bytes, size);
	r = ccdm_nv_open(tpm, index, &nv, &public, err);
	if (r == -ENOENT) {
		r = ccdm_nv_make(tpm, index, size, err);
		if (!r)
			r = ccdm_nv_open(tpm, index, &nv, &public, err);
	}
	if (r)
		return r;
	rc = Esys_NV_Write(tpm->esys, public.attributes & TPMA_NV_AUTHWRITE ? nv : ESYS_TR_RH_OWNER,
			   nv, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data, 0);
	Esys_TR_Close(tpm->esys, &nv);
	return rc ? ccdm_tpm_error(tpm, "cannot write an NV index", rc, err) : 0;
}
