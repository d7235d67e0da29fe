// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_measure.c - ccdm-image measure */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "image.h"
#include "image/snp_launch.h"

#define LISTED 32 /* numbers or types in an option */

static const unsigned int measure_pcrs[] = { 4, 5, 9, 11, CCDM_EVENT_PCR };

struct measure_args {
	const char *firmware;
	enum ccdm_snp_vmm vmm;
	uint64_t features;
	unsigned int nr_vcpus, vcpus[LISTED];
	unsigned int nr_types;
	char type[LISTED][32];
	unsigned int bank;
	bool snp; /* an option was given that needs a firmware */
	bool secure_boot;
	bool json;
};

enum { OPT_FIRMWARE = 256, OPT_SECURE_BOOT, OPT_VCPUS, OPT_TYPE, OPT_VMM, OPT_FEATURES, OPT_BANK };

#define MEASURE_TYPES \
	"EPYC-Milan EPYC-Milan-v1 EPYC-Milan-v2 EPYC-Genoa EPYC-Genoa-v1 EPYC-Turin EPYC-Rome EPYC EPYC-v4"

static const struct ccdm_option measure_options[] = {
	{ "bank", 0, OPT_BANK, "BANK",
	  "print the events of this bank: sha256 (the default) or sha384", "sha256 sha384", NULL },
	{ "secure-boot", 0, OPT_SECURE_BOOT, NULL,
	  "predict a machine with Secure Boot on: firmware does not measure the kernel", NULL,
	  NULL },
	{ "firmware", 0, OPT_FIRMWARE, "FILE", "SEV-SNP: also launch digests, with this firmware",
	  "@file", NULL },
	{ "vcpus", 0, OPT_VCPUS, "N[,N...]", "SEV-SNP: for so many vCPUs (default 1)", NULL, NULL },
	{ "vcpu-type", 0, OPT_TYPE, "T[,T...]",
	  "SEV-SNP: for these types of QEMU's (default EPYC-Milan), or CPUID\n"
	  "signatures: 0xa00f11",
	  MEASURE_TYPES, NULL },
	{ "vmm", 0, OPT_VMM, "VMM", "SEV-SNP: qemu (the default), ec2 or gce", "qemu ec2 gce",
	  NULL },
	{ "guest-features", 0, OPT_FEATURES, "HEX",
	  "SEV-SNP: SEV_FEATURES of the vCPUs (default 0x1)", "0x1 0x21", NULL },
	{ "json", 0, 'j', NULL, "as JSON, in both banks", NULL, NULL },
	{ 0 },
};

/* ---- options ------------------------------------------------------------------------ */

static bool measure_number(const char *text, int base, uint64_t most, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, base);
	return strchr("0123456789abcdefABCDEF", text[0]) && text[0] && !*end && !errno &&
	       *number <= most;
}

/* Words with commas between them. */
static enum ccdm_exit measure_list(const char *text, struct measure_args *a, bool types)
{
	char word[32];
	uint64_t n;
	size_t length;

	for (;; text += length + 1) {
		length = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)length, text);
		if (!length || length >= sizeof(word) ||
		    (types ? a->nr_types : a->nr_vcpus) == LISTED)
			return CCDM_EXIT_USAGE;
		if (types && !ccdm_snp_launch_cpu(word) &&
		    (strncmp(word, "0x", 2) || !measure_number(word, 16, UINT32_MAX, &n) || !n))
			return CCDM_EXIT_USAGE;
		if (!types && (!measure_number(word, 10, CCDM_SNP_LAUNCH_VCPUS, &n) || !n))
			return CCDM_EXIT_USAGE;
		if (types)
			memcpy(a->type[a->nr_types++], word, sizeof(word));
		else
			a->vcpus[a->nr_vcpus++] = (unsigned int)n;
		if (!text[length])
			return CCDM_EXIT_OK;
	}
}

static enum ccdm_exit measure_take(int option, void *arg)
{
	static const char *const vmms[] = { "qemu", "ec2", "gce" };
	struct measure_args *a = arg;
	unsigned int i;

	a->snp |= option != 'j' && option != OPT_FIRMWARE && option != OPT_BANK &&
		  option != OPT_SECURE_BOOT;
	switch (option) {
	case OPT_FIRMWARE:
		a->firmware = optarg;
		return CCDM_EXIT_OK;
	case OPT_VCPUS:
		return measure_list(optarg, a, false);
	case OPT_TYPE:
		return measure_list(optarg, a, true);
	case OPT_FEATURES:
		return measure_number(optarg, 16, UINT64_MAX, &a->features) ? CCDM_EXIT_OK
									    : CCDM_EXIT_USAGE;
	case OPT_VMM:
		for (i = 0; i < ARRAY_SIZE(vmms); i++)
			if (!strcmp(optarg, vmms[i])) {
				a->vmm = i;
				return CCDM_EXIT_OK;
			}
		return CCDM_EXIT_USAGE;
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
		return CCDM_EXIT_USAGE;
	}
}

/* ---- SEV-SNP ------------------------------------------------------------------------ */

/* The launch digests that were asked for, as they are computed. */
struct measure_snp {
	char *bytes;
	struct ccdm_ovmf ovmf;
	bool proves;
	uint8_t hashes[3][32];
	uint8_t begun[CCDM_SNP_LAUNCH_SIZE];
};

/* A UKI that the hypervisor loads: no initrd, and an empty command line with its zero. */
static int measure_hashes(const struct ccdm_bootable *b, uint8_t hashes[3][32])
{
	const struct {
		const void *bytes;
		size_t size;
	} of[3] = { { "", 1 }, { "", 0 }, { b->bytes, b->uki.pe.size } };
	struct ccdm_digest d;
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < 3; i++) {
		r = ccdm_digest_of(CCDM_ALG_SHA256, of[i].bytes, of[i].size, NULL, 0, &d);
		if (!r)
			memcpy(hashes[i], d.bytes, d.size);
	}
	return r;
}

static int measure_begin(const struct measure_args *a, const struct ccdm_bootable *b,
			 struct measure_snp *s, struct ccdm_err *err)
{
	size_t size;
	int r = ccdm_file_read(a->firmware, CCDM_OVMF_MAX, &s->bytes, &size, err);

	if (r) {
		s->bytes = NULL;
		return r;
	}
	r = ccdm_ovmf_parse(a->firmware, (const uint8_t *)s->bytes, size, &s->ovmf, err);
	if (r)
		return r;
	s->proves = a->vmm == CCDM_SNP_QEMU && ccdm_ovmf_has_hashes(&s->ovmf);
	r = measure_hashes(b, s->hashes);
	if (!r)
		r = ccdm_snp_launch_firmware(&s->ovmf, s->begun);
	return r ? ccdm_err_set(err, r, "%s: hashing failed", a->firmware) : 0;
}

static int measure_launch(const struct measure_args *a, const struct measure_snp *s,
			  unsigned int vcpus, const char *type, struct ccdm_digest *digest,
			  struct ccdm_err *err)
{
	struct ccdm_snp_launch launch = { .ovmf = &s->ovmf,
					  .vmm = a->vmm,
					  .vcpus = vcpus,
					  .signature = ccdm_snp_launch_cpu(type),
					  .features = a->features };
	int r;

	if (!launch.signature)
		launch.signature = (uint32_t)strtoul(type, NULL, 16);
	if (s->proves)
		launch.hashes = s->hashes;
	digest->size = CCDM_SNP_LAUNCH_SIZE;
	memcpy(digest->bytes, s->begun, digest->size);
	r = ccdm_snp_launch_rest(&launch, digest->bytes, err);
	return r && !err->text[0] ? ccdm_err_set(err, r, "%s: hashing failed", a->firmware) : r;
}

/* @launches: an array that gets them; NULL: they are printed */
static int measure_snp(const struct measure_args *a, const struct ccdm_bootable *b,
		       json_t **launches, struct ccdm_err *err)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	struct measure_snp s = { 0 };
	struct ccdm_digest digest;
	unsigned int i, k;
	int r = measure_begin(a, b, &s, err);

	if (!r && !s.proves)
		fprintf(stderr, "%s: warning: %s: the launch digest does not prove the image: %s\n",
			CCDM_PROGRAM, a->firmware,
			a->vmm == CCDM_SNP_QEMU
				? "the firmware has no place for the hash of the kernel"
				: "this hypervisor loads no kernel");
	for (i = 0; !r && i < a->nr_vcpus; i++)
		for (k = 0; !r && k < a->nr_types; k++) {
			r = measure_launch(a, &s, a->vcpus[i], a->type[k], &digest, err);
			if (r)
				break;
			ccdm_image_hex(&digest, hex);
			if (launches)
				ccdm_json_add(launches, json_pack("{s:i, s:s, s:s, s:b}", "vcpus",
								  (int)a->vcpus[i], "vcpu-type",
								  a->type[k], "launch-digest", hex,
								  "proves-image", s.proves));
			else
				printf("snp launch-digest, %u vCPU%s %s: %s\n", a->vcpus[i],
				       a->vcpus[i] == 1 ? "" : "s", a->type[k], hex);
		}
	free(s.bytes);
	return r;
}

/* ---- output --------------------------------------------------------------------------- */

static json_t *measure_digests(const struct ccdm_digest digest[CCDM_PREDICT_BANKS])
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *o = json_object();
	unsigned int k;

	for (k = 0; k < CCDM_PREDICT_BANKS; k++)
		ccdm_json_put(&o, ccdm_digest_name(ccdm_predict_bank(k)),
			      json_string(ccdm_image_hex(&digest[k], hex)));
	return o;
}

static json_t *measure_json_events(const struct ccdm_prediction *p)
{
	json_t *events = json_array(), *o;
	unsigned int i;

	for (i = 0; i < p->events; i++) {
		const struct ccdm_predicted *e = &p->event[i];

		o = json_pack("{s:i, s:s, s:o}", "pcr", (int)e->pcr, "what", e->what, "digests",
			      measure_digests(e->digest));
		if (e->of[0])
			ccdm_json_put(&o, "of", json_string(e->of));
		ccdm_json_add(&events, o);
	}
	return events;
}

/* Values of a TPM's registers, and of those of a TD that hang on the disk alone. */
static int measure_values(const struct ccdm_image_disk *disk, json_t *pcrs, json_t *rtmrs)
{
	struct ccdm_digest value[CCDM_PREDICT_BANKS];
	char name[16], hex[2 * CCDM_DIGEST_MAX + 1];
	const struct ccdm_prediction *p = &disk->prediction;
	unsigned int i, k;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(measure_pcrs); i++) {
		unsigned int pcr = measure_pcrs[i];
		const char *why = ccdm_predict_why(p, pcr);

		for (k = 0; !r && !why && k < CCDM_PREDICT_BANKS; k++)
			r = ccdm_predict_value(p, pcr, k, &value[k]);
		if (!disk->boot.disk && pcr == 5)
			why = "a UKI alone has no partition table";
		if (!r && pcrs) {
			snprintf(name, sizeof(name), "%u", pcr);
			if (json_object_set_new(pcrs, name,
						why ? json_pack("{s:s}", "unknown", why)
						    : measure_digests(value)))
				return -ENOMEM;
		} else if (!r && why) {
			ccdm_ui_line("PCR %u unknown: %s", pcr, why);
		}
		for (k = 0; !r && !pcrs && !why && k < CCDM_PREDICT_BANKS; k++)
			printf("PCR %u %s %s\n", pcr, ccdm_digest_name(ccdm_predict_bank(k)),
			       ccdm_image_hex(&value[k], hex));
		/* (what ccdm measures is the same there) */
		if (!r && !why && pcr == CCDM_EVENT_PCR &&
		    disk->boot.config.rtmr != CCDM_RTMR_OFF) {
			if (rtmrs &&
			    json_object_set_new(rtmrs, "3",
						json_string(ccdm_image_hex(&value[1], hex))))
				return -ENOMEM;
			if (!rtmrs)
				printf("RTMR 3 sha384 %s\n", ccdm_image_hex(&value[1], hex));
		}
	}
	return r;
}

static enum ccdm_exit measure_print_json(const struct measure_args *a,
					 const struct ccdm_image_disk *disk)
{
	json_t *o, *pcrs = json_object(), *rtmrs = json_object(), *launches = json_array();
	struct ccdm_err err = { 0 };
	int r = pcrs && rtmrs ? measure_values(disk, pcrs, rtmrs) : -ENOMEM;

	if (!r && a->firmware)
		r = measure_snp(a, &disk->boot, &launches, &err);
	o = json_pack("{s:s, s:s, s:s, s:o, s:O, s:O, s:o}", "file", disk->boot.source.name, "uki",
		      disk->boot.path, "stub", disk->boot.uki.stub, "events",
		      measure_json_events(&disk->prediction), "pcrs", pcrs, "rtmrs", rtmrs,
		      "enclave-id", ccdm_image_ids(disk));
	if (a->firmware && launches)
		ccdm_json_put(&o, "snp", json_incref(launches));
	json_decref(pcrs);
	json_decref(rtmrs);
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
	r = measure_values(disk, NULL, NULL);
	for (i = 0; i < p->unknowns; i++)
		if (p->unknown[i].pcr == 12 || p->unknown[i].pcr == 13)
			ccdm_ui_line("PCR %u unknown: %s", p->unknown[i].pcr, p->unknown[i].why);
	if (!r)
		r = ccdm_image_print_ids(disk);
	if (!r && a->firmware)
		r = measure_snp(a, &disk->boot, NULL, &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

static enum ccdm_exit cmd_measure(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct measure_args a = { .features = CCDM_SNP_LAUNCH_FEATURES };
	struct ccdm_image_disk *disk;
	enum ccdm_exit e;
	bool over;

	e = ccdm_image_options(verb, argc, argv, measure_take, &a, &over);
	if (over)
		return e;
	if (a.snp && !a.firmware)
		return ccdm_image_usage(verb, "--vcpus, --vcpu-type, --vmm and --guest-features "
					      "need --firmware");
	if (!a.nr_vcpus)
		a.vcpus[a.nr_vcpus++] = 1;
	if (!a.nr_types)
		strcpy(a.type[a.nr_types++], "EPYC-Milan");
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
