// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* build_seal.c - the manifest of an image that was built, and its policy */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "build.h"
#include "image/manifest_disk.h"
#include "image/policy_text.h"

/* The members of the manifest other than the IDs. */
static void build_manifest(const struct ccdm_build *b, struct ccdm_manifest *m)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];

	*m = (struct ccdm_manifest){ .svn = b->svn, .base_svn = -1 };
	snprintf(m->product, sizeof(m->product), "%s", b->product);
	if (b->from) {
		snprintf(m->base, sizeof(m->base), "%s", b->from->name);
		m->base_svn = (int64_t)b->from->svn;
	}
	if (!b->image.size)
		return;
	snprintf(m->image, sizeof(m->image), "sha256:%.64s", ccdm_image_hex(&b->image, hex));
	snprintf(m->logs, sizeof(m->logs), "%s", b->workload.logs);
}

/* Launch digests that prove the image. NULL: out of memory */
static json_t *build_proving(const json_t *launches)
{
	json_t *proving = json_array(), *one;
	size_t i;

	json_array_foreach(launches, i, one)
	{
		if (json_is_true(json_object_get(one, "proves-image")))
			ccdm_json_add(&proving, json_incref(json_object_get(one, "launch-digest")));
	}
	return proving;
}

static int build_put(struct ccdm_build *b, enum ccdm_build_file file, const char *text,
		     struct ccdm_err *err)
{
	char path[PATH_MAX];
	int r;

	ccdm_build_made(b, file, path);
	r = ccdm_file_write(path, text, strlen(text), 0644, err);
	b->there[file] = !r;
	return r;
}

/* Only an image with secrets needs a policy. */
static int build_policy(const struct build_args *a, struct ccdm_build *b,
			const struct ccdm_bootable *boot, const struct ccdm_manifest *m,
			struct ccdm_err *err)
{
	json_t *secrets = json_array();
	const struct ccdm_policy_words words = {
		.platform = a->platform, .manifest = m, .secrets = secrets, .firmware = a->mrtds
	};
	char *text = NULL;
	unsigned int i;
	int r = 0;

	for (i = 0; !boot->no_conf[0] && i < boot->config.nr_secrets; i++)
		ccdm_json_add(&secrets, json_string(boot->config.secret[i].path));
	if (!secrets)
		return ccdm_err_memory(err);
	if (json_array_size(secrets)) {
		r = ccdm_policy_text(&words, &text, err);
		if (!r)
			r = build_put(b, CCDM_BUILD_POLICY, text, err);
	}
	free(text);
	json_decref(secrets);
	return r;
}

int build_seal(struct build_args *a, struct ccdm_build *b, const struct ccdm_bootable *boot,
	       const json_t *launches, struct ccdm_err *err)
{
	char path[PATH_MAX], *jws = NULL;
	json_t *proving = build_proving(launches);
	struct ccdm_manifest m;
	int r;

	if (!proving)
		return ccdm_err_memory(err);
	build_manifest(b, &m);
	if (a->ask.signing_key) {
		r = ccdm_manifest_sign(boot, a->ask.signing_key, &m, proving, false, &jws, a->why,
				       sizeof(a->why), err);
		ccdm_build_made(b, CCDM_BUILD_DISK, path);
		if (!r)
			r = ccdm_manifest_store(path, jws, err);
		if (!r)
			r = build_put(b, CCDM_BUILD_MANIFEST, jws, err);
		memcpy(a->key, m.key, sizeof(a->key));
	} else {
		r = ccdm_manifest_fill(boot, &m, proving, true, a->why, sizeof(a->why), err);
	}
	if (!r)
		r = build_policy(a, b, boot, &m, err);
	ccdm_manifest_drop(&m);
	json_decref(proving);
	free(jws);
	return r;
}
