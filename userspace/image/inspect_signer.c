// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* inspect_signer.c - ccdm-image inspect: the manifest of the disk, and who signed it */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "inspect.h"
#include "log/enclave_difference.h"

static const char *inspect_state(enum ccdm_manifest_state state)
{
	switch (state) {
	case CCDM_MANIFEST_NONE:
		return "none";
	case CCDM_MANIFEST_INVALID:
		return "invalid";
	case CCDM_MANIFEST_OTHER:
		return "other-image";
	case CCDM_MANIFEST_PARTLY:
		return "other-ids";
	case CCDM_MANIFEST_SAME:
		return "this-image";
	default:
		return "unknown-image";
	}
}

static int inspect_add(const char *line, void *arg)
{
	json_t **lines = arg;

	ccdm_json_add(lines, json_string(line));
	return *lines ? 0 : -ENOMEM;
}

static int inspect_line(const char *line, void *arg)
{
	(void)arg;
	ccdm_ui_line("  %s", line);
	return 0;
}

/*
 * Compare each ID of the disk that the manifest does not list with the most similar one that it
 * lists.
 */
static int inspect_events(const struct ccdm_manifest_status *s,
			  int (*say)(const char *line, void *arg), void *arg)
{
	json_t *one;
	size_t i;
	int r;

	json_array_foreach(s->events, i, one)
	{
		r = ccdm_manifest_events(&s->manifest, json_string_value(one), say, arg);
		if (r)
			return r;
	}
	return 0;
}

json_t *inspect_signer_json(const struct ccdm_manifest_status *s)
{
	const struct ccdm_manifest *m = &s->manifest;
	json_t *o = json_pack("{s:s}", "state", inspect_state(s->state)), *lines;

	if (s->state == CCDM_MANIFEST_INVALID)
		ccdm_json_put(&o, "why", json_string(s->why));
	if (!m->ids)
		return o;
	ccdm_json_put(&o, "key", json_string(m->key));
	ccdm_json_put(&o, "product", json_string(m->product));
	ccdm_json_put(&o, "svn", json_integer(m->svn));
	ccdm_manifest_put(m, &o);
	ccdm_json_put(&o, "ids", json_incref(m->ids));
	if (s->state == CCDM_MANIFEST_OTHER || s->state == CCDM_MANIFEST_PARTLY) {
		lines = json_array();
		if (lines && inspect_events(s, inspect_add, &lines)) {
			json_decref(lines);
			lines = NULL;
		}
		ccdm_json_put(&o, "differences", lines);
	}
	return o;
}

int inspect_signer_print(const struct ccdm_manifest_status *s)
{
	const struct ccdm_manifest *m = &s->manifest;

	if (s->state == CCDM_MANIFEST_NONE)
		puts("manifest: none; the image is not signed");
	if (s->state == CCDM_MANIFEST_INVALID)
		ccdm_ui_line("manifest: invalid: %s", s->why);
	if (!m->ids)
		return 0;
	ccdm_ui_line("manifest: product %s, svn %" PRId64, m->product, m->svn);
	printf("  signer.key %s\n", m->key);
	if (m->base[0])
		ccdm_ui_line("  base %s, svn %" PRId64, m->base, m->base_svn);
	if (m->image[0])
		printf("  container image %s\n", m->image);
	if (!strcmp(m->logs, "console"))
		puts("  logs: the console: the host reads what the workload prints");
	else if (m->logs[0])
		printf("  logs: %s\n", m->logs);
	if (s->state == CCDM_MANIFEST_SAME)
		puts("  it lists the enclave IDs of this disk");
	else if (s->state == CCDM_MANIFEST_UNKNOWN)
		puts("  the enclave IDs of this disk are unknown, so they were not compared");
	else if (s->state == CCDM_MANIFEST_PARTLY)
		puts("  it lists only some of the enclave IDs of this disk, or others as well");
	else
		puts("  it lists no enclave ID of this disk: a broker does not accept it for this "
		     "image");
	if (s->state != CCDM_MANIFEST_OTHER && s->state != CCDM_MANIFEST_PARTLY)
		return 0;
	return inspect_events(s, inspect_line, NULL);
}
