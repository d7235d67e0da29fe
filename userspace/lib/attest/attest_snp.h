/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* attest_snp.h - evidence of AMD SEV-SNP */
#ifndef CCDM_ATTEST_SNP_H
#define CCDM_ATTEST_SNP_H

#include "attester.h"

/* TEE "snp": "attestation_report", "cert_chain"; the same by two ways to the firmware. */
extern const struct ccdm_attester ccdm_attest_snp_tsm;
extern const struct ccdm_attester ccdm_attest_snp_ioctl;

#endif
