/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * vendor_certs.h - built-in certificates of vendors
 *
 * AMD's, from its roots (ARK) to what signs VCEKs (ASK) and VLEKs (ASVK), of each generation of
 * processors; and Intel's root for SGX and TDX. They give no trust: a path counts only if it ends
 * at a pinned root.
 */
#ifndef CCDM_VENDOR_CERTS_H
#define CCDM_VENDOR_CERTS_H

#include "crypto/x509.h"

/* All of them: read once, shared by all threads, never freed. NULL: out of memory; call again. */
const struct ccdm_certs *ccdm_vendor_certs(void);

#endif
