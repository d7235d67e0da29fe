// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_inspect.c - ccdm-image inspect */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "disk/find.h"
#include "image/difference.h"
#include "inspect.h"

#define TEXT_MAX 4096 /* bytes of a section that are shown */

struct inspect_args {
	const char *against;
	const char *base;
	bool secure_boot;
	bool json;
};

enum { OPT_AGAINST = 256, OPT_BASE, OPT_SECURE_BOOT };

static const struct ccdm_option inspect_options[] = {
	{ "secure-boot", 0, OPT_SECURE_BOOT, NULL,
	  "predict a machine with Secure Boot on: firmware does not measure the kernel", NULL,
	  NULL },
	{ "against", 0, OPT_AGAINST, "DISK2", "print how DISK2 differs from DISK", "@file", NULL },
	{ "base", 0, OPT_BASE, "DIR", "compare with the base in this folder", "@file", NULL },
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit inspect_take(int option, void *arg)
{
	struct inspect_args *a = arg;

	switch (option) {
	case OPT_AGAINST:
		a->against = optarg;
		break;
	case OPT_BASE:
		a->base = optarg;
		break;
	case OPT_SECURE_BOOT:
		a->secure_boot = true;
		break;
	case 'j':
		a->json = true;
		break;
	default:
		return CCDM_EXIT_USAGE;
	}
	return CCDM_EXIT_OK;
}

/* ---- texts ------------------------------------------------------------------------------ */

/* The first line of a section, without control characters; "" if there is no section */
static void inspect_line(const struct ccdm_uki *uki, const char *section, char text[TEXT_MAX])
{
	size_t size;
	const uint8_t *bytes = ccdm_uki_content(uki, section, &size);

	text[0] = '\0';
	if (!bytes)
		return;
	if (size > TEXT_MAX - 1)
		size = TEXT_MAX - 1;
	memcpy(text, bytes, size);
	text[size] = '\0';
	text[strcspn(text, "\n")] = '\0';
	ccdm_err_plain(text);
}

/* PRETTY_NAME of os-release */
static void inspect_release(const struct ccdm_uki *uki, char text[TEXT_MAX])
{
	static const char key[] = "PRETTY_NAME=";
	char all[TEXT_MAX], *p;
	size_t size;
	const uint8_t *bytes = ccdm_uki_content(uki, ".osrel", &size);

	text[0] = '\0';
	if (!bytes)
		return;
	if (size > sizeof(all) - 1)
		size = sizeof(all) - 1;
	memcpy(all, bytes, size);
	all[size] = '\0';
	if (strncmp(all, key, strlen(key))) {
		p = strstr(all, "\nPRETTY_NAME=");
		if (!p)
			return;
		p++;
	} else {
		p = all;
	}
	p += strlen(key);
	p += *p == '"';
	p[strcspn(p, "\"\n")] = '\0';
	snprintf(text, TEXT_MAX, "%s", p);
	ccdm_err_plain(text);
}

/* The name of a type of partition, if images have this type. */
static const char *inspect_type(const char *type)
{
	static const struct {
		const char *type;
		const char *name;
	} types[] = {
		{ CCDM_GPT_ESP, "EFI system" },
		{ "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "root (x86-64)" },
		{ "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "root verity (x86-64)" },
		{ "6f1ac5ee-08c4-4f0b-8d5b-3a3dcc9be1d7", "ccdm scratch" },
		{ CCDM_GPT_WORKLOAD, "ccdm workload" },
		{ CCDM_GPT_MANIFEST, "ccdm manifest" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].type, type))
			return types[i].name;
	return "other";
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static json_t *inspect_json_disk(const struct ccdm_bootable *b)
{
	json_t *parts = json_array(), *files = json_array();
	unsigned int i;

	for (i = 0; i < b->gpt.count; i++) {
		const struct ccdm_gpt_part *p = &b->gpt.part[i];

		/* (64-bit numbers are strings, as in cryptsetup) */
		ccdm_json_add(&parts,
			      json_pack("{s:i, s:s, s:s, s:s, s:o, s:o}", "number", (int)p->number,
					"type", p->type, "uuid", p->uuid, "name", p->name, "start",
					json_sprintf("%" PRIu64, p->start), "size",
					json_sprintf("%" PRIu64, p->size)));
	}
	for (i = 0; i < b->files; i++) {
		json_t *file = json_pack("{s:s, s:o}", "path", b->file[i].path, "size",
					 json_sprintf("%u", b->file[i].size));

		if (b->file[i].beside)
			ccdm_json_put(&file, "taken-as", json_string(b->file[i].beside));
		ccdm_json_add(&files, file);
	}
	return json_pack("{s:s, s:o, s:o}", "uuid", b->gpt.uuid, "partitions", parts, "esp", files);
}

static json_t *inspect_json_uki(const struct ccdm_bootable *b)
{
	char text[TEXT_MAX], hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *sections = json_array(), *o;
	struct ccdm_digest digest;
	unsigned int i;

	for (i = 0; sections && i < b->uki.pe.count; i++) {
		const struct ccdm_pe_section *s = &b->uki.pe.section[i];
		char name[sizeof(s->name)];
		uint32_t size = s->virtual_size < s->raw_size ? s->virtual_size : s->raw_size;

		memcpy(name, s->name, sizeof(name));
		ccdm_err_plain(name);
		/* (a list that lacks a section must not look complete) */
		if (ccdm_digest_of(CCDM_ALG_SHA256, b->uki.pe.bytes + s->raw_at, size, NULL, 0,
				   &digest)) {
			json_decref(sections);
			sections = NULL;
		}
		ccdm_json_add(&sections, json_pack("{s:s, s:o, s:s}", "name", name, "size",
						   json_sprintf("%u", size), "sha256",
						   ccdm_image_hex(&digest, hex)));
	}
	o = json_pack("{s:s, s:o, s:s, s:b, s:o}", "path", b->path, "size",
		      json_sprintf("%zu", b->uki.pe.size), "stub", b->uki.stub, "signed",
		      b->uki.pe.certificates_size != 0, "sections", sections);
	inspect_line(&b->uki, ".cmdline", text);
	ccdm_json_put(&o, "cmdline", json_string(text));
	inspect_line(&b->uki, ".uname", text);
	ccdm_json_put(&o, "uname", json_string(text));
	inspect_release(&b->uki, text);
	ccdm_json_put(&o, "os-release", json_string(text));
	return o;
}

static json_t *inspect_json(const struct ccdm_image_disk *disk,
			    const struct ccdm_manifest_status *status)
{
	const struct ccdm_bootable *b = &disk->boot;
	json_t *o = json_pack("{s:s, s:o, s:o}", "file", b->source.name, "uki", inspect_json_uki(b),
			      "enclave-id", ccdm_image_ids(disk));

	if (b->disk)
		ccdm_json_put(&o, "disk", inspect_json_disk(b));
	ccdm_json_put(&o, "manifest", inspect_signer_json(status));
	if (!b->no_conf[0])
		ccdm_json_put(&o, "ccdm.conf", json_stringn_nocheck(b->conf, b->conf_size));
	return o;
}

/* ---- lines ------------------------------------------------------------------------------------ */

static void inspect_print_disk(const struct ccdm_bootable *b)
{
	char size[32];
	unsigned int i;

	printf("disk %s\n", b->gpt.uuid);
	for (i = 0; i < b->gpt.count; i++) {
		const struct ccdm_gpt_part *p = &b->gpt.part[i];

		ccdm_ui_line("  partition %u: %s, %s, %s%s%s", p->number, inspect_type(p->type),
			     ccdm_ui_human(p->size, size), p->uuid, p->name[0] ? ", " : "",
			     p->name);
	}
	for (i = 0; i < b->files; i++)
		ccdm_ui_line("  EFI system partition: %s, %s%s%s", b->file[i].path,
			     ccdm_ui_human(b->file[i].size, size),
			     b->file[i].beside ? ": the stub takes it as " : "",
			     b->file[i].beside ? b->file[i].beside : "");
}

static void inspect_print_uki(const struct ccdm_bootable *b)
{
	char text[TEXT_MAX], size[32];
	unsigned int i;

	ccdm_ui_line("UKI %s: %s, systemd-stub %s, %s", b->path,
		     ccdm_ui_human(b->uki.pe.size, size), b->uki.stub[0] ? b->uki.stub : "unknown",
		     b->uki.pe.certificates_size
			     ? "signed for Secure Boot (the signature is not checked)"
			     : "not signed for Secure Boot");
	for (i = 0; i < b->uki.pe.count; i++)
		ccdm_ui_line("  section %-8s %s", b->uki.pe.section[i].name,
			     ccdm_ui_human(b->uki.pe.section[i].virtual_size, size));
	inspect_release(&b->uki, text);
	ccdm_ui_line("  os-release: %s", text);
	inspect_line(&b->uki, ".uname", text);
	ccdm_ui_line("  kernel: %s", text);
	inspect_line(&b->uki, ".cmdline", text);
	ccdm_ui_line("  command line: %s", text);
}

static int inspect_print(const struct ccdm_image_disk *disk,
			 const struct ccdm_manifest_status *status)
{
	const struct ccdm_bootable *b = &disk->boot;
	unsigned int i;
	int r;

	if (b->disk)
		inspect_print_disk(b);
	inspect_print_uki(b);
	if (b->no_conf[0])
		ccdm_ui_line("no configuration of ccdm: %s", b->no_conf);
	for (i = 0; i < disk->prediction.measured.count; i++)
		ccdm_ui_line("ccdm measures %s", disk->prediction.measured.text[i]);
	for (i = 0; !b->no_conf[0] && i < b->config.nr_secrets; i++)
		ccdm_ui_line("secret %s: %s", b->config.secret[i].name, b->config.secret[i].path);
	if (!b->no_conf[0] && b->config.broker[0])
		ccdm_ui_line("broker %s", b->config.broker);
	r = ccdm_image_print_ids(disk);
	return r ? r : inspect_signer_print(status);
}

/* ---- differences -------------------------------------------------------------------------------- */

static int inspect_say(const char *line, void *arg)
{
	json_t **lines = arg;

	if (lines)
		ccdm_json_add(lines, json_string(line));
	else
		puts(line);
	return lines && !*lines ? -ENOMEM : 0;
}

static int inspect_differences(const struct ccdm_bootable *a, const struct ccdm_bootable *b,
			       json_t **lines, struct ccdm_err *err)
{
	struct ccdm_manifest_status x = { 0 }, y = { 0 };
	int r = ccdm_difference(a, b, inspect_say, lines, err);

	if (!r)
		r = ccdm_manifest_status(a, &x, err);
	if (!r)
		r = ccdm_manifest_status(b, &y, err);
	if (!r)
		r = ccdm_manifest_difference(&x, &y, inspect_say, lines);
	ccdm_manifest_status_drop(&x);
	ccdm_manifest_status_drop(&y);
	return r;
}

static enum ccdm_exit inspect_against(const struct inspect_args *a,
				      const struct ccdm_image_disk *disk)
{
	json_t *lines = json_array();
	struct ccdm_image_disk *other;
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	int r;

	other = ccdm_image_load(a->against, a->secure_boot, &e);
	if (!other) {
		json_decref(lines);
		return e;
	}
	r = inspect_differences(&disk->boot, &other->boot, a->json ? &lines : NULL, &err);
	if (r)
		e = ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	else if (a->json)
		e = ccdm_image_print(json_pack(
			"{s:s, s:s, s:O, s:o, s:o}", "file", disk->boot.source.name, "against",
			a->against, "differences", lines, "enclave-id", ccdm_image_ids(disk),
			"enclave-id-against", ccdm_image_ids(other)));
	json_decref(lines);
	ccdm_image_free(other);
	return e;
}

static enum ccdm_exit inspect_show(const struct inspect_args *a, const struct ccdm_image_disk *disk)
{
	struct ccdm_manifest_status status;
	enum ccdm_exit e = CCDM_EXIT_OK;
	struct ccdm_err err = { 0 };
	int r = ccdm_manifest_status(&disk->boot, &status, &err);

	if (!r && a->json)
		e = ccdm_image_print(inspect_json(disk, &status));
	else if (!r)
		r = inspect_print(disk, &status);
	ccdm_manifest_status_drop(&status);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : e;
}

static enum ccdm_exit cmd_inspect(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct inspect_args a = { 0 };
	struct ccdm_image_disk *disk;
	enum ccdm_exit e;
	bool over;

	e = ccdm_image_options(verb, argc, argv, inspect_take, &a, &over);
	if (over)
		return e;
	if (a.against && a.base)
		return ccdm_image_usage(verb, "expected --against or --base, not both");
	disk = ccdm_image_load(argv[optind], a.secure_boot, &e);
	if (!disk)
		return e;
	e = a.against ? inspect_against(&a, disk)
	    : a.base  ? inspect_base(a.base, disk, a.json)
		      : inspect_show(&a, disk);
	ccdm_image_free(disk);
	return e;
}

const struct ccdm_image_verb ccdm_verb_inspect = {
	.verb = { .name = "inspect",
		  .usage = "DISK",
		  .summary = "show what an image holds, or how two images differ",
		  .intro = "  DISK is a disk image, a block device, or a UKI alone\n",
		  .text = "With --base: exit code 0 if the disk contains this base, byte for byte;\n"
			  "7 if it differs.\n",
		  .options = inspect_options,
		  .offer = "@file",
		  .min_args = 1,
		  .max_args = 1 },
	.run = cmd_inspect,
};
