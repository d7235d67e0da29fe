// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* x509_crl.c - see x509_crl.h */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include "base/ui.h"
#include "x509_crl.h"
#include "x509_openssl.h"

static X509_CRL *ccdm_x509_crl(const struct ccdm_crl *crl)
{
	return (X509_CRL *)crl;
}

/* ---- scope and strength ---------------------------------------------------------- */

int64_t ccdm_x509_time(const ASN1_TIME *t)
{
	struct tm tm;

	/* coverage: OpenSSL parsed the certificate, so its times are valid */
	return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : -1;
}

/* Does the list's signature use a broken or unknown hash? */
static bool ccdm_crl_weak(const X509_CRL *crl)
{
	const ASN1_BIT_STRING *bits;
	const X509_ALGOR *alg;
	int md = NID_undef, key, type;
	RSA_PSS_PARAMS *pss;
	const void *param;

	if (X509_CRL_get_signature_nid(crl) != NID_rsassaPss)
		return !OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &md, &key) ||
		       md == NID_sha1 || md == NID_md5;
	X509_CRL_get0_signature(crl, &bits, &alg);
	X509_ALGOR_get0(NULL, &type, &param, alg);
	pss = type == V_ASN1_SEQUENCE ? ASN1_item_unpack(param, ASN1_ITEM_rptr(RSA_PSS_PARAMS))
				      : NULL;
	/* RSA-PSS parameters without a hash name mean SHA-1. */
	if (pss && pss->hashAlgorithm)
		md = OBJ_obj2nid(pss->hashAlgorithm->algorithm);
	RSA_PSS_PARAMS_free(pss);
	return md != NID_sha256 && md != NID_sha384 && md != NID_sha512;
}

/* Do @a and @b have a full name in common? */
static bool ccdm_dp_same(const DIST_POINT_NAME *a, const DIST_POINT_NAME *b)
{
	int i, k;

	if (!a || !b || a->type || b->type)
		return false;
	for (i = 0; i < sk_GENERAL_NAME_num(a->name.fullname); i++)
		for (k = 0; k < sk_GENERAL_NAME_num(b->name.fullname); k++)
			if (!GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a->name.fullname, i),
					      sk_GENERAL_NAME_value(b->name.fullname, k)))
				return true;
	return false;
}

/* Does a distribution point of the certificate name this list, for all reasons? */
static bool ccdm_dp_of(X509 *x, const DIST_POINT_NAME *name)
{
	CRL_DIST_POINTS *all = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
	bool same = false;
	int i;

	for (i = 0; !same && i < sk_DIST_POINT_num(all); i++) {
		const DIST_POINT *dp = sk_DIST_POINT_value(all, i);

		same = !dp->reasons && !dp->CRLissuer && ccdm_dp_same(name, dp->distpoint);
	}
	CRL_DIST_POINTS_free(all);
	return same;
}

const char *ccdm_crl_fit_text(enum ccdm_crl_fit fit)
{
	static const char *const texts[] = {
		[CCDM_CRL_UNJUDGED] = "it has no list",
		[CCDM_CRL_UNVERIFIED] = "cannot verify its list",
		[CCDM_CRL_OF_GUEST] = "its list came with the evidence",
		[CCDM_CRL_DELTA] = "its list is a delta list",
		[CCDM_CRL_WEAK] = "its list has a weak signature",
		[CCDM_CRL_CRITICAL] = "its list has an unknown critical extension",
		[CCDM_CRL_UNREADABLE] = "its list has an invalid distribution point",
		[CCDM_CRL_PARTIAL] = "its list is indirect, or covers only some reasons",
		[CCDM_CRL_OF_NOBODY] = "its list covers no certificates",
		[CCDM_CRL_OF_OTHERS] = "its list covers other certificates",
		[CCDM_CRL_FITS] = "one",
	};

	return texts[fit];
}

/* RFC 5280, 6.3.3: is @x in the scope of the list? If @x is NULL: can any certificate be? */
static enum ccdm_crl_fit ccdm_crl_scope(const X509_CRL *crl, X509 *x)
{
	int at = X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1);
	enum ccdm_crl_fit fit = CCDM_CRL_FITS;
	ISSUING_DIST_POINT *idp;

	if (at < 0)
		return CCDM_CRL_FITS;
	/* OpenSSL returns NULL if the extension occurs twice. */
	idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
	if (!idp)
		fit = CCDM_CRL_UNREADABLE;
	else if (idp->indirectCRL > 0 || idp->onlyattr > 0 || idp->onlysomereasons)
		fit = CCDM_CRL_PARTIAL;
	else if (idp->onlyuser > 0 && idp->onlyCA > 0)
		fit = CCDM_CRL_OF_NOBODY;
	else if (x && ((idp->onlyuser > 0 && X509_check_ca(x)) ||
		       (idp->onlyCA > 0 && !X509_check_ca(x)) ||
		       (idp->distpoint && !ccdm_dp_of(x, idp->distpoint))))
		fit = CCDM_CRL_OF_OTHERS;
	ISSUING_DIST_POINT_free(idp);
	return fit;
}

enum ccdm_crl_fit ccdm_crl_fit(X509_CRL *crl, X509 *x)
{
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
	int i, k;

	if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
		return CCDM_CRL_DELTA;
	if (ccdm_crl_weak(crl))
		return CCDM_CRL_WEAK;
	for (i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		X509_EXTENSION *e = X509_CRL_get_ext(crl, i);

		if (X509_EXTENSION_get_critical(e) &&
		    OBJ_obj2nid(X509_EXTENSION_get_object(e)) != NID_issuing_distribution_point)
			return CCDM_CRL_CRITICAL;
	}
	for (i = 0; i < sk_X509_REVOKED_num(entries); i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);

		for (k = 0; k < X509_REVOKED_get_ext_count(entry); k++) {
			X509_EXTENSION *e = X509_REVOKED_get_ext(entry, k);

			if (X509_EXTENSION_get_critical(e) &&
			    OBJ_obj2nid(X509_EXTENSION_get_object(e)) != NID_crl_reason)
				return CCDM_CRL_CRITICAL;
		}
	}
	return ccdm_crl_scope(crl, x);
}

/* ---- the list itself ----------------------------------------------------------------- */

void ccdm_crl_info(const struct ccdm_crl *crl, struct ccdm_crl_info *info)
{
	X509_CRL *x = ccdm_x509_crl(crl);
	int n = X509_NAME_get_text_by_NID(X509_CRL_get_issuer(x), NID_commonName, info->issuer,
					  sizeof(info->issuer));

	if (n < 0 || strlen(info->issuer) != (size_t)n)
		info->issuer[0] = '\0';
	if (!X509_NAME_digest(X509_CRL_get_issuer(x), EVP_sha256(), info->name, NULL))
		memset(info->name, 0, sizeof(info->name));
	info->from = ccdm_x509_time(X509_CRL_get0_lastUpdate(x));
	info->to = ccdm_x509_time(X509_CRL_get0_nextUpdate(x));
	ERR_clear_error();
}

/* Does the certificate's key verify the list's signature, and may it sign lists? */
static bool ccdm_crl_signed(X509_CRL *crl, const struct ccdm_cert *cert)
{
	X509 *x = (X509 *)cert;

	return !X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(x)) &&
	       X509_check_ca(x) == 1 && X509_get_key_usage(x) & KU_CRL_SIGN &&
	       X509_CRL_verify(crl, X509_get0_pubkey(x)) == 1;
}

/*
 * Find the certificate of the list's signer. A key may have several certificates: prefer the first
 * one with a valid path, else take the first one.
 */
static int ccdm_crl_issuer(const struct ccdm_certs *certs, X509_CRL *crl,
			   const struct ccdm_path *path, unsigned int allow,
			   const struct ccdm_cert **issuer)
{
	const struct ccdm_certs *sets[] = { path->builtin, certs };
	const struct ccdm_cert *cert;
	unsigned int i, k;
	bool good = false;
	int r = 0;

	*issuer = NULL;
	for (k = 0; k < 2; k++)
		for (i = 0; !r && !good && sets[k] && (cert = ccdm_certs_at(sets[k], i)); i++) {
			if (!ccdm_crl_signed(crl, cert))
				continue;
			r = ccdm_certs_path_good(certs, cert, path, allow, &good);
			if (good || !*issuer)
				*issuer = cert;
		}
	ERR_clear_error();
	return r;
}

int ccdm_crl_check(const struct ccdm_certs *certs, const struct ccdm_crl *crl,
		   struct ccdm_path *path, struct ccdm_verdict *v)
{
	enum ccdm_crl_fit fit = ccdm_crl_fit(ccdm_x509_crl(crl), NULL);
	char name[40], from[32], to[32], now[32], expected[64];
	const struct ccdm_cert *issuer;
	struct ccdm_crl_info info;
	int r = ccdm_crl_issuer(certs, ccdm_x509_crl(crl), path, v->allow, &issuer);

	ERR_clear_error();
	if (r)
		return r;
	ccdm_crl_info(crl, &info);
	snprintf(name, sizeof(name), "%slist", path->prefix);
	ccdm_verdict_add(v, name, fit == CCDM_CRL_FITS, 0, "a full list", "%s",
			 ccdm_crl_fit_text(fit));
	snprintf(name, sizeof(name), "%slist-signature", path->prefix);
	if (!ccdm_verdict_add(v, name, issuer, 0, "a valid signature of the issuer's key", "%s",
			      issuer ? "one" : "no known certificate verifies it"))
		return 0;
	r = ccdm_certs_path(certs, issuer, path, v);
	if (r)
		return r;
	snprintf(name, sizeof(name), "%slist-date", path->prefix);
	snprintf(expected, sizeof(expected), "in force at %s", ccdm_ui_date(path->at, now));
	ccdm_verdict_add(v, name, info.from >= 0 && info.from <= path->at && path->at <= info.to,
			 CCDM_ALLOW_EXPIRED, expected, "%s to %s", ccdm_ui_date(info.from, from),
			 ccdm_ui_date(info.to, to));
	v->complete = true;
	return 0;
}

/* Does @crl revoke each certificate that @old revokes? */
static bool ccdm_crl_keeps(X509_CRL *crl, X509_CRL *old)
{
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(old);
	X509_REVOKED *entry;
	int i;

	for (i = 0; i < sk_X509_REVOKED_num(entries); i++)
		if (X509_CRL_get0_by_serial(
			    crl, &entry,
			    X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))) != 1)
			return false;
	return true;
}

const char *ccdm_crl_change_text(enum ccdm_crl_change change)
{
	switch (change) {
	case CCDM_CRL_OTHER_ISSUER:
		return "it has another issuer";
	case CCDM_CRL_LOWER_NUMBER:
		return "it is older: its number is lower";
	case CCDM_CRL_OLDER_DATE:
		return "it has an older date";
	case CCDM_CRL_FORGETS:
		return "it lacks a certificate that was revoked before";
	case CCDM_CRL_REPLACES:
		break;
	}
	return "it is acceptable";
}

enum ccdm_crl_change ccdm_crl_replace(const struct ccdm_crl *crl, const struct ccdm_crl *old,
				      bool keep)
{
	X509_CRL *a = ccdm_x509_crl(crl), *b = ccdm_x509_crl(old);
	ASN1_INTEGER *n = X509_CRL_get_ext_d2i(a, NID_crl_number, NULL, NULL);
	ASN1_INTEGER *had = X509_CRL_get_ext_d2i(b, NID_crl_number, NULL, NULL);
	enum ccdm_crl_change change = CCDM_CRL_REPLACES;

	if (X509_NAME_cmp(X509_CRL_get_issuer(a), X509_CRL_get_issuer(b)))
		change = CCDM_CRL_OTHER_ISSUER;
	else if (had && (!n || ASN1_INTEGER_cmp(n, had) < 0))
		change = CCDM_CRL_LOWER_NUMBER;
	else if (ccdm_x509_time(X509_CRL_get0_lastUpdate(a)) <
		 ccdm_x509_time(X509_CRL_get0_lastUpdate(b)))
		change = CCDM_CRL_OLDER_DATE;
	else if (keep && !ccdm_crl_keeps(a, b))
		change = CCDM_CRL_FORGETS;
	ASN1_INTEGER_free(n);
	ASN1_INTEGER_free(had);
	ERR_clear_error();
	return change;
}
