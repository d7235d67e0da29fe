// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* offline.c - see offline.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/ui.h"
#include "input.h"
#include "offline.h"

/* ---- options ------------------------------------------------------------------- */

static int ccdm_offline_allow(char *words, unsigned int *allow)
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

static int ccdm_offline_report_data(const char *hex, struct ccdm_offline_files *f)
{
	f->report_data_size = strlen(hex) / 2;
	if (!f->report_data_size || f->report_data_size > sizeof(f->report_data))
		return -EINVAL;
	return ccdm_unhex(hex, f->report_data, f->report_data_size);
}

/* Options that are only a path. NULL: another option */
static const char **ccdm_offline_path(int option, struct ccdm_offline_files *f)
{
	switch (option) {
	case CCDM_OFFLINE_CHAIN:
		return &f->chain;
	case CCDM_OFFLINE_CRL:
		return &f->crl;
	case CCDM_OFFLINE_ROOT:
		return &f->root;
	case CCDM_OFFLINE_AK_ROOT:
		return &f->ak_root;
	case CCDM_OFFLINE_EK_ROOT:
		return &f->ek_root;
	case CCDM_OFFLINE_COLLATERAL:
		return &f->collateral;
	case CCDM_OFFLINE_TCB_INFO:
		return &f->tcb_info;
	case CCDM_OFFLINE_QE_IDENTITY:
		return &f->qe_identity;
	case CCDM_OFFLINE_PARAVISORS:
		return &f->paravisors;
	case CCDM_OFFLINE_TCB_FLOOR:
		return &f->tcb_floor;
	case CCDM_OFFLINE_SVSMS:
		return &f->svsms;
	default:
		return NULL;
	}
}

int ccdm_offline_take(int option, char *value, struct ccdm_offline_files *f)
{
	const char **path = ccdm_offline_path(option, f);

	if (path) {
		*path = value;
		return 0;
	}
	switch (option) {
	case CCDM_OFFLINE_CERT:
		if (f->nr_certs == CCDM_CERTS_MAX)
			return -EINVAL;
		f->cert[f->nr_certs++] = value;
		return 0;
	case CCDM_OFFLINE_AK_USAGE:
		f->ak_usage = value;
		return ccdm_usage_valid(value) ? 0 : -EINVAL;
	case CCDM_OFFLINE_AT:
		return ccdm_ui_time(value, &f->at);
	case CCDM_OFFLINE_REPORT_DATA:
		return ccdm_offline_report_data(value, f);
	case CCDM_OFFLINE_ALLOW:
		return ccdm_offline_allow(value, &f->allow);
	default:
		return -ENOENT;
	}
}

static bool ccdm_offline_collateral_given(const struct ccdm_offline_files *f)
{
	return f->collateral || f->tcb_info || f->qe_identity;
}

bool ccdm_offline_any(const struct ccdm_offline_files *f)
{
	return f->nr_certs || f->chain || f->crl || f->root || f->ak_root || f->ak_usage ||
	       f->ek_root || ccdm_offline_collateral_given(f) || f->paravisors || f->tcb_floor ||
	       f->svsms || f->report_data_size || f->allow;
}

/* ---- files --------------------------------------------------------------------- */

static int ccdm_offline_collateral(const struct ccdm_offline_files *f, struct ccdm_offline *o,
				   struct ccdm_err *err)
{
	const char *const files[] = { f->collateral, f->tcb_info, f->qe_identity };
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
			r = ccdm_collateral_bundle(files[i], text, size, &o->collateral, o->certs,
						   err);
		else if (i == 1)
			r = ccdm_collateral_tcb(files[i], text, size, &o->collateral, err);
		else
			r = ccdm_collateral_qe(files[i], text, size, &o->collateral, err);
		free(text);
	}
	return r;
}

/* Read a list of the operator; *@text is NULL if the option was not given. */
static int ccdm_offline_list(const char *file, size_t max, char **text, size_t *size,
			     struct ccdm_err *err)
{
	int r = file ? ccdm_file_read(file, max, text, size, err) : 0;

	if (r || !file)
		*text = NULL;
	return r;
}

static int ccdm_offline_launches(const char *file, struct ccdm_launches *list, struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r = ccdm_offline_list(file, CCDM_LAUNCHES_FILE, &text, &size, err);

	if (text)
		r = ccdm_launches_parse(file, text, size, list, err);
	free(text);
	return r;
}

static int ccdm_offline_floor(const char *file, struct ccdm_snp_floor *floor, struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r = ccdm_offline_list(file, CCDM_SNP_FLOOR_FILE, &text, &size, err);

	if (text)
		r = ccdm_snp_floor_parse(file, text, size, floor, err);
	free(text);
	return r;
}

/* A single certificate must be the leaf. Of several, the verifier selects the one that fits. */
static int ccdm_offline_certs(const struct ccdm_offline_files *f, struct ccdm_offline *o,
			      struct ccdm_err *err)
{
	const struct ccdm_cert *first;
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < f->nr_certs; i++)
		r = ccdm_input_certs(o->certs, f->cert[i], &first, err);
	if (!r && f->nr_certs == 1)
		o->leaf = first;
	return r;
}

static int ccdm_offline_root(struct ccdm_offline *o, const char *file, struct ccdm_anchor *anchor,
			     bool *has, struct ccdm_err *err)
{
	const struct ccdm_cert *root = NULL;
	int r = ccdm_input_certs(o->certs, file, &root, err);

	if (!r && root) {
		*has = true;
		anchor->name = file;
		r = ccdm_cert_fingerprint(root, anchor->sha256);
	}
	return r;
}

int ccdm_offline_load(const struct ccdm_offline_files *f, struct ccdm_offline *o,
		      struct ccdm_err *err)
{
	int r;

	memset(o, 0, sizeof(*o));
	o->certs = ccdm_certs_own(NULL);
	if (!o->certs)
		return ccdm_err_memory(err);
	r = ccdm_offline_certs(f, o, err);
	if (!r)
		r = ccdm_input_certs(o->certs, f->chain, NULL, err);
	if (!r)
		r = ccdm_input_certs(o->certs, f->crl, NULL, err);
	if (!r)
		r = ccdm_offline_root(o, f->root, &o->root, &o->has_root, err);
	if (!r)
		r = ccdm_offline_root(o, f->ak_root, &o->ak_root, &o->has_ak_root, err);
	if (!r)
		r = ccdm_offline_root(o, f->ek_root, &o->ek_root, &o->has_ek_root, err);
	if (!r)
		r = ccdm_offline_collateral(f, o, err);
	if (!r)
		r = ccdm_offline_launches(f->paravisors, &o->paravisors, err);
	if (!r)
		r = ccdm_offline_launches(f->svsms, &o->svsms, err);
	if (!r)
		r = ccdm_offline_floor(f->tcb_floor, &o->floor, err);
	return r;
}

void ccdm_offline_drop(struct ccdm_offline *o)
{
	ccdm_certs_free(o->certs);
	ccdm_collateral_drop(&o->collateral);
	ccdm_launches_drop(&o->paravisors);
	ccdm_launches_drop(&o->svsms);
	memset(o, 0, sizeof(*o));
}

/* ---- judging ------------------------------------------------------------------- */

/* Is the data that a capture's nonce and key are hashed to what --report-data expects? */
static void ccdm_offline_asked(const struct ccdm_capture *c, const struct ccdm_offline_files *f,
			       struct ccdm_verdict *v)
{
	char expected[2 * sizeof(f->report_data) + 1], found[2 * sizeof(f->report_data) + 1];
	uint8_t bound[sizeof(f->report_data)] = { 0 };

	if (!f->report_data_size)
		return;
	memcpy(bound, c->bound.bytes, c->bound.size);
	ccdm_hex(f->report_data, f->report_data_size, expected);
	ccdm_hex(bound, c->bound.size, found);
	ccdm_verdict_add(v, "nonce-and-key",
			 f->report_data_size >= c->bound.size &&
				 !memcmp(f->report_data, bound, f->report_data_size),
			 0, expected, "%s", found);
}

/* Judge the additional evidence of a capture; note what the capture lacks. */
static int ccdm_offline_beside(const struct ccdm_capture *c, const struct ccdm_trust *trust,
			       struct ccdm_proof *proof)
{
	int r = 0;

	if (!c->has_nonce &&
	    json_array_append_new(proof->notes,
				  json_string("the nonce was not checked: the evidence has none")))
		return -ENOMEM;
	if (!c->additional[0])
		return 0;
	if (c->has_nonce)
		r = ccdm_evidence_additional(c->tee, c->additional, c->primary, trust,
					     &c->bound_beside, proof);
	else if (
		json_array_append_new(
			proof->notes,
			json_string(
				"without a nonce nothing ties the TPM to the TEE; the TPM's registers and "
				"logs do not count")))
		r = -ENOMEM;
	return r;
}

/* A file can prove an SVSM's report. That the SVSM's TPM signs, only a session can prove. */
static int ccdm_offline_svsm(struct ccdm_proof *proof)
{
	if (!proof->svsm_ek)
		return 0;
	return json_array_append_new(
		       proof->notes,
		       json_string(
			       "a listed SVSM names the endorsement key in its manifest; only a session "
			       "with a broker proves that its TPM signs"))
		       ? -ENOMEM
		       : 0;
}

int ccdm_offline_judge(const struct ccdm_offline_source *source, const struct ccdm_offline_files *f,
		       const struct ccdm_offline *o, struct ccdm_verdict *v,
		       struct ccdm_proof *proof, struct ccdm_err *err)
{
	struct ccdm_trust trust = {
		.certs = o->certs,
		.leaf = o->leaf,
		.collateral = ccdm_offline_collateral_given(f) ? &o->collateral : NULL,
		.at = f->at,
		.anchors = o->has_root ? &o->root : NULL,
		.nr_anchors = 1,
		.ak_anchors = o->has_ak_root ? &o->ak_root
			      : o->has_root  ? &o->root
					     : NULL,
		.ak_usages = &f->ak_usage,
		.nr_ak_anchors = 1,
		.ek_anchors = o->has_ek_root ? &o->ek_root : NULL,
		.nr_ek_anchors = 1,
		.paravisors = &o->paravisors,
		.svsms = &o->svsms,
		.snp_floor = f->tcb_floor ? &o->floor : NULL,
		.genuine_only = !f->paravisors,
	};
	struct ccdm_bound bound = { f->report_data_size ? f->report_data : NULL,
				    f->report_data_size };
	const struct ccdm_capture *c = source->capture;
	int r;

	if (c && c->has_nonce) {
		ccdm_offline_asked(c, f, v);
		bound = c->bound;
	}
	r = source->evidence ? ccdm_evidence_judge(source->tee, source->evidence, &trust, &bound, v,
						   proof, err)
			     : ccdm_evidence_judge_report(source->report, source->report_size,
							  &trust, &bound, v, proof, err);
	if (!r && proof->facts && c)
		r = ccdm_offline_beside(c, &trust, proof);
	if (!r && proof->facts)
		r = ccdm_offline_svsm(proof);
	if (r)
		ccdm_proof_drop(proof);
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}
