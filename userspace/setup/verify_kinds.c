// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verify_kinds.c - ccdm-setup verify: one function for each kind of evidence */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "log/eventlog.h"
#include "verify.h"
#include "evidence/input.h"
#include "verify_log.h"

/* Verify evidence in the form of the KBS protocol, or a capture. */
static int verify_json(const char *tee, const struct verify_args *a, struct verify_input *in,
		       struct ccdm_verdict *v, struct ccdm_err *err)
{
	struct ccdm_offline_source source = { .tee = tee, .evidence = in->json };

	if (in->captured)
		source = (struct ccdm_offline_source){ .tee = in->capture.tee,
						       .evidence = in->capture.primary,
						       .capture = &in->capture };
	return ccdm_offline_judge(&source, &a->trust, &in->trust, v, &in->proof, err);
}

static int verify_snp(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		      struct ccdm_err *err)
{
	struct ccdm_offline_source source = { .report = in->text, .report_size = in->size };

	return in->json ? verify_json("snp", a, in, v, err)
			: ccdm_offline_judge(&source, &a->trust, &in->trust, v, &in->proof, err);
}

static int verify_tdx(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		      struct ccdm_err *err)
{
	int r = in->json ? 0 : ccdm_input_quote(in->text, in->size, &in->json, err);

	return r ? r : verify_json("tdx", a, in, v, err);
}

static int verify_tpm(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		      struct ccdm_err *err)
{
	return verify_json("tpm", a, in, v, err);
}

/* The HCL report itself tells whether it is of SNP or of TDX. */
static int verify_azure(const struct verify_args *a, struct verify_input *in,
			struct ccdm_verdict *v, struct ccdm_err *err)
{
	return verify_json("az-snp-vtpm", a, in, v, err);
}

/* Compare all logs with the expected registers. */
static int verify_logs(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		       struct ccdm_err *err)
{
	struct ccdm_bootlog log = { .firmware = in->text, .firmware_size = in->size };
	int r = 0;

	if (a->ccdm_log)
		r = ccdm_input_file(a->ccdm_log, CCDM_EVENTLOG_MAX, true, &in->ccdm_log,
				    &log.ccdm_size, err);
	if (!r && a->systemd_log)
		r = ccdm_input_file(a->systemd_log, CCDM_EVENTLOG_MAX, true, &in->systemd_log,
				    &log.systemd_size, err);
	log.ccdm = in->ccdm_log;
	log.systemd = in->systemd_log;
	if (!r)
		r = verify_log_expect(&in->expected, &log, in->banks, v, &in->proof, err);
	v->complete = !r;
	/* A log that does not replay to its registers proves nothing. */
	if (r || !ccdm_verdict_accepted(v))
		ccdm_proof_drop(&in->proof);
	else if (
		json_array_append_new(
			in->proof.notes,
			json_string(
				in->expected.quote
					? "the registers come from a quote, which was verified"
					: "this holds only if the registers are the machine's; a quote proves that, "
					  "the logs do not")))
		r = ccdm_err_memory(err);
	return r;
}

static int verify_eventlog(const struct verify_args *a, struct verify_input *in,
			   struct ccdm_verdict *v, struct ccdm_err *err)
{
	int r;

	if (!a->expect && (a->ccdm_log || a->systemd_log))
		return ccdm_err_set(
			err, -ENODATA,
			"not proved: logs alone prove nothing; give a quote or its registers with "
			"--expect");
	if (a->registers && !a->expect)
		return ccdm_err_set(
			err, -ENODATA,
			"--registers selects registers of a quote; give the quote with --expect");
	in->banks = calloc(1, sizeof(*in->banks));
	if (!in->banks)
		return ccdm_err_memory(err);
	r = ccdm_tcglog_replay(in->text, in->size, in->banks, err);
	if (!r && a->expect)
		r = verify_expect(a, in, err);
	if (!r && a->expect)
		return verify_logs(a, in, v, err);
	v->complete = !r;
	return r;
}

static const struct verify_kind verify_kinds[] = {
	{ "snp", "a raw report, or KBS evidence of SNP", false, true, true, verify_snp },
	{ "tdx", "a raw quote, or KBS evidence of TDX", false, true, false, verify_tdx },
	{ "tpm", "KBS evidence of a TPM", true, false, false, verify_tpm },
	{ "azure", "KBS evidence of Azure's vTPM", true, false, false, verify_azure },
	{ "eventlog", "an event log of firmware or of a confidential guest", false, true, false,
	  verify_eventlog },
};

const struct verify_kind *verify_kind(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verify_kinds); i++)
		if (!strcmp(name, verify_kinds[i].name))
			return &verify_kinds[i];
	return NULL;
}
