// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* The table line of a mapping: each option, and paths that do not fit; names of mappings. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "disk/open.h"

static void every_option(void **state)
{
	const struct ccdm_open o = { .device = "/dev/vdb",
				     .cipher = "aes-gcm",
				     .on_tamper = "eio",
				     .origin = "/dev/vdc",
				     .cache = (5 << 20) - 1,
				     .allow_discards = true,
				     .allow_kdump = true };
	const struct ccdm_open none = { .device = "/dev/vdb" };
	char params[CCDM_OPEN_PARAMS];
	struct ccdm_err err = { 0 };

	(void)state;
	assert_int_equal(ccdm_open_params(&o, params, sizeof(params), &err), 0);
	assert_string_equal(params, "1 /dev/vdb 6 cipher:aes-gcm cache_mib:5 on_tamper:eio "
				    "origin:/dev/vdc allow_discards allow_kdump");
	assert_int_equal(ccdm_open_params(&none, params, sizeof(params), &err), 0);
	assert_string_equal(params, "1 /dev/vdb 0");
}

/* Paths around the room of the line: the line is whole, or there is an error. */
static void long_paths(void **state)
{
	struct ccdm_open o = { .cipher = "aes-gcm", .allow_kdump = true };
	char path[5000], *params = malloc(CCDM_OPEN_PARAMS);
	struct ccdm_err err = { 0 };
	unsigned int good = 0;
	size_t n, origin;
	int r;

	(void)state;
	assert_non_null(params);
	for (origin = 0; origin < 2; origin++)
		for (n = 1900; n < 4200; n++) {
			memset(path, '/', n);
			path[n] = '\0';
			o.device = path;
			o.origin = origin ? path : NULL;
			r = ccdm_open_params(&o, params, CCDM_OPEN_PARAMS, &err);
			if (r) {
				assert_int_equal(r, -EINVAL);
				continue;
			}
			good++;
			assert_string_equal(params + strlen(params) - 12, " allow_kdump");
		}
	assert_true(good >= 2000 && good <= 2300);
	free(params);
}

static void names(void **state)
{
	static const char *const wrong[] = { "", ".", "..", "a/b", "a b", "control" };
	struct ccdm_open o = { .device = "/dev/null" };
	struct ccdm_open_facts facts;
	struct ccdm_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		o.name = wrong[i];
		assert_int_equal(ccdm_open_look(&o, &facts, &err), -EINVAL);
		assert_non_null(strstr(err.text, "name of the mapping"));
	}
	o.name = "control2";
	assert_int_equal(ccdm_open_look(&o, &facts, &err), -ENOTBLK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option),
		cmocka_unit_test(long_paths),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
