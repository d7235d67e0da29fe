// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* signature.c - see signature.h */
#include <stdbool.h>
#include <string.h>
#include "base/bytes.h"
#include "signature.h"

const uint8_t *ccdm_content_at(const struct ccdm_content *content, uint64_t at, size_t size)
{
	uint64_t tail = content->bytes - content->tail_size;

	if (at > content->bytes || size > content->bytes - at)
		return NULL;
	if (at + size <= content->head_size)
		return content->head + at;
	return at >= tail ? content->tail + (at - tail) : NULL;
}

static bool ccdm_content_is(const struct ccdm_content *content, uint64_t at, const char *magic,
			    size_t size)
{
	const uint8_t *p = ccdm_content_at(content, at, size);

	return p && !memcmp(p, magic, size);
}

static uint16_t ccdm_signature_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t ccdm_signature_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static bool ccdm_signature_power(unsigned int n)
{
	return n && !(n & (n - 1));
}

/* Version 2 of LUKS has a second header at one of these places. */
static bool ccdm_signature_luks2(const struct ccdm_content *content)
{
	uint64_t at;

	for (at = 0x4000; at <= 0x400000; at *= 2)
		if (ccdm_content_is(content, at, "SKUL\xba\xbe", 6))
			return true;
	return false;
}

/* Swap is marked at the end of its first page, which has 4 to 64 KiB. */
static const char *ccdm_signature_swap(const struct ccdm_content *content)
{
	static const char *const suspended[] = { "S1SUSPEND", "S2SUSPEND", "ULSUSPEND",
						 "LINHIB0001" };
	uint64_t at;
	size_t i;

	for (at = 4096 - 10; at < 65536; at = 2 * (at + 10) - 10) {
		if (ccdm_content_is(content, at, "SWAPSPACE2", 10) ||
		    ccdm_content_is(content, at, "SWAP-SPACE", 10))
			return "swap other";
		for (i = 0; i < ARRAY_SIZE(suspended); i++)
			if (ccdm_content_is(content, at, suspended[i], strlen(suspended[i])))
				return "swsuspend other";
	}
	return NULL;
}

/* The magic number alone has 16 bits, so look at more. */
static const char *ccdm_signature_ext(const struct ccdm_content *content, unsigned int *block)
{
	const uint8_t *sb = ccdm_content_at(content, 1024, 1024);
	uint32_t incompat, compat;

	if (!sb || ccdm_le16(sb + 0x38) != 0xef53 || ccdm_le32(sb + 0x18) > 6)
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

/* A FAT without its name: the fields of its boot sector must agree. */
static bool ccdm_signature_fat(const struct ccdm_content *content)
{
	const uint8_t *sb = ccdm_content_at(content, 0, 512);
	unsigned int sector;

	if (!sb || sb[510] != 0x55 || sb[511] != 0xaa || !memcmp(sb + 54, "JFS     ", 8) ||
	    !memcmp(sb + 54, "HPFS    ", 8))
		return false;
	sector = ccdm_le16(sb + 11);
	return ccdm_signature_power(sector) && sector >= 512 && sector <= 4096 &&
	       ccdm_signature_power(sb[13]) && ccdm_le16(sb + 14) && sb[16] &&
	       (sb[21] >= 0xf8 || sb[21] == 0xf0);
}

/* Version 1 and 2, in both byte orders: 16 bits of magic, so zones of 1 block and a known state, too. */
static bool ccdm_signature_minix(const struct ccdm_content *content)
{
	static const uint16_t magic[] = { 0x137f, 0x138f, 0x2468, 0x2478 };
	const uint8_t *sb = ccdm_content_at(content, 1024, 32);
	size_t i;

	if (!sb)
		return false;
	if ((ccdm_le16(sb + 24) == 0x4d5a || ccdm_signature_be16(sb + 24) == 0x4d5a) &&
	    !ccdm_le16(sb + 4) && !ccdm_le16(sb + 12))
		return true;
	if (ccdm_le16(sb + 10) || (ccdm_le16(sb + 18) > 3 && ccdm_signature_be16(sb + 18) > 3))
		return false;
	for (i = 0; i < ARRAY_SIZE(magic); i++)
		if (ccdm_le16(sb + 16) == magic[i] || ccdm_signature_be16(sb + 16) == magic[i])
			return true;
	return false;
}

static bool ccdm_signature_hfs(const struct ccdm_content *content)
{
	const uint8_t *sb = ccdm_content_at(content, 1024, 32);

	/* its bit map of volumes begins in sector 3, and its blocks are sectors */
	return sb && !memcmp(sb, "BD", 2) && ccdm_signature_be16(sb + 14) == 3 &&
	       ccdm_signature_be32(sb + 20) && ccdm_signature_be32(sb + 20) % 512 == 0;
}

static bool ccdm_signature_ufs(const struct ccdm_content *content)
{
	static const uint32_t magic[] = { 0x00011954, 0x19540119, 0x00195612,
					  0x00095014, 0x00612195, 0x05231994 };
	static const uint32_t places[] = { 0, 8, 64, 256 };
	const uint8_t *p;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		p = ccdm_content_at(content, places[i] * 1024 + 1372, 4);
		for (k = 0; p && k < ARRAY_SIZE(magic); k++)
			if (ccdm_le32(p) == magic[k] || ccdm_signature_be32(p) == magic[k])
				return true;
	}
	return false;
}

/* ZFS has four labels, two at each end; one uberblock in the second half of one of them is enough. */
static bool ccdm_signature_zfs(const struct ccdm_content *content)
{
	const uint64_t label = 256u << 10, end = content->bytes / label * label;
	const uint64_t labels[] = { 0, label, end - 2 * label, end - label };
	const uint8_t *p;
	uint64_t at;
	size_t i;

	for (i = 0; end >= 2 * label && i < ARRAY_SIZE(labels); i++)
		for (at = labels[i] + label / 2; at < labels[i] + label; at += 1024) {
			p = ccdm_content_at(content, at, 8);
			if (p && (ccdm_le64(p) == 0x00bab10c || ccdm_le64(p) == 0x0cb1ba0000000000))
				return true;
		}
	return false;
}

/* The second GPT is in the last sector of 512 or 4096 bytes. */
static bool ccdm_signature_gpt(const struct ccdm_content *content)
{
	return content->bytes >= 4096 &&
	       (ccdm_content_is(content, content->bytes - 512, "EFI PART", 8) ||
		ccdm_content_is(content, content->bytes - 4096, "EFI PART", 8));
}

/* A boot sector and a partition table have the same last bytes: look at the entries. */
static bool ccdm_signature_mbr(const struct ccdm_content *content)
{
	const uint8_t *head = ccdm_content_at(content, 0, 512);
	unsigned int i, used = 0;

	if (!head || head[510] != 0x55 || head[511] != 0xaa)
		return false;
	for (i = 0; i < 4; i++) {
		const uint8_t *p = head + 446 + 16 * (size_t)i;

		if (p[0] & 0x7f)
			return false;
		used += p[4] && ccdm_le32(p + 12);
	}
	return used > 0;
}

/* A label of a Sun disk: the sum of its words is 0. */
static bool ccdm_signature_sun(const struct ccdm_content *content)
{
	const uint8_t *head = ccdm_content_at(content, 0, 512);
	uint16_t sum = 0;
	size_t i;

	if (!head || ccdm_signature_be16(head + 508) != 0xdabe)
		return false;
	for (i = 0; i < 512; i += 2)
		sum ^= ccdm_le16(head + i);
	return !sum;
}

const char *ccdm_signature_find(const struct ccdm_content *content, unsigned int *block)
{
	static const struct {
		const char *name;
		bool (*is)(const struct ccdm_content *content);
	} more[] = {
		{ "crypto_LUKS crypto", ccdm_signature_luks2 },
		{ "gpt partition table", ccdm_signature_gpt },
		{ "zfs_member file system", ccdm_signature_zfs },
		{ "vfat file system", ccdm_signature_fat },
		{ "minix file system", ccdm_signature_minix },
		{ "hfs file system", ccdm_signature_hfs },
		{ "ufs file system", ccdm_signature_ufs },
		{ "dos partition table", ccdm_signature_mbr },
		{ "sun partition table", ccdm_signature_sun },
	};
	const char *found = ccdm_signature_magic(content);
	size_t i;

	*block = 0;
	if (found && !strcmp(found, "xfs file system")) {
		const uint8_t *p = ccdm_content_at(content, 4, 4);

		*block = p ? ccdm_signature_be32(p) : 0;
	}
	if (!found)
		found = ccdm_signature_ext(content, block);
	if (!found)
		found = ccdm_signature_swap(content);
	if (!found)
		found = ccdm_signature_raid(content);
	for (i = 0; !found && i < ARRAY_SIZE(more); i++)
		if (more[i].is(content))
			found = more[i].name;
	return found;
}
