// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verify_evidence.c - ccdm-image verify --evidence: does this machine run the image of the disk? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "image/evidence_check.h"
#include "verify.h"

static int verify_add(const char *line, void *arg)
{
	json_t **lines = arg;

	ccdm_json_add(lines, json_string(line));
	return *lines ? 0 : -ENOMEM;
}

static int verify_line(const char *line, void *arg)
{
	(void)arg;
	ccdm_ui_line("  %s", line);
	return 0;
}

static const char *verify_image(enum ccdm_evidence_image image)
{
	return image == CCDM_EVIDENCE_THIS_IMAGE    ? "this-image"
	       : image == CCDM_EVIDENCE_OTHER_IMAGE ? "other-image"
						    : "not-proved";
}

static json_t *verify_object(const struct ccdm_evidence_check *c)
{
	json_t *o = ccdm_verdict_json(&c->verdict), *lines = json_array();

	ccdm_json_put(&o, "image", json_string(verify_image(c->image)));
	if (c->why[0])
		ccdm_json_put(&o, "why", json_string(c->why));
	if (c->proof.facts) {
		ccdm_json_put(&o, "facts", json_incref(c->proof.facts));
		ccdm_json_put(&o, "notes", json_incref(c->proof.notes));
	}
	if (c->image == CCDM_EVIDENCE_OTHER_IMAGE) {
		if (lines && ccdm_evidence_differences(c, verify_add, &lines)) {
			json_decref(lines);
			lines = NULL;
		}
		ccdm_json_put(&o, "differences", json_incref(lines));
	}
	json_decref(lines);
	return o;
}

static const char *verify_fact(const json_t *facts, const char *name)
{
	const char *text = json_string_value(json_object_get(facts, name));

	return text ? text : "";
}

/* Facts that are not part of the verdict, and that a person who relies on it must know. */
static void verify_facts(const struct ccdm_proof *proof)
{
	static const char *const names[] = { "tee", "binding", "phase" };
	const json_t *signer = json_object_get(proof->facts, "signer");
	json_t *one;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (json_object_get(proof->facts, names[i]))
			ccdm_ui_line("%s %s", names[i], verify_fact(proof->facts, names[i]));
	if (!strcmp(verify_fact(proof->facts, "binding"), "tpm-only"))
		puts("note: a TPM alone proves no confidential VM: its host can read all of it");
	if (!strcmp(verify_fact(proof->facts, "tee"), "tdx"))
		ccdm_ui_line(
			"note: the firmware fills the registers: compare its MRTD with that of "
			"your firmware: %s",
			verify_fact(proof->facts, "measurement"));
	json_array_foreach(json_object_get(proof->facts, "enclave-id"), i, one)
		ccdm_ui_line("enclave-id %s", json_string_value(one));
	if (signer)
		ccdm_ui_line("signer %s, product %s, svn %" PRId64, verify_fact(signer, "key"),
			     verify_fact(signer, "product"),
			     (int64_t)json_integer_value(json_object_get(signer, "svn")));
	json_array_foreach(proof->notes, i, one) ccdm_ui_line("note: %s", json_string_value(one));
}

static int verify_print(const struct ccdm_evidence_check *c)
{
	ccdm_ui_checks(&c->verdict);
	if (!ccdm_verdict_accepted(&c->verdict)) {
		puts("refused");
		return 0;
	}
	verify_facts(&c->proof);
	if (c->image == CCDM_EVIDENCE_THIS_IMAGE)
		puts("accepted: the machine runs the image of this disk");
	else if (c->image == CCDM_EVIDENCE_NOT_PROVED)
		ccdm_ui_line("not proved that the machine runs this image: %s", c->why);
	else
		puts("refused: the machine runs another image");
	if (c->image != CCDM_EVIDENCE_OTHER_IMAGE)
		return 0;
	return ccdm_evidence_differences(c, verify_line, NULL);
}

static int verify_launches(const struct verify_evidence_args *a, const struct ccdm_bootable *b,
			   json_t **launches, struct ccdm_err *err)
{
	int r;

	if (!a->launches.firmware)
		return 0;
	r = ccdm_image_launches_proving(&a->launches, b, launches, err);
	if (!r && !json_array_size(*launches))
		r = ccdm_err_set(err, -EINVAL, "%s: its launch digests do not prove the image",
				 a->launches.firmware);
	return r;
}

enum ccdm_exit verify_evidence(const struct verify_evidence_args *a,
			       const struct ccdm_image_disk *disk)
{
	struct ccdm_evidence_check *c = calloc(1, sizeof(*c));
	enum ccdm_exit e = CCDM_EXIT_OK;
	struct ccdm_err err = { 0 };
	json_t *launches = NULL;
	int r = c ? verify_launches(a, &disk->boot, &launches, &err) : ccdm_err_memory(&err);

	if (!r) {
		c->verdict.allow = a->files.allow;
		r = ccdm_evidence_check(&disk->boot, launches, a->file, a->nonce, &a->files, c,
					&err);
	}
	if (!r && a->json)
		e = ccdm_image_print(verify_object(c));
	else if (!r)
		r = verify_print(c);
	if (r)
		e = ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	if (!e && c &&
	    (!ccdm_verdict_accepted(&c->verdict) || c->image != CCDM_EVIDENCE_THIS_IMAGE))
		e = CCDM_EXIT_REFUSED;
	if (c)
		ccdm_evidence_check_drop(c);
	free(c);
	json_decref(launches);
	return e;
}
