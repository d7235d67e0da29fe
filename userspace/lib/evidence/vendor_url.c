// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* vendor_url.c - see vendor_url.h */
#include <stdio.h>
#include <string.h>
#include "base/compiler.h"
#include "vendor_url.h"

bool ccdm_url_vcek(const struct ccdm_snp *snp, char url[CCDM_URL_MAX])
{
	struct ccdm_snp_tcb tcb = ccdm_snp_tcb(snp->tcb_raw.reported, snp->generation);
	bool turin = snp->generation >= CCDM_SNP_TURIN;
	static const uint8_t masked[sizeof(snp->chip_id)];
	char hex[2 * sizeof(snp->chip_id) + 1], fmc[16] = "";

	if (snp->generation == CCDM_SNP_UNKNOWN || snp->signing_key ||
	    !memcmp(snp->chip_id, masked, sizeof(masked)))
		return false;
	ccdm_hex(snp->chip_id, turin ? 8 : sizeof(snp->chip_id), hex);
	if (turin)
		snprintf(fmc, sizeof(fmc), "fmcSPL=%02u&", tcb.fmc);
	snprintf(url, CCDM_URL_MAX,
		 CCDM_URL_AMD "/vcek/v1/%s/%s?%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u",
		 ccdm_snp_generation_name(snp->generation), hex, fmc, tcb.bootloader, tcb.tee,
		 tcb.snp, tcb.microcode);
	return true;
}

bool ccdm_url_crl(const char *issuer, const char *subject, char url[CCDM_URL_MAX])
{
	static const struct {
		const char *issuer, *url;
	} intel[] = {
		{ "Intel SGX Root CA", CCDM_URL_ROOTS "/IntelSGXRootCA.der" },
		{ "Intel SGX PCK Platform CA",
		  CCDM_URL_INTEL "/sgx/certification/v4/pckcrl?ca=platform&encoding=der" },
		{ "Intel SGX PCK Processor CA",
		  CCDM_URL_INTEL "/sgx/certification/v4/pckcrl?ca=processor&encoding=der" },
	};
	const struct ccdm_anchor *amd;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(intel); i++)
		if (!strcmp(issuer, intel[i].issuer)) {
			snprintf(url, CCDM_URL_MAX, "%s", intel[i].url);
			return true;
		}
	amd = ccdm_snp_anchors(&n);
	for (i = 0; i < n; i++)
		if (!strncmp(issuer, "ARK-", 4) && !strcmp(issuer + 4, amd[i].name)) {
			snprintf(url, CCDM_URL_MAX, CCDM_URL_AMD "/%s/v1/%s/crl",
				 strncmp(subject, "SEV-VLEK", 8) ? "vcek" : "vlek", amd[i].name);
			return true;
		}
	return false;
}

void ccdm_url_tcb_info(const uint8_t fmspc[6], char url[CCDM_URL_MAX])
{
	char hex[13];

	ccdm_hex(fmspc, 6, hex);
	snprintf(url, CCDM_URL_MAX, CCDM_URL_INTEL "/tdx/certification/v4/tcb?fmspc=%s", hex);
}
