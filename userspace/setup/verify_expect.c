// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verify_expect.c - ccdm-setup verify eventlog --expect: registers from a file or from a quote */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "verify.h"
#include "evidence/input.h"

void verify_expected_drop(struct verify_expected *expected)
{
	json_decref(expected->registers);
	free(expected->quote);
	memset(expected, 0, sizeof(*expected));
}

/* The TEE's name in the KBS protocol, from verify's name of the kind or else from the members. */
static const char *verify_expect_tee(const json_t *o, const char *kind)
{
	if (kind)
		return strcmp(kind, "azure") ? kind : "az-snp-vtpm";
	if (json_object_get(o, "tpm_quote"))
		return "tpm";
	return json_is_string(json_object_get(o, "quote")) ? "tdx" : NULL;
}

/* Set @source; its @tee stays NULL if the object is not evidence. */
static int verify_expect_source(json_t **o, struct ccdm_capture *capture,
				struct ccdm_offline_source *source, struct ccdm_err *err)
{
	const char *kind;
	int r = ccdm_input_unwrap(NULL, o, &kind, err);

	if (r)
		return r;
	if (!ccdm_capture_is(*o)) {
		*source = (struct ccdm_offline_source){ .tee = verify_expect_tee(*o, kind),
							.evidence = *o };
		return 0;
	}
	r = ccdm_capture_parse(*o, capture, err);
	*source = (struct ccdm_offline_source){ .tee = capture->tee,
						.evidence = capture->primary,
						.capture = capture };
	return r;
}

/*
 * Take the registers that the evidence proves: those of a TD, else those that a TPM's quote covers.
 * Values that only accompany a quote are never facts.
 */
static int verify_expect_registers(const char *file, const struct ccdm_proof *proof,
				   json_t **registers, struct ccdm_err *err)
{
	const json_t *rtmr = json_object_get(proof->facts, "rtmr");
	const json_t *pcr = json_object_get(proof->facts, "pcr");
	const char *index, *note;
	char name[16];
	json_t *value;

	if (!rtmr && !pcr) {
		note = json_string_value(json_array_get(proof->notes, 0));
		ccdm_err_hint(err, "a quote of a TPM or of TDX has registers");
		return ccdm_err_set(err, -EINVAL, "%s: the evidence proves no register%s%s", file,
				    note ? ": " : "", note ? note : "");
	}
	*registers = rtmr ? json_object() : json_deep_copy(pcr);
	json_object_foreach((json_t *)rtmr, index, value)
	{
		snprintf(name, sizeof(name), "rtmr%s", index);
		ccdm_json_put(registers, name, json_incref(value));
	}
	return *registers ? 0 : ccdm_err_memory(err);
}

/* Report the check that failed first. */
static int verify_expect_refused(const char *file, const struct ccdm_verdict *v,
				 struct ccdm_err *err)
{
	const struct ccdm_check *c = ccdm_verdict_failed(v);

	ccdm_err_hint(err, "to see every check, verify the quote alone");
	if (c)
		return ccdm_err_set(
			err, -EINVAL,
			"%s: the quote was refused, so the log was not compared: %s: found %.120s, "
			"expected %.120s",
			file, c->name, c->found, c->expected);
	return ccdm_err_set(err, -EINVAL, "%s: the quote was refused, so the log was not compared",
			    file);
}

static int verify_expect_quote(const struct verify_args *a, struct verify_input *in,
			       const struct ccdm_offline_source *source, struct ccdm_err *err)
{
	struct verify_expected *e = &in->expected;
	struct ccdm_proof proof = { 0 };
	int r;

	e->quote = calloc(1, sizeof(*e->quote));
	if (!e->quote)
		return ccdm_err_memory(err);
	e->quote->allow = a->trust.allow;
	e->only = a->registers;
	r = ccdm_offline_judge(source, &a->trust, &in->trust, e->quote, &proof, err);
	if (r == -EINVAL)
		ccdm_err_hint(err, "%s must be a quote, evidence with a quote, or registers",
			      a->expect);
	if (!r && !ccdm_verdict_accepted(e->quote))
		r = verify_expect_refused(a->expect, e->quote, err);
	else if (!r)
		r = verify_expect_registers(a->expect, &proof, &e->registers, err);
	ccdm_proof_drop(&proof);
	return r;
}

/*
 * Options, not the file, decide whether a quote is verified. With an option that verifies a quote,
 * a file that holds only registers is an error.
 */
static int verify_expect_judge(const struct verify_args *a, struct verify_input *in, json_t **o,
			       struct ccdm_err *err)
{
	struct ccdm_offline_source source = { 0 };
	struct ccdm_capture capture;
	int r = verify_expect_source(o, &capture, &source, err);

	if (r)
		return r;
	if (source.tee)
		return verify_expect_quote(a, in, &source, err);
	if (verify_has_trust(a))
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected a quote, found registers, which nothing signs",
				    a->expect);
	in->expected.registers = json_incref(*o);
	return 0;
}

int verify_expect(const struct verify_args *a, struct verify_input *in, struct ccdm_err *err)
{
	json_t *o = NULL;
	char *text;
	size_t size;
	int r = ccdm_input_file(a->expect, VERIFY_FILE_MAX, true, &text, &size, err);

	if (r)
		return r;
	r = ccdm_input_json(a->expect, text, size, &o, err);
	if (!r && !o && !verify_has_trust(a))
		r = ccdm_err_set(
			err, -EINVAL,
			"%s: expected an object of registers; for a quote, give the options that "
			"verify it",
			a->expect);
	else if (!r && !o)
		r = ccdm_input_quote(text, size, &o, err);
	if (!r)
		r = verify_expect_judge(a, in, &o, err);
	json_decref(o);
	free(text);
	return r;
}
