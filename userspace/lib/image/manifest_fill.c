// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* manifest_fill.c - what the manifest of a disk says; see manifest_disk.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "manifest_disk.h"

bool ccdm_manifest_is_of(const struct ccdm_manifest *m, const json_t *ids)
{
	const char *platform;
	json_t *list;

	json_object_foreach((json_t *)ids, platform,
			    list) if (ccdm_manifest_lists(m, platform, list)) return true;
	return false;
}

static bool ccdm_manifest_open(const struct ccdm_manifest *m)
{
	return !m->product[0] || m->svn < 0;
}

/* Take the values that the caller did not give. */
static void ccdm_manifest_inherit(struct ccdm_manifest *m, const struct ccdm_manifest *old,
				  const char *root)
{
	if (!m->product[0])
		memcpy(m->product, old->product, sizeof(m->product));
	if (m->svn < 0)
		m->svn = old->svn;
	if (!m->base[0]) {
		memcpy(m->base, old->base, sizeof(m->base));
		m->base_svn = old->base_svn;
	}
	if (!m->image[0] && !strcmp(old->root, root))
		memcpy(m->image, old->image, sizeof(m->image));
	if (!m->logs[0])
		memcpy(m->logs, old->logs, sizeof(m->logs));
}

/* The manifest on the disk, if this signer made it for this disk; else @m stays as it is. */
static int ccdm_manifest_old(const struct ccdm_bootable *b, struct ccdm_manifest *m,
			     const char *root, struct ccdm_err *err)
{
	struct ccdm_manifest old = { 0 };
	struct ccdm_err why = { 0 };
	char *jws;
	int r = ccdm_manifest_load(b, &jws, &why);

	if (!r && jws)
		r = ccdm_manifest_read(jws, &old, &why);
	free(jws);
	if (r && r != -EINVAL) {
		*err = why;
		return r;
	}
	if (!r && old.ids && !strcmp(old.key, m->key) && ccdm_manifest_is_of(&old, m->ids))
		ccdm_manifest_inherit(m, &old, root);
	else if (!ccdm_manifest_open(m))
		;
	else if (r)
		ccdm_err_hint(err, "the manifest on the disk was not used: %.200s", why.text);
	else if (old.ids)
		ccdm_err_hint(
			err,
			"the manifest on the disk was not used: another key signed it (%.16s...), "
			"or it is of another image",
			old.key);
	else
		ccdm_err_hint(err, "the disk has no manifest that gives these values");
	ccdm_manifest_drop(&old);
	return 0;
}

/* A policy must be able to name it (ccdm-policy(5)). */
static int ccdm_manifest_product(const char *product, struct ccdm_err *err)
{
	size_t n = 0;

	while (product[n] > ' ' && product[n] <= '~')
		n++;
	if (n && n <= CCDM_MANIFEST_PRODUCT && !product[n])
		return 0;
	return ccdm_err_set(err, -EINVAL,
			    "product '%s': expected 1 to %d characters of ASCII without blanks",
			    product, CCDM_MANIFEST_PRODUCT);
}

int ccdm_manifest_fill(const struct ccdm_bootable *b, struct ccdm_manifest *m,
		       const json_t *launches, bool allow_unknown, char *why, size_t why_size,
		       struct ccdm_err *err)
{
	const char *root = b->no_conf[0] ? "" : b->config.workload.roothash;
	int r = ccdm_manifest_predict(b, &m->ids, &m->events, why, why_size, err);

	if (!r && json_array_size(launches) && json_object_set(m->ids, "snp", (json_t *)launches))
		r = ccdm_err_memory(err);
	if (!r && !json_object_get(m->ids, "tpm") &&
	    (!allow_unknown || !json_object_size(m->ids))) {
		ccdm_err_hint(err, "ccdm-image measure shows what is unknown; nothing was signed");
		r = ccdm_err_set(err, -EINVAL, "%s: its enclave ID is unknown: %.400s",
				 b->source.name, why);
	}
	if (!r)
		r = ccdm_manifest_old(b, m, root, err);
	if (!r && ccdm_manifest_open(m))
		r = ccdm_err_set(err, -EINVAL, "expected %s",
				 m->product[0] ? "--svn N"
				 : m->svn < 0  ? "--product NAME and --svn N"
					       : "--product NAME");
	if (!r)
		r = ccdm_manifest_product(m->product, err);
	if (!r && m->image[0] && !root[0])
		r = ccdm_err_set(
			err, -EINVAL,
			"%s: --image-digest: the disk has no workload, so no container image",
			b->source.name);
	if (!r && m->image[0])
		snprintf(m->root, sizeof(m->root), "%s", root);
	if (r)
		ccdm_manifest_drop(m);
	return r;
}

int ccdm_manifest_text(const struct ccdm_bootable *b, const struct ccdm_jws_key *key,
		       struct ccdm_manifest *m, const json_t *launches, bool allow_unknown,
		       char **text, char *why, size_t why_size, struct ccdm_err *err)
{
	json_t *payload = NULL;
	int r;

	*text = NULL;
	if (ccdm_jws_key_hash(key, m->key))
		return ccdm_err_memory(err);
	r = ccdm_manifest_fill(b, m, launches, allow_unknown, why, why_size, err);
	if (!r)
		r = ccdm_manifest_payload(m, &payload, err);
	if (!r && ccdm_jws_to_sign(key, CCDM_MANIFEST_TYP, payload, text))
		r = ccdm_err_memory(err);
	json_decref(payload);
	return r;
}

int ccdm_manifest_sign(const struct ccdm_bootable *b, const char *file, struct ccdm_manifest *m,
		       const json_t *launches, bool allow_unknown, char **jws, char *why,
		       size_t why_size, struct ccdm_err *err)
{
	struct ccdm_jws_key *key;
	char *text = NULL;
	int r = ccdm_jws_key_private(file, &key, err);

	*jws = NULL;
	if (r)
		return r;
	r = ccdm_manifest_text(b, key, m, launches, allow_unknown, &text, why, why_size, err);
	if (!r)
		r = ccdm_jws_sign(key, text, jws, err);
	ccdm_manifest_drop(m);
	if (!r)
		r = ccdm_manifest_read(*jws, m, err);
	if (r) {
		free(*jws);
		*jws = NULL;
	}
	ccdm_jws_key_free(key);
	free(text);
	return r;
}
