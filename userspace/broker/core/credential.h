/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * credential.h - what a guest's TPM has to decrypt before its attestation key is believed
 *
 * The value is a MAC over the session and both keys: the broker keeps nothing of it, and
 * knows it again when it comes back.
 */
#ifndef CCDM_BROKER_CREDENTIAL_H
#define CCDM_BROKER_CREDENTIAL_H

#include <jansson.h>
#include "base/compiler.h"
#include "evidence/tpm_activation.h"
#include "store/nonce.h"

/**
 * ccdm_credential_new() - a credential for the TPM that a guest speaks of
 * @nonce: of the session
 * @tpm: "ccdm-tpm" of the guest's "extra-params", untrusted
 * @credential: set to {"blob", "secret"}, which the caller drops
 *
 * Whose keys these are is not asked: who cannot decrypt it has nothing of it.
 *
 * Return: 0; -EINVAL with the member's name; -EIO; -ENOMEM.
 */
int __must_check ccdm_credential_new(const struct ccdm_keys *keys, const struct ccdm_nonce *nonce,
				     const json_t *tpm, json_t **credential, struct ccdm_err *err);

/* Whose credentials ccdm_credential_known() knows. */
struct ccdm_credential_session {
	const struct ccdm_keys *keys;
	const struct ccdm_nonce *nonce;
};

/* Is it the value for this pair? @arg: struct ccdm_credential_session; for struct ccdm_trust */
bool __must_check ccdm_credential_known(const void *arg, const struct ccdm_tpm_pair *pair,
					const uint8_t *value);

#endif
