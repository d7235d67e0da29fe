// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_verify.c - ccdm-setup verify KIND FILE */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/compiler.h"
#include "base/file.h"
#include "base/json.h"
#include "setup.h"
#include "verify.h"
#include "evidence/input.h"
#include "verify_log.h"

/* ---- files ------------------------------------------------------------------- */

static void verify_unload(struct verify_input *in)
{
	ccdm_offline_drop(&in->trust);
	verify_expected_drop(&in->expected);
	ccdm_proof_drop(&in->proof);
	free(in->banks);
	free(in->ccdm_log);
	free(in->systemd_log);
	json_decref(in->json);
	free(in->text);
}

/* Read the evidence: a JSON object, or the raw bytes of its kind. */
static int verify_evidence(const struct verify_kind *kind, const char *file,
			   struct verify_input *in, struct ccdm_err *err)
{
	const char *found;
	int r = ccdm_input_file(file, VERIFY_FILE_MAX, kind->text, &in->text, &in->size, err);

	if (!r)
		r = ccdm_input_json(file, in->text, in->size, &in->json, err);
	if (r)
		return r;
	if (in->json)
		r = ccdm_input_unwrap(kind->name, &in->json, &found, err);
	if (!r && ccdm_capture_is(in->json)) {
		r = ccdm_capture_parse(in->json, &in->capture, err);
		in->captured = !r;
	}
	if (r || in->json)
		return r;
	return kind->table ? ccdm_input_table(in->text, in->size, &in->json, err) : 0;
}

static int verify_load(const struct verify_kind *kind, const struct verify_args *a,
		       const char *file, struct verify_input *in, struct ccdm_err *err)
{
	int r = verify_evidence(kind, file, in, err);

	return r ? r : ccdm_offline_load(&a->trust, &in->trust, err);
}

/* ---- the verb ------------------------------------------------------------------- */

/* Print what accepted evidence proves, in the terms of policies. */
static void verify_facts(const struct ccdm_proof *proof)
{
	static const char *const names[] = { "binding", "phase" };
	json_t *one;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (json_object_get(proof->facts, names[i]))
			ccdm_ui_line("%s %s", names[i],
				     json_string_value(json_object_get(proof->facts, names[i])));
	json_array_foreach(json_object_get(proof->facts, "enclave-id"), i, one)
		ccdm_ui_line("enclave-id %s", json_string_value(one));
	json_array_foreach(proof->notes, i, one) ccdm_ui_line("note: %s", json_string_value(one));
}

static json_t *verify_json(const struct verify_input *in, const struct ccdm_verdict *v)
{
	json_t *o = ccdm_verdict_json(v);

	if (in->expected.quote)
		ccdm_json_put(&o, "quote", ccdm_verdict_json(in->expected.quote));
	if (o && in->proof.facts) {
		ccdm_json_put(&o, "facts", json_incref(in->proof.facts));
		ccdm_json_put(&o, "notes", json_incref(in->proof.notes));
	}
	return o;
}

static enum ccdm_exit verify_print(const struct verify_args *a, const struct verify_input *in,
				   const struct ccdm_verdict *v)
{
	bool accepted = ccdm_verdict_accepted(v);
	enum ccdm_exit e = CCDM_EXIT_OK;

	if (a->json) {
		e = ccdm_setup_print(verify_json(in, v));
	} else {
		if (in->expected.quote)
			ccdm_ui_checks(in->expected.quote);
		ccdm_ui_checks(v);
		if (in->proof.facts)
			verify_facts(&in->proof);
		puts(accepted ? "accepted" : "refused");
	}
	return e ? e : accepted ? CCDM_EXIT_OK : CCDM_EXIT_REFUSED;
}

static int verify_judge(const struct verify_kind *kind, const char *file,
			const struct verify_args *a, struct verify_input *in,
			struct ccdm_verdict *v, struct ccdm_err *err)
{
	int r;

	if (kind->json && !in->json)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a JSON object, found none", file);
	else
		r = kind->verify(a, in, v, err);
	if (r == -EINVAL && !err->hint[0])
		ccdm_err_hint(err, "%s must be %s", file, kind->what);
	return r;
}

static enum ccdm_exit cmd_verify(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct verify_args a = { .trust.at = time(NULL) };
	struct verify_input in = { 0 };
	const struct verify_kind *kind;
	struct ccdm_err err = { 0 };
	struct ccdm_verdict *v;
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, verify_take, &a, &over);
	if (over)
		return e;
	kind = verify_kind(argv[optind]);
	if (!kind)
		return ccdm_setup_usage(verb,
					"KIND: expected one of: snp, tdx, tpm, azure, eventlog");
	v = calloc(1, sizeof(*v));
	if (!v)
		return ccdm_setup_memory();
	v->allow = a.trust.allow;
	r = verify_load(kind, &a, argv[optind + 1], &in, &err);
	if (!r)
		r = verify_judge(kind, argv[optind + 1], &a, &in, v, &err);
	if (r)
		e = ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	else if (in.banks && !a.expect)
		e = verify_log_print(in.banks, a.json);
	else
		e = verify_print(&a, &in, v);
	verify_unload(&in);
	free(v);
	return e;
}

const struct ccdm_setup_verb ccdm_verb_verify = {
	.verb = { .name = "verify",
		  .usage = "KIND FILE",
		  .summary = "check that evidence is genuine, and of the expected guest",
		  .intro = "  KIND is one of the following; FILE may be gzip'ed:\n"
			   "  snp, tdx     a report or quote: raw, hex, base64, or KBS evidence in "
			   "JSON\n"
			   "  tpm, azure   KBS evidence in JSON\n"
			   "  eventlog     an event log of firmware or of a confidential guest\n",
		  .text = "Exit code: 0 if the evidence is accepted, 7 if it is refused, 1 if it "
			  "cannot be read.\n",
		  .options = verify_options,
		  .offer = "snp tdx tpm azure eventlog|@file",
		  .min_args = 2,
		  .max_args = 2 },
	.run = cmd_verify,
};
