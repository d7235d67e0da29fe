/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* jws.h - signed texts of three parts: JWS in its compact form, ES256 (RFC 7515) */
#ifndef CCDM_JWS_H
#define CCDM_JWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/compiler.h"
#include "crypto/pubkey.h"

/**
 * ccdm_jws_split() - where its parts are
 * @text: untrusted
 * @max: most bytes it may have
 * @payload, @signature: set to what stands behind the first dot and the last
 *
 * Return: has it three parts?
 */
bool __must_check ccdm_jws_split(const char *text, size_t max, const char **payload,
				 const char **signature);

/* The value that a part of @size bytes holds, which the caller drops; NULL: it is no JSON. */
json_t *ccdm_jws_part(const char *text, size_t size);

/* Is @signature the key's, over what stands before it? Both as ccdm_jws_split() has them. */
bool __must_check ccdm_jws_signed(const struct ccdm_pubkey *key, const char *text,
				  const char *signature);

#endif
