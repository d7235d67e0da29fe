/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * attest_azure.h - evidence of a confidential VM under Azure's paravisor
 *
 * The paravisor keeps the TEE's report in its vTPM, and makes a new report for user data
 * that the guest writes there; certificate or quote come from the platform's metadata service.
 * (Microsoft, "Azure confidential VM: guest attestation design".)
 */
#ifndef CCDM_ATTEST_AZURE_H
#define CCDM_ATTEST_AZURE_H

#include "attester.h"

/* TEE "az-snp-vtpm", version 2 (1 if the paravisor takes no user data), and "az-tdx-vtpm", 1 */
extern const struct ccdm_attester ccdm_attest_azure_snp;
extern const struct ccdm_attester ccdm_attest_azure_tdx;

#endif
