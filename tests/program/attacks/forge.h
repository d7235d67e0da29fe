/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * forge.h - evidence of each kind under test keys, as described in JSON
 *
 * There are test processors of both makers, attestation keys of TPMs, and the software key that an
 * attacker uses in place of a paravisor's. All signatures are valid: the attacks test the broker's
 * judgement.
 */
#ifndef CCDM_TEST_ATTACKS_FORGE_H
#define CCDM_TEST_ATTACKS_FORGE_H

#include "base/base64.h"
#include "base/bytes.h"
#include "kbs/kbs.h"
#include "base/json.h"
#include "evidence/snp_json.h"
#include "forge_activation.h"
#include "forge_snp.h"
#include "forge_tdx.h"
#include "forge_tpm.h"

#define AKS 3
#define EKS 2

static X509 *forge_ark, *forge_ask;
static struct tdx_chain forge_tdx;
static EVP_PKEY *forge_ak[AKS], *forge_ek[EKS], *forge_rsa;

static const struct tdx_spoil forge_collateral = { .tcb_next = "2039-01-01T00:00:00Z",
						   .qe_next = "2039-01-01T00:00:00Z" };

static inline void forge_all(void)
{
	struct pki_want w;
	unsigned int i;

	forge_keys();
	tdx_keys_make();
	for (i = 0; i < AKS; i++)
		forge_ak[i] = pki_key("P-256");
	for (i = 0; i < EKS; i++)
		forge_ek[i] = EVP_RSA_gen(2048);
	forge_rsa = EVP_RSA_gen(2048);
	w = (struct pki_want){ .cn = "ARK-Milan", .key = ark_key, .ca = true, .serial = 1 };
	forge_ark = pki_cert(&w);
	w = (struct pki_want){ .cn = "SEV-Milan",
			       .key = ask_key,
			       .issuer = forge_ark,
			       .issuer_key = ark_key,
			       .ca = true,
			       .serial = 2 };
	forge_ask = pki_cert(&w);
	tdx_chain_make(&forge_collateral, &forge_tdx);
}

static inline void forge_all_free(void)
{
	unsigned int i;

	X509_free(forge_ark);
	X509_free(forge_ask);
	tdx_chain_drop(&forge_tdx);
	for (i = 0; i < AKS; i++)
		EVP_PKEY_free(forge_ak[i]);
	for (i = 0; i < EKS; i++)
		EVP_PKEY_free(forge_ek[i]);
	EVP_PKEY_free(forge_rsa);
	forge_keys_free();
	tdx_keys_free();
}

/* ---- members ---------------------------------------------------------------------- */

static inline unsigned int forge_number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

/* Decode hex digits into @size bytes; zeros if the member is missing. */
static inline void forge_bytes(const json_t *o, const char *name, uint8_t *to, size_t size)
{
	const char *hex = json_string_value(json_object_get(o, name));

	memset(to, 0, size);
	pki_must(!hex || !ccdm_unhex(hex, to, size));
}

/* ---- TEEs --------------------------------------------------------------------------- */

static inline void forge_report(const json_t *o, const uint8_t data[64],
				uint8_t raw[CCDM_SNP_REPORT_SIZE])
{
	uint8_t measurement[48];
	struct spoil s = { .measurement = measurement,
			   .vmpl = forge_number(o, "vmpl"),
			   .debug = forge_number(o, "debug"),
			   .at = forge_number(o, "at"),
			   .value = forge_number(o, "value") };

	forge_bytes(o, "measurement", measurement, sizeof(measurement));
	make_report(&s, data, raw);
}

static inline X509 *forge_vcek(const uint8_t raw[CCDM_SNP_REPORT_SIZE])
{
	static const struct spoil good;

	return make_leaf(&good, raw, forge_ask);
}

/*
 * Make an SVSM's report, bound to @data and to the manifest. Members of "svsm": "ek": N; "big": an
 * EK of 4096 bits; "swap": send the manifest of the other EK; "alone": bind the report to @data
 * only.
 */
static inline json_t *forge_svsm(const json_t *svsm, const uint8_t data[64], uint8_t bound[64])
{
	unsigned int ek = forge_number(svsm, "ek");
	bool big = forge_number(svsm, "big");
	uint8_t manifest[1024];
	size_t size = forge_manifest(forge_ek[ek], FORGE_EK, big, manifest);
	struct ccdm_digest d;

	pki_must(!ccdm_digest_of(CCDM_ALG_SHA512, data, 64, manifest, size, &d));
	memcpy(bound, forge_number(svsm, "alone") ? data : d.bytes, 64);
	if (forge_number(svsm, "swap"))
		size = forge_manifest(forge_ek[!ek], FORGE_EK, big, manifest);
	return json_pack("{s:o}", "manifest", ccdm_json_make(manifest, size));
}

static inline json_t *forge_snp_json(const json_t *o, const uint8_t data[64])
{
	uint8_t raw[CCDM_SNP_REPORT_SIZE], table[4096] = { 0 }, *der = table + 48;
	static const uint8_t vcek[16] = { 0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45,
					  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
	json_t *svsm = json_object_get(o, "svsm"), *evidence;
	uint8_t bound[64];
	struct ccdm_err err;
	X509 *leaf;
	int n;

	memcpy(bound, data, 64);
	if (svsm)
		svsm = forge_svsm(svsm, data, bound);
	forge_report(o, bound, raw);
	leaf = forge_vcek(raw);
	n = i2d_X509(leaf, &der);
	X509_free(leaf);
	memcpy(table, vcek, sizeof(vcek));
	table[16] = 48;
	table[20] = n & 0xff;
	table[21] = n >> 8;
	pki_must(!ccdm_snp_json_make(raw, table, 48 + n, &evidence, &err));
	if (svsm)
		json_object_set_new(evidence, "svsm", svsm);
	return evidence;
}

static inline size_t forge_td(const json_t *o, const uint8_t data[64], uint8_t quote[16384])
{
	uint8_t mrtd[48], rtmr[4][48];
	struct tdx_spoil s = { .mrtd = mrtd,
			       .rtmr = rtmr[0],
			       .bound = data,
			       .version = forge_number(o, "version"),
			       .body_type = forge_number(o, "body_type"),
			       .at = forge_number(o, "at"),
			       .value = forge_number(o, "value") };
	const json_t *all = json_object_get(o, "rtmr");
	unsigned int i;

	forge_bytes(o, "mrtd", mrtd, sizeof(mrtd));
	memset(rtmr, 0, sizeof(rtmr));
	for (i = 0; i < 4 && all; i++)
		pki_must(!ccdm_unhex(json_string_value(json_array_get(all, i)), rtmr[i], 48));
	return tdx_quote(&s, &forge_tdx, quote);
}

static inline json_t *forge_tdx_json(const json_t *o, const uint8_t data[64])
{
	uint8_t *quote = calloc(1, 16384);
	size_t size = forge_td(o, data, quote);
	json_t *evidence = json_pack("{s:o}", "quote", ccdm_json_make(quote, size));

	free(quote);
	return evidence;
}

/* ---- TPMs ------------------------------------------------------------------------------ */

struct forge_quote {
	uint8_t message[CCDM_TPM_QUOTE_MAX];
	size_t size;
	json_t *pcrs; /* in hexadecimal; borrowed */
};

/*
 * "pcr": registers; "bank": "sha256"; "quoted": registers in a mask; "said": sent in place of
 * "pcr".
 */
static inline void forge_quote_of(const json_t *o, const uint8_t *nonce, size_t nonce_size,
				  struct forge_quote *q)
{
	const char *bank = json_string_value(json_object_get(o, "bank"));
	uint16_t alg = bank ? ccdm_digest_alg(bank) : CCDM_ALG_SHA256;
	uint32_t mask = json_object_get(o, "quoted") ? forge_number(o, "quoted") : 0xffffff;
	size_t size = ccdm_digest_size(alg), n = 0;
	uint8_t all[CCDM_TPM_PCRS * CCDM_DIGEST_MAX];
	json_t *pcrs = json_object_get(o, "pcr");
	struct ccdm_digest d;
	unsigned int i;

	for (i = 0; i < CCDM_TPM_PCRS; i++)
		if (mask & 1U << i) {
			pki_must(!ccdm_unhex(json_string_value(json_array_get(pcrs, i)), all + n,
					     size));
			n += size;
		}
	pki_must(!ccdm_digest_of(CCDM_ALG_SHA256, all, n, NULL, 0, &d));
	q->size = forge_attest(&(struct forge_attest){ .nonce = nonce,
						       .nonce_size = nonce_size,
						       .bank = alg,
						       .selection = mask,
						       .digest = d.bytes,
						       .digest_size = 32 },
			       q->message);
	q->pcrs = json_object_get(o, "said") ? json_object_get(o, "said") : pcrs;
}

/* The identity of a TPM: "ek", "ak". */
static inline json_t *forge_pair(const json_t *o)
{
	uint8_t area[256], *der = NULL;
	int n = i2d_PUBKEY(forge_ek[forge_number(o, "ek")], &der);
	size_t size = forge_area(forge_ak[forge_number(o, "ak")], FORGE_AK, CCDM_ALG_SHA256, area);
	json_t *pair = json_pack("{s:o, s:o}", "ek-pub", ccdm_json_make(der, n), "ak-pub",
				 ccdm_json_make(area, size));

	OPENSSL_free(der);
	return pair;
}

/*
 * The identity with the value from "credential". A TPM with another EK cannot open it, and guesses.
 */
static inline json_t *forge_activated(const json_t *o)
{
	uint8_t area[256], name[34] = { 0, CCDM_ALG_SHA256 }, value[32] = { 0 };
	size_t size = forge_area(forge_ak[forge_number(o, "ak")], FORGE_AK, CCDM_ALG_SHA256, area);
	json_t *pair = forge_pair(o);
	struct ccdm_digest d;

	pki_must(!ccdm_digest_of(CCDM_ALG_SHA256, area, size, NULL, 0, &d));
	memcpy(name + 2, d.bytes, 32);
	forge_activate(forge_ek[forge_number(o, "ek")], json_object_get(o, "credential"), name,
		       value);
	json_object_set_new(pair, "value", ccdm_json_make(value, sizeof(value)));
	return pair;
}

static inline json_t *forge_tpm_evidence(const json_t *o, const uint8_t nonce[32])
{
	/* TPMT_SIGNATURE: ECDSA, SHA-256, r, s */
	uint8_t sig[72] = { 0, 0x18, 0, CCDM_ALG_SHA256, 0, 32, [39] = 32 }, *spki = NULL;
	EVP_PKEY *key = forge_ak[forge_number(o, "ak")];
	struct forge_quote q;
	json_t *evidence;
	int n;

	forge_quote_of(o, nonce, 32, &q);
	pki_sign(key, EVP_sha256(), q.message, q.size, sig + 6, sig + 40, 32);
	n = i2d_PUBKEY(key, &spki);
	evidence = json_pack("{s:{s:o, s:o, s:O}, s:o}", "tpm_quote", "signature",
			     ccdm_json_make(sig, sizeof(sig)), "message",
			     ccdm_json_make(q.message, q.size), "pcrs", q.pcrs, "ak_public",
			     ccdm_json_make(spki, n));
	OPENSSL_free(spki);
	if (json_object_get(o, "activation"))
		json_object_set_new(evidence, "activation",
				    forge_activated(json_object_get(o, "activation")));
	return evidence;
}

/* ---- a TEE's report over a key in software ------------------------------------------------ */

static inline void forge_runtime(const uint8_t nonce[48], char runtime[2048])
{
	uint8_t modulus[256];
	char hex[97], *n64;
	BIGNUM *n = NULL;

	pki_must(EVP_PKEY_get_bn_param(forge_rsa, OSSL_PKEY_PARAM_RSA_N, &n));
	BN_bn2binpad(n, modulus, sizeof(modulus));
	BN_free(n);
	n64 = ccdm_base64url(modulus, sizeof(modulus));
	ccdm_hex(nonce, 48, hex);
	snprintf(runtime, 2048,
		 "{\"keys\":[{\"kid\":\"HCLAkPub\",\"key_ops\":[\"sign\"],\"kty\":\"RSA\","
		 "\"e\":\"AQAB\",\"n\":\"%s\"}],\"user-data\":\"%s\"}",
		 n64, hex);
	free(n64);
}

/* "stale": the report is old, and not bound to this nonce. */
static inline json_t *forge_azure_json(const json_t *o, const uint8_t nonce[48], bool td)
{
	static const uint8_t old[48];
	uint8_t raw[CCDM_SNP_REPORT_SIZE], data[64] = { 0 }, hcl[3600] = "HCLA", sig[256], *der;
	uint8_t *quote = calloc(1, 16384);
	size_t sig_size = sizeof(sig), size;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char runtime[2048];
	struct ccdm_digest d;
	struct forge_quote q;
	json_t *evidence;
	X509 *vcek;
	int n;

	forge_runtime(json_object_get(o, "stale") ? old : nonce, runtime);
	pki_must(!ccdm_digest_of(CCDM_ALG_SHA256, runtime, strlen(runtime), NULL, 0, &d));
	memcpy(data, d.bytes, 32);
	memcpy(hcl + (td ? 32 + 128 : 32 + 80), data, 64);
	hcl[1224] = td ? 4 : 2;
	hcl[1228] = 1;
	hcl[1232] = strlen(runtime) & 0xff;
	hcl[1233] = strlen(runtime) >> 8;
	memcpy(hcl + 1236, runtime, strlen(runtime));
	forge_quote_of(o, nonce, 48, &q);
	pki_must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, forge_rsa));
	pki_must(EVP_DigestSign(ctx, sig, &sig_size, q.message, q.size));
	EVP_MD_CTX_free(ctx);
	if (!td) {
		forge_report(o, data, raw);
		memcpy(hcl + 32, raw, sizeof(raw));
	}
	evidence = json_pack("{s:i, s:{s:o, s:o, s:O}, s:o}", "version", 1, "tpm_quote",
			     "signature", ccdm_json_make_hex(sig, sig_size), "message",
			     ccdm_json_make_hex(q.message, q.size), "pcrs", q.pcrs, "hcl_report",
			     ccdm_json_make_url(hcl, sizeof(hcl)));
	if (td) {
		size = forge_td(o, data, quote);
		json_object_set_new(evidence, "td_quote", ccdm_json_make_url(quote, size));
	} else {
		der = NULL;
		vcek = forge_vcek(raw);
		n = i2d_X509(vcek, &der);
		json_object_set_new(evidence, "vcek", ccdm_json_make_url(der, n));
		OPENSSL_free(der);
		X509_free(vcek);
	}
	free(quote);
	return evidence;
}

/* ---- all kinds ------------------------------------------------------------------------------- */

/* @bound: SHA-384 of nonce and key */
static inline json_t *forge_evidence(const char *tee, const json_t *o, const uint8_t bound[48])
{
	uint8_t data[64] = { 0 };
	json_t *evidence;

	memcpy(data, bound, 48);
	if (!strcmp(tee, "snp"))
		evidence = forge_snp_json(o, data);
	else if (!strcmp(tee, "tdx"))
		evidence = forge_tdx_json(o, data);
	else if (!strcmp(tee, "tpm"))
		evidence = forge_tpm_evidence(o, bound);
	else
		evidence = forge_azure_json(o, bound, !strcmp(tee, "az-tdx-vtpm"));
	pki_must(evidence ? 1 : 0);
	/* logs and other additional members */
	json_object_update(evidence, json_object_get(o, "members"));
	return evidence;
}

#endif
