// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_measure.c - ccdm-image measure */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "launches.h"

struct measure_args {
	struct ccdm_image_launches launches;
	unsigned int bank;
	bool secure_boot;
	bool json;
};

enum { OPT_SECURE_BOOT = 256, OPT_BANK };

static const struct ccdm_option measure_options[] = {
	{ "bank", 0, OPT_BANK, "BANK",
	  "print the events of this bank: sha256 (the default) or sha384", "sha256 sha384", NULL },
	{ "secure-boot", 0, OPT_SECURE_BOOT, NULL,
	  "predict a machine with Secure Boot on: firmware does not measure the kernel", NULL,
	  NULL },
	{ "json", 0, 'j', NULL, "as JSON, in both banks", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit measure_take(int option, void *arg)
{
	struct measure_args *a = arg;
	unsigned int i;

	switch (option) {
	case OPT_BANK:
		for (i = 0; i < CCDM_PREDICT_BANKS; i++)
			if (!strcmp(optarg, ccdm_digest_name(ccdm_predict_bank(i)))) {
				a->bank = i;
				return CCDM_EXIT_OK;
			}
		return CCDM_EXIT_USAGE;
	case OPT_SECURE_BOOT:
		a->secure_boot = true;
		return CCDM_EXIT_OK;
	case 'j':
		a->json = true;
		return CCDM_EXIT_OK;
	default:
		return ccdm_image_launches_take(option, &a->launches);
	}
}

/* ---- output --------------------------------------------------------------------------- */

static enum ccdm_exit measure_print_json(const struct measure_args *a,
					 const struct ccdm_image_disk *disk)
{
	json_t *o = ccdm_image_measured(disk), *launches = json_array();
	struct ccdm_err err = { 0 };
	int r = 0;

	if (a->launches.firmware) {
		r = ccdm_image_launches(&a->launches, &disk->boot, &launches, &err);
		if (!r && o && launches)
			ccdm_json_put(&o, "snp", json_incref(launches));
	}
	json_decref(launches);
	if (!r)
		return ccdm_image_print(o);
	json_decref(o);
	return ccdm_ui_fail(CCDM_PROGRAM, &err, r);
}

static enum ccdm_exit measure_print(const struct measure_args *a,
				    const struct ccdm_image_disk *disk)
{
	const struct ccdm_prediction *p = &disk->prediction;
	char hex[2 * CCDM_DIGEST_MAX + 1];
	struct ccdm_err err = { 0 };
	unsigned int i;
	int r;

	ccdm_ui_line("%s: %s, systemd-stub %s", disk->boot.source.name, disk->boot.path,
		     disk->boot.uki.stub[0] ? disk->boot.uki.stub : "unknown");
	for (i = 0; i < p->events; i++)
		ccdm_ui_line("pcr%-2u %s %s", p->event[i].pcr,
			     ccdm_image_hex(&p->event[i].digest[a->bank], hex), p->event[i].what);
	r = ccdm_image_values(disk, NULL, NULL);
	for (i = 0; i < p->unknowns; i++)
		if (p->unknown[i].pcr == 12 || p->unknown[i].pcr == 13)
			ccdm_ui_line("PCR %u unknown: %s", p->unknown[i].pcr, p->unknown[i].why);
	if (!r)
		r = ccdm_image_print_ids(disk);
	if (!r && a->launches.firmware)
		r = ccdm_image_launches(&a->launches, &disk->boot, NULL, &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

static enum ccdm_exit cmd_measure(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct measure_args a = { 0 };
	const char *what;
	struct ccdm_image_disk *disk;
	enum ccdm_exit e;
	bool over;

	ccdm_image_launches_init(&a.launches);
	e = ccdm_image_options(verb, argc, argv, measure_take, &a, &over);
	if (over)
		return e;
	what = ccdm_image_launches_end(&a.launches);
	if (what)
		return ccdm_image_usage(verb, what);
	disk = ccdm_image_load(argv[optind], a.secure_boot, &e);
	if (!disk)
		return e;
	e = a.json ? measure_print_json(&a, disk) : measure_print(&a, disk);
	ccdm_image_free(disk);
	return e;
}

const struct ccdm_image_verb ccdm_verb_measure = {
	.verb = { .name = "measure",
		  .usage = "DISK",
		  .summary = "predict what a boot of the disk measures, and its enclave ID",
		  .intro = "  DISK is a disk image, a block device, or a UKI alone\n",
		  .text = "If something cannot be predicted, the output says why, and the enclave ID is unknown.\n",
		  .options = measure_options,
		  .offer = "@file",
		  .min_args = 1,
		  .max_args = 1 },
	.run = cmd_measure,
};
