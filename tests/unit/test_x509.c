// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Paths, revocation lists and usages. Each case has test certificates and lists with one defect,
 * next to valid ones. The check that must fail is named; all others pass.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "failed.h"
#include "pki.h"
#include "seed.h"

#define AT 1750000000 /* 2025-06-15 */

static struct ccdm_err err;
static EVP_PKEY *root_key, *sub_key, *leaf_key, *small;

/* Write certificates and lists of a case in PEM for the fuzzer: first the leaf and the root. */
static char bag[32768];
static size_t bag_size;

static void bag_put(X509 *x, X509_CRL *crl)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	pki_must(x ? PEM_write_bio_X509(bio, x) : PEM_write_bio_X509_CRL(bio, crl));
	n = BIO_get_mem_data(bio, &text);
	if (bag_size + n <= sizeof(bag)) {
		memcpy(bag + bag_size, text, n);
		bag_size += n;
	}
	BIO_free(bio);
}

static void bag_seed(X509 *leaf, X509 *root)
{
	char rest[sizeof(bag)];
	size_t n = bag_size;

	memcpy(rest, bag, n);
	bag_size = 0;
	bag_put(leaf, NULL);
	if (root)
		bag_put(root, NULL);
	if (bag_size + n <= sizeof(bag)) {
		memcpy(bag + bag_size, rest, n);
		seed("x509", bag, bag_size + n);
	}
	bag_size = 0;
}

static int setup(void **state)
{
	(void)state;
	root_key = pki_key("P-384");
	sub_key = pki_key("P-256");
	leaf_key = pki_key("P-256");
	small = EVP_RSA_gen(1024);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(sub_key);
	EVP_PKEY_free(leaf_key);
	EVP_PKEY_free(small);
	return 0;
}

static X509 *make(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *by, bool ca, long serial)
{
	return pki_cert(&(struct pki_want){ .cn = cn,
					    .key = key,
					    .issuer = issuer,
					    .issuer_key = by,
					    .ca = ca,
					    .serial = serial });
}

/* The checks that fail for @leaf under the trusted root @root. */
static const char *path_of(struct ccdm_certs *certs, X509 *leaf, X509 *root, bool amd)
{
	struct ccdm_anchor anchor = { .name = "root" };
	struct ccdm_path path = {
		.prefix = "", .at = AT, .anchors = &anchor, .nr_anchors = 1, .no_leaf_crl = amd
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_certs *own = ccdm_certs_guest(certs);
	const struct ccdm_cert *first;
	const char *text;

	bag_seed(leaf, root);
	pki_add_cert(own, root, &first);
	assert_int_equal(ccdm_cert_fingerprint(first, anchor.sha256), 0);
	pki_add_cert(own, leaf, &first);
	assert_int_equal(ccdm_certs_path(own, first, &path, v), 0);
	text = failed(v);
	ccdm_certs_free(own);
	free(v);
	return text;
}

/* ---- weak chains ------------------------------------------------------------------- */

static void weak(void **state)
{
	static const struct {
		bool small_leaf, small_sub, small_root, sha1_leaf, sha1_sub, sha1_root;
		bool no_akid_leaf, no_akid_sub, amd, leaf_is_sub;
		const char *fails;
	} cases[] = {
		{ .fails = "" },
		{ .small_leaf = true, .fails = "chain" },
		{ .small_sub = true, .fails = "chain" },
		{ .small_root = true, .fails = "chain" },
		{ .sha1_leaf = true, .fails = "chain" },
		{ .sha1_sub = true, .fails = "chain" },
		/* the root is known by its hash, so its own signature does not count */
		{ .sha1_root = true, .fails = "" },
		{ .no_akid_leaf = true, .fails = "chain" },
		{ .no_akid_leaf = true, .amd = true, .fails = "" },
		{ .no_akid_sub = true, .amd = true, .fails = "chain" },
		{ .no_akid_leaf = true, .sha1_leaf = true, .amd = true, .fails = "chain" },
		{ .no_akid_leaf = true, .small_leaf = true, .amd = true, .fails = "chain" },
		{ .no_akid_leaf = true, .small_sub = true, .amd = true, .fails = "chain" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EVP_PKEY *rk = cases[i].small_root ? small : root_key;
		EVP_PKEY *sk = cases[i].small_sub ? small : sub_key;
		struct ccdm_certs *certs = ccdm_certs_own(NULL);
		struct pki_want w = {
			.cn = "Root", .key = rk, .ca = true, .serial = 1, .sha1 = cases[i].sha1_root
		};
		X509 *root = pki_cert(&w), *sub, *leaf;
		const char *got;

		w = (struct pki_want){ .cn = "Sub",
				       .key = sk,
				       .issuer = root,
				       .issuer_key = rk,
				       .ca = true,
				       .serial = 2,
				       .sha1 = cases[i].sha1_sub,
				       .no_akid = cases[i].no_akid_sub };
		sub = pki_cert(&w);
		w = (struct pki_want){ .cn = "Leaf",
				       .key = cases[i].small_leaf ? small : leaf_key,
				       .issuer = sub,
				       .issuer_key = sk,
				       .serial = 3,
				       .sha1 = cases[i].sha1_leaf,
				       .no_akid = cases[i].no_akid_leaf };
		leaf = pki_cert(&w);
		bag_put(sub, NULL);
		pki_add_cert(certs, sub, NULL);
		pki_add_crl(certs, root, rk, NULL, NULL, 0);
		pki_add_crl(certs, sub, sk, NULL, NULL, 0);
		got = path_of(certs, leaf, root, cases[i].amd);
		if (strcmp(got, cases[i].fails))
			fail_msg("case %zu: failed: '%s', not '%s'", i, got, cases[i].fails);
		ccdm_certs_free(certs);
		X509_free(root);
		X509_free(sub);
		X509_free(leaf);
	}
}

/* ---- revocation lists ----------------------------------------------------------------- */

enum kind {
	NONE,
	FULL,
	DELTA,
	USERS,
	CAS,
	ATTRIBUTES,
	REASONS,
	INDIRECT,
	NOWHERE, /* covers no certificates */
	PART,	 /* covers the distribution point that the certificate names */
	OTHER_PART,
	TWICE, /* the extension occurs twice */
	ODD,   /* a distribution point that cannot be parsed */
	CRITICAL,
	CRITICAL_ENTRY,
	WEAK,
};

struct list {
	enum kind kind;
	long revokes; /* the revoked serial number; the leaf's is 3 */
	bool old, future, guest, remove, forged;
};

static void crl_idp(X509_CRL *crl, enum kind kind)
{
	ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();
	GENERAL_NAME *name;

	idp->onlyuser = kind == USERS || kind == NOWHERE ? 0xff : 0;
	idp->onlyCA = kind == CAS || kind == NOWHERE ? 0xff : 0;
	idp->onlyattr = kind == ATTRIBUTES ? 0xff : 0;
	idp->indirectCRL = kind == INDIRECT ? 0xff : 0;
	if (kind == REASONS) {
		idp->onlysomereasons = ASN1_BIT_STRING_new();
		ASN1_BIT_STRING_set_bit(idp->onlysomereasons, 1, 1);
	}
	if (kind == PART || kind == OTHER_PART || kind == TWICE) {
		idp->distpoint = DIST_POINT_NAME_new();
		idp->distpoint->type = 0;
		idp->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
		name = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_URI,
					kind == OTHER_PART ? "http://a/2" : "http://a/1", 0);
		sk_GENERAL_NAME_push(idp->distpoint->name.fullname, name);
	}
	pki_must(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, idp, 1,
				       X509V3_ADD_APPEND));
	if (kind == TWICE)
		pki_must(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, idp, 1,
					       X509V3_ADD_APPEND));
	ISSUING_DIST_POINT_free(idp);
}

static void crl_odd(X509_CRL *crl)
{
	ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	ASN1_OCTET_STRING_set(data, (const uint8_t *)"\x04\x01x", 3);
	e = X509_EXTENSION_create_by_NID(NULL, NID_issuing_distribution_point, 1, data);
	pki_must(X509_CRL_add_ext(crl, e, -1));
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(data);
}

static void entry_ext(X509_CRL *crl, const struct list *l)
{
	X509_REVOKED *entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0);
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
	X509_EXTENSION *e;

	if (l->remove) {
		ASN1_ENUMERATED_set(reason, CRL_REASON_REMOVE_FROM_CRL);
		pki_must(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0));
	}
	if (l->kind == CRITICAL_ENTRY) {
		e = X509V3_EXT_conf(NULL, NULL, "1.2.3.4", "critical,DER:0500");
		pki_must(!!e && X509_REVOKED_add_ext(entry, e, -1));
		X509_EXTENSION_free(e);
	}
	ASN1_ENUMERATED_free(reason);
}

static void add_list(struct ccdm_certs *certs, const struct list *l, X509 *issuer, EVP_PKEY *key)
{
	long serial = l->kind == CRITICAL_ENTRY && !l->revokes ? 99 : l->revokes;
	X509_CRL *crl = pki_crl(issuer, key, l->future ? "20300101000000Z" : NULL,
				l->old ? "20210101000000Z" : NULL, serial);
	ASN1_INTEGER *base = ASN1_INTEGER_new();
	X509_EXTENSION *e;
	uint8_t *der = NULL;
	int n;

	ASN1_INTEGER_set(base, 1);
	if (l->kind == DELTA)
		pki_must(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, base, 1, X509V3_ADD_APPEND));
	ASN1_INTEGER_free(base);
	if (l->kind >= USERS && l->kind <= TWICE)
		crl_idp(crl, l->kind);
	if (l->kind == ODD)
		crl_odd(crl);
	if (l->kind == CRITICAL) {
		e = X509V3_EXT_conf(NULL, NULL, "1.2.3.4", "critical,DER:0500");
		pki_must(!!e && X509_CRL_add_ext(crl, e, -1));
		X509_EXTENSION_free(e);
	}
	if (serial)
		entry_ext(crl, l);
	pki_must(X509_CRL_sign(crl, l->forged ? leaf_key : key,
			       l->kind == WEAK ? EVP_sha1() : EVP_sha384()));
	n = i2d_X509_CRL(crl, &der);
	bag_put(NULL, crl);
	pki_add(certs, n, der, NULL);
	X509_CRL_free(crl);
}

static void lists(void **state)
{
	static const struct {
		struct list list[2];
		bool sub, dp; /* the leaf is a CA; it names a distribution point */
		const char *fails;
	} cases[] = {
		{ { { .kind = FULL } }, .fails = "" },
		{ { { .kind = NONE } }, .fails = "crl" },
		{ { { .kind = FULL, .revokes = 3 } }, .fails = "revocation" },
		{ { { .kind = FULL, .revokes = 7 } }, .fails = "" },
		{ { { .kind = FULL, .old = true } }, .fails = "crl" },
		{ { { .kind = FULL, .future = true } }, .fails = "crl" },
		{ { { .kind = FULL, .forged = true } }, .fails = "crl" },
		/* a list that revokes always counts, also if a newer one does not revoke */
		{ { { .kind = FULL, .revokes = 3, .old = true }, { .kind = FULL } },
		  .fails = "revocation" },
		{ { { .kind = FULL }, { .kind = FULL, .revokes = 3, .old = true } },
		  .fails = "revocation" },
		{ { { .kind = FULL, .revokes = 3, .future = true }, { .kind = FULL } },
		  .fails = "revocation" },
		{ { { .kind = FULL, .revokes = 3 }, { .kind = FULL, .guest = true } },
		  .fails = "revocation" },
		{ { { .kind = FULL }, { .kind = FULL, .revokes = 3, .guest = true } },
		  .fails = "revocation" },
		{ { { .kind = FULL },
		    { .kind = FULL, .revokes = 3, .guest = true, .forged = true } },
		  .fails = "" },
		{ { { .kind = FULL }, { .kind = DELTA, .revokes = 3 } }, .fails = "revocation" },
		{ { { .kind = FULL, .revokes = 3 }, { .kind = DELTA } }, .fails = "revocation" },
		{ { { .kind = FULL, .revokes = 3 },
		    { .kind = DELTA, .revokes = 3, .remove = true } },
		  .fails = "revocation" },
		{ { { .kind = FULL, .revokes = 3, .remove = true } }, .fails = "revocation" },
		{ { { .kind = FULL }, { .kind = CAS, .revokes = 3 } }, .fails = "revocation" },
		{ { { .kind = FULL, .revokes = 3 }, { .kind = USERS } }, .fails = "revocation" },
		{ { { .kind = FULL, .revokes = 3 }, { .kind = OTHER_PART } },
		  .fails = "revocation" },
		{ { { .kind = FULL }, { .kind = CRITICAL, .revokes = 3 } }, .fails = "revocation" },
		/* none of these is a full list of the operator */
		{ { { .kind = FULL, .guest = true } }, .fails = "crl" },
		{ { { .kind = FULL, .old = true }, { .kind = FULL, .guest = true } },
		  .fails = "crl" },
		{ { { .kind = DELTA } }, .fails = "crl" },
		{ { { .kind = DELTA, .guest = true } }, .fails = "crl" },
		{ { { .kind = FULL }, { .kind = DELTA } }, .fails = "" },
		{ { { .kind = CAS } }, .fails = "crl" },
		{ { { .kind = CAS } }, .sub = true, .fails = "" },
		{ { { .kind = USERS } }, .fails = "" },
		{ { { .kind = USERS } }, .sub = true, .fails = "crl" },
		{ { { .kind = USERS }, { .kind = CAS } }, .sub = true, .fails = "" },
		{ { { .kind = ATTRIBUTES } }, .fails = "crl" },
		{ { { .kind = REASONS } }, .fails = "crl" },
		{ { { .kind = INDIRECT } }, .fails = "crl" },
		{ { { .kind = NOWHERE } }, .fails = "crl" },
		{ { { .kind = PART } }, .fails = "crl" },
		{ { { .kind = PART } }, .dp = true, .fails = "" },
		{ { { .kind = OTHER_PART } }, .dp = true, .fails = "crl" },
		{ { { .kind = TWICE } }, .dp = true, .fails = "crl" },
		{ { { .kind = ODD } }, .fails = "crl" },
		{ { { .kind = CRITICAL } }, .fails = "crl" },
		{ { { .kind = CRITICAL_ENTRY } }, .fails = "crl" },
		{ { { .kind = CRITICAL_ENTRY, .revokes = 3 } }, .fails = "crl revocation" },
		{ { { .kind = WEAK } }, .fails = "crl" },
	};
	X509 *root = make("Root", root_key, NULL, NULL, true, 1);
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_own(NULL), *guest = ccdm_certs_guest(certs);
		X509 *leaf =
			pki_cert(&(struct pki_want){ .cn = "Leaf",
						     .key = leaf_key,
						     .issuer = root,
						     .issuer_key = root_key,
						     .serial = 3,
						     .ca = cases[i].sub,
						     .dp = cases[i].dp ? "URI:http://a/1" : NULL });
		const char *got;

		for (k = 0; k < 2; k++)
			if (cases[i].list[k].kind)
				add_list(cases[i].list[k].guest ? guest : certs, &cases[i].list[k],
					 root, root_key);
		got = path_of(guest, leaf, root, false);
		if (strcmp(got, cases[i].fails))
			fail_msg("case %zu: failed: '%s', not '%s'", i, got, cases[i].fails);
		ccdm_certs_free(guest);
		ccdm_certs_free(certs);
		X509_free(leaf);
	}
	X509_free(root);
}

/* Of two certificates with the same name and key, the valid one is used, in either order. */
static void candidates(void **state)
{
	X509 *root = make("Root", root_key, NULL, NULL, true, 1), *sub[2], *leaf;
	struct pki_want w = { .cn = "Sub",
			      .key = sub_key,
			      .issuer = root,
			      .issuer_key = root_key,
			      .ca = true,
			      .serial = 2 };
	int i;

	(void)state;
	sub[0] = pki_cert(&w);
	w.to = "20240101000000Z";
	w.serial = 4;
	sub[1] = pki_cert(&w);
	leaf = make("Leaf", leaf_key, sub[0], sub_key, false, 3);
	for (i = 0; i < 3; i++) {
		struct ccdm_certs *certs = ccdm_certs_own(NULL);

		pki_add_crl(certs, root, root_key, NULL, NULL, 0);
		pki_add_crl(certs, sub[0], sub_key, NULL, NULL, 0);
		pki_add_cert(certs, sub[i != 0], NULL);
		if (i < 2)
			pki_add_cert(certs, sub[i == 0], NULL);
		assert_string_equal(path_of(certs, leaf, root, false), i < 2 ? "" : "validity");
		ccdm_certs_free(certs);
	}
	X509_free(root);
	X509_free(sub[0]);
	X509_free(sub[1]);
	X509_free(leaf);
}

/* ---- usages ----------------------------------------------------------------------------- */

static void usages(void **state)
{
	static const struct {
		const char *eku, *ku, *oid;
		bool ca, ak, ek; /* usages that it is accepted for */
	} cases[] = {
		{ .eku = "2.23.133.8.3",
		  .ku = "critical,digitalSignature",
		  .oid = CCDM_USAGE_AK,
		  .ak = true },
		{ .eku = "2.23.133.8.3",
		  .ku = "digitalSignature,nonRepudiation",
		  .oid = CCDM_USAGE_AK,
		  .ak = true },
		/* usages of Google's certificates */
		{ .eku = "2.23.133.8.1",
		  .ku = "critical,digitalSignature",
		  .oid = CCDM_USAGE_EK,
		  .ak = true },
		{ .eku = "2.23.133.8.1",
		  .ku = "critical,keyEncipherment",
		  .oid = CCDM_USAGE_EK,
		  .ek = true },
		{ .eku = "2.23.133.8.1",
		  .ku = "digitalSignature,keyEncipherment",
		  .oid = CCDM_USAGE_EK,
		  .ek = true },
		{ .eku = "2.23.133.8.1", .ku = "critical,digitalSignature", .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.3", .ku = "critical,digitalSignature", .oid = CCDM_USAGE_EK },
		{ .eku = "2.23.133.8.3",
		  .ku = "digitalSignature,keyEncipherment",
		  .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.3",
		  .ku = "digitalSignature,keyAgreement",
		  .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.3",
		  .ku = "digitalSignature,keyCertSign",
		  .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.3", .ku = "digitalSignature,cRLSign", .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.3", .ku = "nonRepudiation", .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.3", .ku = NULL, .oid = CCDM_USAGE_AK },
		{ .eku = NULL, .ku = "critical,digitalSignature", .oid = CCDM_USAGE_AK },
		{ .eku = NULL, .ku = "critical,keyEncipherment", .oid = CCDM_USAGE_EK },
		{ .eku = NULL, .ku = NULL, .oid = CCDM_USAGE_AK },
		{ .eku = "clientAuth", .ku = "critical,digitalSignature", .oid = CCDM_USAGE_AK },
		{ .eku = "serverAuth", .ku = "critical,digitalSignature", .oid = CCDM_USAGE_AK },
		{ .eku = "anyExtendedKeyUsage",
		  .ku = "critical,digitalSignature",
		  .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.3,clientAuth",
		  .ku = "critical,digitalSignature",
		  .oid = CCDM_USAGE_AK },
		{ .eku = "serverAuth,2.23.133.8.3",
		  .ku = "critical,digitalSignature",
		  .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.3,anyExtendedKeyUsage",
		  .ku = "digitalSignature",
		  .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.3,emailProtection",
		  .ku = "digitalSignature",
		  .oid = CCDM_USAGE_AK },
		{ .eku = "2.23.133.8.1,clientAuth", .ku = "keyEncipherment", .oid = CCDM_USAGE_EK },
		{ .eku = "2.23.133.8.1,anyExtendedKeyUsage",
		  .ku = "keyEncipherment",
		  .oid = CCDM_USAGE_EK },
		{ .eku = "2.23.133.8.1,1.2.3.4",
		  .ku = "keyEncipherment",
		  .oid = CCDM_USAGE_EK,
		  .ek = true },
		{ .eku = "2.23.133.8.3", .ku = NULL, .oid = CCDM_USAGE_AK, .ca = true },
		{ .eku = "2.23.133.8.1", .ku = NULL, .oid = CCDM_USAGE_EK, .ca = true },
		{ .eku = "clientAuth",
		  .ku = "critical,digitalSignature",
		  .oid = "1.3.6.1.5.5.7.3.2" },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		X509 *x = pki_cert(&(struct pki_want){ .cn = "x",
						       .key = leaf_key,
						       .serial = 3,
						       .ca = cases[i].ca,
						       .ku = cases[i].ku,
						       .eku = cases[i].eku });
		const struct ccdm_cert *cert;

		bag_seed(x, NULL);
		pki_add_cert(certs, x, &cert);
		memset(v, 0, sizeof(*v));
		ccdm_cert_usage(cert, cases[i].oid, true, "ak", v);
		ccdm_cert_usage(cert, CCDM_USAGE_EK, false, "ek", v);
		if (i == sizeof(cases) / sizeof(cases[0]) - 1) {
			/* such a file is refused when it is read */
			assert_false(ccdm_usage_valid(cases[i].oid));
		} else if (v->check[0].passed != cases[i].ak || v->check[1].passed != cases[i].ek) {
			fail_msg("case %zu: AK %d, EK %d: %s", i, v->check[0].passed,
				 v->check[1].passed, v->check[0].found);
		}
		X509_free(x);
		ccdm_certs_free(certs);
	}
	free(v);
	assert_true(ccdm_usage_valid(CCDM_USAGE_AK));
	assert_true(ccdm_usage_valid("1.2.3.4"));
	assert_false(ccdm_usage_valid(""));
	assert_false(ccdm_usage_valid("clientAuth"));
	assert_false(ccdm_usage_valid("1.3.6.1.5.5.7.3.1"));
	assert_false(ccdm_usage_valid("2.5.29.37.0"));
	assert_false(ccdm_usage_valid("1..2"));
}

/* The operator's files are read once, and may hold more certificates than evidence may bring. */
static void layers(void **state)
{
	struct ccdm_certs *own = ccdm_certs_own(NULL), *guest = ccdm_certs_guest(own);
	X509 *x = make("x", leaf_key, NULL, NULL, false, 3);
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der), i;

	(void)state;
	for (i = 0; i < CCDM_CERTS_OWN_MAX; i++)
		assert_int_equal(ccdm_certs_add(own, "t", der, n, NULL, &err), 0);
	assert_int_equal(ccdm_certs_add(own, "t", der, n, NULL, &err), -E2BIG);
	for (i = 0; i < CCDM_CERTS_MAX; i++)
		assert_int_equal(ccdm_certs_add(guest, "t", der, n, NULL, &err), 0);
	assert_int_equal(ccdm_certs_add(guest, "t", der, n, NULL, &err), -E2BIG);
	assert_non_null(strstr(err.text, "more than 32"));
	assert_non_null(ccdm_certs_at(guest, CCDM_CERTS_OWN_MAX + CCDM_CERTS_MAX - 1));
	assert_null(ccdm_certs_at(guest, CCDM_CERTS_OWN_MAX + CCDM_CERTS_MAX));
	ccdm_certs_free(guest);
	ccdm_certs_free(own);
	OPENSSL_free(der);
	X509_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weak),	  cmocka_unit_test(lists),  cmocka_unit_test(candidates),
		cmocka_unit_test(usages), cmocka_unit_test(layers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
