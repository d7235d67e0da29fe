// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* x509.c - see x509.h */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/ui.h"
#include "x509_crl.h"
#include "x509_openssl.h"

#define CCDM_CRL_HINT 1024 /* bytes: the missing lists, and the URL of each */

struct ccdm_certs {
	const struct ccdm_certs *base; /* also searched; certificates are never added to it here */
	int max;
	bool guest;
	STACK_OF(X509) * certs;
	STACK_OF(X509_CRL) * crls;
};

static X509 *ccdm_x509(const struct ccdm_cert *cert)
{
	return (X509 *)cert;
}

/* ---- reading ------------------------------------------------------------- */

static struct ccdm_certs *ccdm_certs_make(const struct ccdm_certs *base, int max, bool guest)
{
	struct ccdm_certs *certs = calloc(1, sizeof(*certs));

	if (!certs)
		return NULL;
	certs->base = base;
	certs->max = max;
	certs->guest = guest;
	certs->certs = sk_X509_new_null();
	certs->crls = sk_X509_CRL_new_null();
	if (!certs->certs || !certs->crls) {
		ccdm_certs_free(certs);
		return NULL;
	}
	return certs;
}

struct ccdm_certs *ccdm_certs_new(void)
{
	return ccdm_certs_make(NULL, CCDM_CERTS_MAX, false);
}

struct ccdm_certs *ccdm_certs_own(const struct ccdm_certs *base)
{
	return ccdm_certs_make(base, CCDM_CERTS_OWN_MAX, false);
}

struct ccdm_certs *ccdm_certs_guest(const struct ccdm_certs *base)
{
	return ccdm_certs_make(base, CCDM_CERTS_MAX, true);
}

void ccdm_certs_free(struct ccdm_certs *certs)
{
	if (!certs)
		return;
	sk_X509_pop_free(certs->certs, X509_free);
	sk_X509_CRL_pop_free(certs->crls, X509_CRL_free);
	free(certs);
}

/* Add one block of PEM, or a whole DER text. @name: the label of the PEM block; NULL for DER. */
static int ccdm_certs_one(struct ccdm_certs *certs, const char *name, const uint8_t *der, long size)
{
	const uint8_t *at = der;
	X509_CRL *crl = NULL;
	X509 *cert = NULL;

	if (sk_X509_num(certs->certs) + sk_X509_CRL_num(certs->crls) >= certs->max)
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
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected a certificate, found %zu other bytes", what,
				    size);
	if (*(const uint8_t *)bytes == 0x30) { /* SEQUENCE */
		r = ccdm_certs_one(certs, NULL, bytes, size);
	} else {
		bio = BIO_new_mem_buf(bytes, size);
		r = bio ? ccdm_certs_pem(certs, bio) : -ENOMEM;
		BIO_free(bio);
	}
	ERR_clear_error();
	if (r == -E2BIG)
		return ccdm_err_set(err, r, "%s: more than %d certificates", what, certs->max);
	if (r)
		return ccdm_err_set(err, r == -ENOMEM ? r : -EINVAL,
				    "%s: neither a certificate nor a revocation list", what);
	if (first && sk_X509_num(certs->certs) > before)
		*first = (const struct ccdm_cert *)sk_X509_value(certs->certs, before);
	return 0;
}

static unsigned int ccdm_certs_count(const struct ccdm_certs *certs)
{
	return certs ? ccdm_certs_count(certs->base) + sk_X509_num(certs->certs) : 0;
}

const struct ccdm_cert *ccdm_certs_at(const struct ccdm_certs *certs, unsigned int i)
{
	unsigned int below = ccdm_certs_count(certs->base);

	return i < below ? ccdm_certs_at(certs->base, i)
			 : (const struct ccdm_cert *)sk_X509_value(certs->certs, i - below);
}

const struct ccdm_crl *ccdm_certs_crl(const struct ccdm_certs *certs, unsigned int i)
{
	return (const struct ccdm_crl *)sk_X509_CRL_value(certs->crls, i);
}

int ccdm_certs_text(const struct ccdm_certs *certs, char **text, size_t *size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool good = bio;
	char *at = NULL;
	int i, n;

	for (i = 0; good && i < sk_X509_num(certs->certs); i++)
		good = PEM_write_bio_X509(bio, sk_X509_value(certs->certs, i));
	for (i = 0; good && i < sk_X509_CRL_num(certs->crls); i++)
		good = PEM_write_bio_X509_CRL(bio, sk_X509_CRL_value(certs->crls, i));
	n = good ? (int)BIO_get_mem_data(bio, &at) : 0;
	*text = good ? malloc(n + 1) : NULL;
	if (*text) {
		if (n)
			memcpy(*text, at, n);
		(*text)[n] = '\0';
		*size = n;
	}
	BIO_free(bio);
	ERR_clear_error();
	return *text ? 0 : -ENOMEM;
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

void ccdm_cert_validity(const struct ccdm_cert *cert, int64_t *from, int64_t *to)
{
	*from = ccdm_x509_time(X509_get0_notBefore(ccdm_x509(cert)));
	*to = ccdm_x509_time(X509_get0_notAfter(ccdm_x509(cert)));
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

/* ---- what a key may be used for ---------------------------------------------- */

static bool ccdm_usage_is(const ASN1_OBJECT *o, const char *oid)
{
	char text[CCDM_OID_MAX];
	int n = OBJ_obj2txt(text, sizeof(text), o, 1);

	return n > 0 && n < (int)sizeof(text) && !strcmp(text, oid);
}

/* Usages that a public CA gives to web servers and clients. Never a sign of a TPM's key. */
static bool ccdm_usage_foreign(const ASN1_OBJECT *o)
{
	int nid = OBJ_obj2nid(o);

	return nid == NID_client_auth || nid == NID_server_auth || nid == NID_anyExtendedKeyUsage;
}

bool ccdm_usage_valid(const char *oid)
{
	ASN1_OBJECT *o = strlen(oid) < CCDM_OID_MAX ? OBJ_txt2obj(oid, 1) : NULL;
	bool good = o && !ccdm_usage_foreign(o) && ccdm_usage_is(o, oid);

	ASN1_OBJECT_free(o);
	ERR_clear_error();
	return good;
}

/* The result of a check of a certificate's key usage; zero is a refusal. */
enum ccdm_usage {
	CCDM_USAGE_UNREADABLE,
	CCDM_USAGE_CA,
	CCDM_USAGE_NO_EXTENDED,
	CCDM_USAGE_TLS,
	CCDM_USAGE_OTHER_EXTENDED,
	CCDM_USAGE_NONE,
	CCDM_USAGE_OTHER,
	CCDM_USAGE_RIGHT,
};

static const char *const ccdm_usage_texts[] = {
	[CCDM_USAGE_UNREADABLE] = "an invalid extension",
	[CCDM_USAGE_CA] = "a certificate of a CA",
	[CCDM_USAGE_NO_EXTENDED] = "no extended key usage",
	[CCDM_USAGE_TLS] = "an extended key usage for TLS, or anyExtendedKeyUsage",
	[CCDM_USAGE_OTHER_EXTENDED] = "another extended key usage",
	[CCDM_USAGE_NONE] = "no key usage",
	[CCDM_USAGE_OTHER] = "another key usage",
	[CCDM_USAGE_RIGHT] = "it",
};

/* Is @oid among the certificate's extended usages? With @alone, it must be the only one. */
static enum ccdm_usage ccdm_usage_extended(X509 *x, const char *oid, bool alone)
{
	EXTENDED_KEY_USAGE *all = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	bool found = false, tls = false, other = false;
	int i;

	if (!all) {
		ERR_clear_error();
		return CCDM_USAGE_NO_EXTENDED;
	}
	for (i = 0; i < sk_ASN1_OBJECT_num(all); i++) {
		const ASN1_OBJECT *o = sk_ASN1_OBJECT_value(all, i);

		if (ccdm_usage_is(o, oid))
			found = true;
		else if (ccdm_usage_foreign(o))
			tls = true;
		else if (alone)
			other = true;
	}
	EXTENDED_KEY_USAGE_free(all);
	if (tls)
		return CCDM_USAGE_TLS;
	return found && !other ? CCDM_USAGE_RIGHT : CCDM_USAGE_OTHER_EXTENDED;
}

static enum ccdm_usage ccdm_usage_of(X509 *x, const char *oid, bool sign)
{
	const uint32_t never = X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN |
			       (sign ? X509v3_KU_KEY_ENCIPHERMENT | X509v3_KU_DATA_ENCIPHERMENT |
						X509v3_KU_KEY_AGREEMENT
				     : 0);
	const uint32_t must = sign ? X509v3_KU_DIGITAL_SIGNATURE : X509v3_KU_KEY_ENCIPHERMENT;
	uint32_t flags = X509_get_extension_flags(x), usage = X509_get_key_usage(x);
	enum ccdm_usage extended = ccdm_usage_extended(x, oid, sign);

	if (flags & EXFLAG_INVALID)
		return CCDM_USAGE_UNREADABLE;
	if (X509_check_ca(x) || (flags & EXFLAG_CA))
		return CCDM_USAGE_CA;
	if (extended != CCDM_USAGE_RIGHT)
		return extended;
	if (!(flags & EXFLAG_KUSAGE))
		return CCDM_USAGE_NONE;
	return (usage & must) != must || (usage & never) ? CCDM_USAGE_OTHER : CCDM_USAGE_RIGHT;
}

void ccdm_cert_usage(const struct ccdm_cert *cert, const char *oid, bool sign, const char *name,
		     struct ccdm_verdict *v)
{
	enum ccdm_usage is = ccdm_usage_of(ccdm_x509(cert), oid, sign);
	char expected[128];

	snprintf(expected, sizeof(expected), "extended key usage %s%s, %s", oid,
		 sign ? " alone" : "",
		 sign ? "digitalSignature without encipherment" : "keyEncipherment");
	ccdm_verdict_add(v, name, is == CCDM_USAGE_RIGHT, 0, expected, "%s", ccdm_usage_texts[is]);
}

/* ---- from a certificate to a root ------------------------------------------ */

static char *ccdm_check_name(const struct ccdm_path *path, const char *what, char name[40])
{
	snprintf(name, 40, "%s%s", path->prefix, what);
	return name;
}

/* Certificates with subject @name: put self-signed ones into @store, the others into @others. */
static bool ccdm_path_named(const struct ccdm_certs *certs, const X509_NAME *name,
			    X509_STORE *store, STACK_OF(X509) * others)
{
	int i;

	for (; certs; certs = certs->base)
		for (i = 0; i < sk_X509_num(certs->certs); i++) {
			X509 *x = sk_X509_value(certs->certs, i);

			if (X509_NAME_cmp(X509_get_subject_name(x), name))
				continue;
			if (X509_self_signed(x, 0) == 1) {
				if (!X509_STORE_add_cert(store, x))
					return false;
			} else if (sk_X509_find(others, x) < 0 && !sk_X509_push(others, x)) {
				return false;
			}
		}
	return true;
}

/*
 * Collect all certificates that can stand above @leaf: the issuers' names decide, level by level.
 * Built-in certificates come first. @others holds pointers only; it owns no certificate.
 */
static bool ccdm_path_gather(const struct ccdm_certs *certs, const struct ccdm_certs *builtin,
			     X509 *leaf, X509_STORE *store, STACK_OF(X509) * others)
{
	int level, from = 0, to = 0, k;

	for (level = 0; level <= CCDM_PATH_DEPTH; level++) {
		/*
		 * This level looks for the issuers of the leaf or, later, of the certificates of
		 * the level before.
		 */
		for (k = level ? from : -1; k < (level ? to : 0); k++) {
			const X509_NAME *name =
				X509_get_issuer_name(k < 0 ? leaf : sk_X509_value(others, k));

			if (!ccdm_path_named(builtin, name, store, others) ||
			    !ccdm_path_named(certs, name, store, others))
				return false;
		}
		from = to;
		to = sk_X509_num(others);
	}
	return true;
}

/*
 * Ignore dates here: a later check judges the date of each certificate. OpenSSL uses them only to
 * choose between certificates of the same name. AMD's VCEKs and VLEKs do not name the key that
 * signed them; no other fault is forgiven.
 */
static int ccdm_path_forgive(int good, X509_STORE_CTX *ctx)
{
	const struct ccdm_path *path = X509_STORE_CTX_get_app_data(ctx);

	if (good)
		return 1;
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return 1;
	case X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER:
		return path->no_leaf_crl && !X509_STORE_CTX_get_error_depth(ctx);
	default:
		return 0;
	}
}

/*
 * Build the chain by its signatures, up to any self-signed certificate. On failure *@why says what
 * is missing.
 */
static STACK_OF(X509) * ccdm_path_build(const struct ccdm_certs *certs,
					const struct ccdm_cert *leaf, struct ccdm_path *path,
					const char **why)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = NULL, *others = sk_X509_new_null();
	int good = store && ctx && others;

	*why = NULL;
	good = good && ccdm_path_gather(certs, path->builtin, ccdm_x509(leaf), store, others) &&
	       X509_STORE_CTX_init(ctx, store, ccdm_x509(leaf), others) &&
	       X509_STORE_CTX_set_app_data(ctx, path);
	if (good) {
		X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), 2);
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
		X509_STORE_CTX_set_time(ctx, 0, (time_t)path->at);
		X509_STORE_CTX_set_depth(ctx, CCDM_PATH_DEPTH);
		X509_STORE_CTX_set_verify_cb(ctx, ccdm_path_forgive);
		if (X509_verify_cert(ctx) == 1)
			chain = X509_STORE_CTX_get1_chain(ctx);
		*why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_free(others);
	ERR_clear_error();
	return chain;
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

/* What the revocation lists say about one certificate. */
struct ccdm_crl_word {
	bool revoked, any, in_force;
	int64_t from, to;	 /* dates of a list that is not in force */
	enum ccdm_crl_fit unfit; /* why a list does not count; CCDM_CRL_UNJUDGED if there is none */
};

/*
 * Any list that the issuer has signed can revoke, whatever its kind, source or date; no other list
 * undoes that. Only a full list of the operator whose scope covers the certificate can say that it
 * is not revoked.
 */
static void ccdm_crl_ask(const struct ccdm_certs *certs, X509 *x, X509 *issuer, int64_t at,
			 struct ccdm_crl_word *w)
{
	enum ccdm_crl_fit fit;
	X509_REVOKED *entry;
	int64_t a, b;
	int i, r;

	for (; certs; certs = certs->base)
		for (i = 0; i < sk_X509_CRL_num(certs->crls); i++) {
			X509_CRL *crl = sk_X509_CRL_value(certs->crls, i);

			if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)))
				continue;
			r = X509_CRL_verify(crl, X509_get0_pubkey(issuer));
			/* a list whose signature cannot be checked may revoke this certificate */
			if (r < 0)
				w->unfit = CCDM_CRL_UNVERIFIED;
			if (r != 1)
				continue;
			/* 2 means "remove from the list"; only a delta list may say that. */
			r = X509_CRL_get0_by_cert(crl, &entry, x);
			w->revoked |=
				r == 1 ||
				(r == 2 && X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) < 0);
			fit = certs->guest ? CCDM_CRL_OF_GUEST : ccdm_crl_fit(crl, x);
			if (fit != CCDM_CRL_FITS) {
				w->unfit = fit;
				continue;
			}
			a = ccdm_x509_time(X509_CRL_get0_lastUpdate(crl));
			b = ccdm_x509_time(X509_CRL_get0_nextUpdate(crl));
			w->any = true;
			if (a >= 0 && a <= at && at <= b) {
				w->in_force = true;
			} else {
				w->from = a;
				w->to = b;
			}
		}
	ERR_clear_error();
}

/* Append to @text whose list is missing, and its URL. */
static void ccdm_path_missing(const struct ccdm_path *path, X509 *x, const char *issuer,
			      enum ccdm_crl_fit unfit, char text[CCDM_CRL_HINT])
{
	char subject[64], url[CCDM_URL_MAX];
	size_t n = strlen(text);
	bool known;

	ccdm_cert_cn((struct ccdm_cert *)x, subject);
	known = path->crl_url && path->crl_url(issuer, subject, url);
	snprintf(text + n, CCDM_CRL_HINT - n, "%sno list of %s%s%s%s%s", n ? ", " : "", issuer,
		 unfit ? ": " : "", unfit ? ccdm_crl_fit_text(unfit) : "", known ? "; fetch " : "",
		 known ? url : "");
}

static void ccdm_path_revocation(const struct ccdm_path *path, const struct ccdm_certs *certs,
				 STACK_OF(X509) * chain, struct ccdm_verdict *v)
{
	char cn[64], revoked[64] = "", missing[CCDM_CRL_HINT] = "", stale[64] = "", name[40],
		     from[32], to[32];
	const char *hint = path->crl_url ? "; run \"ccdm-broker trust fetch\"" : "";
	int i, n = 0;

	for (i = 0; i < sk_X509_num(chain) - 1; i++) {
		X509 *x = sk_X509_value(chain, i), *issuer = sk_X509_value(chain, i + 1);
		struct ccdm_crl_word w = { 0 };

		ccdm_crl_ask(certs, x, issuer, path->at, &w);
		ccdm_cert_cn((struct ccdm_cert *)issuer, cn);
		n += w.any;
		if (!w.any && (i || !path->no_leaf_crl || w.unfit))
			ccdm_path_missing(path, x, cn, w.unfit, missing);
		if (w.any && !w.in_force)
			snprintf(stale, sizeof(stale), "%.20s to %.20s", ccdm_ui_date(w.from, from),
				 ccdm_ui_date(w.to, to));
		if (w.revoked)
			ccdm_cert_cn((struct ccdm_cert *)x, revoked);
		/* A certificate without a name can be revoked, too. */
		if (w.revoked && !revoked[0])
			strcpy(revoked, "a certificate without a name");
	}
	ccdm_check_name(path, "crl", name);
	if (missing[0])
		ccdm_verdict_add(v, name, false, CCDM_ALLOW_NO_CRL,
				 "a revocation list of each issuer", "%s%s", missing, hint);
	else
		ccdm_verdict_add(v, name, !stale[0], CCDM_ALLOW_EXPIRED,
				 "a current revocation list of each issuer", "%s%s",
				 stale[0] ? stale : "in force", stale[0] ? hint : "");
	ccdm_check_name(path, "revocation", name);
	ccdm_verdict_add(v, name, !revoked[0], 0, "no certificate is revoked", "%s%s",
			 revoked[0] ? revoked
			 : n	    ? "none"
				    : "none (there is no list)",
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
	chain = ccdm_path_build(certs, leaf, path, &why);
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
	ccdm_hex(sha256, sizeof(sha256), hex);
	ccdm_check_name(path, "root", name);
	ccdm_verdict_add(v, name, path->anchor, 0, "a trusted root", "%s, SHA-256 %s",
			 ccdm_cert_cn(root, cn), hex);
	ccdm_path_validity(path, chain, v);
	ccdm_path_revocation(path, certs, chain, v);
	sk_X509_pop_free(chain, X509_free);
	return 0;
}

int ccdm_certs_path_good(const struct ccdm_certs *certs, const struct ccdm_cert *leaf,
			 const struct ccdm_path *path, unsigned int allow, bool *good)
{
	struct ccdm_verdict *tried = calloc(1, sizeof(*tried));
	struct ccdm_path own = *path;
	int r = tried ? 0 : -ENOMEM;

	*good = false;
	if (!r) {
		tried->allow = allow;
		r = ccdm_certs_path(certs, leaf, &own, tried);
		tried->complete = !r;
		*good = ccdm_verdict_accepted(tried);
	}
	free(tried);
	return r;
}
