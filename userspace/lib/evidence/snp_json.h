/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* snp_json.h - an SNP report as the KBS protocol carries it */
#ifndef CCDM_SNP_JSON_H
#define CCDM_SNP_JSON_H

#include "base/compiler.h"
#include "snp.h"

/**
 * ccdm_snp_json_parse() - {"attestation_report": {...}, "cert_chain": [...] | null}
 * @evidence: untrusted
 * @raw: set to the report's bytes; what JSON has no member for is zero
 * @certs: gets the certificates and revocation lists
 * @leaf: set to the VCEK or VLEK among them, or NULL
 *
 * Return: 0; -EINVAL with the member's name in @err; -ENOMEM.
 */
int __must_check ccdm_snp_json_parse(const json_t *evidence, uint8_t raw[CCDM_SNP_REPORT_SIZE],
				     struct ccdm_certs *certs, const struct ccdm_cert **leaf,
				     struct ccdm_err *err);

/**
 * ccdm_snp_json_make() - make KBS evidence from a report
 * @raw: a report
 * @table, @size: the host's certificates as the firmware's interface has them: entries of
 *	GUID, offset and length up to one of zeros; untrusted; @size may be 0
 * @evidence: set; the caller drops it
 *
 * Return: 0; -EINVAL: the table leads out of itself, or the report has bytes that the object has no
 * place for; -ENOMEM.
 */
int __must_check ccdm_snp_json_make(const uint8_t raw[CCDM_SNP_REPORT_SIZE], const uint8_t *table,
				    size_t size, json_t **evidence, struct ccdm_err *err);

/**
 * ccdm_snp_json_add() - add a certificate of the processor
 * @evidence: as made above; with a VCEK or VLEK of the host's it stays as it is
 * @certs: the first VCEK or VLEK in it is taken
 *
 * Return: 0; -EINVAL if there is none; -ENOMEM.
 */
int __must_check ccdm_snp_json_add(json_t *evidence, const struct ccdm_certs *certs,
				   struct ccdm_err *err);

#endif
