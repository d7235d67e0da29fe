// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* credential.c - see credential.h */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include "crypto/digest.h"
#include "credential.h"

_Static_assert(CCDM_MAC_SIZE == CCDM_CREDENTIAL_MAX, "a MAC is a value");

/* Longer than the authenticated part of a nonce (nonce.c), so a MAC of one never fits the other. */
struct ccdm_credential_text {
	char what[64];
	uint8_t id[CCDM_NONCE_ID];
	uint8_t ek[32];
	uint8_t name[CCDM_TPM_NAME_SIZE];
};

static int ccdm_credential_value(const struct ccdm_keys *keys, unsigned int i,
				 const struct ccdm_nonce *nonce, const struct ccdm_tpm_pair *pair,
				 uint8_t value[CCDM_MAC_SIZE])
{
	struct ccdm_credential_text t = { .what = "ccdm credential of a TPM" };
	struct ccdm_digest ek;
	int r = ccdm_pubkey_hash(pair->ek, &ek);

	if (r)
		return r;
	memcpy(t.id, nonce->id, sizeof(t.id));
	memcpy(t.ek, ek.bytes, sizeof(t.ek));
	memcpy(t.name, pair->name, sizeof(t.name));
	return ccdm_keys_mac(keys, i, &t, sizeof(t), value);
}

int ccdm_credential_new(const struct ccdm_keys *keys, const struct ccdm_nonce *nonce,
			const json_t *tpm, json_t **credential, struct ccdm_err *err)
{
	struct ccdm_certs *certs = ccdm_certs_new();
	uint8_t value[CCDM_MAC_SIZE];
	struct ccdm_tpm_pair pair;
	int r = certs ? ccdm_tpm_pair_parse(tpm, certs, &pair, err) : -ENOMEM;

	*credential = NULL;
	if (!r) {
		r = ccdm_credential_value(keys, 0, nonce, &pair, value);
		if (!r) {
			*credential = ccdm_tpm_credential_make(&pair, value);
			r = *credential ? 0
					: ccdm_err_set(err, -EINVAL, "cannot encrypt for this EK");
		}
		OPENSSL_cleanse(value, sizeof(value));
		ccdm_tpm_pair_drop(&pair);
	}
	ccdm_certs_free(certs);
	return r;
}

bool ccdm_credential_known(const void *arg, const struct ccdm_tpm_pair *pair, const uint8_t *value)
{
	const struct ccdm_credential_session *s = arg;
	uint8_t want[CCDM_MAC_SIZE];
	bool known = false;
	unsigned int i;

	for (i = 0; !known && i < ccdm_keys_count(s->keys); i++)
		/* coverage: no memory in OpenSSL */
		known = !ccdm_credential_value(s->keys, i, s->nonce, pair, want) &&
			!CRYPTO_memcmp(want, value, sizeof(want));
	OPENSSL_cleanse(want, sizeof(want));
	return known;
}
