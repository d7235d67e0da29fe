/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * credential.h - credentials that a guest's TPM must decrypt to prove its attestation key
 *
 * The value is a MAC over the session and both keys. The broker does not store it, and
 * recomputes it when the guest returns it.
 */
#ifndef CCDM_BROKER_CREDENTIAL_H
#define CCDM_BROKER_CREDENTIAL_H

#include <jansson.h>
#include "base/compiler.h"
#include "evidence/tpm_activation.h"
#include "store/nonce.h"

/**
 * ccdm_credential_new() - make a credential for a guest's TPM
 * @nonce: of the session
 * @tpm: "ccdm-tpm" of the guest's "extra-params", untrusted
 * @credential: set to {"blob", "secret"}, which the caller drops
 *
 * This does not check the owner of the keys: only their TPM can decrypt the credential.
 *
 * Return: 0; -EINVAL with the member's name; -EIO; -ENOMEM.
 */
int __must_check ccdm_credential_new(const struct ccdm_keys *keys, const struct ccdm_nonce *nonce,
				     const json_t *tpm, json_t **credential, struct ccdm_err *err);

/* The session whose credentials ccdm_credential_known() accepts. */
struct ccdm_credential_session {
	const struct ccdm_keys *keys;
	const struct ccdm_nonce *nonce;
};

/* True if @value is this pair's. @arg: struct ccdm_credential_session; for struct ccdm_trust */
bool __must_check ccdm_credential_known(const void *arg, const struct ccdm_tpm_pair *pair,
					const uint8_t *value);

#endif
