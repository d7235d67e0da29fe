// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* manifest_status.c - see manifest_status.h */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "log/enclave_difference.h"
#include "manifest_status.h"

/* ---- the manifest and its disk -------------------------------------------------------- */

static size_t ccdm_manifest_count(const json_t *ids, const char *platform)
{
	return json_array_size(json_object_get(ids, platform));
}

/* How many of the disk's IDs the manifest lists. */
static size_t ccdm_manifest_listed(const struct ccdm_manifest *m, const char *platform,
				   const json_t *ids)
{
	const json_t *list = json_object_get(ids, platform);
	size_t i, n = 0;

	for (i = 0; i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));
		const json_t *all = json_object_get(m->ids, platform);
		size_t k;

		for (k = 0; k < json_array_size(all); k++)
			if (!strcmp(json_string_value(json_array_get(all, k)), one))
				break;
		n += k < json_array_size(all);
	}
	return n;
}

static enum ccdm_manifest_state ccdm_manifest_state(const struct ccdm_manifest *m,
						    const json_t *ids)
{
	static const char *const platforms[] = { "tpm", "tdx" };
	size_t i, mine = 0, theirs = 0, listed = 0;

	for (i = 0; i < ARRAY_SIZE(platforms); i++) {
		mine += ccdm_manifest_count(ids, platforms[i]);
		theirs += ccdm_manifest_count(m->ids, platforms[i]);
		listed += ccdm_manifest_listed(m, platforms[i], ids);
	}
	if (!mine)
		return CCDM_MANIFEST_UNKNOWN;
	if (!listed)
		return CCDM_MANIFEST_OTHER;
	return listed == mine && theirs == mine ? CCDM_MANIFEST_SAME : CCDM_MANIFEST_PARTLY;
}

int ccdm_manifest_status(const struct ccdm_bootable *b, struct ccdm_manifest_status *s,
			 struct ccdm_err *err)
{
	struct ccdm_err invalid = { 0 };
	char *jws, why[700];
	int r;

	memset(s, 0, sizeof(*s));
	r = ccdm_manifest_predict(b, &s->ids, &s->events, why, sizeof(why), err);
	if (r)
		return r;
	r = ccdm_manifest_load(b, &jws, &invalid);
	if (!r && jws)
		r = ccdm_manifest_read(jws, &s->manifest, &invalid);
	if (!r)
		s->state = jws ? ccdm_manifest_state(&s->manifest, s->ids) : CCDM_MANIFEST_NONE;
	free(jws);
	if (r == -EINVAL) {
		s->state = CCDM_MANIFEST_INVALID;
		snprintf(s->why, sizeof(s->why), "%s", invalid.text);
		return 0;
	}
	if (r) {
		*err = invalid;
		ccdm_manifest_status_drop(s);
	}
	return r;
}

void ccdm_manifest_status_drop(struct ccdm_manifest_status *s)
{
	ccdm_manifest_drop(&s->manifest);
	json_decref(s->ids);
	json_decref(s->events);
	memset(s, 0, sizeof(*s));
}

int ccdm_manifest_events(const struct ccdm_manifest *m, const char *text,
			 int (*say)(const char *line, void *arg), void *arg)
{
	const char *nearest;
	unsigned int count;
	int r = ccdm_manifest_nearest(m, text, &nearest, &count);

	return r || !nearest ? r : ccdm_enclave_difference(nearest, text, say, arg, &count);
}

/* ---- two manifests --------------------------------------------------------------------- */

/* One member of both; an empty text: it has none. */
static int ccdm_manifest_member(const char *name, const char *a, const char *b,
				int (*say)(const char *line, void *arg), void *arg)
{
	char line[512];

	if (!strcmp(a, b))
		return 0;
	if (!a[0])
		snprintf(line, sizeof(line), "manifest: +%s '%.150s'", name, b);
	else if (!b[0])
		snprintf(line, sizeof(line), "manifest: -%s '%.150s'", name, a);
	else
		snprintf(line, sizeof(line), "manifest: %s: '%.150s' became '%.150s'", name, a, b);
	ccdm_err_plain(line);
	return say(line, arg);
}

static const char *ccdm_manifest_number(int64_t number, char text[24])
{
	snprintf(text, 24, "%" PRId64, number);
	return number < 0 ? "" : text;
}

/* IDs of a platform that only one has: the disk's own say more, so they are counted. */
static int ccdm_manifest_platform(const char *platform, const json_t *a, const json_t *b,
				  int (*say)(const char *line, void *arg), void *arg)
{
	const json_t *x = json_object_get(a, platform), *y = json_object_get(b, platform);
	char line[128];

	if ((!x && !y) || (x && y && json_equal(x, y)))
		return 0;
	snprintf(line, sizeof(line), "manifest: other IDs for %s: %zu became %zu", platform,
		 json_array_size(x), json_array_size(y));
	return say(line, arg);
}

static const char *ccdm_manifest_presence(const struct ccdm_manifest_status *s)
{
	return s->state == CCDM_MANIFEST_NONE ? "none" : s->why[0] ? s->why : "valid";
}

int ccdm_manifest_difference(const struct ccdm_manifest_status *a,
			     const struct ccdm_manifest_status *b,
			     int (*say)(const char *line, void *arg), void *arg)
{
	static const char *const platforms[] = { "tpm", "tdx", "snp" };
	const struct ccdm_manifest *m = &a->manifest, *n = &b->manifest;
	char was[24], is[24];
	size_t i;
	int r;

	r = ccdm_manifest_member("state", ccdm_manifest_presence(a), ccdm_manifest_presence(b), say,
				 arg);
	if (r || !m->ids || !n->ids)
		return r;
	r = ccdm_manifest_member("key", m->key, n->key, say, arg);
	if (!r)
		r = ccdm_manifest_member("product", m->product, n->product, say, arg);
	if (!r)
		r = ccdm_manifest_member("svn", ccdm_manifest_number(m->svn, was),
					 ccdm_manifest_number(n->svn, is), say, arg);
	if (!r)
		r = ccdm_manifest_member("base", m->base, n->base, say, arg);
	if (!r)
		r = ccdm_manifest_member("base.svn", ccdm_manifest_number(m->base_svn, was),
					 ccdm_manifest_number(n->base_svn, is), say, arg);
	if (!r)
		r = ccdm_manifest_member("workload.image", m->image, n->image, say, arg);
	if (!r)
		r = ccdm_manifest_member("workload.root", m->root, n->root, say, arg);
	if (!r)
		r = ccdm_manifest_member("logs", m->logs, n->logs, say, arg);
	for (i = 0; !r && i < ARRAY_SIZE(platforms); i++)
		r = ccdm_manifest_platform(platforms[i], m->ids, n->ids, say, arg);
	return r;
}
