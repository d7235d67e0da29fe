// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Layers become one tree; what is refused names the layer and the entry. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "forge_container.h"
#include "image/archive.h"
#include "image/layers.h"
#include "seed.h"

static struct ccdm_err err;
static struct ccdm_layers_count count;

static int apply(struct ccdm_rootfs *fs, const struct forge_tar *t, unsigned int number)
{
	struct ccdm_source source = { .name = "layer", .bytes = t->bytes, .size = t->size };
	struct ccdm_layer layer = { .source = &source, .size = t->size };

	forge_sha256(t->bytes, t->size, &layer.diff_id);
	memset(&err, 0, sizeof(err));
	return ccdm_layer_apply(fs, &layer, number, &count, &err);
}

/* Two layers. The caller frees the tree. */
static int two(struct ccdm_rootfs **fs, struct forge_tar *a, struct forge_tar *b)
{
	int r;

	forge_tar_end(a);
	forge_tar_end(b);
	seed_pair("layers", a->bytes, a->size, b->bytes, b->size);
	memset(&count, 0, sizeof(count));
	assert_int_equal(ccdm_rootfs_new(fs, "/tmp", &err), 0);
	assert_int_equal(apply(*fs, a, 1), 0);
	r = apply(*fs, b, 2);
	free(a->bytes);
	free(b->bytes);
	return r;
}

static void lower(struct forge_tar *t)
{
	forge_tar_add(t, '5', "d", NULL);
	forge_tar_add(t, '0', "d/a", "a");
	forge_tar_add(t, '5', "d/s", NULL);
	forge_tar_add(t, '0', "d/s/x", "x");
	forge_tar_add(t, '2', "l", "d");
	forge_tar_add(t, '1', "h", "d/a");
}

static void is(const struct ccdm_rootfs *fs, const char *path, const char *text)
{
	const struct ccdm_rootfs_node *node = ccdm_rootfs_find(fs, path);
	char *content;
	size_t size;

	assert_non_null(node);
	assert_int_equal(ccdm_rootfs_read(fs, node, 100, &content, &size, &err), 0);
	assert_string_equal(content, text);
	free(content);
}

/* An entry above a layer that is fine is refused with these words. */
static void refused(char type, const char *name, const char *content, const char *words)
{
	struct forge_tar a = { 0 }, b = { 0 };
	struct ccdm_rootfs *fs;

	lower(&a);
	forge_tar_add(&b, type, name, content);
	assert_int_not_equal(two(&fs, &a, &b), 0);
	ccdm_rootfs_free(fs);
	assert_non_null(strstr(err.text, "layer 2: "));
	if (!strstr(err.text, words))
		fail_msg("expected '%s', found '%s'", words, err.text);
}

static void merged(void **state)
{
	struct forge_tar a = { 0 }, b = { 0 };
	struct ccdm_rootfs *fs;

	(void)state;
	lower(&a);
	forge_tar_add(&b, '0', "d/.wh.a", NULL);
	forge_tar_add(&b, '0', "l/new", "new");
	forge_tar_add(&b, '1', "again", "h");
	forge_tar_add(&b, '3', "null", NULL);
	forge_tar_add(&b, '6', "fifo", NULL);
	forge_tar_pax(&b, "SCHILY.xattr.user.x", "\0\xff", 2);
	forge_tar_add(&b, '0', "x", "x");
	forge_tar_pax(&b, "SCHILY.xattr.trusted.overlay.opaque", "y", 1);
	forge_tar_add(&b, '5', "o", NULL);
	forge_tar_pax(&b, "path", "\xc3\xa4\xff", 3);
	forge_tar_add(&b, '0', "other", "other");
	assert_int_equal(two(&fs, &a, &b), 0);
	assert_null(ccdm_rootfs_find(fs, "d/a"));
	assert_null(ccdm_rootfs_find(fs, "null"));
	is(fs, "h", "a");
	is(fs, "d/new", "new");
	is(fs, "\xc3\xa4\xff", "other");
	assert_ptr_equal(ccdm_rootfs_find(fs, "h")->inode, ccdm_rootfs_find(fs, "again")->inode);
	assert_int_equal(ccdm_rootfs_find(fs, "x")->inode->xattrs->size, 2);
	assert_int_equal(ccdm_rootfs_find(fs, "x")->inode->uid, 1);
	assert_null(ccdm_rootfs_find(fs, "o")->inode->xattrs);
	assert_int_equal(count.entries, 6 + 8);
	assert_int_equal(count.whiteouts, 1);
	assert_int_equal(count.devices, 1);
	assert_int_equal(count.xattrs, 1);
	ccdm_rootfs_free(fs);
}

/* Each order of: the folder d, a file in it, a whiteout of d, an opaque whiteout in d. */
static void orders(void **state)
{
	static const struct {
		char type;
		const char *name, *content;
	} all[] = {
		{ '5', "d", NULL },
		{ '0', "d/s/new", "new" },
		{ '0', ".wh.d", NULL },
		{ '0', "d/.wh..wh..opq", NULL },
	};
	struct ccdm_rootfs *fs;
	unsigned int i, k, n, left, order, place;

	(void)state;
	for (order = 0; order < 24; order++) {
		struct forge_tar a = { 0 }, b = { 0 };

		lower(&a);
		for (i = 0, left = 15, n = order; i < 4; i++) {
			place = n % (4 - i);
			n /= 4 - i;
			for (k = 0; !(left & 1u << k) || place--; k++)
				;
			left &= ~(1u << k);
			forge_tar_add(&b, all[k].type, all[k].name, all[k].content);
		}
		assert_int_equal(two(&fs, &a, &b), 0);
		is(fs, "d/s/new", "new");
		assert_null(ccdm_rootfs_find(fs, "d/a"));
		assert_null(ccdm_rootfs_find(fs, "d/s/x"));
		assert_int_equal(ccdm_rootfs_find(fs, "d")->inode->uid, 1);
		/* no entry describes the new d/s */
		assert_int_equal(ccdm_rootfs_find(fs, "d/s")->inode->uid, 0);
		assert_int_equal(fs->entries, 5);
		ccdm_rootfs_free(fs);
	}
}

static void replaced(void **state)
{
	static const struct {
		char type;
		const char *name, *content, *after;
		uint64_t entries;
	} all[] = {
		{ '0', "d", "file", "d", 3 },
		{ '5', "d/a", NULL, "h", 6 },
		{ '5', "l", NULL, "d/s/x", 6 },
		{ '2', "d/s", "/h", "d/s", 5 },
		{ '1', "d/a", "h", "d/a", 6 },
		{ '3', "d", NULL, "h", 2 },
		{ '1', "d", "d/s/x", "d", 3 },
		{ '0', ".wh.d", NULL, "h", 2 },
		{ '0', ".wh..wh..opq", NULL, NULL, 0 },
		{ '0', ".wh..wh.aufs", NULL, "h", 6 },
		{ '0', "l/.wh.a", NULL, "h", 5 },
		{ '0', "h/.wh.a", NULL, "h", 6 },
		{ '0', "no/.wh.a", NULL, "h", 6 },
		{ '0', "h/.wh..wh..opq", NULL, "h", 6 },
		{ '5', "./", NULL, "h", 6 },
	};
	struct ccdm_rootfs *fs;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct forge_tar a = { 0 }, b = { 0 };

		lower(&a);
		forge_tar_add(&b, all[i].type, all[i].name, all[i].content);
		assert_int_equal(two(&fs, &a, &b), 0);
		assert_int_equal(fs->entries, all[i].entries);
		if (all[i].after)
			assert_non_null(ccdm_rootfs_find(fs, all[i].after));
		ccdm_rootfs_free(fs);
	}
}

static void entries(void **state)
{
	char name[600];

	(void)state;
	refused('0', "../x", "x", "'../x': expected a path without '..'");
	refused('1', "x", "../d/a", "expected a path without '..'");
	refused('1', "x", "nothing", "'x': a hard link to 'nothing', which is not there");
	refused('1', "x", "d/a/x", "a hard link to 'd/a/x', which is not there");
	refused('1', "x", "d", "a hard link to the folder 'd'");
	refused('0', "d/a/x", "x", "'a' is not a folder");
	refused('2', "x", "", "expected a target");
	refused('2', "./", "x", "the root must be a folder");
	refused('0', ".wh.", NULL, "only in names of whiteouts");
	refused('0', "d/.wh...", NULL, "only in names of whiteouts");
	refused('0', ".wh.d/x", "x", "only in names of whiteouts");
	refused('0', "../.wh.x", NULL, "expected a path without '..'");
	refused('9', "x", NULL, "of a kind that is not known");
	refused('5', "x", "content", "no file has a content");
	memset(name, 'n', sizeof(name));
	name[0] = 'p';
	name[98] = '/';
	name[99] = '\0';
	refused('0', name, "x", "differently");
}

static void links(void **state)
{
	struct forge_tar a = { 0 }, b = { 0 }, c = { 0 };
	struct ccdm_rootfs *fs;
	char path[4200];

	(void)state;
	forge_tar_add(&a, '2', "loop", "loop");
	forge_tar_add(&a, '2', "up", "../.././/x");
	forge_tar_add(&a, '2', "abs", "/y/");
	forge_tar_add(&b, '0', "up/in", "in");
	forge_tar_add(&b, '0', "abs/in", "in");
	forge_tar_add(&b, '0', "././abs//./more", "more");
	assert_int_equal(two(&fs, &a, &b), 0);
	is(fs, "x/in", "in");
	is(fs, "y/in", "in");
	is(fs, "y/more", "more");
	forge_tar_add(&c, '0', "loop/x", "x");
	forge_tar_end(&c);
	assert_int_equal(apply(fs, &c, 3), -ELOOP);
	assert_non_null(strstr(err.text, "'loop' needs more than 40 symbolic links"));
	free(c.bytes);
	ccdm_rootfs_free(fs);
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	forge_tar_add(&a, '2', "loop", "loop");
	forge_tar_add(&b, '0', "loop/x", "x");
	assert_int_equal(two(&fs, &a, &b), -ELOOP);
	ccdm_rootfs_free(fs);
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memset(path, '/', 4096);
	path[4095] = 'x';
	forge_tar_pax(&b, "path", path, 4096);
	forge_tar_add(&b, '0', "x", "x");
	assert_int_equal(two(&fs, &a, &b), -ENAMETOOLONG);
	ccdm_rootfs_free(fs);
}

/* One record before an entry. */
static void record(const char *key, const char *value, const char *words)
{
	struct forge_tar a = { 0 }, b = { 0 };
	struct ccdm_rootfs *fs;

	lower(&a);
	forge_tar_pax(&b, key, value, strlen(value));
	forge_tar_add(&b, '0', "x", "content");
	if (words) {
		if (!two(&fs, &a, &b) || !strstr(err.text, words))
			fail_msg("expected '%s', found '%s'", words, err.text);
	} else {
		assert_int_equal(two(&fs, &a, &b), 0);
		is(fs, "x", "content");
	}
	ccdm_rootfs_free(fs);
}

static void records(void **state)
{
	static const char acl[] = "\2\0\0\0";
	struct forge_tar a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	struct ccdm_rootfs *fs;
	char long_name[300];

	(void)state;
	record("size", "7", NULL);
	record("mtime", "-5.25", NULL);
	record("mtime", "5.", NULL);
	record("comment", "", NULL);
	record("SCHILY.acl.access", "user::rwx,user:joe:r-x:1234,group::r-x,mask::r-x,other::r-x",
	       NULL);
	assert_int_equal(count.acls, 1);
	record("size", "x", "a size that is no number");
	record("size", "5000", "the archive is cut off");
	record("uid", "-1", "an ID that is no number");
	record("uid", "4294967295", "expected a user and a group");
	record("mtime", "x", "a time that is no number");
	record("path", "", "an empty path");
	record("SCHILY.xattr.system.posix_acl_access", "x", "list is malformed");
	memset(long_name, 'n', 256);
	long_name[256] = '\0';
	record("path", long_name, "at most 255 bytes");
	/* a list of access control; a sparse file; two headers */
	lower(&a);
	forge_tar_pax(&b, "SCHILY.xattr.system.posix_acl_access", acl, 4);
	forge_tar_add(&b, '5', "x", NULL);
	forge_tar_header(&b, 'x', "PaxHeader", NULL, 98);
	forge_tar_bytes(&b,
			"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
			"28 GNU.sparse.realsize=2000\n26 GNU.sparse.name=sparse\n",
			98);
	forge_tar_header(&b, '0', "s", NULL, 512 + 5);
	forge_tar_bytes(&b, "1\n1000\n5\n", 9);
	forge_tar_bytes(&b, "bytes", 5);
	assert_int_equal(two(&fs, &a, &b), 0);
	assert_int_equal(ccdm_rootfs_find(fs, "sparse")->inode->size, 2000);
	ccdm_rootfs_free(fs);
	memset(&a, 0, sizeof(a));
	lower(&a);
	forge_tar_header(&d, 'x', "PaxHeader", NULL, 20);
	forge_tar_bytes(&d, "10 path=a\n10 path=b\n", 20);
	forge_tar_add(&d, '0', "x", "content");
	assert_int_equal(two(&fs, &a, &d), -EINVAL);
	assert_non_null(strstr(err.text, "layer 2: tar archive, near byte 512, 'PaxHeader': "
					 "a PAX header has a key twice"));
	ccdm_rootfs_free(fs);
	memset(&a, 0, sizeof(a));
	lower(&a);
	forge_tar_pax(&c, "path", "a", 1);
	forge_tar_pax(&c, "path", "b", 1);
	forge_tar_add(&c, '0', "x", "content");
	assert_int_equal(two(&fs, &a, &c), -EINVAL);
	assert_non_null(strstr(err.text, "two extended headers of the same kind"));
	ccdm_rootfs_free(fs);
}

static void digests(void **state)
{
	struct ccdm_source source = { .name = "layer" };
	struct ccdm_layer layer = { .source = &source };
	struct forge_tar t = { 0 };
	struct ccdm_rootfs *fs;

	(void)state;
	lower(&t);
	forge_tar_end(&t);
	source.bytes = t.bytes;
	source.size = layer.size = t.size;
	assert_int_equal(ccdm_rootfs_new(&fs, "/tmp", &err), 0);
	forge_sha256(t.bytes, t.size, &layer.diff_id);
	layer.digest = layer.diff_id;
	assert_int_equal(ccdm_layer_apply(fs, &layer, 1, &count, &err), 0);
	layer.digest.bytes[31] ^= 1;
	assert_int_equal(ccdm_layer_apply(fs, &layer, 2, &count, &err), -EINVAL);
	assert_non_null(strstr(err.text, "layer 2: its bytes: expected the digest"));
	layer.digest = layer.diff_id;
	layer.diff_id.bytes[0] ^= 1;
	assert_int_equal(ccdm_layer_apply(fs, &layer, 3, &count, &err), -EINVAL);
	assert_non_null(strstr(err.text, "layer 3: its unpacked bytes: expected the digest"));
	layer.diff_id = layer.digest;
	layer.diff_id.alg = 0;
	assert_int_equal(ccdm_layer_apply(fs, &layer, 4, &count, &err), -ENOTSUP);
	assert_int_equal(ccdm_layer_apply(fs, &layer, CCDM_LAYERS_MAX + 1, &count, &err), -EINVAL);
	/* an empty one */
	forge_sha256("", 0, &layer.diff_id);
	layer.digest.size = 0;
	layer.size = 0;
	assert_int_equal(ccdm_layer_apply(fs, &layer, 5, &count, &err), 0);
	/* limits */
	layer.size = t.size;
	forge_sha256(t.bytes, t.size, &layer.diff_id);
	fs->max_size = fs->spool_size + t.size - 1;
	assert_int_equal(ccdm_layer_apply(fs, &layer, 6, &count, &err), -EFBIG);
	fs->max_size = CCDM_ROOTFS_SIZE;
	count.entries = CCDM_ROOTFS_ENTRIES - 5;
	assert_int_equal(ccdm_layer_apply(fs, &layer, 7, &count, &err), -ENFILE);
	ccdm_rootfs_free(fs);
	free(t.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merged),  cmocka_unit_test(orders),  cmocka_unit_test(replaced),
		cmocka_unit_test(entries), cmocka_unit_test(records), cmocka_unit_test(links),
		cmocka_unit_test(digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
