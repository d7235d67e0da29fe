// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_measure.c - ccdm-setup measure */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boot/measure.h"
#include "base/json.h"
#include "setup.h"

struct measure_args {
	const char *config;
	bool check;
	bool dry_run;
	bool json;
};

enum { OPT_CONFIG = 256, OPT_CHECK, OPT_DRY_RUN };

static const struct ccdm_option measure_options[] = {
	{ "check", 0, OPT_CHECK, NULL,
	  "measure nothing; check that the log replays to the TPM's values", NULL, NULL },
	{ "dry-run", 0, OPT_DRY_RUN, NULL, "measure nothing; print what would be measured", NULL,
	  NULL },
	{ "config", 0, OPT_CONFIG, "FILE", "read FILE in place of /etc/ccdm/ccdm.conf", "@file",
	  NULL },
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit measure_take(int option, void *arg)
{
	struct measure_args *a = arg;

	switch (option) {
	case OPT_CONFIG:
		a->config = optarg;
		break;
	case OPT_CHECK:
		a->check = true;
		break;
	case OPT_DRY_RUN:
		a->dry_run = true;
		break;
	case 'j':
		a->json = true;
		break;
	default:
		return CCDM_EXIT_USAGE;
	}
	return CCDM_EXIT_OK;
}

json_t *ccdm_setup_values(const struct ccdm_digests *values)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < values->count; i++) {
		ccdm_hex(values->digest[i].bytes, values->digest[i].size, hex);
		ccdm_json_put(&o, ccdm_digest_name(values->digest[i].alg), json_string(hex));
	}
	return o;
}

static enum ccdm_exit measure_print(const struct measure_args *a,
				    const struct ccdm_measure_list *list,
				    const struct ccdm_measure_values *values)
{
	const struct ccdm_digests *pcr = &values->pcr;
	char hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *events, *o;
	unsigned int i;

	if (a->json) {
		events = json_array();
		for (i = 0; i < list->count; i++)
			ccdm_json_add(&events, json_string(list->text[i]));
		o = json_pack("{s:o, s:i, s:o}", "events", events, "pcr", CCDM_EVENT_PCR, "values",
			      ccdm_setup_values(pcr));
		if (values->rtmr.size) {
			ccdm_hex(values->rtmr.bytes, values->rtmr.size, hex);
			ccdm_json_put(&o, "rtmr3", json_string(hex));
		}
		return ccdm_setup_print(o);
	}
	for (i = 0; i < list->count; i++)
		printf("%s\n", list->text[i]);
	for (i = 0; i < pcr->count; i++) {
		ccdm_hex(pcr->digest[i].bytes, pcr->digest[i].size, hex);
		printf("PCR %u %s %s\n", CCDM_EVENT_PCR, ccdm_digest_name(pcr->digest[i].alg), hex);
	}
	if (values->rtmr.size) {
		ccdm_hex(values->rtmr.bytes, values->rtmr.size, hex);
		printf("RTMR %u %s %s\n", CCDM_EVENT_RTMR, ccdm_digest_name(values->rtmr.alg), hex);
	}
	return CCDM_EXIT_OK;
}

static int measure_do(const struct measure_args *a, struct ccdm_measure_list *list,
		      struct ccdm_measure_values *values, struct ccdm_err *err)
{
	struct ccdm_config config = { .tpm = CCDM_TPM_REQUIRED,
				      .rtmr = CCDM_RTMR_OPTIONAL,
				      .timeout = 1 };
	struct ccdm_measure_to to = { 0 };
	unsigned int i;
	int r = 0;

	if (!a->check)
		r = ccdm_config_load(a->config ? a->config : CCDM_CONFIG_FILE, &config, err);
	if (!r && !a->check)
		r = ccdm_measure_events(&config, list, err);
	if (r || a->dry_run)
		return r;
	r = ccdm_setup_root(err);
	if (!r)
		r = ccdm_measure_open(&config, &to, err);
	for (i = 0; !r && i < list->count; i++)
		r = ccdm_measure_event(&to, list->text[i], err);
	if (!r)
		r = ccdm_measure_check(&to, values, err);
	ccdm_measure_close(&to);
	return r;
}

static enum ccdm_exit cmd_measure(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct measure_args a = { 0 };
	struct ccdm_measure_list *list;
	struct ccdm_measure_values values = { 0 };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, measure_take, &a, &over);
	if (over)
		return e;
	if (a.check && (a.dry_run || a.config))
		return ccdm_setup_usage(verb,
					"--check measures nothing: remove --dry-run and --config");
	list = calloc(1, sizeof(*list));
	if (!list)
		return ccdm_setup_memory();
	r = measure_do(&a, list, &values, &err);
	e = r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : measure_print(&a, list, &values);
	free(list);
	return e;
}

const struct ccdm_setup_verb ccdm_verb_measure = {
	.verb = { .name = "measure",
		  .usage = "",
		  .summary = "measure the configuration into the TPM, as the boot does",
		  .options = measure_options,
		  .min_args = 0,
		  .max_args = 0 },
	.run = cmd_measure,
};
