// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * PE programs and UKIs: sections that are too long or short, doubled, overlapping, or out of order.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "image_test.h"
#include "image/bootable.h"
#include "seed.h"

/* ---- PE --------------------------------------------------------------------------------------- */

static int parse_pe(const struct forge_bytes *b, struct ccdm_pe *pe)
{
	memset(&err, 0, sizeof(err));
	seed("image_uki", b->p, b->size);
	return ccdm_pe_parse("x.efi", b->p, b->size, pe, &err);
}

/* A signature does not change the hash. Bytes behind the sections are included in it. */
static void pe_digest(void **state)
{
	struct forge_bytes uki = good_uki("257.13-1");
	struct ccdm_digest plain, other;
	struct ccdm_pe pe;
	size_t i;

	(void)state;
	assert_int_equal(parse_pe(&uki, &pe), 0);
	assert_int_equal(ccdm_pe_digest(&pe, CCDM_ALG_SHA256, &plain), 0);
	forge_sign(&uki, 1024);
	assert_int_equal(parse_pe(&uki, &pe), 0);
	assert_int_equal(ccdm_pe_digest(&pe, CCDM_ALG_SHA256, &other), 0);
	assert_memory_equal(plain.bytes, other.bytes, 32);
	/* each other byte changes the hash */
	for (i = 0; i < uki.size - 1024; i += 37) {
		int skip = (i >= pe.checksum && i < pe.checksum + 4) ||
			   (i >= pe.certificates && i < pe.certificates + 8);

		uki.p[i] ^= 1;
		if (!parse_pe(&uki, &pe)) {
			assert_int_equal(ccdm_pe_digest(&pe, CCDM_ALG_SHA256, &other), 0);
			assert_int_equal(!memcmp(plain.bytes, other.bytes, 32), skip);
		}
		uki.p[i] ^= 1;
	}
	forge_free(&uki);
	/* bytes behind the sections are hashed */
	uki = good_uki("257.13-1");
	forge_fill(&uki, 0x33, 100);
	assert_int_equal(parse_pe(&uki, &pe), 0);
	assert_int_equal(ccdm_pe_digest(&pe, CCDM_ALG_SHA256, &other), 0);
	assert_memory_not_equal(plain.bytes, other.bytes, 32);
	assert_int_equal(ccdm_pe_digest(&pe, 0x1234, &other), -ENOTSUP);
	forge_free(&uki);
}

/* The Authenticode hash of a program with two sections in the wrong order, computed by hand. */
static void pe_order(void **state)
{
	const struct forge_section sections[] = { { ".a", "first", 5 }, { ".b", "second", 6 } };
	struct forge_bytes b = { 0 }, hashed = { 0 };
	struct ccdm_digest digest, by_hand;
	struct ccdm_pe pe;
	uint8_t entry[40];

	(void)state;
	forge_pe(&b, sections, 2);
	/* swap the entries of the table */
	memcpy(entry, b.p + FORGE_PE_TABLE, 40);
	memmove(b.p + FORGE_PE_TABLE, b.p + FORGE_PE_TABLE + 40, 40);
	memcpy(b.p + FORGE_PE_TABLE + 40, entry, 40);
	forge_say(&hashed, b.p, FORGE_PE_OPT + 64);
	forge_say(&hashed, b.p + FORGE_PE_OPT + 68, FORGE_PE_CERTS - FORGE_PE_OPT - 68);
	forge_say(&hashed, b.p + FORGE_PE_CERTS + 8, b.size - FORGE_PE_CERTS - 8);
	assert_int_equal(parse_pe(&b, &pe), 0);
	assert_string_equal(pe.section[0].name, ".b");
	assert_int_equal(ccdm_pe_digest(&pe, CCDM_ALG_SHA256, &digest), 0);
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, hashed.p, hashed.size, NULL, 0, &by_hand),
			 0);
	assert_memory_equal(digest.bytes, by_hand.bytes, 32);
	forge_free(&b);
	forge_free(&hashed);
}

static void pe_bad(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		unsigned int bytes;
		const char *says;
	} cases[] = {
		{ 0, 'X', 1, "begins with MZ" },
		{ 60, 10, 4, "the offset that the DOS header gives" },
		{ 60, 0xffffffff, 4, "the offset that the DOS header gives" },
		{ 64, 'X', 1, "the offset that the DOS header gives" },
		{ 64 + 6, 0, 2, "1 to 96 sections" },
		{ 64 + 6, 97, 2, "1 to 96 sections" },
		{ 64 + 6, 96, 2, "SizeOfHeaders does not cover" },
		{ 64 + 20, 0xffff, 2, "cut off" },
		{ 64 + 20, 0, 2, "PE32" },
		{ 64 + 20, 100, 2, "too short" },
		{ FORGE_PE_OPT, 0x107, 2, "PE32" },
		{ FORGE_PE_OPT + 60, 0xffffffff, 4, "SizeOfHeaders does not fit" },
		{ FORGE_PE_OPT + 60, 100, 4, "SizeOfHeaders does not fit" },
		{ FORGE_PE_OPT + 108, 17, 4, "no room for its directories" },
		{ FORGE_PE_CERTS + 4, 8, 4, "at the end of the file" },
		{ FORGE_PE_CERTS + 4, 0xffffffff, 4, "at the end of the file" },
		{ FORGE_PE_TABLE + 20, 0x10, 4, "'.text' lies outside" },
		{ FORGE_PE_TABLE + 20, 0xfffffff0, 4, "'.text' lies outside" },
		{ FORGE_PE_TABLE + 16, 0xfffffff0, 4, "'.text' lies outside" },
		{ FORGE_PE_TABLE + 16, 1024, 4, "overlap" },
	};
	struct ccdm_pe pe;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct forge_bytes uki = good_uki("257.13-1");

		forge_set(uki.p + cases[i].at, cases[i].value, cases[i].bytes);
		assert_int_equal(parse_pe(&uki, &pe), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].says));
		forge_free(&uki);
	}
	for (i = 0; i < 1024; i += 13) {
		struct forge_bytes uki = good_uki("257.13-1"), cut = { 0 };

		forge_say(&cut, uki.p, i);
		assert_int_equal(parse_pe(&cut, &pe), -EINVAL);
		forge_free(&cut);
		forge_free(&uki);
	}
}

/* ---- UKIs --------------------------------------------------------------------------------------- */

static void uki_versions(void **state)
{
	static const struct {
		const char *stub;
		unsigned int version;
		unsigned int measured; /* number of measured sections */
	} cases[] = {
		{ "252.39-1~deb12u2", 252, 4 },
		{ "257.13-1~deb13u1", 257, 6 },
		{ "257~rc1", 257, 6 },
		{ "257", 257, 6 },
		{ "2570", 0, 6 },
		{ "258.1", 0, 6 },
		{ "", 0, 6 },
	};
	struct ccdm_uki uki;
	char why[256];
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct forge_bytes b = good_uki(cases[i].stub);
		const char *name;
		unsigned int k, found = 0;

		assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), 0);
		assert_string_equal(uki.stub, cases[i].stub);
		assert_int_equal(uki.version, cases[i].version);
		for (k = 0; (name = ccdm_uki_measured(&uki, k)); k++)
			found += ccdm_uki_content(&uki, name, &n) != NULL;
		assert_int_equal(found, cases[i].measured);
		ccdm_uki_unknown(&uki, why, sizeof(why));
		assert_int_equal(!why[0], cases[i].version != 0);
		forge_free(&b);
	}
}

static void uki_odd(void **state)
{
	static const char *const beyond[] = { ".profile", ".pcrsig", ".hwids", ".osrel" };
	const struct forge_section none[] = { { ".text", "x", 1 } };
	struct forge_bytes b = { 0 };
	struct ccdm_uki uki;
	char why[256];
	size_t i;

	(void)state;
	forge_pe(&b, none, 1);
	memset(&err, 0, sizeof(err));
	assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no section .linux"));
	forge_free(&b);
	/* a section that enlarges the image in memory, and a section that occurs twice */
	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		b = good_uki("257.13-1");
		memset(b.p + FORGE_PE_TABLE, 0, 8);
		memcpy(b.p + FORGE_PE_TABLE, beyond[i], strlen(beyond[i]));
		seed("image_uki", b.p, b.size);
		assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), 0);
		ccdm_uki_unknown(&uki, why, sizeof(why));
		assert_non_null(strstr(why, beyond[i]));
		forge_free(&b);
	}
	/* larger in memory than in the file */
	b = good_uki("257.13-1");
	forge_set(b.p + FORGE_PE_TABLE + 40 * 4 + 8, 0x10000, 4);
	assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), -EINVAL);
	assert_non_null(strstr(err.text, ".cmdline"));
	forge_free(&b);
}

#define ENTRY(number) (FORGE_PE_TABLE + 40 * (number)) /* in good_uki()'s section table */
#define RELOCATIONS   (FORGE_PE_OPT + 112 + 40)	       /* the directory of relocations */

enum { TEXT, SBAT, SDMAGIC, OSREL, CMDLINE, UNAME, LINUX, INITRD };

/* Stub 252 accepts a section whose name only begins like one that it measures. */
static void uki_prefixes(void **state)
{
	static const char *const names[] = { ".linuxX", ".linux2",  ".initrd2",
					     ".osrel1", ".splash2", ".dtb1" };
	struct ccdm_uki uki;
	char why[256];
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		for (k = 0; k < 2; k++) {
			struct forge_bytes b = good_uki(k ? "257.1" : "252.1");

			memset(b.p + ENTRY(UNAME), 0, 8);
			memcpy(b.p + ENTRY(UNAME), names[i], strlen(names[i]));
			seed("image_uki", b.p, b.size);
			assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), 0);
			ccdm_uki_unknown(&uki, why, sizeof(why));
			if (k)
				assert_string_equal(why, "");
			else
				assert_non_null(strstr(why, names[i]));
			forge_free(&b);
		}
}

/* Stubs treat an empty section as missing. */
static void uki_empty(void **state)
{
	struct forge_bytes b;
	struct ccdm_uki uki;
	char why[256];
	size_t n;

	(void)state;
	b = good_uki("257.1");
	forge_set(b.p + ENTRY(SBAT) + 8, 0, 4);
	forge_set(b.p + ENTRY(INITRD) + 8, 0, 4);
	assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), 0);
	assert_null(ccdm_uki_content(&uki, ".sbat", &n));
	assert_int_equal(n, 0);
	ccdm_uki_kernel(&uki, why, sizeof(why));
	assert_non_null(strstr(why, "no section .initrd"));
	forge_set(b.p + ENTRY(LINUX) + 8, 0, 4);
	assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no section .linux"));
	forge_free(&b);
}

static uint32_t place_of(const struct forge_bytes *b, unsigned int section)
{
	return ccdm_le32(b->p + ENTRY(section) + 12);
}

static void bad_memory(struct forge_bytes *b, const char *says)
{
	struct ccdm_uki uki;

	memset(&err, 0, sizeof(err));
	seed("image_uki", b->p, b->size);
	assert_int_equal(ccdm_uki_parse("x.efi", b->p, b->size, &uki, &err), -EINVAL);
	assert_non_null(strstr(err.text, says));
	forge_free(b);
}

/*
 * A stub measures sections in memory: another section may cover them, and relocations may change
 * them.
 */
static void uki_overlaps(void **state)
{
	static const struct {
		unsigned int section, over; /* indices in the section table */
		const char *says;
	} cases[] = {
		{ TEXT, CMDLINE, "section .cmdline overlaps with '.text'" },
		{ INITRD, CMDLINE, "section .cmdline overlaps with '.initrd'" },
		{ SDMAGIC, INITRD, "section .initrd overlaps with '.sdmagic'" },
		{ CMDLINE, INITRD, "overlaps with" },
	};
	struct forge_bytes b;
	struct ccdm_uki uki;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		b = good_uki("257.1");
		forge_set(b.p + ENTRY(cases[i].section) + 12, place_of(&b, cases[i].over) + 3, 4);
		bad_memory(&b, cases[i].says);
	}
	b = good_uki("257.1");
	forge_set(b.p + ENTRY(CMDLINE) + 12, 1024 - 4, 4);
	forge_set(b.p + FORGE_PE_OPT + 60, 1024, 4);
	bad_memory(&b, "section .cmdline overlaps with 'the headers'");
	/* firmware copies a section with virtual size 0 completely */
	b = good_uki("257.1");
	forge_set(b.p + ENTRY(SDMAGIC) + 8, 0, 4);
	forge_set(b.p + ENTRY(SDMAGIC) + 12, place_of(&b, CMDLINE) - 511, 4);
	bad_memory(&b, "section .cmdline overlaps with '.sdmagic'");
	/* 252 does not measure .sbat; ukify makes it longer than its virtual size */
	b = good_uki("252.1");
	forge_set(b.p + ENTRY(SBAT) + 12, place_of(&b, SDMAGIC) - 4, 4);
	assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), 0);
	forge_free(&b);
	b = good_uki("257.1");
	forge_set(b.p + ENTRY(SBAT) + 12, place_of(&b, SDMAGIC) - 4, 4);
	bad_memory(&b, "section .sbat overlaps with '.sdmagic'");
	b = good_uki("257.1");
	forge_set(b.p + FORGE_PE_OPT + 112 + 6 * 8, 0x1000, 4); /* the debug directory */
	forge_set(b.p + FORGE_PE_OPT + 112 + 6 * 8 + 4, 28, 4);
	bad_memory(&b, "directory 6");
}

/* A UKI with one block of relocations in .text: one relocation @at, and the rest of the block. */
static struct forge_bytes relocated(uint32_t at)
{
	struct forge_bytes b = good_uki("257.1");
	uint8_t *block = b.p + ccdm_le32(b.p + ENTRY(TEXT) + 20) + 64;

	forge_set(b.p + ENTRY(TEXT) + 8, 512, 4);
	forge_set(b.p + RELOCATIONS, place_of(&b, TEXT) + 64, 4);
	forge_set(b.p + RELOCATIONS + 4, 12, 4);
	forge_set(block, at & ~0xfffU, 4);
	forge_set(block + 4, 12, 4);
	forge_set(block + 8, 10 << 12 | (at & 0xfff), 2);
	forge_set(block + 10, 0, 2);
	return b;
}

static void uki_relocations(void **state)
{
	struct forge_bytes b = relocated(0x1000);
	uint32_t cmdline = place_of(&b, CMDLINE), release = place_of(&b, OSREL);
	uint32_t text = place_of(&b, TEXT);
	struct ccdm_uki uki;

	(void)state;
	assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), 0);
	forge_free(&b);
	b = relocated(cmdline + 5);
	bad_memory(&b, "a relocation changes .cmdline");
	b = relocated(cmdline - 7);
	bad_memory(&b, "a relocation changes .cmdline");
	b = relocated(release);
	bad_memory(&b, "a relocation changes .osrel");
	/* the section table; the relocations themselves, which firmware is reading */
	b = relocated(FORGE_PE_TABLE);
	bad_memory(&b, "a relocation changes the headers");
	b = relocated(text + 64 + 8);
	bad_memory(&b, "a relocation changes the relocations");
	/* relocations that are cut off, or lie in no section, or in two */
	b = relocated(0x1000);
	forge_set(b.p + RELOCATIONS + 4, 14, 4);
	bad_memory(&b, "the relocations are cut off");
	b = relocated(0x1000);
	forge_set(b.p + RELOCATIONS + 4, 10, 4);
	bad_memory(&b, "the relocations are cut off");
	b = relocated(0x1000);
	forge_set(b.p + RELOCATIONS, 0xfffffff0, 4);
	bad_memory(&b, "do not lie in one section");
	b = relocated(0x1000);
	forge_set(b.p + RELOCATIONS, text + 506, 4);
	bad_memory(&b, "do not lie in one section");
	b = relocated(0x1000);
	forge_set(b.p + ENTRY(SDMAGIC) + 12, text + 70, 4);
	bad_memory(&b, "do not lie in one section");
	b = relocated(0x1000);
	forge_set(b.p + RELOCATIONS + 4, (1 << 20) + 2, 4);
	bad_memory(&b, "at most 1 MiB");
}

static void uki_options(void **state)
{
	static const struct {
		const char *cmdline;
		const char *why;
	} cases[] = {
		{ "a b", NULL },    { "", "no command line" },	 { " a", "begins or ends" },
		{ "a ", "begins" }, { "a\nb", "not printable" }, { "\xc3\xa4", "not printable" },
	};
	struct ccdm_uki uki;
	const char *why;
	uint8_t *options;
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct forge_bytes initrd = { 0 }, b = { 0 };

		forge_uki(&b, "257.1", cases[i].cmdline, &initrd);
		assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), 0);
		assert_int_equal(ccdm_uki_options(&uki, &options, &size, &why), 0);
		if (cases[i].why) {
			assert_null(options);
			assert_non_null(strstr(why, cases[i].why));
		} else {
			assert_int_equal(size, 8);
			assert_memory_equal(options, "a\0 \0b\0\0", 8);
		}
		free(options);
		forge_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pe_digest),	   cmocka_unit_test(pe_order),
		cmocka_unit_test(pe_bad),	   cmocka_unit_test(uki_versions),
		cmocka_unit_test(uki_odd),	   cmocka_unit_test(uki_prefixes),
		cmocka_unit_test(uki_empty),	   cmocka_unit_test(uki_overlaps),
		cmocka_unit_test(uki_relocations), cmocka_unit_test(uki_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
