// SPDX-License-Identifier: Apache-2.0
/*
 * TDX quotes of our own under a chain of our own, each spoilt in one place, so that
 * one check fails; and quotes that are cut off.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "../../userspace/lib/tdx.h"
#include "failed.h"
#include "pki.h"

#define AT 1750000000 /* 2025-06-15T15:06:40Z */

static struct ccdm_err err;
static EVP_PKEY *root_key, *ca_key, *pck_key, *tcb_key, *qe_key, *ak, *other_key;

static int setup(void **state)
{
	EVP_PKEY **all[] = { &root_key, &ca_key, &pck_key, &tcb_key, &qe_key, &ak, &other_key };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		*all[i] = pki_key("P-256");
	return 0;
}

static int teardown(void **state)
{
	EVP_PKEY *all[] = { root_key, ca_key, pck_key, tcb_key, qe_key, ak, other_key };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		EVP_PKEY_free(all[i]);
	return 0;
}

/* ---- what may be wrong ------------------------------------------------------- */

struct spoil {
	const char *fails;	/* the one check that fails; NULL: none */
	unsigned int version;	/* 4 if 0 */
	unsigned int body_type; /* version 5: 3 if 0 */
	unsigned int
		at; /* a byte of the quote before it is signed; the header's, or 1000 + the body's */
	int value;
	unsigned int qe_at; /* a byte of the quoting enclave's report */
	int qe_value;
	bool flip_signature;
	bool flip_qe_signature;
	bool other_ak; /* signed by another key than the one in it */
	bool no_chain;
	bool fake_root;
	const char *pck_to;
	const char *ca_to;
	bool no_crl;
	const char *crl_to;
	bool revoked;						   /* the PCK */
	bool revoked_tcb;					   /* who signed the TCB info */
	bool revoked_qe;					   /* who signed the identity */
	bool no_ca_crl;						   /* of the PCK's issuer */
	enum { BY_ROOT, BY_FAKE, BY_NOBODY, BY_CA } tcb_by, qe_by; /* who vouches for them */
	const char *tcb_cn, *qe_cn;
	const char *tcb_cert_to, *qe_cert_to;
	bool no_platform; /* no extension */
	bool bad_platform;
	bool no_collateral;
	bool no_tcb_info, no_qe_identity;
	bool flip_tcb_info, flip_qe_identity;
	const char *tcb_next, *qe_next;
	const char *tcb_id, *qe_id;
	int tcb_version;
	const char *fmspc, *pceid;
	const char *status, *module_status, *qe_status;
	int pcesvn;	    /* of the level; 11 if 0 */
	int sgx_svn;	    /* of its first component; 3 if 0 */
	const char *module; /* "TDX_01" if NULL */
	const char *module_signer;
	const char *module_attributes;
	int module_svn; /* 4 if 0 */
	const char *qe_signer, *qe_misc, *qe_attributes;
	int qe_product; /* 2 if 0 */
	int qe_svn;	/* 4 if 0 */
	int report_data;
	unsigned int allow;
};

/* ---- the chain ------------------------------------------------------------------ */

struct chain {
	X509 *root, *fake, *ca, *pck, *tcb, *qe, *other_ca;
};

/* DER of {OID 1.2.840.113741.1.13.1.X, value}; @at grows */
static void item(uint8_t **at, const uint8_t *arcs, size_t n, uint8_t tag, const uint8_t *value,
		 size_t size)
{
	static const uint8_t oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01 };
	uint8_t *p = *at;

	*p++ = 0x30;
	*p++ = 2 + sizeof(oid) + n + 2 + size;
	*p++ = 6;
	*p++ = sizeof(oid) + n;
	memcpy(p, oid, sizeof(oid));
	p += sizeof(oid);
	memcpy(p, arcs, n);
	p += n;
	*p++ = tag;
	*p++ = size;
	memcpy(p, value, size);
	*at = p + size;
}

/* What the PCK's certificate says: components 3, 3, 2, 2, ...; PCESVN 11; FMSPC 0a..0f. */
static size_t platform(const struct spoil *s, uint8_t *der)
{
	static const uint8_t pceid[] = { 0, 0 }, fmspc[] = { 10, 11, 12, 13, 14, 15 }, cpusvn[16];
	uint8_t tcb[512], all[700], *p = tcb, *q = all, arc[2] = { 2 }, n;
	unsigned int i;

	for (i = 1; i <= 17; i++) {
		arc[1] = i;
		n = i == 17 ? 11 : i <= 2 ? 3 : 2;
		item(&p, arc, 2, 2, &n, 1);
	}
	arc[1] = 18;
	item(&p, arc, 2, 4, cpusvn, 16);
	/* {OID .2, SEQUENCE}, with lengths of two bytes */
	n = p - tcb > 255;
	assert_true(n);
	*q++ = 0x30;
	*q++ = 0x82;
	*q++ = (p - tcb + 12 + 4) >> 8;
	*q++ = (p - tcb + 12 + 4) & 0xff;
	memcpy(q, "\x06\x0a\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\x02\x30\x82", 14);
	q += 14;
	*q++ = (p - tcb) >> 8;
	*q++ = (p - tcb) & 0xff;
	memcpy(q, tcb, p - tcb);
	q += p - tcb;
	arc[0] = 3;
	item(&q, arc, 1, 4, pceid, 2);
	arc[0] = 4;
	item(&q, arc, 1, 4, fmspc, s->bad_platform ? 5 : 6);
	der[0] = 0x30;
	der[1] = 0x82;
	der[2] = (q - all) >> 8;
	der[3] = (q - all) & 0xff;
	memcpy(der + 4, all, q - all);
	return 4 + (q - all);
}

static X509 *signer(const struct chain *c, const char *cn, EVP_PKEY *key, int by, long serial,
		    const char *to)
{
	struct pki_want w = { .cn = cn ? cn : "Intel SGX TCB Signing",
			      .key = key,
			      .issuer = by == BY_ROOT ? c->root
					: by == BY_CA ? c->other_ca
						      : c->fake,
			      .issuer_key = by == BY_ROOT ? root_key
					    : by == BY_CA ? ca_key
							  : other_key,
			      .serial = serial,
			      .to = to };

	return pki_cert(&w);
}

static void make_chain(const struct spoil *s, struct chain *c)
{
	struct pki_want w = { .cn = "Test Root CA", .key = root_key, .ca = true, .serial = 1 };
	uint8_t der[800];
	struct pki_ext ext[2] = { { "1.2.840.113741.1.13.1", der, platform(s, der) } };

	c->root = pki_cert(&w);
	w.cn = "Test Root CB";
	w.key = other_key;
	c->fake = pki_cert(&w);
	w = (struct pki_want){ .cn = "Test Platform CA",
			       .key = ca_key,
			       .issuer = s->fake_root ? c->fake : c->root,
			       .issuer_key = s->fake_root ? other_key : root_key,
			       .ca = true,
			       .serial = 2,
			       .to = s->ca_to };
	c->ca = pki_cert(&w);
	w = (struct pki_want){ .cn = "Intel SGX PCK Certificate",
			       .key = pck_key,
			       .issuer = c->ca,
			       .issuer_key = ca_key,
			       .serial = 3,
			       .to = s->pck_to,
			       .ext = s->no_platform ? NULL : ext };
	c->pck = pki_cert(&w);
	w = (struct pki_want){ .cn = "Test Other CA",
			       .key = ca_key,
			       .issuer = c->root,
			       .issuer_key = root_key,
			       .ca = true,
			       .serial = 6 };
	c->other_ca = pki_cert(&w);
	c->tcb = signer(c, s->tcb_cn, tcb_key, s->tcb_by, 4, s->tcb_cert_to);
	c->qe = signer(c, s->qe_cn, qe_key, s->qe_by, 5, s->qe_cert_to);
}

static void drop_chain(struct chain *c)
{
	X509_free(c->root);
	X509_free(c->fake);
	X509_free(c->ca);
	X509_free(c->pck);
	X509_free(c->tcb);
	X509_free(c->qe);
	X509_free(c->other_ca);
}

static void add_crl(struct ccdm_certs *certs, X509 *issuer, EVP_PKEY *key, const char *to,
		    long serial)
{
	X509_CRL *crl = pki_crl(issuer, key, NULL, to, serial);
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);

	assert_int_equal(ccdm_certs_add(certs, "test", der, n, NULL, &err), 0);
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

static void add_cert(struct ccdm_certs *certs, X509 *x)
{
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);

	assert_int_equal(ccdm_certs_add(certs, "test", der, n, NULL, &err), 0);
	OPENSSL_free(der);
}

/* ---- the quote --------------------------------------------------------------------- */

static void public_of(EVP_PKEY *key, uint8_t xy[64])
{
	uint8_t point[65];
	size_t n;

	assert_true(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
						    sizeof(point), &n));
	memcpy(xy, point + 1, 64);
}

static void put(uint8_t **at, uint32_t n, unsigned int bytes)
{
	while (bytes--) {
		*(*at)++ = n;
		n >>= 8;
	}
}

static size_t make_quote(const struct spoil *s, const struct chain *c, uint8_t *q)
{
	static const uint8_t vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
					    0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };
	unsigned int version = s->version ? s->version : 4, type = s->body_type ? s->body_type : 3,
		     i;
	uint8_t *p = q, *body, *qe, *data, *part, key[64], signer[32];
	BIO *pem = BIO_new(BIO_s_mem());
	char *text;
	long length;

	memset(q, 0, 16384);
	put(&p, version, 2);
	put(&p, 2, 2);
	put(&p, 0x81, 4);
	memcpy(q + 12, vendor, 16);
	p = q + 48;
	if (version == 5) {
		put(&p, type, 2);
		put(&p, type == 3 ? 648 : 584, 4);
	}
	body = p;
	body[0] = 4; /* of the module, */
	body[1] = 1; /* TDX_01 */
	body[2] = 5;
	for (i = 0; i < 48; i++)
		body[136 + i] = i;
	for (i = 0; i < 48; i++)
		body[520 + i] = 0x80 + i;
	body[123] = 0x10;
	p += version == 5 && type == 3 ? 648 : 584;
	if (s->at)
		*(s->at >= 1000 ? body + s->at - 1000 : q + s->at) = s->value;
	data = p + 4;
	pki_sign(s->other_ak ? other_key : ak, EVP_sha256(), q, p - q, data, data + 32, 32);
	if (s->flip_signature)
		data[40] ^= 1;
	public_of(ak, key);
	memcpy(data + 64, key, 64);
	part = data + 128 + 6;
	/* the quoting enclave's report, with a hash of the key and two bytes beside it */
	qe = part;
	for (i = 0; i < 32; i++)
		signer[i] = 0xd0 + i % 16;
	memcpy(qe + 128, signer, 32);
	qe[48] = 0x15;
	qe[256] = 2;
	qe[258] = 4;
	memcpy(key, "ab", 2);
	{
		struct ccdm_digest d;

		assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, data + 64, 64, "ab", 2, &d), 0);
		memcpy(qe + 320, d.bytes, 32);
	}
	if (s->qe_at)
		qe[s->qe_at] = s->qe_value;
	pki_sign(pck_key, EVP_sha256(), qe, 384, qe + 384, qe + 416, 32);
	if (s->flip_qe_signature)
		qe[400] ^= 1;
	p = qe + 448;
	put(&p, 2, 2);
	*p++ = 'a';
	*p++ = 'b';
	pki_must(PEM_write_bio_X509(pem, c->pck));
	if (!s->no_chain) {
		pki_must(PEM_write_bio_X509(pem, c->ca));
		pki_must(PEM_write_bio_X509(pem, s->fake_root ? c->fake : c->root));
	}
	length = BIO_get_mem_data(pem, &text);
	put(&p, 5, 2);
	put(&p, length + 1, 4);
	memcpy(p, text, length);
	p += length + 1; /* and a NUL, as in real ones */
	BIO_free(pem);
	body = data + 128;
	put(&body, 6, 2);
	put(&body, p - part, 4);
	body = data - 4;
	put(&body, p - data, 4);
	return p - q + 70; /* and what providers leave behind it */
}

/* ---- what the vendor says ------------------------------------------------------------ */

static void sign_text(struct ccdm_signed *s, char *text, EVP_PKEY *key, bool flip)
{
	json_error_t where;

	s->text = text;
	s->size = strlen(text);
	pki_sign(key, EVP_sha256(), text, s->size, s->signature, s->signature + 32, 32);
	s->json = json_loads(text, 0, &where);
	if (!s->json)
		fail_msg("%s", where.text);
	if (flip)
		s->signature[5] ^= 1;
}

static void make_tcb(const struct spoil *s, struct ccdm_collateral *c)
{
	char *sgx = calloc(1, 1024), *tdx = calloc(1, 1024), *text, zeros[97];
	unsigned int i;

	memset(zeros, '0', 96);
	zeros[96] = '\0';
	for (i = 0; i < 16; i++) {
		sprintf(sgx + strlen(sgx), "%s{\"svn\":%d}", i ? "," : "",
			i	     ? 2
			: s->sgx_svn ? s->sgx_svn
				     : 3);
		sprintf(tdx + strlen(tdx), "%s{\"svn\":%d}", i ? "," : "",
			i == 0	 ? 9
			: i == 2 ? 5
				 : 0);
	}
	assert_true(
		asprintf(
			&text,
			"{\"id\":\"%s\",\"version\":%d,\"issueDate\":\"2025-06-01T00:00:00Z\","
			"\"nextUpdate\":\"%s\",\"fmspc\":\"%s\",\"pceId\":\"%s\","
			"\"tdxModule\":{\"mrsigner\":\"%s\",\"attributes\":\"0000000000000000\","
			"\"attributesMask\":\"FFFFFFFFFFFFFFFF\"},"
			"\"tdxModuleIdentities\":[{\"id\":\"%s\",\"mrsigner\":\"%s\",\"attributes\":\"%s\","
			"\"attributesMask\":\"FFFFFFFFFFFFFFFF\",\"tcbLevels\":[{\"tcb\":{\"isvsvn\":%d},"
			"\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"%s\"}]}],"
			"\"tcbLevels\":[{\"tcb\":{\"sgxtcbcomponents\":[%s],\"pcesvn\":%d,"
			"\"tdxtcbcomponents\":[%s]},\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"%s\"}]}",
			s->tcb_id ? s->tcb_id : "TDX", s->tcb_version ? s->tcb_version : 3,
			s->tcb_next ? s->tcb_next : "2025-07-01T00:00:00Z",
			s->fmspc ? s->fmspc : "0A0B0C0D0E0F", s->pceid ? s->pceid : "0000", zeros,
			s->module ? s->module : "TDX_01",
			s->module_signer ? s->module_signer : zeros,
			s->module_attributes ? s->module_attributes : "0000000000000000",
			s->module_svn ? s->module_svn : 4,
			s->module_status ? s->module_status : "UpToDate", sgx,
			s->pcesvn ? s->pcesvn : 11, tdx, s->status ? s->status : "UpToDate") > 0);
	sign_text(&c->tcb, text, tcb_key, s->flip_tcb_info);
	free(sgx);
	free(tdx);
}

static void make_qe(const struct spoil *s, struct ccdm_collateral *c)
{
	uint8_t signer[32];
	char hex[65], *text;
	unsigned int i;

	for (i = 0; i < 32; i++)
		signer[i] = 0xd0 + i % 16;
	ccdm_digest_hex(signer, 32, hex);
	assert_true(
		asprintf(
			&text,
			"{\"id\":\"%s\",\"version\":2,\"issueDate\":\"2025-06-01T00:00:00Z\","
			"\"nextUpdate\":\"%s\",\"miscselect\":\"%s\",\"miscselectMask\":\"FFFFFFFF\","
			"\"attributes\":\"%s\",\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","
			"\"mrsigner\":\"%s\",\"isvprodid\":%d,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":%d},"
			"\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"%s\"}]}",
			s->qe_id ? s->qe_id : "TD_QE",
			s->qe_next ? s->qe_next : "2025-07-01T00:00:00Z",
			s->qe_misc ? s->qe_misc : "00000000",
			s->qe_attributes ? s->qe_attributes : "11000000000000000000000000000000",
			s->qe_signer ? s->qe_signer : hex, s->qe_product ? s->qe_product : 2,
			s->qe_svn ? s->qe_svn : 4, s->qe_status ? s->qe_status : "UpToDate") > 0);
	sign_text(&c->qe, text, qe_key, s->flip_qe_identity);
}

/* ---- one case ----------------------------------------------------------------------------- */

static void judge(const struct spoil *s, struct ccdm_verdict *v)
{
	struct ccdm_certs *certs = ccdm_certs_new();
	struct ccdm_anchor anchor = { .name = "test" };
	struct ccdm_tdx_want want = {
		.certs = certs, .at = AT, .anchors = &anchor, .nr_anchors = 1
	};
	struct ccdm_collateral collateral = { 0 };
	uint8_t *quote = calloc(1, 16384), data[48];
	struct ccdm_tdx tdx;
	struct chain c;
	size_t size;

	make_chain(s, &c);
	assert_int_equal(ccdm_cert_fingerprint((struct ccdm_cert *)c.root, anchor.sha256), 0);
	size = make_quote(s, &c, quote);
	if (!s->no_collateral) {
		add_cert(certs, c.tcb);
		add_cert(certs, c.qe);
		if (!s->no_tcb_info)
			make_tcb(s, &collateral);
		if (!s->no_qe_identity)
			make_qe(s, &collateral);
		want.collateral = &collateral;
	}
	/* the vendor's own root is there whatever the quote says */
	if (s->no_chain || s->fake_root)
		add_cert(certs, c.root);
	if (s->tcb_by == BY_FAKE || s->qe_by == BY_FAKE)
		add_cert(certs, c.fake);
	if (s->tcb_by == BY_CA || s->qe_by == BY_CA)
		add_cert(certs, c.other_ca);
	if (s->fake_root || s->tcb_by == BY_FAKE || s->qe_by == BY_FAKE)
		add_crl(certs, c.fake, other_key, NULL, 77);
	if (!s->no_crl) {
		add_crl(certs, c.root, root_key, s->crl_to,
			s->revoked_tcb	? 4
			: s->revoked_qe ? 5
					: 77);
		if (!s->no_ca_crl)
			add_crl(certs, c.ca, ca_key, NULL, s->revoked ? 3 : 77);
	}
	memset(v, 0, sizeof(*v));
	v->allow = s->allow;
	assert_int_equal(ccdm_tdx_parse(quote, size, &tdx, &err), 0);
	if (s->report_data) {
		memcpy(data, tdx.report_data, sizeof(data));
		data[0] = s->report_data;
		want.report_data = data;
		want.report_data_size = sizeof(data);
	}
	assert_int_equal(ccdm_tdx_verify(&tdx, &want, v, &err), 0);
	ccdm_collateral_drop(&collateral);
	ccdm_certs_free(certs);
	drop_chain(&c);
	free(quote);
}

#define OLD  "20250101000000Z"
#define PAST "2025-06-10T00:00:00Z"
#define ONES \
	"111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"

static void one_check_each(void **state)
{
	static const struct spoil all[] = {
		{ 0 },
		{ .version = 5 },
		{ .version = 5, .body_type = 2 },
		{ .fails = "version", .at = 0, .value = 0, .version = 6 },
		{ .fails = "version", .version = 3 },
		{ .fails = "tee-type", .at = 4, .value = 0x80 },
		{ .fails = "key-type", .at = 2, .value = 3 },
		{ .fails = "body-type", .version = 5, .body_type = 4 },
		{ .fails = "qe-vendor", .at = 12, .value = 0 },
		{ .fails = "pck-chain", .no_chain = true },
		{ .fails = "pck-root", .fake_root = true },
		{ .fails = "pck-validity", .pck_to = OLD },
		{ .fails = "pck-validity", .ca_to = OLD },
		{ .pck_to = OLD, .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "pck-revocation", .revoked = true },
		{ .no_crl = true, .allow = CCDM_ALLOW_NO_CRL },
		{ .crl_to = OLD, .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "pck-crl", .no_ca_crl = true },
		{ .fails = "tcb-info-chain", .tcb_by = BY_NOBODY },
		{ .fails = "tcb-info-root", .tcb_by = BY_FAKE },
		{ .fails = "tcb-info-crl", .tcb_by = BY_CA },
		{ .fails = "qe-identity-chain", .qe_by = BY_NOBODY },
		{ .fails = "qe-identity-root", .qe_by = BY_FAKE },
		{ .fails = "qe-identity-crl", .qe_by = BY_CA },
		{ .fails = "qe-identity-revocation", .revoked_qe = true },
		{ .fails = "qe-report-signature", .flip_qe_signature = true },
		{ .fails = "signature", .flip_signature = true },
		{ .fails = "signature", .other_ak = true },
		{ .fails = "key-binding", .qe_at = 320, .qe_value = 0 },
		{ .fails = "key-binding", .qe_at = 383, .qe_value = 1 },
		{ .fails = "debug", .at = 1120, .value = 1 },
		{ .fails = "debug", .at = 1120, .value = 0x80 },
		{ .at = 1120, .value = 1, .allow = CCDM_ALLOW_DEBUG },
		{ .report_data = 0x80 },
		{ .fails = "report-data", .report_data = 0x81 },
		{ .fails = "report-data", .report_data = 0x80, .at = 1520 + 63, .value = 1 },
		{ .fails = "pck-platform", .no_platform = true },
		{ .fails = "pck-platform", .bad_platform = true },
		{ .fails = "collateral", .no_collateral = true },
		{ .fails = "tcb-info", .no_tcb_info = true },
		{ .fails = "tcb-info-signature", .flip_tcb_info = true },
		{ .fails = "tcb-info-signer", .tcb_cn = "Intel SGX PCK Certificate" },
		{ .fails = "tcb-info-validity", .tcb_cert_to = OLD },
		{ .fails = "tcb-info-revocation", .revoked_tcb = true },
		{ .fails = "tcb-info-date", .tcb_next = PAST },
		{ .tcb_next = PAST, .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "tcb-info-date", .tcb_next = "never", .allow = CCDM_ALLOW_EXPIRED },
		{ .fails = "tcb-info-version", .tcb_version = 2 },
		{ .fails = "tcb-info-version", .tcb_id = "SGX" },
		{ .fails = "tcb-info-platform", .fmspc = "0A0B0C0D0E10" },
		{ .fails = "tcb-info-platform", .pceid = "0001" },
		{ .fails = "tcb", .status = "OutOfDate" },
		{ .fails = "tcb", .status = "Revoked", .allow = 0xffff },
		{ .fails = "tcb", .status = "Splendid", .allow = 0xffff },
		{ .fails = "tcb", .status = "SWHardeningNeeded" },
		{ .fails = "tcb",
		  .status = "ConfigurationAndSWHardeningNeeded",
		  .allow = CCDM_ALLOW_TCB_CONFIG },
		{ .status = "ConfigurationAndSWHardeningNeeded",
		  .allow = CCDM_ALLOW_TCB_CONFIG | CCDM_ALLOW_TCB_SW_HARDENING },
		{ .status = "OutOfDate", .allow = CCDM_ALLOW_TCB_OUT_OF_DATE },
		{ .fails = "tcb",
		  .status = "OutOfDateConfigurationNeeded",
		  .allow = CCDM_ALLOW_TCB_OUT_OF_DATE },
		{ .fails = "tcb", .pcesvn = 12, .allow = 0xffff },
		{ .fails = "tcb", .sgx_svn = 4, .allow = 0xffff },
		{ .fails = "tcb", .at = 1002, .value = 4, .allow = 0xffff },
		{ .fails = "module", .module = "TDX_02" },
		{ .fails = "module-signer", .module_signer = ONES },
		{ .fails = "module-signer", .at = 1064, .value = 1 },
		{ .fails = "module-attributes", .at = 1112, .value = 1 },
		{ .fails = "module-attributes", .module_attributes = "01" },
		{ .fails = "module-tcb", .module_status = "OutOfDate" },
		{ .fails = "module-tcb", .module_svn = 5, .allow = 0xffff },
		{ .fails = "qe-identity", .no_qe_identity = true },
		{ .fails = "qe-identity-signature", .flip_qe_identity = true },
		{ .fails = "qe-identity-signer", .qe_cn = "Somebody" },
		{ .fails = "qe-identity-validity", .qe_cert_to = OLD },
		{ .fails = "qe-identity-date", .qe_next = PAST },
		{ .fails = "qe-identity-version", .qe_id = "QE" },
		{ .fails = "qe-signer", .qe_at = 128, .qe_value = 0 },
		{ .fails = "qe-product", .qe_product = 1 },
		{ .fails = "qe-miscselect", .qe_at = 16, .qe_value = 1 },
		{ .fails = "qe-miscselect", .qe_misc = "00000001" },
		{ .fails = "qe-attributes", .qe_at = 48, .qe_value = 0x13 },
		{ .qe_at = 63, .qe_value = 0x13 },
		{ .fails = "qe-tcb", .qe_svn = 5, .allow = 0xffff },
		{ .fails = "qe-tcb", .qe_status = "OutOfDate" },
	};
	struct ccdm_verdict v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		judge(&all[i], &v);
		if (strcmp(failed(&v), all[i].fails ? all[i].fails : ""))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(&v),
				 all[i].fails ? all[i].fails : "");
		assert_int_equal(ccdm_verdict_accepted(&v), !all[i].fails);
	}
}

/* Each length below the whole is an error, and no read goes beyond it. */
static void cut_off(void **state)
{
	static const struct spoil good[] = { { 0 }, { .version = 5 } };
	uint8_t *quote = calloc(1, 16384), *copy;
	struct ccdm_tdx tdx;
	struct chain c;
	size_t size, n, i;

	(void)state;
	make_chain(&good[0], &c);
	for (i = 0; i < 2; i++) {
		size = make_quote(&good[i], &c, quote) - 70;
		for (n = 0; n < size; n++) {
			copy = malloc(n + 1);
			memcpy(copy, quote, n);
			/* the sanitizer sees what is read behind it */
			copy = realloc(copy, n ? n : 1);
			assert_int_equal(ccdm_tdx_parse(copy, n, &tdx, &err), -EINVAL);
			free(copy);
		}
		assert_int_equal(ccdm_tdx_parse(quote, size, &tdx, &err), 0);
	}
	drop_chain(&c);
	free(quote);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_check_each),
		cmocka_unit_test(cut_off),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
