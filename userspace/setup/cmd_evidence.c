// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_evidence.c - ccdm-setup evidence */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "attest/attesters.h"
#include "base/json.h"
#include "attest/session.h"
#include "broker_args.h"
#include "setup.h"

struct evidence_args {
	const char *nonce;
	const char *manifest;
	const char *certificate;
	bool json;
};

static const struct ccdm_option evidence_options[] = {
	{ "nonce", 0, 'n', "TEXT", "collect evidence bound to TEXT, and print it as JSON", NULL,
	  NULL },
	{ "manifest", 0, 'm', "FILE", "manifest of the image, signed by its builder", "@file",
	  NULL },
	{ "certificate", 0, 'c', "FILE", "the processor's VCEK or VLEK, if the host provides none",
	  "@file", NULL },
	{ "json", 0, 'j', NULL, "print JSON: the list, and evidence bound to a random nonce", NULL,
	  NULL },
	{ 0 },
};

static enum ccdm_exit evidence_take(int option, void *arg)
{
	struct evidence_args *a = arg;

	switch (option) {
	case 'n':
		a->nonce = optarg;
		return strlen(optarg) < CCDM_KBS_NONCE_MAX ? CCDM_EXIT_OK : CCDM_EXIT_USAGE;
	case 'm':
		a->manifest = optarg;
		return CCDM_EXIT_OK;
	case 'c':
		a->certificate = optarg;
		return CCDM_EXIT_OK;
	case 'j':
		a->json = true;
		return CCDM_EXIT_OK;
	default:
		return CCDM_EXIT_USAGE;
	}
}

/* Print which sources of evidence exist here. */
static void evidence_list(void)
{
	unsigned int i;

	for (i = 0; ccdm_attesters[i]; i++)
		printf("%-12s %-4s %s\n", ccdm_attesters[i]->tee,
		       ccdm_attesters[i]->exists(ccdm_attesters[i]) ? "yes" : "no",
		       ccdm_attesters[i]->what);
}

/* The sources of evidence as an array. Return: NULL if out of memory. */
static json_t *evidence_attesters(void)
{
	json_t *all = json_array();
	unsigned int i;

	for (i = 0; ccdm_attesters[i]; i++) {
		const struct ccdm_attester *a = ccdm_attesters[i];

		ccdm_json_add(&all, json_pack("{s:s, s:s, s:b}", "tee", a->tee, "what", a->what,
					      "here", a->exists(a)));
	}
	return all;
}

static enum ccdm_exit cmd_evidence(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_session_conf conf = { .version = CCDM_KBS_0_4,
					  .left_out = ccdm_broker_args_left_out };
	struct evidence_args a = { 0 };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	struct ccdm_certs *certs = NULL;
	char *manifest = NULL;
	json_t *out;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, evidence_take, &a, &over);
	if (over)
		return e;
	if (!a.nonce && !a.json) {
		evidence_list();
		return CCDM_EXIT_OK;
	}
	r = ccdm_attesters_choose(&conf.primary, &conf.beside, &err);
	/* Without a source and without --nonce, printing the list is all there is to do. */
	if (r == -ENODEV && !a.nonce)
		return ccdm_setup_print(json_pack("{s:o}", "attesters", evidence_attesters()));
	/* coverage: a manifest is given, but no source of evidence exists */
	if (!r && a.manifest) {
		r = ccdm_broker_args_manifest(a.manifest, &manifest, &err);
		conf.manifest = manifest;
	}
	if (!r && a.certificate) {
		r = ccdm_broker_args_certs(a.certificate, &certs, &err);
		conf.certs = certs;
	}
	if (!r)
		r = ccdm_session_evidence(&conf, a.nonce, &out, &err);
	ccdm_certs_free(certs);
	free(manifest);
	if (r)
		return ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	if (!a.nonce)
		ccdm_json_put(&out, "attesters", evidence_attesters());
	return ccdm_setup_print(out);
}

const struct ccdm_setup_verb ccdm_verb_evidence = {
	.verb = { .name = "evidence",
		  .usage = "",
		  .summary = "list the sources of evidence; with --nonce or --json, collect it",
		  .options = evidence_options,
		  .min_args = 0,
		  .max_args = 0 },
	.run = cmd_evidence,
};
