// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* signature_raid.c - members of a RAID, known by the end of the device; see signature.h */
#include <stdbool.h>
#include <string.h>
#include "signature.h"

#define SECTOR 512u

/**
 * struct ccdm_raid - a superblock at the end
 * @name: what has it there
 * @sectors: how many sectors of 512 bytes before the end it begins
 * @align: to how many bytes the place is rounded down, from the beginning of the device
 * @at: where the magic value is in it
 * @magic: the bytes
 * @size: their number
 */
struct ccdm_raid {
	const char *name;
	unsigned int sectors;
	unsigned int align;
	unsigned int at;
	const char *magic;
	size_t size;
};

#define RAID(name, sectors, align, at, magic)                      \
	{                                                          \
		name, sectors, align, at, magic, sizeof(magic) - 1 \
	}

static const struct ccdm_raid ccdm_raids[] = {
	/* versions 1.0 and 0.90, which has the byte order of its machine */
	RAID("linux_raid_member raid", 16, 4096, 0, "\xfc\x4e\x2b\xa9"),
	RAID("linux_raid_member raid", 128, 65536, 0, "\xfc\x4e\x2b\xa9"),
	RAID("linux_raid_member raid", 128, 65536, 0, "\xa9\x2b\x4e\xfc"),
	RAID("drbd raid", 8, SECTOR, 60, "\x83\x74\x02\x6b"),
	RAID("drbd raid", 8, SECTOR, 60, "\x83\x74\x02\x6c"),
	RAID("drbd raid", 8, SECTOR, 60, "\x83\x74\x02\x6d"),
	RAID("bcachefs file system", 2048, SECTOR, 24,
	     "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"),
	RAID("isw_raid_member raid", 2, SECTOR, 0, "Intel Raid ISM Cfg Sig. "),
	RAID("isw_raid_member raid", 16, SECTOR, 0, "Intel Raid ISM Cfg Sig. "),
	RAID("ddf_raid_member raid", 1, SECTOR, 0, "\xde\x11\xde\x11"),
	RAID("ddf_raid_member raid", 257, SECTOR, 0, "\xde\x11\xde\x11"),
	RAID("lsi_mega_raid_member raid", 1, SECTOR, 0, "$XIDE$"),
	RAID("nvidia_raid_member raid", 2, SECTOR, 0, "NVIDIA  "),
	RAID("silicon_medley_raid_member raid", 1, SECTOR, 0x60, "\0\0\0\x2f"),
	RAID("hpt45x_raid_member raid", 11, SECTOR, 0, "\xf3\x16\x78\x5a"),
	RAID("hpt45x_raid_member raid", 11, SECTOR, 0, "\xfd\x16\x78\x5a"),
};

/* Where the metadata of promise_fasttrack can be: so many sectors before the end. */
static const unsigned int ccdm_promise[] = { 63,  255, 256, 16,	 399, 591, 675,
					     735, 911, 974, 991, 951, 3087 };

static bool ccdm_raid_is(const struct ccdm_content *content, uint64_t sectors, uint64_t align,
			 unsigned int offset, const void *magic, size_t size)
{
	uint64_t end = content->bytes / SECTOR * SECTOR, at;
	const uint8_t *p;

	if (end < sectors * SECTOR)
		return false;
	at = (end - sectors * SECTOR) / align * align;
	p = ccdm_content_at(content, at + offset, size);
	return p && !memcmp(p, magic, size);
}

const char *ccdm_signature_raid(const struct ccdm_content *content)
{
	static const char promise[] = "Promise Technology, Inc.";
	const struct ccdm_raid *r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_raids); i++) {
		r = &ccdm_raids[i];
		if (ccdm_raid_is(content, r->sectors, r->align, r->at, r->magic, r->size))
			return r->name;
	}
	for (i = 0; i < ARRAY_SIZE(ccdm_promise); i++)
		if (ccdm_raid_is(content, ccdm_promise[i], SECTOR, 0, promise, sizeof(promise) - 1))
			return "promise_fasttrack_raid_member raid";
	return NULL;
}
