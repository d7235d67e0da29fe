/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* json.h - build JSON; byte strings in JSON: base64, hexadecimal, arrays of numbers */
#ifndef CCDM_JSON_H
#define CCDM_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "compiler.h"
#include "err.h"

/**
 * ccdm_json_fn - bytes of a value
 * @value: untrusted; NULL: there is none
 * @key: its name, for messages
 * @max: size limit in bytes
 * @bytes: set; the caller frees it
 * @size: their number
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
typedef int (*ccdm_json_fn)(const json_t *value, const char *key, size_t max, uint8_t **bytes,
			    size_t *size, struct ccdm_err *err);

int __must_check ccdm_json_base64(const json_t *value, const char *key, size_t max, uint8_t **bytes,
				  size_t *size, struct ccdm_err *err);
int __must_check ccdm_json_base64url(const json_t *value, const char *key, size_t max,
				     uint8_t **bytes, size_t *size, struct ccdm_err *err);
int __must_check ccdm_json_hex(const json_t *value, const char *key, size_t max, uint8_t **bytes,
			       size_t *size, struct ccdm_err *err);
/* An array of numbers from 0 to 255. */
int __must_check ccdm_json_numbers(const json_t *value, const char *key, size_t max,
				   uint8_t **bytes, size_t *size, struct ccdm_err *err);

/* The same, of exactly @size bytes, into @to. */
int __must_check ccdm_json_octets(const json_t *value, const char *key, uint8_t *to, size_t size,
				  struct ccdm_err *err);

/**
 * ccdm_json_put() - put a member into an object under construction
 * @object: the object so far; NULL: an earlier call failed
 * @value: taken; NULL: its creation failed
 *
 * On failure the object is dropped and becomes NULL, so that an object that lacks a member
 * never looks complete. The caller must hold the only reference to it.
 */
static inline void ccdm_json_put(json_t **object, const char *key, json_t *value)
{
	if (!json_object_set_new(*object, key, value))
		return;
	json_decref(*object);
	*object = NULL;
}

/* The same for an array. */
static inline void ccdm_json_add(json_t **array, json_t *value)
{
	if (!json_array_append_new(*array, value))
		return;
	json_decref(*array);
	*array = NULL;
}

/**
 * ccdm_json_dump() - json_dumps() that fails on a lack of memory, where it would omit a name
 *
 * Return: text that the caller frees; NULL: out of memory, or @value is NULL.
 */
static inline char *ccdm_json_dump(const json_t *value, size_t flags)
{
	size_t size = json_dumpb(value, NULL, 0, flags);
	char *text = size ? malloc(size + 1) : NULL;

	if (text && json_dumpb(value, text, size, flags) == size) {
		text[size] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* Encode bytes as a base64 string; NULL: out of memory. */
json_t *ccdm_json_make(const void *bytes, size_t size);
json_t *ccdm_json_make_url(const void *bytes, size_t size); /* with its padding */
json_t *ccdm_json_make_hex(const void *bytes, size_t size);

#endif
