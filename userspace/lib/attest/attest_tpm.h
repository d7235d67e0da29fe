/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* attest_tpm.h - evidence of a TPM, with the logs that lead to its registers */
#ifndef CCDM_ATTEST_TPM_H
#define CCDM_ATTEST_TPM_H

#include "attester.h"

#define CCDM_BIOS_LOG "/sys/kernel/security/tpm0/binary_bios_measurements"

/* TEE "tpm": "tpm_quote", "ak_public", "firmware_log"?, "ccdm_log"?, "systemd_log"?, "activation"? */
extern const struct ccdm_attester ccdm_attest_tpm;

#endif
