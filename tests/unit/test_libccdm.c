// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Structures of callers that are older or newer than the library */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "libccdm/error.h"

/* What the library knows: two members of its first version, and a later one. */
struct known {
	size_t size;
	uint64_t first;
	char second[16];
	uint64_t later;
};

#define FIRST CCDM_DISK_END(known, second)

static const struct known from = { sizeof(from), 7, "seven", 8 };

/* A caller's structure of @size bytes, all of them set before, and a guard of the sanitizer after it. */
static struct known *caller(size_t size)
{
	char *to = malloc(size);

	assert_non_null(to);
	memset(to, 0x55, size);
	memcpy(to, &size, sizeof(size));
	return (struct known *)(void *)to;
}

static void older(void **state)
{
	struct ccdm_err err = { 0 };
	struct known *to = caller(FIRST);

	(void)state;
	assert_int_equal(ccdm_disk_copy(to, &from, sizeof(from), FIRST, &err), 0);
	assert_int_equal(to->size, FIRST);
	assert_int_equal(to->first, 7);
	assert_string_equal(to->second, "seven");
	free(to);
}

static void the_same(void **state)
{
	struct ccdm_err err = { 0 };
	struct known *to = caller(sizeof(from));

	(void)state;
	assert_int_equal(ccdm_disk_copy(to, &from, sizeof(from), FIRST, &err), 0);
	assert_memory_equal(to, &from, sizeof(from));
	free(to);
}

static void newer(void **state)
{
	struct ccdm_err err = { 0 };
	struct known *to = caller(sizeof(from) + 32);
	const char *rest = (const char *)(to + 1);
	size_t i;

	(void)state;
	assert_int_equal(ccdm_disk_copy(to, &from, sizeof(from), FIRST, &err), 0);
	assert_int_equal(to->size, sizeof(from) + 32);
	assert_int_equal(to->later, 8);
	for (i = 0; i < 32; i++)
		assert_int_equal(rest[i], 0);
	free(to);
}

/* Smaller than the first version: the caller has not set the size. */
static void too_small(void **state)
{
	struct ccdm_err err = { 0 };
	struct known *to = caller(sizeof(size_t));

	(void)state;
	assert_int_equal(ccdm_disk_copy(to, &from, sizeof(from), FIRST, &err), -EINVAL);
	assert_string_equal(err.text, "libccdm: a structure's size: expected at least 32, found 8");
	free(to);
}

/* The structures as version 0.1 has them: programs that were compiled with it depend on this. */
static void first_version(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct ccdm_disk_facts, content), 24);
	assert_int_equal(CCDM_DISK_FACTS_FIRST, 4216);
	assert_int_equal(offsetof(struct ccdm_disk_status, bytes), 320);
	assert_int_equal(CCDM_DISK_STATUS_FIRST, 8522);
	assert_int_equal(offsetof(struct ccdm_disk_event, level), 340);
	assert_int_equal(CCDM_DISK_EVENT_FIRST, 352);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older),	 cmocka_unit_test(the_same),
		cmocka_unit_test(newer),	 cmocka_unit_test(too_small),
		cmocka_unit_test(first_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
