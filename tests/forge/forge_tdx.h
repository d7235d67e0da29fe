/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* forge_tdx.h - TDX quotes and collateral for tests, with one chosen defect */
#ifndef CCDM_TEST_FORGE_TDX_H
#define CCDM_TEST_FORGE_TDX_H

#include <stdio.h>
#include "evidence/tdx.h"
#include "pki.h"

static EVP_PKEY *tdx_root_key, *tdx_ca_key, *tdx_pck_key, *tdx_tcb_key, *tdx_qe_key, *tdx_ak,
	*tdx_other_key;

static EVP_PKEY **const tdx_keys[] = { &tdx_root_key, &tdx_ca_key, &tdx_pck_key,  &tdx_tcb_key,
				       &tdx_qe_key,   &tdx_ak,	   &tdx_other_key };

static inline void tdx_keys_make(void)
{
	size_t i;

	for (i = 0; i < sizeof(tdx_keys) / sizeof(tdx_keys[0]); i++)
		*tdx_keys[i] = pki_key("P-256");
}

static inline void tdx_keys_free(void)
{
	size_t i;

	for (i = 0; i < sizeof(tdx_keys) / sizeof(tdx_keys[0]); i++)
		EVP_PKEY_free(*tdx_keys[i]);
}

/* ---- a chosen defect --------------------------------------------------------- */

struct tdx_spoil {
	const char *fails;	/* the only check that fails; NULL: none */
	unsigned int version;	/* default: 4 */
	unsigned int body_type; /* of version 5; default: 3 */
	unsigned int at; /* a byte to change before signing: of the header, or 1000 + of the body */
	int value;
	unsigned int qe_at; /* a byte of the quoting enclave's report */
	int qe_value;
	bool flip_signature;
	bool flip_qe_signature;
	bool other_ak; /* signed by another key than the quote names */
	bool no_chain;
	bool only_crl; /* a revocation list in place of the chain */
	bool own_crls; /* lists of both issuers follow the quote's chain */
	bool fake_root;
	const char *pck_to;
	const char *ca_to;
	bool no_crl;
	const char *crl_to;
	bool revoked;						   /* the PCK certificate */
	bool revoked_tcb;					   /* the signer of the TCB info */
	bool revoked_qe;					   /* the signer of the identity */
	bool no_ca_crl;						   /* no list of the PCK's issuer */
	enum { BY_ROOT, BY_FAKE, BY_NOBODY, BY_CA } tcb_by, qe_by; /* issuers of the signers */
	const char *tcb_cn, *qe_cn;
	const char *tcb_cert_to, *qe_cert_to;
	bool no_platform; /* the PCK certificate lacks the extension */
	bool bad_platform;
	bool platform_twice;
	unsigned int arc; /* arc of the item to change: of the TCB, or 20 + the extension's; */
	const char *item; /* DER in its place; NULL: unchanged */
	size_t item_size;
	unsigned int item_times;  /* how often it occurs; 0: once, 9: never */
	const char *platform_raw; /* DER in place of the whole extension */
	size_t platform_raw_size;
	unsigned int platform_flip; /* 1 + a byte of the extension whose highest bit is flipped */
	bool no_collateral;
	bool no_tcb_info, no_qe_identity;
	bool flip_tcb_info, flip_qe_identity;
	const char *tcb_next, *qe_next;
	const char *tcb_id, *qe_id;
	int tcb_version;
	const char *fmspc, *pceid;
	const char *status, *module_status, *qe_status;
	int pcesvn;	    /* of the level; default: 11 */
	int sgx_svn;	    /* of its first component; default: 3 */
	int components;	    /* default: 16 */
	const char *module; /* default: "TDX_01" */
	const char *module_signer;
	const char *module_attributes;
	int module_svn; /* default: 4 */
	const char *tcb_edit[2],
		*qe_edit[2]; /* text to find and its replacement, before the text is signed */
	const char *qe_signer, *qe_misc, *qe_attributes;
	bool qe_nobody; /* the QE's MRSIGNER is zeros */
	int qe_product; /* default: 2 */
	int qe_svn;	/* default: 4 */
	int report_data;
	const uint8_t *mrtd, *rtmr, *bound; /* 48, 4 * 48 and 64 bytes; NULL: defaults */
	unsigned int allow;
};

/* ---- the chain ------------------------------------------------------------------ */

struct tdx_chain {
	X509 *root, *fake, *ca, *pck, *tcb, *qe, *other_ca;
};

/* Write the DER of {OID 1.2.840.113741.1.13.1.X, value}, and advance @at. */
static inline void tdx_item(const struct tdx_spoil *s, uint8_t **at, const uint8_t *arcs, size_t n,
			    uint8_t tag, const uint8_t *value, size_t size)
{
	static const uint8_t oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01 };
	bool mine = s->arc && s->arc == (n == 2 ? arcs[1] : 20U + arcs[0]);
	unsigned int times = !mine || !s->item_times ? 1 : s->item_times == 9 ? 0 : s->item_times;
	uint8_t *p = *at, all[64] = { tag, size };

	memcpy(all + 2, value, size);
	size += 2;
	if (mine && s->item) {
		memcpy(all, s->item, s->item_size);
		size = s->item_size;
	}
	while (times--) {
		*p++ = 0x30;
		*p++ = 2 + sizeof(oid) + n + size;
		*p++ = 6;
		*p++ = sizeof(oid) + n;
		memcpy(p, oid, sizeof(oid));
		p += sizeof(oid);
		memcpy(p, arcs, n);
		p += n;
		memcpy(p, all, size);
		p += size;
	}
	*at = p;
}

/* Write the PCK's extension: components 3, 3, 2, 2, ...; PCESVN 11; FMSPC 0a..0f. */
static inline size_t tdx_platform(const struct tdx_spoil *s, uint8_t *der)
{
	static const uint8_t pceid[] = { 0, 0 }, fmspc[] = { 10, 11, 12, 13, 14, 15 }, cpusvn[16];
	uint8_t tcb[512], all[700], *p = tcb, *q = all, arc[2] = { 2 }, n;
	unsigned int i;

	for (i = 1; i <= 17; i++) {
		arc[1] = i;
		n = i == 17 ? 11 : i <= 2 ? 3 : 2;
		tdx_item(s, &p, arc, 2, 2, &n, 1);
	}
	arc[1] = 18;
	tdx_item(s, &p, arc, 2, 4, cpusvn, 16);
	/* {OID .2, SEQUENCE}, whose lengths take two bytes each */
	n = p - tcb > 255;
	pki_must(n);
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
	tdx_item(s, &q, arc, 1, 4, pceid, 2);
	arc[0] = 4;
	tdx_item(s, &q, arc, 1, 4, fmspc, s->bad_platform ? 5 : 6);
	der[0] = 0x30;
	der[1] = 0x82;
	der[2] = (q - all) >> 8;
	der[3] = (q - all) & 0xff;
	memcpy(der + 4, all, q - all);
	if (s->platform_raw) {
		memcpy(der, s->platform_raw, s->platform_raw_size);
		return s->platform_raw_size;
	}
	if (s->platform_flip)
		der[s->platform_flip - 1] ^= 0x80;
	return 4 + (q - all);
}

static inline X509 *tdx_signer(const struct tdx_chain *c, const char *cn, EVP_PKEY *key, int by,
			       long serial, const char *to)
{
	struct pki_want w = { .cn = cn ? cn : "Intel SGX TCB Signing",
			      .key = key,
			      .issuer = by == BY_ROOT ? c->root
					: by == BY_CA ? c->other_ca
						      : c->fake,
			      .issuer_key = by == BY_ROOT ? tdx_root_key
					    : by == BY_CA ? tdx_ca_key
							  : tdx_other_key,
			      .serial = serial,
			      .to = to };

	return pki_cert(&w);
}

static inline void tdx_chain_make(const struct tdx_spoil *s, struct tdx_chain *c)
{
	struct pki_want w = { .cn = "Test Root CA", .key = tdx_root_key, .ca = true, .serial = 1 };
	uint8_t der[800];
	struct pki_ext ext[3] = { { "1.2.840.113741.1.13.1", der, tdx_platform(s, der) } };

	if (s->platform_twice)
		ext[1] = ext[0];
	c->root = pki_cert(&w);
	w.cn = "Test Root CB";
	w.key = tdx_other_key;
	c->fake = pki_cert(&w);
	w = (struct pki_want){ .cn = "Test Platform CA",
			       .key = tdx_ca_key,
			       .issuer = s->fake_root ? c->fake : c->root,
			       .issuer_key = s->fake_root ? tdx_other_key : tdx_root_key,
			       .ca = true,
			       .serial = 2,
			       .to = s->ca_to };
	c->ca = pki_cert(&w);
	w = (struct pki_want){ .cn = "Intel SGX PCK Certificate",
			       .key = tdx_pck_key,
			       .issuer = c->ca,
			       .issuer_key = tdx_ca_key,
			       .serial = 3,
			       .to = s->pck_to,
			       .ext = s->no_platform ? NULL : ext };
	c->pck = pki_cert(&w);
	w = (struct pki_want){ .cn = "Test Other CA",
			       .key = tdx_ca_key,
			       .issuer = c->root,
			       .issuer_key = tdx_root_key,
			       .ca = true,
			       .serial = 6 };
	c->other_ca = pki_cert(&w);
	c->tcb = tdx_signer(c, s->tcb_cn, tdx_tcb_key, s->tcb_by, 4, s->tcb_cert_to);
	c->qe = tdx_signer(c, s->qe_cn, tdx_qe_key, s->qe_by, 5, s->qe_cert_to);
}

static inline void tdx_chain_drop(struct tdx_chain *c)
{
	X509_free(c->root);
	X509_free(c->fake);
	X509_free(c->ca);
	X509_free(c->pck);
	X509_free(c->tcb);
	X509_free(c->qe);
	X509_free(c->other_ca);
}

/* ---- the quote --------------------------------------------------------------------- */

static inline void tdx_public(EVP_PKEY *key, uint8_t xy[64])
{
	uint8_t point[65];
	size_t n;

	pki_must(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
						 &n));
	memcpy(xy, point + 1, 64);
}

static inline void tdx_put(uint8_t **at, uint32_t n, unsigned int bytes)
{
	while (bytes--) {
		*(*at)++ = n;
		n >>= 8;
	}
}

static inline size_t tdx_quote(const struct tdx_spoil *s, const struct tdx_chain *c, uint8_t *q)
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
	tdx_put(&p, version, 2);
	tdx_put(&p, 2, 2);
	tdx_put(&p, 0x81, 4);
	memcpy(q + 12, vendor, 16);
	p = q + 48;
	if (version == 5) {
		tdx_put(&p, type, 2);
		tdx_put(&p, type == 3 ? 648 : 584, 4);
	}
	body = p;
	body[0] = 4; /* version of the TDX module, */
	body[1] = 1; /* TDX_01 */
	body[2] = 5;
	for (i = 0; i < 48; i++)
		body[136 + i] = i;
	for (i = 0; i < 48; i++)
		body[520 + i] = 0x80 + i;
	if (s->mrtd)
		memcpy(body + 136, s->mrtd, 48);
	if (s->rtmr)
		memcpy(body + 328, s->rtmr, sizeof(uint8_t[4][48]));
	if (s->bound)
		memcpy(body + 520, s->bound, 64);
	body[123] = 0x10;
	p += version == 5 && type == 3 ? 648 : 584;
	if (s->at)
		*(s->at >= 1000 ? body + s->at - 1000 : q + s->at) = s->value;
	data = p + 4;
	pki_sign(s->other_ak ? tdx_other_key : tdx_ak, EVP_sha256(), q, p - q, data, data + 32, 32);
	if (s->flip_signature)
		data[40] ^= 1;
	tdx_public(tdx_ak, key);
	memcpy(data + 64, key, 64);
	part = data + 128 + 6;
	/* the quoting enclave's report: its data is a hash of the key and of two more bytes */
	qe = part;
	for (i = 0; i < 32; i++)
		signer[i] = 0xd0 + i % 16;
	if (!s->qe_nobody)
		memcpy(qe + 128, signer, 32);
	qe[48] = 0x15;
	qe[256] = 2;
	qe[258] = 4;
	memcpy(key, "ab", 2);
	{
		struct ccdm_digest d;

		pki_must(!ccdm_digest_of(CCDM_ALG_SHA256, data + 64, 64, "ab", 2, &d));
		memcpy(qe + 320, d.bytes, 32);
	}
	/* the byte may already have this value, since it is part of a random key's hash */
	if (s->qe_at)
		qe[s->qe_at] = qe[s->qe_at] == s->qe_value ? s->qe_value ^ 1 : s->qe_value;
	pki_sign(tdx_pck_key, EVP_sha256(), qe, 384, qe + 384, qe + 416, 32);
	if (s->flip_qe_signature)
		qe[400] ^= 1;
	p = qe + 448;
	tdx_put(&p, 2, 2);
	*p++ = 'a';
	*p++ = 'b';
	if (s->only_crl) {
		X509_CRL *crl = pki_crl(c->root, tdx_root_key, NULL, NULL, 77);

		pki_must(PEM_write_bio_X509_CRL(pem, crl));
		X509_CRL_free(crl);
	} else {
		pki_must(PEM_write_bio_X509(pem, c->pck));
	}
	if (!s->no_chain && !s->only_crl) {
		pki_must(PEM_write_bio_X509(pem, c->ca));
		pki_must(PEM_write_bio_X509(pem, s->fake_root ? c->fake : c->root));
	}
	if (s->own_crls) {
		X509_CRL *crl[] = { pki_crl(c->root, tdx_root_key, NULL, NULL, 77),
				    pki_crl(c->ca, tdx_ca_key, NULL, NULL, 77) };

		for (i = 0; i < 2; i++) {
			pki_must(PEM_write_bio_X509_CRL(pem, crl[i]));
			X509_CRL_free(crl[i]);
		}
	}
	length = BIO_get_mem_data(pem, &text);
	tdx_put(&p, 5, 2);
	tdx_put(&p, length + 1, 4);
	memcpy(p, text, length);
	p += length + 1; /* and a NUL, which real quotes have, too */
	BIO_free(pem);
	body = data + 128;
	tdx_put(&body, 6, 2);
	tdx_put(&body, p - part, 4);
	body = data - 4;
	tdx_put(&body, p - data, 4);
	return p - q + 70; /* real quotes have some zeros at their end */
}

/* ---- collateral ---------------------------------------------------------------------- */

static inline void tdx_sign(struct ccdm_signed *s, char *text, const char *const edit[2],
			    EVP_PKEY *key, bool flip)
{
	json_error_t where;

	if (edit[0]) {
		char *at = strstr(text, edit[0]), *all;

		pki_must(at ? 1 : 0);
		pki_must(asprintf(&all, "%.*s%s%s", (int)(at - text), text, edit[1],
				  at + strlen(edit[0])) > 0);
		free(text);
		text = all;
	}
	s->text = text;
	s->size = strlen(text);
	pki_sign(key, EVP_sha256(), text, s->size, s->signature, s->signature + 32, 32);
	s->json = json_loads(text, 0, &where);
	pki_must(s->json ? 1 : 0);
	if (flip)
		s->signature[5] ^= 1;
}

static inline void tdx_tcb(const struct tdx_spoil *s, struct ccdm_collateral *c)
{
	char *sgx = calloc(1, 1024), *tdx = calloc(1, 1024), *text, zeros[97];
	int i;

	memset(zeros, '0', 96);
	zeros[96] = '\0';
	for (i = 0; i < (s->components ? s->components : 16); i++) {
		sprintf(sgx + strlen(sgx), "%s{\"svn\":%d}", i ? "," : "",
			i	     ? 2
			: s->sgx_svn ? s->sgx_svn
				     : 3);
		sprintf(tdx + strlen(tdx), "%s{\"svn\":%d}", i ? "," : "",
			i == 0	 ? 9
			: i == 2 ? 5
				 : 0);
	}
	pki_must(
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
	tdx_sign(&c->tcb, text, s->tcb_edit, tdx_tcb_key, s->flip_tcb_info);
	free(sgx);
	free(tdx);
}

static inline void tdx_qe(const struct tdx_spoil *s, struct ccdm_collateral *c)
{
	uint8_t signer[32];
	char hex[65], *text;
	unsigned int i;

	for (i = 0; i < 32; i++)
		signer[i] = 0xd0 + i % 16;
	ccdm_hex(signer, 32, hex);
	pki_must(
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
	tdx_sign(&c->qe, text, s->qe_edit, tdx_qe_key, s->flip_qe_identity);
}

/* ---- a bundle in JSON ------------------------------------------------------------------ */

static inline json_t *tdx_hex(const uint8_t *bytes, size_t size)
{
	char *text = malloc(2 * size + 1);
	json_t *value;

	ccdm_hex(bytes, size, text);
	value = json_string(text);
	free(text);
	return value;
}

static inline json_t *tdx_crl(X509 *issuer, EVP_PKEY *key)
{
	X509_CRL *crl = pki_crl(issuer, key, NULL, NULL, 77);
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);
	json_t *value = tdx_hex(der, n);

	OPENSSL_free(der);
	X509_CRL_free(crl);
	return value;
}

static inline json_t *tdx_pem(X509 *leaf, X509 *root)
{
	struct pki_pem first = pki_pem(leaf, NULL), second = pki_pem(root, NULL);

	return json_sprintf("%s%s", first.text, second.text);
}

/* Make the input of ccdm_collateral_bundle(). @c: NULL: no collateral. */
static inline json_t *tdx_bundle(const struct tdx_chain *chain, const struct ccdm_collateral *c)
{
	static const struct ccdm_collateral none;

	c = c ? c : &none;
	return json_pack(
		"{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "tcb_info",
		c->tcb.text ? c->tcb.text : "", "tcb_info_signature", tdx_hex(c->tcb.signature, 64),
		"tcb_info_issuer_chain", tdx_pem(chain->tcb, chain->root), "qe_identity",
		c->qe.text ? c->qe.text : "", "qe_identity_signature", tdx_hex(c->qe.signature, 64),
		"qe_identity_issuer_chain", tdx_pem(chain->qe, chain->root), "root_ca_crl",
		tdx_crl(chain->root, tdx_root_key), "pck_crl", tdx_crl(chain->ca, tdx_ca_key),
		"pck_crl_issuer_chain", tdx_pem(chain->ca, chain->root));
}

#endif
