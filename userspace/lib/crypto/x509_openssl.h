/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* x509_openssl.h - what the files of x509 share; nobody else includes it */
#ifndef CCDM_X509_OPENSSL_H
#define CCDM_X509_OPENSSL_H

#include <openssl/x509.h>
#include <stdint.h>

/* Seconds since 1970, or -1. */
int64_t ccdm_x509_time(const ASN1_TIME *t);

/* Why a list cannot say that a certificate is good, or NULL. @x: NULL for any certificate. */
const char *ccdm_crl_unfit(X509_CRL *crl, X509 *x);

#endif
