// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tpm.c - see tpm.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tcti_device.h>
#include <unistd.h>
#include "base/trace.h"
#include "tpm_esys.h"

int ccdm_tpm_error(const struct ccdm_tpm *tpm, const char *what, TSS2_RC rc, struct ccdm_err *err)
{
	ccdm_trace_debug("tpm: %s: response code %#x", what, rc);
	return ccdm_err_set(err, rc == TSS2_ESYS_RC_MEMORY ? -ENOMEM : -EIO, "TPM %s: %s: %s (%#x)",
			    tpm->device, what, Tss2_RC_Decode(rc), rc);
}

/* ---- opening ------------------------------------------------------------------------ */

void ccdm_tpm_close(struct ccdm_tpm *tpm)
{
	if (!tpm)
		return;
	if (tpm->esys)
		Esys_Finalize(&tpm->esys);
	if (tpm->tcti)
		Tss2_Tcti_Finalize(tpm->tcti);
	free(tpm->tcti);
	free(tpm);
}

int ccdm_tpm_open(const char *device, struct ccdm_tpm **tpm, struct ccdm_err *err)
{
	struct ccdm_tpm *t;
	size_t size = 0;
	TSS2_RC rc;
	int r = -ENOMEM;

	/* Without this setting, the TSS libraries log to standard error. */
	setenv("TSS2_LOG", "all+none", 1);
	*tpm = NULL;
	if (access(device, F_OK))
		return ccdm_err_set(err, -ENODEV, "found no TPM (%s)", device);
	t = calloc(1, sizeof(*t));
	if (!t)
		return ccdm_err_memory(err);
	t->device = device;
	rc = Tss2_Tcti_Device_Init(NULL, &size, device);
	if (!rc)
		t->tcti = calloc(1, size);
	if (!rc && !t->tcti)
		rc = TSS2_ESYS_RC_MEMORY;
	if (!rc) {
		rc = Tss2_Tcti_Device_Init(t->tcti, &size, device);
		if (rc) {
			free(t->tcti);
			t->tcti = NULL;
		}
	}
	if (!rc)
		ccdm_tpm_trace(t);
	if (!rc)
		rc = Esys_Initialize(&t->esys, t->tcti, NULL);
	if (rc) {
		r = ccdm_tpm_error(t, "cannot open it", rc, err);
		ccdm_tpm_close(t);
		return r;
	}
	*tpm = t;
	return 0;
}

int ccdm_tpm_extend(struct ccdm_tpm *tpm, unsigned int pcr, const char *text,
		    struct ccdm_digests *digests, struct ccdm_err *err)
{
	TPML_DIGEST_VALUES *got = NULL;
	TPM2B_EVENT event = { .size = strlen(text) };
	uint32_t i;
	TSS2_RC rc;

	if (event.size != strlen(text) || event.size > sizeof(event.buffer))
		return ccdm_err_set(err, -E2BIG, "an event: expected at most %zu bytes",
				    sizeof(event.buffer));
	memcpy(event.buffer, text, event.size);
	/*
	 * The TPM hashes the text, so it extends each active bank, even of a hash unknown to ccdm.
	 */
	rc = Esys_PCR_Event(tpm->esys, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			    ESYS_TR_NONE, &event, &got);
	if (rc)
		return ccdm_tpm_error(tpm, "cannot extend a PCR", rc, err);
	memset(digests, 0, sizeof(*digests));
	for (i = 0; i < got->count && i < CCDM_BANKS_MAX; i++) {
		struct ccdm_digest *d = &digests->digest[digests->count];

		d->alg = got->digests[i].hashAlg;
		d->size = ccdm_digest_size(d->alg);
		if (!d->size)
			continue;
		memcpy(d->bytes, &got->digests[i].digest, d->size);
		digests->count++;
	}
	Esys_Free(got);
	if (!digests->count)
		return ccdm_err_set(err, -EIO, "TPM %s: no bank of PCRs is active", tpm->device);
	return 0;
}

int ccdm_tpm_read(struct ccdm_tpm *tpm, unsigned int pcr, struct ccdm_digests *values,
		  struct ccdm_err *err)
{
	TPMS_CAPABILITY_DATA *banks = NULL;
	TPML_PCR_SELECTION one = { .count = 1 };
	TPML_DIGEST *got = NULL;
	TPMI_YES_NO more;
	uint32_t i, version;
	TSS2_RC rc;
	int r = 0;

	rc = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_PCRS,
				0, TPM2_MAX_CAP_BUFFER, &more, &banks);
	if (rc)
		return ccdm_tpm_error(tpm, "cannot read the list of banks", rc, err);
	/*
	 * The library also parses an answer of another kind, whose list may be longer. Check the
	 * kind.
	 */
	if (banks->capability != TPM2_CAP_PCRS) {
		r = ccdm_err_set(err, -EIO,
				 "TPM %s: expected the list of banks, found capability %#x",
				 tpm->device, banks->capability);
		Esys_Free(banks);
		return r;
	}
	memset(values, 0, sizeof(*values));
	for (i = 0; !r && i < banks->data.assignedPCR.count; i++) {
		const TPMS_PCR_SELECTION *bank = &banks->data.assignedPCR.pcrSelections[i];
		struct ccdm_digest *v = &values->digest[values->count];

		v->alg = bank->hash;
		v->size = ccdm_digest_size(v->alg);
		if (!v->size || values->count + 1 == CCDM_BANKS_MAX ||
		    pcr / 8 >= bank->sizeofSelect || !(bank->pcrSelect[pcr / 8] & 1 << pcr % 8))
			continue;
		one.pcrSelections[0] = (TPMS_PCR_SELECTION){ .hash = bank->hash,
							     .sizeofSelect = bank->sizeofSelect };
		one.pcrSelections[0].pcrSelect[pcr / 8] = 1 << pcr % 8;
		rc = Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &one,
				   &version, NULL, &got);
		if (rc) {
			r = ccdm_tpm_error(tpm, "cannot read a PCR", rc, err);
		} else if (got->count != 1 || got->digests[0].size != v->size) {
			r = ccdm_err_set(err, -EIO,
					 "TPM %s: PCR %u: expected one value of %u bytes",
					 tpm->device, pcr, v->size);
		} else {
			memcpy(v->bytes, got->digests[0].buffer, v->size);
			values->count++;
		}
		Esys_Free(got);
		got = NULL;
	}
	Esys_Free(banks);
	return r;
}
