// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Disks that are written: partitions, contents, holes, the same bytes twice, and what fails.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "image/disk_write.h"
#include "image/gpt.h"
#include "image/guid.h"
#include "image/source.h"

#define MIB (1 << 20)

static const char disk_uuid[] = "0a0b0c0d-0102-8304-8506-0708090a0b0c";
static const char type_data[] = "0fc63daf-8483-4772-8e79-3d69d8477de4";
static char folder[] = "/tmp/ccdm-disk-XXXXXX";
static struct ccdm_err err;
static uint64_t seen_done, seen_all;

static char *path(const char *name)
{
	static char text[4][128];
	static unsigned int next;
	char *p = text[next++ % 4];

	snprintf(p, sizeof(text[0]), "%s/%s", folder, name);
	return p;
}

/* A file of 3 MiB and 5 bytes: data, a hole, zeros that are written, data. */
static char *content(void)
{
	char *file = path("content");
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *block = calloc(1, MIB);

	assert_true(fd >= 0);
	assert_non_null(block);
	assert_int_equal(pwrite(fd, block, MIB, MIB), MIB);
	memset(block, 'x', 5000);
	assert_int_equal(pwrite(fd, block, 5000, 0), 5000);
	assert_int_equal(pwrite(fd, "end!!", 5, 3 * MIB), 5);
	close(fd);
	free(block);
	return file;
}

static void progress(uint64_t done, uint64_t all, void *arg)
{
	(void)arg;
	assert_true(done <= all);
	seen_done = done;
	seen_all = all;
}

static int write_disk(const char *name, uint64_t size)
{
	const struct ccdm_disk_part part[] = {
		{ 1, "first", type_data, "11111111-1111-8111-8111-111111111111", 4 * MIB,
		  content() },
		{ 2, "second", type_data, "22222222-2222-8222-8222-222222222222", 65536, NULL },
		{ 5, "last", type_data, "55555555-5555-8555-8555-555555555555", 0, NULL },
	};

	memset(&err, 0, sizeof(err));
	return ccdm_disk_write(path(name), size, disk_uuid, part, 3, progress, NULL, &err);
}

static void partitions(void **state)
{
	struct ccdm_source source;
	struct ccdm_gpt gpt;
	uint8_t *bytes;
	struct stat st;

	(void)state;
	assert_int_equal(write_disk("a", 16 * MIB), 0);
	assert_int_equal(seen_done, 3 * MIB + 5);
	assert_int_equal(seen_all, 3 * MIB + 5);
	assert_int_equal(ccdm_source_open(path("a"), &source, &err), 0);
	assert_int_equal(ccdm_gpt_read(&source, &gpt, &err), 0);
	assert_string_equal(gpt.uuid, disk_uuid);
	assert_int_equal(gpt.count, 3);
	assert_int_equal(gpt.part[0].number, 1);
	assert_int_equal(gpt.part[0].start, MIB);
	assert_int_equal(gpt.part[0].size, 4 * MIB);
	assert_int_equal(gpt.part[1].number, 2);
	assert_int_equal(gpt.part[1].start, 5 * MIB);
	assert_int_equal(gpt.part[1].size, 65536);
	assert_int_equal(gpt.part[2].number, 5);
	assert_int_equal(gpt.part[2].start, 6 * MIB);
	assert_int_equal(gpt.part[2].size, 9 * MIB);
	assert_string_equal(gpt.part[2].name, "last");
	assert_string_equal(gpt.part[2].type, type_data);
	assert_string_equal(gpt.part[2].uuid, "55555555-5555-8555-8555-555555555555");
	/* the content, and no block for what is zero */
	assert_int_equal(ccdm_source_load(&source, MIB, 4 * MIB, "it", &bytes, &err), 0);
	assert_int_equal(bytes[4999], 'x');
	assert_int_equal(bytes[5000], 0);
	assert_memory_equal(bytes + 3 * MIB, "end!!", 6);
	free(bytes);
	assert_int_equal(stat(path("a"), &st), 0);
	assert_true(st.st_blocks * 512 < MIB / 2);
	ccdm_gpt_drop(&gpt);
	ccdm_source_close(&source);
}

static void same(void **state)
{
	struct ccdm_source a, b;
	uint8_t *x, *y;

	(void)state;
	/* (what stood there before does not count) */
	assert_int_equal(write_disk("b", 20 * MIB), 0);
	assert_int_equal(write_disk("b", 16 * MIB), 0);
	assert_int_equal(ccdm_source_open(path("a"), &a, &err), 0);
	assert_int_equal(ccdm_source_open(path("b"), &b, &err), 0);
	assert_int_equal(a.size, b.size);
	assert_int_equal(ccdm_source_load(&a, 0, 16 * MIB, "it", &x, &err), 0);
	assert_int_equal(ccdm_source_load(&b, 0, 16 * MIB, "it", &y, &err), 0);
	assert_memory_equal(x, y, 16 * MIB);
	free(x);
	free(y);
	ccdm_source_close(&a);
	ccdm_source_close(&b);
}

static void fails(void **state)
{
	static const struct ccdm_disk_part small = { 1, "a", type_data, disk_uuid, MIB, NULL };
	struct ccdm_disk_part part = small;

	(void)state;
	assert_int_equal(write_disk("c", 6 * MIB), -ENOSPC);
	assert_non_null(strstr(err.text, "do not fit"));
	assert_int_equal(write_disk("c", MIB), -ENOSPC);
	assert_int_equal(write_disk("none/c", 16 * MIB), -ENOENT);
	part.file = content();
	assert_int_equal(
		ccdm_disk_write(path("c"), 16 * MIB, disk_uuid, &part, 1, NULL, NULL, &err),
		-ENOSPC);
	assert_non_null(strstr(err.text, "do not fit partition 1"));
	part.file = path("nothing");
	assert_int_equal(
		ccdm_disk_write(path("c"), 16 * MIB, disk_uuid, &part, 1, NULL, NULL, &err),
		-ENOENT);
	part = small;
	part.uuid = "no UUID";
	assert_true(ccdm_disk_write(path("c"), 16 * MIB, disk_uuid, &part, 1, NULL, NULL, &err) <
		    0);
	assert_non_null(strstr(err.text, "cannot write the partition table"));
}

/* Known answers: SHA-256 of name and hash, with the bits of version 8. */
static void guids(void **state)
{
	uint8_t hash[32] = { 0 }, bytes[32];
	char text[CCDM_GUID_TEXT], other[CCDM_GUID_TEXT];

	(void)state;
	assert_int_equal(ccdm_guid_bytes("base", hash, 32, bytes), 0);
	assert_int_equal(ccdm_guid_text("base", hash, 32, text), 0);
	assert_int_equal(text[14], '8');
	assert_non_null(strchr("89ab", text[19]));
	assert_int_equal(strtoul(text, NULL, 16),
			 (unsigned int)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
	assert_int_equal(ccdm_guid_text("hash", hash, 32, other), 0);
	assert_string_not_equal(text, other);
	hash[31] = 1;
	assert_int_equal(ccdm_guid_text("base", hash, 32, other), 0);
	assert_string_not_equal(text, other);
}

static int begin(void **state)
{
	(void)state;
	return !mkdtemp(folder);
}

static int end(void **state)
{
	static const char *const names[] = { "a", "b", "c", "content" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		unlink(path(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partitions),
		cmocka_unit_test(same),
		cmocka_unit_test(fails),
		cmocka_unit_test(guids),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
