// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * The lock file of a base: what a valid one says, each line that is refused, each difference.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "image/lock.h"
#include "seed.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

#define HEAD "suite trixie\ndate 1764547200\n"
#define SH   "package dash 0.5.12-12 amd64 " A "\n"
#define LIBC "package libc6 1:2.41-12+deb13u5~x amd64 " B "\n"
#define DOC  "package adduser 3.152 all " C "\n"

static int parse(const char *text, struct ccdm_lock *lock, struct ccdm_err *err)
{
	memset(err, 0, sizeof(*err));
	return ccdm_lock_parse("base.lock", text, strlen(text), lock, err);
}

/* A lock that is valid. */
static void take(const char *text, struct ccdm_lock *lock)
{
	struct ccdm_err err;

	seed("lock", text, strlen(text));
	assert_return_code(parse(text, lock, &err), 0);
	assert_string_equal(err.text, "");
}

static void valid(void **state)
{
	static const char unsorted[] = "# a comment\n\n" HEAD LIBC SH "\t" DOC;
	struct ccdm_lock lock, again;
	json_t *json;
	char *text;

	(void)state;
	take(unsorted, &lock);
	assert_string_equal(lock.suite, "trixie");
	assert_int_equal(lock.date, 1764547200);
	assert_int_equal(lock.count, 3);
	assert_string_equal(lock.package[0].name, "adduser");
	assert_string_equal(lock.package[0].arch, "all");
	assert_string_equal(lock.package[1].name, "dash");
	assert_string_equal(lock.package[2].version, "1:2.41-12+deb13u5~x");
	assert_string_equal(lock.package[2].sha256, B);
	/* what it writes is sorted, and read as the same */
	text = ccdm_lock_text(&lock);
	assert_non_null(strstr(text, HEAD DOC SH LIBC));
	take(text, &again);
	assert_int_equal(again.count, 3);
	assert_memory_equal(again.package, lock.package, 3 * sizeof(*lock.package));
	free(text);
	json = ccdm_lock_json(&lock);
	assert_int_equal(json_array_size(json), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 2), "version")),
			    "1:2.41-12+deb13u5~x");
	json_decref(json);
	ccdm_lock_free(&again);
	ccdm_lock_free(&lock);
	assert_int_equal(lock.count, 0);
	/* one package of two architectures */
	take(HEAD SH "package dash 0.5.12-12 all " B "\n", &lock);
	assert_int_equal(lock.count, 2);
	ccdm_lock_free(&lock);
	/* digits in capitals */
	take(HEAD
	     "package dash 1 all AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	     &lock);
	assert_string_equal(lock.package[0].sha256, A);
	ccdm_lock_free(&lock);
}

static void refused(void **state)
{
	static const struct {
		const char *text, *says;
	} all[] = {
		{ "", "base.lock: expected a line 'suite NAME'" },
		{ "date 1\n" SH, "base.lock: expected a line 'suite NAME'" },
		{ "suite trixie\n" SH, "base.lock: expected a line 'date SECONDS'" },
		{ HEAD, "base.lock: expected lines 'package ...'" },
		{ HEAD "word\n" SH, "base.lock: line 3: expected one line 'suite NAME'" },
		{ HEAD "suite\n" SH, "line 3: expected one line" },
		{ HEAD "suite sid\n" SH, "line 3: expected one line" },
		{ HEAD "date 1764547200\n" SH, "line 3: expected one line" },
		{ "suite trixie sid\ndate 1\n" SH, "line 1: expected one line" },
		{ "suite tri_xie\ndate 1\n" SH, "line 1: expected the name of a suite" },
		{ "suite " A "\ndate 1\n" SH, "line 1: expected the name of a suite" },
		{ "suite trixie\ndate 1x\n" SH, "line 2: expected seconds since 1970, found '1x'" },
		{ "suite trixie\ndate 0\n" SH, "line 2: expected seconds" },
		{ "suite trixie\ndate -1\n" SH, "line 2: expected seconds" },
		{ "suite trixie\ndate 4294967296\n" SH, "line 2: expected seconds" },
		{ "suite trixie\ndate 99999999999999999999\n" SH, "line 2: expected seconds" },
		{ HEAD "package dash 0.5.12-12 amd64\n", "line 3: expected one line" },
		{ HEAD "package dash 0.5.12-12 amd64 " A " more\n", "line 3: expected one line" },
		{ HEAD "package Dash 1 amd64 " A "\n",
		  "line 3: expected the name of a package, found 'Dash'" },
		{ HEAD "package ../dash 1 amd64 " A "\n",
		  "line 3: expected the name of a package" },
		{ HEAD "package " A A " 1 amd64 " A "\n",
		  "line 3: expected the name of a package" },
		{ HEAD "package dash 1/2 amd64 " A "\n",
		  "line 3: expected a version, found '1/2'" },
		{ HEAD "package dash " A A " amd64 " A "\n", "line 3: expected a version" },
		{ HEAD "package dash 1 AMD64 " A "\n",
		  "line 3: expected an architecture, found 'AMD64'" },
		{ HEAD "package dash 1 amd64amd64amd64 " A "\n", "" },
		{ HEAD "package dash 1 amd64amd64amd64amd64 " A "\n",
		  "line 3: expected an architecture" },
		{ HEAD "package dash 1 amd64 aa\n",
		  "line 3: expected a SHA-256 of 64 hex digits, found 'aa'" },
		{ HEAD "package dash 1 amd64 " A "a\n", "line 3: expected a SHA-256" },
		{ HEAD "package dash 1 amd64 g" A "\n", "line 3: expected a SHA-256" },
		{ HEAD SH DOC SH, "base.lock: package dash: expected one line, found two" },
		{ HEAD SH DOC "package dash 0.5.12-13 amd64 " A "\n",
		  "base.lock: package dash: expected one line, found two" },
	};
	struct ccdm_lock lock;
	struct ccdm_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int r = parse(all[i].text, &lock, &err);

		seed("lock", all[i].text, strlen(all[i].text));
		if (r != (all[i].says[0] ? -EINVAL : 0) || !strstr(err.text, all[i].says))
			fail_msg("%s: found %d, %s", all[i].text, r, err.text);
		ccdm_lock_free(&lock);
	}
	/* not a text, and too much of one */
	assert_int_equal(ccdm_lock_parse("base.lock", "a\0b", 3, &lock, &err), -EINVAL);
	assert_string_equal(err.text, "base.lock: expected a text of at most 4194304 bytes");
	ccdm_lock_free(&lock);
	assert_int_equal(ccdm_lock_parse("base.lock", "", CCDM_LOCK_MAX + 1, &lock, &err), -EINVAL);
	ccdm_lock_free(&lock);
}

/* What two roots have. */
static void merged(void **state)
{
	struct ccdm_package dash = { "dash", "1", "amd64", A },
			    other = { "adduser", "2", "all", B };
	struct ccdm_lock lock = { .suite = "sid" };
	struct ccdm_err err = { 0 };

	(void)state;
	assert_return_code(ccdm_lock_sort(&lock, &err), 0);
	assert_return_code(ccdm_lock_add(&lock, &dash, &err), 0);
	assert_return_code(ccdm_lock_add(&lock, &other, &err), 0);
	assert_return_code(ccdm_lock_add(&lock, &dash, &err), 0);
	assert_return_code(ccdm_lock_sort(&lock, &err), 0);
	assert_int_equal(lock.count, 2);
	assert_string_equal(lock.package[0].name, "adduser");
	memcpy(dash.sha256, C, sizeof(C));
	assert_return_code(ccdm_lock_add(&lock, &dash, &err), 0);
	assert_int_equal(ccdm_lock_sort(&lock, &err), -EINVAL);
	assert_non_null(strstr(err.text, "package dash 1: expected one SHA-256, found "));
	strcpy(lock.package[1].version, "3");
	assert_int_equal(ccdm_lock_sort(&lock, &err), -EINVAL);
	assert_non_null(strstr(err.text, "package dash: expected one version, found "));
	ccdm_lock_free(&lock);
}

static void many(void **state)
{
	struct ccdm_package package = { .version = "1", .arch = "all", .sha256 = A };
	struct ccdm_lock lock = { .suite = "sid" };
	struct ccdm_err err = { 0 };
	int i;

	(void)state;
	for (i = 0; i < CCDM_LOCK_PACKAGES; i++) {
		snprintf(package.name, sizeof(package.name), "p%d", i);
		assert_return_code(ccdm_lock_add(&lock, &package, &err), 0);
	}
	assert_int_equal(ccdm_lock_add(&lock, &package, &err), -EFBIG);
	assert_string_equal(err.text, "expected at most 20000 packages");
	ccdm_lock_free(&lock);
}

static void differences(void **state)
{
	static const struct {
		const char *found, *says;
	} all[] = {
		{ HEAD SH DOC, "" },
		{ "suite sid\ndate 7\n" DOC SH, "" }, /* only packages are compared */
		{ HEAD SH, "base.lock: package adduser: expected 3.152, found none" },
		{ HEAD DOC, "base.lock: package dash: expected 0.5.12-12, found none" },
		{ HEAD SH DOC LIBC,
		  "base.lock: package libc6: expected none, found 1:2.41-12+deb13u5~x" },
		{ HEAD SH DOC "package aa 2 all " A "\n",
		  "base.lock: package aa: expected none, found 2" },
		{ HEAD DOC "package dash 0.5.12-13 amd64 " A "\n",
		  "base.lock: package dash: expected 0.5.12-12, found 0.5.12-13" },
		{ HEAD DOC "package dash 0.5.12-12 amd64 " B "\n",
		  "base.lock: package dash 0.5.12-12: expected SHA-256 " A ", found " B },
		{ HEAD DOC "package dash 0.5.12-12 all " A "\n",
		  "base.lock: package dash: expected none, found 0.5.12-12" },
	};
	struct ccdm_lock lock, found;
	struct ccdm_err err;
	size_t i;

	(void)state;
	take(HEAD SH DOC, &lock);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int r;

		take(all[i].found, &found);
		memset(&err, 0, sizeof(err));
		r = ccdm_lock_compare("base.lock", &lock, &found, &err);
		if (r != (all[i].says[0] ? -ECANCELED : 0) || strcmp(err.text, all[i].says))
			fail_msg("%s: found %d, %s", all[i].found, r, err.text);
		assert_int_equal(!!strstr(err.hint, "--update-lock"), !!r);
		ccdm_lock_free(&found);
	}
	ccdm_lock_free(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid), cmocka_unit_test(refused),	cmocka_unit_test(merged),
		cmocka_unit_test(many),	 cmocka_unit_test(differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
