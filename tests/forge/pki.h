/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* pki.h - certificates and revocation lists for tests of verifiers */
#ifndef CCDM_TEST_PKI_H
#define CCDM_TEST_PKI_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/x509.h"

/* A non-critical extension, with the content of its OCTET STRING. */
struct pki_ext {
	const char *oid;
	const uint8_t *bytes;
	size_t size;
};

struct pki_want {
	const char *cn;
	EVP_PKEY *key;
	X509 *issuer; /* NULL: self-signed */
	EVP_PKEY *issuer_key;
	const char *from, *to; /* ASN.1 UTCTIME or GENERALIZEDTIME; NULL: 2020 to 2040 */
	long serial;
	bool ca;
	bool no_akid;		   /* does not name the signing key, as AMD's */
	bool sha1;		   /* signed with SHA-1 */
	const char *ku, *eku;	   /* usages as OpenSSL's configuration writes them, or NULL */
	const char *dp;		   /* distribution point of its list: "URI:..." */
	const struct pki_ext *ext; /* ends with an entry without oid */
};

static inline EVP_PKEY *pki_key(const char *curve)
{
	return EVP_EC_gen(curve);
}

static void pki_must(int good)
{
	if (good <= 0)
		abort();
}

static inline void pki_ext_add(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);

	pki_must(!!e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

static inline X509 *pki_cert(const struct pki_want *w)
{
	const char *from = w->from ? w->from : "20200101000000Z",
		   *to = w->to ? w->to : "20400101000000Z";
	X509_EXTENSION *e;
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	const struct pki_ext *ext;
	X509V3_CTX ctx;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), w->serial);
	pki_must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)w->cn, -1,
					    -1, 0));
	X509_set_issuer_name(x, w->issuer ? X509_get_subject_name(w->issuer) : name);
	pki_must(ASN1_TIME_set_string_X509(X509_getm_notBefore(x), from));
	pki_must(ASN1_TIME_set_string_X509(X509_getm_notAfter(x), to));
	X509_set_pubkey(x, w->key);
	X509V3_set_ctx(&ctx, w->issuer ? w->issuer : x, x, NULL, NULL, 0);
	if (w->ca) {
		pki_ext_add(x, &ctx, NID_basic_constraints, "critical,CA:TRUE");
		pki_ext_add(x, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign");
	}
	pki_ext_add(x, &ctx, NID_subject_key_identifier, "hash");
	if (w->issuer && !w->no_akid)
		pki_ext_add(x, &ctx, NID_authority_key_identifier, "keyid:always");
	if (w->ku)
		pki_ext_add(x, &ctx, NID_key_usage, w->ku);
	if (w->eku)
		pki_ext_add(x, &ctx, NID_ext_key_usage, w->eku);
	if (w->dp)
		pki_ext_add(x, &ctx, NID_crl_distribution_points, w->dp);
	for (ext = w->ext; ext && ext->oid; ext++) {
		ASN1_OBJECT *oid = OBJ_txt2obj(ext->oid, 1);
		ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();

		ASN1_OCTET_STRING_set(data, ext->bytes, ext->size);
		e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, data);
		X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
		ASN1_OCTET_STRING_free(data);
		ASN1_OBJECT_free(oid);
	}
	pki_must(X509_sign(x, w->issuer ? w->issuer_key : w->key,
			   w->sha1 ? EVP_sha1() : EVP_sha384()));
	return x;
}

/* @serial: the revoked certificate, or 0: none */
static inline X509_CRL *pki_crl(X509 *issuer, EVP_PKEY *key, const char *from, const char *to,
				long serial)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();
	X509_REVOKED *r;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
	pki_must(ASN1_TIME_set_string_X509(t, from ? from : "20200101000000Z"));
	X509_CRL_set1_lastUpdate(crl, t);
	if (serial) {
		r = X509_REVOKED_new();
		ASN1_INTEGER *n = ASN1_INTEGER_new();

		ASN1_INTEGER_set(n, serial);
		X509_REVOKED_set_serialNumber(r, n);
		X509_REVOKED_set_revocationDate(r, t);
		X509_CRL_add0_revoked(crl, r);
		ASN1_INTEGER_free(n);
	}
	pki_must(ASN1_TIME_set_string_X509(t, to ? to : "20400101000000Z"));
	X509_CRL_set1_nextUpdate(crl, t);
	ASN1_TIME_free(t);
	pki_must(X509_CRL_sign(crl, key, EVP_sha384()));
	return crl;
}

static inline void pki_add(struct ccdm_certs *certs, int size, uint8_t *der,
			   const struct ccdm_cert **first)
{
	struct ccdm_err err;

	pki_must(!ccdm_certs_add(certs, "test", der, size, first, &err));
	OPENSSL_free(der);
}

/* @first: set to the certificate in the set; may be NULL */
static inline void pki_add_cert(struct ccdm_certs *certs, X509 *x, const struct ccdm_cert **first)
{
	uint8_t *der = NULL;
	int size = i2d_X509(x, &der);

	pki_add(certs, size, der, first);
}

static inline void pki_add_crl(struct ccdm_certs *certs, X509 *issuer, EVP_PKEY *key,
			       const char *from, const char *to, long serial)
{
	X509_CRL *crl = pki_crl(issuer, key, from, to, serial);
	uint8_t *der = NULL;
	int size = i2d_X509_CRL(crl, &der);

	pki_add(certs, size, der, NULL);
	X509_CRL_free(crl);
}

/* Sign; write the signature as two big-endian numbers of @n bytes. */
static inline void pki_sign(EVP_PKEY *key, const EVP_MD *md, const void *text, size_t size,
			    uint8_t *r, uint8_t *s, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[256];
	const uint8_t *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *sig;

	pki_must(EVP_DigestSignInit(ctx, NULL, md, NULL, key));
	pki_must(EVP_DigestSign(ctx, der, &len, text, size));
	sig = d2i_ECDSA_SIG(NULL, &at, len);
	pki_must(BN_bn2binpad(ECDSA_SIG_get0_r(sig), r, n));
	pki_must(BN_bn2binpad(ECDSA_SIG_get0_s(sig), s, n));
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

struct pki_pem {
	char text[8192];
	size_t size;
};

/* Write a certificate in PEM, followed by a revocation list unless it is NULL. */
static inline struct pki_pem pki_pem(X509 *cert, X509_CRL *crl)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct pki_pem pem = { 0 };
	char *text;

	pki_must(PEM_write_bio_X509(bio, cert));
	if (crl)
		pki_must(PEM_write_bio_X509_CRL(bio, crl));
	pem.size = BIO_get_mem_data(bio, &text);
	pki_must(pem.size < sizeof(pem.text));
	memcpy(pem.text, text, pem.size);
	BIO_free(bio);
	return pem;
}

#endif
