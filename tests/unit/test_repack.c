// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* An initrd that is packed again has the same content, in the same bytes each time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "forge_image.h"
#include "image/initrd.h"
#include "image/repack.h"
#include "seed.h"

#define DATE	  1700000000
#define FILE_MODE 0100644U
#define LINK_MODE 0120777U
#define DIR_MODE  0040755U

static struct ccdm_err err;

/* An entry; the last one has no path. */
struct entry {
	unsigned int inode, mode, links;
	const char *path, *content;
};

static void archive(struct forge_bytes *b, const struct entry *e)
{
	for (; e->path; e++)
		forge_cpio_inode(b, e->inode, e->path, e->mode, e->links, e->content,
				 strlen(e->content));
	forge_cpio_end(b);
}

static int repack(const struct forge_bytes *b, const char *const *drop, struct forge_bytes *made)
{
	memset(&err, 0, sizeof(err));
	seed("repack", b->p, b->size);
	return ccdm_initrd_repack("initrd", b->p, b->size, drop, DATE, &made->p, &made->size, &err);
}

/* ---- what is in it ---------------------------------------------------------------------- */

static bool all(const struct ccdm_initrd_file *file, void *arg)
{
	(void)file;
	(void)arg;
	return true;
}

static int line(struct ccdm_initrd_file *file, void *arg)
{
	struct forge_bytes *text = arg;
	char head[CCDM_INITRD_NAME + 32];

	assert_int_equal(file->links, 1);
	assert_int_equal(file->owner[0] | file->owner[1], 0);
	snprintf(head, sizeof(head), "%s %o ", file->path, file->mode);
	forge_say(text, head, strlen(head));
	forge_say(text, file->content, file->size);
	forge_say(text, "\n", 1);
	return 0;
}

/* Each entry as a line of path, mode and content. */
static char *lines(const struct forge_bytes *b)
{
	struct forge_bytes text = { 0 };

	assert_int_equal(ccdm_initrd_walk("x", b->p, b->size, all, line, &text, &err), 0);
	forge_say(&text, "", 1);
	return (char *)text.p;
}

static void is(const struct forge_bytes *b, const char *const *drop, const char *expected)
{
	struct forge_bytes made = { 0 };
	char *found;

	assert_int_equal(repack(b, drop, &made), 0);
	found = lines(&made);
	assert_string_equal(found, expected);
	free(found);
	forge_free(&made);
}

static void refused(struct forge_bytes *b, int r, const char *says)
{
	struct forge_bytes made = { 0 };

	assert_int_equal(repack(b, NULL, &made), r);
	assert_non_null(strstr(err.text, says));
	assert_null(made.p);
	forge_free(b);
}

/* ---- parts and compression --------------------------------------------------------------- */

static const struct entry early[] = {
	{ 1, DIR_MODE, 2, ".", "" },
	{ 2, FILE_MODE, 1, "early_cpio", "1" },
	{ 0 },
};

static const struct entry main_part[] = {
	{ 1, DIR_MODE, 3, ".", "" },
	{ 2, DIR_MODE, 2, "usr", "" },
	{ 3, LINK_MODE, 1, "bin", "usr" },
	{ 5, FILE_MODE, 3, "usr/one", "" },
	{ 5, FILE_MODE, 3, "usr/two", "" },
	{ 6, FILE_MODE, 2, "usr/empty", "" },
	{ 6, FILE_MODE, 2, "usr/nothing", "" },
	{ 5, FILE_MODE, 3, "usr/0", "hard" },
	{ 7, 0100755, 1, "init", "#!/bin/sh" },
	{ 0 },
};

static const char content[] = ". 40755 \nbin 120777 usr\nearly_cpio 100644 1\n"
			      "init 100755 #!/bin/sh\nusr 40755 \nusr/0 100644 hard\n"
			      "usr/empty 100644 \nusr/nothing 100644 \nusr/one 100644 hard\n"
			      "usr/two 100644 hard\n";

/* The same archive, compressed by the code that compresses initrds. */
static void pack_zstd(struct forge_bytes *b, const struct forge_bytes *inner)
{
	struct forge_bytes packed = { 0 };

	assert_int_equal(ccdm_initrd_compress(inner->p, inner->size, &packed.p, &packed.size, &err),
			 0);
	assert_true(packed.size < inner->size);
	forge_say(b, packed.p, packed.size);
	forge_free(&packed);
}

static void parts(void **state)
{
	struct forge_bytes b = { 0 }, inner = { 0 };
	unsigned int kind;

	(void)state;
	archive(&inner, main_part);
	for (kind = 0; kind < 3; kind++) {
		archive(&b, early);
		forge_fill(&b, 0, 512 - b.size % 512);
		if (kind == 0)
			forge_say(&b, inner.p, inner.size);
		else if (kind == 1)
			forge_gzip(&b, &inner);
		else
			pack_zstd(&b, &inner);
		is(&b, NULL, content);
		forge_free(&b);
	}
	forge_free(&inner);
	/* no entry at all */
	forge_cpio_end(&b);
	is(&b, NULL, "");
	forge_free(&b);
}

/* Neither inode numbers, nor the order, nor the name with the content change a byte. */
static void same(void **state)
{
	static const struct entry other[] = {
		{ 99, 0100755, 1, "./init", "#!/bin/sh" },
		{ 98, DIR_MODE, 9, "usr", "" },
		{ 97, FILE_MODE, 3, "usr/two", "hard" },
		{ 97, FILE_MODE, 3, "usr/0", "" },
		{ 96, FILE_MODE, 1, "usr/nothing", "" },
		{ 95, FILE_MODE, 1, "usr/empty", "" },
		{ 97, FILE_MODE, 3, "usr/one", "hard" },
		{ 94, LINK_MODE, 1, "bin", "usr" },
		{ 93, FILE_MODE, 1, "early_cpio", "1" },
		{ 92, DIR_MODE, 1, ".", "" },
		{ 0 },
	};
	struct forge_bytes a = { 0 }, b = { 0 }, one = { 0 }, two = { 0 };
	struct ccdm_initrd_file *file = malloc(sizeof(*file));

	(void)state;
	archive(&a, early);
	archive(&a, main_part);
	archive(&b, other);
	assert_int_equal(repack(&a, NULL, &one), 0);
	assert_int_equal(repack(&b, NULL, &two), 0);
	assert_int_equal(one.size, two.size);
	assert_memory_equal(one.p, two.p, one.size);
	forge_free(&two);
	/* packed again, nothing changes */
	assert_int_equal(repack(&one, NULL, &two), 0);
	assert_int_equal(one.size, two.size);
	assert_memory_equal(one.p, two.p, one.size);
	forge_free(&two);
	/* the same bytes compressed twice */
	forge_free(&a);
	forge_free(&b);
	pack_zstd(&a, &one);
	pack_zstd(&b, &one);
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.p, b.p, a.size);
	assert_true(strlen(ccdm_initrd_compressor()) > 0);
	free(file);
	forge_free(&a);
	forge_free(&b);
	forge_free(&one);
}

/* A name that is left out may be the one that has the content. */
static void dropped(void **state)
{
	static const char *const drop[] = { "usr/0", "init", "none", NULL };
	struct forge_bytes b = { 0 };

	(void)state;
	archive(&b, main_part);
	is(&b, drop,
	   ". 40755 \nbin 120777 usr\nusr 40755 \nusr/empty 100644 \nusr/nothing 100644 \n"
	   "usr/one 100644 hard\nusr/two 100644 hard\n");
	forge_free(&b);
}

/* The kernel forgets inode numbers at a trailer: the names before and after it are other files. */
static void trailer(void **state)
{
	static const struct entry first[] = { { 5, FILE_MODE, 2, "a", "one" }, { 0 } };
	static const struct entry second[] = { { 5, FILE_MODE, 2, "b", "two" }, { 0 } };
	struct forge_bytes b = { 0 };

	(void)state;
	archive(&b, first);
	archive(&b, second);
	is(&b, NULL, "a 100644 one\nb 100644 two\n");
	forge_free(&b);
	/* a trailer of another name in a folder is none */
	forge_cpio(&b, "d", DIR_MODE, 2, "", 0);
	forge_cpio(&b, "d/TRAILER!!!", FILE_MODE, 1, "x", 1);
	forge_cpio_end(&b);
	is(&b, NULL, "d 40755 \nd/TRAILER!!! 100644 x\n");
	forge_free(&b);
	/* one that the kernel takes for a trailer only without "./" before it */
	forge_cpio(&b, "./TRAILER!!!", FILE_MODE, 1, "x", 1);
	forge_cpio_end(&b);
	refused(&b, -EINVAL, "TRAILER!!!");
}

/* Device files and pipes. */
static void special(void **state)
{
	struct forge_bytes b = { 0 }, made = { 0 };

	(void)state;
	forge_cpio(&b, "dev", DIR_MODE, 2, "", 0);
	forge_cpio(&b, "dev/console", 0020600, 1, "", 0);
	memcpy(b.p + b.size - 124 + 6 + 8 * 9, "0000000500000001", 16);
	forge_cpio(&b, "dev/pipe", 0010600, 1, "", 0);
	forge_cpio_end(&b);
	is(&b, NULL, "dev 40755 \ndev/console 20600 \ndev/pipe 10600 \n");
	assert_int_equal(repack(&b, NULL, &made), 0);
	assert_non_null(
		memmem(made.p, made.size, "00000005000000010000000c00000000dev/console", 43));
	forge_free(&made);
	forge_free(&b);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void hostile(void **state)
{
	static const struct {
		int r;
		const char *says;
		struct entry entry[5];
	} cases[] = {
		/* twice the same path */
		{ -EEXIST,
		  "cpio: a: there are two",
		  { { 1, FILE_MODE, 1, "a", "x" }, { 2, FILE_MODE, 1, "a", "x" } } },
		{ -EEXIST,
		  "cpio: a: there are two",
		  { { 1, FILE_MODE, 2, "a", "x" }, { 1, FILE_MODE, 2, "./a", "x" } } },
		{ -EEXIST,
		  "cpio: d: there are two",
		  { { 1, DIR_MODE, 1, "d", "" }, { 2, 0040700, 1, "d", "" } } },
		{ -EEXIST,
		  "cpio: d: there are two",
		  { { 1, DIR_MODE, 1, "d", "" }, { 2, LINK_MODE, 1, "d", "e" } } },
		/* one file with two contents or modes */
		{ -EINVAL,
		  "a and b are one file with two contents",
		  { { 1, FILE_MODE, 2, "a", "x" }, { 1, FILE_MODE, 2, "b", "y" } } },
		{ -EINVAL,
		  "b and a are one file with two contents",
		  { { 1, FILE_MODE, 2, "a", "x" }, { 1, FILE_MODE, 2, "b", "xy" } } },
		{ -EINVAL,
		  "a and b are one file with two modes",
		  { { 1, FILE_MODE, 2, "a", "x" }, { 1, 0104755, 2, "b", "" } } },
		{ -EINVAL,
		  "a and b are one file with two modes",
		  { { 1, FILE_MODE, 2, "a", "x" }, { 1, LINK_MODE, 2, "b", "" } } },
		/* behind a link, behind a file, in no folder */
		{ -EINVAL,
		  "e/f: expected an entry for its folder",
		  { { 1, DIR_MODE, 1, "d", "" },
		    { 2, LINK_MODE, 1, "e", "d" },
		    { 3, FILE_MODE, 1, "e/f", "x" } } },
		{ -EINVAL,
		  "e/f: expected an entry for its folder",
		  { { 2, FILE_MODE, 1, "e", "d" }, { 3, FILE_MODE, 1, "e/f", "x" } } },
		{ -EINVAL,
		  "d/e/f: expected an entry for its folder",
		  { { 1, DIR_MODE, 1, "d", "" }, { 3, FILE_MODE, 1, "d/e/f", "x" } } },
		/* paths that lead out of the root */
		{ -EINVAL, "'..'", { { 1, FILE_MODE, 1, "../a", "x" } } },
		{ -EINVAL, "'..'", { { 1, FILE_MODE, 1, "d/../../a", "x" } } },
		{ -EINVAL, "'..'", { { 1, FILE_MODE, 1, "//a", "x" } } },
		{ -EINVAL, "a folder '.'", { { 1, FILE_MODE, 1, ".", "x" } } },
		/* what has no content */
		{ -EINVAL, "neither a file nor a link", { { 1, DIR_MODE, 1, "d", "x" } } },
		{ -EINVAL, "neither a file nor a link", { { 1, 0020600, 1, "c", "x" } } },
	};
	struct forge_bytes b;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&b, 0, sizeof(b));
		archive(&b, cases[i].entry);
		refused(&b, cases[i].r, cases[i].says);
	}
}

/* Each shorter length of an initrd is an error, unless an archive or a plain entry ends there. */
static void cut(void **state)
{
	struct forge_bytes b = { 0 }, inner = { 0 }, piece = { 0 }, made = { 0 };
	size_t whole, i;

	(void)state;
	archive(&inner, main_part);
	archive(&b, early);
	whole = b.size;
	pack_zstd(&b, &inner);
	for (i = 0; i < b.size; i++) {
		forge_say(&piece, b.p, i);
		if (i && i != whole && repack(&piece, NULL, &made) != -EINVAL) {
			/* (between two entries, which is the same for the kernel) */
			assert_true(i == 112 || i == 240);
			forge_free(&made);
		}
		forge_free(&piece);
	}
	forge_free(&b);
	forge_free(&inner);
}

/* Sizes without a content behind them, and much content in few bytes. */
static void bombs(void **state)
{
	static const char sizes[][9] = { "ffffffff", "40000001", "00000002" };
	struct forge_bytes b = { 0 }, inner = { 0 };
	unsigned int i, packed;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (packed = 0; packed < 3; packed++) {
			forge_cpio(&inner, "a", FILE_MODE, 1, "x", 1);
			inner.size -= 3; /* (zeros behind the content) */
			memcpy(inner.p + 6 + 8 * 6, sizes[i], 8);
			if (!packed)
				forge_say(&b, inner.p, inner.size);
			else if (packed == 1)
				forge_gzip(&b, &inner);
			else
				pack_zstd(&b, &inner);
			refused(&b, -EINVAL, packed && i < 2 ? "at most 1 GiB" : "cut off");
			forge_free(&inner);
		}
	/* each name of a file becomes a copy: 200 of 8 MiB are more than there may be */
	for (i = 1; i < 200; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%u", i);
		forge_cpio_inode(&b, 1, name, FILE_MODE, 200, "", 0);
	}
	forge_fill(&inner, 'x', 8 << 20);
	forge_cpio_inode(&b, 1, "last", FILE_MODE, 200, inner.p, inner.size);
	forge_free(&inner);
	forge_cpio_end(&b);
	refused(&b, -EFBIG, "at most 1 GiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),   cmocka_unit_test(same),    cmocka_unit_test(dropped),
		cmocka_unit_test(trailer), cmocka_unit_test(special), cmocka_unit_test(hostile),
		cmocka_unit_test(cut),	   cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
