// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* oci.c - see oci.h: manifest, configuration and layers; oci_choose.c finds the manifest */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "oci.h"
#include "oci_json.h"

/**
 * struct ccdm_oci - an image
 * @name: of it, or NULL
 * @config, @config_size: its configuration
 * @digest: of the image
 * @layers, @count: from the lowest
 */
struct ccdm_oci {
	struct ccdm_blobs *blobs;
	char *name;
	char *config;
	size_t config_size;
	struct ccdm_digest digest;
	struct ccdm_layer layers[CCDM_LAYERS_MAX];
	size_t count;
};

/* ---- configuration --------------------------------------------------------------------- */

/* The digests of the layers that are not compressed. */
static int ccdm_oci_diff_ids(struct ccdm_oci *oci, const char *path, struct ccdm_err *err)
{
	json_t *config, *ids, *rootfs;
	json_error_t where;
	size_t i;
	int r = 0;

	config = json_loadb(oci->config, oci->config_size, JSON_REJECT_DUPLICATES, &where);
	if (!config)
		return ccdm_err_set(err, -EINVAL, "%s: configuration: line %d: %s", path,
				    where.line, where.text);
	rootfs = json_object_get(config, "rootfs");
	ids = json_object_get(rootfs, "diff_ids");
	if (!json_is_array(ids) || json_array_size(ids) != oci->count)
		r = ccdm_err_set(err, -EINVAL,
				 "%s: configuration: expected rootfs.diff_ids for %zu layers, "
				 "found %zu",
				 path, oci->count, json_array_size(ids));
	for (i = 0; !r && i < oci->count; i++)
		r = ccdm_oci_digest_parse("configuration: rootfs.diff_ids", json_array_get(ids, i),
					  &oci->layers[i].diff_id, err);
	json_decref(config);
	return r;
}

/* ---- OCI layout ------------------------------------------------------------------------ */

static bool ccdm_oci_layer_type(const char *type)
{
	static const char *const known[] = {
		"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.diff.tar.gzip",
		"application/vnd.docker.image.rootfs.diff.tar.zstd",
		"application/vnd.docker.image.rootfs.foreign.diff.tar",
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(type, known[i]))
			return true;
	return false;
}

static int ccdm_oci_layer(struct ccdm_oci *oci, const char *path, const json_t *o,
			  struct ccdm_err *err)
{
	struct ccdm_layer *layer = &oci->layers[oci->count++];
	struct ccdm_oci_descriptor d;
	struct ccdm_blob blob;
	char file[CCDM_OCI_BLOB], what[32];
	int r;

	snprintf(what, sizeof(what), "layer %zu", oci->count);
	r = ccdm_oci_descriptor(what, o, &d, err);
	if (r)
		return r;
	if (strstr(d.type, "+encrypted")) {
		ccdm_err_hint(err, "decrypt the image first, for example with \"skopeo copy "
				   "--decryption-key\"");
		return ccdm_err_set(err, -EINVAL, "%s: %s is encrypted (%.100s)", path, what,
				    d.type);
	}
	if (!ccdm_oci_layer_type(d.type))
		return ccdm_err_set(err, -EINVAL,
				    "%s: %s: expected the media type of a layer, found '%.100s'",
				    path, what, d.type);
	ccdm_oci_blob(&d.digest, file);
	r = ccdm_blobs_find(oci->blobs, file, &blob, err);
	if (r)
		return r;
	if (blob.size != d.size)
		return ccdm_err_set(err, -EINVAL,
				    "%s: %s: expected %" PRIu64 " bytes, found %" PRIu64, path,
				    what, d.size, blob.size);
	*layer = (struct ccdm_layer){
		.source = blob.source, .at = blob.at, .size = blob.size, .digest = d.digest
	};
	return 0;
}

static int ccdm_oci_layers(struct ccdm_oci *oci, const char *path, const json_t *all,
			   int (*each)(struct ccdm_oci *oci, const char *path, const json_t *o,
				       struct ccdm_err *err),
			   struct ccdm_err *err)
{
	size_t i;
	int r = 0;

	if (!json_is_array(all) || json_array_size(all) > CCDM_LAYERS_MAX)
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected an array of at most %u layers, found %zu", path,
				    CCDM_LAYERS_MAX, json_array_size(all));
	for (i = 0; !r && i < json_array_size(all); i++)
		r = each(oci, path, json_array_get(all, i), err);
	return r;
}

static int ccdm_oci_from_layout(struct ccdm_oci *oci, const char *path, const char *name,
				struct ccdm_err *err)
{
	struct ccdm_oci_descriptor d;
	json_t *manifest = NULL;
	char file[CCDM_OCI_BLOB];
	int r = ccdm_oci_choose(oci->blobs, path, name, &manifest, &oci->digest, &oci->name, err);

	if (!r)
		r = ccdm_oci_descriptor("configuration", json_object_get(manifest, "config"), &d,
					err);
	if (!r && strcmp(d.type, "application/vnd.oci.image.config.v1+json") &&
	    strcmp(d.type, "application/vnd.docker.container.image.v1+json"))
		r = ccdm_err_set(err, -EINVAL,
				 "%s: expected the configuration of a container image, found "
				 "'%.100s'",
				 path, d.type);
	if (!r) {
		ccdm_oci_blob(&d.digest, file);
		r = ccdm_blobs_read(oci->blobs, file, &d.digest, CCDM_OCI_JSON_MAX, &oci->config,
				    &oci->config_size, err);
	}
	if (!r && d.size != oci->config_size)
		r = ccdm_err_set(err, -EINVAL,
				 "%s: configuration: expected %" PRIu64 " bytes, found %zu", path,
				 d.size, oci->config_size);
	if (!r)
		r = ccdm_oci_layers(oci, path, json_object_get(manifest, "layers"), ccdm_oci_layer,
				    err);
	json_decref(manifest);
	return r;
}

/* ---- docker save ----------------------------------------------------------------------- */

static int ccdm_oci_docker_layer(struct ccdm_oci *oci, const char *path, const json_t *o,
				 struct ccdm_err *err)
{
	struct ccdm_layer *layer = &oci->layers[oci->count++];
	struct ccdm_blob blob;
	int r;

	if (!json_is_string(o))
		return ccdm_err_set(err, -EINVAL, "%s: manifest.json: expected names of layers",
				    path);
	r = ccdm_blobs_find(oci->blobs, json_string_value(o), &blob, err);
	if (!r)
		*layer = (struct ccdm_layer){ .source = blob.source,
					      .at = blob.at,
					      .size = blob.size };
	return r;
}

/* Choose the entry of manifest.json by @name, and set the image's name. */
static int ccdm_oci_docker_entry(const char *path, const json_t *all, const char *name,
				 const json_t **entry, const char **found, struct ccdm_err *err)
{
	const json_t *tags;
	const char *tag;
	size_t i, k;

	*entry = json_array_size(all) == 1 ? json_array_get(all, 0) : NULL;
	*found = json_string_value(json_array_get(json_object_get(*entry, "RepoTags"), 0));
	if (!name && *entry)
		return 0;
	if (!name) {
		ccdm_err_hint(err, "name one with --image");
		return ccdm_err_set(err, -EINVAL, "%s: expected one image, found %zu", path,
				    json_array_size(all));
	}
	for (i = 0; i < json_array_size(all); i++) {
		*entry = json_array_get(all, i);
		tags = json_object_get(*entry, "RepoTags");
		for (k = 0; k < json_array_size(tags); k++) {
			tag = json_string_value(json_array_get(tags, k));
			*found = tag;
			if (tag && ccdm_oci_named(tag, name))
				return 0;
		}
	}
	return ccdm_err_set(err, -EINVAL, "%s: there is no image '%s'", path, name);
}

/* If the name of the configuration's file is a digest, it must be the file's digest. */
static int ccdm_oci_docker_config(struct ccdm_oci *oci, const char *path, const char *file,
				  struct ccdm_err *err)
{
	const char *base = strrchr(file, '/');
	uint8_t named[CCDM_DIGEST_MAX];
	char hex[65];
	int r = ccdm_blobs_read(oci->blobs, file, NULL, CCDM_OCI_JSON_MAX, &oci->config,
				&oci->config_size, err);

	if (r)
		return r;
	if (ccdm_digest_of(CCDM_ALG_SHA256, oci->config, oci->config_size, NULL, 0, &oci->digest))
		return ccdm_err_set(err, -EIO, "cannot compute a digest");
	base = base ? base + 1 : file;
	base += strncmp(base, "sha256:", 7) ? 0 : 7;
	snprintf(hex, sizeof(hex), "%s", base);
	if (ccdm_unhex(hex, named, 32) || !memcmp(named, oci->digest.bytes, 32))
		return 0;
	return ccdm_err_set(err, -EINVAL,
			    "%s: %.100s: its bytes do not have the digest of its name", path, file);
}

static int ccdm_oci_from_docker(struct ccdm_oci *oci, const char *path, const char *name,
				struct ccdm_err *err)
{
	const json_t *entry = NULL;
	const char *file, *found = NULL;
	json_t *all = NULL;
	int r = ccdm_oci_load(oci->blobs, "manifest.json", NULL, true, &all, err);

	if (!r)
		r = ccdm_oci_docker_entry(path, all, name, &entry, &found, err);
	if (!r && found) {
		oci->name = strdup(found);
		if (!oci->name)
			r = ccdm_err_memory(err);
	}
	file = json_string_value(json_object_get(entry, "Config"));
	if (!r && !file)
		r = ccdm_err_set(err, -EINVAL, "%s: manifest.json: expected the name of a Config",
				 path);
	if (!r)
		r = ccdm_oci_docker_config(oci, path, file, err);
	if (!r)
		r = ccdm_oci_layers(oci, path, json_object_get(entry, "Layers"),
				    ccdm_oci_docker_layer, err);
	json_decref(all);
	return r;
}

/* ---- opening --------------------------------------------------------------------------- */

static int ccdm_oci_content(struct ccdm_oci *oci, const char *path, const char *name,
			    struct ccdm_err *err)
{
	struct ccdm_blob blob;
	const char *version;
	json_t *layout;
	int r;

	/* docker save since 25 writes both; the layout has more digests */
	r = ccdm_oci_load(oci->blobs, "oci-layout", NULL, false, &layout, err);
	if (!r) {
		version = json_string_value(json_object_get(layout, "imageLayoutVersion"));
		if (!version || strcmp(version, "1.0.0"))
			r = ccdm_err_set(
				err, -EINVAL,
				"%s: oci-layout: expected the version 1.0.0, found '%.40s'", path,
				version ? version : "none");
		json_decref(layout);
		return r ? r : ccdm_oci_from_layout(oci, path, name, err);
	}
	if (r != -ENOENT)
		return r;
	r = ccdm_blobs_find(oci->blobs, "manifest.json", &blob, err);
	if (r == -ENOENT)
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected an OCI layout or an archive of docker save: "
				    "found neither oci-layout nor manifest.json",
				    path);
	return r ? r : ccdm_oci_from_docker(oci, path, name, err);
}

int ccdm_oci_open(const char *path, const char *name, const char *spool_dir, struct ccdm_oci **oci,
		  struct ccdm_err *err)
{
	struct ccdm_oci *o = calloc(1, sizeof(*o));
	int r;

	*oci = NULL;
	if (!o)
		return ccdm_err_memory(err);
	r = ccdm_blobs_open(path, spool_dir, CCDM_ROOTFS_SIZE, &o->blobs, err);
	if (!r) {
		r = ccdm_oci_content(o, path, name, err);
		/* a file that is missing inside of the image */
		r = r == -ENOENT ? -EINVAL : r;
	}
	if (!r)
		r = ccdm_oci_diff_ids(o, path, err);
	if (r)
		ccdm_oci_close(o);
	else
		*oci = o;
	return r;
}

void ccdm_oci_close(struct ccdm_oci *oci)
{
	if (!oci)
		return;
	ccdm_blobs_close(oci->blobs);
	free(oci->config);
	free(oci->name);
	free(oci);
}

const char *ccdm_oci_config(const struct ccdm_oci *oci, size_t *size)
{
	*size = oci->config_size;
	return oci->config;
}

const struct ccdm_digest *ccdm_oci_digest(const struct ccdm_oci *oci)
{
	return &oci->digest;
}

const char *ccdm_oci_name(const struct ccdm_oci *oci)
{
	return oci->name ? oci->name : "";
}

int ccdm_oci_rootfs(struct ccdm_oci *oci, struct ccdm_rootfs *fs, ccdm_oci_progress_fn progress,
		    void *arg, struct ccdm_layers_count *count, struct ccdm_err *err)
{
	uint64_t done = 0, all = 0;
	size_t i;
	int r = 0;

	memset(count, 0, sizeof(*count));
	for (i = 0; i < oci->count; i++)
		all += oci->layers[i].size;
	for (i = 0; !r && i < oci->count; i++) {
		r = ccdm_layer_apply(fs, &oci->layers[i], (unsigned int)i + 1, count, err);
		done += oci->layers[i].size;
		if (!r && progress)
			progress(done, all, arg);
	}
	return r;
}
