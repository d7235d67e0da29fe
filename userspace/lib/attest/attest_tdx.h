/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* attest_tdx.h - evidence of Intel TDX */
#ifndef CCDM_ATTEST_TDX_H
#define CCDM_ATTEST_TDX_H

#include "attester.h"

/* The firmware's log (UEFI, "Confidential Computing Event Log"). */
#define CCDM_CC_LOG "/sys/firmware/acpi/tables/data/CCEL"

/* TEE "tdx": "quote", "cc_eventlog" or null, "ccdm_log"?, "systemd_log"? */
extern const struct ccdm_attester ccdm_attest_tdx;

#endif
