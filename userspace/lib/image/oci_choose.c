// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* oci_choose.c - choose the manifest in an OCI layout: by name, then by platform */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "oci.h"
#include "oci_json.h"

#define NESTED 4 /* indices in one another, at most */

#define NAMES 256

static bool ccdm_oci_is(const char *type, const char *oci, const char *docker)
{
	return !strcmp(type, oci) || !strcmp(type, docker);
}

static bool ccdm_oci_index(const char *type)
{
	return ccdm_oci_is(type, "application/vnd.oci.image.index.v1+json",
			   "application/vnd.docker.distribution.manifest.list.v2+json");
}

static bool ccdm_oci_manifest(const char *type)
{
	return ccdm_oci_is(type, "application/vnd.oci.image.manifest.v1+json",
			   "application/vnd.docker.distribution.manifest.v2+json");
}

static const char *ccdm_oci_text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* Can an entry of an index be an image for linux/amd64? An entry without a platform can. */
static bool ccdm_oci_platform(const json_t *o)
{
	const json_t *platform = json_object_get(o, "platform");
	const char *os = ccdm_oci_text(platform, "os"), *arch, *variant;

	if (!platform)
		return !ccdm_oci_text(json_object_get(o, "annotations"),
				      "vnd.docker.reference.type");
	arch = ccdm_oci_text(platform, "architecture");
	variant = ccdm_oci_text(platform, "variant");
	return os && arch && !strcmp(os, "linux") && !strcmp(arch, "amd64") &&
	       (!variant || !*variant || !strcmp(variant, "v1"));
}

/*
 * The name of an entry of index.json, or with @whole the longer name that containerd writes. NULL:
 * it has none.
 */
static const char *ccdm_oci_ref(const json_t *o, bool whole)
{
	return ccdm_oci_text(json_object_get(o, "annotations"),
			     whole ? "io.containerd.image.name"
				   : "org.opencontainers.image.ref.name");
}

static bool ccdm_oci_meant(const json_t *o, const char *name)
{
	const char *ref = ccdm_oci_ref(o, false), *whole = ccdm_oci_ref(o, true);

	return (ref && ccdm_oci_named(ref, name)) || (whole && ccdm_oci_named(whole, name));
}

/* The names in an index, for a message. */
static void ccdm_oci_names(const json_t *all, char names[NAMES])
{
	const char *ref;
	size_t i, n = 0;
	int k;

	*names = '\0';
	for (i = 0; i < json_array_size(all); i++) {
		ref = ccdm_oci_ref(json_array_get(all, i), true);
		if (!ref)
			ref = ccdm_oci_ref(json_array_get(all, i), false);
		k = ref ? snprintf(names + n, NAMES - n, "%s%s", n ? ", " : "", ref) : 0;
		if (k < 0 || (size_t)k >= NAMES - n)
			return;
		n += (size_t)k;
	}
}

/*
 * Choose the entry of an index. Entries with the same digest are the same image.
 * Return: 0, -EINVAL
 */
static int ccdm_oci_entry(const char *path, const json_t *index, const char *name,
			  const json_t **entry, struct ccdm_err *err)
{
	const json_t *all = json_object_get(index, "manifests"), *o;
	char names[NAMES];
	size_t i;

	*entry = NULL;
	if (!json_is_array(all) || json_object_get(index, "layers"))
		return ccdm_err_set(err, -EINVAL, "%s: expected an index with manifests", path);
	for (i = 0; i < json_array_size(all); i++) {
		o = json_array_get(all, i);
		if (!ccdm_oci_platform(o) || (name && !ccdm_oci_meant(o, name)))
			continue;
		if (*entry &&
		    !json_equal(json_object_get(o, "digest"), json_object_get(*entry, "digest"))) {
			ccdm_oci_names(all, names);
			ccdm_err_hint(err, "name one with --image");
			return ccdm_err_set(err, -EINVAL,
					    "%s: there are several images for linux/amd64: %s",
					    path, *names ? names : "without names");
		}
		*entry = o;
	}
	if (*entry)
		return 0;
	ccdm_oci_names(all, names);
	return name ? ccdm_err_set(err, -EINVAL,
				   "%s: there is no image '%s' for linux/amd64; it has: %s", path,
				   name, *names ? names : "images without names")
		    : ccdm_err_set(err, -EINVAL, "%s: there is no image for linux/amd64", path);
}

/* Every program must take the file for the same type (CVE-2021-41190). */
static int ccdm_oci_sure(const char *path, const json_t *o, const char *type, struct ccdm_err *err)
{
	const char *own = ccdm_oci_text(o, "mediaType");

	if ((json_object_get(o, "manifests") && json_object_get(o, "layers")) ||
	    (own && strcmp(own, type)))
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected only a file of the media type '%.100s'", path,
				    type);
	return 0;
}

/* Go from an index to one of its entries. @at: replaced by the entry, which may be the manifest */
static int ccdm_oci_down(struct ccdm_blobs *blobs, const char *path, const json_t *entry,
			 json_t **at, struct ccdm_oci_descriptor *d, bool *done,
			 struct ccdm_err *err)
{
	char file[CCDM_OCI_BLOB];
	json_t *next = NULL;
	int r = ccdm_oci_descriptor(path, entry, d, err);

	if (!r && !ccdm_oci_index(d->type) && !ccdm_oci_manifest(d->type))
		r = ccdm_err_set(err, -EINVAL,
				 "%s: expected the media type of a manifest or an index, "
				 "found '%.100s'",
				 path, d->type);
	if (r)
		return r;
	ccdm_oci_blob(&d->digest, file);
	r = ccdm_oci_load(blobs, file, d, false, &next, err);
	if (!r)
		r = ccdm_oci_sure(file, next, d->type, err);
	*done = ccdm_oci_manifest(d->type);
	if (r) {
		json_decref(next);
		return r;
	}
	json_decref(*at);
	*at = next;
	return 0;
}

int ccdm_oci_choose(struct ccdm_blobs *blobs, const char *path, const char *name, json_t **manifest,
		    struct ccdm_digest *digest, char **found, struct ccdm_err *err)
{
	struct ccdm_oci_descriptor d;
	const json_t *entry;
	json_t *at = NULL;
	unsigned int depth = 0;
	const char *ref;
	bool done = false;
	int r = ccdm_oci_load(blobs, "index.json", NULL, false, &at, err);

	*manifest = NULL;
	*found = NULL;
	while (!r && !done) {
		if (depth == NESTED)
			r = ccdm_err_set(err, -EINVAL, "%s: expected at most %u nested indices",
					 path, NESTED);
		if (!r)
			r = ccdm_oci_entry(path, at, depth ? NULL : name, &entry, err);
		if (!r && !depth) {
			ref = ccdm_oci_ref(entry, true);
			ref = ref ? ref : ccdm_oci_ref(entry, false);
			*found = ref ? strdup(ref) : NULL;
			if (ref && !*found)
				r = ccdm_err_memory(err);
		}
		if (!r)
			r = ccdm_oci_down(blobs, path, entry, &at, &d, &done, err);
		depth++;
	}
	if (r) {
		json_decref(at);
		free(*found);
		*found = NULL;
		return r;
	}
	*manifest = at;
	*digest = d.digest;
	return 0;
}
