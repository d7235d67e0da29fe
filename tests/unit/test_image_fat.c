// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* FAT file systems: each field wrong, chains and folders that loop, names given twice. */
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

static int open_fat(const struct forge_bytes *esp, struct ccdm_source *s, struct ccdm_fat *fat)
{
	*s = source_of(esp);
	memset(&err, 0, sizeof(err));
	if (esp->size < 65536)
		seed("image_fat", esp->p, esp->size);
	return ccdm_fat_open(s, 0, esp->size, fat, &err);
}

static struct forge_bytes good_fat(unsigned int bits)
{
	static uint8_t data[1300];
	const struct forge_file files[] = { { "EFI/BOOT/BOOTX64.EFI", data, sizeof(data) },
					    more_files[0],
					    more_files[1] };
	struct forge_bytes esp = { 0 };
	unsigned int i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	forge_fat(&esp, bits, bits == 32 ? 65530 : bits == 16 ? 4100 : 40, files, 3);
	return esp;
}

static int say_name(const struct ccdm_fat_entry *entry, void *arg)
{
	strcat(arg, entry->name);
	strcat(arg, entry->folder ? "/ " : " ");
	return 0;
}

static void fat_good(void **state)
{
	static const unsigned int all_bits[] = { 12, 16, 32 };
	struct ccdm_fat_entry entry;
	struct ccdm_source s;
	struct ccdm_fat fat;
	char names[1024];
	uint8_t *bytes;
	size_t i, k;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct forge_bytes esp = good_fat(all_bits[i]);

		assert_int_equal(open_fat(&esp, &s, &fat), 0);
		assert_int_equal(fat.bits, all_bits[i]);
		names[0] = '\0';
		assert_int_equal(ccdm_fat_list(&fat, NULL, say_name, names, &err), 0);
		assert_string_equal(names, "EFI/ LOADER/ ");
		assert_int_equal(ccdm_fat_find(&fat, "efi/boot/BootX64.efi", &entry, &err), 0);
		assert_int_equal(ccdm_fat_load(&fat, &entry, 1300, &bytes, &err), 0);
		for (k = 0; k < 1300; k++)
			assert_int_equal(bytes[k], (uint8_t)(k * 7));
		free(bytes);
		assert_int_equal(ccdm_fat_load(&fat, &entry, 1299, &bytes, &err), -EINVAL);
		assert_int_equal(ccdm_fat_find(&fat, more_files[0].path, &entry, &err), 0);
		assert_string_equal(entry.name, LONG_NAME);
		assert_int_equal(ccdm_fat_find(&fat, "LOADER/EMPTY.TXT", &entry, &err), 0);
		assert_int_equal(ccdm_fat_load(&fat, &entry, 10, &bytes, &err), 0);
		free(bytes);
		assert_int_equal(ccdm_fat_find(&fat, "LOADER", &entry, &err), 0);
		assert_int_equal(ccdm_fat_load(&fat, &entry, 10, &bytes, &err), -EINVAL);
		assert_int_equal(ccdm_fat_find(&fat, "LOADER/NONE", &entry, &err), -ENOENT);
		assert_int_equal(ccdm_fat_find(&fat, "LOADER/EMPTY.TXT/X", &entry, &err), -ENOENT);
		forge_free(&esp);
	}
}

static void fat_bad_sector(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		unsigned int bytes;
		const char *says;
	} cases[] = {
		{ 510, 0, 1, "expected 55 aa" },
		{ 11, 0, 2, "expected sectors of" },
		{ 11, 513, 2, "expected sectors of" },
		{ 11, 8192, 2, "expected sectors of" },
		{ 13, 0, 1, "power of two" },
		{ 13, 3, 1, "power of two" },
		{ 14, 0, 2, "it has no table" },
		{ 16, 0, 1, "it has no table" },
		{ 32, 0xffffffff, 4, "its size does not fit" },
		{ 32, 2, 4, "its size does not fit" },
		{ 22, 0xffff, 2, "its size does not fit" },
	};
	struct forge_bytes esp = good_fat(12);
	struct ccdm_source s;
	struct ccdm_fat fat;
	uint8_t sector[512];
	size_t i;

	(void)state;
	memcpy(sector, esp.p, sizeof(sector));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(esp.p, sector, sizeof(sector));
		forge_set(esp.p + cases[i].at, cases[i].value, cases[i].bytes);
		assert_int_equal(open_fat(&esp, &s, &fat), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].says));
	}
	/* a table that is too short for its clusters */
	memcpy(esp.p, sector, sizeof(sector));
	forge_free(&esp);
	esp = good_fat(32);
	forge_set(esp.p + 36, 1, 4);
	assert_int_equal(open_fat(&esp, &s, &fat), -EINVAL);
	assert_non_null(strstr(err.text, "fewer entries than the file system"));
	forge_free(&esp);
}

/* Chains of a file and of a folder: each FAT entry set to each invalid target. */
static void fat_chains(void **state)
{
	struct forge_bytes esp = good_fat(32);
	static const uint32_t places[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x29, 0x30, 0xfffffff };
	struct ccdm_fat_entry entry;
	struct ccdm_source s;
	struct ccdm_fat fat;
	unsigned int cluster, refused = 0;
	char names[65536];
	uint8_t *bytes;
	size_t i;

	(void)state;
	for (cluster = 2; cluster < 12; cluster++)
		for (i = 0; i < ARRAY_SIZE(places); i++) {
			uint8_t *place = esp.p + 32 * 512 + 4 * cluster;
			uint32_t old = ccdm_le32(place);

			forge_set(place, places[i], 4);
			assert_int_equal(open_fat(&esp, &s, &fat), 0);
			names[0] = '\0';
			if (ccdm_fat_find(&fat, CCDM_BOOTABLE_UKI, &entry, &err) ||
			    ccdm_fat_load(&fat, &entry, 4096, &bytes, &err))
				refused++;
			else
				free(bytes);
			forge_set(place, old, 4);
		}
	assert_true(refused > 20);
	/* a folder's chain that loops */
	forge_set(esp.p + 32 * 512 + 4 * 2, 2, 4);
	assert_int_equal(open_fat(&esp, &s, &fat), 0);
	assert_int_equal(ccdm_fat_list(&fat, NULL, say_name, names, &err), -EINVAL);
	assert_non_null(strstr(err.text, "loop"));
	forge_free(&esp);
}

/* First sectors that EDK II refuses, or for which it would find the clusters elsewhere. */
static void fat_firmware(void **state)
{
	static const struct {
		unsigned int bits, clusters;
		size_t at;
		uint64_t value;
		unsigned int bytes;
		const char *says;
	} cases[] = {
		{ 32, 65530, 17, 16, 2, "expected no entries of a root folder" },
		{ 32, 65530, 40, 0x80, 2, "tables with the same content" },
		{ 32, 65530, 42, 1, 2, "expected version 0" },
		{ 32, 65524, 0, 0xeb, 1, "too few clusters for FAT32" },
		{ 16, 65525, 0, 0xeb, 1, "too many clusters for FAT16" },
		{ 12, 40, 17, 0, 2, "has no entries" },
		{ 12, 40, 21, 0x33, 1, "media is unknown" },
	};
	struct ccdm_source s;
	struct ccdm_fat fat;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct forge_bytes esp = { 0 };

		forge_fat(&esp, cases[i].bits, cases[i].clusters, NULL, 0);
		forge_set(esp.p + cases[i].at, cases[i].value, cases[i].bytes);
		assert_int_equal(open_fat(&esp, &s, &fat), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].says));
		forge_free(&esp);
	}
}

/* Entry @number of the root folder of FAT12. */
static uint8_t *root_entry(const struct forge_bytes *esp, unsigned int number)
{
	return esp->p + 2 * 512 + 32 * (size_t)number;
}

static uint8_t sum_of(const uint8_t *e)
{
	uint8_t sum = 0;
	int i;

	for (i = 0; i < 11; i++)
		sum = (uint8_t)((sum << 7) | (sum >> 1)) + e[i];
	return sum;
}

/* Folders with two names for a file, where firmware would find another file by the second one. */
static void fat_names(void **state)
{
	static const struct forge_file files[] = { { "a long name", "x", 1 }, { "OTHER", "y", 1 } };
	/* the root folder: a label, a piece of a long name, its file, another file */
	enum { LABEL, PIECE, FILE_1, FILE_2, END };
	static const struct {
		unsigned int entry;
		size_t at;
		unsigned int value;
		const char *says;
	} cases[] = {
		{ PIECE, 11, 0x4f, "long name is damaged" },
		{ PIECE, 26, 1, "long name is damaged" },
		{ PIECE, 0, 0xc1, "long name is damaged" },
		{ PIECE, 0, 0x01, "long name is damaged" },
		{ PIECE, 0, 0x42, "long name is damaged" },
		{ PIECE, 13, 0x77, "long name is damaged" },
		{ FILE_1, 0, 0xe5, "long name is damaged" },
		{ FILE_1, 11, 0x28, "long name is damaged" },
		{ FILE_1, 0, 0, "long name is damaged" },
		{ FILE_2, 2, 0x07, "control character" },
		{ END, 11, 0x08, "the last entry of a folder" },
	};
	struct forge_bytes esp = { 0 };
	struct ccdm_fat_entry entry;
	struct ccdm_source s;
	struct ccdm_fat fat;
	char names[256];
	size_t i;

	(void)state;
	forge_fat(&esp, 12, 40, files, 2);
	for (i = 0; i <= ARRAY_SIZE(cases); i++) {
		uint8_t *p = i ? root_entry(&esp, cases[i - 1].entry) + cases[i - 1].at : NULL;
		uint8_t old = p ? *p : 0;

		if (p)
			*p = (uint8_t)cases[i - 1].value;
		assert_int_equal(open_fat(&esp, &s, &fat), 0);
		names[0] = '\0';
		if (p) {
			assert_int_equal(ccdm_fat_list(&fat, NULL, say_name, names, &err), -EINVAL);
			assert_non_null(strstr(err.text, cases[i - 1].says));
			*p = old;
		} else {
			assert_int_equal(ccdm_fat_list(&fat, NULL, say_name, names, &err), 0);
			assert_string_equal(names, "a long name OTHER ");
		}
	}
	/* a long name whose short name is the file that firmware looks for */
	memcpy(root_entry(&esp, FILE_1), "BOOTX64 EFI", 11);
	root_entry(&esp, PIECE)[13] = sum_of(root_entry(&esp, FILE_1));
	assert_int_equal(open_fat(&esp, &s, &fat), 0);
	assert_int_equal(ccdm_fat_find(&fat, "BOOTX64.EFI", &entry, &err), -EINVAL);
	assert_non_null(strstr(err.text, "a short name that is not made from its long name"));
	/* a long name of "." */
	memcpy(root_entry(&esp, FILE_1), ".          ", 11);
	root_entry(&esp, PIECE)[13] = sum_of(root_entry(&esp, FILE_1));
	assert_int_equal(open_fat(&esp, &s, &fat), 0);
	assert_int_equal(ccdm_fat_find(&fat, "OTHER", &entry, &err), -EINVAL);
	forge_free(&esp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fat_good),   cmocka_unit_test(fat_bad_sector),
		cmocka_unit_test(fat_chains), cmocka_unit_test(fat_firmware),
		cmocka_unit_test(fat_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
