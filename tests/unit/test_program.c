// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Other programs: where they are looked for, what they get, what is said when they fail.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/interrupt.h"
#include "image/program.h"

static struct ccdm_err err;

/* A shell script, which is a program like any other. */
static int run(const char *script, char **output)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	const char *const env[] = { "MORE=x", NULL };

	memset(&err, 0, sizeof(err));
	return ccdm_program_run(argv, env, -1, output, &err);
}

static void outputs(void **state)
{
	char *text;

	(void)state;
	setenv("SECRET_OF_THE_CALLER", "x", 1);
	assert_int_equal(
		run("echo \"$LC_ALL $TZ $HOME $MORE$SECRET_OF_THE_CALLER\"; umask; cat", &text), 0);
	assert_string_equal(text, "C UTC /nonexistent x\n0022\n");
	free(text);
	assert_int_equal(run("true", &text), 0);
	assert_string_equal(text, "");
	free(text);
	/* more than a pipe holds, on both */
	assert_int_equal(
		run("head -c 200000 /dev/zero | tr '\\0' a; head -c 200000 /dev/zero >&2", &text),
		0);
	assert_int_equal(strlen(text), 200000);
	free(text);
}

static void failures(void **state)
{
	const char *const none[] = { "/none", NULL };
	char *text;

	(void)state;
	assert_int_equal(run("echo first; echo 'what is wrong' >&2; exit 3", NULL), -EIO);
	assert_string_equal(err.text, "sh ended with exit status 3: first what is wrong");
	assert_int_equal(run("echo said; echo 'x: No space left on device' >&2; exit 1", &text),
			 -ENOSPC);
	assert_null(text);
	assert_int_equal(run("echo 'Permission denied' >&2; exit 1", NULL), -EACCES);
	assert_int_equal(run("kill -9 $$", NULL), -EIO);
	assert_non_null(strstr(err.text, "was ended by signal 9"));
	assert_int_equal(ccdm_program_run(none, NULL, -1, NULL, &err), -EIO);
	assert_non_null(strstr(err.text, "No such file"));
	/* only the last lines are kept */
	assert_int_equal(run("seq 100000 >&2; echo last >&2; exit 1", NULL), -EIO);
	assert_non_null(strstr(err.text, " 100000 last"));
	assert_true(strlen(err.text) < sizeof(err.text) - 1);
}

static void messages(void **state)
{
	const char *const fails[] = { "/bin/sh", "-c", "seq 2000; exit 1", NULL };
	const char *const works[] = { "/bin/sh", "-c", "echo x", NULL };
	char text[CCDM_PROGRAM_MESSAGES + 1];

	(void)state;
	/* more than a message has room for, in lines */
	assert_int_equal(ccdm_program_run_messages(fails, NULL, text, &err), -EIO);
	assert_int_equal(strlen(text), CCDM_PROGRAM_MESSAGES);
	assert_non_null(strstr(text, "\n1500\n"));
	assert_string_equal(text + strlen(text) - 10, "1999\n2000\n");
	assert_non_null(strstr(err.text, " 1999 2000"));
	assert_int_equal(ccdm_program_run_messages(works, NULL, text, &err), 0);
	assert_string_equal(text, "");
}

static void put(const char *folder, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(ccdm_file_write(path, text, strlen(text), 0755, &err), 0);
}

static void finds(void **state)
{
	char folder[] = "/tmp/ccdm-program-XXXXXX", bin[64], sbin[64], path[128];
	struct ccdm_program_found found;
	char *kept = strdup(getenv("PATH"));

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(bin, sizeof(bin), "%s/bin", folder);
	snprintf(sbin, sizeof(sbin), "%s/sbin", folder);
	assert_int_equal(mkdir(bin, 0755), 0);
	assert_int_equal(mkdir(sbin, 0755), 0);
	setenv("PATH", bin, 1);
	assert_int_equal(ccdm_program_find("mke2fs", &found, &err), -ENOENT);
	assert_string_equal(err.text,
			    "mke2fs: no such program in PATH; it is needed from version 1.47.1");
	assert_non_null(strstr(err.hint, "e2fsprogs"));
	/* bin stands for sbin, too */
	put(sbin, "mke2fs", "#!/bin/sh\necho 'mke2fs 1.47.0 (5-Feb-2023)' >&2\n");
	assert_int_equal(ccdm_program_find("mke2fs", &found, &err), -ENOENT);
	assert_non_null(strstr(err.text, "expected version 1.47.1 or later, found 1.47.0"));
	put(sbin, "mke2fs", "#!/bin/sh\necho 'mke2fs 1.48 (5-Feb-2029)' >&2\n");
	memset(&err, 0, sizeof(err));
	assert_int_equal(ccdm_program_find("mke2fs", &found, &err), 0);
	assert_string_equal(found.version, "1.48");
	snprintf(path, sizeof(path), "%s/mke2fs", sbin);
	assert_string_equal(found.path, path);
	assert_string_equal(err.hint, "");
	/* one that is in no list */
	put(bin, "other", "#!/bin/sh\n");
	assert_int_equal(ccdm_program_find("other", &found, &err), 0);
	assert_string_equal(found.version, "");
	unlink(path);
	snprintf(path, sizeof(path), "%s/other", bin);
	unlink(path);
	rmdir(bin);
	rmdir(sbin);
	rmdir(folder);
	setenv("PATH", kept, 1);
	free(kept);
}

/* A signal ends the program and its children. (The last test: the state stays.) */
static void interrupted(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(ccdm_interrupt_watch(), 0);
	assert_int_equal(ccdm_interrupt_check(&err), 0);
	assert_int_equal(run("kill -TERM $PPID; sleep 1000 & wait", &text), -EINTR);
	assert_string_equal(err.text, "interrupted");
	assert_true(ccdm_interrupted());
	assert_int_equal(run("true", NULL), -EINTR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs),     cmocka_unit_test(failures),
		cmocka_unit_test(messages),    cmocka_unit_test(finds),
		cmocka_unit_test(interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
