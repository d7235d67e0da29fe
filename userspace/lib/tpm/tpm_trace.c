// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tpm_trace.c - print the name of each TPM command if --verbose is given */
#include <tss2/tss2_tcti.h>
#include "base/compiler.h"
#include "base/trace.h"
#include "tpm_esys.h"

static const struct {
	TPM2_CC code;
	const char *name;
} ccdm_tpm_commands[] = {
	{ TPM2_CC_GetCapability, "GetCapability" },
	{ TPM2_CC_PCR_Event, "PCR_Event" },
	{ TPM2_CC_PCR_Read, "PCR_Read" },
	{ TPM2_CC_Quote, "Quote" },
	{ TPM2_CC_CreatePrimary, "CreatePrimary" },
	{ TPM2_CC_ReadPublic, "ReadPublic" },
	{ TPM2_CC_FlushContext, "FlushContext" },
	{ TPM2_CC_StartAuthSession, "StartAuthSession" },
	{ TPM2_CC_PolicySecret, "PolicySecret" },
	{ TPM2_CC_ActivateCredential, "ActivateCredential" },
	{ TPM2_CC_NV_ReadPublic, "NV_ReadPublic" },
	{ TPM2_CC_NV_Read, "NV_Read" },
	{ TPM2_CC_NV_Write, "NV_Write" },
	{ TPM2_CC_NV_DefineSpace, "NV_DefineSpace" },
};

/* One variable is enough: all contexts use the same kind of TCTI. */
static TSS2_TCTI_TRANSMIT_FCN ccdm_tpm_transmit;

/* Print only the command's name; its parameters may be secret. */
static TSS2_RC ccdm_tpm_traced(TSS2_TCTI_CONTEXT *tcti, size_t size, const uint8_t *command)
{
	TPM2_CC code = 0;
	size_t i;

	if (size >= 10)
		code = (uint32_t)command[6] << 24 | command[7] << 16 | command[8] << 8 | command[9];
	for (i = 0; i < ARRAY_SIZE(ccdm_tpm_commands); i++)
		if (ccdm_tpm_commands[i].code == code)
			break;
	ccdm_trace("tpm: %s (%#x), %zu bytes",
		   i < ARRAY_SIZE(ccdm_tpm_commands) ? ccdm_tpm_commands[i].name : "command", code,
		   size);
	return ccdm_tpm_transmit(tcti, size, command);
}

void ccdm_tpm_trace(struct ccdm_tpm *tpm)
{
	if (ccdm_trace_level == CCDM_TRACE_OFF)
		return;
	ccdm_trace("tpm: open %s", tpm->device);
	if (TSS2_TCTI_TRANSMIT(tpm->tcti) == ccdm_tpm_traced)
		return;
	ccdm_tpm_transmit = TSS2_TCTI_TRANSMIT(tpm->tcti);
	TSS2_TCTI_TRANSMIT(tpm->tcti) = ccdm_tpm_traced;
}
