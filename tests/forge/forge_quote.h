/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* forge_quote.h - quotes of a TPM under test keys, with a chosen defect */
#ifndef CCDM_TEST_FORGE_QUOTE_H
#define CCDM_TEST_FORGE_QUOTE_H

#include <openssl/rsa.h>
#include "forge_tpm.h"
#include "pki.h"

static EVP_PKEY *rsa_key, *ecc_key, *other_rsa;

static inline void quote_keys_make(void)
{
	rsa_key = EVP_RSA_gen(2048);
	other_rsa = EVP_RSA_gen(2048);
	ecc_key = pki_key("P-256");
}

static inline void quote_keys_free(void)
{
	EVP_PKEY_free(rsa_key);
	EVP_PKEY_free(other_rsa);
	EVP_PKEY_free(ecc_key);
}

/* A chosen defect of a quote. */
struct quote_spoil {
	const char *fails; /* the only check that fails; NULL: none */
	bool ecc, pss;
	uint16_t hash; /* of the signature; default: SHA-256 */
	uint32_t magic;
	uint16_t type;
	uint32_t selection; /* which of the 24 registers; default: all */
	unsigned int banks; /* number of selected banks; default: 1 */
	bool sha1_bank;	    /* the registers are SHA-1, and are quoted as such */
	bool same_bank;	    /* the same bank is selected repeatedly */
	bool wide;	    /* the selection has a fourth byte */
	bool none;	    /* no register is selected */
	size_t digest_size; /* of the registers' digest; 0: the correct size */
	uint16_t bank;	    /* the selected bank; default: SHA-256 */
	unsigned int pcrs;  /* number of registers in the list; default: 24 */
	bool other_pcr;	    /* the list has another value than the quote */
	bool flip;	    /* flip a bit of the signature */
	bool other_key;
	size_t nonce_size; /* of the quote; default: 48 */
	bool other_nonce;
	unsigned int allow;
};

static inline void make_quote(const struct quote_spoil *w, struct ccdm_tpm_quote *q)
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

#endif
