// SPDX-License-Identifier: Apache-2.0
/* x509.c - see x509.h */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "x509.h"

struct ccdm_certs {
	STACK_OF(X509) * certs;
	STACK_OF(X509_CRL) * crls;
};

static X509 *ccdm_x509(const struct ccdm_cert *cert)
{
	return (X509 *)cert;
}

/* ---- reading ------------------------------------------------------------- */

struct ccdm_certs *ccdm_certs_new(void)
{
	struct ccdm_certs *certs = calloc(1, sizeof(*certs));

	if (!certs)
		return NULL;
	certs->certs = sk_X509_new_null();
	certs->crls = sk_X509_CRL_new_null();
	if (!certs->certs || !certs->crls) {
		ccdm_certs_free(certs);
		return NULL;
	}
	return certs;
}

void ccdm_certs_free(struct ccdm_certs *certs)
{
	if (!certs)
		return;
	sk_X509_pop_free(certs->certs, X509_free);
	sk_X509_CRL_pop_free(certs->crls, X509_CRL_free);
	free(certs);
}

/* One block of PEM, or a whole text of DER, whose name is NULL. */
static int ccdm_certs_one(struct ccdm_certs *certs, const char *name, const uint8_t *der, long size)
{
	const uint8_t *at = der;
	X509_CRL *crl = NULL;
	X509 *cert = NULL;

	if (sk_X509_num(certs->certs) + sk_X509_CRL_num(certs->crls) >= CCDM_CERTS_MAX)
		return -E2BIG;
	if (!name || !strcmp(name, PEM_STRING_X509)) {
		cert = d2i_X509(NULL, &at, size);
		if (cert && at == der + size && sk_X509_push(certs->certs, cert) > 0)
			return 0;
		X509_free(cert);
	}
	at = der;
	if (!name || !strcmp(name, PEM_STRING_X509_CRL)) {
		crl = d2i_X509_CRL(NULL, &at, size);
		if (crl && at == der + size && sk_X509_CRL_push(certs->crls, crl) > 0)
			return 0;
		X509_CRL_free(crl);
	}
	return -EINVAL;
}

static int ccdm_certs_pem(struct ccdm_certs *certs, BIO *bio)
{
	char *name, *header;
	unsigned int n = 0;
	uint8_t *der;
	long size;
	int r = 0;

	while (!r && PEM_read_bio(bio, &name, &header, &der, &size)) {
		r = ccdm_certs_one(certs, name, der, size);
		n++;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	if (!r && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		r = -EINVAL;
	return r ? r : n ? 0 : -ENOENT;
}

int ccdm_certs_add(struct ccdm_certs *certs, const char *what, const void *bytes, size_t size,
		   const struct ccdm_cert **first, struct ccdm_err *err)
{
	int before = sk_X509_num(certs->certs), r;
	BIO *bio = NULL;

	if (first)
		*first = NULL;
	if (!size || size > CCDM_CERT_MAX)
		return ccdm_err_set(err, -EINVAL, "%s: %zu bytes are no certificate", what, size);
	if (*(const uint8_t *)bytes == 0x30) { /* SEQUENCE */
		r = ccdm_certs_one(certs, NULL, bytes, size);
	} else {
		bio = BIO_new_mem_buf(bytes, size);
		r = bio ? ccdm_certs_pem(certs, bio) : -ENOMEM;
		BIO_free(bio);
	}
	ERR_clear_error();
	if (r == -E2BIG)
		return ccdm_err_set(err, r, "%s: more than %u certificates", what, CCDM_CERTS_MAX);
	if (r)
		return ccdm_err_set(err, r == -ENOMEM ? r : -EINVAL,
				    "%s: neither a certificate nor a revocation list", what);
	if (first && sk_X509_num(certs->certs) > before)
		*first = (const struct ccdm_cert *)sk_X509_value(certs->certs, before);
	return 0;
}

const struct ccdm_cert *ccdm_certs_at(const struct ccdm_certs *certs, unsigned int i)
{
	return (const struct ccdm_cert *)sk_X509_value(certs->certs, i);
}

/* ---- what a certificate says ---------------------------------------------- */

char *ccdm_cert_cn(const struct ccdm_cert *cert, char *cn)
{
	int n = X509_NAME_get_text_by_NID(X509_get_subject_name(ccdm_x509(cert)), NID_commonName,
					  cn, 64);

	if (n < 0 || strlen(cn) != (size_t)n)
		cn[0] = '\0';
	return cn;
}

int ccdm_cert_extension(const struct ccdm_cert *cert, const char *oid, const uint8_t **bytes,
			size_t *size)
{
	ASN1_OBJECT *want = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *data;
	int at, r = 0;

	if (!want)
		return -ENOMEM;
	at = X509_get_ext_by_OBJ(ccdm_x509(cert), want, -1);
	if (at < 0)
		r = -ENOENT;
	else if (X509_get_ext_by_OBJ(ccdm_x509(cert), want, at) >= 0)
		r = -EINVAL;
	ASN1_OBJECT_free(want);
	if (r)
		return r;
	data = X509_EXTENSION_get_data(X509_get_ext(ccdm_x509(cert), at));
	*bytes = ASN1_STRING_get0_data(data);
	*size = ASN1_STRING_length(data);
	return 0;
}

int ccdm_cert_der(const struct ccdm_cert *cert, uint8_t **der, size_t *size)
{
	int n = i2d_X509(ccdm_x509(cert), NULL);
	uint8_t *at;

	*der = n > 0 ? malloc(n) : NULL;
	at = *der;
	if (!at || i2d_X509(ccdm_x509(cert), &at) != n)
		return -ENOMEM;
	*size = n;
	return 0;
}

int ccdm_cert_fingerprint(const struct ccdm_cert *cert, uint8_t sha256[32])
{
	return X509_digest(ccdm_x509(cert), EVP_sha256(), sha256, NULL) == 1 ? 0 : -EIO;
}

const struct ccdm_pubkey *ccdm_cert_key(const struct ccdm_cert *cert)
{
	return (const struct ccdm_pubkey *)X509_get0_pubkey(ccdm_x509(cert));
}

int ccdm_cert_ecdsa(const struct ccdm_cert *cert, const uint8_t *r, const uint8_t *s, size_t n,
		    const void *text, size_t size)
{
	return ccdm_pubkey_ecdsa(ccdm_cert_key(cert), r, s, n, text, size);
}

/* ---- from a certificate to a root ------------------------------------------ */

static char *ccdm_check_name(const struct ccdm_path *path, const char *what, char name[40])
{
	snprintf(name, 40, "%s%s", path->prefix, what);
	return name;
}

/* The chain by signatures, up to any certificate that signed itself; or what is missing. */
static STACK_OF(X509) * ccdm_path_build(const struct ccdm_certs *certs,
					const struct ccdm_cert *leaf, const char **why)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = NULL;
	int i, good = store && ctx;
	X509 *x;

	*why = NULL;
	for (i = 0; good && i < sk_X509_num(certs->certs); i++) {
		x = sk_X509_value(certs->certs, i);
		if (X509_self_signed(x, 0) == 1)
			good = X509_STORE_add_cert(store, x);
	}
	good = good && X509_STORE_CTX_init(ctx, store, ccdm_x509(leaf), certs->certs);
	if (good) {
		/* dates and lists are looked at one by one */
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
		X509_STORE_CTX_set_depth(ctx, 4);
		if (X509_verify_cert(ctx) == 1)
			chain = X509_STORE_CTX_get1_chain(ctx);
		*why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return chain;
}

/* Seconds since 1970, or -1. */
static int64_t ccdm_x509_time(const ASN1_TIME *t)
{
	struct tm tm;

	return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : -1;
}

static void ccdm_path_validity(const struct ccdm_path *path, STACK_OF(X509) * chain,
			       struct ccdm_verdict *v)
{
	char cn[64], from[32], to[32], now[32], name[40], expected[64];
	int64_t a = 0, b = 0;
	const X509 *x = NULL;
	bool good = true;
	int i;

	for (i = 0; good && i < sk_X509_num(chain); i++) {
		x = sk_X509_value(chain, i);
		a = ccdm_x509_time(X509_get0_notBefore(x));
		b = ccdm_x509_time(X509_get0_notAfter(x));
		good = a >= 0 && b >= 0 && a <= path->at && path->at <= b;
	}
	ccdm_check_name(path, "validity", name);
	snprintf(expected, sizeof(expected), "valid at %s", ccdm_ui_date(path->at, now));
	if (good)
		ccdm_verdict_add(v, name, true, 0, expected, "all %d certificates are",
				 sk_X509_num(chain));
	else
		ccdm_verdict_add(v, name, false, CCDM_ALLOW_EXPIRED, expected, "%s: %s to %s",
				 ccdm_cert_cn((const struct ccdm_cert *)x, cn),
				 ccdm_ui_date(a, from), ccdm_ui_date(b, to));
}

/* The list of @issuer's, with its signature verified; the newest if there are several. */
static X509_CRL *ccdm_crl_of(const struct ccdm_certs *certs, X509 *issuer)
{
	X509_CRL *best = NULL;
	int i;

	for (i = 0; i < sk_X509_CRL_num(certs->crls); i++) {
		X509_CRL *crl = sk_X509_CRL_value(certs->crls, i);

		if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) ||
		    X509_CRL_verify(crl, X509_get0_pubkey(issuer)) != 1)
			continue;
		if (!best || ccdm_x509_time(X509_CRL_get0_lastUpdate(crl)) >
				     ccdm_x509_time(X509_CRL_get0_lastUpdate(best)))
			best = crl;
	}
	ERR_clear_error();
	return best;
}

static void ccdm_path_revocation(const struct ccdm_path *path, const struct ccdm_certs *certs,
				 STACK_OF(X509) * chain, struct ccdm_verdict *v)
{
	char cn[64], revoked[64] = "", missing[64] = "", stale[64] = "", name[40], from[32], to[32];
	int i, n = 0;

	for (i = 0; i < sk_X509_num(chain) - 1; i++) {
		X509 *x = sk_X509_value(chain, i), *issuer = sk_X509_value(chain, i + 1);
		X509_CRL *crl = ccdm_crl_of(certs, issuer);
		int64_t a, b;
		X509_REVOKED *entry;

		ccdm_cert_cn((struct ccdm_cert *)issuer, cn);
		if (!crl) {
			if (i || !path->no_leaf_crl)
				memcpy(missing, cn, sizeof(cn));
			continue;
		}
		n++;
		a = ccdm_x509_time(X509_CRL_get0_lastUpdate(crl));
		b = ccdm_x509_time(X509_CRL_get0_nextUpdate(crl));
		if (a < 0 || a > path->at || b < path->at)
			snprintf(stale, sizeof(stale), "%.20s to %.20s", ccdm_ui_date(a, from),
				 ccdm_ui_date(b, to));
		if (X509_CRL_get0_by_cert(crl, &entry, x) == 1)
			ccdm_cert_cn((struct ccdm_cert *)x, revoked);
	}
	ccdm_check_name(path, "crl", name);
	if (missing[0])
		ccdm_verdict_add(v, name, false, CCDM_ALLOW_NO_CRL,
				 "a revocation list of each issuer", "none of %s", missing);
	else
		ccdm_verdict_add(v, name, !stale[0], CCDM_ALLOW_EXPIRED,
				 "a revocation list of each issuer, in force", "%s",
				 stale[0] ? stale : "in force");
	ccdm_check_name(path, "revocation", name);
	ccdm_verdict_add(v, name, !revoked[0], 0, "no certificate is revoked", "%s%s",
			 revoked[0] ? revoked
			 : n	    ? "none"
				    : "none, in no list",
			 revoked[0] ? " is revoked" : "");
}

int ccdm_certs_path(const struct ccdm_certs *certs, const struct ccdm_cert *leaf,
		    struct ccdm_path *path, struct ccdm_verdict *v)
{
	STACK_OF(X509) * chain;
	char name[40], cn[64], hex[65];
	const struct ccdm_cert *root;
	uint8_t sha256[32];
	const char *why;
	unsigned int i;

	path->anchor = NULL;
	chain = ccdm_path_build(certs, leaf, &why);
	if (!chain && !why)
		return -ENOMEM;
	ccdm_check_name(path, "chain", name);
	if (!ccdm_verdict_add(v, name, chain, 0, "signatures from the certificate up to a root",
			      "%s", chain ? "complete" : why))
		return 0;

	root = (const struct ccdm_cert *)sk_X509_value(chain, sk_X509_num(chain) - 1);
	if (ccdm_cert_fingerprint(root, sha256)) {
		sk_X509_pop_free(chain, X509_free);
		return -ENOMEM;
	}
	for (i = 0; i < path->nr_anchors && !path->anchor; i++)
		if (!memcmp(path->anchors[i].sha256, sha256, sizeof(sha256)))
			path->anchor = &path->anchors[i];
	ccdm_digest_hex(sha256, sizeof(sha256), hex);
	ccdm_check_name(path, "root", name);
	ccdm_verdict_add(v, name, path->anchor, 0, "a root that is trusted", "%s, SHA-256 %s",
			 ccdm_cert_cn(root, cn), hex);
	ccdm_path_validity(path, chain, v);
	ccdm_path_revocation(path, certs, chain, v);
	sk_X509_pop_free(chain, X509_free);
	return 0;
}
