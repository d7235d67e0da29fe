// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* test_manifest_part.c - boot/manifest_part.c: a manifest followed by zeros or by other bytes */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/compiler.h"
#include "boot/manifest_part.h"

static char bytes[CCDM_MANIFEST_PART_SIZE];
static struct ccdm_err err;

static int text(size_t *length)
{
	return ccdm_manifest_part_text("/dev/x5", bytes, sizeof(bytes), length, &err);
}

static void good(void **state)
{
	size_t length = 7;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(text(&length), 0);
	assert_int_equal(length, 0);
	strcpy(bytes, "eyJ.aZ09-_.c");
	assert_int_equal(text(&length), 0);
	assert_int_equal(length, 12);
	/* as long as the partition */
	memset(bytes, 'a', sizeof(bytes));
	bytes[3] = bytes[9] = '.';
	assert_int_equal(text(&length), 0);
	assert_int_equal(length, sizeof(bytes));
}

static void bad(void **state)
{
	static const struct {
		size_t size;
		const char *bytes;
		const char *says;
	} table[] = {
		{ 12, "eyJ.a Z09.c",
		  "/dev/x5: expected a JWS in compact form and then zeros, "
		  "found the byte 0x20 at 5" },
		{ 5, "\xff\xfe.x.", "found the byte 0xff at 0" },
		{ 8, "a.b.c\0\0d",
		  "expected zeros behind the JWS of 5 bytes, found the byte 0x64 at 7" },
		{ 3, "a.b", "found 1 dots in its 3 bytes" },
		{ 7, "a.b.c.d", "found 3 dots" },
		{ 8, "a.b.c\n\0\0", "0x0a at 5" },
		/* a last byte that is not zero */
		{ sizeof(bytes), NULL, "the byte 0x01 at 65535" },
	};
	size_t i, length;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		memset(bytes, 0, sizeof(bytes));
		if (table[i].bytes)
			memcpy(bytes, table[i].bytes, table[i].size);
		else
			bytes[table[i].size - 1] = 1;
		assert_int_equal(text(&length), -EINVAL);
		if (!strstr(err.text, table[i].says))
			fail_msg("%zu: '%s' says not '%s'", i, err.text, table[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
