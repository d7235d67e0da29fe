/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * x509.h - certificates, their chains and revocation lists, through OpenSSL
 *
 * All certificates and lists are untrusted until a path leads to an anchor.
 */
#ifndef CCDM_X509_H
#define CCDM_X509_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "pubkey.h"
#include "base/verdict.h"

#define CCDM_CERTS_MAX	   32		  /* certificates and lists that evidence may bring */
#define CCDM_CERTS_OWN_MAX 4096		  /* that an operator has */
#define CCDM_CERT_MAX	   (1 << 20)	  /* bytes of a file of them */
#define CCDM_PATH_DEPTH	   4		  /* certificates between leaf and root, and the leaf */
#define CCDM_OID_MAX	   64		  /* bytes of an OID's text, with its NUL */
#define CCDM_URL_MAX	   320		  /* bytes of an address, with its NUL */
#define CCDM_USAGE_EK	   "2.23.133.8.1" /* extended key usage of TPMs' endorsement keys */
#define CCDM_USAGE_AK	   "2.23.133.8.3" /* and of attestation keys */

/* Certificates and revocation lists; opaque. */
struct ccdm_certs;
/* A certificate in a set, which lives as long as the set does; opaque. */
struct ccdm_cert;

/*
 * An empty set, or NULL: a small one; a large one for an operator's; one for those in evidence.
 * @base: NULL, or another set that is searched as well, lives longer and does not change: an
 * operator's set is read once and serves all judgements.
 */
struct ccdm_certs *ccdm_certs_new(void);
struct ccdm_certs *ccdm_certs_own(const struct ccdm_certs *base);
struct ccdm_certs *ccdm_certs_guest(const struct ccdm_certs *base);
void ccdm_certs_free(struct ccdm_certs *certs); /* accepts NULL */

/**
 * ccdm_certs_add() - read certificates and revocation lists
 * @certs: the set
 * @what: whose bytes they are, for messages
 * @bytes, @size: PEM of any number of both, or DER of one
 * @first: set to the first certificate of them, or NULL; may be NULL
 *
 * Return: 0, -EINVAL for any other content, -E2BIG, -ENOMEM.
 */
int __must_check ccdm_certs_add(struct ccdm_certs *certs, const char *what, const void *bytes,
				size_t size, const struct ccdm_cert **first, struct ccdm_err *err);

/* Certificate number @i of base and set, in the order they came; NULL after the last. */
const struct ccdm_cert *ccdm_certs_at(const struct ccdm_certs *certs, unsigned int i);

/* All of the set, without its base, as PEM text; the caller frees it. Return: 0, -ENOMEM */
int __must_check ccdm_certs_text(const struct ccdm_certs *certs, char **text, size_t *size);

/* Common name of the subject; "" if it has none or an odd one. @cn: at least 64 bytes. Return: @cn */
char *ccdm_cert_cn(const struct ccdm_cert *cert, char *cn);

/**
 * ccdm_cert_extension() - content of an extension
 * @oid: in dotted notation
 * @bytes, @size: set to what its OCTET STRING holds
 *
 * Return: 0, -ENOENT, -EINVAL if it is there twice.
 */
int __must_check ccdm_cert_extension(const struct ccdm_cert *cert, const char *oid,
				     const uint8_t **bytes, size_t *size);

/* Its DER, which the caller frees. Return: 0, -ENOMEM */
int __must_check ccdm_cert_der(const struct ccdm_cert *cert, uint8_t **der, size_t *size);

/* Its validity, seconds since 1970; -1: unknown. */
void ccdm_cert_validity(const struct ccdm_cert *cert, int64_t *from, int64_t *to);

/* SHA-256 of its DER. */
int __must_check ccdm_cert_fingerprint(const struct ccdm_cert *cert, uint8_t sha256[32]);

/**
 * ccdm_cert_ecdsa() - verify a signature with the certificate's key
 * @cert: holds a key on P-256 (with SHA-256) or P-384 (with SHA-384)
 * @r, @s: big-endian
 * @n: bytes of each
 * @text, @size: signed data
 *
 * Return: 0; -EBADMSG: no, or a key of another kind; -ENOMEM.
 */
int __must_check ccdm_cert_ecdsa(const struct ccdm_cert *cert, const uint8_t *r, const uint8_t *s,
				 size_t n, const void *text, size_t size);

/* Its key, which lives as long as the certificate; NULL if OpenSSL does not know its kind. */
const struct ccdm_pubkey *ccdm_cert_key(const struct ccdm_cert *cert);

/**
 * struct ccdm_anchor - a trusted root
 * @name: for a person; or the generation of processors that it certifies
 * @sha256: of its DER
 */
struct ccdm_anchor {
	const char *name;
	uint8_t sha256[32];
};

/**
 * struct ccdm_path - requirements of a chain
 * @prefix: of the checks' names: "chain", "root", "validity", "crl", "revocation"
 * @at: time of evaluation in seconds since 1970
 * @anchors, @nr_anchors: trusted roots
 * @builtin: further certificates of these roots, which are never the guest's; or NULL
 * @no_leaf_crl: the leaf is AMD's: its issuer keeps no list, and it has no authority key
 *	identifier
 * @crl_url: gives the URL of the list of an issuer that certified a subject, by common names; or
 *	NULL. Return: false if it is unknown
 * @anchor: set to the anchor, or NULL
 */
struct ccdm_path {
	const char *prefix;
	int64_t at;
	const struct ccdm_anchor *anchors;
	unsigned int nr_anchors;
	const struct ccdm_certs *builtin;
	bool no_leaf_crl;
	bool (*crl_url)(const char *issuer, const char *subject, char url[CCDM_URL_MAX]);
	const struct ccdm_anchor *anchor;
};

/* True if @oid (dotted) may be a usage of TPM keys: not one of TLS, not anyExtendedKeyUsage. */
bool __must_check ccdm_usage_valid(const char *oid);

/**
 * ccdm_cert_usage() - check that a certificate is for a TPM's key
 * @oid: extended key usage that it must carry; never one of TLS or "any" beside it
 * @sign: of an attestation key, which has this usage alone and signs but never enciphers; else
 *	of an endorsement key, which enciphers
 * @name: of the check
 *
 * A certificate of a CA, or without usages, is neither.
 */
void ccdm_cert_usage(const struct ccdm_cert *cert, const char *oid, bool sign, const char *name,
		     struct ccdm_verdict *v);

/**
 * ccdm_certs_path() - verify the path from a certificate to a root
 * @certs: the other certificates and the lists
 * @leaf: start of the path
 * @path: the requirements
 * @v: five checks, or only the first if there is no chain
 *
 * OpenSSL's security level is 2 (RSA from 2048 bits, no SHA-1), its mode strict.
 *
 * A list proves that a certificate is not revoked if it is the operator's, full and current, and
 * the certificate is in its scope (RFC 5280, 6.3.3). Delta and indirect lists, lists of some
 * reasons, and lists with unknown critical extensions do not prove it; nor
 * do lists in evidence. Any list that the issuer signed can revoke.
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_certs_path(const struct ccdm_certs *certs, const struct ccdm_cert *leaf,
				 struct ccdm_path *path, struct ccdm_verdict *v);

/**
 * ccdm_certs_path_good() - check one of several certificates for the same key
 * @allow: failures of its path that are allowed, enum ccdm_allow
 * @good: set to true if its path is valid
 *
 * As ccdm_certs_path(), without a verdict.
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_certs_path_good(const struct ccdm_certs *certs, const struct ccdm_cert *leaf,
				      const struct ccdm_path *path, unsigned int allow, bool *good);

#endif
