// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Verdicts: when one accepts, and how control characters in its texts are replaced. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include "base/verdict.h"

/* Texts of a check may come from a file: control characters and bad UTF-8 become '?'. */
static void control_characters(void **state)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	json_t *o;

	(void)state;
	assert_non_null(v);
	ccdm_verdict_add(v, "firmware", false, 0, "a\x1b[2J\xe2\x80\x93 \xc3", "%s",
			 "b\x1b\xc3\xa9");
	assert_string_equal(v->check[0].expected, "a?[2J??? ?");
	assert_string_equal(v->check[0].found, "b???");
	o = ccdm_verdict_json(v);
	assert_int_equal(json_array_size(json_object_get(o, "checks")), 1);
	json_decref(o);
	free(v);
}

/* No checks, an incomplete verdict, or more checks than fit: not accepted. */
static void accepts_only_if_complete(void **state)
{
	struct ccdm_verdict v = { 0 };
	unsigned int i;

	(void)state;
	assert_false(ccdm_verdict_accepted(&v));
	v.complete = true;
	assert_false(ccdm_verdict_accepted(&v));
	for (i = 0; i < CCDM_CHECKS_MAX; i++)
		assert_true(ccdm_verdict_add(&v, "x", true, 0, "a", "b%u", i));
	assert_true(ccdm_verdict_accepted(&v));
	assert_false(ccdm_verdict_add(&v, "x", true, 0, "a", "b"));
	assert_false(ccdm_verdict_accepted(&v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters),
		cmocka_unit_test(accepts_only_if_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
