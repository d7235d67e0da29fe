// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * What "ccdm-image base" reads: stamps, packages of a root, dates of archives, lists of the recipe.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "image/base_fetch.h"
#include "image/base_packages.h"
#include "image/base_release.h"
#include "image/base_sources.h"
#include "image/remove_tree.h"

static char root[64];

static void put(const char *path, const char *text)
{
	char full[512], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int begin(void **state)
{
	(void)state;
	strcpy(root, "/tmp/ccdm-base-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void stamps(void **state)
{
	static const char *const bad[] = { "",
					   "20251201",
					   "20251201T000000",
					   "20251201T000000Z ",
					   " 20251201T00000Z",
					   "20251301T000000Z",
					   "20250230T000000Z",
					   "20251201T240000Z",
					   "19700101T000000Z",
					   "2025121T0000000Z" };
	int64_t date = 0;
	size_t i;

	(void)state;
	assert_return_code(ccdm_base_stamp("20251201T000001Z", &date), 0);
	assert_int_equal(date, 1764547201);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ccdm_base_stamp(bad[i], &date) != -EINVAL)
			fail_msg("%s: expected -EINVAL", bad[i]);
	assert_true(ccdm_base_suite("sid") && ccdm_base_suite("bookworm"));
	assert_false(ccdm_base_suite("stable") || ccdm_base_suite("") || ccdm_base_suite("trixi"));
}

static void packages(void **state)
{
	static const struct {
		const char *status, *says;
	} bad[] = {
		{ "Package: a\nStatus: install ok unpacked\nArchitecture: all\nVersion: 1\n",
		  "package a: expected it installed, found 'install ok unpacked'" },
		{ "Package: a\nStatus: install ok installed\nVersion: 1\n",
		  "expected Package, Version and Architecture of each package" },
		{ "Status: install ok installed\nArchitecture: all\nVersion: 1\n",
		  "expected Package, Version and Architecture of each package" },
		{ "Package: other\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n",
		  "other_1_all.deb: No such file" },
		{ "Package: a\nStatus: install ok installed\nArchitecture: amd64amd64amd64amd64\n",
		  "line 3 is too long" },
	};
	struct ccdm_lock lock = { 0 };
	struct ccdm_err err;
	size_t i;

	(void)state;
	put("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 2:1.0-1\n"
				   "Description: one\n Package: not this\nArchitecture: amd64\n\n"
				   "Package: b\nStatus: install ok installed\nArchitecture: all\n"
				   "Version:  3~x+y\n");
	put("var/cache/apt/archives/a_2%3a1.0-1_amd64.deb", "");
	put("var/cache/apt/archives/b_3~x+y_all.deb", "x");
	assert_return_code(ccdm_base_packages(root, &lock, &err), 0);
	assert_int_equal(lock.count, 2);
	assert_string_equal(lock.package[0].version, "2:1.0-1");
	assert_string_equal(lock.package[0].sha256,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(lock.package[1].name, "b");
	assert_string_equal(lock.package[1].version, "3~x+y");
	ccdm_lock_free(&lock);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int r;

		put("var/lib/dpkg/status", bad[i].status);
		r = ccdm_base_packages(root, &lock, &err);
		if (r >= 0 || !strstr(err.text, bad[i].says))
			fail_msg("expected %s, found %d, %s", bad[i].says, r, err.text);
		ccdm_lock_free(&lock);
	}
}

static void dates(void **state)
{
	struct ccdm_err err;
	int64_t date;

	(void)state;
	assert_int_equal(ccdm_base_date(root, &date, &err), -ENOENT);
	put("var/lib/apt/lists/x_Packages", "Date: Tue, 02 Dec 2025 00:00:00 UTC\n");
	assert_int_equal(ccdm_base_date(root, &date, &err), -EINVAL);
	put("var/lib/apt/lists/y_InRelease", "Date: today\n");
	assert_int_equal(ccdm_base_date(root, &date, &err), -EINVAL);
	put("var/lib/apt/lists/y_InRelease", "Origin: x\nDate: Mon, 01 Dec 2025 00:00:00 UTC\n");
	put("var/lib/apt/lists/a_Release", "Date: Sun, 30 Nov 2025 00:00:00 UTC\n");
	put("var/lib/apt/lists/a_Release.gpg", "Date: Wed, 03 Dec 2025 00:00:00 UTC\n");
	assert_return_code(ccdm_base_date(root, &date, &err), 0);
	assert_int_equal(date, 1764547200);
}

#define OLD	"Date: Mon, 01 Dec 2025 00:00:00 UTC\nValid-Until: Mon, 08 Dec 2025 00:00:00 UTC\n"
#define FROM	1764547200
#define UNTIL	(FROM + 7 * 86400)
#define BEGIN	"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n"
#define END	"\n-----BEGIN PGP SIGNATURE-----\n"
#define LATER	"Valid-Until: Fri, 01 Jan 2027 00:00:00 UTC\n"
#define EARLIER "Date: Sat, 01 Nov 2025 00:00:00 UTC\n"

static void times(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
		int r;
		const char *says;
	} cases[] = {
		{ OLD, FROM, 0, "" },
		{ OLD, UNTIL, 0, "" },
		{ OLD, FROM - 1, -EHOSTUNREACH,
		  "expected a list that was valid at 20251130T235959Z, found one of 20251201T000000Z" },
		{ OLD, UNTIL + 1, -EHOSTUNREACH,
		  "at 20251208T000001Z, found one that was valid until 20251208T000000Z" },
		{ "Date: Mon, 01 Dec 2025 00:00:00 UTC\n", UNTIL + 1, 0, "" },
		{ BEGIN "\n" OLD END "\nabc\n", FROM, 0, "" },
		/* lines that are not signed */
		{ BEGIN LATER EARLIER "\n" OLD END "\nabc\n", UNTIL + 1, -EHOSTUNREACH, "until" },
		{ BEGIN "\n" OLD END LATER "\nabc\n", UNTIL + 1, -EHOSTUNREACH, "until" },
		{ BEGIN EARLIER "\n" OLD END EARLIER, FROM - 1, -EHOSTUNREACH, "found one of" },
		{ BEGIN OLD END OLD, FROM, -EINVAL, "expected a line 'Date: ...', found none" },
		{ OLD LATER, UNTIL + 1, -EINVAL, "expected one line 'Valid-Until: Sat" },
		{ OLD EARLIER, FROM, -EINVAL, "expected one line 'Date: Sat" },
		{ LATER, FROM, -EINVAL, "expected a line 'Date: ...', found none" },
		{ "Date: Mon, 01 Dec 2025 00:00:00 CET\n", FROM, -EINVAL,
		  "expected one line 'Date" },
		{ "Date: Mon, 01 Dec 1969 00:00:00 UTC\n", FROM, -EINVAL,
		  "expected one line 'Date" },
	};
	struct ccdm_err err;
	size_t i;

	(void)state;
	put("var/lib/apt/lists/valid_InRelease", "Date: Thu, 01 Jan 2015 00:00:00 UTC\n");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r;

		memset(&err, 0, sizeof(err));
		put("var/lib/apt/lists/x_InRelease", cases[i].text);
		r = ccdm_base_of_time(root, cases[i].time, &err);
		if (r != cases[i].r || !strstr(err.text, cases[i].says))
			fail_msg("case %zu: expected %d %s, found %d %s", i, cases[i].r,
				 cases[i].says, r, err.text);
	}
}

static void lists(void **state)
{
	char path[PATH_MAX], *all = NULL;
	struct ccdm_err err;

	(void)state;
	assert_int_equal(ccdm_base_sources_find(root, path, &err), -ENOENT);
	assert_non_null(strstr(err.hint, "--source"));
	put("userspace/image/base/packages", "# a comment\na b\t c # more\n\nd\n");
	assert_return_code(ccdm_base_sources_find(root, path, &err), 0);
	assert_string_equal(path, root);
	assert_return_code(ccdm_base_sources_words(path, "packages", &all, &err), 0);
	assert_string_equal(all, "a b c d");
	put("scripts/need", "echo gcc; echo make # not this\n");
	assert_return_code(ccdm_base_sources_needs(path, &all, &err), 0);
	assert_string_equal(all, "a b c d gcc make");
	free(all);
	put("scripts/mirror", "echo http://127.0.0.1/debian\n");
	assert_return_code(ccdm_base_sources_mirror(path, &all, &err), 0);
	assert_string_equal(all, "http://127.0.0.1/debian");
	free(all);
	put("scripts/mirror", "exit 1\n");
	assert_int_equal(ccdm_base_sources_mirror(path, &all, &err), -ENOENT);
	assert_non_null(strstr(err.text, "names no mirror"));
	/* without the sources beside the program: the unit tests are in their tree, two folders up */
	assert_return_code(ccdm_base_sources_find(NULL, path, &err), 0);
}

static void hashes(void **state)
{
	struct ccdm_err err;
	char hex[65], again[65], folder[128], link_[256];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/s", root);
	assert_int_equal(ccdm_base_sources_digest(folder, hex, &err), -ENOENT);
	assert_return_code(mkdir(folder, 0755), 0);
	assert_int_equal(ccdm_base_sources_digest(folder, hex, &err), -EINVAL);
	put("s/a/b", "x");
	put("s/a-b", "y");
	/* printf 'x' >a/b; printf 'y' >a-b; find . -type f -print0 | LC_ALL=C sort -z | ... */
	assert_return_code(ccdm_base_sources_digest(folder, hex, &err), 0);
	assert_string_equal(hex,
			    "edf82507df2ac07f447f9586d8547864b60573d0980c01896a9667e7e4732676");
	put("s/a-b", "z");
	assert_return_code(ccdm_base_sources_digest(folder, again, &err), 0);
	assert_string_not_equal(hex, again);
	snprintf(link_, sizeof(link_), "%s/link", folder);
	assert_return_code(symlink("a-b", link_), 0);
	assert_int_equal(ccdm_base_sources_digest(folder, hex, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/s/link: expected a regular file"));
}

/* Exchange a folder and a link to a folder that is to be kept, until the end. */
static pid_t exchange(const char *folder, const char *link)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	while (true)
		renameat2(AT_FDCWD, folder, AT_FDCWD, link, RENAME_EXCHANGE);
}

static void removed(void **state)
{
	char top[80], folder[256], link_[256], kept[80], name[64];
	unsigned int i, k;
	struct stat st;

	(void)state;
	snprintf(top, sizeof(top), "%s/top", root);
	snprintf(folder, sizeof(folder), "%s/f", top);
	snprintf(link_, sizeof(link_), "%s/l", top);
	snprintf(kept, sizeof(kept), "%s/kept", root);
	for (k = 0; k < 50; k++) {
		snprintf(name, sizeof(name), "kept/%u", k);
		put(name, "kept");
	}
	for (i = 0; i < 20; i++) {
		pid_t pid;

		for (k = 0; k < 50; k++) {
			snprintf(name, sizeof(name), "top/f/%u", k);
			put(name, "");
		}
		put("top/f/a/b/c/d", "");
		assert_return_code(symlink(kept, link_), 0);
		pid = exchange(folder, link_);
		ccdm_remove_tree(top);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		/* The exchange may have left an entry where the walk had already looked. */
		ccdm_remove_tree(top);
		assert_int_equal(lstat(top, &st), -1);
	}
	for (k = 0; k < 50; k++) {
		snprintf(folder, sizeof(folder), "%s/%u", kept, k);
		if (lstat(folder, &st))
			fail_msg("%s was removed", folder);
	}
	/* a link is not followed, and what is not there is no error */
	snprintf(link_, sizeof(link_), "%s/link", root);
	assert_return_code(symlink(kept, link_), 0);
	ccdm_remove_tree(link_);
	assert_return_code(lstat(kept, &st), 0);
	ccdm_remove_tree(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps),
		cmocka_unit_test_setup_teardown(packages, begin, end),
		cmocka_unit_test_setup_teardown(dates, begin, end),
		cmocka_unit_test_setup_teardown(times, begin, end),
		cmocka_unit_test_setup_teardown(lists, begin, end),
		cmocka_unit_test_setup_teardown(hashes, begin, end),
		cmocka_unit_test_setup_teardown(removed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
