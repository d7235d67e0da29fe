/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * jws_sign.h - make a JWS in compact form: ES256, the public key in the header as "jwk"
 *
 * The text is signed here with a key in PEM, or elsewhere (a token, another machine):
 * ccdm_jws_to_sign() makes the text, ccdm_jws_attach() takes the signature.
 */
#ifndef CCDM_JWS_SIGN_H
#define CCDM_JWS_SIGN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/compiler.h"
#include "base/err.h"

/* A key on P-256: the pair, or its public half; opaque. */
struct ccdm_jws_key;

/**
 * ccdm_jws_key_private() - read a private key
 * @file: PEM (PKCS #8 or SEC 1), not encrypted; no other user may read it
 * @key: set; free it with ccdm_jws_key_free()
 *
 * No passphrase is asked for: an encrypted key is an error that names the command to decrypt it.
 *
 * Return: 0; -EINVAL: not such a key; -EACCES; errors of open(2) and read(2); -ENOMEM.
 */
int __must_check ccdm_jws_key_private(const char *file, struct ccdm_jws_key **key,
				      struct ccdm_err *err);

/* The same for a public key in PEM ("PUBLIC KEY"). */
int __must_check ccdm_jws_key_public(const char *file, struct ccdm_jws_key **key,
				     struct ccdm_err *err);

/* Wipes it; accepts NULL. */
void ccdm_jws_key_free(struct ccdm_jws_key *key);

/* SHA-256 of its SubjectPublicKeyInfo in hexadecimal, as policies have it. Return: 0, -ENOMEM */
int __must_check ccdm_jws_key_hash(const struct ccdm_jws_key *key, char hex[65]);

/**
 * ccdm_jws_key_pem() - its public half in PEM
 * @text: set; the caller frees it
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_jws_key_pem(const struct ccdm_jws_key *key, char **text);

/**
 * ccdm_jws_to_sign() - make the text that is signed: header and payload, base64url, a dot between
 * @key: goes into the header
 * @typ: "typ" of the header
 * @payload: written as canonical JSON (RFC 8785): the same object gives the same text
 * @text: set; the caller frees it
 *
 * Return: 0; -EINVAL: a number in it is no whole number; -ENOMEM.
 */
int __must_check ccdm_jws_to_sign(const struct ccdm_jws_key *key, const char *typ,
				  const json_t *payload, char **text);

/* True if OpenSSL can choose the nonce from key and text (RFC 6979): 3.2 and later. */
bool __must_check ccdm_jws_deterministic(void);

/**
 * ccdm_jws_sign() - sign the text of ccdm_jws_to_sign()
 * @key: a private key
 * @jws: set to the whole JWS; the caller frees it
 *
 * With an OpenSSL that is not deterministic (see above), two signatures of one text differ.
 *
 * Return: 0; -EINVAL: it is no private key; -EIO: OpenSSL failed; -ENOMEM.
 */
int __must_check ccdm_jws_sign(const struct ccdm_jws_key *key, const char *text, char **jws,
			       struct ccdm_err *err);

/**
 * ccdm_jws_attach() - append a signature that was made elsewhere
 * @text: of ccdm_jws_to_sign()
 * @signature, @size: r and s of 32 bytes each, or a DER sequence of both ("openssl dgst -sign");
 *	untrusted. It is not verified here
 * @jws: set; the caller frees it
 *
 * Return: 0; -EINVAL: neither form; -ENOMEM.
 */
int __must_check ccdm_jws_attach(const char *text, const void *signature, size_t size, char **jws,
				 struct ccdm_err *err);

#endif
