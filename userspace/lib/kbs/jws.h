/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* jws.h - JWS in compact form, ES256 (RFC 7515) */
#ifndef CCDM_JWS_H
#define CCDM_JWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/compiler.h"
#include "crypto/pubkey.h"

/**
 * ccdm_jws_split() - find the three parts
 * @text: untrusted
 * @max: size limit in bytes
 * @payload, @signature: set to the text after the first and the last dot
 *
 * Return: true if it has three parts.
 */
bool __must_check ccdm_jws_split(const char *text, size_t max, const char **payload,
				 const char **signature);

/* The value that a part of @size bytes holds, which the caller drops; NULL: it is no JSON. */
json_t *ccdm_jws_part(const char *text, size_t size);

/* True if @signature, from ccdm_jws_split(), is the key's over the text before it. */
bool __must_check ccdm_jws_signed(const struct ccdm_pubkey *key, const char *text,
				  const char *signature);

#endif
