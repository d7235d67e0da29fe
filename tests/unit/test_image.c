// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Disk images: which program the firmware starts, and from which partition. */
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

static int open_image(const struct forge_bytes *b, struct ccdm_bootable *boot)
{
	const struct ccdm_source s = source_of(b);

	memset(&err, 0, sizeof(err));
	forge_seed(b, NULL);
	return ccdm_bootable_read(&s, boot, &err);
}

static void bootable(void **state)
{
	struct ccdm_bootable *boot = malloc(sizeof(*boot));
	struct forge_bytes disk = good_disk(12, more_files, 2), uki = good_uki("252.1"),
			   initrd = { 0 }, foreign = { 0 };

	(void)state;
	assert_int_equal(open_image(&disk, boot), 0);
	assert_true(boot->disk);
	assert_int_equal(boot->files, 3);
	assert_string_equal(boot->file[0].path, "LOADER/EMPTY.TXT");
	assert_null(boot->file[0].beside);
	assert_string_equal(boot->file[1].path, CCDM_BOOTABLE_UKI);
	assert_null(boot->file[1].beside);
	assert_string_equal(boot->file[2].beside, "a credential");
	assert_string_equal(boot->no_conf, "");
	assert_int_equal(boot->config.base.data_blocks, 100);
	ccdm_bootable_close(boot);
	/*
	 * firmware would start these instead: MBR partitions, FAT on the whole disk, tables in a
	 * partition
	 */
	{
		static const struct {
			size_t at;
			const char *bytes;
			size_t size;
			const char *says;
		} cases[] = {
			{ 446 + 4, "\x0c", 1, "expected a protective MBR" },
			{ 446 + 8, "\x02", 1, "expected a protective MBR" },
			{ 446 + 16 + 4, "\x0c", 1, "expected a protective MBR" },
			{ 510, "\0", 1, "expected a protective MBR" },
			{ 0, "MZ", 2, "the magic numbers of both" },
			{ 11, "\0\x02\x01\x20\0\x01\0\0\x10\0\xf8", 11,
			  "found a FAT file system, too" },
			{ FORGE_ESP_SECTOR * 512 + 446, "\0\0\0\0\x0c\0\0\0\x10\0\0\0\x10\0\0\0",
			  16, "partition 1: expected a plain partition, found" },
		};
		uint8_t old[16];
		size_t i;

		for (i = 0; i < ARRAY_SIZE(cases); i++) {
			memcpy(old, disk.p + cases[i].at, sizeof(old));
			memcpy(disk.p + cases[i].at, cases[i].bytes, cases[i].size);
			assert_int_equal(open_image(&disk, boot), -EINVAL);
			assert_non_null(strstr(err.text, cases[i].says));
			ccdm_bootable_close(boot);
			memcpy(disk.p + cases[i].at, old, sizeof(old));
		}
	}
	/* a GPT in a partition: its first header, and its copy. The protective byte alone is none. */
	{
		uint8_t *second = disk.p + disk.size - 4 * 512;
		struct {
			uint8_t *kind;
			uint8_t *header;
		} table[] = {
			{ second + 446 + 4, second + 512 },
			{ disk.p + FORGE_ESP_SECTOR * 512 + 446 + 4, second - 512 },
		};
		size_t i;

		for (i = 0; i < ARRAY_SIZE(table); i++) {
			*table[i].kind = 0xee;
			assert_int_equal(open_image(&disk, boot), 0);
			ccdm_bootable_close(boot);
			memcpy(table[i].header, "EFI PART", 8);
			assert_int_equal(open_image(&disk, boot), -EINVAL);
			assert_non_null(strstr(err.text, "expected a plain partition, found"));
			ccdm_bootable_close(boot);
			memset(table[i].header, 0, 8);
			*table[i].kind = 0;
		}
	}
	/* the file system of a CD image, in a larger partition */
	{
		struct forge_bytes larger = good_disk(32, more_files, 2);

		memcpy(larger.p + FORGE_ESP_SECTOR * 512 + 32769, "CD001", 5);
		assert_int_equal(open_image(&larger, boot), -EINVAL);
		assert_non_null(strstr(err.text, "partition 1: expected a plain partition, found"));
		ccdm_bootable_close(boot);
		forge_free(&larger);
	}
	/* another partition that EDK II may read as FAT, but ccdm does not */
	{
		uint8_t *p = disk.p + disk.size - 4 * 512;

		memcpy(p + 11, "\0\x02\x01\x20\0\x01\0\0\x10\0\xf8", 11);
		assert_int_equal(open_image(&disk, boot), -EINVAL);
		assert_non_null(strstr(err.text, "FAT file system at byte"));
		ccdm_bootable_close(boot);
		memset(p, 0, 512);
	}
	/* two EFI system partitions; no EFI system partition */
	memcpy(disk.p + 1024 + 256, FORGE_TYPE_ESP, 16);
	forge_gpt_sum(disk.p);
	assert_int_equal(open_image(&disk, boot), -EINVAL);
	assert_non_null(strstr(err.text, "expected one EFI system partition"));
	ccdm_bootable_close(boot);
	memcpy(disk.p + 1024, FORGE_TYPE_OTHER, 16);
	memcpy(disk.p + 1024 + 256, FORGE_TYPE_OTHER, 16);
	forge_gpt_sum(disk.p);
	assert_int_equal(open_image(&disk, boot), -EINVAL);
	assert_non_null(strstr(err.text, "found none"));
	ccdm_bootable_close(boot);
	/* a UKI without a disk; another UKI */
	assert_int_equal(open_image(&uki, boot), 0);
	assert_false(boot->disk);
	assert_string_equal(boot->path, "test.img");
	ccdm_bootable_close(boot);
	forge_initrd(&initrd, NULL);
	forge_uki(&foreign, "257.1", "quiet", &initrd);
	assert_int_equal(open_image(&foreign, boot), 0);
	assert_non_null(strstr(boot->no_conf, "there is no etc/ccdm/ccdm.conf"));
	ccdm_bootable_close(boot);
	forge_free(&disk);
	forge_free(&uki);
	forge_free(&initrd);
	forge_free(&foreign);
	free(boot);
}

/* Folders nested too deep, and more files than the limit. */
static void bootable_many(void **state)
{
	struct ccdm_bootable *boot = malloc(sizeof(*boot));
	struct forge_file deep[1] = { { "A/B/C/D/E/F/G/H/I/J.TXT", "x", 1 } };
	struct forge_bytes disk = good_disk(12, deep, 1), uki = good_uki("257.1"), esp = { 0 };
	struct forge_file many[80];
	char names[80][16];
	unsigned int i;

	(void)state;
	assert_int_equal(open_image(&disk, boot), -EINVAL);
	assert_non_null(strstr(err.text, "levels of folders"));
	ccdm_bootable_close(boot);
	forge_free(&disk);
	for (i = 0; i < 80; i++) {
		snprintf(names[i], sizeof(names[i]), "D%u/F%u", i / 10, i);
		many[i] = (struct forge_file){ names[i], "", 0 };
	}
	forge_fat(&esp, 12, 100, many, 80);
	memset(&disk, 0, sizeof(disk));
	forge_disk(&disk, &esp);
	assert_int_equal(open_image(&disk, boot), -EINVAL);
	assert_non_null(strstr(err.text, "at most 64 files"));
	ccdm_bootable_close(boot);
	forge_free(&esp);
	forge_free(&disk);
	forge_free(&uki);
	free(boot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bootable),
		cmocka_unit_test(bootable_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
