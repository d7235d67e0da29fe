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
	{ "crypto_LUKS crypto", 0x400000, "SKUL\xba\xbe", 6 },
	{ "swap other", 0x1ff6, "SWAPSPACE2", 10 },
	{ "swap other", 0x7ff6, "SWAP-SPACE", 10 },
	{ "swap other", 0xfff6, "SWAPSPACE2", 10 },
	{ "swsuspend other", 0xff6, "LINHIB0001", 10 },
	{ "swsuspend other", 0xfff6, "S2SUSPEND", 9 },
	{ "bcache other", 0x1018,
	  "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", 16 },
	{ "bcachefs file system", 0x200018,
	  "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef", 16 },
	{ "stratis raid", 516, "!Stra0tis\x86\xff\x02^\x41rh", 16 },
	{ "stratis raid", 4612, "!Stra0tis\x86\xff\x02^\x41rh", 16 },
	{ "ReFS file system", 0, "\0\0\0ReFS\0", 8 },
	{ "ubi raid", 0, "UBI#", 4 },
	{ "VMFS file system", 0x200000, "\x5e\xf1\xab\x2f", 4 },
	{ "VMFS_volume_member raid", 0x100000, "\x0d\xd0\x01\xc0", 4 },
	{ "gfs2 file system", 0x10000, "\x01\x16\x19\x70", 4 },
	{ "ocfs2 file system", 0x1000, "OCFSV2", 6 },
	{ "nilfs2 file system", 0x400, "\x02\0\0\0\0\0\x34\x34", 8 },
	{ "hfsplus file system", 0x400, "H+\0\4", 4 },
	{ "hfs file system", 0x400, "BD\0\0\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0\1\0\0\2\0", 24 },
	{ "ufs file system", 0x255c, "\x54\x19\x01\0", 4 },
	{ "ufs file system", 0x1055c, "\x19\x54\x01\x19", 4 },
	{ "minix file system", 0x400, "\0\1\0\1\1\0\1\0\1\0\0\0\0\0\0\0\x8f\x13\1\0", 20 },
	{ "minix file system", 0x400, "\1\0\1\0\0\1\0\1\0\1\0\0\0\0\0\0\x24\x78\0\1", 20 },
	{ "minix file system", 0x400,
	  "\1\0\0\0\0\0\1\0\1\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\x5a\x4d\0\0\0\4", 30 },
	{ "vdo other", 0, "dmvdo001", 8 },
	{ "ceph_bluestore other", 0, "bluestore block device", 22 },
	{ "LVM1_member raid", 0, "HM\1\0", 4 },
	{ "vfat file system", 54, "FAT     ", 8 },
};

/*
 * A device of @size bytes: zeros, and @bytes at @at, cut off at the end of the device. Head and tail have
 * no byte around them.
 */
static const char *find(size_t size, size_t at, const char *bytes, size_t count,
			unsigned int *block)
{
	struct ccdm_content c = { .bytes = size };
	uint8_t *all = calloc(1, size + count), *head, *tail;
	const char *found;

	c.head_size = size < CCDM_SIGNATURE_HEAD ? size : CCDM_SIGNATURE_HEAD;
	c.tail_size = size < CCDM_SIGNATURE_TAIL ? size : CCDM_SIGNATURE_TAIL;
	c.head = head = malloc(c.head_size);
	c.tail = tail = malloc(c.tail_size);
	assert_true(all && head && tail);
	memcpy(all + at, bytes, count);
	memcpy(head, all, c.head_size);
	memcpy(tail, all + size - c.tail_size, c.tail_size);
	found = ccdm_signature_find(&c, block);
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
			find(8 << 20, known[i].at, known[i].bytes, known[i].size, &block),
			known[i].name);
		/* the last byte of the magic value is cut off */
		if (known[i].at && known[i].size <= 16)
			assert_null(find(known[i].at + known[i].size - 1, known[i].at,
					 known[i].bytes, known[i].size - 1, &block));
	}
	assert_null(find(1 << 20, 0, "", 0, &block));
	assert_null(find(1, 0, "", 0, &block));
	assert_string_equal(find(4, 0, "XFSB", 4, &block), "xfs file system");
	assert_int_equal(block, 0);
	assert_null(find(32 << 20, 16 << 20, "LABELONE", 8, &block));
	assert_string_equal(find(1 << 20, 0, "XFSB\0\0\x10\0", 8, &block), "xfs file system");
	assert_int_equal(block, 4096);
}

static void at_the_end(void **state)
{
	static const struct {
		const char *name;
		size_t before; /* the end */
		const char *bytes;
		size_t size;
	} ends[] = {
		{ "gpt partition table", 512, "EFI PART", 8 },
		{ "gpt partition table", 4096, "EFI PART", 8 },
		{ "linux_raid_member raid", 8192, "\xfc\x4e\x2b\xa9", 4 },
		{ "linux_raid_member raid", 65536, "\xfc\x4e\x2b\xa9", 4 },
		{ "linux_raid_member raid", 65536, "\xa9\x2b\x4e\xfc", 4 },
		{ "isw_raid_member raid", 1024, "Intel Raid ISM Cfg Sig. ", 24 },
		{ "ddf_raid_member raid", 512, "\xde\x11\xde\x11", 4 },
		{ "lsi_mega_raid_member raid", 512, "$XIDE$", 6 },
		{ "nvidia_raid_member raid", 1024, "NVIDIA  ", 8 },
		{ "promise_fasttrack_raid_member raid", 3087 * 512, "Promise Technology, Inc.",
		  24 },
		{ "drbd raid", 4096 - 60, "\x83\x74\x02\x6d", 4 },
		{ "bcachefs file system", (1 << 20) - 24,
		  "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef", 16 },
		{ "zfs_member file system", (128 << 10) - 4096, "\x0c\xb1\xba\0\0\0\0\0", 8 },
		{ "zfs_member file system", (384 << 10) - 4096, "\x0c\xb1\xba\0\0\0\0\0", 8 },
	};
	unsigned int block;
	size_t size, i;

	(void)state;
	for (size = 3 << 20; size <= 9 << 20; size += 6 << 20)
		for (i = 0; i < ARRAY_SIZE(ends); i++)
			assert_string_equal(find(size, size - ends[i].before, ends[i].bytes,
						 ends[i].size, &block),
					    ends[i].name);
	assert_null(find(size, size / 2, "\xfc\x4e\x2b\xa9", 4, &block));
	for (size = 512; size < 256 << 10; size += 512)
		assert_null(find(size, 0, "", 0, &block));
}

/* The places of md are multiples of 4 and 64 KiB, whatever the size of the device is. */
static void md(void **state)
{
	static const char magic_md[] = "\xfc\x4e\x2b\xa9";
	unsigned int block;
	size_t size;

	(void)state;
	for (size = 9 << 20; size < (9 << 20) + 131072; size += 3584) {
		assert_string_equal(find(size, size / 65536 * 65536 - 65536, magic_md, 4, &block),
				    "linux_raid_member raid");
		assert_string_equal(find(size, size / 4096 * 4096 - 8192, magic_md, 4, &block),
				    "linux_raid_member raid");
	}
}

/* A boot sector of mkfs.fat whose name was taken out */
static void fat(void **state)
{
	char sector[512] = "\xeb\x3c\x90mkfs.fat\0\x02\x04\x01\0\x02\0\x02\0\0\xf8\x20\0\x20\0\x08";
	unsigned int block;

	(void)state;
	memcpy(sector + 510, "\x55\xaa", 2);
	assert_string_equal(find(1 << 20, 0, sector, sizeof(sector), &block), "vfat file system");
	sector[21] = 0; /* the kind of medium */
	assert_null(find(1 << 20, 0, sector, sizeof(sector), &block));
	sector[21] = (char)0xf8;
	sector[13] = 3; /* sectors of a cluster */
	assert_null(find(1 << 20, 0, sector, sizeof(sector), &block));
	sector[13] = 4;
	memcpy(sector + 54, "HPFS    ", 8);
	assert_null(find(1 << 20, 0, sector, sizeof(sector), &block));
}

/* What an earlier mapping left behind is random, and is not taken for something that is known. */
static void noise(void **state)
{
	const size_t size = 8192;
	uint32_t *words = malloc(size), x = 1;
	unsigned int block, round;
	size_t i;

	(void)state;
	assert_non_null(words);
	for (round = 0; round < 20000; round++) {
		for (i = 0; i < size / 4; i++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			words[i] = x;
		}
		assert_null(find(size, 0, (const char *)words, size, &block));
	}
	free(words);
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
		cmocka_unit_test(magic), cmocka_unit_test(at_the_end), cmocka_unit_test(md),
		cmocka_unit_test(fat),	 cmocka_unit_test(noise),      cmocka_unit_test(ext),
		cmocka_unit_test(mbr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
