// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Launch digests of SEV-SNP: of real firmware, and of firmware whose metadata is invalid. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "crypto/digest.h"
#include "forge_image.h"
#include "image/snp_launch.h"
#include "seed.h"

static struct ccdm_err err;

static int parse(const struct forge_bytes *b, struct ccdm_ovmf *ovmf)
{
	memset(&err, 0, sizeof(err));
	seed("image_ovmf", b->p, b->size);
	return ccdm_ovmf_parse("fw.fd", b->p, b->size, ovmf, &err);
}

/* SHA-256 of a command line with its NUL, and of two empty files. */
static void hashes_of(const char *cmdline, uint8_t hashes[3][32])
{
	struct ccdm_digest d;

	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, cmdline, strlen(cmdline) + 1, NULL, 0, &d),
			 0);
	memcpy(hashes[0], d.bytes, 32);
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, "", 0, NULL, 0, &d), 0);
	memcpy(hashes[1], d.bytes, 32);
	memcpy(hashes[2], d.bytes, 32);
}

/*
 * Results of sev-snp-measure for the end of a firmware (EDK II, AmdSev), and an empty kernel and
 * initrd.
 */
static void vectors(void **state)
{
	static const char firmware[] =
		"086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa"
		"16aff8c374c2a55c467a50da6d466b74";
	static const struct {
		const char *firmware;
		const char *cmdline;
		unsigned int vcpus;
		uint64_t features;
		enum ccdm_snp_vmm vmm;
		const char *digest;
	} cases[] = {
		{ firmware, "", 1, 0x21, CCDM_SNP_QEMU,
		  "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683"
		  "632b9b50e4e1d7fa41179ef98a7ef198" },
		{ firmware, "", 1, 0x1, CCDM_SNP_QEMU,
		  "ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e"
		  "9fc98646d4a07a9079397fa3852819b5" },
		{ NULL, "console=ttyS0 loglevel=7", 1, 0x21, CCDM_SNP_QEMU,
		  "803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba"
		  "7e534442e7e1e17895dfe778d0228977" },
		{ NULL, "console=ttyS0 loglevel=7", 1, 0x1, CCDM_SNP_QEMU,
		  "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362"
		  "f390ef83a92046c042e706363b4b08fa" },
		{ NULL, "", 1, 0x21, CCDM_SNP_EC2,
		  "0ce9ccc06bab55eebe8abc234f3df6514883977a68a591b71052498ab52b2f1a"
		  "a415db338033946ef93aa8278c0d67fb" },
		{ NULL, "", 1, 0x1, CCDM_SNP_EC2,
		  "0883bd0eeb716e65b7b977a321c278d1e51b33b5c655fab985443bbcc65c086b"
		  "9c15e8a0bd8811050dec7e24964e5056" },
		{ NULL, "", 1, 0x1, CCDM_SNP_GCE,
		  "5da7106cf14cf46b1725ebab123eb9e53bd46a1e9f400cd0c08e7827b04b688e"
		  "a8b4e403c8404efed4397ea5d5d0722e" },
		{ NULL, "", 4, 0x1, CCDM_SNP_GCE,
		  "5c5debf100fc339f90276e761ee1f1658d08922c3b20e2a2e6c7a6c3370b2452"
		  "a15a00eae11886a93d6fd1e7ab81e29d" },
	};
	const char *dir = getenv("CCDM_VECTORS");
	uint8_t digest[CCDM_SNP_LAUNCH_SIZE], hashes[3][32];
	char path[512], hex[2 * CCDM_SNP_LAUNCH_SIZE + 1], *bytes;
	struct ccdm_ovmf ovmf;
	size_t i, size;

	(void)state;
	snprintf(path, sizeof(path), "%s/sev-snp-measure/ovmf_AmdSev_suffix.bin",
		 dir ? dir : "../shared/vectors");
	if (ccdm_file_read(path, CCDM_OVMF_MAX, &bytes, &size, &err)) {
		print_message("skipped: no vectors of sev-snp-measure\n");
		skip();
	}
	assert_int_equal(ccdm_ovmf_parse(path, (uint8_t *)bytes, size, &ovmf, &err), 0);
	assert_true(ccdm_ovmf_has_hashes(&ovmf));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ccdm_snp_launch launch = { .ovmf = &ovmf,
						  .vmm = cases[i].vmm,
						  .vcpus = cases[i].vcpus,
						  .signature = ccdm_snp_launch_cpu("EPYC-v4"),
						  .features = cases[i].features,
						  .hashes = (const uint8_t(*)[32])hashes };

		hashes_of(cases[i].cmdline, hashes);
		assert_int_equal(ccdm_snp_launch_firmware(&ovmf, digest), 0);
		if (cases[i].firmware)
			assert_int_equal(ccdm_unhex(cases[i].firmware, digest, sizeof(digest)), 0);
		assert_int_equal(ccdm_snp_launch_rest(&launch, digest, &err), 0);
		ccdm_hex(digest, sizeof(digest), hex);
		assert_string_equal(hex, cases[i].digest);
	}
	free(bytes);
}

static void digest_of(const struct ccdm_ovmf *ovmf, unsigned int vcpus, const uint8_t (*hashes)[32],
		      uint8_t digest[CCDM_SNP_LAUNCH_SIZE])
{
	const struct ccdm_snp_launch launch = { .ovmf = ovmf,
						.vcpus = vcpus,
						.signature = ccdm_snp_launch_cpu("EPYC-Milan"),
						.features = 1,
						.hashes = hashes };

	assert_int_equal(ccdm_snp_launch_firmware(ovmf, digest), 0);
	assert_int_equal(ccdm_snp_launch_rest(&launch, digest, &err), 0);
}

/* The digest depends on the kernel only if the firmware has a place for the kernel's hash. */
static void places(void **state)
{
	uint8_t a[CCDM_SNP_LAUNCH_SIZE], b[CCDM_SNP_LAUNCH_SIZE], hashes[3][32];
	struct forge_bytes with = { 0 }, without = { 0 };
	struct ccdm_snp_launch launch = { .vcpus = 1, .hashes = (const uint8_t(*)[32])hashes };
	struct ccdm_ovmf ovmf;

	(void)state;
	hashes_of("a", hashes);
	forge_ovmf(&with, 1);
	forge_ovmf(&without, 0);
	assert_int_equal(parse(&with, &ovmf), 0);
	assert_true(ccdm_ovmf_has_hashes(&ovmf));
	assert_int_equal(ovmf.count, 5);
	assert_int_equal(ovmf.hashes, 0x810c00);
	digest_of(&ovmf, 1, (const uint8_t(*)[32])hashes, a);
	hashes[2][31] ^= 1;
	digest_of(&ovmf, 1, (const uint8_t(*)[32])hashes, b);
	assert_memory_not_equal(a, b, sizeof(a));
	digest_of(&ovmf, 2, (const uint8_t(*)[32])hashes, a);
	assert_memory_not_equal(a, b, sizeof(a));
	digest_of(&ovmf, 1, NULL, a);
	assert_memory_not_equal(a, b, sizeof(a));
	/* the table of hashes crosses the end of its page */
	ovmf.hashes = 0x810f80;
	launch.ovmf = &ovmf;
	assert_int_equal(ccdm_snp_launch_rest(&launch, a, &err), -EINVAL);
	assert_int_equal(parse(&without, &ovmf), 0);
	assert_false(ccdm_ovmf_has_hashes(&ovmf));
	assert_int_equal(ccdm_snp_launch_rest(&launch, a, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no place for the hashes"));
	launch.hashes = NULL;
	launch.vcpus = 2;
	ovmf.reset = 0;
	assert_int_equal(ccdm_snp_launch_rest(&launch, a, &err), -EINVAL);
	assert_non_null(strstr(err.text, "other vCPUs"));
	forge_free(&with);
	forge_free(&without);
}

static void firmware_bad(void **state)
{
	const size_t end = FORGE_OVMF_SIZE - 32, metadata = 4096;
	const struct {
		size_t at;
		uint64_t value;
		unsigned int bytes;
		const char *says;
	} cases[] = {
		{ end - 16, 0, 1, "no table of OVMF" },
		{ end - 18, 17, 2, "size of its table" },
		{ end - 18, 0xffff, 2, "size of its table" },
		{ end - 36, 17, 2, "size of an entry" },
		{ end - 36, 0xffff, 2, "size of an entry" },
		{ end - 34, 0, 1, "no SEV metadata" },
		{ end - 40, 1, 4, "not where its table points" },
		{ end - 40, 0xffffffff, 4, "not where its table points" },
		{ end - 40, 100, 4, "not where its table points" },
		{ metadata + 4, 16, 4, "does not fit their number" },
		{ metadata + 4, 0xffffffff, 4, "does not fit their number" },
		{ metadata + 8, 2, 4, "version 1" },
		{ metadata + 12, 33, 4, "does not fit their number" },
		{ metadata + 16, 1, 4, "whole pages" },
		{ metadata + 20, 0, 4, "whole pages" },
		{ metadata + 20, 100, 4, "whole pages" },
		{ metadata + 20, 0xfffff000, 4, "256 MiB" },
		{ metadata + 24, 99, 4, "type 0x63 is not known" },
		{ metadata + 28 + 4, 0x2000, 4, "is not one page" },
	};
	struct forge_bytes b = { 0 };
	struct ccdm_ovmf ovmf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		forge_ovmf(&b, 1);
		forge_set(b.p + cases[i].at, cases[i].value, cases[i].bytes);
		assert_int_equal(parse(&b, &ovmf), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].says));
		forge_free(&b);
	}
	forge_ovmf(&b, 1);
	b.size -= 1;
	assert_int_equal(parse(&b, &ovmf), -EINVAL);
	b.size = 0;
	assert_int_equal(parse(&b, &ovmf), -EINVAL);
	forge_free(&b);
}

static void types(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(ccdm_snp_launch_cpu("EPYC-v4"), 0x800f12);
	assert_int_equal(ccdm_snp_launch_cpu("EPYC-Rome"), 0x830f10);
	assert_int_equal(ccdm_snp_launch_cpu("EPYC-Milan"), 0xa00f11);
	assert_int_equal(ccdm_snp_launch_cpu("EPYC-Genoa"), 0xa10f10);
	assert_int_equal(ccdm_snp_launch_cpu("EPYC-Turin"), 0xb00f00);
	assert_int_equal(ccdm_snp_launch_cpu("Skylake"), 0);
	for (i = 0; ccdm_snp_launch_type(i); i++)
		assert_true(ccdm_snp_launch_cpu(ccdm_snp_launch_type(i)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(places),
		cmocka_unit_test(firmware_bad),
		cmocka_unit_test(types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
