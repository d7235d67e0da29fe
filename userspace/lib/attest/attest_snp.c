// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* attest_snp.c - see attest_snp.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "attest_snp.h"
#include "base/json.h"
#include "sev_guest.h"
#include "evidence/snp_json.h"
#include "tsm.h"

#define SNP_PROVIDER "sev_guest"

/* Make evidence of a report; add the certificates of @ask, which the host should have supplied. */
static int ccdm_attest_snp_make(const struct ccdm_ask *ask, const uint8_t raw[CCDM_SNP_REPORT_SIZE],
				const uint8_t *table, size_t size, json_t **evidence,
				struct ccdm_err *err)
{
	int r = ccdm_snp_json_make(raw, table, size, evidence, err);

	if (!r && ask->certs)
		r = ccdm_snp_json_add(*evidence, ask->certs, err);
	if (r) {
		json_decref(*evidence);
		*evidence = NULL;
	}
	return r;
}

static bool ccdm_attest_tsm_exists(const struct ccdm_attester *attester)
{
	(void)attester;
	return ccdm_tsm_provides(SNP_PROVIDER);
}

static int ccdm_attest_tsm_collect(const struct ccdm_attester *attester, const struct ccdm_ask *ask,
				   json_t **evidence, struct ccdm_err *err)
{
	struct ccdm_tsm_report report;
	uint8_t padded[CCDM_TSM_DATA];
	int r;

	(void)attester;
	*evidence = NULL;
	ccdm_tsm_pad(padded, ask->data, ask->size);
	/*
	 * An SVSM without a TPM lacks this service; then ask for a report of this kernel's own
	 * VMPL.
	 */
	r = ccdm_tsm_svsm()
		    ? ccdm_tsm_report_service(SNP_PROVIDER, CCDM_TSM_VTPM, padded, &report, err)
		    : -ENOENT;
	if (r)
		r = ccdm_tsm_report(SNP_PROVIDER, padded, &report, err);
	if (r)
		return r;
	if (report.out_size != CCDM_SNP_REPORT_SIZE)
		r = ccdm_err_set(err, -EIO, "SNP report: expected %u bytes, found %zu",
				 CCDM_SNP_REPORT_SIZE, report.out_size);
	else
		r = ccdm_attest_snp_make(ask, (uint8_t *)report.out, (uint8_t *)report.aux,
					 report.aux_size, evidence, err);
	if (!r && report.manifest_size &&
	    json_object_set_new(*evidence, "svsm",
				json_pack("{s:o}", "manifest",
					  ccdm_json_make(report.manifest, report.manifest_size)))) {
		json_decref(*evidence);
		*evidence = NULL;
		r = ccdm_err_memory(err);
	}
	ccdm_tsm_drop(&report);
	return r;
}

static bool ccdm_attest_ioctl_exists(const struct ccdm_attester *attester)
{
	(void)attester;
	return !access(CCDM_SEV_GUEST, R_OK | W_OK);
}

static int ccdm_attest_ioctl_collect(const struct ccdm_attester *attester,
				     const struct ccdm_ask *ask, json_t **evidence,
				     struct ccdm_err *err)
{
	uint8_t padded[CCDM_TSM_DATA], raw[CCDM_SNP_REPORT_SIZE],
		*certs = malloc(CCDM_SEV_CERTS_MAX);
	size_t certs_size;
	int r;

	(void)attester;
	*evidence = NULL;
	ccdm_tsm_pad(padded, ask->data, ask->size);
	r = certs ? ccdm_sev_guest_report(CCDM_SEV_GUEST, padded, raw, certs, &certs_size, err)
		  : ccdm_err_memory(err);
	if (!r)
		r = ccdm_attest_snp_make(ask, raw, certs, certs_size, evidence, err);
	free(certs);
	return r;
}

const struct ccdm_attester ccdm_attest_snp_tsm = {
	.tee = "snp",
	.what = "AMD SEV-SNP (configfs-tsm)",
	.exists = ccdm_attest_tsm_exists,
	.collect = ccdm_attest_tsm_collect,
};

const struct ccdm_attester ccdm_attest_snp_ioctl = {
	.tee = "snp",
	.what = "AMD SEV-SNP (" CCDM_SEV_GUEST ")",
	.exists = ccdm_attest_ioctl_exists,
	.collect = ccdm_attest_ioctl_collect,
};
