/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* x509_openssl.h - shared by the files of x509; only they include it */
#ifndef CCDM_X509_OPENSSL_H
#define CCDM_X509_OPENSSL_H

#include <openssl/x509.h>
#include <stdint.h>
#include "base/compiler.h"

/* Seconds since 1970, or -1. */
int64_t ccdm_x509_time(const ASN1_TIME *t);

/* Whether a list may say that a certificate is not revoked; zero is no. */
enum ccdm_crl_fit {
	CCDM_CRL_UNJUDGED,   /* no list of the issuer was judged */
	CCDM_CRL_UNVERIFIED, /* nobody can tell whether the issuer signed it */
	CCDM_CRL_OF_GUEST,   /* the guest sent it */
	CCDM_CRL_DELTA,
	CCDM_CRL_WEAK,	     /* a hash that is broken */
	CCDM_CRL_CRITICAL,   /* an extension that must be known is not */
	CCDM_CRL_UNREADABLE, /* its scope */
	CCDM_CRL_PARTIAL,    /* indirect, or of some reasons */
	CCDM_CRL_OF_NOBODY,
	CCDM_CRL_OF_OTHERS,
	CCDM_CRL_FITS,
};

/* @x: NULL for any certificate. Return: CCDM_CRL_FITS if @crl is a full list with @x in its scope. */
enum ccdm_crl_fit __must_check ccdm_crl_fit(X509_CRL *crl, X509 *x);

/* The reason, for a person. */
const char *ccdm_crl_fit_text(enum ccdm_crl_fit fit);

#endif
