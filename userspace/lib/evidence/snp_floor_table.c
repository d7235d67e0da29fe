// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * snp_floor_table.c - the built-in floor; see snp_floor.h
 *
 * Each line names the bulletin that it comes from
 * (https://www.amd.com/en/resources/product-security/bulletin/NAME.html). A version without a known
 * bulletin is not listed. A microcode version is the low byte of the microcode's revision. Fixes in
 * an operating system or in the host's BIOS are not listed, since no report shows them.
 */
#include "snp_floor.h"

const char ccdm_snp_floor_text[] =
	/* memory modules that report a wrong size create aliases (CVE-2024-21944) */
	"milan          snp       0x17 AMD-SB-3015\n"
	"genoa          snp       0x16 AMD-SB-3015\n"
	/* a CPU accepts microcode that AMD has not signed (CVE-2024-56161) */
	"milan:19/01/01 microcode 0xdb AMD-SB-3019\n"
	"milan:19/01/02 microcode 0x44 AMD-SB-3019\n"
	"genoa          snp       0x17 AMD-SB-3019\n"
	"genoa:19/11/01 microcode 0x54 AMD-SB-3019\n"
	"genoa:19/11/02 microcode 0x4f AMD-SB-3019\n"
	"genoa:19/a0/02 microcode 0x19 AMD-SB-3019\n"
	/* the host can write to the RMP during its initialization (CVE-2025-0033) */
	"genoa          snp       0x1b AMD-SB-3020\n"
	"turin          snp       0x04 AMD-SB-3020\n"
	/* the IOMMU can write to guest memory (CVE-2023-20585) */
	"milan          snp       0x1b AMD-SB-3016\n"
	"genoa          snp       0x1b AMD-SB-3016\n"
	/* the host can attack guest memory by means of an SEV-ES guest (CVE-2025-48514) */
	"milan          snp       0x1b AMD-SB-3023\n"
	"genoa          snp       0x1b AMD-SB-3023\n"
	"turin          snp       0x04 AMD-SB-3023\n"
	/* a sibling thread can move the stack pointer (CVE-2025-29943) */
	"genoa:19/11/01 microcode 0x56 AMD-SB-3027\n"
	"genoa:19/11/02 microcode 0x51 AMD-SB-3027\n"
	"turin:1a/02/01 microcode 0x51 AMD-SB-3027\n"
	/* routing of the interconnect is not locked (CVE-2025-61971) */
	"milan          snp       0x1d AMD-SB-3030\n";
