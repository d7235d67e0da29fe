// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* evidence_check.c - see evidence_check.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "evidence/input.h"
#include "evidence_check.h"
#include "log/enclave_difference.h"
#include "log/tcglog.h"
#include "manifest_disk.h"

/* ---- the evidence --------------------------------------------------------------------- */

static int ccdm_evidence_read(const char *file, json_t **o, struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r = ccdm_input_file(file, CCDM_TCGLOG_MAX, false, &text, &size, err);

	*o = NULL;
	if (r)
		return r;
	r = ccdm_input_json(file, text, size, o, err);
	free(text);
	if (!r && !ccdm_capture_is(*o)) {
		ccdm_err_hint(err, "collect it in the VM: ccdm-setup evidence --nonce NONCE");
		r = ccdm_err_set(err, -EINVAL,
				 "%s: expected JSON with the member tee-evidence, as ccdm-setup "
				 "evidence prints it",
				 file);
	}
	return r;
}

static const char *ccdm_evidence_nonce(const json_t *o)
{
	const char *nonce =
		json_string_value(json_object_get(json_object_get(o, "runtime-data"), "nonce"));

	return nonce ? nonce : "";
}

static int ccdm_evidence_judged(json_t *o, const char *nonce,
				const struct ccdm_offline_files *files,
				struct ccdm_evidence_check *c, struct ccdm_err *err)
{
	struct ccdm_offline_source source = { 0 };
	struct ccdm_offline trust = { 0 };
	struct ccdm_capture capture;
	int r = ccdm_capture_parse(o, &capture, err);

	if (!r)
		r = ccdm_offline_load(files, &trust, err);
	if (!r) {
		/* (the other checks verify that the evidence contains it) */
		ccdm_verdict_add(&c->verdict, "nonce",
				 capture.has_nonce && !strcmp(ccdm_evidence_nonce(o), nonce), 0,
				 nonce, "%s", capture.has_nonce ? ccdm_evidence_nonce(o) : "none");
		source.tee = capture.tee;
		source.evidence = capture.primary;
		source.capture = &capture;
		r = ccdm_offline_judge(&source, files, &trust, &c->verdict, &c->proof, err);
	}
	ccdm_offline_drop(&trust);
	return r;
}

/* ---- the image ------------------------------------------------------------------------- */

/* True if one of @found is in @list. */
static bool ccdm_evidence_listed(const json_t *list, const json_t *found)
{
	json_t *a, *b;
	size_t i, k;

	json_array_foreach((json_t *)list, i, a)
	{
		json_array_foreach((json_t *)found, k, b) if (json_equal(a, b)) return true;
	}
	return false;
}

static void ccdm_evidence_compare(const json_t *launches, struct ccdm_evidence_check *c,
				  const char *unknown)
{
	const json_t *found = json_object_get(c->proof.facts, "enclave-id");
	const char *tee = json_string_value(json_object_get(c->proof.facts, "tee"));
	const char *platform =
		c->proof.id_text ? ccdm_enclave_text_platform(c->proof.id_text) : tee;
	const char *note = json_string_value(json_array_get(c->proof.notes, 0));
	const json_t *mine = json_object_get(c->ids, platform ? platform : "");

	if (!json_array_size(found)) {
		snprintf(c->why, sizeof(c->why), "the evidence proves no enclave ID: %.500s",
			 note ? note : "it has no log");
		return;
	}
	/* without a text it is SNP's launch digest */
	if (!c->proof.id_text && !json_array_size(launches)) {
		snprintf(c->why, sizeof(c->why),
			 "the evidence proves only a launch digest; to compare it, give the "
			 "firmware with --firmware");
		return;
	}
	if (c->proof.id_text && !json_array_size(mine)) {
		snprintf(c->why, sizeof(c->why), "the enclave ID of the disk is unknown: %.500s",
			 unknown);
		return;
	}
	c->image = ccdm_evidence_listed(c->proof.id_text ? mine : launches, found)
			   ? CCDM_EVIDENCE_THIS_IMAGE
			   : CCDM_EVIDENCE_OTHER_IMAGE;
}

int ccdm_evidence_check(const struct ccdm_bootable *b, const json_t *launches, const char *file,
			const char *nonce, const struct ccdm_offline_files *files,
			struct ccdm_evidence_check *c, struct ccdm_err *err)
{
	char unknown[600];
	json_t *o;
	int r = ccdm_evidence_read(file, &o, err);

	if (!r)
		r = ccdm_manifest_predict(b, &c->ids, &c->events, unknown, sizeof(unknown), err);
	if (!r)
		r = ccdm_evidence_judged(o, nonce, files, c, err);
	if (!r && ccdm_verdict_accepted(&c->verdict))
		ccdm_evidence_compare(launches, c, unknown);
	json_decref(o);
	return r;
}

void ccdm_evidence_check_drop(struct ccdm_evidence_check *c)
{
	ccdm_proof_drop(&c->proof);
	json_decref(c->ids);
	json_decref(c->events);
	memset(c, 0, sizeof(*c));
}

int ccdm_evidence_differences(const struct ccdm_evidence_check *c,
			      int (*say)(const char *line, void *arg), void *arg)
{
	const struct ccdm_manifest mine = { .events = c->events };
	const char *nearest;
	unsigned int count;
	int r;

	if (!c->proof.id_text)
		return 0;
	r = ccdm_manifest_nearest(&mine, c->proof.id_text, &nearest, &count);
	return r || !nearest ? r
			     : ccdm_enclave_difference(nearest, c->proof.id_text, say, arg, &count);
}
