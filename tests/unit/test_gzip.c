// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* gzip data unpacks to the original, or to nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <zlib.h>
#include "base/gzip.h"
#include "seed.h"

#define MAX 65536

static struct ccdm_err err;

/* The caller frees the result. */
static uint8_t *packed(const void *bytes, size_t size, int bits, size_t *n)
{
	uint8_t *out;
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	out = malloc(deflateBound(&z, size));
	z.next_in = (Bytef *)bytes;
	z.avail_in = size;
	z.next_out = out;
	z.avail_out = deflateBound(&z, size);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	*n = z.total_out;
	deflateEnd(&z);
	return out;
}

static int unpack(const void *bytes, size_t size, size_t max, char **text, size_t *n)
{
	uint8_t *copy = malloc(size); /* an exact copy: the sanitizer sees a read beyond it */
	int r;

	memcpy(copy, bytes, size);
	memset(&err, 0, sizeof(err));
	r = ccdm_gzip_unpack("log.gz", copy, size, max, text, n, &err);
	free(copy);
	if (r) {
		assert_null(*text);
		assert_int_equal(*n, 0);
	}
	return r;
}

static void whole(void **state)
{
	static const char text[] = "an event, and an event, and an event";
	char many[4096], *out;
	uint8_t *zip;
	size_t size, n, i;

	(void)state;
	for (i = 0; i < sizeof(many); i++)
		many[i] = i * i >> 3;
	for (i = 0; i < 3; i++) {
		const char *what = i ? many : text;
		size_t bytes = i == 2 ? 0 : i ? sizeof(many) : sizeof(text) - 1;

		zip = packed(what, bytes, 31, &size);
		seed("gzip", zip, size);
		assert_true(ccdm_gzip_is(zip, size));
		/* the limit equals the size; then it is one byte less */
		assert_int_equal(unpack(zip, size, bytes, &out, &n), 0);
		assert_int_equal(n, bytes);
		assert_memory_equal(out, what, bytes);
		assert_int_equal(out[n], 0);
		free(out);
		if (bytes) {
			assert_int_equal(unpack(zip, size, bytes - 1, &out, &n), -EFBIG);
			assert_non_null(strstr(err.text, "log.gz: the gzip data unpacks to more"));
		}
		free(zip);
	}
	assert_false(ccdm_gzip_is("\x1f", 1));
	assert_false(ccdm_gzip_is("\x1f\x8c", 2));
	assert_false(ccdm_gzip_is("", 0));
}

/* Bytes after the data, and missing bytes. */
static void other_ends(void **state)
{
	static const char text[] = "an event, and an event, and an event";
	uint8_t *zip, *two;
	size_t size, n, i;
	char *out;

	(void)state;
	zip = packed(text, sizeof(text), 31, &size);
	for (i = 0; i < size; i++) {
		assert_int_equal(unpack(zip, i, MAX, &out, &n), -EINVAL);
		assert_non_null(strstr(err.text, "truncated"));
	}
	two = malloc(2 * size);
	memcpy(two, zip, size);
	memcpy(two + size, zip, size);
	assert_int_equal(unpack(two, 2 * size, MAX, &out, &n), -EINVAL);
	assert_non_null(strstr(err.text, "follow the gzip data"));
	seed("gzip", two, 2 * size);
	two[size] = 0;
	assert_int_equal(unpack(two, size + 1, MAX, &out, &n), -EINVAL);
	assert_non_null(strstr(err.text, "1 bytes follow"));
	/* both checksum and length are checked */
	for (i = size - 8; i < size; i++) {
		memcpy(two, zip, size);
		two[i] ^= 1;
		seed("gzip", two, size);
		assert_int_equal(unpack(two, size, MAX, &out, &n), -EINVAL);
		assert_non_null(strstr(err.text, "damaged"));
	}
	free(two);
	free(zip);
	/* other formats of zlib are refused */
	for (i = 0; i < 2; i++) {
		zip = packed(text, sizeof(text), i ? 15 : -15, &size);
		assert_int_equal(unpack(zip, size, MAX, &out, &n), -EINVAL);
		free(zip);
	}
}

/* Unpacking a GiB of zeros stops at the limit. */
static void bomb(void **state)
{
	static uint8_t zeros[1 << 20];
	z_stream z = { 0 };
	size_t room = 2 << 20, n, i;
	uint8_t *zip = malloc(room);
	char *out;

	(void)state;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = zip;
	z.avail_out = room;
	for (i = 0; i < 1024; i++) {
		z.next_in = zeros;
		z.avail_in = sizeof(zeros);
		assert_int_equal(deflate(&z, i == 1023 ? Z_FINISH : Z_NO_FLUSH),
				 i == 1023 ? Z_STREAM_END : Z_OK);
	}
	assert_int_equal(unpack(zip, z.total_out, 4 << 20, &out, &n), -EFBIG);
	assert_non_null(strstr(err.text, "more than 4194304 bytes"));
	seed("gzip", zip, 8192);
	deflateEnd(&z);
	free(zip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(other_ends),
		cmocka_unit_test(bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
