/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* forge_tpm_json.h - KBS evidence of a TPM, made without a TPM */
#ifndef CCDM_TEST_FORGE_TPM_JSON_H
#define CCDM_TEST_FORGE_TPM_JSON_H

#include "base/base64.h"
#include "crypto/digest.h"
#include "forge_tpm.h"
#include "pki.h"
#include "seed.h"

struct forge_tpm {
	EVP_PKEY *key; /* P-256 */
	X509 *cert;    /* certificate of the key, or NULL */
	uint8_t (*pcr)[32];
	const uint8_t *nonce;
	size_t nonce_size;
	bool flip;	  /* flip a bit of the signature */
	uint32_t without; /* registers that the quote leaves out */
};

static json_t *forge_base64(const void *bytes, size_t size)
{
	char *text = ccdm_base64(bytes, size);
	json_t *value = json_string(text);

	free(text);
	return value;
}

static json_t *forge_tpm_json(const struct forge_tpm *f)
{
	/* TPMT_SIGNATURE: ECDSA, SHA-256, r, s */
	uint8_t sig[72] = { 0, 0x18, 0, CCDM_ALG_SHA256, 0, 32, [39] = 32 }, *spki = NULL;
	uint8_t message[CCDM_TPM_QUOTE_MAX], quoted[CCDM_TPM_PCRS * 32];
	json_t *pcrs = json_array(), *o;
	struct ccdm_digest d;
	struct pki_pem pem;
	char hex[65];
	size_t size;
	unsigned int i, n = 0;
	int der;

	for (i = 0; i < CCDM_TPM_PCRS; i++) {
		ccdm_hex(f->pcr[i], 32, hex);
		json_array_append_new(pcrs, json_string(hex));
		if (!(f->without & 1U << i))
			memcpy(quoted + 32 * n++, f->pcr[i], 32);
	}
	if (ccdm_digest_of(CCDM_ALG_SHA256, quoted, 32UL * n, NULL, 0, &d))
		abort();
	size = forge_attest(&(struct forge_attest){ .nonce = f->nonce,
						    .nonce_size = f->nonce_size,
						    .selection = 0xffffff & ~f->without,
						    .digest = d.bytes,
						    .digest_size = 32 },
			    message);
	pki_sign(f->key, EVP_sha256(), message, size, sig + 6, sig + 40, 32);
	sig[20] ^= f->flip;
	seed_pair("quote", sig, 72, message, size);
	der = i2d_PUBKEY(f->key, &spki);
	o = json_pack("{s:{s:o, s:o, s:o}, s:o}", "tpm_quote", "signature", forge_base64(sig, 72),
		      "message", forge_base64(message, size), "pcrs", pcrs, "ak_public",
		      forge_base64(spki, der));
	OPENSSL_free(spki);
	if (f->cert) {
		pem = pki_pem(f->cert, NULL);
		json_object_set_new(o, "ak_cert", json_stringn(pem.text, pem.size));
	}
	return o;
}

#endif
