// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_verify.c - ccdm-image verify */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/file.h"
#include "base/json.h"
#include "image/compare.h"
#include "verify.h"

struct verify_args {
	struct verify_evidence_args evidence;
	const char *event_log;
	const char *ccdm_log;
	bool tdx;
	bool secure_boot;
	bool json;
};

enum { OPT_EVENT_LOG = 256, OPT_SECURE_BOOT, OPT_CCDM_LOG, OPT_TDX, OPT_EVIDENCE, OPT_NONCE };

static const struct ccdm_option verify_options[] = {
	{ "event-log", 0, OPT_EVENT_LOG, "FILE",
	  "the firmware's log: binary_bios_measurements, or CCEL", "@file", NULL },
	{ "ccdm-log", 0, OPT_CCDM_LOG, "FILE", "ccdm's log: /run/ccdm/tpm2-measure.log", "@file",
	  NULL },
	{ "secure-boot", 0, OPT_SECURE_BOOT, NULL,
	  "predict a machine with Secure Boot on: firmware does not measure the kernel", NULL,
	  NULL },
	{ "tdx", 0, OPT_TDX, NULL, "the log is of a TD (CCEL), not of a TPM", NULL, NULL },
	{ "evidence", 0, OPT_EVIDENCE, "FILE",
	  "output of \"ccdm-setup evidence --nonce NONCE\" on a machine:\n"
	  "does the machine run this image?",
	  "@file", NULL },
	{ "nonce", 0, OPT_NONCE, "NONCE", "the nonce that you chose for it", NULL, NULL },
	CCDM_OFFLINE_OPTIONS,
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

/* An option with which evidence is verified. */
static enum ccdm_exit verify_take_more(int option, struct verify_args *a)
{
	int r = ccdm_offline_take(option, optarg, &a->evidence.files);

	if (r == -ENOENT)
		return ccdm_image_launches_take(option, &a->evidence.launches);
	return r ? CCDM_EXIT_USAGE : CCDM_EXIT_OK;
}

static enum ccdm_exit verify_take(int option, void *arg)
{
	struct verify_args *a = arg;

	switch (option) {
	case OPT_EVENT_LOG:
		a->event_log = optarg;
		break;
	case OPT_CCDM_LOG:
		a->ccdm_log = optarg;
		break;
	case OPT_TDX:
		a->tdx = true;
		break;
	case OPT_EVIDENCE:
		a->evidence.file = optarg;
		break;
	case OPT_NONCE:
		a->evidence.nonce = optarg;
		break;
	case OPT_SECURE_BOOT:
		a->secure_boot = true;
		break;
	case 'j':
		a->json = true;
		break;
	default:
		return verify_take_more(option, a);
	}
	return CCDM_EXIT_OK;
}

/* ---- output --------------------------------------------------------------------------- */

static const char *verify_register(const struct ccdm_comparison *c)
{
	return c->rtmr ? "rtmr" : "pcr";
}

static json_t *verify_digests(const struct ccdm_comparison *c, const struct ccdm_digest *digest)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *o = json_object();
	unsigned int k;

	for (k = 0; k < CCDM_PREDICT_BANKS; k++)
		if (c->banks & 1U << k)
			ccdm_json_put(&o, ccdm_digest_name(ccdm_predict_bank(k)),
				      json_string(ccdm_image_hex(&digest[k], hex)));
	return o;
}

static json_t *verify_json(const struct ccdm_comparison *c)
{
	json_t *departures = json_array(), *left = json_array(), *o;
	unsigned int i;

	for (i = 0; i < c->count; i++) {
		const struct ccdm_departure *d = &c->departure[i];

		o = json_pack("{s:o, s:i, s:i, s:s}", "register",
			      json_sprintf("%s%u", verify_register(c), d->reg), "event",
			      (int)d->number, "log-event", (int)d->log_number, "why", d->why);
		if (d->expected)
			ccdm_json_put(&o, "expected", verify_digests(c, d->expected->digest));
		if (d->expected && d->expected->of[0])
			ccdm_json_put(&o, "of", json_string(d->expected->of));
		if (d->found)
			ccdm_json_put(&o, "found", verify_digests(c, d->found->digest));
		ccdm_json_add(&departures, o);
	}
	for (i = 0; i < c->left; i++)
		ccdm_json_add(&left, json_pack("{s:o, s:s}", "register",
					       json_sprintf("%s%u", verify_register(c),
							    c->left_out[i].pcr),
					       "why", c->left_out[i].why));
	return json_pack(
		"{s:b, s:i, s:o, s:o, s:o}", "same", ccdm_compare_same(c), "equal-events",
		(int)c->equal, "departures", departures, "not-compared", left, "other-enclave-id",
		c->id == CCDM_COMPARE_UNKNOWN_ID ? json_null()
						 : json_boolean(c->id == CCDM_COMPARE_OTHER_ID));
}

static void verify_digest_lines(const struct ccdm_comparison *c, const char *what,
				const struct ccdm_digest *digest)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	unsigned int k;

	for (k = 0; k < CCDM_PREDICT_BANKS; k++)
		if (c->banks & 1U << k)
			printf("  %s %s %s\n", what, ccdm_digest_name(ccdm_predict_bank(k)),
			       ccdm_image_hex(&digest[k], hex));
}

static void verify_lines(const struct ccdm_comparison *c)
{
	static const char *const ids[] = {
		[CCDM_COMPARE_UNKNOWN_ID] = "unknown: not every register was compared",
		[CCDM_COMPARE_SAME_ID] = "the same",
		[CCDM_COMPARE_OTHER_ID] = "another one",
	};
	unsigned int i;

	for (i = 0; i < c->count; i++) {
		const struct ccdm_departure *d = &c->departure[i];

		ccdm_ui_line("%s: %s%u, event %u: %s", i ? "then" : "first departure",
			     verify_register(c), d->reg, d->number, d->why);
		if (i)
			continue;
		if (d->expected)
			verify_digest_lines(c, "expected", d->expected->digest);
		else
			puts("  expected no event");
		if (d->found)
			verify_digest_lines(c, "found   ", d->found->digest);
		else
			puts("  found    no event");
	}
	for (i = 0; i < c->left; i++)
		ccdm_ui_line("not compared: %s%u: %s", verify_register(c), c->left_out[i].pcr,
			     c->left_out[i].why);
	if (!ccdm_compare_same(c))
		printf("the enclave ID of the boot is %s\n", ids[c->id]);
	printf("%u events are as predicted\n", c->equal);
	if (ccdm_compare_same(c))
		puts("the log is of a boot of this disk");
}

/* ---- the verb --------------------------------------------------------------------------- */

static int verify_logs(const struct verify_args *a, struct ccdm_compare_logs *logs, char **firmware,
		       char **ccdm, struct ccdm_err *err)
{
	int r = ccdm_file_read(a->event_log, CCDM_TCGLOG_MAX, firmware, &logs->firmware_size, err);

	if (r)
		*firmware = NULL;
	if (!r && a->ccdm_log) {
		r = ccdm_file_read(a->ccdm_log, CCDM_EVENTLOG_MAX, ccdm, &logs->ccdm_size, err);
		if (r)
			*ccdm = NULL;
	}
	logs->rtmr = a->tdx;
	logs->firmware = *firmware;
	logs->ccdm = *ccdm;
	return r;
}

/* A message of a log names its file. */
static int verify_compare(const struct verify_args *a, const struct ccdm_image_disk *disk,
			  const struct ccdm_compare_logs *logs, struct ccdm_comparison *c,
			  struct ccdm_err *err)
{
	struct ccdm_err why = { 0 };
	int r = ccdm_compare(&disk->boot, &disk->prediction, logs, c, &why);

	if (r && why.text[0])
		ccdm_err_set(err, r, "%s%s%s: %.400s", a->event_log, a->ccdm_log ? ", " : "",
			     a->ccdm_log ? a->ccdm_log : "", why.text);
	return r;
}

static enum ccdm_exit verify_do(const struct verify_args *a, const struct ccdm_image_disk *disk)
{
	struct ccdm_comparison *c = calloc(1, sizeof(*c));
	struct ccdm_compare_logs logs = { 0 };
	char *firmware = NULL, *ccdm = NULL;
	struct ccdm_err err = { 0 };
	enum ccdm_exit e = CCDM_EXIT_OK;
	int r = c ? verify_logs(a, &logs, &firmware, &ccdm, &err) : ccdm_err_memory(&err);

	if (!r)
		r = verify_compare(a, disk, &logs, c, &err);
	if (r)
		e = ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	else if (a->json)
		e = ccdm_image_print(verify_json(c));
	else
		verify_lines(c);
	if (!e && !ccdm_compare_same(c))
		e = CCDM_EXIT_REFUSED;
	if (c)
		ccdm_compare_drop(c);
	free(c);
	free(firmware);
	free(ccdm);
	return e;
}

/* The usage error if the options do not fit together; NULL if they do. */
static const char *verify_usage(struct verify_args *a)
{
	bool evidence = a->evidence.file;

	if (evidence == !!a->event_log)
		return "expected --event-log FILE, or --evidence FILE";
	if (evidence && (a->ccdm_log || a->tdx))
		return "--ccdm-log and --tdx need --event-log";
	if (evidence != !!a->evidence.nonce)
		return evidence ? "--evidence needs --nonce: the one that you chose for it"
				: "--nonce needs --evidence";
	if (!evidence && (ccdm_offline_any(&a->evidence.files) || a->evidence.launches.firmware))
		return "options to verify evidence need --evidence";
	return ccdm_image_launches_end(&a->evidence.launches);
}

static enum ccdm_exit cmd_verify(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct verify_args a = { .evidence.files.at = time(NULL) };
	struct ccdm_image_disk *disk;
	const char *wrong;
	enum ccdm_exit e;
	bool over;

	ccdm_image_launches_init(&a.evidence.launches);
	e = ccdm_image_options(verb, argc, argv, verify_take, &a, &over);
	if (over)
		return e;
	wrong = verify_usage(&a);
	if (wrong)
		return ccdm_image_usage(verb, wrong);
	a.evidence.json = a.json;
	disk = ccdm_image_load(argv[optind], a.secure_boot, &e);
	if (!disk)
		return e;
	e = a.evidence.file ? verify_evidence(&a.evidence, disk) : verify_do(&a, disk);
	ccdm_image_free(disk);
	return e;
}

const struct ccdm_image_verb ccdm_verb_verify = {
	.verb = { .name = "verify",
		  .usage = "DISK",
		  .summary = "compare evidence of a machine, or the log of a boot, with the disk",
		  .intro = "  DISK is a disk image, a block device, or a UKI alone\n",
		  .text = "With --event-log: exit code 0 if the log is from a boot of this disk; 7 if\n"
			  "an event differs, or if a register was not compared. A log alone proves nothing.\n"
			  "With --evidence: exit code 0 if the evidence is accepted, is bound to the\n"
			  "nonce, and proves this image; else 7.\n",
		  .options = verify_options,
		  .offer = "@file",
		  .min_args = 1,
		  .max_args = 1 },
	.run = cmd_verify,
};
