// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Firmware for QEMU and the file of its variables; folders that go with a run. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "image/firmware.h"
#include "image/scratch_dir.h"

static struct ccdm_err err;
static char dir[CCDM_SCRATCH_DIR];

static const char *in(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void make(const char *name)
{
	int fd = open(in(name), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void variables(void **state)
{
	static const struct {
		const char *code, *vars;
	} cases[] = {
		{ "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd" },
		{ "ovmf-code.bin", "ovmf-vars.bin" },
		/* the same variables for both kinds of firmware, or its own */
		{ "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd" },
		{ "EDK_CODE.secboot.fd", "EDK_VARS.secboot.fd" },
		/* it has its variables in it */
		{ "OVMF.fd", "" },
	};
	struct ccdm_firmware f;
	char expected[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		make(cases[i].code);
		if (cases[i].vars[0])
			make(cases[i].vars);
	}
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(ccdm_firmware_find(in(cases[i].code), &f, &err), 0);
		assert_string_equal(f.code, in(cases[i].code));
		snprintf(expected, sizeof(expected), "%s",
			 cases[i].vars[0] ? in(cases[i].vars) : "");
		assert_string_equal(f.vars, expected);
	}
	make("lone_CODE.fd");
	assert_int_equal(ccdm_firmware_find(in("lone_CODE.fd"), &f, &err), -ENOENT);
	assert_non_null(strstr(err.text, "lone_VARS.fd: No such file"));
	assert_int_equal(ccdm_firmware_find(in("nosuch.fd"), &f, &err), -ENOENT);
	assert_non_null(strstr(err.text, "nosuch.fd: No such file"));
}

static void scratch(void **state)
{
	char path[CCDM_SCRATCH_DIR], file[128], again[CCDM_SCRATCH_DIR];
	struct stat st;

	(void)state;
	setenv("TMPDIR", dir, 1);
	assert_int_equal(ccdm_scratch_dir_make(path, &err), 0);
	assert_int_equal(ccdm_scratch_dir_make(again, &err), 0);
	assert_string_not_equal(path, again);
	assert_memory_equal(path, dir, strlen(dir));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* with everything in it, but not what a link leads to */
	make("stays");
	snprintf(file, sizeof(file), "%s/a", path);
	assert_int_equal(mkdir(file, 0700), 0);
	snprintf(file, sizeof(file), "%s/a/link", path);
	assert_int_equal(symlink(in("stays"), file), 0);
	ccdm_scratch_dir_remove(path);
	ccdm_scratch_dir_remove(again);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(in("stays"), F_OK), 0);
	ccdm_scratch_dir_remove("");
	setenv("TMPDIR", "/nosuch", 1);
	assert_int_equal(ccdm_scratch_dir_make(path, &err), -ENOENT);
	assert_string_equal(path, "");
	setenv("TMPDIR", "/a/path/that/is/longer/than/a/socket/in/it/could/have/one", 1);
	assert_int_equal(ccdm_scratch_dir_make(path, &err), -EINVAL);
	/* a relative path is none */
	setenv("TMPDIR", "here", 1);
	assert_int_equal(ccdm_scratch_dir_make(path, &err), 0);
	assert_memory_equal(path, "/var/tmp/", 9);
	ccdm_scratch_dir_remove(path);
}

static int begin(void **state)
{
	(void)state;
	return ccdm_scratch_dir_make(dir, &err);
}

static int end(void **state)
{
	(void)state;
	ccdm_scratch_dir_remove(dir);
	return access(dir, F_OK) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables),
		cmocka_unit_test(scratch),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
