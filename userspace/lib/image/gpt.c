// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* gpt.c - see gpt.h */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/bytes.h"
#include "gpt.h"

#define HEADER	92 /* bytes of the header that are measured */
#define ENTRY	128
#define ENTRIES 1024 /* entries of a table, at most */

/* A GUID: three numbers in little endian, then bytes. */
static void ccdm_gpt_guid(const uint8_t *p, char text[37])
{
	snprintf(text, 37, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", ccdm_le32(p),
		 ccdm_le16(p + 4), ccdm_le16(p + 6), p[8], p[9], p[10], p[11], p[12], p[13], p[14],
		 p[15]);
}

static bool ccdm_gpt_used(const uint8_t *entry)
{
	static const uint8_t zero[16];

	return memcmp(entry, zero, sizeof(zero)) != 0;
}

/* ---- one entry ------------------------------------------------------------------ */

static int ccdm_gpt_entry(const char *name, const uint8_t *p, unsigned int number,
			  struct ccdm_gpt *gpt, struct ccdm_err *err)
{
	uint64_t first = ccdm_le64(p + 32), last = ccdm_le64(p + 40);
	struct ccdm_gpt_part *part;
	size_t i;

	if (gpt->count == CCDM_GPT_PARTS_MAX)
		return ccdm_err_set(err, -EINVAL,
				    "%s: partition table: expected at most %u partitions", name,
				    CCDM_GPT_PARTS_MAX);
	if (last < first || last > UINT64_MAX / CCDM_GPT_SECTOR - 1)
		return ccdm_err_set(err, -EINVAL,
				    "%s: partition %u: begins at sector %" PRIu64
				    " and ends at sector %" PRIu64,
				    name, number, first, last);
	part = &gpt->part[gpt->count++];
	part->number = number;
	ccdm_gpt_guid(p, part->type);
	ccdm_gpt_guid(p + 16, part->uuid);
	part->start = first * CCDM_GPT_SECTOR;
	part->size = (last - first + 1) * CCDM_GPT_SECTOR;
	for (i = 0; i < 36 && ccdm_le16(p + 56 + 2 * i); i++) {
		uint16_t c = ccdm_le16(p + 56 + 2 * i);

		part->name[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	part->name[i] = '\0';
	return 0;
}

/* ---- a disk ----------------------------------------------------------------------- */

/* UEFI 2.10, section 5.2.3: one entry for the whole disk, and no other entry */
static bool ccdm_gpt_protective(const uint8_t *sector)
{
	static const uint8_t none[16];
	unsigned int i, found = 0, used = 0;

	for (i = 0; i < 4; i++) {
		const uint8_t *p = sector + 446 + 16 * (size_t)i;

		used += memcmp(p, none, sizeof(none)) != 0;
		found += p[4] == 0xee && ccdm_le32(p + 8) == 1;
	}
	return found == 1 && used == 1 && sector[510] == 0x55 && sector[511] == 0xaa;
}

/* The reason why firmware would not measure the table as it is, or NULL. */
static const char *ccdm_gpt_header(const uint8_t *h, uint64_t sectors)
{
	uint32_t size = ccdm_le32(h + 12);
	uint8_t copy[CCDM_GPT_SECTOR];
	uint64_t entries;

	if (memcmp(h, "EFI PART", 8))
		return "expected 'EFI PART' at byte 512; the disk has no GPT with sectors of 512 bytes";
	if (ccdm_le32(h + 8) != 0x00010000)
		return "expected revision 1.0";
	if (size < HEADER || size > CCDM_GPT_SECTOR)
		return "expected a header of 92 to 512 bytes";
	memcpy(copy, h, sizeof(copy));
	memset(copy + 16, 0, 4);
	if (crc32(0, copy, size) != ccdm_le32(h + 16))
		return "the checksum of the header is wrong";
	if (ccdm_le64(h + 24) != 1)
		return "expected 1 as the number of the header's sector";
	if (ccdm_le32(h + 84) != ENTRY)
		return "expected entries of 128 bytes";
	if (!ccdm_le32(h + 80) || ccdm_le32(h + 80) > ENTRIES)
		return "expected 1 to 1024 entries";
	entries = (ccdm_le32(h + 80) * (uint64_t)ENTRY + CCDM_GPT_SECTOR - 1) / CCDM_GPT_SECTOR;
	if (ccdm_le64(h + 72) < 2 || ccdm_le64(h + 72) > sectors ||
	    entries > sectors - ccdm_le64(h + 72))
		return "the entries lie outside of the disk";
	if (ccdm_le64(h + 40) > ccdm_le64(h + 48) || ccdm_le64(h + 48) >= sectors)
		return "the sectors for partitions lie outside of the disk";
	return NULL;
}

static int ccdm_gpt_overlap(const char *name, const struct ccdm_gpt *gpt, struct ccdm_err *err)
{
	const struct ccdm_gpt_part *a, *b;

	for (a = gpt->part; a < gpt->part + gpt->count; a++)
		for (b = gpt->part; b < a; b++) {
			if (a->start < b->start + b->size && b->start < a->start + a->size)
				return ccdm_err_set(err, -EINVAL,
						    "%s: partitions %u and %u overlap", name,
						    b->number, a->number);
			if (!strcmp(a->uuid, b->uuid))
				return ccdm_err_set(
					err, -EINVAL,
					"%s: partitions %u and %u have the same UUID, %s", name,
					b->number, a->number, a->uuid);
		}
	return 0;
}

static int ccdm_gpt_fill(const struct ccdm_source *source, const uint8_t *h, const uint8_t *entries,
			 struct ccdm_gpt *gpt, struct ccdm_err *err)
{
	uint32_t i, n = ccdm_le32(h + 80);
	uint64_t used = 0;
	int r = 0;

	gpt->event = malloc(HEADER + 8 + (size_t)n * ENTRY);
	if (!gpt->event)
		return ccdm_err_memory(err);
	memcpy(gpt->event, h, HEADER);
	gpt->event_size = HEADER + 8;
	for (i = 0; !r && i < n; i++) {
		const uint8_t *p = entries + (size_t)i * ENTRY;

		if (!ccdm_gpt_used(p))
			continue;
		if (ccdm_le64(p + 32) < ccdm_le64(h + 40) || ccdm_le64(p + 40) > ccdm_le64(h + 48))
			return ccdm_err_set(
				err, -EINVAL,
				"%s: partition %u: lies outside of the sectors for partitions",
				source->name, i + 1);
		r = ccdm_gpt_entry(source->name, p, i + 1, gpt, err);
		memcpy(gpt->event + gpt->event_size, p, ENTRY);
		gpt->event_size += ENTRY;
		used++;
	}
	for (i = 0; i < 8; i++)
		gpt->event[HEADER + i] = (uint8_t)(used >> 8 * i);
	return r ? r : ccdm_gpt_overlap(source->name, gpt, err);
}

int ccdm_gpt_read(const struct ccdm_source *source, struct ccdm_gpt *gpt, struct ccdm_err *err)
{
	uint8_t h[CCDM_GPT_SECTOR], mbr[CCDM_GPT_SECTOR], *entries = NULL;
	const char *why;
	size_t size;
	int r;

	memset(gpt, 0, sizeof(*gpt));
	r = ccdm_source_read(source, CCDM_GPT_SECTOR, h, sizeof(h), "partition table", err);
	if (r)
		return r;
	why = ccdm_gpt_header(h, source->size / CCDM_GPT_SECTOR);
	if (!why) {
		r = ccdm_source_read(source, 0, mbr, sizeof(mbr), "protective MBR", err);
		if (r)
			return r;
		if (!ccdm_gpt_protective(mbr))
			why = "expected a protective MBR before it, with one entry, of type ee";
	}
	if (why)
		return ccdm_err_set(err, -EINVAL, "%s: partition table: %s", source->name, why);
	size = (size_t)ccdm_le32(h + 80) * ENTRY;
	r = ccdm_source_load(source, ccdm_le64(h + 72) * CCDM_GPT_SECTOR, size,
			     "entries of the partition table", &entries, err);
	if (r)
		return r;
	ccdm_gpt_guid(h + 56, gpt->uuid);
	gpt->last = (ccdm_le64(h + 48) + 1) * CCDM_GPT_SECTOR - 1;
	if (crc32(0, entries, (uInt)size) != ccdm_le32(h + 88))
		r = ccdm_err_set(err, -EINVAL,
				 "%s: partition table: the checksum of the entries is wrong",
				 source->name);
	if (!r)
		r = ccdm_gpt_fill(source, h, entries, gpt, err);
	free(entries);
	if (r)
		ccdm_gpt_drop(gpt);
	return r;
}

/* ---- an event ------------------------------------------------------------------------ */

int ccdm_gpt_event(const char *name, const uint8_t *data, size_t size, struct ccdm_gpt *gpt,
		   struct ccdm_err *err)
{
	uint64_t n, i;
	int r = 0;

	memset(gpt, 0, sizeof(*gpt));
	if (size < HEADER + 8 || memcmp(data, "EFI PART", 8))
		return ccdm_err_set(err, -EINVAL, "%s: expected a partition table in the event",
				    name);
	n = ccdm_le64(data + HEADER);
	if (n > ENTRIES || size != HEADER + 8 + n * ENTRY)
		return ccdm_err_set(err, -EINVAL,
				    "%s: the event of %zu bytes does not hold %" PRIu64
				    " partitions",
				    name, size, n);
	ccdm_gpt_guid(data + 56, gpt->uuid);
	if (ccdm_le64(data + 48) < UINT64_MAX / CCDM_GPT_SECTOR)
		gpt->last = (ccdm_le64(data + 48) + 1) * CCDM_GPT_SECTOR - 1;
	/* (the event lacks unused entries: the numbers are right if the table has no gaps) */
	for (i = 0; !r && i < n; i++)
		r = ccdm_gpt_entry(name, data + HEADER + 8 + i * ENTRY, (unsigned int)i + 1, gpt,
				   err);
	return r;
}

void ccdm_gpt_drop(struct ccdm_gpt *gpt)
{
	free(gpt->event);
	memset(gpt, 0, sizeof(*gpt));
}

void ccdm_gpt_difference(const struct ccdm_gpt *expected, const struct ccdm_gpt *found, char *what,
			 size_t size)
{
	unsigned int i;

	for (i = 0; i < expected->count && i < found->count; i++) {
		const struct ccdm_gpt_part *a = &expected->part[i], *b = &found->part[i];

		if (strcmp(a->uuid, b->uuid) || strcmp(a->type, b->type)) {
			snprintf(what, size, "partition %u has another UUID: expected %s, found %s",
				 a->number, a->uuid, b->uuid);
			return;
		}
		if (a->start != b->start || a->size != b->size) {
			snprintf(what, size,
				 "partition %u was moved or resized: expected %" PRIu64
				 " bytes at byte %" PRIu64 ", found %" PRIu64
				 " bytes at byte %" PRIu64,
				 a->number, a->size, a->start, b->size, b->start);
			return;
		}
	}
	if (expected->count != found->count)
		snprintf(what, size, "expected %u partitions, found %u", expected->count,
			 found->count);
	else if (expected->last != found->last)
		snprintf(what, size,
			 "the disk was resized: partitions may end at byte %" PRIu64
			 ", found byte %" PRIu64,
			 expected->last, found->last);
	else if (strcmp(expected->uuid, found->uuid))
		snprintf(what, size,
			 "the disk has another UUID: expected %s, found "
			 "%s",
			 expected->uuid, found->uuid);
	else
		snprintf(what, size, "a name, an attribute or a checksum of the table differs");
}
