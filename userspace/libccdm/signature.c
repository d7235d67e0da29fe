// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* signature.c - see signature.h */
#include <stdbool.h>
#include <string.h>
#include "base/bytes.h"
#include "signature.h"

/**
 * struct ccdm_signature - a magic value
 * @name: what has it there
 * @at: where, from the beginning of the device
 * @magic: the bytes
 * @size: their number
 *
 * The places are those of the formats' own headers, as the kernel's sources have them.
 */
struct ccdm_signature {
	const char *name;
	uint32_t at;
	const char *magic;
	size_t size;
};

#define MAGIC(name, at, magic)                     \
	{                                          \
		name, at, magic, sizeof(magic) - 1 \
	}

static const struct ccdm_signature ccdm_signatures[] = {
	MAGIC("crypto_LUKS crypto", 0, "LUKS\xba\xbe"),
	MAGIC("BitLocker crypto", 3, "-FVE-FS-"),
	MAGIC("DM_verity_hash crypto", 0, "verity\0\0"),
	MAGIC("DM_integrity crypto", 0, "integrt\0"),
	MAGIC("gpt partition table", 512, "EFI PART"),
	MAGIC("gpt partition table", 4096, "EFI PART"),
	MAGIC("xfs file system", 0, "XFSB"),
	MAGIC("btrfs file system", 0x10040, "_BHRfS_M"),
	MAGIC("bcachefs file system", 0x1018,
	      "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"),
	MAGIC("bcachefs file system", 0x1018,
	      "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"),
	MAGIC("f2fs file system", 0x400, "\x10\x20\xf5\xf2"),
	MAGIC("erofs file system", 0x400, "\xe2\xe1\xf5\xe0"),
	MAGIC("squashfs file system", 0, "hsqs"),
	MAGIC("nilfs2 file system", 0x406, "\x34\x34"),
	MAGIC("jfs file system", 0x8000, "JFS1"),
	MAGIC("reiserfs file system", 0x10034, "ReIsEr"),
	MAGIC("apfs file system", 32, "NXSB"),
	MAGIC("hfsplus file system", 0x400, "H+"),
	MAGIC("ntfs file system", 3, "NTFS    "),
	MAGIC("exfat file system", 3, "EXFAT   "),
	MAGIC("vfat file system", 82, "FAT32   "),
	MAGIC("vfat file system", 54, "FAT1"),
	MAGIC("iso9660 file system", 0x8001, "CD001"),
	MAGIC("udf file system", 0x8001, "BEA01"),
	MAGIC("LVM2_member raid", 0, "LABELONE"),
	MAGIC("LVM2_member raid", 512, "LABELONE"),
	MAGIC("LVM2_member raid", 1024, "LABELONE"),
	MAGIC("LVM2_member raid", 1536, "LABELONE"),
	MAGIC("linux_raid_member raid", 0, "\xfc\x4e\x2b\xa9"),
	MAGIC("linux_raid_member raid", 4096, "\xfc\x4e\x2b\xa9"),
	MAGIC("swap other", 4096 - 10, "SWAPSPACE2"),
	MAGIC("swap other", 4096 - 10, "SWAP-SPACE"),
	MAGIC("swsuspend other", 4096 - 10, "S1SUSPEND"),
	MAGIC("swap other", 16384 - 10, "SWAPSPACE2"),
	MAGIC("swap other", 65536 - 10, "SWAPSPACE2"),
};

static uint32_t ccdm_signature_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* Version 2 of LUKS has a second header at one of these places. */
static bool ccdm_signature_luks2(const uint8_t *head, size_t size)
{
	size_t at;

	for (at = 0x4000; at + 6 <= size; at *= 2)
		if (!memcmp(head + at, "SKUL\xba\xbe", 6))
			return true;
	return false;
}

/* The magic number alone has 16 bits, so look at more. */
static const char *ccdm_signature_ext(const uint8_t *head, size_t size, unsigned int *block)
{
	const uint8_t *sb = head + 1024;
	uint32_t incompat, compat;

	if (size < 2048 || ccdm_le16(sb + 0x38) != 0xef53 || ccdm_le32(sb + 0x18) > 6)
		return NULL;
	*block = 1024u << ccdm_le32(sb + 0x18);
	compat = ccdm_le32(sb + 0x5c);
	incompat = ccdm_le32(sb + 0x60);
	if (incompat & 0x8)
		return "jbd other";
	/* features that ext3 does not know: extents, 64bit, flex_bg, and more */
	if (incompat & ~0x16u || ccdm_le32(sb + 0x64) & ~0x7u)
		return "ext4 file system";
	return compat & 0x4 ? "ext3 file system" : "ext2 file system";
}

static const char *ccdm_signature_tail(const uint8_t *tail, size_t size)
{
	/* the second GPT is in the last sector of 512 or 4096 bytes */
	if (size >= 4096 && (!memcmp(tail + size - 512, "EFI PART", 8) ||
			     !memcmp(tail + size - 4096, "EFI PART", 8)))
		return "gpt partition table";
	/* versions 1.0 and 0.90: aligned to 4 and 64 KiB, at least 8 and 64 KiB before the end */
	if (size >= 8192 && !memcmp(tail + (size - 8192) / 4096 * 4096, "\xfc\x4e\x2b\xa9", 4))
		return "linux_raid_member raid";
	if (size >= 65536 && !memcmp(tail + size - 65536, "\xfc\x4e\x2b\xa9", 4))
		return "linux_raid_member raid";
	if (size >= 1024 && !memcmp(tail + size - 1024, "Intel Raid ISM Cfg Sig. ", 24))
		return "isw_raid_member raid";
	return NULL;
}

/* ZFS: one of the uberblocks in the first label */
static bool ccdm_signature_zfs(const uint8_t *head, size_t size)
{
	size_t at;

	for (at = 128u << 10; at + 8 <= size; at += 1024)
		if (ccdm_le64(head + at) == 0x00bab10c ||
		    ccdm_le64(head + at) == 0x0cb1ba0000000000)
			return true;
	return false;
}

/* A boot sector and a partition table have the same last bytes: look at the entries. */
static bool ccdm_signature_mbr(const uint8_t *head, size_t size)
{
	unsigned int i, used = 0;

	if (size < 512 || head[510] != 0x55 || head[511] != 0xaa)
		return false;
	for (i = 0; i < 4; i++) {
		const uint8_t *p = head + 446 + 16 * (size_t)i;

		if (p[0] & 0x7f)
			return false;
		used += p[4] && ccdm_le32(p + 12);
	}
	return used > 0;
}

const char *ccdm_signature_find(const uint8_t *head, size_t head_size, const uint8_t *tail,
				size_t tail_size, unsigned int *block)
{
	const struct ccdm_signature *s;
	const char *found;
	size_t i;

	*block = 0;
	for (i = 0; i < ARRAY_SIZE(ccdm_signatures); i++) {
		s = &ccdm_signatures[i];
		if (s->at + s->size > head_size || memcmp(head + s->at, s->magic, s->size))
			continue;
		if (!strcmp(s->name, "xfs file system"))
			*block = ccdm_signature_be32(head + 4);
		return s->name;
	}
	found = ccdm_signature_ext(head, head_size, block);
	if (!found && ccdm_signature_luks2(head, head_size))
		found = "crypto_LUKS crypto";
	if (!found)
		found = ccdm_signature_tail(tail, tail_size);
	if (!found && ccdm_signature_zfs(head, head_size))
		found = "zfs_member file system";
	if (!found && ccdm_signature_mbr(head, head_size))
		found = "dos partition table";
	return found;
}
