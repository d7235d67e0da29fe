/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * sev_guest.h - SNP reports by the ioctls of /dev/sev-guest
 *
 * (Documentation/virt/coco/sev-guest.rst in the kernel's source; 5.19 and later.)
 */
#ifndef CCDM_SEV_GUEST_H
#define CCDM_SEV_GUEST_H

#include "base/compiler.h"
#include "evidence/snp.h"

#define CCDM_SEV_GUEST	     "/dev/sev-guest"
#define CCDM_SEV_CERTS_MAX   0x4000 /* bytes of the host's table that the kernel passes on */
#define CCDM_SEV_REPORT_DATA 64

/**
 * ccdm_sev_guest_report() - a report, with the host's certificates if it has any
 * @device: CCDM_SEV_GUEST
 * @data: data to which the report is bound
 * @raw: filled
 * @certs: filled: table of certificates
 * @certs_size: bytes of it, 0 if there is none
 *
 * Waits while the host throttles requests, for a minute or longer.
 *
 * Return: 0; -ENODEV; -ENOTTY if the kernel stopped using its key after an error: there are
 * no reports until the next boot; -EIO if the firmware refuses.
 */
int __must_check ccdm_sev_guest_report(const char *device, const uint8_t data[CCDM_SEV_REPORT_DATA],
				       uint8_t raw[CCDM_SNP_REPORT_SIZE],
				       uint8_t certs[CCDM_SEV_CERTS_MAX], size_t *certs_size,
				       struct ccdm_err *err);

#endif
