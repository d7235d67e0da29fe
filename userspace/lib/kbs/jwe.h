/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * jwe.h - the key of a guest for one session, and secrets encrypted for it
 *
 * JWE in flattened JSON, ECDH-ES+A256KW on P-256 with A256GCM (RFC 7516, RFC 7518 4.6).
 */
#ifndef CCDM_JWE_H
#define CCDM_JWE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_JWE_MAX (1 << 20) /* bytes of a secret */

/* A key pair of a guest, or its public half; opaque. */
struct ccdm_tee_key;

struct ccdm_tee_key *ccdm_tee_key_new(void);
/* Wipes it; accepts NULL. */
void ccdm_tee_key_free(struct ccdm_tee_key *key);

/* Public half: {"alg", "crv", "kty", "x", "y"}; the caller drops it. NULL: out of memory */
json_t *ccdm_tee_key_jwk(const struct ccdm_tee_key *key);

/**
 * ccdm_tee_key_from_jwk() - a public half
 * @jwk: untrusted
 * @key: set; the caller frees it
 *
 * Return: 0; -EINVAL for another kind of key, or a point that is not on the curve.
 */
int __must_check ccdm_tee_key_from_jwk(const json_t *jwk, struct ccdm_tee_key **key,
				       struct ccdm_err *err);

/* Encrypt: the JWE's text, members in the order that all readers take; the caller frees it. */
int __must_check ccdm_jwe_seal(const struct ccdm_tee_key *to, const void *bytes, size_t size,
			       char **text);

/**
 * ccdm_jwe_open() - decrypt
 * @key: with its private half
 * @jwe: untrusted
 * @bytes: set; to be freed with OPENSSL_clear_free()
 * @size: their number
 *
 * Return: 0; -EINVAL if it is not such a JWE; -EBADMSG if it is for another key, or was
 * changed; -ENOMEM.
 */
int __must_check ccdm_jwe_open(const struct ccdm_tee_key *key, const json_t *jwe, uint8_t **bytes,
			       size_t *size, struct ccdm_err *err);

/* Key that wraps the key, from the shared secret (RFC 7518 4.6.2). */
int __must_check ccdm_jwe_kek(const uint8_t *z, size_t size, uint8_t kek[32]);

#endif
