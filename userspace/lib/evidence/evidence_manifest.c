// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* evidence_manifest.c - judging evidence: the builder's manifest of the image */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "evidence_judging.h"
#include "log/enclave_difference.h"
#include "manifest.h"

#define LINES 8 /* events that differ, in notes: an audit log keeps them */

/* Does the manifest list this image, for the TEE or for the TPM that measured it? */
static bool ccdm_manifest_fits(const struct ccdm_manifest *m, const json_t *facts)
{
	const json_t *ids = json_object_get(facts, "enclave-id");
	const char *tee = json_string_value(json_object_get(facts, "tee"));

	return (tee && ccdm_manifest_lists(m, tee, ids)) ||
	       (json_object_get(facts, "pcr") && ccdm_manifest_lists(m, "tpm", ids));
}

static int ccdm_manifest_signer(const struct ccdm_manifest *m, json_t *facts)
{
	json_t *signer = json_pack("{s:s, s:s, s:I}", "key", m->key, "product", m->product, "svn",
				   (json_int_t)m->svn);
	int r = signer ? 0 : -ENOMEM;

	if (!r && m->base[0] &&
	    (json_object_set_new(signer, "base", json_string(m->base)) ||
	     json_object_set_new(signer, "base-svn", json_integer(m->base_svn))))
		r = -ENOMEM;
	if (!r && json_object_set(facts, "signer", signer))
		r = -ENOMEM;
	json_decref(signer);
	return r;
}

/* ---- why it is another image ---------------------------------------------------------------- */

/* Lines that are said, and where they go. */
struct ccdm_manifest_lines {
	json_t *notes;
	unsigned int count;
};

static int ccdm_manifest_line(const char *line, void *arg)
{
	struct ccdm_manifest_lines *l = arg;

	if (l->count++ == LINES)
		return 1;
	return json_array_append_new(l->notes, json_sprintf("the manifest's image: %s", line))
		       ? -ENOMEM
		       : 0;
}

/* Event by event, if the manifest has the text of an ID of this platform and bank. */
static int ccdm_manifest_explain(const struct ccdm_manifest *m, const struct ccdm_proof *proof)
{
	struct ccdm_manifest_lines lines = { .notes = proof->notes };
	unsigned int count, again;
	const char *nearest;
	int r;

	if (!proof->id_text)
		return 0;
	r = ccdm_manifest_nearest(m, proof->id_text, &nearest, &count);
	if (!r && nearest)
		r = ccdm_enclave_difference(nearest, proof->id_text, ccdm_manifest_line, &lines,
					    &again);
	if (r < 0)
		return r;
	if (count <= LINES)
		return 0;
	return json_array_append_new(
		       proof->notes,
		       json_sprintf("the manifest's image: %u more events differ", count - LINES))
		       ? -ENOMEM
		       : 0;
}

static int ccdm_manifest_other(const struct ccdm_manifest *m, const struct ccdm_proof *proof)
{
	char product[sizeof(m->product)];
	json_t *note;

	/* (it is anybody's text) */
	memcpy(product, m->product, sizeof(product));
	ccdm_err_plain(product);
	note = json_sprintf("the manifest of product %s, svn %" PRId64
			    ", key %.16s..., does not list this image; no signer",
			    product, m->svn, m->key);
	if (json_array_append_new(proof->notes, note))
		return -ENOMEM;
	return ccdm_manifest_explain(m, proof);
}

/*
 * If the evidence has a manifest that lists this image, name its signer. The signer is not trusted
 * by itself: a policy must name its key.
 */
int ccdm_judged_manifest(const struct ccdm_judging *j)
{
	const json_t *value = json_object_get(j->evidence, "manifest");
	struct ccdm_manifest m;
	int r;

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return ccdm_err_set(j->err, -EINVAL, "manifest: expected a string");
	r = ccdm_manifest_read(json_string_value(value), &m, j->err);
	if (r == -EINVAL)
		r = json_array_append_new(j->proof->notes,
					  json_sprintf("%s; no signer", j->err->text))
			    ? -ENOMEM
			    : 0;
	/* coverage: no memory */
	else if (!r && !ccdm_manifest_fits(&m, j->proof->facts))
		r = ccdm_manifest_other(&m, j->proof);
	/* coverage: no memory */
	else if (!r)
		r = ccdm_manifest_signer(&m, j->proof->facts);
	ccdm_manifest_drop(&m);
	return r;
}
