// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_import.c - ccdm-broker trust import FILE... */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "crypto/x509_crl.h"
#include "cmd_trust.h"

/* Kinds of files, in the order in which they are stored: later ones need earlier ones. */
enum import_kind {
	IMPORT_CERTS, /* of issuers */
	IMPORT_ROOT_LIST,
	IMPORT_LIST,
	IMPORT_VCEK,
	IMPORT_QE,     /* an answer of Intel's service */
	IMPORT_TCB,    /* an answer of Intel's service, too */
	IMPORT_BUNDLE, /* both answers in one file */
	IMPORT_KINDS,
};

struct import_file {
	const char *name;
	enum import_kind kind;
	const struct ccdm_slot *slot; /* of a list; NULL: of no known vendor */
	char *text;
	size_t size;
};

struct import {
	struct ccdm_keep *keep;
	struct ccdm_certs *certs; /* of issuers */
	const struct import_file *qe;
	bool qe_used;
};

/* ---- kinds of files ----------------------------------------------------------------- */

static int import_json(struct import_file *f, struct ccdm_err *err)
{
	json_error_t where;
	json_t *o = json_loadb(f->text, f->size, JSON_REJECT_DUPLICATES, &where);
	int r = 0;

	if (json_object_get(o, "tcb_info"))
		f->kind = IMPORT_BUNDLE;
	else if (json_object_get(o, "tcbInfo"))
		f->kind = IMPORT_TCB;
	else if (json_object_get(o, "enclaveIdentity"))
		f->kind = IMPORT_QE;
	else if (o)
		r = ccdm_err_set(
			err, -EINVAL,
			"%s: expected TCB info, the identity of a quoting enclave, or both",
			f->name);
	else
		r = ccdm_err_set(err, -EINVAL, "%s: line %d: %s", f->name, where.line, where.text);
	json_decref(o);
	return r;
}

static int import_x509(struct import_file *f, bool vlek, struct ccdm_err *err)
{
	struct ccdm_certs *set = ccdm_certs_own(NULL);
	const struct ccdm_cert *first = NULL;
	struct ccdm_crl_info info;
	char cn[64] = "";
	int r = set ? ccdm_certs_add(set, f->name, f->text, f->size, &first, err)
		    : ccdm_err_memory(err);

	if (!r && first)
		ccdm_cert_cn(first, cn);
	if (!r && ccdm_certs_crl(set, 0)) {
		/* AMD's two lists have the same issuer and do not name their kind: --vlek tells */
		ccdm_crl_info(ccdm_certs_crl(set, 0), &info);
		f->slot = ccdm_slot_of(info.issuer, vlek);
		f->kind = f->slot && f->slot->root ? IMPORT_ROOT_LIST : IMPORT_LIST;
	} else if (!r) {
		f->kind = strcmp(cn, "SEV-VCEK") ? IMPORT_CERTS : IMPORT_VCEK;
	}
	ccdm_certs_free(set);
	return r;
}

static int import_read(struct import_file *f, bool vlek, struct ccdm_err *err)
{
	int r = ccdm_file_read(f->name, CCDM_COLLATERAL_MAX, &f->text, &f->size, err);

	if (r)
		return r;
	return f->text[strspn(f->text, " \t\r\n")] == '{' ? import_json(f, err)
							  : import_x509(f, vlek, err);
}

/* ---- storing --------------------------------------------------------------------------- */

static int import_answers(struct import *in, const struct import_file *f, struct ccdm_kept *kept,
			  struct ccdm_err *err)
{
	struct ccdm_answers all = { 0 };
	char *chain = NULL, *bundle = NULL;
	size_t size;
	int r;

	if (!in->qe)
		return ccdm_err_set(
			err, -EINVAL,
			"%s: expected a second file with the identity of the quoting enclave",
			f->name);
	in->qe_used = true;
	r = ccdm_collateral_tcb(f->name, f->text, f->size, &all.c, err);
	if (!r)
		r = ccdm_collateral_qe(in->qe->name, in->qe->text, in->qe->size, &all.c, err);
	if (!r) {
		if (!ccdm_certs_text(in->certs, &chain, &size)) {
			all.tcb_chain = size ? chain : NULL;
			bundle = ccdm_keep_assemble(&all);
		}
		r = bundle ? ccdm_keep_collateral(in->keep, f->name, bundle, strlen(bundle), NULL,
						  kept, err)
			   : ccdm_err_memory(err);
	}
	free(bundle);
	free(chain);
	ccdm_collateral_drop(&all.c);
	return r;
}

static int import_keep(struct import *in, const struct import_file *f, struct ccdm_kept *kept,
		       struct ccdm_err *err)
{
	int r;

	switch (f->kind) {
	case IMPORT_CERTS:
		r = ccdm_certs_add(in->certs, f->name, f->text, f->size, NULL, err);
		return r ? r : ccdm_keep_certs(in->keep, f->name, f->text, f->size, err);
	case IMPORT_ROOT_LIST:
	case IMPORT_LIST:
		return ccdm_keep_list(in->keep, f->slot, f->name, f->text, f->size, NULL, kept,
				      err);
	case IMPORT_VCEK:
		return ccdm_keep_vcek(in->keep, f->name, f->text, f->size, NULL, kept, err);
	case IMPORT_QE:
		in->qe = f;
		return 0;
	case IMPORT_TCB:
		return import_answers(in, f, kept, err);
	default:
		return ccdm_keep_collateral(in->keep, f->name, f->text, f->size, NULL, kept, err);
	}
}

/* A file that is useful only together with another one is not stored; report that as an error. */
static int import_lonely(const struct import *in, struct trust_output *out, struct ccdm_err *err)
{
	const struct ccdm_kept none = { 0 };
	struct ccdm_err why = { 0 };
	int r = 0;

	if (in->qe && !in->qe_used) {
		r = ccdm_err_set(&why, -EINVAL, "%s: expected a second file with TCB info",
				 in->qe->name);
		trust_said(out, in->qe->name, &none, &why);
	} else if (!out->count) {
		r = ccdm_err_set(
			err, -EINVAL,
			"expected a list, a chip's certificate or collateral, found only issuers' "
			"certificates");
	}
	return r;
}

int cmd_trust_import(const struct ccdm_cli *cli, struct ccdm_err *err)
{
	struct trust_output out = { .json = cli->json, .list = json_array() };
	struct import_file *files = calloc(cli->argc, sizeof(*files));
	struct import in = { .certs = ccdm_certs_own(NULL) };
	struct ccdm_conf conf;
	struct ccdm_kept kept;
	struct ccdm_err why;
	enum import_kind kind;
	int i, one, r, first = 0;

	r = files && in.certs ? ccdm_cli_conf(cli, &conf, err) : ccdm_err_memory(err);
	/* If one file cannot be read, store none. */
	for (i = 0; !r && i < cli->argc; i++) {
		files[i].name = cli->argv[i];
		r = import_read(&files[i], cli->vlek, err);
	}
	if (!r)
		r = ccdm_keep_open(conf.trust, cli->at, &in.keep, err);
	for (kind = 0; !r && kind < IMPORT_KINDS; kind++)
		for (i = 0; i < cli->argc; i++) {
			if (files[i].kind != kind)
				continue;
			memset(&kept, 0, sizeof(kept));
			memset(&why, 0, sizeof(why));
			one = import_keep(&in, &files[i], &kept, &why);
			if (one || kept.path[0])
				trust_said(&out, files[i].name, &kept, one ? &why : NULL);
			if (!first)
				first = one;
		}
	one = r ? 0 : import_lonely(&in, &out, err);
	if (!first)
		first = one;
	ccdm_keep_close(in.keep);
	ccdm_certs_free(in.certs);
	for (i = 0; files && i < cli->argc; i++)
		free(files[i].text);
	free(files);
	if (!r)
		return trust_end(&out, first, err);
	json_decref(out.list);
	return r;
}
