// SPDX-License-Identifier: Apache-2.0
/* cmd_verify.c - ccdm-setup verify KIND FILE */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../lib/bytes.h"
#include "../lib/eventlog.h"
#include "../lib/evidence.h"
#include "../lib/file.h"
#include "../lib/member.h"
#include "../lib/snp.h"
#include "../lib/tdx.h"
#include "setup.h"
#include "verify_input.h"
#include "verify_log.h"

#define VERIFY_FILE_MAX CCDM_TCGLOG_MAX /* bytes of evidence */

struct verify_args {
	const char *cert[CCDM_CERTS_MAX];
	unsigned int nr_certs;
	const char *chain;
	const char *crl;
	const char *root;
	const char *ak_root;
	const char *ak_usage;
	const char *ek_root;
	const char *collateral;
	const char *tcb_info;
	const char *qe_identity;
	const char *expect;
	const char *ccdm_log;
	const char *systemd_log;
	const char *paravisors;
	int64_t at;
	uint8_t report_data[64];
	size_t report_data_size;
	unsigned int allow;
	bool json;
};

/* What was read for it. */
struct verify_input {
	char *text;
	size_t size;
	json_t *json;
	struct ccdm_certs *certs;
	struct ccdm_certs *guest; /* over them: what raw evidence brings */
	const struct ccdm_cert *leaf;
	struct ccdm_anchor root;
	struct ccdm_anchor ak_root, ek_root;
	bool has_root, has_ak_root, has_ek_root;
	struct ccdm_collateral collateral;
	struct ccdm_banks *banks; /* of an event log */
	char *ccdm_log;
	char *systemd_log;
	struct ccdm_launches paravisors;
	struct ccdm_proof proof; /* of KBS evidence that was accepted */
};

enum {
	OPT_CERT = 256,
	OPT_CHAIN,
	OPT_CRL,
	OPT_ROOT,
	OPT_AK_ROOT,
	OPT_AK_USAGE,
	OPT_EK_ROOT,
	OPT_COLLATERAL,
	OPT_TCB_INFO,
	OPT_QE_IDENTITY,
	OPT_EXPECT,
	OPT_CCDM_LOG,
	OPT_SYSTEMD_LOG,
	OPT_PARAVISORS,
	OPT_AT,
	OPT_REPORT_DATA,
	OPT_ALLOW,
};

static const struct option verify_options[] = {
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "chain", required_argument, NULL, OPT_CHAIN },
	{ "crl", required_argument, NULL, OPT_CRL },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "ak-root", required_argument, NULL, OPT_AK_ROOT },
	{ "ak-usage", required_argument, NULL, OPT_AK_USAGE },
	{ "ek-root", required_argument, NULL, OPT_EK_ROOT },
	{ "collateral", required_argument, NULL, OPT_COLLATERAL },
	{ "tcb-info", required_argument, NULL, OPT_TCB_INFO },
	{ "qe-identity", required_argument, NULL, OPT_QE_IDENTITY },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	{ "ccdm-log", required_argument, NULL, OPT_CCDM_LOG },
	{ "systemd-log", required_argument, NULL, OPT_SYSTEMD_LOG },
	{ "paravisors", required_argument, NULL, OPT_PARAVISORS },
	{ "at", required_argument, NULL, OPT_AT },
	{ "report-data", required_argument, NULL, OPT_REPORT_DATA },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

/* ---- options --------------------------------------------------------------- */

static int verify_allow(char *words, unsigned int *allow)
{
	unsigned int bit;
	char *word;

	while ((word = strsep(&words, ", "))) {
		bit = ccdm_allow_word(word);
		if (!bit)
			return -EINVAL;
		*allow |= bit;
	}
	return 0;
}

static enum ccdm_exit verify_take(int option, void *arg)
{
	struct verify_args *a = arg;
	int r = 0;

	switch (option) {
	case OPT_CERT:
		if (a->nr_certs == CCDM_CERTS_MAX)
			return CCDM_EXIT_USAGE;
		a->cert[a->nr_certs++] = optarg;
		break;
	case OPT_CHAIN:
		a->chain = optarg;
		break;
	case OPT_CRL:
		a->crl = optarg;
		break;
	case OPT_ROOT:
		a->root = optarg;
		break;
	case OPT_AK_ROOT:
		a->ak_root = optarg;
		break;
	case OPT_AK_USAGE:
		a->ak_usage = optarg;
		r = ccdm_usage_valid(optarg) ? 0 : -EINVAL;
		break;
	case OPT_EK_ROOT:
		a->ek_root = optarg;
		break;
	case OPT_COLLATERAL:
		a->collateral = optarg;
		break;
	case OPT_TCB_INFO:
		a->tcb_info = optarg;
		break;
	case OPT_QE_IDENTITY:
		a->qe_identity = optarg;
		break;
	case OPT_EXPECT:
		a->expect = optarg;
		break;
	case OPT_CCDM_LOG:
		a->ccdm_log = optarg;
		break;
	case OPT_SYSTEMD_LOG:
		a->systemd_log = optarg;
		break;
	case OPT_PARAVISORS:
		a->paravisors = optarg;
		break;
	case OPT_AT:
		r = ccdm_ui_time(optarg, &a->at);
		break;
	case OPT_REPORT_DATA:
		a->report_data_size = strlen(optarg) / 2;
		r = a->report_data_size && a->report_data_size <= sizeof(a->report_data)
			    ? ccdm_unhex(optarg, a->report_data, a->report_data_size)
			    : -EINVAL;
		break;
	case OPT_ALLOW:
		r = verify_allow(optarg, &a->allow);
		break;
	case 'j':
		a->json = true;
		break;
	default:
		r = -EINVAL;
	}
	return r ? CCDM_EXIT_USAGE : CCDM_EXIT_OK;
}

/* ---- files ------------------------------------------------------------------- */

static int verify_collateral(const struct verify_args *a, struct verify_input *in,
			     struct ccdm_err *err)
{
	const char *const files[] = { a->collateral, a->tcb_info, a->qe_identity };
	char *text;
	size_t size, i;
	int r = 0;

	for (i = 0; !r && i < 3; i++) {
		if (!files[i])
			continue;
		r = ccdm_file_read(files[i], CCDM_COLLATERAL_MAX, &text, &size, err);
		if (r)
			break;
		if (i == 0)
			r = ccdm_collateral_bundle(files[i], text, size, &in->collateral, in->certs,
						   err);
		else if (i == 1)
			r = ccdm_collateral_tcb(files[i], text, size, &in->collateral, err);
		else
			r = ccdm_collateral_qe(files[i], text, size, &in->collateral, err);
		free(text);
	}
	return r;
}

static int verify_paravisors(const struct verify_args *a, struct verify_input *in,
			     struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r;

	if (!a->paravisors)
		return 0;
	r = ccdm_file_read(a->paravisors, CCDM_LAUNCHES_FILE, &text, &size, err);
	if (r)
		return r;
	r = ccdm_launches_parse(a->paravisors, text, size, &in->paravisors, err);
	free(text);
	return r;
}

static void verify_unload(struct verify_input *in)
{
	ccdm_certs_free(in->guest);
	ccdm_certs_free(in->certs);
	ccdm_collateral_drop(&in->collateral);
	ccdm_launches_drop(&in->paravisors);
	ccdm_proof_drop(&in->proof);
	free(in->banks);
	free(in->ccdm_log);
	free(in->systemd_log);
	json_decref(in->json);
	free(in->text);
}

/* ---- kinds --------------------------------------------------------------------- */

static struct ccdm_snp_want verify_snp_want(const struct verify_args *a,
					    const struct verify_input *in)
{
	return (struct ccdm_snp_want){
		.certs = in->guest,
		.leaf = in->leaf,
		.at = a->at,
		.anchors = in->has_root ? &in->root : NULL,
		.nr_anchors = 1,
		.report_data = a->report_data_size ? a->report_data : NULL,
		.report_data_size = a->report_data_size,
	};
}

static bool verify_has_collateral(const struct verify_args *a)
{
	return a->collateral || a->tcb_info || a->qe_identity;
}

static struct ccdm_tdx_want verify_tdx_want(const struct verify_args *a,
					    const struct verify_input *in)
{
	return (struct ccdm_tdx_want){
		.certs = in->guest,
		.collateral = verify_has_collateral(a) ? &in->collateral : NULL,
		.at = a->at,
		.anchors = in->has_root ? &in->root : NULL,
		.nr_anchors = 1,
		.report_data = a->report_data_size ? a->report_data : NULL,
		.report_data_size = a->report_data_size,
	};
}

/* What is not raw is as the KBS protocol carries it. */
static int verify_kbs(const char *tee, const struct verify_args *a, struct verify_input *in,
		      struct ccdm_verdict *v, struct ccdm_err *err)
{
	struct ccdm_trust trust = {
		.certs = in->certs,
		.leaf = in->leaf,
		.collateral = verify_has_collateral(a) ? &in->collateral : NULL,
		.at = a->at,
		.anchors = in->has_root ? &in->root : NULL,
		.nr_anchors = 1,
		.ak_anchors = in->has_ak_root ? &in->ak_root
			      : in->has_root  ? &in->root
					      : NULL,
		.ak_usages = &a->ak_usage,
		.nr_ak_anchors = 1,
		.ek_anchors = in->has_ek_root ? &in->ek_root : NULL,
		.nr_ek_anchors = 1,
		.paravisors = &in->paravisors,
		.genuine_only = !a->paravisors,
	};
	struct ccdm_bound bound = { a->report_data_size ? a->report_data : NULL,
				    a->report_data_size };

	return ccdm_evidence_judge(tee, in->json, &trust, &bound, v, &in->proof, err);
}

static int verify_snp(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		      struct ccdm_err *err)
{
	struct ccdm_snp_want want = verify_snp_want(a, in);
	struct ccdm_snp snp;
	int r;

	if (in->json)
		return verify_kbs("snp", a, in, v, err);
	r = ccdm_snp_parse(in->text, in->size, &snp, err);
	if (!r && !want.leaf)
		want.leaf = ccdm_snp_leaf(in->certs, &snp);
	return r ? r : ccdm_snp_verify(&snp, &want, v);
}

static int verify_tdx(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		      struct ccdm_err *err)
{
	struct ccdm_tdx_want want = verify_tdx_want(a, in);
	struct ccdm_tdx tdx;
	int r;

	if (in->json)
		return verify_kbs("tdx", a, in, v, err);
	r = ccdm_tdx_parse(in->text, in->size, &tdx, err);
	return r ? r : ccdm_tdx_verify(&tdx, &want, v, err);
}

static int verify_tpm(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		      struct ccdm_err *err)
{
	return verify_kbs("tpm", a, in, v, err);
}

/* The HCL report says whether it is SNP or TDX. */
static int verify_azure(const struct verify_args *a, struct verify_input *in,
			struct ccdm_verdict *v, struct ccdm_err *err)
{
	return verify_kbs("az-snp-vtpm", a, in, v, err);
}

/* All logs against the registers that are expected. */
static int verify_logs(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		       struct ccdm_err *err)
{
	struct ccdm_bootlog log = { .firmware = in->text, .firmware_size = in->size };
	int r = 0;

	if (a->ccdm_log)
		r = ccdm_file_read(a->ccdm_log, CCDM_EVENTLOG_MAX, &in->ccdm_log, &log.ccdm_size,
				   err);
	if (!r && a->systemd_log)
		r = ccdm_file_read(a->systemd_log, CCDM_EVENTLOG_MAX, &in->systemd_log,
				   &log.systemd_size, err);
	log.ccdm = in->ccdm_log;
	log.systemd = in->systemd_log;
	if (!r)
		r = verify_log_expect(a->expect, &log, in->banks, v, &in->proof, err);
	v->complete = !r;
	/* A log that does not lead to its registers says nothing. */
	if (r || !ccdm_verdict_accepted(v))
		ccdm_proof_drop(&in->proof);
	else if (json_array_append_new(
			 in->proof.notes,
			 json_string("true if the registers are those of the machine: "
				     "a quote proves that, not the logs")))
		r = ccdm_err_set(err, -ENOMEM, "out of memory");
	return r;
}

static int verify_eventlog(const struct verify_args *a, struct verify_input *in,
			   struct ccdm_verdict *v, struct ccdm_err *err)
{
	int r;

	if (!a->expect && (a->ccdm_log || a->systemd_log))
		return ccdm_err_set(err, -ENODATA,
				    "not proved: logs alone prove nothing; give the registers of a "
				    "quote with --expect");
	in->banks = calloc(1, sizeof(*in->banks));
	if (!in->banks)
		return ccdm_err_set(err, -ENOMEM, "out of memory");
	r = ccdm_tcglog_replay(in->text, in->size, in->banks, err);
	if (!r && a->expect)
		return verify_logs(a, in, v, err);
	v->complete = !r;
	return r;
}

static const struct verify_kind {
	const char *name;
	const char *what; /* that FILE must be */
	bool json;	  /* and nothing else */
	bool text;	  /* or hex or base64 of raw bytes */
	int (*verify)(const struct verify_args *a, struct verify_input *in, struct ccdm_verdict *v,
		      struct ccdm_err *err);
} verify_kinds[] = {
	{ "snp", "a raw report, or KBS evidence of SNP", false, true, verify_snp },
	{ "tdx", "a raw quote, or KBS evidence of TDX", false, true, verify_tdx },
	{ "tpm", "KBS evidence of a TPM", true, false, verify_tpm },
	{ "azure", "KBS evidence of Azure's vTPM", true, false, verify_azure },
	{ "eventlog", "an event log of firmware or of a confidential guest", false, false,
	  verify_eventlog },
};

/* ---- loading ---------------------------------------------------------------------- */

/* A single certificate is the leaf. Of several, the one that fits the evidence is. */
static int verify_certs(const struct verify_args *a, struct verify_input *in, struct ccdm_err *err)
{
	const struct ccdm_cert *first;
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < a->nr_certs; i++)
		r = verify_input_certs(in->certs, a->cert[i], &first, err);
	if (!r && a->nr_certs == 1)
		in->leaf = first;
	return r;
}

static int verify_root(struct verify_input *in, const char *file, struct ccdm_anchor *anchor,
		       bool *has, struct ccdm_err *err)
{
	const struct ccdm_cert *root = NULL;
	int r = verify_input_certs(in->certs, file, &root, err);

	if (!r && root) {
		*has = true;
		anchor->name = file;
		r = ccdm_cert_fingerprint(root, anchor->sha256);
	}
	return r;
}

/* The evidence as an object, or as the raw bytes that its kind has. */
static int verify_evidence(const struct verify_kind *kind, const char *file,
			   struct verify_input *in, struct ccdm_err *err)
{
	json_error_t where;
	int r;

	r = ccdm_file_read(file, VERIFY_FILE_MAX, &in->text, &in->size, err);
	if (r)
		return r;
	if (in->size && in->text[strspn(in->text, " \t\r\n")] == '{') {
		in->json = json_loadb(in->text, in->size, JSON_REJECT_DUPLICATES, &where);
		if (!in->json)
			return ccdm_err_set(err, -EINVAL, "%s: line %d: %s", file, where.line,
					    where.text);
		return verify_input_unwrap(kind->name, &in->json, err);
	}
	if (kind->text)
		r = verify_input_text(&in->text, &in->size);
	if (r)
		return ccdm_err_set(err, r, "out of memory");
	return kind->verify == verify_snp ? verify_input_table(in->text, in->size, &in->json, err)
					  : 0;
}

static int verify_load(const struct verify_kind *kind, const struct verify_args *a,
		       const char *file, struct verify_input *in, struct ccdm_err *err)
{
	int r;

	in->certs = ccdm_certs_own(NULL);
	in->guest = ccdm_certs_guest(in->certs);
	if (!in->certs || !in->guest)
		return ccdm_err_set(err, -ENOMEM, "out of memory");
	r = verify_evidence(kind, file, in, err);
	if (!r)
		r = verify_certs(a, in, err);
	if (!r)
		r = verify_input_certs(in->certs, a->chain, NULL, err);
	if (!r)
		r = verify_input_certs(in->certs, a->crl, NULL, err);
	if (!r)
		r = verify_root(in, a->root, &in->root, &in->has_root, err);
	if (!r)
		r = verify_root(in, a->ak_root, &in->ak_root, &in->has_ak_root, err);
	if (!r)
		r = verify_root(in, a->ek_root, &in->ek_root, &in->has_ek_root, err);
	if (!r)
		r = verify_collateral(a, in, err);
	if (!r)
		r = verify_paravisors(a, in, err);
	return r;
}

/* ---- the verb ------------------------------------------------------------------- */

/* What accepted evidence proves, in the words of policies. */
static void verify_facts(const struct ccdm_proof *proof)
{
	static const char *const names[] = { "binding", "phase" };
	json_t *one;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
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

	if (o && in->proof.facts) {
		ccdm_member_put(&o, "facts", json_incref(in->proof.facts));
		ccdm_member_put(&o, "notes", json_incref(in->proof.notes));
	}
	return o;
}

static enum ccdm_exit verify_print(const struct verify_args *a, const struct verify_input *in,
				   const struct ccdm_verdict *v)
{
	bool accepted = ccdm_verdict_accepted(v);
	enum ccdm_exit e = CCDM_EXIT_OK;
	unsigned int i;

	if (a->json) {
		e = ccdm_setup_print(verify_json(in, v));
	} else {
		for (i = 0; i < v->count; i++) {
			const struct ccdm_check *c = &v->check[i];

			printf("%-7s %-20s %s; expected %s\n",
			       c->allowed  ? "allowed"
			       : c->passed ? "ok"
					   : "FAILED",
			       c->name, c->found, c->expected);
		}
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
		r = ccdm_err_set(err, -EINVAL, "%s: no JSON object", file);
	else
		r = kind->verify(a, in, v, err);
	if (r == -EINVAL && !err->hint[0])
		ccdm_err_hint(err, "%s must be %s", file, kind->what);
	return r;
}

enum ccdm_exit cmd_verify(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct verify_args a = { .at = time(NULL) };
	struct verify_input in = { 0 };
	const struct verify_kind *kind = NULL;
	struct ccdm_err err = { 0 };
	struct ccdm_verdict *v;
	enum ccdm_exit e;
	bool over;
	size_t i;
	int r;

	e = ccdm_setup_options(verb, argc, argv, verify_options, verify_take, &a, 2, 2, &over);
	if (over)
		return e;
	for (i = 0; i < sizeof(verify_kinds) / sizeof(verify_kinds[0]); i++)
		if (!strcmp(argv[optind], verify_kinds[i].name))
			kind = &verify_kinds[i];
	if (!kind)
		return ccdm_setup_usage(
			verb, "the kind of evidence is one of: snp, tdx, tpm, azure, eventlog");
	v = calloc(1, sizeof(*v));
	if (!v)
		return ccdm_setup_memory();
	v->allow = a.allow;
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
