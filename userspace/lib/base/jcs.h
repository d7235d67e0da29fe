/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* jcs.h - canonical JSON (RFC 8785), for hashing */
#ifndef CCDM_JCS_H
#define CCDM_JCS_H

#include <jansson.h>
#include "compiler.h"

/**
 * ccdm_jcs() - a value as canonical text
 * @value: objects, arrays, strings, whole numbers below 2^53, true, false, null
 * @text: set; the caller frees it
 *
 * Return: 0; -EINVAL for another number, or for arrays nested beyond 64; -ENOMEM.
 */
int __must_check ccdm_jcs(const json_t *value, char **text);

#endif
