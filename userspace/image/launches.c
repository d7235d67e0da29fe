// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* launches.c - see launches.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "launches.h"

#define WITH ",measure,build,sign,verify,"

const struct ccdm_option ccdm_image_launch_options[] = {
	{ "firmware", 0, OPT_FIRMWARE, "FILE", "SEV-SNP: also launch digests, with this firmware",
	  "@file", WITH },
	{ "vcpus", 0, OPT_VCPUS, "N[,N...]",
	  "SEV-SNP: for these numbers of vCPUs (default "
	  "1)",
	  NULL, WITH },
	{ "vcpu-type", 0, OPT_TYPE, "T[,T...]",
	  "SEV-SNP: for these types of QEMU's (default EPYC-Milan), or CPUID\n"
	  "signatures: 0xa00f11",
	  "EPYC-Milan EPYC-Milan-v1 EPYC-Milan-v2 EPYC-Genoa EPYC-Genoa-v1 EPYC-Turin EPYC-Rome EPYC EPYC-v4",
	  WITH },
	{ "vmm", 0, OPT_VMM, "VMM", "SEV-SNP: qemu (the default), ec2 or gce", "qemu ec2 gce",
	  WITH },
	{ "guest-features", 0, OPT_FEATURES, "HEX",
	  "SEV-SNP: SEV_FEATURES of the vCPUs (default 0x1)", "0x1 0x21", WITH },
	{ 0 },
};

/* ---- options ------------------------------------------------------------------------ */

static bool launches_number(const char *text, int base, uint64_t most, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, base);
	return strchr("0123456789abcdefABCDEF", text[0]) && text[0] && !*end && !errno &&
	       *number <= most;
}

/* Words with commas between them. */
static enum ccdm_exit launches_list(const char *text, struct ccdm_image_launches *l, bool types)
{
	char word[32];
	uint64_t n;
	size_t length;

	for (;; text += length + 1) {
		length = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)length, text);
		if (!length || length >= sizeof(word) ||
		    (types ? l->nr_types : l->nr_vcpus) == LAUNCHES_LISTED)
			return CCDM_EXIT_USAGE;
		if (types && !ccdm_snp_launch_cpu(word) &&
		    (strncmp(word, "0x", 2) || !launches_number(word, 16, UINT32_MAX, &n) || !n))
			return CCDM_EXIT_USAGE;
		if (!types && (!launches_number(word, 10, CCDM_SNP_LAUNCH_VCPUS, &n) || !n))
			return CCDM_EXIT_USAGE;
		if (types)
			memcpy(l->type[l->nr_types++], word, sizeof(word));
		else
			l->vcpus[l->nr_vcpus++] = (unsigned int)n;
		if (!text[length])
			return CCDM_EXIT_OK;
	}
}

void ccdm_image_launches_init(struct ccdm_image_launches *l)
{
	memset(l, 0, sizeof(*l));
	l->features = CCDM_SNP_LAUNCH_FEATURES;
}

enum ccdm_exit ccdm_image_launches_take(int id, struct ccdm_image_launches *l)
{
	static const char *const vmms[] = { "qemu", "ec2", "gce" };
	unsigned int i;

	l->asked |= id != OPT_FIRMWARE;
	switch (id) {
	case OPT_FIRMWARE:
		l->firmware = optarg;
		return CCDM_EXIT_OK;
	case OPT_VCPUS:
		return launches_list(optarg, l, false);
	case OPT_TYPE:
		return launches_list(optarg, l, true);
	case OPT_FEATURES:
		return launches_number(optarg, 16, UINT64_MAX, &l->features) ? CCDM_EXIT_OK
									     : CCDM_EXIT_USAGE;
	case OPT_VMM:
		for (i = 0; i < ARRAY_SIZE(vmms); i++)
			if (!strcmp(optarg, vmms[i])) {
				l->vmm = i;
				return CCDM_EXIT_OK;
			}
		return CCDM_EXIT_USAGE;
	default:
		return CCDM_EXIT_USAGE;
	}
}

const char *ccdm_image_launches_end(struct ccdm_image_launches *l)
{
	if (l->asked && !l->firmware)
		return "--vcpus, --vcpu-type, --vmm and --guest-features need --firmware";
	if (!l->nr_vcpus)
		l->vcpus[l->nr_vcpus++] = 1;
	if (!l->nr_types)
		strcpy(l->type[l->nr_types++], "EPYC-Milan");
	return NULL;
}

/* ---- SEV-SNP ------------------------------------------------------------------------ */

/* The launch digests that were asked for, as they are computed. */
struct launches_state {
	char *bytes;
	struct ccdm_ovmf ovmf;
	bool proves;
	uint8_t hashes[3][32];
	uint8_t begun[CCDM_SNP_LAUNCH_SIZE];
};

/* A UKI that the hypervisor loads: no initrd, and an empty command line with its zero. */
static int launches_hashes(const struct ccdm_bootable *b, uint8_t hashes[3][32])
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

static int launches_begin(const struct ccdm_image_launches *l, const struct ccdm_bootable *b,
			  struct launches_state *s, struct ccdm_err *err)
{
	size_t size;
	int r = ccdm_file_read(l->firmware, CCDM_OVMF_MAX, &s->bytes, &size, err);

	if (r) {
		s->bytes = NULL;
		return r;
	}
	r = ccdm_ovmf_parse(l->firmware, (const uint8_t *)s->bytes, size, &s->ovmf, err);
	if (r)
		return r;
	s->proves = l->vmm == CCDM_SNP_QEMU && ccdm_ovmf_has_hashes(&s->ovmf);
	r = launches_hashes(b, s->hashes);
	if (!r)
		r = ccdm_snp_launch_firmware(&s->ovmf, s->begun);
	return r ? ccdm_err_set(err, r, "%s: hashing failed", l->firmware) : 0;
}

static int launches_launch(const struct ccdm_image_launches *l, const struct launches_state *s,
			   unsigned int vcpus, const char *type, struct ccdm_digest *digest,
			   struct ccdm_err *err)
{
	struct ccdm_snp_launch launch = { .ovmf = &s->ovmf,
					  .vmm = l->vmm,
					  .vcpus = vcpus,
					  .signature = ccdm_snp_launch_cpu(type),
					  .features = l->features };
	int r;

	if (!launch.signature)
		launch.signature = (uint32_t)strtoul(type, NULL, 16);
	if (s->proves)
		launch.hashes = s->hashes;
	digest->size = CCDM_SNP_LAUNCH_SIZE;
	memcpy(digest->bytes, s->begun, digest->size);
	r = ccdm_snp_launch_rest(&launch, digest->bytes, err);
	return r && !err->text[0] ? ccdm_err_set(err, r, "%s: hashing failed", l->firmware) : r;
}

/* @launches: an array that gets them; NULL: they are printed */
int ccdm_image_launches(const struct ccdm_image_launches *l, const struct ccdm_bootable *b,
			json_t **launches, struct ccdm_err *err)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	struct launches_state s = { 0 };
	struct ccdm_digest digest;
	unsigned int i, k;
	int r = launches_begin(l, b, &s, err);

	if (!r && !s.proves)
		fprintf(stderr, "%s: warning: %s: the launch digest does not prove the image: %s\n",
			CCDM_PROGRAM, l->firmware,
			l->vmm == CCDM_SNP_QEMU
				? "the firmware has no place for the hash of the kernel"
				: "this hypervisor loads no kernel");
	for (i = 0; !r && i < l->nr_vcpus; i++)
		for (k = 0; !r && k < l->nr_types; k++) {
			r = launches_launch(l, &s, l->vcpus[i], l->type[k], &digest, err);
			if (r)
				break;
			ccdm_image_hex(&digest, hex);
			if (launches)
				ccdm_json_add(launches, json_pack("{s:i, s:s, s:s, s:b}", "vcpus",
								  (int)l->vcpus[i], "vcpu-type",
								  l->type[k], "launch-digest", hex,
								  "proves-image", s.proves));
			else
				printf("snp launch-digest, %u vCPU%s %s: %s\n", l->vcpus[i],
				       l->vcpus[i] == 1 ? "" : "s", l->type[k], hex);
		}
	free(s.bytes);
	return r;
}

int ccdm_image_launches_proving(const struct ccdm_image_launches *l, const struct ccdm_bootable *b,
				json_t **proving, struct ccdm_err *err)
{
	json_t *all = json_array(), *one;
	size_t i;
	int r;

	*proving = json_array();
	r = all && *proving ? 0 : ccdm_err_memory(err);
	if (!r && l->firmware)
		r = ccdm_image_launches(l, b, &all, err);
	if (!r && !all)
		r = ccdm_err_memory(err);
	json_array_foreach(all, i, one)
	{
		if (json_is_true(json_object_get(one, "proves-image")))
			ccdm_json_add(proving, json_incref(json_object_get(one, "launch-digest")));
	}
	json_decref(all);
	return !r && !*proving ? ccdm_err_memory(err) : r;
}
