/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* oci_json.h - descriptors and names in the JSON of a container image; for oci.c and its parts */
#ifndef CCDM_OCI_JSON_H
#define CCDM_OCI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "blobs.h"
#include "crypto/digest.h"

#define CCDM_OCI_BLOB (14 + 2 * CCDM_DIGEST_MAX + 1) /* "blobs/sha256/" and hex digits */

/**
 * struct ccdm_oci_descriptor - what refers to a file (OCI image specification, descriptor.md)
 * @type: media type
 * @digest: of its bytes
 * @size: its bytes
 */
struct ccdm_oci_descriptor {
	const char *type;
	struct ccdm_digest digest;
	uint64_t size;
};

/* Parse "sha256:…" or "sha512:…", with lower-case digits. Return: 0, -EINVAL. */
int __must_check ccdm_oci_digest_parse(const char *what, const json_t *value,
				       struct ccdm_digest *digest, struct ccdm_err *err);

/* Read a descriptor; @d->type lives as long as @o. Return: 0, -EINVAL. */
int __must_check ccdm_oci_descriptor(const char *what, const json_t *o,
				     struct ccdm_oci_descriptor *d, struct ccdm_err *err);

/* Path of a file in an OCI layout. @path: CCDM_OCI_BLOB bytes */
void ccdm_oci_blob(const struct ccdm_digest *digest, char *path);

/**
 * ccdm_oci_load() - read a file of an image as JSON
 * @name: its path
 * @d: expected digest and size; NULL: any
 * @json: set to an object, or with @array to an array; the caller drops it
 *
 * Return: 0, -EINVAL, and as ccdm_blobs_read().
 */
int __must_check ccdm_oci_load(struct ccdm_blobs *blobs, const char *name,
			       const struct ccdm_oci_descriptor *d, bool array, json_t **json,
			       struct ccdm_err *err);

/**
 * ccdm_oci_choose() - the manifest of an image in an OCI layout (oci_choose.c)
 * @name: of the image; NULL: the only one
 * @manifest: set; the caller drops it
 * @digest: filled: of the manifest
 * @found: set to the name of the image, or NULL; the caller frees it
 *
 * Return: 0, -EINVAL, and as ccdm_blobs_read().
 */
int __must_check ccdm_oci_choose(struct ccdm_blobs *blobs, const char *path, const char *name,
				 json_t **manifest, struct ccdm_digest *digest, char **found,
				 struct ccdm_err *err);

/* True if @name is @tag, or @tag without ":latest". */
bool __must_check ccdm_oci_named(const char *tag, const char *name);

#endif
