// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Initrds: wrong or missing fields, and archives that the kernel would unpack differently. */
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
#include "image/initrd.h"
#include "seed.h"

#define CONF "etc/ccdm/ccdm.conf"

static struct ccdm_err err;

static int find(const struct forge_bytes *b, const char *path, char **content, size_t *size)
{
	memset(&err, 0, sizeof(err));
	seed("image_initrd", b->p, b->size);
	return ccdm_initrd_find("x.efi", b->p, b->size, path, 65536, content, size, &err);
}

static void initrd_good(void **state)
{
	struct forge_bytes b = { 0 };
	char *content;
	size_t size;

	(void)state;
	forge_initrd(&b, forge_conf);
	assert_int_equal(find(&b, "etc/ccdm/ccdm.conf", &content, &size), 0);
	assert_string_equal(content, forge_conf);
	free(content);
	assert_int_equal(find(&b, "init", &content, &size), 0);
	assert_string_equal(content, "#!/bin/sh\n");
	free(content);
	assert_int_equal(find(&b, "early", &content, &size), 0);
	free(content);
	assert_int_equal(find(&b, "none", &content, &size), -ENOENT);
	assert_int_equal(find(&b, "bin", &content, &size), -EINVAL);
	/* a symbolic link on the path */
	assert_int_equal(find(&b, "bin/sh", &content, &size), -EINVAL);
	/* a file that is too large */
	assert_int_equal(
		ccdm_initrd_find("x", b.p, b.size, "etc/ccdm/ccdm.conf", 4, &content, &size, &err),
		-EINVAL);
	assert_non_null(strstr(err.text, "too large"));
	forge_free(&b);
}

static void initrd_zstd(void **state)
{
	/* "zstd -19" of a cpio archive with a file "a" that holds "hello" */
	static const char hex[] =
		"28b52ffd04683d020032830b1190cf18701d4dab3ed4c006fb58ffc728030b0078ccb5f4e0eab0bb95523937"
		"2e2e8f14d85a993049011d3e9f030a20d0bb030ccabb7827c685dda019fef0809436a211c6012715";
	struct forge_bytes b = { 0 };
	char *content;
	size_t size, i;

	(void)state;
	forge_fill(&b, 0, strlen(hex) / 2);
	assert_int_equal(ccdm_unhex(hex, b.p, b.size), 0);
	assert_int_equal(find(&b, "a", &content, &size), 0);
	assert_string_equal(content, "hello");
	free(content);
	for (i = 1; i < b.size; i++) {
		struct forge_bytes cut = { 0 };

		forge_say(&cut, b.p, i);
		assert_int_not_equal(find(&cut, "a", &content, &size), 0);
		forge_free(&cut);
	}
	for (i = 0; i < b.size; i++) {
		b.p[i] ^= 0x10;
		if (!find(&b, "a", &content, &size))
			free(content);
		b.p[i] ^= 0x10;
	}
	forge_free(&b);
}

static void initrd_bad(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *says;
	} cases[] = {
		{ "hello", 5, "expected a cpio archive" },
		{ "\xfd"
		  "7zXZ\0",
		  6, "xz" },
		{ "BZh9", 4, "bzip2" },
		{ "\x02\x21\x4c\x18", 4, "lz4" },
		{ "\x89LZO", 4, "lzo" },
		{ "\x5d\0\0", 3, "lzma" },
		{ "\x1f\x8b", 2, "gzip" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd" },
		{ "\0\0\0\0\0"
		  "70701",
		  10, "at a multiple of 4" },
		{ "0707", 4, "cut off" },
	};
	struct forge_bytes b = { 0 };
	char *content;
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		forge_say(&b, cases[i].bytes, cases[i].size);
		assert_int_equal(find(&b, "a", &content, &size), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].says));
		forge_free(&b);
	}
	forge_cpio(&b, "a", 0100644, 1, "hello", 5);
	forge_cpio_end(&b);
	/*
	 * in each byte of a header: an invalid digit; then a name or size that is too large; then
	 * cut off
	 */
	for (i = 0; i < 110; i++) {
		uint8_t old = b.p[i];

		b.p[i] = 'x';
		if (!find(&b, "a", &content, &size))
			free(content);
		b.p[i] = 'F';
		if (!find(&b, "a", &content, &size))
			free(content);
		b.p[i] = old;
	}
	memcpy(b.p + 6 + 8 * 11, "00000000", 8);
	assert_int_equal(find(&b, "a", &content, &size), -EINVAL);
	assert_non_null(strstr(err.text, "1 to 4096"));
	memcpy(b.p + 6 + 8 * 11, "00000001", 8);
	assert_int_equal(find(&b, "a", &content, &size), -EINVAL);
	assert_non_null(strstr(err.text, "no zero"));
	forge_free(&b);
}

/* ---- archives that the kernel unpacks differently ------------------------------------ */

#define FILE_MODE 0100644
#define LINK_MODE 0120777
#define PIPE_MODE 0010644
#define DIR_MODE  040755

struct entry {
	unsigned int inode, mode, links;
	const char *name, *data;
};

/* Make an archive of these entries; the last one has no name. */
static void archive(struct forge_bytes *b, const struct entry *e)
{
	for (; e->name; e++)
		forge_cpio_inode(b, e->inode, e->name, e->mode, e->links, e->data, strlen(e->data));
}

static void refused(struct forge_bytes *b, const char *says)
{
	char *content;
	size_t size;

	assert_int_equal(find(b, CONF, &content, &size), -EINVAL);
	assert_non_null(strstr(err.text, "x.efi: initrd"));
	assert_non_null(strstr(err.text, says));
	forge_free(b);
}

/* ccdm.conf contains "good". The kernel writes "evil" into it by another path or through a link. */
static void initrd_other_paths(void **state)
{
	static const struct {
		const char *says;
		struct entry before[4], after[6];
	} cases[] = {
		/* paths that lead to the same file */
		{ "empty parts",
		  { { 0 } },
		  { { 2, FILE_MODE, 1, "etc//ccdm/ccdm.conf", "evil" } } },
		{ "empty parts",
		  { { 0 } },
		  { { 2, FILE_MODE, 1, "etc/ccdm/./ccdm.conf", "evil" } } },
		{ "empty parts",
		  { { 0 } },
		  { { 2, FILE_MODE, 1, "../etc/ccdm/ccdm.conf", "evil" } } },
		{ "empty parts",
		  { { 0 } },
		  { { 2, FILE_MODE, 1, "etc/ccdm/ccdm.conf/", "evil" } } },
		{ "empty parts", { { 0 } }, { { 2, FILE_MODE, 1, "", "evil" } } },
		{ "empty parts",
		  { { 0 } },
		  { { 2, FILE_MODE, 1, "//etc/ccdm/ccdm.conf", "evil" } } },
		{ "empty parts",
		  { { 0 } },
		  { { 2, FILE_MODE, 1, "././etc/ccdm/ccdm.conf", "evil" } } },
		{ "a folder '.'", { { 0 } }, { { 2, LINK_MODE, 1, ".", "etc" } } },
		/*
		 * the same path twice: if the kernel runs out of memory, it ends before the second
		 */
		{ "there twice",
		  { { 0 } },
		  { { 2, FILE_MODE, 1, "/etc/ccdm/ccdm.conf", "evil" } } },
		/* through a link to a folder, in either order */
		{ "x/etc/ccdm/ccdm.conf is a symbolic link and something else",
		  { { 0 } },
		  { { 2, LINK_MODE, 1, "x", "." },
		    { 3, FILE_MODE, 1, "x/etc/ccdm/ccdm.conf", "evil" } } },
		{ "e/ccdm.conf is a symbolic link and something else",
		  { { 0 } },
		  { { 2, LINK_MODE, 1, "e", "etc/ccdm" },
		    { 3, FILE_MODE, 1, "e/ccdm.conf", "evil" } } },
		{ "is a symbolic link and something else",
		  { { 5, FILE_MODE, 2, "e/ccdm.conf", "" } }, /* fails, but its inode is kept */
		  { { 2, LINK_MODE, 1, "e", "etc/ccdm" }, { 5, FILE_MODE, 2, "b", "evil" } } },
		/* a link gets another name, by which it is opened */
		{ "a is a symbolic link and something else",
		  { { 0 } },
		  { { 5, FILE_MODE, 2, "a", "" },
		    { 2, LINK_MODE, 1, "a", CONF },
		    { 5, FILE_MODE, 2, "b", "evil" } } },
		{ "c is a symbolic link and something else",
		  { { 0 } },
		  { { 5, PIPE_MODE, 2, "c", "" },
		    { 2, LINK_MODE, 1, "c", "etc" },
		    { 5, PIPE_MODE, 2, "d", "" },
		    { 6, FILE_MODE, 1, "d/ccdm/ccdm.conf", "evil" } } },
		/* hard links to the file; an error stays when the name occurs again */
		{ "more than one name",
		  { { 0 } },
		  { { 9, FILE_MODE, 2, CONF, "good" }, { 9, FILE_MODE, 2, "b", "evil" } } },
		{ "more than one name",
		  { { 9, FILE_MODE, 2, CONF, "good" } },
		  { { 9, FILE_MODE, 2, "b", "evil" } } },
		/* entries that the kernel skips; its state then depends on its buffers */
		{ "neither a file nor a link",
		  { { 0 } },
		  { { 2, DIR_MODE, 1, "d", "070701" }, { 3, FILE_MODE, 1, "b", "evil" } } },
	};
	struct forge_bytes b;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&b, 0, sizeof(b));
		forge_cpio(&b, "etc", DIR_MODE, 2, "", 0);
		forge_cpio(&b, "etc/ccdm", DIR_MODE, 2, "", 0);
		archive(&b, cases[i].before);
		forge_cpio(&b, CONF, FILE_MODE, 1, "good", 4);
		archive(&b, cases[i].after);
		forge_cpio_end(&b);
		refused(&b, cases[i].says);
	}
}

/* A link target longer than the kernel accepts. */
static void initrd_long_link(void **state)
{
	static char to[4097];
	struct forge_bytes b = { 0 };

	(void)state;
	memset(to, 'x', sizeof(to));
	forge_cpio(&b, "l", LINK_MODE, 1, to, sizeof(to));
	forge_cpio_end(&b);
	refused(&b, "a link of at most 4096 bytes");
}

/* The kernel ignores a trailer's content; it creates a trailer that is a link. */
static void initrd_trailer(void **state)
{
	struct forge_bytes b = { 0 }, inner = { 0 };

	(void)state;
	forge_cpio(&inner, CONF, FILE_MODE, 1, "good", 4);
	forge_cpio_end(&inner);
	forge_cpio(&b, "a", FILE_MODE, 1, "x", 1);
	forge_cpio(&b, "TRAILER!!!", 0, 1, inner.p, inner.size);
	refused(&b, "a trailer of cpio");
	forge_cpio(&b, "TRAILER!!!", LINK_MODE, 1, "", 0);
	refused(&b, "a trailer of cpio");
	/* a compressed part without one is the last that the kernel unpacks */
	forge_free(&inner);
	forge_cpio(&inner, "a", FILE_MODE, 1, "x", 1);
	forge_gzip(&b, &inner);
	forge_pad(&b, 4);
	forge_cpio(&b, CONF, FILE_MODE, 1, "good", 4);
	forge_cpio_end(&b);
	refused(&b, "a compressed part has no trailer");
	forge_free(&inner);
}

/* The kernel stops at a wrong checksum. */
static void initrd_checksum(void **state)
{
	struct forge_bytes b = { 0 };

	(void)state;
	forge_cpio(&b, "a", FILE_MODE, 1, "x", 1);
	b.p[5] = '2';
	forge_cpio(&b, CONF, FILE_MODE, 1, "good", 4);
	forge_cpio_end(&b);
	refused(&b, "'070701'");
}

/* An archive at an offset where the kernel reports broken padding. */
static void initrd_unaligned(void **state)
{
	struct forge_bytes inner = { 0 }, b = { 0 };
	unsigned int zeros, packed;

	(void)state;
	forge_cpio(&inner, CONF, FILE_MODE, 1, "good", 4);
	forge_cpio_end(&inner);
	for (packed = 0; packed < 2; packed++)
		for (zeros = 1; zeros < 4; zeros++) {
			forge_cpio(&b, "a", FILE_MODE, 1, "x", 1);
			forge_cpio_end(&b);
			forge_fill(&b, 0, zeros);
			if (packed)
				forge_gzip(&b, &inner);
			else
				forge_say(&b, inner.p, inner.size);
			refused(&b, "at a multiple of 4");
		}
	/* the same inside a compressed part */
	forge_cpio(&b, "a", FILE_MODE, 1, "x", 1);
	forge_cpio_end(&b);
	forge_fill(&b, 0, 2);
	forge_say(&b, inner.p, inner.size);
	forge_free(&inner);
	forge_gzip(&inner, &b);
	forge_free(&b);
	refused(&inner, "at a multiple of 4");
	/* a part whose trailer lacks its padding; an empty part */
	forge_cpio_end(&b);
	b.size -= 3;
	forge_gzip(&inner, &b);
	refused(&inner, "cut off");
	b.size = 0;
	forge_gzip(&inner, &b);
	forge_free(&b);
	refused(&inner, "a compressed part is empty");
}

/* These fields of a gzip header can hold an initrd, which the kernel would unpack. */
static void initrd_gzip(void **state)
{
	static const uint8_t flags[] = { 0x01, 0x02, 0x04, 0x10, 0x20, 0x0c };
	struct forge_bytes inner = { 0 }, b = { 0 }, named = { 0 };
	char *content;
	size_t size, i;

	(void)state;
	forge_cpio(&inner, CONF, FILE_MODE, 1, "good", 4);
	forge_cpio_end(&inner);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		forge_gzip(&b, &inner);
		b.p[3] = flags[i];
		refused(&b, "gzip: expected a header without");
	}
	/* the name field is skipped by kernel and library */
	forge_gzip(&b, &inner);
	b.p[3] = 0x08;
	forge_say(&named, b.p, 10);
	forge_say(&named, "name", 5);
	forge_say(&named, b.p + 10, b.size - 10);
	assert_int_equal(find(&named, CONF, &content, &size), 0);
	assert_string_equal(content, "good");
	free(content);
	forge_free(&inner);
	forge_free(&b);
	forge_free(&named);
}

/* Many parts, each of which needs a decompressor; many entries. */
static void initrd_many(void **state)
{
	struct forge_bytes inner = { 0 }, b = { 0 };
	char *content;
	unsigned int i;
	size_t size;

	(void)state;
	forge_cpio(&inner, "a", FILE_MODE, 1, "", 0);
	forge_cpio_end(&inner);
	for (i = 0; i <= CCDM_INITRD_PARTS; i++) {
		if (i == CCDM_INITRD_PARTS) {
			assert_int_equal(find(&b, "a", &content, &size), -EINVAL);
			assert_non_null(strstr(err.text, "there twice"));
			assert_int_equal(find(&b, CONF, &content, &size), -ENOENT);
		}
		forge_gzip(&b, &inner);
		forge_pad(&b, 4);
	}
	refused(&b, "at most 64 archives");
	forge_free(&inner);
	/* append all at once: forge_cpio() would copy the buffer each time */
	forge_cpio(&inner, "a", FILE_MODE, 1, "", 0);
	forge_fill(&b, 0, inner.size * (CCDM_INITRD_FILES + 1));
	for (i = 0; i <= CCDM_INITRD_FILES; i++)
		memcpy(b.p + inner.size * i, inner.p, inner.size);
	assert_int_equal(ccdm_initrd_find("x.efi", b.p, b.size, CONF, 1, &content, &size, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "at most 65536 files"));
	forge_free(&inner);
	forge_free(&b);
}

/* A valid initrd: hard links, links to folders, two parts. */
static void initrd_honest(void **state)
{
	static const struct entry main_part[] = {
		{ 1, DIR_MODE, 5, ".", "" },	       { 2, LINK_MODE, 1, "bin", "usr/bin" },
		{ 3, DIR_MODE, 2, "usr", "" },	       { 4, DIR_MODE, 2, "usr/bin", "" },
		{ 5, FILE_MODE, 2, "usr/bin/a", "" },  { 5, FILE_MODE, 2, "usr/bin/b", "hard" },
		{ 6, LINK_MODE, 1, "usr/bin/c", "a" }, { 0 },
	};
	struct forge_bytes b = { 0 }, inner = { 0 };
	char *content;
	size_t size;

	(void)state;
	archive(&inner, main_part);
	forge_cpio_end(&inner);
	forge_fill(&inner, 0, 512);
	forge_gzip(&b, &inner);
	forge_pad(&b, 4);
	forge_cpio(&b, CONF, FILE_MODE, 1, "good", 4);
	forge_cpio_end(&b);
	assert_int_equal(find(&b, CONF, &content, &size), 0);
	assert_string_equal(content, "good");
	free(content);
	forge_free(&inner);
	forge_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initrd_good),	    cmocka_unit_test(initrd_zstd),
		cmocka_unit_test(initrd_bad),	    cmocka_unit_test(initrd_other_paths),
		cmocka_unit_test(initrd_long_link), cmocka_unit_test(initrd_trailer),
		cmocka_unit_test(initrd_checksum),  cmocka_unit_test(initrd_unaligned),
		cmocka_unit_test(initrd_gzip),	    cmocka_unit_test(initrd_honest),
		cmocka_unit_test(initrd_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
