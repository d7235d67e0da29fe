// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tdx.c - see tdx.h */
#include <stdio.h>
#include "base/bytes.h"
#include "tdx.h"
#include "vendor_url.h"

enum {
	HEADER = 48,
	BODY_10 = 584,
	BODY_15 = 648,
	QE_REPORT = 384,
	KEY_ECDSA_P256 = 2,
	TEE_TDX = 0x81,
	CERT_QE_REPORT = 6,
	CERT_PCK_CHAIN = 5,
};

/* Intel SGX Root CA */
static const struct ccdm_anchor ccdm_tdx_roots[] = {
	{ "Intel", { 0x44, 0xa0, 0x19, 0x6b, 0x2b, 0x99, 0xf8, 0x89, 0xb8, 0xe1, 0x49,
		     0xe9, 0x5b, 0x80, 0x7a, 0x35, 0x0e, 0x74, 0x24, 0x96, 0x43, 0x99,
		     0xe8, 0x85, 0xa7, 0xcb, 0xb8, 0xcc, 0xfa, 0xb6, 0x74, 0xd3 } },
};

const struct ccdm_anchor *ccdm_tdx_anchors(unsigned int *count)
{
	*count = 1;
	return ccdm_tdx_roots;
}

static const uint8_t ccdm_tdx_vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
					     0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

/* ---- parsing ------------------------------------------------------------- */

/* The rest of the quote. */
struct ccdm_tdx_reader {
	const uint8_t *at;
	size_t left;
	const char *missing; /* the first part that was missing */
};

static const uint8_t *ccdm_tdx_take(struct ccdm_tdx_reader *in, size_t size, const char *what)
{
	const uint8_t *p = in->at;

	if (in->missing)
		return NULL;
	if (size > in->left) {
		in->missing = what;
		return NULL;
	}
	in->at += size;
	in->left -= size;
	return p;
}

static uint32_t ccdm_tdx_number(struct ccdm_tdx_reader *in, unsigned int bytes, const char *what)
{
	const uint8_t *p = ccdm_tdx_take(in, bytes, what);

	if (!p)
		return 0;
	return bytes == 2 ? ccdm_le16(p) : ccdm_le32(p);
}

static void ccdm_tdx_body(struct ccdm_tdx_reader *in, struct ccdm_tdx *t)
{
	const uint8_t *p = ccdm_tdx_take(in, t->body_type == 3 ? BODY_15 : BODY_10, "body");
	unsigned int i;

	if (!p)
		return;
	t->tcb_svn = p;
	t->mrseam = p + 16;
	t->mrsignerseam = p + 64;
	t->seamattributes = p + 112;
	t->tdattributes = p + 120;
	t->xfam = p + 128;
	t->mrtd = p + 136;
	t->mrconfigid = p + 184;
	t->mrowner = p + 232;
	t->mrownerconfig = p + 280;
	for (i = 0; i < 4; i++)
		t->rtmr[i] = p + 328 + 48UL * i;
	t->report_data = p + 520;
	if (t->body_type == 3) {
		t->tcb_svn2 = p + 584;
		t->mrservicetd = p + 600;
	}
}

/* Read {u16 type, u32 size, bytes}, of which @type is expected. */
static struct ccdm_tdx_reader ccdm_tdx_certification(struct ccdm_tdx_reader *in, uint16_t type,
						     const char *what)
{
	struct ccdm_tdx_reader part = { 0 };

	/* coverage: a quote that ends too early is refused at an earlier part */
	if (ccdm_tdx_number(in, 2, what) != type && !in->missing)
		in->missing = what;
	part.left = ccdm_tdx_number(in, 4, what);
	part.at = ccdm_tdx_take(in, part.left, what);
	part.missing = in->missing;
	return part;
}

static void ccdm_tdx_signatures(struct ccdm_tdx_reader *in, struct ccdm_tdx *t)
{
	struct ccdm_tdx_reader part, chain;

	t->signature = ccdm_tdx_take(in, 64, "signature");
	t->key = ccdm_tdx_take(in, 64, "attestation key");
	part = ccdm_tdx_certification(in, CERT_QE_REPORT, "certification data of type 6");
	t->qe_report = ccdm_tdx_take(&part, QE_REPORT, "report of the quoting enclave");
	t->qe_signature = ccdm_tdx_take(&part, 64, "its signature");
	t->auth_size = ccdm_tdx_number(&part, 2, "authentication data");
	t->auth = ccdm_tdx_take(&part, t->auth_size, "authentication data");
	chain = ccdm_tdx_certification(&part, CERT_PCK_CHAIN, "certification data of type 5");
	t->chain = chain.at;
	t->chain_size = chain.left;
	in->missing = in->missing ? in->missing : part.missing;
}

bool ccdm_tdx_known(const struct ccdm_tdx *t)
{
	return (t->version == 4 || t->version == 5) && t->key_type == KEY_ECDSA_P256 &&
	       t->tee_type == TEE_TDX &&
	       (t->version == 4 || t->body_type == 2 || t->body_type == 3);
}

int ccdm_tdx_parse(const void *quote, size_t size, struct ccdm_tdx *t, struct ccdm_err *err)
{
	struct ccdm_tdx_reader in = { .at = quote, .left = size }, signatures = { 0 };
	const uint8_t *p;
	uint32_t n;

	memset(t, 0, sizeof(*t));
	t->quote = quote;
	if (size > CCDM_TDX_QUOTE_MAX)
		return ccdm_err_set(err, -EINVAL, "TDX quote: expected at most %u bytes, found %zu",
				    CCDM_TDX_QUOTE_MAX, size);
	p = ccdm_tdx_take(&in, HEADER, "header");
	if (p) {
		t->version = ccdm_le16(p);
		t->key_type = ccdm_le16(p + 2);
		t->tee_type = ccdm_le32(p + 4);
		t->qe_vendor = p + 12;
		t->body_type = 2;
		if (t->version == 5) {
			t->body_type = ccdm_tdx_number(&in, 2, "type of the body");
			n = ccdm_tdx_number(&in, 4, "size of the body");
			if (!in.missing && ccdm_tdx_known(t) &&
			    n != (t->body_type == 3 ? BODY_15 : BODY_10))
				in.missing = "a body of the size of its type";
		}
	}
	if (!in.missing && !ccdm_tdx_known(t))
		return 0;
	ccdm_tdx_body(&in, t);
	t->signed_size = in.at - t->quote;
	signatures.left = ccdm_tdx_number(&in, 4, "size of the signature data");
	signatures.at = ccdm_tdx_take(&in, signatures.left, "signature data");
	signatures.missing = in.missing;
	ccdm_tdx_signatures(&signatures, t);
	if (signatures.missing)
		return ccdm_err_set(err, -EINVAL, "TDX quote of %zu bytes: %s is missing", size,
				    signatures.missing);
	return 0;
}

/* ---- the PCK certificate ----------------------------------------------------- */

#define OID_SGX "1.2.840.113741.1.13.1"

/* Read one DER element whose length takes at most two bytes. Return: its content, or NULL. */
static const uint8_t *ccdm_der(const uint8_t **at, const uint8_t *end, uint8_t tag, size_t *size)
{
	const uint8_t *p = *at;
	size_t n, bytes;

	if (end - p < 2 || p[0] != tag)
		return NULL;
	n = p[1];
	p += 2;
	if (n & 0x80) {
		bytes = n & 0x7f;
		if (!bytes || bytes > 2 || (size_t)(end - p) < bytes)
			return NULL;
		for (n = 0; bytes; bytes--)
			n = n << 8 | *p++;
	}
	if ((size_t)(end - p) < n)
		return NULL;
	*size = n;
	*at = p + n;
	return p;
}

/* Read an INTEGER from 0 to 65535. */
static int ccdm_der_u16(const uint8_t *p, const uint8_t *end, uint16_t *value)
{
	const uint8_t *n;
	size_t size, i;

	n = ccdm_der(&p, end, 2, &size);
	if (!n || p != end || !size || size > 3 || n[0] & 0x80 || (size == 3 && n[0]))
		return -EINVAL;
	for (*value = 0, i = 0; i < size; i++)
		*value = *value << 8 | n[i];
	return 0;
}

/* Read SEQUENCE {OID_SGX.arc or OID_SGX.2.arc, value}. Return: the arc, or 0 on error. */
static unsigned int ccdm_sgx_item(const uint8_t **at, const uint8_t *end, size_t arcs,
				  const uint8_t **value, const uint8_t **value_end)
{
	static const uint8_t prefix[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 2 };
	const size_t n = sizeof(prefix) - 2 + arcs;
	const uint8_t *p, *oid;
	size_t size, oid_size;

	p = ccdm_der(at, end, 0x30, &size);
	if (!p)
		return 0;
	*value_end = p + size;
	oid = ccdm_der(&p, *value_end, 6, &oid_size);
	if (!oid || oid_size != n + 1 || memcmp(oid, prefix, n))
		return 0;
	*value = p;
	return oid[n];
}

static int ccdm_sgx_octets(const uint8_t *p, const uint8_t *end, uint8_t *to, size_t want)
{
	size_t size;
	const uint8_t *bytes = ccdm_der(&p, end, 4, &size);

	if (!bytes || p != end || size != want)
		return -EINVAL;
	memcpy(to, bytes, want);
	return 0;
}

static int ccdm_sgx_tcb(const uint8_t *p, const uint8_t *end, struct ccdm_platform *platform)
{
	const uint8_t *seq, *value, *value_end;
	unsigned int arc, seen = 0;
	uint8_t cpusvn[16];
	uint16_t n;
	size_t size;

	seq = ccdm_der(&p, end, 0x30, &size);
	if (!seq || p != end)
		return -EINVAL;
	end = seq + size;
	while (seq < end) {
		arc = ccdm_sgx_item(&seq, end, 2, &value, &value_end);
		if (!arc || arc > 18 || seen & 1U << arc)
			return -EINVAL;
		seen |= 1U << arc;
		if (arc == 18) { /* CPUSVN repeats arcs 1 to 16 */
			if (ccdm_sgx_octets(value, value_end, cpusvn, sizeof(cpusvn)))
				return -EINVAL;
			continue;
		}
		if (ccdm_der_u16(value, value_end, &n) || (arc < 17 && n > 0xff))
			return -EINVAL;
		if (arc == 17)
			platform->pcesvn = n;
		else
			platform->sgx_svn[arc - 1] = n;
	}
	return (seen & 0x3fffe) == 0x3fffe ? 0 : -EINVAL;
}

static int ccdm_sgx_extension(const struct ccdm_cert *pck, struct ccdm_platform *platform)
{
	const uint8_t *p, *end, *seq, *value, *value_end;
	unsigned int arc, seen = 0;
	size_t size;
	int r;

	r = ccdm_cert_extension(pck, OID_SGX, &p, &size);
	if (r)
		return r;
	end = p + size;
	seq = ccdm_der(&p, end, 0x30, &size);
	if (!seq || p != end)
		return -EINVAL;
	end = seq + size;
	while (!r && seq < end) {
		arc = ccdm_sgx_item(&seq, end, 1, &value, &value_end);
		if (!arc || arc > 31 || seen & 1U << arc)
			return -EINVAL;
		seen |= 1U << arc;
		if (arc == 2)
			r = ccdm_sgx_tcb(value, value_end, platform);
		else if (arc == 3)
			r = ccdm_sgx_octets(value, value_end, platform->pceid, 2);
		else if (arc == 4)
			r = ccdm_sgx_octets(value, value_end, platform->fmspc, 6);
	}
	return r ? r : (seen & 0x1c) == 0x1c ? 0 : -EINVAL;
}

/* ---- checks --------------------------------------------------------------------- */

/* The quoting enclave vouches for the key: its report data is a hash of the key. */
static int ccdm_tdx_key_binding(const struct ccdm_tdx *t, struct ccdm_verdict *v)
{
	static const uint8_t zero[32];
	struct ccdm_digest d;
	int r = ccdm_digest_of(CCDM_ALG_SHA256, t->key, 64, t->auth, t->auth_size, &d);
	bool good;

	if (r)
		return r;
	good = !memcmp(t->qe_report + 320, d.bytes, 32) && !memcmp(t->qe_report + 352, zero, 32);
	ccdm_verdict_add(v, "key-binding", good, 0,
			 "the hash of the attestation key in the report of the quoting enclave",
			 "%s", good ? "it" : "another");
	return 0;
}

static int ccdm_tdx_signed(const struct ccdm_tdx *t, const struct ccdm_cert *pck,
			   struct ccdm_verdict *v)
{
	struct ccdm_pubkey *key;
	bool good = !ccdm_cert_ecdsa(pck, t->qe_signature, t->qe_signature + 32, 32, t->qe_report,
				     QE_REPORT);

	ccdm_verdict_add(v, "qe-report-signature", good, 0, "a valid signature of the PCK's key",
			 "%s", good ? "valid" : "invalid");
	key = ccdm_pubkey_p256(t->key);
	good = !ccdm_pubkey_ecdsa(key, t->signature, t->signature + 32, 32, t->quote,
				  t->signed_size);
	ccdm_pubkey_free(key);
	ccdm_verdict_add(v, "signature", good, 0, "a valid signature of the attestation key", "%s",
			 good ? "valid" : "invalid");
	return ccdm_tdx_key_binding(t, v);
}

/* TDATTRIBUTES (Intel TDX module ABI specification): 0 to 7 debug, 8 to 31 security. */
#define TD_LASS		   (1ULL << 27)
#define TD_SEPT_VE_DISABLE (1ULL << 28)
#define TD_MIGRATABLE	   (1ULL << 29)
#define TD_PKS		   (1ULL << 30)
#define TD_KL		   (1ULL << 31)
#define TD_SECURITY	   0xffffff00ULL
#define TD_SECURITY_KNOWN  (TD_LASS | TD_SEPT_VE_DISABLE | TD_MIGRATABLE | TD_PKS | TD_KL)

/* Check attributes and service TD: some of them let the host into the guest. */
static void ccdm_tdx_attributes(const struct ccdm_tdx *t, const struct ccdm_tdx_want *want,
				struct ccdm_verdict *v)
{
	static const uint8_t zero[48];
	uint64_t attributes = ccdm_le64(t->tdattributes);
	bool service = t->mrservicetd && memcmp(t->mrservicetd, zero, sizeof(zero));
	char hex[17];

	ccdm_hex(t->tdattributes, 8, hex);
	ccdm_verdict_add(v, "attributes", !(attributes & TD_SECURITY & ~TD_SECURITY_KNOWN), 0,
			 "no unknown security attribute", "attributes %s", hex);
	ccdm_verdict_add(v, "migration", !(attributes & TD_MIGRATABLE) && !service,
			 CCDM_ALLOW_MIGRATION, "not migratable, no service TD",
			 "attributes %s, %s service TD", hex, service ? "a" : "no");
	ccdm_verdict_add(v, "sept-ve", want->paravisor || attributes & TD_SEPT_VE_DISABLE,
			 CCDM_ALLOW_SEPT_VE, "SEPT_VE_DISABLE, or a listed paravisor",
			 "attributes %s", hex);
}

static void ccdm_tdx_guest(const struct ccdm_tdx *t, const struct ccdm_tdx_want *want,
			   struct ccdm_verdict *v)
{
	char expected[129], found[129];
	uint8_t data[64] = { 0 };

	ccdm_hex(t->tdattributes, 8, found);
	ccdm_verdict_add(v, "debug", !t->tdattributes[0], CCDM_ALLOW_DEBUG,
			 "a guest that its host cannot debug", "attributes %s", found);
	ccdm_tdx_attributes(t, want, v);
	if (!want->report_data)
		return;
	memcpy(data, want->report_data, want->report_data_size);
	ccdm_hex(data, sizeof(data), expected);
	ccdm_hex(t->report_data, sizeof(data), found);
	ccdm_verdict_add(v, "report-data", !memcmp(data, t->report_data, sizeof(data)), 0, expected,
			 "%s", found);
}

static bool ccdm_tdx_header(const struct ccdm_tdx *t, struct ccdm_verdict *v)
{
	char hex[33];
	bool known;

	known = ccdm_verdict_add(v, "version", t->version == 4 || t->version == 5, 0, "4 or 5",
				 "%u", t->version);
	known &= ccdm_verdict_add(v, "tee-type", t->tee_type == TEE_TDX, 0, "0x81, TDX", "%#x",
				  t->tee_type);
	known &= ccdm_verdict_add(v, "key-type", t->key_type == KEY_ECDSA_P256, 0,
				  "2, ECDSA P-256 with SHA-256", "%u", t->key_type);
	known &= ccdm_verdict_add(v, "body-type", t->body_type == 2 || t->body_type == 3, 0,
				  "2 or 3", "%u", t->body_type);
	if (!known)
		return false;
	ccdm_hex(t->qe_vendor, 16, hex);
	ccdm_verdict_add(v, "qe-vendor", !memcmp(t->qe_vendor, ccdm_tdx_vendor, 16), 0,
			 "939a7233f79c4ca9940a0db3957f0607, Intel", "%s", hex);
	return true;
}

/* @certs: receives the quote's certificates; it already includes those of @want */
static int ccdm_tdx_judge(const struct ccdm_tdx *t, const struct ccdm_tdx_want *want,
			  struct ccdm_certs *certs, struct ccdm_verdict *v, struct ccdm_err *err)
{
	struct ccdm_path path = {
		.prefix = "pck-",
		.at = want->at,
		.anchors = want->anchors ? want->anchors : ccdm_tdx_roots,
		.nr_anchors = want->anchors ? want->nr_anchors : 1,
		.crl_url = ccdm_url_crl,
	};
	struct ccdm_platform platform = {
		.tdx_svn = t->tcb_svn,
		.mrsignerseam = t->mrsignerseam,
		.seamattributes = t->seamattributes,
		.qe_report = t->qe_report,
	};
	const struct ccdm_collateral *collateral = want->collateral;
	char url[CCDM_URL_MAX], missing[3 * CCDM_URL_MAX], fmspc[13];
	const struct ccdm_cert *pck;
	int r, extension;

	if (!ccdm_tdx_header(t, v))
		return 0;
	r = ccdm_certs_add(certs, "the quote", t->chain, t->chain_size, &pck, err);
	if (!r && !pck)
		r = ccdm_err_set(err, -EINVAL, "the quote: expected a certificate, found none");
	if (r)
		return r;
	/* Find the collateral before the path is checked: revocation lists come with it. */
	extension = ccdm_sgx_extension(pck, &platform);
	if (!extension && !collateral && want->find)
		r = want->find(want->find_arg, platform.fmspc, &collateral, err);
	if (!r)
		r = ccdm_certs_path(certs, pck, &path, v);
	if (!r)
		r = ccdm_tdx_signed(t, pck, v);
	if (r)
		return r;
	ccdm_tdx_guest(t, want, v);
	if (!ccdm_verdict_add(v, "pck-platform", !extension, 0,
			      "FMSPC, PCE-ID and security versions in the PCK's certificate", "%s",
			      !extension	     ? "all"
			      : extension == -ENOENT ? "none"
						     : "malformed"))
		return 0;
	ccdm_url_tcb_info(platform.fmspc, url);
	ccdm_hex(platform.fmspc, sizeof(platform.fmspc), fmspc);
	snprintf(missing, sizeof(missing),
		 "neither; fetch %s and %s; run \"ccdm-broker trust fetch --fmspc %s\"", url,
		 CCDM_URL_QE, fmspc);
	if (!ccdm_verdict_add(v, "collateral", collateral, 0,
			      "TCB info and the identity of the quoting enclave", "%s",
			      collateral ? "both or one" : missing))
		return 0;
	r = ccdm_collateral_check(collateral, certs, path.anchors, path.nr_anchors, want->at,
				  &platform, v);
	v->complete = !r;
	return r;
}

int ccdm_tdx_verify(const struct ccdm_tdx *t, const struct ccdm_tdx_want *want,
		    struct ccdm_verdict *v, struct ccdm_err *err)
{
	/*
	 * Certificates of the quote go into a separate layer, so they never count as the
	 * operator's.
	 */
	struct ccdm_certs *certs;
	int r;

	if (want->report_data_size > 64)
		return ccdm_err_set(err, -EINVAL, "report data: expected at most 64 bytes");
	certs = ccdm_certs_guest(want->certs);
	r = certs ? ccdm_tdx_judge(t, want, certs, v, err) : ccdm_err_memory(err);

	ccdm_certs_free(certs);
	return r;
}
