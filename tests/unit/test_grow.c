// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* test_grow.c - disk/grow.c: which partition can grow, and to which size */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/compiler.h"
#include "disk/grow.h"

#define MIB 2048 /* sectors */

static void sizes(void **state)
{
	static const struct ccdm_grow_part others[] = { { MIB, 4 * MIB }, { 5 * MIB, MIB } };
	const struct ccdm_grow_part part = { 6 * MIB, 2 * MIB }, small = { 6 * MIB, 8 };

	(void)state;
	/* the image as it was built: it cannot grow */
	assert_int_equal(ccdm_grow_size(9 * MIB, &part, others, 2), 2 * MIB);
	/* a larger disk: all of it but the place of the table's copy */
	assert_int_equal(ccdm_grow_size(100 * MIB, &part, others, 2), 93 * MIB);
	assert_int_equal(ccdm_grow_size(100 * MIB, &part, NULL, 0), 93 * MIB);
	/* whole blocks of 4096 bytes */
	assert_int_equal(ccdm_grow_size(100 * MIB + 7, &part, others, 2), 93 * MIB);
	assert_int_equal(ccdm_grow_size(100 * MIB + 8, &part, others, 2), 93 * MIB + 8);
	assert_int_equal(ccdm_grow_size(7 * MIB + 16, &small, others, 2), 16);
	/* never smaller, whatever the disk's size is */
	assert_int_equal(ccdm_grow_size(7 * MIB, &part, others, 2), 2 * MIB);
	assert_int_equal(ccdm_grow_size(0, &part, others, 2), 2 * MIB);
	assert_int_equal(ccdm_grow_size(UINT64_MAX, &part, others, 2),
			 (UINT64_MAX - 7 * MIB) / 8 * 8);
}

static void followed(void **state)
{
	static const struct ccdm_grow_part others[] = { { MIB, 4 * MIB }, { 50 * MIB, MIB } };
	const struct ccdm_grow_part part = { 6 * MIB, 2 * MIB };

	(void)state;
	assert_int_equal(ccdm_grow_size(100 * MIB, &part, others, 2), 2 * MIB);
	assert_int_equal(ccdm_grow_size(100 * MIB, &part, others, 1), 93 * MIB);
}

/* A path that is not a partition needs nothing; a missing device is an error. */
static void none(void **state)
{
	struct ccdm_err err = { 0 };
	uint64_t bytes = 1;

	(void)state;
	assert_int_equal(ccdm_grow("/dev/null", &bytes, &err), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(ccdm_grow("/dev/ccdm-none", &bytes, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(followed),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
