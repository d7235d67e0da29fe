// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* snp_launch.c - see snp_launch.h */
#include <string.h>
#include "crypto/digest.h"
#include "snp_launch.h"

#define PAGE	  CCDM_OVMF_PAGE
#define TOP	  ((uint64_t)1 << 32) /* the end of the firmware in memory */
#define VMSA_AT	  0xfffffffff000ULL
#define BSP_RESET 0xfffffff0U
#define INFO_SIZE 0x70

/* PAGE_TYPE of SNP_LAUNCH_UPDATE */
enum ccdm_snp_page {
	CCDM_SNP_NORMAL = 1,
	CCDM_SNP_VMSA = 2,
	CCDM_SNP_ZERO = 3,
	CCDM_SNP_UNMEASURED = 4,
	CCDM_SNP_SECRETS = 5,
	CCDM_SNP_CPUID = 6,
};

static void ccdm_snp_put(uint8_t *p, uint64_t value, unsigned int bytes)
{
	while (bytes--) {
		*p++ = (uint8_t)value;
		value >>= 8;
	}
}

/* ---- pages --------------------------------------------------------------------------- */

/* @page: its content, or NULL if the content is not measured */
static int ccdm_snp_page(uint8_t digest[CCDM_SNP_LAUNCH_SIZE], enum ccdm_snp_page type, uint64_t at,
			 const uint8_t *page)
{
	uint8_t info[INFO_SIZE] = { 0 };
	struct ccdm_digest d;
	int r = 0;

	memcpy(info, digest, CCDM_SNP_LAUNCH_SIZE);
	if (page) {
		r = ccdm_digest_of(CCDM_ALG_SHA384, page, PAGE, NULL, 0, &d);
		if (!r)
			memcpy(info + 48, d.bytes, d.size);
	}
	ccdm_snp_put(info + 96, INFO_SIZE, 2);
	info[98] = type;
	ccdm_snp_put(info + 104, at, 8);
	if (!r)
		r = ccdm_digest_of(CCDM_ALG_SHA384, info, sizeof(info), NULL, 0, &d);
	if (!r)
		memcpy(digest, d.bytes, CCDM_SNP_LAUNCH_SIZE);
	return r;
}

static int ccdm_snp_pages(uint8_t digest[CCDM_SNP_LAUNCH_SIZE], enum ccdm_snp_page type,
			  const struct ccdm_ovmf_section *s)
{
	uint32_t at;
	int r = 0;

	for (at = 0; !r && at < s->size; at += PAGE)
		r = ccdm_snp_page(digest, type, (uint64_t)s->at + at, NULL);
	return r;
}

int ccdm_snp_launch_firmware(const struct ccdm_ovmf *ovmf, uint8_t digest[CCDM_SNP_LAUNCH_SIZE])
{
	size_t at;
	int r = 0;

	memset(digest, 0, CCDM_SNP_LAUNCH_SIZE);
	for (at = 0; !r && at < ovmf->size; at += PAGE)
		r = ccdm_snp_page(digest, CCDM_SNP_NORMAL, TOP - ovmf->size + at, ovmf->bytes + at);
	return r;
}

/* ---- hashes of the kernel ----------------------------------------------------------------- */

static int ccdm_snp_hashes(const struct ccdm_snp_launch *launch,
			   uint8_t digest[CCDM_SNP_LAUNCH_SIZE], const struct ccdm_ovmf_section *s,
			   struct ccdm_err *err)
{
	static const uint8_t guid[4][16] = {
		{ 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c, 0xb4, 0x79, 0xa7, 0x93, 0xd4,
		  0x11, 0xfd, 0x21 },
		{ 0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa, 0x78, 0xe7, 0x71, 0x4d,
		  0x36, 0xab, 0x2a },
		{ 0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a, 0xf1, 0x41, 0xe2, 0x91,
		  0x69, 0x78, 0x1d },
		{ 0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8, 0x35, 0xd5, 0xb1, 0x72,
		  0xd2, 0x04, 0x5b },
	};
	const unsigned int header = 18, entry = 50, all = header + 3 * entry;
	unsigned int i, at = launch->ovmf->hashes % PAGE;
	uint8_t page[PAGE] = { 0 };

	if (at + ((all + 15) & ~15U) > PAGE)
		return ccdm_err_set(err, -EINVAL,
				    "firmware: the hashes of the kernel do not fit their page");
	memcpy(page + at, guid[0], 16);
	ccdm_snp_put(page + at + 16, all, 2);
	at += header;
	for (i = 0; i < 3; i++, at += entry) {
		memcpy(page + at, guid[1 + i], 16);
		ccdm_snp_put(page + at + 16, entry, 2);
		memcpy(page + at + 18, launch->hashes[i], 32);
	}
	return ccdm_snp_page(digest, CCDM_SNP_NORMAL, s->at, page);
}

/* ---- registers of a vCPU -------------------------------------------------------------------- */

static void ccdm_snp_segment(uint8_t *p, uint16_t selector, uint16_t attributes, uint32_t base)
{
	ccdm_snp_put(p, selector, 2);
	ccdm_snp_put(p + 2, attributes, 2);
	ccdm_snp_put(p + 4, 0xffff, 4);
	ccdm_snp_put(p + 8, base, 8);
}

static void ccdm_snp_vmsa(const struct ccdm_snp_launch *launch, uint32_t reset, uint8_t page[PAGE])
{
	static const struct {
		unsigned int at;
		uint64_t value;
	} same[] = {
		{ 0x0d0, 0x1000 },     /* EFER */
		{ 0x148, 0x40 },       /* CR4 */
		{ 0x158, 0x10 },       /* CR0 */
		{ 0x160, 0x400 },      /* DR7 */
		{ 0x168, 0xffff0ff0 }, /* DR6 */
		{ 0x170, 2 },	       /* RFLAGS */
		{ 0x3e8, 1 },	       /* XCR0 */
	};
	bool ec2 = launch->vmm == CCDM_SNP_EC2, qemu = launch->vmm == CCDM_SNP_QEMU;
	size_t i;

	memset(page, 0, PAGE);
	/* ES, CS, SS, DS, FS, GS, GDTR, LDTR, IDTR, TR: 16 bytes each */
	for (i = 0; i < 6; i++)
		ccdm_snp_segment(page + 16 * i, 0, 0x93, 0);
	ccdm_snp_segment(page + 16, 0xf000, ec2 && reset == BSP_RESET ? 0x9a : 0x9b,
			 reset & 0xffff0000);
	ccdm_snp_segment(page + 32, 0, ec2 ? 0x92 : 0x93, 0);
	ccdm_snp_segment(page + 96, 0, 0, 0);
	ccdm_snp_segment(page + 112, 0, 0x82, 0);
	ccdm_snp_segment(page + 128, 0, 0, 0);
	ccdm_snp_segment(page + 144, 0, ec2 ? 0x83 : 0x8b, 0);
	for (i = 0; i < ARRAY_SIZE(same); i++)
		ccdm_snp_put(page + same[i].at, same[i].value, 8);
	ccdm_snp_put(page + 0x178, reset & 0xffff, 8);
	ccdm_snp_put(page + 0x268, launch->vmm == CCDM_SNP_GCE ? 0x70106 : 0x7040600070406, 8);
	ccdm_snp_put(page + 0x310, qemu ? launch->signature : 0x600, 8);
	ccdm_snp_put(page + 0x3b0, launch->features, 8);
	ccdm_snp_put(page + 0x408, qemu ? 0x1f80 : 0, 4);
	ccdm_snp_put(page + 0x410, qemu ? 0x37f : 0, 2);
}

/* ---- all ---------------------------------------------------------------------------------------- */

static int ccdm_snp_section(const struct ccdm_snp_launch *launch,
			    uint8_t digest[CCDM_SNP_LAUNCH_SIZE], const struct ccdm_ovmf_section *s,
			    struct ccdm_err *err)
{
	switch (s->kind) {
	case CCDM_OVMF_MEMORY:
		return ccdm_snp_pages(
			digest, launch->vmm == CCDM_SNP_GCE ? CCDM_SNP_UNMEASURED : CCDM_SNP_ZERO,
			s);
	case CCDM_OVMF_SECRETS:
		return ccdm_snp_pages(digest, CCDM_SNP_SECRETS, s);
	case CCDM_OVMF_CPUID:
		return launch->vmm == CCDM_SNP_EC2 ? 0 : ccdm_snp_pages(digest, CCDM_SNP_CPUID, s);
	case CCDM_OVMF_CAA:
		return ccdm_snp_pages(digest, CCDM_SNP_ZERO, s);
	case CCDM_OVMF_HASHES:
		return launch->hashes ? ccdm_snp_hashes(launch, digest, s, err)
				      : ccdm_snp_pages(digest, CCDM_SNP_ZERO, s);
	}
	return -EINVAL;
}

int ccdm_snp_launch_rest(const struct ccdm_snp_launch *launch, uint8_t digest[CCDM_SNP_LAUNCH_SIZE],
			 struct ccdm_err *err)
{
	const struct ccdm_ovmf *ovmf = launch->ovmf;
	uint8_t page[PAGE];
	unsigned int i;
	int r = 0;

	if (launch->hashes && !ccdm_ovmf_has_hashes(ovmf))
		return ccdm_err_set(err, -EINVAL,
				    "the firmware has no place for the hashes of the kernel");
	if (launch->vcpus > 1 && !ovmf->reset)
		return ccdm_err_set(err, -EINVAL,
				    "the firmware does not say where other vCPUs begin");
	for (i = 0; !r && i < ovmf->count; i++)
		r = ccdm_snp_section(launch, digest, &ovmf->section[i], err);
	/* EC2 adds the pages for CPUID after all others */
	for (i = 0; !r && launch->vmm == CCDM_SNP_EC2 && i < ovmf->count; i++)
		if (ovmf->section[i].kind == CCDM_OVMF_CPUID)
			r = ccdm_snp_pages(digest, CCDM_SNP_CPUID, &ovmf->section[i]);
	for (i = 0; !r && i < launch->vcpus; i++) {
		ccdm_snp_vmsa(launch, i ? ovmf->reset : BSP_RESET, page);
		r = ccdm_snp_page(digest, CCDM_SNP_VMSA, VMSA_AT, page);
	}
	return r;
}

/* ---- types of vCPUs ---------------------------------------------------------------------------- */

/* AMD CPUID Specification, Fn0000_0001_EAX, of a family above 15 */
#define SIGNATURE(family, model, stepping) \
	(((family)-15U) << 20 | ((model) >> 4U) << 16 | 15U << 8 | ((model)&15U) << 4 | (stepping))

static const struct {
	const char *type;
	uint32_t signature;
} ccdm_snp_cpus[] = {
	{ "EPYC", SIGNATURE(23, 1, 2) },	   { "EPYC-v1", SIGNATURE(23, 1, 2) },
	{ "EPYC-v2", SIGNATURE(23, 1, 2) },	   { "EPYC-v3", SIGNATURE(23, 1, 2) },
	{ "EPYC-v4", SIGNATURE(23, 1, 2) },	   { "EPYC-IBPB", SIGNATURE(23, 1, 2) },
	{ "EPYC-Rome", SIGNATURE(23, 49, 0) },	   { "EPYC-Rome-v1", SIGNATURE(23, 49, 0) },
	{ "EPYC-Rome-v2", SIGNATURE(23, 49, 0) },  { "EPYC-Rome-v3", SIGNATURE(23, 49, 0) },
	{ "EPYC-Milan", SIGNATURE(25, 1, 1) },	   { "EPYC-Milan-v1", SIGNATURE(25, 1, 1) },
	{ "EPYC-Milan-v2", SIGNATURE(25, 1, 1) },  { "EPYC-Genoa", SIGNATURE(25, 17, 0) },
	{ "EPYC-Genoa-v1", SIGNATURE(25, 17, 0) }, { "EPYC-Turin", SIGNATURE(26, 0, 0) },
};

uint32_t ccdm_snp_launch_cpu(const char *type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_snp_cpus); i++)
		if (!strcmp(ccdm_snp_cpus[i].type, type))
			return ccdm_snp_cpus[i].signature;
	return 0;
}

const char *ccdm_snp_launch_type(unsigned int number)
{
	return number < ARRAY_SIZE(ccdm_snp_cpus) ? ccdm_snp_cpus[number].type : NULL;
}
