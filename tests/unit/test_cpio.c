// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* A cpio archive has the same bytes for the same entries, and other readers find those entries in it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "base/compiler.h"
#include "image/cpio.h"

#define DATE 1700000000

static struct ccdm_err err;

struct sample {
	const char *path;
	uint32_t mode;
	uint32_t device[2];
	const char *content;
};

/* In the order of the archive: by the bytes of the paths. */
static const struct sample samples[] = {
	{ ".", S_IFDIR | 0755, { 0 }, "" },
	{ "dev", S_IFCHR | 0600, { 5, 1 }, "" },
	{ "etc", S_IFDIR | 0700, { 0 }, "" },
	{ "etc-", S_IFREG | 0600, { 0 }, "" },
	{ "etc/a", S_IFREG | 04640, { 0 }, "text\n" },
	{ "etc/link", S_IFLNK | 0777, { 0 }, "a" },
	{ "\xfc", S_IFIFO | 0644, { 0 }, "" },
};

static int add(struct ccdm_cpio *cpio, const struct sample *s)
{
	const struct ccdm_cpio_entry entry = { .path = s->path,
					       .mode = s->mode,
					       .device = { s->device[0], s->device[1] },
					       .content = *s->content ? s->content : NULL,
					       .size = (uint32_t)strlen(s->content) };

	memset(&err, 0, sizeof(err));
	return ccdm_cpio_add(cpio, &entry, &err);
}

static struct ccdm_cpio *begin(void)
{
	struct ccdm_cpio *cpio = ccdm_cpio_new(DATE);

	assert_non_null(cpio);
	return cpio;
}

static uint8_t *end(struct ccdm_cpio *cpio, size_t *size)
{
	uint8_t *bytes;

	assert_int_equal(ccdm_cpio_end(cpio, &bytes, size, &err), 0);
	ccdm_cpio_free(cpio);
	return bytes;
}

/* Each field of the format, as "cpio -o -H newc --reproducible -R 0:0" writes it. */
static void known(void **state)
{
	/* inode, mode, user, group, links, time, size, device of the file, device, name's size, 0 */
	static const char archive[] =
		"07070100000001000081a40000000000000000000000016553f10000000005"
		"000000000000000000000000000000000000000200000000a\0hello\0\0\0"
		"07070100000000000000000000000000000000000000010000000000000000"
		"000000000000000000000000000000000000000b00000000TRAILER!!!\0\0\0";
	static const struct sample a = { "a", S_IFREG | 0644, { 0 }, "hello" };
	struct ccdm_cpio *cpio = begin();
	uint8_t *bytes;
	size_t size;

	(void)state;
	assert_int_equal(add(cpio, &a), 0);
	bytes = end(cpio, &size);
	assert_int_equal(size, sizeof(archive));
	assert_memory_equal(bytes, archive, size);
	free(bytes);
	/* an archive without entries is the trailer alone */
	bytes = end(begin(), &size);
	assert_int_equal(size, 124);
	assert_memory_equal(bytes, archive + 120, size);
	free(bytes);
	ccdm_cpio_free(NULL);
}

/* The entries in the order of their paths, and the archive in whichever order they came. */
static void sorted(void **state)
{
	struct ccdm_cpio *cpio = begin(), *other = begin();
	size_t i, size, other_size;
	uint8_t *bytes, *again;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		assert_int_equal(add(cpio, &samples[(i * 3) % ARRAY_SIZE(samples)]), 0);
		assert_int_equal(add(other, &samples[ARRAY_SIZE(samples) - 1 - i]), 0);
	}
	bytes = end(cpio, &size);
	again = end(other, &other_size);
	assert_int_equal(size, other_size);
	assert_memory_equal(bytes, again, size);
	free(bytes);
	free(again);
}

/* libarchive reads every entry back. */
static void read_back(void **state)
{
	struct archive *a = archive_read_new();
	struct ccdm_cpio *cpio = begin();
	struct archive_entry *entry;
	char content[16];
	uint8_t *bytes;
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(samples); i++)
		assert_int_equal(add(cpio, &samples[i]), 0);
	bytes = end(cpio, &size);
	assert_int_equal(size % 4, 0);
	assert_int_equal(archive_read_support_format_cpio(a), ARCHIVE_OK);
	assert_int_equal(archive_read_open_memory(a, bytes, size), ARCHIVE_OK);
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];

		assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_OK);
		assert_string_equal(archive_entry_pathname(entry), s->path);
		assert_int_equal(archive_entry_mode(entry), s->mode);
		assert_int_equal(archive_entry_ino(entry), i + 1);
		assert_int_equal(archive_entry_uid(entry), 0);
		assert_int_equal(archive_entry_gid(entry), 0);
		assert_int_equal(archive_entry_nlink(entry), 1);
		assert_int_equal(archive_entry_mtime(entry), DATE);
		assert_int_equal(archive_entry_rdevmajor(entry), s->device[0]);
		assert_int_equal(archive_entry_rdevminor(entry), s->device[1]);
		if (S_ISLNK(s->mode)) {
			assert_string_equal(archive_entry_symlink(entry), s->content);
			continue;
		}
		assert_int_equal(archive_entry_size(entry), strlen(s->content));
		assert_int_equal(archive_read_data(a, content, sizeof(content)),
				 strlen(s->content));
		assert_memory_equal(content, s->content, strlen(s->content));
	}
	assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_EOF);
	archive_read_free(a);
	free(bytes);
}

static void refused(void **state)
{
	static const struct sample bad[] = {
		{ "", S_IFREG | 0644, { 0 }, "x" },	      { "/etc", S_IFDIR | 0755, { 0 }, "" },
		{ "TRAILER!!!", S_IFREG | 0644, { 0 }, "x" }, { "d", S_IFDIR | 0755, { 0 }, "x" },
		{ "c", S_IFCHR | 0600, { 1, 3 }, "x" },	      { "p", S_IFIFO | 0600, { 0 }, "x" },
	};
	char path[CCDM_CPIO_NAME + 2];
	const struct sample named = { path, S_IFREG | 0644, { 0 }, "x" };
	struct ccdm_cpio *cpio = begin();
	uint8_t *bytes;
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(add(cpio, &bad[i]), -EINVAL);
	memset(path, 'p', sizeof(path));
	path[CCDM_CPIO_NAME + 1] = '\0';
	assert_int_equal(add(cpio, &named), -EINVAL);
	path[CCDM_CPIO_NAME] = '\0';
	assert_int_equal(add(cpio, &named), 0);
	/* two of a path: the archive is not made */
	assert_int_equal(add(cpio, &samples[4]), 0);
	assert_int_equal(ccdm_cpio_end(cpio, &bytes, &size, &err), 0);
	free(bytes);
	assert_int_equal(add(cpio, &samples[4]), 0);
	assert_int_equal(ccdm_cpio_end(cpio, &bytes, &size, &err), -EEXIST);
	assert_non_null(strstr(err.text, "etc/a"));
	ccdm_cpio_free(cpio);
}

/* What would be larger than an initrd may be is refused before a byte of it is read. */
static void too_much(void **state)
{
	struct ccdm_cpio_entry entry = { .path = "a", .mode = S_IFREG | 0644, .content = "x" };
	struct ccdm_cpio *cpio = begin();

	(void)state;
	entry.size = UINT32_MAX;
	assert_int_equal(ccdm_cpio_add(cpio, &entry, &err), -EFBIG);
	entry.size = CCDM_CPIO_ALL - 112 + 1;
	assert_int_equal(ccdm_cpio_add(cpio, &entry, &err), -EFBIG);
	assert_non_null(strstr(err.text, "at most 1 GiB"));
	entry.size = CCDM_CPIO_ALL - 112;
	assert_int_equal(ccdm_cpio_add(cpio, &entry, &err), 0);
	ccdm_cpio_free(cpio);
	/* two halves fit only without their headers */
	cpio = begin();
	entry.size = CCDM_CPIO_ALL / 2;
	assert_int_equal(ccdm_cpio_add(cpio, &entry, &err), 0);
	entry.path = "b";
	assert_int_equal(ccdm_cpio_add(cpio, &entry, &err), -EFBIG);
	ccdm_cpio_free(cpio);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),   cmocka_unit_test(sorted),   cmocka_unit_test(read_back),
		cmocka_unit_test(refused), cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
