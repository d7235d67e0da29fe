// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* What a device holds: known formats, the same cut short, and noise. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "libccdm/signature.h"

static const struct known {
	const char *name;
	size_t at;
	const char *bytes;
	size_t size;
} known[] = {
	{ "crypto_LUKS crypto", 0, "LUKS\xba\xbe", 6 },
	{ "crypto_LUKS crypto", 0x4000, "SKUL\xba\xbe", 6 },
	{ "crypto_LUKS crypto", 0x20000, "SKUL\xba\xbe", 6 },
	{ "gpt partition table", 512, "EFI PART", 8 },
	{ "gpt partition table", 4096, "EFI PART", 8 },
	{ "xfs file system", 0, "XFSB\0\0\x10\0", 8 },
	{ "btrfs file system", 0x10040, "_BHRfS_M", 8 },
	{ "swap other", 4086, "SWAPSPACE2", 10 },
	{ "LVM2_member raid", 1536, "LABELONE", 8 },
	{ "zfs_member file system", 0x20400, "\x0c\xb1\xba\0\0\0\0\0", 8 },
	{ "zfs_member file system", 0x20400, "\0\0\0\0\0\xba\xb1\x0c", 8 },
	{ "squashfs file system", 0, "hsqs", 4 },
};

/* A device of @size bytes: zeros, and @bytes at @at. Head and tail have no byte around them. */
static const char *find(size_t size, size_t at, const char *bytes, size_t count,
			unsigned int *block)
{
	size_t head_size = size < CCDM_SIGNATURE_HEAD ? size : CCDM_SIGNATURE_HEAD;
	size_t tail_size = size < CCDM_SIGNATURE_TAIL ? size : CCDM_SIGNATURE_TAIL;
	uint8_t *all = calloc(1, size + count), *head = malloc(head_size),
		*tail = malloc(tail_size);
	const char *found;

	assert_true(all && head && tail);
	memcpy(all + at, bytes, count);
	memcpy(head, all, head_size);
	memcpy(tail, all + size - tail_size, tail_size);
	found = ccdm_signature_find(head, head_size, tail, tail_size, block);
	free(all);
	free(head);
	free(tail);
	return found;
}

static void magic(void **state)
{
	unsigned int block;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		assert_string_equal(
			find(1 << 20, known[i].at, known[i].bytes, known[i].size, &block),
			known[i].name);
		/* the last byte is cut off */
		if (known[i].at)
			assert_null(find(known[i].at + known[i].size - 1, known[i].at,
					 known[i].bytes, known[i].size - 1, &block));
	}
	assert_null(find(1 << 20, 0, "", 0, &block));
	assert_null(find(1, 0, "", 0, &block));
	assert_string_equal(find(1 << 20, 0, "XFSB\0\0\x10\0", 8, &block), "xfs file system");
	assert_int_equal(block, 4096);
}

static void at_the_end(void **state)
{
	static const char md[] = "\xfc\x4e\x2b\xa9";
	unsigned int block;
	size_t size = 3 << 20;

	(void)state;
	assert_string_equal(find(size, size - 512, "EFI PART", 8, &block), "gpt partition table");
	assert_string_equal(find(size, size - 4096, "EFI PART", 8, &block), "gpt partition table");
	assert_string_equal(find(size, size - 8192, md, 4, &block), "linux_raid_member raid");
	assert_string_equal(find(size, size - 65536, md, 4, &block), "linux_raid_member raid");
	assert_string_equal(find(size, size - 1024, "Intel Raid ISM Cfg Sig. ", 24, &block),
			    "isw_raid_member raid");
	assert_null(find(size, size / 2, md, 4, &block));
}

static void ext(void **state)
{
	char sb[1024] = { 0 };
	unsigned int block;

	(void)state;
	memcpy(sb + 0x38, "\x53\xef", 2);
	sb[0x18] = 2;
	assert_string_equal(find(1 << 20, 1024, sb, sizeof(sb), &block), "ext2 file system");
	assert_int_equal(block, 4096);
	sb[0x5c] = 4;
	assert_string_equal(find(1 << 20, 1024, sb, sizeof(sb), &block), "ext3 file system");
	sb[0x60] = 0x42; /* extents */
	assert_string_equal(find(1 << 20, 1024, sb, sizeof(sb), &block), "ext4 file system");
	sb[0x60] = 0x8;
	assert_string_equal(find(1 << 20, 1024, sb, sizeof(sb), &block), "jbd other");
	sb[0x18] = 7; /* blocks of 128 KiB */
	assert_null(find(1 << 20, 1024, sb, sizeof(sb), &block));
	assert_int_equal(block, 0);
	sb[0x18] = 2;
	assert_null(find(2047, 1024, sb, sizeof(sb) - 1, &block));
}

static void mbr(void **state)
{
	char sector[512] = { 0 };
	unsigned int block;

	(void)state;
	memcpy(sector + 510, "\x55\xaa", 2);
	assert_null(find(1 << 20, 0, sector, sizeof(sector), &block));
	sector[446 + 4] = (char)0x83;
	assert_null(find(1 << 20, 0, sector, sizeof(sector), &block));
	sector[446 + 12] = 1;
	assert_string_equal(find(1 << 20, 0, sector, sizeof(sector), &block),
			    "dos partition table");
	sector[446 + 16] = 1; /* code, where an entry would begin with 00 or 80 */
	assert_null(find(1 << 20, 0, sector, sizeof(sector), &block));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(magic),
		cmocka_unit_test(at_the_end),
		cmocka_unit_test(ext),
		cmocka_unit_test(mbr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
