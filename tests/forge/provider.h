/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* provider.h - a CA that certifies the key of a test TPM */
#ifndef CCDM_TEST_PROVIDER_H
#define CCDM_TEST_PROVIDER_H

#include "pki.h"
#include "seed.h"

struct provider {
	EVP_PKEY *ca_key, *ak_key;
	X509 *ca, *ak_cert;
	struct pki_pem pem; /* the CA and its empty revocation list */
};

static struct provider provider_new(void)
{
	struct provider p = { .ca_key = pki_key("P-384"), .ak_key = pki_key("P-256") };
	X509_CRL *crl;

	p.ca = pki_cert(
		&(struct pki_want){ .cn = "Provider", .key = p.ca_key, .serial = 1, .ca = true });
	p.ak_cert = pki_cert(&(struct pki_want){ .cn = "AK",
						 .key = p.ak_key,
						 .issuer = p.ca,
						 .issuer_key = p.ca_key,
						 .serial = 2,
						 .ku = "critical,digitalSignature",
						 .eku = CCDM_USAGE_AK });
	crl = pki_crl(p.ca, p.ca_key, NULL, NULL, 0);
	p.pem = pki_pem(p.ca, crl);
	X509_CRL_free(crl);
	seed("x509", p.pem.text, p.pem.size);
	return p;
}

static void provider_free(struct provider *p)
{
	EVP_PKEY_free(p->ca_key);
	EVP_PKEY_free(p->ak_key);
	X509_free(p->ca);
	X509_free(p->ak_cert);
}

#endif
