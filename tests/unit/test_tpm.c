// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Quotes of a TPM, and Azure's evidence around one, with keys of our own: each spoilt
 * in one place, so that one check fails.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include "evidence/azure.h"
#include "base/base64.h"
#include "evidence/tpm_json.h"
#include "failed.h"
#include "forge_snp.h"
#include "forge_tdx.h"
#include "forge_tpm.h"
#include "seed.h"

#define AT 1750000000 /* 2025-06-15 */

static struct ccdm_err err;
static EVP_PKEY *rsa_key, *ecc_key, *other_rsa;

static int setup(void **state)
{
	(void)state;
	forge_keys();
	tdx_keys_make();
	rsa_key = EVP_RSA_gen(2048);
	other_rsa = EVP_RSA_gen(2048);
	ecc_key = pki_key("P-256");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	forge_keys_free();
	tdx_keys_free();
	EVP_PKEY_free(rsa_key);
	EVP_PKEY_free(other_rsa);
	EVP_PKEY_free(ecc_key);
	return 0;
}

/* ---- quotes -------------------------------------------------------------------- */

struct wrong {
	const char *fails; /* the one check that fails; NULL: none */
	bool ecc, pss;
	uint16_t hash; /* of the signature; SHA-256 if 0 */
	uint32_t magic;
	uint16_t type;
	uint32_t selection; /* of the 24; all if 0 */
	unsigned int banks; /* selected; 1 if 0 */
	bool sha1_bank;	    /* registers of SHA-1, quoted as such */
	bool same_bank;	    /* one twice */
	bool wide;	    /* with a byte for registers that there are not */
	bool none;	    /* of the registers are selected */
	size_t digest_size; /* of the registers; as it is if 0 */
	uint16_t bank;	    /* selected; SHA-256 if 0 */
	unsigned int pcrs;  /* in the list; 24 if 0 */
	bool other_pcr;	    /* one of them is not what was quoted */
	bool flip;	    /* a bit of the signature */
	bool other_key;
	size_t nonce_size; /* of the quote; 48 if 0 */
	bool other_nonce;
	unsigned int allow;
};

static void make_quote(const struct wrong *w, struct ccdm_tpm_quote *q)
{
	uint32_t selection = w->selection ? w->selection : 0xffffff;
	unsigned int i, n = 0;
	size_t nonce = w->nonce_size ? w->nonce_size : 48;
	uint16_t hash = w->hash ? w->hash : CCDM_ALG_SHA256;
	uint8_t text[64], all[CCDM_TPM_PCRS * 32];
	struct ccdm_digest d;

	memset(q, 0, sizeof(*q));
	q->bank = w->sha1_bank ? CCDM_ALG_SHA1 : CCDM_ALG_SHA256;
	q->nr_pcrs = w->pcrs ? w->pcrs : CCDM_TPM_PCRS;
	for (i = 0; i < CCDM_TPM_PCRS; i++) {
		if (!(selection >> i & 1))
			continue;
		memset(all + ccdm_digest_size(q->bank) * n++, 0x40 + i, ccdm_digest_size(q->bank));
	}
	for (i = 0; i < q->nr_pcrs; i++)
		memset(q->pcrs[i], q->nr_pcrs == CCDM_TPM_PCRS ? 0x40 + i : all[32 * i], 32);
	if (w->other_pcr)
		q->pcrs[7][31] ^= 1;
	assert_int_equal(
		ccdm_digest_of(hash, all, (size_t)ccdm_digest_size(q->bank) * n, NULL, 0, &d), 0);

	for (i = 0; i < nonce; i++)
		text[i] = i + w->other_nonce;
	q->size = forge_attest(&(struct forge_attest){ w->magic, w->type, text, nonce, w->banks,
						       w->same_bank,
						       w->sha1_bank ? CCDM_ALG_SHA1 : w->bank,
						       w->none ? 0 : selection, w->wide, d.bytes,
						       w->digest_size ? w->digest_size : d.size },
			       q->message);

	q->signature.hash = hash;
	if (w->ecc) {
		q->signature.scheme = CCDM_ECDSA;
		q->signature.size = 64;
		pki_sign(ecc_key, EVP_sha256(), q->message, q->size, q->signature.bytes,
			 q->signature.bytes + 32, 32);
	} else {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		EVP_PKEY_CTX *rsa;

		q->signature.scheme = w->pss ? CCDM_RSAPSS : CCDM_RSASSA;
		q->signature.size = sizeof(q->signature.bytes);
		pki_must(EVP_DigestSignInit_ex(ctx, &rsa, ccdm_digest_name(hash), NULL, NULL,
					       w->other_key ? other_rsa : rsa_key, NULL));
		if (w->pss)
			pki_must(EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PSS_PADDING));
		pki_must(EVP_DigestSign(ctx, q->signature.bytes, &q->signature.size, q->message,
					q->size));
		EVP_MD_CTX_free(ctx);
	}
	if (w->flip)
		q->signature.bytes[20] ^= 1;
}

static struct ccdm_pubkey *public_of(EVP_PKEY *key)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	struct ccdm_pubkey *k = ccdm_pubkey_spki(der, n);

	assert_non_null(k);
	OPENSSL_free(der);
	return k;
}

static const struct wrong wrongs[] = {
	{ 0 },
	{ .ecc = true },
	{ .pss = true },
	{ .selection = 0x80ff },
	{ .selection = 0x80ff, .pcrs = 9 },
	{ .hash = CCDM_ALG_SHA384 },
	{ .fails = "quote-type", .magic = 0xff544348 },
	{ .fails = "quote-type", .type = 0x8017 },
	{ .fails = "signature-hash", .hash = CCDM_ALG_SHA1 },
	{ .fails = "pcr-bank", .sha1_bank = true },
	{ .fails = "pcr-bank",
	  .sha1_bank = true,
	  .hash = CCDM_ALG_SHA384,
	  .allow = CCDM_ALLOW_DEBUG },
	{ .sha1_bank = true, .allow = CCDM_ALLOW_SHA1 },
	{ .hash = CCDM_ALG_SHA1, .allow = CCDM_ALLOW_SHA1 },
	{ .fails = "signature", .flip = true },
	{ .fails = "signature", .other_key = true },
	{ .fails = "signature", .ecc = true, .flip = true },
	{ .fails = "signature", .pss = true, .flip = true },
	{ .fails = "pcr-selection", .bank = CCDM_ALG_SHA384 },
	{ .fails = "pcr-selection", .banks = 2 },
	{ .fails = "pcr-selection", .banks = 2, .same_bank = true },
	{ .fails = "pcr-selection", .banks = 9 },
	{ .fails = "pcr-selection", .none = true },
	{ .fails = "pcr-selection", .wide = true },
	{ .fails = "pcr-digest", .digest_size = 31 },
	{ .fails = "pcr-list", .selection = 0x80ff, .pcrs = 8 },
	{ .fails = "pcr-list", .selection = 0x80ff, .pcrs = 10 },
	{ .fails = "pcr-list", .pcrs = 23 },
	{ .fails = "pcr-digest", .other_pcr = true },
	{ .other_pcr = true, .selection = 0x7f }, /* which was not quoted, and proves nothing */
	{ .fails = "report-data", .nonce_size = 47 },
	{ .fails = "report-data", .nonce_size = 49 },
	{ .fails = "report-data", .other_nonce = true },
};

static void quotes(void **state)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_pubkey *rsa = public_of(rsa_key), *ecc = public_of(ecc_key);
	struct ccdm_tpm_facts facts;
	struct ccdm_tpm_quote q;
	uint8_t nonce[48];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonce); i++)
		nonce[i] = i;
	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *w = &wrongs[i];

		make_quote(w, &q);
		memset(v, 0, sizeof(*v));
		v->allow = w->allow;
		assert_int_equal(ccdm_tpm_quote_parse(&q, &err), 0);
		assert_int_equal(
			ccdm_tpm_quote_verify(&q, w->ecc ? ecc : rsa, nonce, 48, "", &facts, v), 0);
		if (strcmp(failed(v), w->fails ? w->fails : ""))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(v),
				 w->fails ? w->fails : "");
	}
	/* what was not quoted is nobody's fact */
	make_quote(&(struct wrong){ .selection = 0x81 }, &q);
	memset(v, 0, sizeof(*v));
	assert_int_equal(ccdm_tpm_quote_verify(&q, rsa, nonce, 48, "", &facts, v), 0);
	assert_int_equal(facts.covered, 0x81);
	assert_int_equal(facts.pcr[7][0], 0x47);
	assert_int_equal(facts.pcr[6][0], 0);
	/* of a quote that is bound to nothing only that is not looked at */
	memset(v, 0, sizeof(*v));
	assert_int_equal(ccdm_tpm_quote_verify(&q, rsa, NULL, 0, "", &facts, v), 0);
	assert_string_equal(failed(v), "");
	assert_int_equal(facts.covered, 0x81);
	/* a hash that nobody knows: no signature, and no registers */
	q.signature.hash = 0x27;
	memset(v, 0, sizeof(*v));
	v->allow = CCDM_ALLOW_SHA1;
	assert_int_equal(ccdm_tpm_quote_verify(&q, rsa, nonce, 48, "", &facts, v), 0);
	assert_false(ccdm_verdict_accepted(v));
	assert_int_equal(facts.covered, 0);
	/* nor is what nobody could read */
	q.size = 20;
	assert_int_equal(ccdm_tpm_quote_verify(&q, rsa, nonce, 48, "", &facts, v), -EINVAL);
	ccdm_pubkey_free(rsa);
	ccdm_pubkey_free(ecc);
	free(v);
}

/* TPMT_SIGNATURE of each scheme, and of none. */
static void signatures(void **state)
{
	static const struct {
		uint8_t alg, hash;
		size_t size;
		enum ccdm_scheme scheme;
		int r;
	} all[] = {
		{ 0x14, CCDM_ALG_SHA256, 256, CCDM_RSASSA, 0 },
		{ 0x16, CCDM_ALG_SHA256, 256, CCDM_RSAPSS, 0 },
		{ 0x16, CCDM_ALG_SHA384, 384, CCDM_RSAPSS, 0 },
		{ 0x05, CCDM_ALG_SHA256, 256, 0, -EINVAL },
	};
	uint8_t text[6 + 512];
	struct ccdm_signature s;
	size_t i;

	(void)state;
	memset(text, 0x5a, sizeof(text));
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint8_t *p = text;

		forge_be(&p, all[i].alg, 2);
		forge_be(&p, all[i].hash, 2);
		forge_be(&p, all[i].size, 2);
		assert_int_equal(ccdm_tpm_signature_parse(text, 6 + all[i].size, &s, &err),
				 all[i].r);
		if (all[i].r)
			continue;
		assert_int_equal(s.scheme, all[i].scheme);
		assert_int_equal(s.hash, all[i].hash);
		assert_int_equal(s.size, all[i].size);
		assert_int_equal(ccdm_tpm_signature_parse(text, 5 + all[i].size, &s, &err),
				 -EINVAL);
	}
	{
		uint8_t *p = text;

		forge_be(&p, 0x1a, 2); /* ECDAA: two numbers, as of ECDSA */
		forge_be(&p, CCDM_ALG_SHA256, 2);
		for (i = 0; i < 2; i++) {
			forge_be(&p, 32, 2);
			p += 32;
		}
		assert_int_equal(ccdm_tpm_signature_parse(text, p - text, &s, &err), -EINVAL);
		assert_string_equal(err.text, "the signature has scheme 0x1a, not RSA or ECDSA");
	}
}

/* ---- Azure ------------------------------------------------------------------------ */

static char *base64(const void *bytes, size_t n, bool url)
{
	char *text = malloc(n * 2 + 8), *p;

	EVP_EncodeBlock((uint8_t *)text, bytes, (int)n);
	for (p = text; url && *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	return text;
}

static char *hex(const void *bytes, size_t n)
{
	char *text = malloc(2 * n + 1);

	ccdm_hex(bytes, n, text);
	return text;
}

struct azure_wrong {
	const char *fails;
	struct wrong quote;
	struct spoil snp;
	bool other_runtime;    /* than the one the report covers */
	const char *user_data; /* in place of the nonce's */
	unsigned int version;  /* 2 if 0 */
	struct tdx_spoil td;
};

/* What is beside the evidence of a TD. */
struct azure_td {
	struct ccdm_anchor anchor;
	struct ccdm_collateral collateral;
};

/* The quote of a TD that is bound to @data, and what its vendor says. */
static char *make_td(const struct tdx_spoil *spoil, const uint8_t data[64],
		     struct ccdm_certs *certs, struct azure_td *td)
{
	uint8_t *quote = calloc(1, 16384);
	struct tdx_spoil s = *spoil;
	struct tdx_chain c;
	char *text;

	s.bound = data;
	tdx_chain_make(&s, &c);
	*td = (struct azure_td){ .anchor = { .name = "test" } };
	assert_int_equal(ccdm_cert_fingerprint((struct ccdm_cert *)c.root, td->anchor.sha256), 0);
	text = base64(quote, tdx_quote(&s, &c, quote), true);
	tdx_tcb(&s, &td->collateral);
	tdx_qe(&s, &td->collateral);
	pki_add_cert(certs, c.tcb, NULL);
	pki_add_cert(certs, c.qe, NULL);
	pki_add_crl(certs, c.root, tdx_root_key, NULL, NULL, 77);
	pki_add_crl(certs, c.ca, tdx_ca_key, NULL, NULL, 77);
	tdx_chain_drop(&c);
	free(quote);
	return text;
}

/* JSON of the evidence, of a TD if @td is given; the certificates beside it are added to @certs. */
static json_t *make_azure(const struct azure_wrong *w, struct ccdm_certs *certs,
			  struct ccdm_anchor *anchor, struct azure_td *td)
{
	struct pki_want ca = { .cn = "ARK-Milan", .key = ark_key, .ca = true, .serial = 1 };
	uint8_t raw[CCDM_SNP_REPORT_SIZE], data[64] = { 0 }, hcl[2600] = "HCLA", nonce[48],
					   *der = NULL;
	char runtime[1200], *n64, *user, *text[6];
	struct ccdm_tpm_quote q;
	struct ccdm_digest d;
	X509 *ark, *ask, *vcek;
	json_t *o, *pcrs = json_array();
	BIGNUM *n = NULL;
	uint8_t modulus[256];
	size_t i;
	int size;

	for (i = 0; i < sizeof(nonce); i++)
		nonce[i] = i;
	EVP_PKEY_get_bn_param(rsa_key, OSSL_PKEY_PARAM_RSA_N, &n);
	BN_bn2binpad(n, modulus, sizeof(modulus));
	BN_free(n);
	n64 = base64(modulus, sizeof(modulus), true);
	n64[strcspn(n64, "=")] = '\0';
	user = hex(nonce, sizeof(nonce));
	snprintf(
		runtime, sizeof(runtime),
		"{\"keys\":[{\"kid\":\"HCLEkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AQAB\"},"
		"{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}],\"user-data\":\"%s\"}",
		n64, w->user_data ? w->user_data : user);
	free(n64);
	free(user);
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, runtime, strlen(runtime), NULL, 0, &d), 0);
	memcpy(data, d.bytes, 32);
	make_report(&w->snp, data, raw);
	if (w->other_runtime)
		strcat(runtime, " ");
	memcpy(hcl + 32, raw, sizeof(raw));
	hcl[1224] = 2;
	hcl[1228] = 1;
	hcl[1232] = strlen(runtime) & 0xff;
	hcl[1233] = strlen(runtime) >> 8;
	memcpy(hcl + 1236, runtime, strlen(runtime));
	if (td) {
		/* a TDREPORT, with the data in another place */
		memset(hcl + 32, 0, 1184);
		memcpy(hcl + 32 + 128, data, 32);
		hcl[1224] = 4;
	}

	ark = pki_cert(&ca);
	assert_int_equal(ccdm_cert_fingerprint((struct ccdm_cert *)ark, anchor->sha256), 0);
	ca = (struct pki_want){ .cn = "SEV-Milan",
				.key = ask_key,
				.issuer = ark,
				.issuer_key = ark_key,
				.ca = true,
				.serial = 2 };
	ask = pki_cert(&ca);
	vcek = make_leaf(&w->snp, raw, ask);
	pki_add_cert(certs, ark, NULL);
	pki_add_cert(certs, ask, NULL);
	pki_add_crl(certs, ark, ark_key, NULL, NULL, 77);
	size = i2d_X509(vcek, &der);

	make_quote(&w->quote, &q);
	text[0] = hex(q.signature.bytes, q.signature.size);
	text[1] = hex(q.message, q.size);
	text[2] = base64(hcl, sizeof(hcl), true);
	text[3] = base64(der, size, true);
	for (i = 0; i < q.nr_pcrs; i++) {
		text[4] = hex(q.pcrs[i], 32);
		json_array_append_new(pcrs, json_string(text[4]));
		free(text[4]);
	}
	o = json_pack("{s:i, s:{s:s, s:s, s:o}, s:s, s:s}", "version", w->version ? w->version : 2,
		      "tpm_quote", "signature", text[0], "message", text[1], "pcrs", pcrs,
		      "hcl_report", text[2], "vcek", text[3]);
	for (i = 0; i < 4; i++)
		free(text[i]);
	if (td) {
		text[5] = make_td(&w->td, data, certs, td);
		json_object_del(o, "vcek");
		json_object_set_new(o, "td_quote", json_string(text[5]));
		free(text[5]);
	}
	OPENSSL_free(der);
	X509_free(vcek);
	X509_free(ask);
	X509_free(ark);
	return o;
}

/* The same of a TD: its quote covers the runtime data, the TDREPORT beside it proves nothing. */
static void azure_td(void **state)
{
	static const struct azure_wrong all[] = {
		{ .version = 1 },
		{ 0 },
		{ .fails = "report-data", .version = 1, .other_runtime = true },
		{ .fails = "report-data", .version = 1, .td = { .at = 1520 + 63, .value = 7 } },
		{ .fails = "user-data", .user_data = "" },
		{ .fails = "tpm-signature", .version = 1, .quote = { .other_key = true } },
		{ .fails = "debug", .version = 1, .td = { .at = 1120, .value = 1 } },
		{ .fails = "signature", .version = 1, .td = { .flip_signature = true } },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_anchor anchor = { .name = "Milan" };
	struct ccdm_tpm_facts facts;
	const struct ccdm_cert *vcek;
	struct azure_td td;
	uint8_t nonce[48];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonce); i++)
		nonce[i] = i;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&all[i], certs, &anchor, &td);
		struct ccdm_azure_want want = { .tdx = { .certs = certs,
							 .at = AT,
							 .anchors = &td.anchor,
							 .nr_anchors = 1,
							 .collateral = &td.collateral },
						.nonce = nonce,
						.nonce_size = sizeof(nonce) };
		struct ccdm_azure az;

		memset(v, 0, sizeof(*v));
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), 0);
		assert_null(vcek);
		assert_int_equal(ccdm_azure_whole(&az), !all[i].other_runtime);
		assert_int_equal(ccdm_azure_verify(&az, &want, &facts, v, &err), 0);
		if (strcmp(failed(v), all[i].fails ? all[i].fails : ""))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(v),
				 all[i].fails ? all[i].fails : "");
		assert_int_equal(ccdm_verdict_accepted(v), !all[i].fails);
		ccdm_azure_drop(&az);
		ccdm_collateral_drop(&td.collateral);
		ccdm_certs_free(certs);
		json_decref(o);
	}
	/* a quote that is none; and one beside the report of another TEE */
	for (i = 0; i < 2; i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&all[0], certs, &anchor, i ? NULL : &td);
		struct ccdm_azure az;

		json_object_set_new(o, "td_quote", json_string("QUJD"));
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), -EINVAL);
		assert_non_null(strstr(err.text, i ? "is of SNP, and there is a td_quote"
						   : "a TDX quote of 3 bytes"));
		if (!i)
			ccdm_collateral_drop(&td.collateral);
		ccdm_certs_free(certs);
		json_decref(o);
	}
	free(v);
}

static void azure(void **state)
{
	static const struct azure_wrong all[] = {
		{ 0 },
		{ .version = 1, .user_data = "" },
		{ .fails = "report-data", .other_runtime = true },
		{ .fails = "user-data", .user_data = "" },
		{ .fails = "user-data",
		  .user_data = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
			       "1d1e1f202122232425262728292a2b2c2d2e2e" },
		{ .fails = "tpm-signature", .quote = { .flip = true } },
		{ .fails = "tpm-signature", .quote = { .other_key = true } },
		{ .fails = "tpm-pcr-digest", .quote = { .other_pcr = true } },
		{ .fails = "tpm-pcr-selection", .quote = { .banks = 2 } },
		{ .fails = "tpm-report-data", .quote = { .other_nonce = true } },
		{ .fails = "vmpl", .snp = { .at = 0x30, .value = 1 } },
		{ .fails = "debug", .snp = { .at = 0xa, .value = 0x0b } },
		{ .fails = "signature", .snp = { .flip = 0x2a0 } },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_anchor anchor = { .name = "Milan" };
	struct ccdm_tpm_facts facts;
	uint8_t nonce[48];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonce); i++)
		nonce[i] = i;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&all[i], certs, &anchor, NULL);
		struct ccdm_azure_want want = {
			.snp = { .certs = certs, .at = AT, .anchors = &anchor, .nr_anchors = 1 },
			.nonce = nonce,
			.nonce_size = sizeof(nonce)
		};
		struct ccdm_azure az;

		memset(v, 0, sizeof(*v));
		seed_json("azure", o);
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &want.snp.leaf, &err), 0);
		assert_int_equal(ccdm_azure_verify(&az, &want, &facts, v, &err), 0);
		if (strcmp(failed(v), all[i].fails ? all[i].fails : ""))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(v),
				 all[i].fails ? all[i].fails : "");
		assert_int_equal(ccdm_verdict_accepted(v), !all[i].fails);
		/* bound to nobody */
		json_object_del(az.claims, "user-data");
		memset(v, 0, sizeof(*v));
		assert_int_equal(ccdm_azure_verify(&az, &want, &facts, v, &err), 0);
		if (!all[i].fails)
			assert_string_equal(failed(v), all[i].version == 1 ? "" : "user-data");
		/* (more than a quote can be bound to) */
		want.nonce_size = CCDM_DIGEST_MAX + 1;
		assert_int_equal(ccdm_azure_verify(&az, &want, &facts, v, &err), -EINVAL);
		ccdm_azure_drop(&az);
		ccdm_certs_free(certs);
		json_decref(o);
	}
	free(v);
}

/* Each member missing, of another type, too long: an error that names it. */
static void azure_members(void **state)
{
	static const char *const members[] = { "version", "tpm_quote", "hcl_report", "vcek" };
	static const int versions[] = { -1, 0, 3 };
	static const char *const inner[] = { "signature", "message", "pcrs" };
	struct ccdm_anchor anchor = { .name = "Milan" };
	const struct ccdm_cert *vcek;
	struct azure_wrong good = { 0 };
	struct ccdm_azure az;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&good, certs, &anchor, NULL);

		json_object_set_new(o, "version", json_integer(versions[i]));
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), -EINVAL);
		assert_string_equal(err.text, "version is neither 1 nor 2");
		ccdm_certs_free(certs);
		json_decref(o);
	}
	for (i = 0; i < 2; i++) { /* as many registers as there are, and one more */
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&good, certs, &anchor, NULL);
		json_t *pcrs = json_object_get(json_object_get(o, "tpm_quote"), "pcrs");

		while (json_array_size(pcrs) < CCDM_TPM_PCRS + i)
			json_array_append(pcrs, json_array_get(pcrs, 0));
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), i ? -EINVAL : 0);
		if (!i)
			ccdm_azure_drop(&az);
		ccdm_certs_free(certs);
		json_decref(o);
	}
	for (i = 0; i < 7; i++)
		for (k = 0; k < 7; k++) {
			struct ccdm_certs *certs = ccdm_certs_new();
			json_t *o = make_azure(&good, certs, &anchor, NULL), *at = o, *value = NULL;
			const char *key = i < 4 ? members[i] : inner[i - 4];
			char *longer = calloc(1, 300001);

			memset(longer, 'A', 300000);
			if (i >= 4)
				at = json_object_get(o, "tpm_quote");
			if (k == 0)
				json_object_del(at, key);
			else
				value = k == 1	 ? json_null()
					: k == 2 ? json_integer(-1)
					: k == 3 ? json_string(longer)
					: k == 4 ? json_string("no")
					: k == 5 ? json_array()
						 : json_pack("[[]]");
			if (value)
				json_object_set_new(at, key, value);
			if (k != 3)
				seed_json("azure", o);
			if (ccdm_azure_parse(o, &az, certs, &vcek, &err) != -EINVAL)
				fail_msg("%s: %zu is taken", key, k);
			free(longer);
			ccdm_certs_free(certs);
			json_decref(o);
		}
}

static json_t *numbers(const uint8_t *bytes, size_t size)
{
	json_t *o = json_array();
	size_t i;

	for (i = 0; i < size; i++)
		json_array_append_new(o, json_integer(bytes[i]));
	return o;
}

/* The evidence as it was first, all in numbers; each member not what it must be. */
static void azure_numbers(void **state)
{
	static const char *const says[] = { NULL,
					    "the quote is no object",
					    "pcrs",
					    "pcrs",
					    "pcrs",
					    "message",
					    "vcek",
					    "vcek",
					    "report",
					    "pcrs",
					    "report is no array of at most" };
	static const struct wrong good;
	struct ccdm_anchor anchor = { .name = "Milan" };
	struct azure_wrong new = { 0 };
	const struct ccdm_cert *vcek;
	struct ccdm_tpm_quote q;
	struct ccdm_azure az;
	uint8_t *hcl;
	size_t i, k, size;

	(void)state;
	make_quote(&good, &q);
	for (i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&new, certs, &anchor, NULL), *pcrs = json_array(), *quote;
		struct pki_want w = { .cn = "SEV-VCEK", .key = ecc_key, .serial = 1 };
		X509 *x = pki_cert(&w);
		struct pki_pem pem = pki_pem(x, NULL);

		assert_int_equal(
			ccdm_base64_decode(json_string_value(json_object_get(o, "hcl_report")),
					   true, CCDM_HCL_MAX, &hcl, &size),
			0);
		json_decref(o);
		for (k = 0; k < CCDM_TPM_PCRS; k++)
			json_array_append_new(pcrs, numbers(q.pcrs[k], 32));
		quote = json_pack("{s:o, s:o, s:o}", "message", numbers(q.message, q.size),
				  "signature", numbers(q.signature.bytes, q.signature.size), "pcrs",
				  pcrs);
		o = json_pack("{s:o, s:o, s:s}", "quote", quote, "report", numbers(hcl, size),
			      "vcek", pem.text);
		if (i == 1)
			json_object_set_new(o, "quote", json_array());
		else if (i == 2)
			json_object_set_new(quote, "pcrs", json_array());
		else if (i == 3)
			json_array_append_new(pcrs, numbers(q.pcrs[0], 32));
		else if (i == 4)
			json_array_set_new(pcrs, 3, numbers(q.pcrs[0], 31));
		else if (i == 5)
			json_array_append_new(json_object_get(quote, "message"), json_integer(256));
		else if (i == 6)
			json_object_set_new(o, "vcek", json_integer(7));
		else if (i == 7)
			json_object_set_new(o, "vcek", json_string("x"));
		else if (i == 8)
			json_object_del(o, "report");
		else if (i == 9)
			json_object_set_new(quote, "pcrs", json_string("x"));
		else if (i == 10)
			while (json_array_size(json_object_get(o, "report")) <= CCDM_HCL_MAX)
				json_array_append_new(json_object_get(o, "report"),
						      json_integer(0));
		seed_json("azure", o);
		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err),
				 says[i] ? -EINVAL : 0);
		if (says[i] && !strstr(err.text, says[i]))
			fail_msg("%zu: %s", i, err.text);
		if (!says[i]) {
			assert_int_equal(az.hcl_size, size);
			assert_memory_equal(az.hcl, hcl, size);
			assert_int_equal(az.quote.nr_pcrs, CCDM_TPM_PCRS);
			assert_memory_equal(az.quote.pcrs, q.pcrs, sizeof(q.pcrs));
			assert_non_null(vcek);
			ccdm_azure_drop(&az);
		}
		json_decref(o);
		ccdm_certs_free(certs);
		X509_free(x);
		free(hcl);
	}
}

/* An HCL report with one thing wrong in it, and one that was read while it was being written. */
static void azure_hcl(void **state)
{
	static const struct {
		size_t at;
		const char *bytes, *said, *in_place_of; /* the first of it */
	} all[] = {
		{ 0, "HCLAkPxb", "no key HCLAkPub of RSA", "HCLAkPub" },
		{ 0, "kix\":\"HCLAkPub", "no key HCLAkPub of RSA", "kid\":\"HCLAkPub" },
		{ 0, "HCLAkPub\",\"kty\":\"RSX", "no key HCLAkPub of RSA",
		  "HCLAkPub\",\"kty\":\"RSA" },
		{ 0, "HCLAkPub\",\"ktx", "no key HCLAkPub of RSA", "HCLAkPub\",\"kty" },
		{ 0, "HCLAkPub\",\"kty\":\"RSA\",\"x", "no key HCLAkPub of RSA",
		  "HCLAkPub\",\"kty\":\"RSA\",\"e" },
		{ 0, "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"m", "no key HCLAkPub of RSA",
		  "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n" },
		{ 0, "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"A!AB", "no key HCLAkPub of RSA",
		  "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB" },
		{ 0, "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"!",
		  "no key HCLAkPub of RSA", "HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" },
		{ 0, "HCLB", "no HCL report", NULL },
		{ 1224, "\3", "type 3 is neither", NULL },
		{ 1228, "\4", "hash 4 is not known", NULL },
		{ 1235, "\1", "cut off", NULL },
		{ 1224, "\4", "of TDX, and there is no td_quote", NULL },
		{ 1236, "[", "hcl_report: ", NULL },
		{ 1236, "[]", "hcl_report: the runtime data: no object", NULL },
		{ 1228, "", "hash 0 is not known", NULL },
		{ 1250, "x", "hcl_report: ", NULL },
		{ 32 + 80, NULL, NULL, NULL },
	};
	struct ccdm_anchor anchor = { .name = "Milan" };
	struct azure_wrong good = { 0 };
	const struct ccdm_cert *vcek;
	struct ccdm_azure az;
	size_t i, k, size;
	uint8_t *hcl;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ccdm_certs *certs = ccdm_certs_new();
		json_t *o = make_azure(&good, certs, &anchor, NULL);

		assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), 0);
		assert_true(ccdm_azure_whole(&az));
		ccdm_azure_drop(&az);
		assert_int_equal(
			ccdm_base64_decode(json_string_value(json_object_get(o, "hcl_report")),
					   true, CCDM_HCL_MAX, &hcl, &size),
			0);
		if (all[i].in_place_of) {
			uint8_t *at =
				memmem(hcl, size, all[i].in_place_of, strlen(all[i].in_place_of));

			assert_non_null(at);
			memcpy(at, all[i].bytes, strlen(all[i].bytes));
		} else if (all[i].said) {
			if (all[i].bytes[0] && all[i].bytes[1] == ']') /* and nothing else */
				memset(hcl + all[i].at, ' ', size - all[i].at);
			/* (where nothing stands, a zero) */
			memcpy(hcl + all[i].at, all[i].bytes,
			       strlen(all[i].bytes) + !all[i].bytes[0]);
		} else
			hcl[all[i].at] ^= 1; /* (of a hash: any byte may stand there) */
		text = base64(hcl, size, true);
		json_object_set_new(o, "hcl_report", json_string(text));
		seed_json("azure", o);
		if (all[i].said) {
			assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), -EINVAL);
			if (!strstr(err.text, all[i].said))
				fail_msg("%zu: %s", i, err.text);
		} else {
			assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), 0);
			assert_false(ccdm_azure_whole(&az));
			ccdm_azure_drop(&az);
		}
		free(text);
		/* and all of it cut off at the smallest size, or before */
		for (k = 0; k < 2; k++) {
			text = base64(hcl, k ? 1236 : 1235, true);
			json_object_set_new(o, "hcl_report", json_string(text));
			assert_int_equal(ccdm_azure_parse(o, &az, certs, &vcek, &err), -EINVAL);
			free(text);
		}
		free(hcl);
		ccdm_certs_free(certs);
		json_decref(o);
	}
}

/* A key has one encoding: OpenSSL reads the same key from others as well. */
static void key_encodings(void **state)
{
	uint8_t der[128], out[128], *p, *explicit;
	struct ccdm_pubkey *key;
	EVP_PKEY *evp = NULL;
	int n;

	(void)state;
	/* The last byte of the point ends in two zero bits: they may be called unused. */
	do {
		EVP_PKEY_free(evp);
		evp = pki_key("P-256");
		p = der;
		n = i2d_PUBKEY(evp, &p);
	} while (der[n - 1] & 3);
	key = ccdm_pubkey_spki(der, n);
	assert_non_null(key);
	ccdm_pubkey_free(key);
	/* 26 bytes of headers, of which the last counts unused bits; then the form of the point. */
	assert_int_equal(der[25], 0);
	assert_int_equal(der[26], 4);
	memcpy(out, der, n);
	out[25] = 2;
	assert_null(ccdm_pubkey_spki(out, n));
	/* hybrid: x, y, and the parity of y */
	memcpy(out, der, n);
	out[26] = 6 | (der[n - 1] & 1);
	assert_null(ccdm_pubkey_spki(out, n));
	pki_must(EVP_PKEY_set_utf8_string_param(evp, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
						"compressed"));
	p = out;
	n = i2d_PUBKEY(evp, &p);
	assert_int_equal(n, 59);
	assert_null(ccdm_pubkey_spki(out, n));
	/* the curve as numbers, among which whoever writes them may choose the generator */
	pki_must(EVP_PKEY_set_utf8_string_param(evp, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
						"uncompressed"));
	pki_must(EVP_PKEY_set_utf8_string_param(evp, OSSL_PKEY_PARAM_EC_ENCODING,
						OSSL_PKEY_EC_ENCODING_EXPLICIT));
	explicit = NULL;
	n = i2d_PUBKEY(evp, &explicit);
	assert_true(n > 300);
	assert_null(ccdm_pubkey_spki(explicit, n));
	OPENSSL_free(explicit);
	EVP_PKEY_free(evp);
	/* another curve of the same size */
	evp = pki_key("secp256k1");
	explicit = NULL;
	n = i2d_PUBKEY(evp, &explicit);
	assert_null(ccdm_pubkey_spki(explicit, n));
	OPENSSL_free(explicit);
	EVP_PKEY_free(evp);
}

/* Which keys may be used at all. */
static void keys(void **state)
{
	static const struct {
		const char *type, *curve;
		bool fit;
	} all[] = {
		{ "EC", "P-256", true },    { "EC", "P-384", true }, { "EC", "P-521", false },
		{ "EC", "P-224", false },   { "RSA", "2048", true }, { "RSA", "1024", false },
		{ "ED25519", NULL, false },
	};
	uint8_t der[4096 + 64] = { 0 }, modulus[1025], e[9] = { 1, 0, 1 }, out[512], *p;
	static const uint8_t label[] = "x", text[32];
	struct ccdm_pubkey *key, *rsa = NULL, *p256 = NULL;
	struct ccdm_signature sig = { .scheme = CCDM_ECDSA, .hash = 0x7777, .size = 64 };
	size_t i, size;
	EVP_PKEY *evp;
	int n;

	(void)state;
	assert_null(ccdm_pubkey_spki(NULL, 0));
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		evp = !all[i].curve		    ? EVP_PKEY_Q_keygen(NULL, NULL, all[i].type)
		      : !strcmp(all[i].type, "RSA") ? EVP_RSA_gen(atoi(all[i].curve))
						    : pki_key(all[i].curve);
		p = der;
		n = i2d_PUBKEY(evp, &p);
		EVP_PKEY_free(evp);
		key = ccdm_pubkey_spki(der, n);
		if (!!key != all[i].fit)
			fail_msg("%s %s", all[i].type, all[i].curve ? all[i].curve : "");
		/* with something behind it, or cut off */
		assert_null(ccdm_pubkey_spki(der, n + 1));
		assert_null(ccdm_pubkey_spki(der, n - 1));
		assert_null(ccdm_pubkey_spki(der, 4097));
		if (key) {
			size = n - 1;
			assert_int_equal(ccdm_pubkey_der(key, out, &size), -ENOSPC);
			size = n;
			assert_int_equal(ccdm_pubkey_der(key, out, &size), 0);
			assert_memory_equal(der, out, n);
			assert_true(ccdm_pubkey_equal(key, key));
			assert_false(ccdm_pubkey_equal(key, NULL));
			assert_false(ccdm_pubkey_equal(NULL, key));
			assert_false(ccdm_pubkey_equal(key, p256));
		}
		if (key && !p256)
			p256 = key;
		else if (key && !strcmp(all[i].type, "RSA"))
			rsa = key;
		else
			ccdm_pubkey_free(key);
	}
	/* numbers: a modulus of 8,192 bits is the longest */
	memset(modulus, 0xff, sizeof(modulus));
	key = ccdm_pubkey_rsa(modulus, 1024, e, 3);
	assert_non_null(key);
	ccdm_pubkey_free(key);
	assert_null(ccdm_pubkey_rsa(modulus, 1025, e, 3));
	/* nor one that is longer in a form of its own */
	{
		BIGNUM *n = BN_bin2bn(modulus, 1025, NULL), *f4 = BN_bin2bn(e, 3, NULL);
		OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
		EVP_PKEY *large = NULL;
		OSSL_PARAM *params;
		uint8_t *spki = NULL;
		int size;

		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, f4);
		params = OSSL_PARAM_BLD_to_param(build);
		pki_must(EVP_PKEY_fromdata_init(ctx));
		pki_must(EVP_PKEY_fromdata(ctx, &large, EVP_PKEY_PUBLIC_KEY, params));
		size = i2d_PUBKEY(large, &spki);
		assert_true(size > 1025);
		assert_null(ccdm_pubkey_spki(spki, size));
		OPENSSL_free(spki);
		EVP_PKEY_free(large);
		EVP_PKEY_CTX_free(ctx);
		OSSL_PARAM_free(params);
		OSSL_PARAM_BLD_free(build);
		BN_free(n);
		BN_free(f4);
	}
	assert_null(ccdm_pubkey_rsa(modulus, 1024, e, 9));
	/* what one kind of key can, the other cannot */
	size = sizeof(out);
	assert_int_equal(ccdm_pubkey_oaep(rsa, (void *)label, 1, text, 32, out, &size), 0);
	size = sizeof(out);
	assert_int_equal(ccdm_pubkey_oaep(p256, (void *)label, 1, text, 32, out, &size), -EINVAL);
	size = 8;
	assert_int_equal(ccdm_pubkey_oaep(rsa, (void *)label, 1, text, 32, out, &size), -EINVAL);
	assert_int_equal(ccdm_pubkey_verify(p256, &sig, text, 32), -EBADMSG);
	sig.hash = CCDM_ALG_SHA256;
	assert_int_equal(ccdm_pubkey_verify(p256, &sig, text, 32), -EBADMSG);
	assert_int_equal(ccdm_pubkey_verify(rsa, &sig, text, 32), -EBADMSG);
	sig.scheme = CCDM_RSASSA;
	assert_int_equal(ccdm_pubkey_verify(p256, &sig, text, 32), -EBADMSG);
	assert_int_equal(ccdm_pubkey_ecdsa(rsa, text, text, 32, text, 32), -EBADMSG);
	assert_int_equal(ccdm_pubkey_ecdsa(NULL, text, text, 32, text, 32), -EBADMSG);
	assert_int_equal(ccdm_pubkey_ecdsa(p256, modulus, modulus, 67, text, 32), -EBADMSG);
	ccdm_pubkey_free(rsa);
	ccdm_pubkey_free(p256);
}

static void base64_texts(void **state)
{
	static const struct {
		const char *text;
		bool url;
		int r;
		const char *bytes;
	} all[] = {
		{ "", false, 0, "" },
		{ "QQ==", false, 0, "A" },
		{ "QUI=", false, 0, "AB" },
		{ "QUJD", false, 0, "ABC" },
		{ "QQ", false, -EINVAL, "" },
		{ "QR==", false, -EINVAL, "" },
		{ "A", false, -EINVAL, "" },
		{ "AA=A", false, -EINVAL, "" },
		{ "QUJD=", false, -EINVAL, "" },
		{ "====", false, -EINVAL, "" },
		{ "QQ=\n", false, -EINVAL, "" },
		{ "-_8=", false, -EINVAL, "" },
		{ "+/8=", false, 0, "\xfb\xff" },
		{ "QQ", true, 0, "A" },
		{ "QQ==", true, 0, "A" },
		{ "-_8", true, 0, "\xfb\xff" },
		{ "+/8", true, -EINVAL, "" },
		{ "QR", true, -EINVAL, "" },
		{ "QQ=", true, -EINVAL, "" },
		{ "QUJDRA==", false, -EFBIG, "" },
	};
	uint8_t *bytes;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(ccdm_base64_decode(all[i].text, all[i].url, 3, &bytes, &n),
				 all[i].r);
		if (all[i].r)
			continue;
		assert_int_equal(n, strlen(all[i].bytes));
		assert_memory_equal(bytes, all[i].bytes, n);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes),	 cmocka_unit_test(signatures),
		cmocka_unit_test(azure),	 cmocka_unit_test(azure_members),
		cmocka_unit_test(azure_numbers), cmocka_unit_test(azure_hcl),
		cmocka_unit_test(base64_texts),	 cmocka_unit_test(azure_td),
		cmocka_unit_test(keys),		 cmocka_unit_test(key_encodings),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
