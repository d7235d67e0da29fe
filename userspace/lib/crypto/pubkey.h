/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* pubkey.h - bare public keys and signatures, through OpenSSL */
#ifndef CCDM_PUBKEY_H
#define CCDM_PUBKEY_H

#include <stdbool.h>
#include "base/compiler.h"
#include "digest.h"

/* A public key; opaque. */
struct ccdm_pubkey;

void ccdm_pubkey_free(struct ccdm_pubkey *key); /* accepts NULL */

/*
 * Parse DER of a SubjectPublicKeyInfo. NULL if it is not RSA, P-256 or P-384, or has
 * another encoding than OpenSSL's with an uncompressed point on a named curve: a key has one
 * encoding.
 */
struct ccdm_pubkey *ccdm_pubkey_spki(const void *der, size_t size);

/* From modulus and exponent, big-endian; NULL if it is not an RSA key of 2048 to 8192 bits. */
struct ccdm_pubkey *ccdm_pubkey_rsa(const uint8_t *n, size_t n_size, const uint8_t *e,
				    size_t e_size);

/* A point on P-256: X and Y, 32 bytes each; NULL if it is not on the curve. */
struct ccdm_pubkey *ccdm_pubkey_p256(const uint8_t xy[64]);

/* SHA-256 of its SubjectPublicKeyInfo. Return: 0, -ENOMEM */
int __must_check ccdm_pubkey_hash(const struct ccdm_pubkey *key, struct ccdm_digest *digest);

/* Its SubjectPublicKeyInfo in DER. @size: room, then what it takes. Return: 0, -ENOMEM, -ENOSPC */
int __must_check ccdm_pubkey_der(const struct ccdm_pubkey *key, uint8_t *der, size_t *size);

bool __must_check ccdm_pubkey_is_rsa(const struct ccdm_pubkey *key);

/**
 * ccdm_pubkey_oaep() - encrypt for a key of RSA: OAEP with SHA-256
 * @label, @label_size: with a NUL where the protocol wants one
 * @out: @out_size bytes; @out_size is set to what it takes
 *
 * Return: 0; -EINVAL: not of RSA, or it does not fit; -ENOMEM.
 */
int __must_check ccdm_pubkey_oaep(const struct ccdm_pubkey *key, const char *label,
				  size_t label_size, const uint8_t *text, size_t size, uint8_t *out,
				  size_t *out_size);

bool __must_check ccdm_pubkey_equal(const struct ccdm_pubkey *a, const struct ccdm_pubkey *b);

enum ccdm_scheme {
	CCDM_RSASSA, /* PKCS #1 1.5 */
	CCDM_RSAPSS, /* salt as long as the hash, or any */
	CCDM_ECDSA,
};

/**
 * struct ccdm_signature - as a TPM makes it
 * @scheme: which
 * @hash: TPM_ALG_ID of the hash
 * @bytes, @size: of RSA; or r, s of ECDSA, @size / 2 bytes each, big-endian
 */
struct ccdm_signature {
	enum ccdm_scheme scheme;
	uint16_t hash;
	uint8_t bytes[1024];
	size_t size;
};

/* Return: 0; -EBADMSG: not the key's signature; -ENOMEM. */
int __must_check ccdm_pubkey_verify(const struct ccdm_pubkey *key,
				    const struct ccdm_signature *signature, const void *text,
				    size_t size);

/*
 * The same for ECDSA alone: on P-256 with SHA-256, on P-384 with SHA-384. @r and @s:
 * big-endian, @n bytes each, at most 66. A NULL @key verifies nothing.
 */
int __must_check ccdm_pubkey_ecdsa(const struct ccdm_pubkey *key, const uint8_t *r,
				   const uint8_t *s, size_t n, const void *text, size_t size);

#endif
