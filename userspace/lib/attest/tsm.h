/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * tsm.h - reports of a TEE through the kernel's configfs-tsm
 *
 * (Documentation/ABI/testing/configfs-tsm-report in the kernel's source; 6.7 and later.)
 */
#ifndef CCDM_TSM_H
#define CCDM_TSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_TSM_DIR	  "/sys/kernel/config/tsm/report"
#define CCDM_TSM_DATA	  64	      /* bytes that a report is bound to */
#define CCDM_TSM_BLOB_MAX (256 << 10) /* bytes of a report or of what comes beside it */

/**
 * struct ccdm_tsm_report - a report
 * @out, @out_size: report or quote, never empty
 * @aux, @aux_size: additional data of the host, for SNP a table of certificates; may be empty
 * @manifest, @manifest_size: of a service of an SVSM, else empty: the report is bound to the
 *	SHA-512 of data and manifest then
 */
struct ccdm_tsm_report {
	char *out;
	size_t out_size;
	char *aux;
	size_t aux_size;
	char *manifest;
	size_t manifest_size;
};

#define CCDM_TSM_VTPM "c476f1eb-0123-45a5-9641-b4e7dde5bfe3" /* the TPM of an SVSM */

/* True if an SVSM below this kernel attests its services. */
bool __must_check ccdm_tsm_svsm(void);

/* True if @provider ("sev_guest", "tdx_guest") makes the reports. */
bool __must_check ccdm_tsm_provides(const char *provider);

/* Set @padded to @data, followed by zeros: the data of a report. */
void ccdm_tsm_pad(uint8_t padded[CCDM_TSM_DATA], const uint8_t *data, size_t size);

/**
 * ccdm_tsm_report() - make a report
 * @provider: required provider
 * @data: data to which the report is bound
 * @report: filled; ccdm_tsm_drop() frees it
 *
 * At the lowest privilege level that the kernel allows, which is the most privileged.
 * Waits for the firmware, the quoting service or the host's throttle, for a minute or longer.
 *
 * Return: 0; -ENODEV: no or another provider; -EIO: an empty report, or another
 * process wrote into ours; errors of the kernel.
 */
int __must_check ccdm_tsm_report(const char *provider, const uint8_t data[CCDM_TSM_DATA],
				 struct ccdm_tsm_report *report, struct ccdm_err *err);

/* The same for a service @guid of an SVSM, manifest version 0. */
int __must_check ccdm_tsm_report_service(const char *provider, const char *guid,
					 const uint8_t data[CCDM_TSM_DATA],
					 struct ccdm_tsm_report *report, struct ccdm_err *err);

void ccdm_tsm_drop(struct ccdm_tsm_report *report); /* accepts zeros */

#endif
