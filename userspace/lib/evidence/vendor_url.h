/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * vendor_url.h - URLs at which AMD and Intel publish certificates, lists and collateral
 *
 * AMD's Key Distribution Service, and Intel's Provisioning Certification Service, version 4.
 */
#ifndef CCDM_VENDOR_URL_H
#define CCDM_VENDOR_URL_H

#include "base/compiler.h"
#include "snp.h"

#define CCDM_URL_AMD   "https://kdsintf.amd.com"
#define CCDM_URL_INTEL "https://api.trustedservices.intel.com"
#define CCDM_URL_ROOTS "https://certificates.trustedservices.intel.com"
#define CCDM_URL_QE    CCDM_URL_INTEL "/tdx/certification/v4/qe/identity"

/**
 * ccdm_url_vcek() - URL of the VCEK of a report
 * @snp: the report
 * @url: set
 *
 * Return: false if the report does not say: it is signed by a VLEK, its chip's number is masked,
 * or it is of version 2, which has no generation.
 */
bool __must_check ccdm_url_vcek(const struct ccdm_snp *snp, char url[CCDM_URL_MAX]);

/**
 * ccdm_url_crl() - URL of the revocation list of an issuer
 * @issuer: common name
 * @subject: common name of one that it has certified; AMD has a list for VCEKs and one for VLEKs
 * @url: set
 *
 * Return: false if it is neither AMD's nor Intel's by its name.
 */
bool __must_check ccdm_url_crl(const char *issuer, const char *subject, char url[CCDM_URL_MAX]);

/* TCB info of a platform with TDX. */
void ccdm_url_tcb_info(const uint8_t fmspc[6], char url[CCDM_URL_MAX]);

#endif
