/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* forge_azure.h - Azure's evidence around a TPM's quote, with a chosen defect */
#ifndef CCDM_TEST_FORGE_AZURE_H
#define CCDM_TEST_FORGE_AZURE_H

#include <stdio.h>
#include "evidence/azure.h"
#include "forge_quote.h"
#include "forge_snp.h"
#include "forge_tdx.h"

#define AT 1750000000 /* 2025-06-15 */

static struct ccdm_err err;

static inline int setup(void **state)
{
	(void)state;
	forge_keys();
	tdx_keys_make();
	quote_keys_make();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	forge_keys_free();
	tdx_keys_free();
	quote_keys_free();
	return 0;
}

static inline char *base64(const void *bytes, size_t n, bool url)
{
	char *text = malloc(n * 2 + 8), *p;

	EVP_EncodeBlock((uint8_t *)text, bytes, (int)n);
	for (p = text; url && *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	return text;
}

static inline char *hex(const void *bytes, size_t n)
{
	char *text = malloc(2 * n + 1);

	ccdm_hex(bytes, n, text);
	return text;
}

/* A chosen defect of the evidence. */
struct azure_spoil {
	const char *fails;
	struct quote_spoil quote;
	struct spoil snp;
	bool other_runtime;    /* the report covers other runtime data */
	const char *user_data; /* in place of the nonce */
	unsigned int version;  /* default: 2 */
	struct tdx_spoil td;
};

/* What a verifier needs for the evidence of a TD. */
struct azure_td {
	struct ccdm_anchor anchor;
	struct ccdm_collateral collateral;
};

/* Make the quote of a TD that is bound to @data; its collateral goes to @td and @certs. */
static inline char *make_td(const struct tdx_spoil *spoil, const uint8_t data[64],
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

/* Make evidence: of a TD if @td is given, else of an SNP guest. Certificates go to @certs. */
static inline json_t *make_azure(const struct azure_spoil *w, struct ccdm_certs *certs,
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
		/* a TDREPORT has its data at another offset */
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

#endif
