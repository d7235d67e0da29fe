// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_build.c - ccdm-image build */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "build.h"

enum {
	OPT_OCI = 256,
	OPT_IMAGE,
	OPT_BASE,
	OPT_CONFIG,
	OPT_PRODUCT,
	OPT_SVN,
	OPT_SIGNING_KEY,
	OPT_SIGNER,
	OPT_PLATFORM,
	OPT_MRTD,
	OPT_TREE,
	OPT_STUB,
	OPT_BROKER,
	OPT_CA,
	OPT_TPM,
	OPT_SIZE,
	OPT_FORMAT,
	OPT_SECUREBOOT_KEY,
	OPT_SECUREBOOT_CERT,
	OPT_DEBUG,
	OPT_PROGRESS_JSON,
};

static const struct ccdm_option build_options[] = {
	{ "oci", 0, OPT_OCI, "IMAGE",
	  "run this container image: a folder or an archive in OCI layout,\n"
	  "or an archive of \"docker save\"",
	  "@file", NULL },
	{ "image", 0, OPT_IMAGE, "NAME",
	  "name of the container image to take, if there are "
	  "several",
	  NULL, NULL },
	{ "base", 0, OPT_BASE, "DIR", "folder of the base", "@file", NULL },
	{ "config", 0, OPT_CONFIG, "FILE", "workload.yaml: secrets, and how the image is run",
	  "@file", NULL },
	{ "tree", 0, OPT_TREE, "DIR", "make this root file system the base: with kernel and initrd",
	  "@file", NULL },
	{ "output", 'o', 'o', "FILE", "the disk; the other files are named after it", "@file",
	  NULL },
	{ "product", 0, OPT_PRODUCT, "NAME",
	  "name in manifest and policy (default: of workload.yaml, or of the image)", NULL, NULL },
	{ "svn", 0, OPT_SVN, "N", "security version (default: of workload.yaml, or 1)", NULL,
	  NULL },
	{ "signing-key", 0, OPT_SIGNING_KEY, "KEY",
	  "sign the manifest with this private key: PEM, P-256, without a passphrase", "@file",
	  NULL },
	{ "signer", 0, OPT_SIGNER, "PUB",
	  "measure this public key, PEM; \"ccdm-image sign\" signs later", "@file", NULL },
	{ "platform", 0, OPT_PLATFORM, "P",
	  "what the policy asks for: snp (the default), tdx, or tpm:\n"
	  "a TPM alone, which proves no confidential VM",
	  "snp tdx tpm", NULL },
	{ "mrtd", 0, OPT_MRTD, "HEX", "tdx: MRTD of the firmware; may be repeated", NULL, NULL },
	{ "broker", 0, OPT_BROKER, "URL", "attest to this broker before the root is mounted", NULL,
	  NULL },
	{ "ca", 0, OPT_CA, "FILE", "certificate of the broker's CA, PEM", "@file", NULL },
	{ "tpm", 0, OPT_TPM, "USE", "required (the default), optional or off",
	  "required optional off", NULL },
	{ "size", 0, OPT_SIZE, "SIZE",
	  "of the disk: 20G (default: its content and 8 GiB for the scratch)", NULL, NULL },
	{ "format", 0, OPT_FORMAT, "FORMAT", "raw (the default), vhd, gcp or vmdk",
	  CCDM_FORMAT_NAMES, NULL },
	{ "stub", 0, OPT_STUB, "FILE",
	  "systemd-stub for the UKI (default: the tree's, or this machine's)", "@file", NULL },
	{ "secureboot-key", 0, OPT_SECUREBOOT_KEY, "FILE",
	  "sign the UKI for Secure Boot with this private key, PEM", "@file", NULL },
	{ "secureboot-cert", 0, OPT_SECUREBOOT_CERT, "FILE", "certificate of that key, PEM",
	  "@file", NULL },
	{ "debug", 0, OPT_DEBUG, NULL,
	  "show logs and a shell on the console: for tests, never with secrets", NULL, NULL },
	{ "progress-json", 0, OPT_PROGRESS_JSON, NULL, "print progress as lines of JSON", NULL,
	  NULL },
	{ "json", 0, 'j', NULL, "print the report, as it is in DISK.json", NULL, NULL },
	{ "quiet", 'q', 'q', NULL, "print no progress", NULL, NULL },
	{ 0 },
};

/* ---- options ------------------------------------------------------------------------ */

static enum ccdm_exit build_number(const char *text, int64_t *number)
{
	uint64_t svn;

	if (ccdm_ui_number(text, CCDM_MANIFEST_SVN, &svn))
		return CCDM_EXIT_USAGE;
	*number = (int64_t)svn;
	return CCDM_EXIT_OK;
}

static enum ccdm_exit build_mrtd(struct build_args *a, const char *text)
{
	if (strlen(text) != 96 || strspn(text, "0123456789abcdef") != 96)
		return CCDM_EXIT_USAGE;
	if (!a->mrtds)
		a->mrtds = json_array();
	return json_array_append_new(a->mrtds, json_string(text)) ? CCDM_EXIT_MEMORY : CCDM_EXIT_OK;
}

/* Options whose argument is taken as it is; NULL: another option. */
static const char **build_text(int option, struct ccdm_build_ask *ask)
{
	switch (option) {
	case OPT_OCI:
		return &ask->oci;
	case OPT_IMAGE:
		return &ask->image;
	case OPT_BASE:
		return &ask->base;
	case OPT_CONFIG:
		return &ask->config;
	case OPT_PRODUCT:
		return &ask->product;
	case OPT_SIGNING_KEY:
		return &ask->signing_key;
	case OPT_SIGNER:
		return &ask->signer;
	case OPT_TREE:
		return &ask->tree;
	case OPT_BROKER:
		return &ask->broker;
	case OPT_CA:
		return &ask->ca;
	case OPT_STUB:
		return &ask->stub;
	case OPT_SECUREBOOT_KEY:
		return &ask->secureboot_key;
	case OPT_SECUREBOOT_CERT:
		return &ask->secureboot_cert;
	case 'o':
		return &ask->output;
	default:
		return NULL;
	}
}

static enum ccdm_exit build_take(int option, void *arg)
{
	struct build_args *a = arg;

	const char **text = build_text(option, &a->ask);

	if (text) {
		*text = optarg;
		return CCDM_EXIT_OK;
	}
	switch (option) {
	case OPT_SVN:
		return build_number(optarg, &a->ask.svn);
	case OPT_PLATFORM:
		return ccdm_policy_platform(optarg, &a->platform) ? CCDM_EXIT_USAGE : CCDM_EXIT_OK;
	case OPT_MRTD:
		return build_mrtd(a, optarg);
	case OPT_TPM:
		if (strcmp(optarg, "required") && strcmp(optarg, "optional") &&
		    strcmp(optarg, "off"))
			return CCDM_EXIT_USAGE;
		a->ask.tpm = optarg;
		break;
	case OPT_SIZE:
		return ccdm_ui_size(optarg, &a->ask.size) || !a->ask.size ? CCDM_EXIT_USAGE
									  : CCDM_EXIT_OK;
	case OPT_FORMAT:
		return ccdm_format_find(optarg, &a->ask.kind) ? CCDM_EXIT_USAGE : CCDM_EXIT_OK;
	case OPT_DEBUG:
		a->ask.debug = true;
		break;
	case OPT_PROGRESS_JSON:
		a->progress.json = true;
		break;
	case 'j':
		a->json = true;
		break;
	case 'q':
		a->progress.quiet = true;
		break;
	default:
		return ccdm_image_launches_take(option, &a->launches);
	}
	return CCDM_EXIT_OK;
}

/* The usage error if the options do not fit together; NULL if they do. */
static const char *build_wrong(struct build_args *a)
{
	if (!a->ask.tree == !a->ask.oci)
		return "expected --oci IMAGE or --tree DIR";
	if (a->ask.oci && !a->ask.base)
		return "--oci needs --base DIR";
	if (a->ask.tree && (a->ask.base || a->ask.image || a->ask.config))
		return "--base, --image and --config need --oci";
	if (!a->ask.output)
		return "expected --output FILE";
	if (a->ask.signing_key && a->ask.signer)
		return "--signing-key and --signer are two ways to name the signer; give one";
	if (!a->ask.secureboot_key != !a->ask.secureboot_cert)
		return "--secureboot-key and --secureboot-cert need each other";
	if (a->ask.ca && !a->ask.broker)
		return "--ca needs --broker";
	if (a->json && a->progress.json)
		return "--json and --progress-json both print to standard output";
	return ccdm_image_launches_end(&a->launches);
}

/* ---- progress ------------------------------------------------------------------------ */

static void build_step(void *arg, const char *stage, uint64_t done, uint64_t all)
{
	struct build_args *a = arg;

	/* a bar for each stage */
	if (strcmp(a->stage, stage)) {
		ccdm_ui_progress_end(&a->progress);
		snprintf(a->stage, sizeof(a->stage), "%s", stage);
		a->progress.what = a->stage;
		a->progress.started_ms = 0;
		a->progress.drawn = false;
	}
	ccdm_ui_progress(&a->progress, done, all);
}

/* ---- the verb ------------------------------------------------------------------------ */

/* Predict what a boot of the disk will measure, for manifest, policy and report. */
static int build_predict(struct build_args *a, struct ccdm_build *b, json_t **report,
			 struct ccdm_err *err)
{
	struct ccdm_image_disk *disk = calloc(1, sizeof(*disk));
	json_t *launches = json_array();
	char path[PATH_MAX];
	int r;

	*report = NULL;
	if (!disk || !launches) {
		free(disk);
		json_decref(launches);
		return ccdm_err_memory(err);
	}
	ccdm_build_made(b, CCDM_BUILD_DISK, path);
	r = ccdm_build_step(b, "measure", 0, 2, err);
	if (!r)
		r = ccdm_bootable_open(path, &disk->boot, err);
	if (!r)
		r = ccdm_predict(&disk->boot, false, &disk->prediction, err);
	if (!r && a->launches.firmware)
		r = ccdm_image_launches(&a->launches, &disk->boot, &launches, err);
	if (!r)
		r = ccdm_build_step(b, "measure", 1, 2, err);
	if (!r)
		r = build_seal(a, b, &disk->boot, launches, err);
	if (!r) {
		*report = build_report(a, b, disk, a->launches.firmware ? launches : NULL);
		if (!*report)
			r = ccdm_err_memory(err);
	}
	json_decref(launches);
	ccdm_image_free(disk);
	return r ? r : ccdm_build_step(b, "measure", 2, 2, err);
}

static int build_save(struct ccdm_build *b, const json_t *report, struct ccdm_err *err)
{
	char *text = ccdm_json_dump(report, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_SORT_KEYS);
	char path[PATH_MAX];
	size_t size;
	int r;

	if (!text)
		return ccdm_err_memory(err);
	ccdm_build_made(b, CCDM_BUILD_JSON, path);
	/* (the NUL becomes the last newline) */
	size = strlen(text);
	text[size] = '\n';
	r = ccdm_file_write(path, text, size + 1, 0644, err);
	free(text);
	if (!r)
		b->there[CCDM_BUILD_JSON] = true;
	return r;
}

static int build_all(struct build_args *a, struct ccdm_build *b, json_t **report,
		     struct ccdm_err *err)
{
	int r = ccdm_build_begin(b, &a->ask, err);

	if (!r && a->ask.tree)
		r = ccdm_build_tree(b, err);
	if (!r && a->ask.oci)
		r = ccdm_build_base(b, err);
	if (!r && a->ask.oci)
		r = ccdm_build_oci(b, err);
	if (!r)
		r = ccdm_build_uki(b, err);
	if (!r)
		r = ccdm_build_disk(b, err);
	if (!r)
		r = build_predict(a, b, report, err);
	if (!r)
		r = build_save(b, *report, err);
	if (!r)
		r = ccdm_build_place(b, err);
	ccdm_ui_progress_end(&a->progress);
	return r;
}

/* Print the warnings, with any form of output. */
static void build_warn(const struct build_args *a, const struct ccdm_build *b)
{
	const json_t *one;
	size_t i;

	json_array_foreach(b->said, i, one)
		fprintf(stderr, "%s: warning: %s\n", CCDM_PROGRAM, json_string_value(one));
	if (b->ask->debug)
		fprintf(stderr,
			"%s: warning: --debug: the host reads the console, and has a shell there\n",
			CCDM_PROGRAM);
	if (a->why[0])
		fprintf(stderr, "%s: warning: not known: %s\n", CCDM_PROGRAM, a->why);
}

static void build_say(const struct build_args *a, const struct ccdm_build *b, const json_t *report)
{
	const char *id = json_string_value(json_object_get(
		json_object_get(json_object_get(report, "enclave-id"), "tpm"), "sha256"));
	const json_t *unknown = json_object_get(
		json_object_get(json_object_get(report, "enclave-id"), "unknown"), "tpm");
	char path[PATH_MAX], size[32];
	int i;

	for (i = 0; i < CCDM_BUILD_FILES; i++) {
		if (!b->there[i])
			continue;
		ccdm_build_named(b->ask, i, path);
		if (i == CCDM_BUILD_DISK)
			ccdm_ui_line("%s: %s, sparse", path, ccdm_ui_human(b->disk_size, size));
		else
			ccdm_ui_line("%s", path);
	}
	if (b->product[0])
		ccdm_ui_line("product %s, svn %" PRId64, b->product, b->svn);
	if (a->key[0])
		ccdm_ui_line("signer.key %s", a->key);
	if (id)
		ccdm_ui_line("enclave-id tpm sha256 %s", id);
	else
		ccdm_ui_line("enclave-id tpm unknown: %s", json_string_value(unknown));
}

static enum ccdm_exit cmd_build(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct build_args a = { .ask = { .svn = -1 } };
	struct ccdm_err err = { 0 };
	struct ccdm_build build = { 0 };
	json_t *report = NULL;
	enum ccdm_exit e;
	const char *what;
	bool over;
	int r;

	ccdm_image_launches_init(&a.launches);
	e = ccdm_image_options(verb, argc, argv, build_take, &a, &over);
	if (over)
		return e;
	what = build_wrong(&a);
	if (what)
		return ccdm_image_usage(verb, what);
	a.ask.step = build_step;
	a.ask.arg = &a;
	a.progress.quiet |= a.json;
	r = ccdm_interrupt_watch();
	if (r)
		ccdm_err_text(&err, "cannot watch for signals: %s", strerror(-r));
	if (!r)
		r = build_all(&a, &build, &report, &err);
	if (!r)
		build_warn(&a, &build);
	if (r) {
		e = ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	} else if (a.json) {
		e = ccdm_image_print(json_incref(report));
	} else {
		build_say(&a, &build, report);
	}
	ccdm_build_end(&build);
	json_decref(report);
	json_decref(a.mrtds);
	return e;
}

const struct ccdm_image_verb ccdm_verb_build = {
	.verb = { .name = "build",
		  .usage = "--oci IMAGE --base DIR --output FILE",
		  .summary = "make a disk image that a confidential VM boots",
		  .intro =
			  "  or: build --tree DIR --output FILE, with a root file system of your own\n",
		  .text = "The same input gives the same bytes. No root, network or loop device is needed;\n"
			  "but only root can make an initrd with the dracut of a tree that has none.\n",
		  .options = build_options },
	.run = cmd_build,
};
