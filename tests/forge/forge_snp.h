/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* forge_snp.h - SNP reports and VCEKs for tests, with one chosen defect */
#ifndef CCDM_TEST_FORGE_SNP_H
#define CCDM_TEST_FORGE_SNP_H

#include "evidence/snp.h"
#include "pki.h"

#define OID "1.3.6.1.4.1.3704.1."

static EVP_PKEY *ark_key, *ask_key, *leaf_key, *other_key;

static void forge_keys(void)
{
	ark_key = pki_key("P-384");
	ask_key = pki_key("P-384");
	leaf_key = pki_key("P-384");
	other_key = pki_key("P-384");
}

static inline void forge_keys_free(void)
{
	EVP_PKEY_free(ark_key);
	EVP_PKEY_free(ask_key);
	EVP_PKEY_free(leaf_key);
	EVP_PKEY_free(other_key);
}

/* ---- a report and its chain, with a chosen defect ------------------------------- */

struct spoil {
	const char *fails; /* the only check that fails; NULL: none */
	uint32_t version;
	bool vlek;
	bool turin;
	unsigned int at; /* a byte of the report to change before it is signed */
	int value;
	unsigned int flip; /* a byte to change after it was signed; 0: none */
	int flip_by;
	const char *leaf_cn;
	const char *product;
	const char *der[3]; /* DER in place of product, bootloader version, chip ID; */
	size_t der_size[3];
	const char *root; /* generation of the root */
	bool no_chip;	  /* the report has no chip ID */
	int bootloader;	  /* the certificate's version, in place of the report's */
	bool no_tcb;
	bool hwid_string;
	bool no_hwid;
	bool hwid_other;
	bool fake_root; /* a root of the same name with another key */
	bool other_ask; /* an ASK of the same name with another key */
	bool no_chain;
	bool no_leaf;
	const char *ask_to;
	const char *leaf_from, *leaf_to;
	bool no_crl;
	const char *crl_from, *crl_to;
	bool forged_crl; /* one more: by another key in the issuer's name, the newest */
	bool revoked;
	int old_crls, newest;	    /* number of additional lists; index of the newest of all */
	bool other_leaf;	    /* certificate of another key */
	int report_data;	    /* expected byte 0, or 0 */
	const uint8_t *measurement; /* 48 bytes; NULL: 0, 1, 2, ... */
	unsigned int vmpl;
	bool debug;
	unsigned int allow;
};

static inline X509 *make_leaf(const struct spoil *s, const uint8_t *raw, X509 *ask)
{
	uint8_t bl[3] = { 2, 1,
			  s->bootloader ? s->bootloader
			  : s->turin	? raw[0x181]
					: raw[0x180] };
	uint8_t tee[3] = { 2, 1, s->turin ? raw[0x182] : raw[0x181] };
	uint8_t snp[3] = { 2, 1, s->turin ? raw[0x183] : raw[0x186] };
	uint8_t ucode[4] = { 2, 2, 0, raw[0x187] }, fmc[3] = { 2, 1, raw[0x180] };
	uint8_t hwid[66] = { 4, 64 }, product[34] = { 0x16 };
	const char *name = s->product ? s->product : s->turin ? "Turin" : "Milan-B0";
	struct pki_ext ext[10];
	unsigned int n = 0;
	struct pki_want w = { .cn = s->leaf_cn ? s->leaf_cn
				    : s->vlek  ? "SEV-VLEK"
					       : "SEV-VCEK",
			      .key = s->other_leaf ? other_key : leaf_key,
			      .issuer = ask,
			      .issuer_key = ask_key,
			      .from = s->leaf_from,
			      .to = s->leaf_to,
			      .ext = ext };

	product[1] = strlen(name);
	memcpy(product + 2, name, strlen(name));
	memcpy(hwid + 2, raw + 0x1a0, 64);
	if (s->hwid_other)
		hwid[5] ^= 1;
	ext[n++] = (struct pki_ext){ OID "2", product, 2 + strlen(name) };
	ext[n++] = (struct pki_ext){ OID "3.1", bl, 3 };
	ext[n++] = (struct pki_ext){ OID "3.2", tee, 3 };
	if (!s->no_tcb)
		ext[n++] = (struct pki_ext){ OID "3.3", snp, 3 };
	ext[n++] = (struct pki_ext){ OID "3.8", ucode, 4 };
	if (s->turin)
		ext[n++] = (struct pki_ext){ OID "3.9", fmc, 3 };
	if (s->vlek ? s->no_hwid : !s->no_hwid)
		ext[n++] = s->turin	    ? (struct pki_ext){ OID "4", hwid + 2, 8 }
			   : s->hwid_string ? (struct pki_ext){ OID "4", hwid, 66 }
					    : (struct pki_ext){ OID "4", hwid + 2, 64 };
	ext[n] = (struct pki_ext){ 0 };
	while (n--) {
		unsigned int i = !strcmp(ext[n].oid, OID "2")	  ? 0
				 : !strcmp(ext[n].oid, OID "3.1") ? 1
				 : !strcmp(ext[n].oid, OID "4")	  ? 2
								  : 3;

		if (i < 3 && s->der[i])
			ext[n] = (struct pki_ext){ ext[n].oid, (const uint8_t *)s->der[i],
						   s->der_size[i] };
	}
	return pki_cert(&w);
}

/* @data: report data, 64 bytes; NULL: 0x80, 0x81, ... and 16 zeros */
static inline void make_report(const struct spoil *s, const uint8_t *data,
			       uint8_t raw[CCDM_SNP_REPORT_SIZE])
{
	uint8_t r[48], sig[48];
	unsigned int i;

	memset(raw, 0, CCDM_SNP_REPORT_SIZE);
	raw[0] = s->version ? s->version : 3;
	raw[0xa] = 0x03; /* SMT, and the reserved bit that must be 1 */
	raw[0x34] = 1;
	raw[0x40] = 1;
	raw[0x48] = s->vlek ? 4 : 0;
	for (i = 0; i < 64; i++)
		raw[0x50 + i] = data ? data[i] : i < 48 ? 0x80 + i : 0;
	for (i = 0; i < 48; i++)
		raw[0x90 + i] = s->measurement ? s->measurement[i] : i;
	raw[0x30] = s->vmpl;
	if (s->debug)
		raw[0xa] |= 0x08;
	raw[0x180] = 3;
	raw[0x181] = 1;
	raw[0x183] = s->turin ? 5 : 0;
	raw[0x186] = s->turin ? 0 : 0x1d;
	raw[0x187] = 0xdb;
	/* current, committed, and at launch */
	memcpy(raw + 0x38, raw + 0x180, 8);
	memcpy(raw + 0x1e0, raw + 0x180, 8);
	memcpy(raw + 0x1f0, raw + 0x180, 8);
	if (raw[0] >= 3) {
		raw[0x188] = s->turin ? 0x1a : 0x19;
		raw[0x189] = s->turin ? 2 : 1;
		raw[0x18a] = 1;
	}
	for (i = 0; i < (s->turin ? 8 : 64) && !s->vlek && !s->no_chip; i++)
		raw[0x1a0 + i] = 0xc0 + i;
	if (s->at)
		raw[s->at] = s->value;
	pki_sign(leaf_key, EVP_sha384(), raw, 0x2a0, r, sig, 48);
	for (i = 0; i < 48; i++) {
		raw[0x2a0 + i] = r[47 - i];
		raw[0x2e8 + i] = sig[47 - i];
	}
	if (s->flip)
		raw[s->flip] ^= s->flip_by ? s->flip_by : 1;
}

#endif
