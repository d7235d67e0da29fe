// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Disk images: each field of a table, a file system and a program too long, short, wrong, doubled, looping. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "forge_image.h"
#include "image/bootable.h"
#include "seed.h"

static struct ccdm_err err;

static struct ccdm_source source_of(const struct forge_bytes *b)
{
	const struct ccdm_source s = { .name = "test.img", .bytes = b->p, .size = b->size };

	return s;
}

/* A UKI with an initrd that has ccdm.conf. */
static struct forge_bytes good_uki(const char *version)
{
	struct forge_bytes initrd = { 0 }, uki = { 0 };

	forge_initrd(&initrd, forge_conf);
	forge_uki(&uki, version, FORGE_CMDLINE, &initrd);
	forge_free(&initrd);
	return uki;
}

static struct forge_bytes good_disk(unsigned int bits, const struct forge_file *more,
				    unsigned int count)
{
	struct forge_bytes uki = good_uki("257.13-1"), disk = { 0 };

	forge_image(&disk, bits, &uki, more, count);
	forge_free(&uki);
	return disk;
}

/* ---- partition tables --------------------------------------------------------------- */

static int read_gpt(const struct forge_bytes *disk, struct ccdm_gpt *gpt)
{
	const struct ccdm_source s = source_of(disk);

	memset(&err, 0, sizeof(err));
	if (disk->size < 65536)
		seed("image_gpt", disk->p, disk->size);
	return ccdm_gpt_read(&s, gpt, &err);
}

static void gpt_good(void **state)
{
	struct forge_bytes disk = good_disk(12, NULL, 0);
	struct ccdm_gpt gpt, again;
	char what[256];

	(void)state;
	assert_int_equal(read_gpt(&disk, &gpt), 0);
	assert_int_equal(gpt.count, 2);
	assert_string_equal(gpt.part[0].type, CCDM_GPT_ESP);
	assert_int_equal(gpt.part[0].number, 1);
	assert_int_equal(gpt.part[1].number, 3);
	assert_int_equal(gpt.part[0].start, FORGE_ESP_SECTOR * 512);
	assert_int_equal(gpt.part[1].size, 1024);
	assert_string_equal(gpt.part[1].name, "n");
	assert_int_equal(gpt.event_size, 92 + 8 + 2 * 128);
	assert_memory_equal(gpt.event, disk.p + 512, 92);
	assert_int_equal(gpt.event[92], 2);
	assert_memory_equal(gpt.event + 100, disk.p + 1024, 128);
	assert_memory_equal(gpt.event + 228, disk.p + 1024 + 256, 128);
	seed("image_gpt", gpt.event, gpt.event_size);
	assert_int_equal(ccdm_gpt_event("log", gpt.event, gpt.event_size, &again, &err), 0);
	assert_int_equal(again.count, 2);
	ccdm_gpt_difference(&gpt, &again, what, sizeof(what));
	assert_string_equal(what, "a name, an attribute or a checksum of the table differs");
	again.last -= 512;
	ccdm_gpt_difference(&gpt, &again, what, sizeof(what));
	assert_non_null(strstr(what, "the disk was resized"));
	again.part[1].size += 512;
	ccdm_gpt_difference(&gpt, &again, what, sizeof(what));
	assert_non_null(strstr(what, "partition 3 was moved or resized"));
	again.part[0].uuid[0] = 'x';
	ccdm_gpt_difference(&gpt, &again, what, sizeof(what));
	assert_non_null(strstr(what, "partition 1 is another"));
	again.count = 0;
	ccdm_gpt_difference(&gpt, &again, what, sizeof(what));
	assert_string_equal(what, "expected 2 partitions, found 0");
	again = gpt;
	again.uuid[0] = 'x';
	ccdm_gpt_difference(&gpt, &again, what, sizeof(what));
	assert_non_null(strstr(what, "another disk"));
	/* an event that is cut off, or says another number of partitions */
	assert_int_equal(ccdm_gpt_event("log", gpt.event, 99, &again, &err), -EINVAL);
	assert_int_equal(ccdm_gpt_event("log", gpt.event, gpt.event_size - 1, &again, &err),
			 -EINVAL);
	gpt.event[93] = 0xff;
	assert_int_equal(ccdm_gpt_event("log", gpt.event, gpt.event_size, &again, &err), -EINVAL);
	ccdm_gpt_drop(&gpt);
	forge_free(&disk);
}

static void gpt_bad(void **state)
{
	/* @sum: the checksums are made right again */
	static const struct {
		size_t at;
		uint64_t value;
		unsigned int bytes;
		int sum;
		const char *says;
	} cases[] = {
		{ 512, 0, 1, 0, "expected 'EFI PART' at byte 512" },
		{ 512 + 8, 0x20000, 4, 1, "revision" },
		{ 512 + 12, 91, 4, 0, "a header of 92 to 512 bytes" },
		{ 512 + 12, 513, 4, 0, "a header of 92 to 512 bytes" },
		{ 512 + 12, 0xffffffff, 4, 0, "a header of 92 to 512 bytes" },
		{ 512 + 56, 0, 1, 0, "checksum of the header" },
		{ 512 + 24, 2, 8, 1, "sector 1" },
		{ 512 + 84, 64, 4, 1, "entries of 128 bytes" },
		{ 512 + 84, 0, 4, 1, "entries of 128 bytes" },
		{ 512 + 80, 0, 4, 1, "1 to 1024 entries" },
		{ 512 + 80, 0x10008, 4, 1, "1 to 1024 entries" },
		{ 512 + 72, 1, 8, 1, "outside of the disk" },
		{ 512 + 72, 0xffffffffffffffff, 8, 1, "outside of the disk" },
		{ 512 + 48, 1 << 20, 8, 1, "outside of the disk" },
		{ 512 + 40, 1 << 20, 8, 1, "outside of the disk" },
		{ 1024 + 16, 0, 1, 0, "checksum of the entries" },
		{ 1024 + 32, 1, 8, 1, "partition 1: lies outside" },
		{ 1024 + 40, 1 << 20, 8, 1, "partition 1: lies outside" },
		{ 1024 + 40, FORGE_ESP_SECTOR - 1, 8, 1, "partition 1: begins at sector" },
		{ 1024 + 256 + 32, FORGE_ESP_SECTOR, 8, 1, "partitions 1 and 3 overlap" },
		{ 1024 + 256 + 16, 0x1111111111111111, 8, 1, NULL },
	};
	struct ccdm_gpt gpt;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct forge_bytes disk = good_disk(12, NULL, 0);
		int r;

		forge_set(disk.p + cases[i].at, cases[i].value, cases[i].bytes);
		if (cases[i].sum)
			forge_gpt_sum(disk.p);
		r = read_gpt(&disk, &gpt);
		assert_int_equal(r, cases[i].says ? -EINVAL : 0);
		if (cases[i].says)
			assert_non_null(strstr(err.text, cases[i].says));
		ccdm_gpt_drop(&gpt);
		forge_free(&disk);
	}
}

static void gpt_doubled(void **state)
{
	struct forge_bytes disk = good_disk(12, NULL, 0), cut;
	struct ccdm_gpt gpt;
	size_t sizes[] = { 0, 511, 512, 1023, 1024, 1500 }, i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cut = disk;
		cut.size = sizes[i];
		assert_int_equal(read_gpt(&cut, &gpt), -EINVAL);
	}
	memset(disk.p + 1024 + 256 + 16, 0x11, 16);
	forge_gpt_sum(disk.p);
	assert_int_equal(read_gpt(&disk, &gpt), -EINVAL);
	assert_non_null(strstr(err.text, "have the same UUID"));
	forge_free(&disk);
}

/* ---- FAT --------------------------------------------------------------------------------- */

#define LONG_NAME "a long name that needs three entries.cred"

static const struct forge_file more_files[] = {
	{ "EFI/BOOT/BOOTX64.EFI.extra.d/" LONG_NAME, "x", 1 },
	{ "LOADER/EMPTY.TXT", "", 0 },
};

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
	assert_non_null(strstr(err.text, "shorter than its clusters"));
	forge_free(&esp);
}

/* Chains: of a file, of a folder; each entry of the table to each odd place. */
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
	/* a folder that loops */
	forge_set(esp.p + 32 * 512 + 4 * 2, 2, 4);
	assert_int_equal(open_fat(&esp, &s, &fat), 0);
	assert_int_equal(ccdm_fat_list(&fat, NULL, say_name, names, &err), -EINVAL);
	assert_non_null(strstr(err.text, "loop"));
	forge_free(&esp);
}

/* First sectors that EDK II refuses, or of which it would find its clusters at other places. */
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
		{ 32, 65530, 40, 0x80, 2, "tables that are alike" },
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

/* Entry @number of the root folder of FAT12 */
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

/* What a folder says in two ways: of the second file firmware would find another one. */
static void fat_names(void **state)
{
	static const struct forge_file files[] = { { "a long name", "x", 1 }, { "OTHER", "y", 1 } };
	/* the root: a label, the piece of a long name, its file, another file */
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
	/* a long name, and by its short one the file that firmware looks for */
	memcpy(root_entry(&esp, FILE_1), "BOOTX64 EFI", 11);
	root_entry(&esp, PIECE)[13] = sum_of(root_entry(&esp, FILE_1));
	assert_int_equal(open_fat(&esp, &s, &fat), 0);
	assert_int_equal(ccdm_fat_find(&fat, "BOOTX64.EFI", &entry, &err), -EINVAL);
	assert_non_null(strstr(err.text, "two names that have nothing in common"));
	/* a long name of "." */
	memcpy(root_entry(&esp, FILE_1), ".          ", 11);
	root_entry(&esp, PIECE)[13] = sum_of(root_entry(&esp, FILE_1));
	assert_int_equal(open_fat(&esp, &s, &fat), 0);
	assert_int_equal(ccdm_fat_find(&fat, "OTHER", &entry, &err), -EINVAL);
	forge_free(&esp);
}

/* ---- PE --------------------------------------------------------------------------------------- */

static int parse_pe(const struct forge_bytes *b, struct ccdm_pe *pe)
{
	memset(&err, 0, sizeof(err));
	seed("image_uki", b->p, b->size);
	return ccdm_pe_parse("x.efi", b->p, b->size, pe, &err);
}

/* Signing changes neither the hash, nor what lies behind the sections is left out of it. */
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
	/* any other byte does */
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
	/* what lies behind the sections is hashed */
	uki = good_uki("257.13-1");
	forge_fill(&uki, 0x33, 100);
	assert_int_equal(parse_pe(&uki, &pe), 0);
	assert_int_equal(ccdm_pe_digest(&pe, CCDM_ALG_SHA256, &other), 0);
	assert_memory_not_equal(plain.bytes, other.bytes, 32);
	assert_int_equal(ccdm_pe_digest(&pe, 0x1234, &other), -ENOTSUP);
	forge_free(&uki);
}

/* The Authenticode hash of a program of two sections in the wrong order, worked out by hand. */
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
		{ 60, 10, 4, "the one of DOS points to" },
		{ 60, 0xffffffff, 4, "the one of DOS points to" },
		{ 64, 'X', 1, "the one of DOS points to" },
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
		unsigned int measured; /* that are there */
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
	/* a section that makes more of the image, and one that is there twice */
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
	/* more in memory than in the file */
	b = good_uki("257.13-1");
	forge_set(b.p + FORGE_PE_TABLE + 40 * 4 + 8, 0x10000, 4);
	assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), -EINVAL);
	assert_non_null(strstr(err.text, ".cmdline"));
	forge_free(&b);
}

#define ENTRY(number) (FORGE_PE_TABLE + 40 * (number)) /* of good_uki()'s table of sections */
#define RELOCATIONS   (FORGE_PE_OPT + 112 + 40)	       /* their directory */

enum { TEXT, SBAT, SDMAGIC, OSREL, CMDLINE, UNAME, LINUX, INITRD };

/* 252 takes a section whose name only begins as one that it measures. */
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

/* Stubs take a section of no bytes for one that is not there. */
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

/* What the stub measures is in memory: another section over it, or relocations in it. */
static void uki_overlaps(void **state)
{
	static const struct {
		unsigned int section, over; /* as the table has them */
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
	/* firmware copies all of a section whose size is 0 */
	b = good_uki("257.1");
	forge_set(b.p + ENTRY(SDMAGIC) + 8, 0, 4);
	forge_set(b.p + ENTRY(SDMAGIC) + 12, place_of(&b, CMDLINE) - 511, 4);
	bad_memory(&b, "section .cmdline overlaps with '.sdmagic'");
	/* (252 does not measure .sbat, which ukify makes longer than its place) */
	b = good_uki("252.1");
	forge_set(b.p + ENTRY(SBAT) + 12, place_of(&b, SDMAGIC) - 4, 4);
	assert_int_equal(ccdm_uki_parse("x.efi", b.p, b.size, &uki, &err), 0);
	forge_free(&b);
	b = good_uki("257.1");
	forge_set(b.p + ENTRY(SBAT) + 12, place_of(&b, SDMAGIC) - 4, 4);
	bad_memory(&b, "section .sbat overlaps with '.sdmagic'");
	b = good_uki("257.1");
	forge_set(b.p + FORGE_PE_OPT + 112 + 6 * 8, 0x1000, 4); /* for debuggers */
	forge_set(b.p + FORGE_PE_OPT + 112 + 6 * 8 + 4, 28, 4);
	bad_memory(&b, "directory 6");
}

/* A UKI with one block of relocations in .text: of one word @at, and one that fills the block. */
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
	/* the table of sections; the relocations, while firmware reads them */
	b = relocated(FORGE_PE_TABLE);
	bad_memory(&b, "a relocation changes the headers");
	b = relocated(text + 64 + 8);
	bad_memory(&b, "a relocation changes the relocations");
	/* they are cut off, or lie in no section, or in two */
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

/* ---- all of it --------------------------------------------------------------------------------- */

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
	assert_int_equal(boot->config.data_blocks, 100);
	ccdm_bootable_close(boot);
	/* what firmware starts instead: the MBR's partitions, FAT on the whole disk, tables in a partition */
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
			{ 0, "MZ", 2, "the beginnings of both" },
			{ 11, "\0\x02\x01\x20\0\x01\0\0\x10\0\xf8", 11,
			  "found a FAT file system, too" },
			{ FORGE_ESP_SECTOR * 512 + 446, "\0\0\0\0\x0c\0\0\0\x10\0\0\0\x10\0\0\0",
			  16, "partition 1: expected no partitions in it" },
			{ FORGE_ESP_SECTOR * 512 + 446 + 4, "\xee", 1,
			  "partition 1: expected no partitions in it" },
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
	/* the file system of a disc, in a larger partition */
	{
		struct forge_bytes larger = good_disk(32, more_files, 2);

		memcpy(larger.p + FORGE_ESP_SECTOR * 512 + 32769, "CD001", 5);
		assert_int_equal(open_image(&larger, boot), -EINVAL);
		assert_non_null(strstr(err.text, "partition 1: expected no partitions in it"));
		ccdm_bootable_close(boot);
		forge_free(&larger);
	}
	/* another partition that EDK II may read as FAT, although we do not */
	{
		uint8_t *p = disk.p + disk.size - 4 * 512;

		memcpy(p + 11, "\0\x02\x01\x20\0\x01\0\0\x10\0\xf8", 11);
		assert_int_equal(open_image(&disk, boot), -EINVAL);
		assert_non_null(strstr(err.text, "FAT file system at byte"));
		ccdm_bootable_close(boot);
		memset(p, 0, 512);
	}
	/* two EFI system partitions; none */
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
	/* a UKI alone; one of others */
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

/* Folders in folders without end, and more files than there is room for. */
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
	assert_non_null(strstr(err.text, "deep"));
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
		cmocka_unit_test(gpt_good),	  cmocka_unit_test(gpt_bad),
		cmocka_unit_test(gpt_doubled),	  cmocka_unit_test(fat_good),
		cmocka_unit_test(fat_firmware),	  cmocka_unit_test(fat_names),
		cmocka_unit_test(fat_bad_sector), cmocka_unit_test(fat_chains),
		cmocka_unit_test(pe_digest),	  cmocka_unit_test(pe_order),
		cmocka_unit_test(pe_bad),	  cmocka_unit_test(uki_versions),
		cmocka_unit_test(uki_prefixes),	  cmocka_unit_test(uki_empty),
		cmocka_unit_test(uki_overlaps),	  cmocka_unit_test(uki_relocations),
		cmocka_unit_test(uki_odd),	  cmocka_unit_test(uki_options),
		cmocka_unit_test(bootable),	  cmocka_unit_test(bootable_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
