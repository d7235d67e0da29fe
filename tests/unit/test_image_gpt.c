// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Partition tables: each field too long, short, wrong or doubled. */
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
	assert_non_null(strstr(what, "partition 1 has another UUID"));
	again.count = 0;
	ccdm_gpt_difference(&gpt, &again, what, sizeof(what));
	assert_string_equal(what, "expected 2 partitions, found 0");
	again = gpt;
	again.uuid[0] = 'x';
	ccdm_gpt_difference(&gpt, &again, what, sizeof(what));
	assert_non_null(strstr(what, "the disk has another UUID"));
	/* an event that is cut off, or has another number of partitions */
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
	/* @sum: recompute the checksums */
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
		{ 512 + 24, 2, 8, 1, "the header's sector" },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt_good),
		cmocka_unit_test(gpt_bad),
		cmocka_unit_test(gpt_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
