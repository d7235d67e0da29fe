// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* A base is opened only if base.json is whole, and each file is the one that it names. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/compiler.h"
#include "crypto/digest.h"
#include "folder.h"
#include "image/base.h"
#include "seed.h"

#define ROOTHASH "c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4"
#define SALT	 "7575757575757575757575757575757575757575757575757575757575757575"

static struct ccdm_base base;
static struct ccdm_err err;

/* ---- a base ------------------------------------------------------------------------------ */

static void path_of(const char *name, char path[64])
{
	snprintf(path, 64, "%s/%s", dir, name);
}

static void write_file(const char *name, const void *bytes, size_t size)
{
	char path[64];
	FILE *f;

	path_of(name, path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* The content of a file: two blocks for base.img, its name for the others. */
static size_t content(unsigned int i, uint8_t bytes[8192])
{
	const char *name = ccdm_base_file_name((enum ccdm_base_file)i);
	size_t n = strlen(name);

	memset(bytes, 0, 8192);
	memcpy(bytes, name, n);
	return i == CCDM_BASE_IMG ? 8192 : n;
}

static json_t *file_json(unsigned int i)
{
	struct ccdm_digest digest;
	uint8_t bytes[8192];
	size_t n = content(i, bytes);
	char hex[65];

	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, bytes, n, NULL, 0, &digest), 0);
	ccdm_hex(digest.bytes, 32, hex);
	return json_pack("{s:s, s:i}", "sha256", hex, "size", (int)n);
}

static json_t *good(void)
{
	json_t *files = json_object(), *o;
	unsigned int i;

	for (i = 0; i < CCDM_BASE_FILES; i++)
		json_object_set_new(files, ccdm_base_file_name((enum ccdm_base_file)i),
				    file_json(i));
	o = json_pack("{s:i, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:[], s:{s:s, s:s, s:s, "
		      "s:i, s:i, s:i, s:i}}",
		      "version", 1, "name", "trixie-7", "svn", 3, "date", 1700000000, "suite",
		      "trixie", "source", "snapshot 20250901T000000Z", "kernel", "6.12.41", "ccdm",
		      "1.0", "words", "root=/dev/mapper/ccdm-root rw", "files", files, "packages",
		      "verity", "roothash", ROOTHASH, "salt", SALT, "algorithm", "sha256",
		      "data_blocks", 2, "hash_start", 0, "data_block_size", 4096, "hash_block_size",
		      4096);
	assert_non_null(o);
	return o;
}

static void write_good(void)
{
	uint8_t bytes[8192];
	unsigned int i;

	for (i = 0; i < CCDM_BASE_FILES; i++)
		write_file(ccdm_base_file_name((enum ccdm_base_file)i), bytes, content(i, bytes));
}

/* Write base.json. @json is taken. */
static void write_json(json_t *json)
{
	char *text = json_dumps(json, 0);

	seed("base", text, strlen(text));
	write_file("base.json", text, strlen(text));
	free(text);
	json_decref(json);
}

static int opened(void)
{
	int r;

	memset(&err, 0, sizeof(err));
	r = ccdm_base_open(dir, &base, &err);
	ccdm_base_close(&base);
	return r;
}

/* ---- good -------------------------------------------------------------------------------- */

static void whole(void **state)
{
	char path[64];

	(void)state;
	write_good();
	write_json(good());
	assert_int_equal(ccdm_base_open(dir, &base, &err), 0);
	assert_string_equal(base.folder, dir);
	assert_string_equal(base.name, "trixie-7");
	assert_string_equal(base.suite, "trixie");
	assert_string_equal(base.source, "snapshot 20250901T000000Z");
	assert_string_equal(base.kernel, "6.12.41");
	assert_string_equal(base.ccdm, "1.0");
	assert_string_equal(base.words, "root=/dev/mapper/ccdm-root rw");
	assert_int_equal(base.svn, 3);
	assert_int_equal(base.date, 1700000000);
	assert_string_equal(base.verity.roothash, ROOTHASH);
	assert_string_equal(base.verity.salt, SALT);
	assert_string_equal(base.verity.algorithm, "sha256");
	assert_int_equal(base.verity.data_blocks, 2);
	assert_int_equal(base.verity.hash_start, 0);
	assert_int_equal(base.verity.data_block_size, 4096);
	assert_int_equal(base.verity.hash_block_size, 4096);
	assert_int_equal(base.size[CCDM_BASE_IMG], 8192);
	assert_int_equal(base.size[CCDM_BASE_SECCOMP], strlen("seccomp.json"));
	path_of("initrd", path);
	assert_string_equal(base.path[CCDM_BASE_INITRD], path);
	assert_int_equal(json_array_size(json_object_get(base.json, "packages")), 0);
	ccdm_base_close(&base);
	ccdm_base_close(&base);
}

/* ---- files ------------------------------------------------------------------------------- */

/* Each file once with another byte, shorter, longer, missing, and not a regular file. */
static void files(void **state)
{
	uint8_t bytes[8193] = { 0 };
	const char *name;
	char path[64];
	unsigned int i;
	size_t n;

	(void)state;
	write_good();
	write_json(good());
	for (i = 0; i < CCDM_BASE_FILES; i++) {
		name = ccdm_base_file_name((enum ccdm_base_file)i);
		path_of(name, path);
		n = content(i, bytes);
		bytes[n - 1] ^= 1;
		write_file(name, bytes, n);
		assert_int_equal(opened(), -EINVAL);
		assert_non_null(strstr(err.text, path));
		assert_non_null(strstr(err.text, "expected SHA-256"));
		assert_non_null(strstr(err.hint, "make the base again"));
		bytes[n - 1] ^= 1;
		write_file(name, bytes, n - 1);
		assert_int_equal(opened(), -EINVAL);
		assert_non_null(strstr(err.text, path));
		assert_non_null(strstr(err.text, "bytes as in base.json, found"));
		write_file(name, bytes, n + 1);
		assert_int_equal(opened(), -EINVAL);
		assert_non_null(strstr(err.text, path));
		unlink(path);
		assert_int_equal(opened(), -ENOENT);
		assert_non_null(strstr(err.text, path));
		assert_int_equal(mkfifo(path, 0600), 0);
		assert_int_equal(opened(), -EINVAL);
		assert_non_null(strstr(err.text, "expected a regular file"));
		unlink(path);
		write_file(name, bytes, n);
		assert_int_equal(opened(), 0);
	}
}

/* Each SHA-256 of base.json wrong once: another digit, a digit less or more, another letter. */
static void hashes(void **state)
{
	static const char *const change[] = { "digit", "short", "long", "letter" };
	char hex[80];
	unsigned int i, kind;

	(void)state;
	write_good();
	for (i = 0; i < CCDM_BASE_FILES; i++)
		for (kind = 0; kind < ARRAY_SIZE(change); kind++) {
			const char *name = ccdm_base_file_name((enum ccdm_base_file)i);
			json_t *o = good(),
			       *file = json_object_get(json_object_get(o, "files"), name);

			snprintf(hex, sizeof(hex), "%s%s",
				 json_string_value(json_object_get(file, "sha256")),
				 kind == 2 ? "0" : "");
			if (kind == 0)
				hex[63] = hex[63] == '0' ? '1' : '0';
			else if (kind == 1)
				hex[63] = '\0';
			else if (kind == 3)
				hex[0] = 'g';
			json_object_set_new(file, "sha256", json_string(hex));
			write_json(o);
			assert_int_equal(opened(), -EINVAL);
			assert_non_null(strstr(err.text, kind == 2 ? "sha256" : name));
		}
}

/* ---- base.json ---------------------------------------------------------------------------- */

/* Set a member of an object of base.json, or remove it for NULL. Return: the result of opening */
static int changed(const char *object, const char *inner, const char *key, json_t *value)
{
	json_t *o = good(), *at = object ? json_object_get(o, object) : o;

	if (inner)
		at = json_object_get(at, inner);
	assert_true(json_is_object(at));
	if (value)
		json_object_set_new(at, key, value);
	else
		assert_int_equal(json_object_del(at, key), 0);
	write_json(o);
	return opened();
}

static json_t *text_of(size_t size)
{
	char *text = malloc(size + 1);
	json_t *o;

	memset(text, 'a', size);
	text[size] = '\0';
	o = json_string(text);
	free(text);
	return o;
}

static void texts(void **state)
{
	static const struct {
		const char *object, *key;
		size_t max;
	} field[] = {
		{ NULL, "name", 64 },	       { NULL, "suite", 31 },
		{ NULL, "source", 63 },	       { NULL, "kernel", 64 },
		{ NULL, "ccdm", 64 },	       { NULL, "words", 2047 },
		{ "verity", "salt", 64 },      { "verity", "roothash", 64 },
		{ "verity", "algorithm", 15 },
	};
	size_t i;

	(void)state;
	write_good();
	for (i = 0; i < ARRAY_SIZE(field); i++) {
		const char *object = field[i].object, *key = field[i].key;

		assert_int_equal(changed(object, NULL, key, NULL), -EINVAL);
		assert_non_null(strstr(err.text, key));
		assert_non_null(strstr(err.text, "base.json"));
		assert_non_null(strstr(err.hint, "make the base again"));
		assert_int_equal(changed(object, NULL, key, text_of(field[i].max + 1)), -EINVAL);
		assert_non_null(strstr(err.text, key));
		assert_int_equal(changed(object, NULL, key, json_integer(1)), -EINVAL);
		assert_int_equal(changed(object, NULL, key, json_null()), -EINVAL);
		assert_int_equal(changed(object, NULL, key, json_string("a\nb")), -EINVAL);
		assert_int_equal(changed(object, NULL, key, json_string("a\033b")), -EINVAL);
		assert_int_equal(changed(object, NULL, key, json_stringn("a\0b", 3)), -EINVAL);
		assert_non_null(strstr(err.text, "\\u0000"));
		if (!object)
			assert_int_equal(changed(NULL, NULL, key, text_of(field[i].max)), 0);
	}
	assert_int_equal(changed("verity", NULL, "algorithm", json_string("sha512")), -EINVAL);
	assert_int_equal(changed("verity", NULL, "salt", text_of(62)), -EINVAL);
	assert_int_equal(changed("verity", NULL, "roothash", text_of(63)), -EINVAL);
}

static void numbers(void **state)
{
	static const struct {
		const char *object, *inner, *key;
		json_int_t max;
	} field[] = {
		{ NULL, NULL, "version", 1 },
		{ NULL, NULL, "svn", UINT32_MAX },
		{ NULL, NULL, "date", UINT32_MAX },
		{ "verity", NULL, "data_blocks", (json_int_t)1 << 40 },
		{ "verity", NULL, "hash_start", (json_int_t)1 << 40 },
		{ "verity", NULL, "data_block_size", 4096 },
		{ "verity", NULL, "hash_block_size", 4096 },
		{ "files", "base.img", "size", 8192 },
		{ "files", "stub", "size", 4 },
	};
	size_t i;

	(void)state;
	write_good();
	for (i = 0; i < ARRAY_SIZE(field); i++) {
		const char *object = field[i].object, *inner = field[i].inner, *key = field[i].key;

		assert_int_equal(changed(object, inner, key, NULL), -EINVAL);
		assert_non_null(strstr(err.text, key));
		assert_int_equal(changed(object, inner, key, json_integer(field[i].max)), 0);
		assert_int_equal(changed(object, inner, key, json_integer(field[i].max + 1)),
				 -EINVAL);
		assert_int_equal(changed(object, inner, key, json_integer(-1)), -EINVAL);
		assert_int_equal(changed(object, inner, key, json_integer(INT64_MAX)), -EINVAL);
		assert_int_equal(changed(object, inner, key, json_integer(INT64_MIN)), -EINVAL);
		assert_int_equal(changed(object, inner, key, json_real(1.0)), -EINVAL);
		assert_int_equal(changed(object, inner, key, json_string("1")), -EINVAL);
	}
	assert_int_equal(changed(NULL, NULL, "version", json_integer(0)), -EINVAL);
	assert_int_equal(changed("verity", NULL, "data_block_size", json_integer(512)), -EINVAL);
	assert_int_equal(changed("verity", NULL, "hash_block_size", json_integer(1024)), -EINVAL);
	assert_non_null(strstr(err.text, "block sizes"));
}

/* Objects that are not there, are something else, or are there twice; what is no JSON. */
static void objects(void **state)
{
	static const char *const bad[] = { "",
					   "{",
					   "[]",
					   "\"x\"",
					   "null",
					   "{} {}",
					   "{\"a\":1,\"a\":1}",
					   "\xff",
					   "{\"version\":1,\"version\":1}" };
	unsigned int i;
	char *deep;

	(void)state;
	write_good();
	assert_int_equal(changed(NULL, NULL, "files", NULL), -EINVAL);
	assert_int_equal(changed(NULL, NULL, "files", json_array()), -EINVAL);
	assert_int_equal(changed(NULL, NULL, "verity", NULL), -EINVAL);
	assert_int_equal(changed(NULL, NULL, "verity", json_string("x")), -EINVAL);
	for (i = 0; i < CCDM_BASE_FILES; i++)
		assert_int_equal(
			changed("files", NULL, ccdm_base_file_name((enum ccdm_base_file)i), NULL),
			-EINVAL);
	/* what is not known is kept for later versions */
	assert_int_equal(changed(NULL, NULL, "more", json_string("x")), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		seed("base", bad[i], strlen(bad[i]));
		write_file("base.json", bad[i], strlen(bad[i]));
		assert_int_equal(opened(), -EINVAL);
		assert_non_null(strstr(err.text, "base.json"));
	}
	/* one member too many, of which a reader might take either */
	{
		json_t *o = good();
		char *text = json_dumps(o, 0), *twice;

		assert_true(asprintf(&twice, "{\"name\": \"other\", %s", text + 1) > 0);
		write_file("base.json", twice, strlen(twice));
		assert_int_equal(opened(), -EINVAL);
		assert_non_null(strstr(err.text, "duplicate"));
		free(text);
		free(twice);
		json_decref(o);
	}
	/* nested without end */
	deep = malloc(100000);
	memset(deep, '[', 100000);
	write_file("base.json", deep, 100000);
	free(deep);
	assert_int_equal(opened(), -EINVAL);
	/* too large */
	deep = calloc(1, (4 << 20) + 1);
	write_file("base.json", deep, (4 << 20) + 1);
	free(deep);
	assert_int_equal(opened(), -EFBIG);
}

static void folders(void **state)
{
	char path[PATH_MAX + 2], file[64];

	(void)state;
	assert_int_equal(ccdm_base_open("/does/not/exist", &base, &err), -ENOENT);
	ccdm_base_close(&base);
	memset(path, '/', sizeof(path));
	path[PATH_MAX + 1] = '\0';
	assert_int_equal(ccdm_base_open(path, &base, &err), -ENAMETOOLONG);
	ccdm_base_close(&base);
	path_of("base.json", file);
	unlink(file);
	assert_int_equal(opened(), -ENOENT);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(opened(), -EINVAL);
	assert_non_null(strstr(err.text, "expected a regular file"));
	unlink(file);
	/* the text alone: a folder whose name leaves no room for its files */
	memset(path, 'd', sizeof(path));
	path[PATH_MAX - 2] = '\0';
	assert_int_equal(ccdm_base_parse(path, "{}", 2, &base, &err), -EINVAL);
	ccdm_base_close(&base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),   cmocka_unit_test(files),   cmocka_unit_test(hashes),
		cmocka_unit_test(texts),   cmocka_unit_test(numbers), cmocka_unit_test(objects),
		cmocka_unit_test(folders),
	};

	return cmocka_run_group_tests(tests, folder_begin, folder_end);
}
