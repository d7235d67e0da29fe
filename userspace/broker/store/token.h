/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* token.h - JSON Web Tokens, ES256 (RFC 7519, RFC 7515) */
#ifndef CCDM_BROKER_TOKEN_H
#define CCDM_BROKER_TOKEN_H

#include <jansson.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/* The key that signs them; opaque. */
struct ccdm_signer;

/* Load a private key on P-256 (PEM) from a file that only its owner can read. */
int __must_check ccdm_signer_load(const char *file, struct ccdm_signer **signer,
				  struct ccdm_err *err);
/* Make a new key, which is not stored. */
struct ccdm_signer *ccdm_signer_new(void);
void ccdm_signer_free(struct ccdm_signer *signer); /* accepts NULL */

/* The public half in JSON, for verifiers; the caller drops it. */
json_t *ccdm_signer_jwk(const struct ccdm_signer *signer);

/* Sign a token with these claims; the caller frees it. Return: 0, -ENOMEM, -EIO */
int __must_check ccdm_token_sign(const struct ccdm_signer *signer, const json_t *claims,
				 char **token);

/**
 * ccdm_token_verify() - verify the signature and validity of a token
 * @token: untrusted
 * @now: seconds since 1970
 * @claims: set; the caller drops it
 *
 * Return: 0; -EINVAL if this broker did not sign it; -ETIME if it has expired.
 */
int __must_check ccdm_token_verify(const struct ccdm_signer *signer, const char *token, int64_t now,
				   json_t **claims);

#endif
