// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* json.c - see json.h */
#include <stdlib.h>
#include "base64.h"
#include "bytes.h"
#include "bytes.h"
#include "json.h"

static int ccdm_json_text(const json_t *value, const char *key, bool url, size_t max,
			  uint8_t **bytes, size_t *size, struct ccdm_err *err)
{
	const char *text = json_string_value(value);
	int r = text ? ccdm_base64_decode(text, url, max, bytes, size) : -EINVAL;

	if (r == -ENOMEM)
		return ccdm_err_memory(err);
	if (r)
		return ccdm_err_set(err, -EINVAL, "%s: expected base64%s of at most %zu bytes", key,
				    url ? "url" : "", max);
	return 0;
}

int ccdm_json_base64(const json_t *value, const char *key, size_t max, uint8_t **bytes,
		     size_t *size, struct ccdm_err *err)
{
	return ccdm_json_text(value, key, false, max, bytes, size, err);
}

int ccdm_json_base64url(const json_t *value, const char *key, size_t max, uint8_t **bytes,
			size_t *size, struct ccdm_err *err)
{
	return ccdm_json_text(value, key, true, max, bytes, size, err);
}

int ccdm_json_hex(const json_t *value, const char *key, size_t max, uint8_t **bytes, size_t *size,
		  struct ccdm_err *err)
{
	*size = json_string_length(value) / 2;
	if (!json_is_string(value) || *size > max)
		return ccdm_err_set(err, -EINVAL, "%s: expected at most %zu bytes in hexadecimal",
				    key, max);
	*bytes = malloc(*size + 1);
	if (!*bytes)
		return ccdm_err_memory(err);
	if (!ccdm_unhex(json_string_value(value), *bytes, *size))
		return 0;
	free(*bytes);
	*bytes = NULL;
	return ccdm_err_set(err, -EINVAL, "%s: expected at most %zu bytes in hexadecimal", key,
			    max);
}

int ccdm_json_octets(const json_t *value, const char *key, uint8_t *to, size_t size,
		     struct ccdm_err *err)
{
	size_t i;

	if (!json_is_array(value) || json_array_size(value) != size)
		return ccdm_err_set(err, -EINVAL, "%s: expected an array of %zu bytes", key, size);
	for (i = 0; i < size; i++) {
		const json_t *n = json_array_get(value, i);

		if (!json_is_integer(n) || json_integer_value(n) < 0 ||
		    json_integer_value(n) > 0xff)
			return ccdm_err_set(err, -EINVAL,
					    "%s: element %zu: expected a number from 0 to 255", key,
					    i);
		to[i] = json_integer_value(n);
	}
	return 0;
}

json_t *ccdm_json_make(const void *bytes, size_t size)
{
	char *text = ccdm_base64(bytes, size);
	json_t *value = text ? json_string(text) : NULL;

	free(text);
	return value;
}

json_t *ccdm_json_make_url(const void *bytes, size_t size)
{
	char *text = ccdm_base64(bytes, size), *p;
	json_t *value;

	for (p = text; p && *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	value = text ? json_string(text) : NULL;
	free(text);
	return value;
}

json_t *ccdm_json_make_hex(const void *bytes, size_t size)
{
	char *text = malloc(2 * size + 1);
	json_t *value;

	if (text)
		ccdm_hex(bytes, size, text);
	value = text ? json_string(text) : NULL;
	free(text);
	return value;
}

int ccdm_json_numbers(const json_t *value, const char *key, size_t max, uint8_t **bytes,
		      size_t *size, struct ccdm_err *err)
{
	int r;

	*size = json_array_size(value);
	if (!json_is_array(value) || *size > max)
		return ccdm_err_set(err, -EINVAL, "%s: expected an array of at most %zu bytes", key,
				    max);
	*bytes = malloc(*size + 1);
	if (!*bytes)
		return ccdm_err_memory(err);
	r = ccdm_json_octets(value, key, *bytes, *size, err);
	if (r) {
		free(*bytes);
		*bytes = NULL;
	}
	return r;
}
