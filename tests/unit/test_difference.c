// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Compare two disks: each difference is named, also one that no table or file name shows. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "image_test.h"
#include "image/difference.h"

static struct ccdm_bootable boot;

static char lines[16384];

static int say(const char *line, void *arg)
{
	(void)arg;
	strcat(lines, line);
	strcat(lines, "\n");
	return 0;
}

static void differences(void **state)
{
	static const struct forge_file beside[] = { { "NEW.TXT", "x", 1 } };
	static char conf[2048];
	struct forge_bytes disk = disk_of("257.1", FORGE_CMDLINE, forge_conf, NULL, 0), other;
	struct ccdm_bootable *b = malloc(sizeof(*b));
	const char *const expected[] = {
		"partition table: partition 1 was moved or resized",
		"EFI system partition: +NEW.TXT",
		"UKI: its stub: '257.1' became '252.1'",
		"UKI: section .cmdline: '" FORGE_CMDLINE "' became 'quiet'",
		"initrd: etc/ccdm/ccdm.conf differs",
		"initrd: etc/ccdm/ccdm.conf: +[measure] policy_url",
		"initrd: etc/ccdm/ccdm.conf: [base] salt: 'bb' became 'cc'",
	};
	size_t i;

	(void)state;
	snprintf(conf, sizeof(conf), "%spolicy_url = https://x\n", forge_conf);
	memcpy(strstr(conf, "salt = bb"), "salt = cc", 9);
	other = disk_of("252.1", "quiet", conf, beside, 1);
	open_disk(&disk, &boot);
	open_disk(&other, b);
	lines[0] = '\0';
	assert_int_equal(ccdm_difference(&boot, &boot, say, NULL, &err), 0);
	assert_string_equal(lines, "");
	assert_int_equal(ccdm_difference(&boot, b, say, NULL, &err), 0);
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		assert_non_null(strstr(lines, expected[i]));
	lines[0] = '\0';
	assert_int_equal(ccdm_difference(b, &boot, say, NULL, &err), 0);
	assert_non_null(strstr(lines, "EFI system partition: -NEW.TXT"));
	assert_non_null(strstr(lines, "initrd: etc/ccdm/ccdm.conf: -[measure] policy_url"));
	ccdm_bootable_close(&boot);
	ccdm_bootable_close(b);
	free(b);
	forge_free(&disk);
	forge_free(&other);
}

/* Compare an image with one whose UKI or initrd was changed; @says has the expected lines. */
static void said_of(const struct forge_bytes *disk, const struct forge_bytes *other)
{
	struct ccdm_bootable *b = malloc(sizeof(*b));

	forge_seed(other, NULL);
	open_disk(disk, &boot);
	open_disk(other, b);
	lines[0] = '\0';
	assert_int_equal(ccdm_difference(&boot, b, say, NULL, &err), 0);
	ccdm_bootable_close(&boot);
	ccdm_bootable_close(b);
	free(b);
}

/* Headers, gaps and the end of a UKI, and signatures. */
static void differences_outside(void **state)
{
	static const struct {
		size_t at;
		const char *says;
	} cases[] = {
		{ FORGE_PE_OPT + 16,
		  "UKI: differs outside of its sections\n" }, /* the entry point */
		{ FORGE_PE_OPT + 68, "UKI: differs outside of its sections\n" }, /* the subsystem */
		{ 30, "UKI: differs outside of its sections\n" },
		{ FORGE_PE_TABLE + 8 * 40 + 100, "UKI: differs outside of its sections\n" },
		{ FORGE_PE_OPT + 56, "UKI: differs outside of its sections\n" }, /* SizeOfImage */
		{ FORGE_PE_TABLE + 39, "UKI: section .text differs\n" },	 /* its flags */
		{ FORGE_PE_OPT + 64, "" }, /* the checksum, which is not hashed */
	};
	struct forge_bytes initrd = { 0 }, uki = { 0 }, other = { 0 };
	size_t i;

	(void)state;
	forge_initrd(&initrd, forge_conf);
	forge_uki(&uki, "257.1", FORGE_CMDLINE, &initrd);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		forge_say(&other, uki.p, uki.size);
		other.p[cases[i].at] ^= 1;
		said_of(&uki, &other);
		assert_string_equal(lines, cases[i].says);
		forge_free(&other);
	}
	forge_say(&other, uki.p, uki.size);
	forge_say(&other, "more", 4);
	said_of(&uki, &other);
	assert_string_equal(lines, "UKI: differs outside of its sections\n");
	forge_free(&other);
	forge_say(&other, uki.p, uki.size);
	forge_sign(&other, 64);
	said_of(&uki, &other);
	assert_string_equal(lines, "UKI: its signatures for Secure Boot differ\n");
	forge_free(&other);
	/* another section and another entry point; another section only */
	for (i = 0; i < 2; i++) {
		forge_uki(&other, "257.1", "quiet", &initrd);
		other.p[FORGE_PE_OPT + 16] = !i;
		said_of(&uki, &other);
		assert_non_null(strstr(lines, "UKI: section .cmdline:"));
		assert_int_equal(strstr(lines, "outside of its sections") != NULL, !i);
		forge_free(&other);
	}
	forge_free(&initrd);
	forge_free(&uki);
}

/* Another file with the size of the UKI. */
static void differences_files(void **state)
{
	static const struct forge_file good[] = { { "LOADER/A.CFG", "aaaa", 4 } };
	static const struct forge_file evil[] = { { "LOADER/A.CFG", "bbbb", 4 } };
	struct forge_bytes a = disk_of("257.1", FORGE_CMDLINE, forge_conf, good, 1);
	struct forge_bytes b = disk_of("257.1", FORGE_CMDLINE, forge_conf, evil, 1);

	(void)state;
	said_of(&a, &a);
	assert_string_equal(lines, "");
	said_of(&a, &b);
	assert_string_equal(lines, "EFI system partition: LOADER/A.CFG differs\n");
	forge_free(&a);
	forge_free(&b);
}

/* Make two files with two names each, in one archive or in two; the last one varies. */
static struct forge_bytes linked(unsigned int inode, unsigned int links, int word, bool apart,
				 bool twice)
{
	struct forge_bytes initrd = { 0 }, uki = { 0 };
	size_t at;

	forge_cpio_inode(&initrd, 7, "a", 0100755, 2, "x", 1);
	forge_cpio_inode(&initrd, 8, "b", 0100755, 2, "y", 1);
	if (apart)
		forge_cpio_end(&initrd);
	if (twice)
		forge_cpio_inode(&initrd, 9, "c", 0100755, 1, "before", 6);
	at = initrd.size;
	forge_cpio_inode(&initrd, inode, "c", 0100755, links, "", 0);
	if (word >= 0)
		initrd.p[at + 6 + 8 * (unsigned int)word + 7] = '5';
	forge_cpio_end(&initrd);
	forge_uki(&uki, "257.1", FORGE_CMDLINE, &initrd);
	forge_free(&initrd);
	return uki;
}

/* Fields of an entry other than its content. */
static void differences_entries(void **state)
{
	static const struct {
		unsigned int inode, links;
		int word;
		bool apart, twice;
		const char *says; /* NULL: no difference */
	} cases[] = {
		{ 7, 2, -1, false, false, NULL },
		{ 8, 2, -1, false, false, "initrd: c differs\n" }, /* a link to the other file */
		{ 7, 1, -1, false, false, "initrd: c differs\n" },
		{ 7, 2, 2, false, false, "initrd: c differs\n" }, /* owner */
		{ 7, 2, 3, false, false, "initrd: c differs\n" }, /* group */
		{ 7, 2, 9, false, false, "initrd: c differs\n" }, /* device */
		{ 7, 2, 10, false, false, "initrd: c differs\n" },
		{ 7, 2, 8, false, false, "initrd: c differs\n" }, /* the inode's device */
		{ 7, 2, 5, false, false, NULL },		  /* time */
		{ 7, 2, -1, true, false, "initrd: c differs\n" }, /* a trailer ends links */
		{ 7, 2, -1, false, true, "initrd: +c\n" },
	};
	struct forge_bytes uki = linked(7, 2, -1, false, false);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct forge_bytes other = linked(cases[i].inode, cases[i].links, cases[i].word,
						  cases[i].apart, cases[i].twice);

		said_of(&uki, &other);
		if (cases[i].says)
			assert_non_null(strstr(lines, cases[i].says));
		else
			assert_null(strstr(lines, "initrd: "));
		forge_free(&other);
	}
	forge_free(&uki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences),
		cmocka_unit_test(differences_outside),
		cmocka_unit_test(differences_files),
		cmocka_unit_test(differences_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
