// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* oci_json.c - see oci_json.h */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "oci.h"
#include "oci_json.h"

int ccdm_oci_digest_parse(const char *what, const json_t *value, struct ccdm_digest *digest,
			  struct ccdm_err *err)
{
	const char *text = json_string_value(value), *hex = text ? strchr(text, ':') : NULL;
	uint16_t alg = 0;

	if (text && !strncmp(text, "sha256:", 7))
		alg = CCDM_ALG_SHA256;
	else if (text && !strncmp(text, "sha512:", 7))
		alg = CCDM_ALG_SHA512;
	digest->alg = alg;
	digest->size = ccdm_digest_size(alg);
	if (alg && strlen(hex + 1) == strspn(hex + 1, "0123456789abcdef") &&
	    !ccdm_unhex(hex + 1, digest->bytes, digest->size))
		return 0;
	return ccdm_err_set(err, -EINVAL,
			    "%s: expected a digest 'sha256:' with 64 hex digits, found '%.80s'",
			    what, text ? text : "no text");
}

int ccdm_oci_descriptor(const char *what, const json_t *o, struct ccdm_oci_descriptor *d,
			struct ccdm_err *err)
{
	const json_t *size = json_object_get(o, "size");

	d->type = json_string_value(json_object_get(o, "mediaType"));
	if (!d->type)
		return ccdm_err_set(err, -EINVAL, "%s: expected a mediaType", what);
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return ccdm_err_set(err, -EINVAL, "%s: expected a size", what);
	d->size = (uint64_t)json_integer_value(size);
	return ccdm_oci_digest_parse(what, json_object_get(o, "digest"), &d->digest, err);
}

void ccdm_oci_blob(const struct ccdm_digest *digest, char *path)
{
	int n = snprintf(path, CCDM_OCI_BLOB, "blobs/%s/", ccdm_digest_name(digest->alg));

	ccdm_hex(digest->bytes, digest->size, path + n);
}

int ccdm_oci_load(struct ccdm_blobs *blobs, const char *name, const struct ccdm_oci_descriptor *d,
		  bool array, json_t **json, struct ccdm_err *err)
{
	json_error_t where;
	size_t size;
	char *text;
	int r = ccdm_blobs_read(blobs, name, d ? &d->digest : NULL, CCDM_OCI_JSON_MAX, &text, &size,
				err);

	*json = NULL;
	if (r)
		return r;
	if (d && d->size != size) {
		free(text);
		return ccdm_err_set(err, -EINVAL, "%s: expected %" PRIu64 " bytes, found %zu", name,
				    d->size, size);
	}
	*json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	free(text);
	if (array ? json_is_array(*json) : json_is_object(*json))
		return 0;
	r = ccdm_err_set(err, -EINVAL, "%s: line %d: %s", name, *json ? 1 : where.line,
			 !*json	 ? where.text
			 : array ? "expected an array"
				 : "expected an object");
	json_decref(*json);
	*json = NULL;
	return r;
}

bool ccdm_oci_named(const char *tag, const char *name)
{
	size_t n = strlen(name);

	return !strcmp(tag, name) || (!strncmp(tag, name, n) && !strcmp(tag + n, ":latest"));
}
