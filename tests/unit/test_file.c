// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Files, devices that a program waits for, hashes, log records: the errors of small functions. */
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
#include "base/bytes.h"
#include "log/eventlog.h"
#include "base/file.h"
#include "disk/find.h"

static struct ccdm_err err;

static void put(char *file, const char *text)
{
	int fd = mkstemp(file);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A file of the maximum size is read; one more byte is an error. */
static void read_bounds(void **state)
{
	char file[] = "/tmp/ccdm-unit-XXXXXX", want[64], *text;
	size_t size;

	(void)state;
	put(file, "12345");
	assert_int_equal(ccdm_file_read(file, 5, &text, &size, &err), 0);
	assert_int_equal(size, 5);
	assert_string_equal(text, "12345");
	free(text);
	assert_int_equal(ccdm_file_read(file, 4, &text, &size, &err), -EFBIG);
	assert_null(text);
	snprintf(want, sizeof(want), "%s: File too large", file);
	assert_string_equal(err.text, want);
	unlink(file);
	assert_int_equal(ccdm_file_read(file, 5, &text, &size, &err), -ENOENT);
	assert_null(text);
	assert_int_equal(ccdm_file_read("/tmp", 5, &text, &size, &err), -EISDIR);
	assert_null(text);
}

/* A rename would replace a pipe or a device itself: it stays, also behind a link. */
static void irreplaceable(void **state)
{
	char dir[] = "/tmp/ccdm-unit-XXXXXX", pipe_[64], to_pipe[64], other[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(pipe_, sizeof(pipe_), "%s/pipe", dir);
	snprintf(to_pipe, sizeof(to_pipe), "%s/link", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(mkfifo(pipe_, 0600), 0);
	assert_int_equal(symlink("pipe", to_pipe), 0);
	assert_int_equal(ccdm_file_write(pipe_, "x", 1, 0600, &err), -EEXIST);
	assert_non_null(strstr(err.text, "/pipe: expected a regular file or none"));
	assert_int_equal(ccdm_file_write(to_pipe, "x", 1, 0600, &err), -EEXIST);
	assert_int_equal(ccdm_file_write(other, "x", 1, 0600, &err), 0);
	assert_int_equal(ccdm_file_rename(other, to_pipe), -EEXIST);
	assert_int_equal(lstat(pipe_, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(lstat(to_pipe, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	/* a link to nothing, and one to a file, are replaced */
	unlink(pipe_);
	assert_int_equal(ccdm_file_write(to_pipe, "y", 1, 0600, &err), 0);
	assert_int_equal(lstat(to_pipe, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	unlink(to_pipe);
	unlink(other);
	assert_int_equal(rmdir(dir), 0);
}

/* Other names and open descriptors of a wiped file find it empty. */
static void wipe(void **state)
{
	char dir[] = "/tmp/ccdm-unit-XXXXXX", file[64], link_[64], *text;
	int fd;
	size_t size;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/one", dir);
	snprintf(link_, sizeof(link_), "%s/two", dir);
	assert_int_equal(ccdm_file_wipe(file, &err), 0);
	assert_int_equal(ccdm_file_write(file, "secret", 6, 0400, &err), 0);
	assert_int_equal(link(file, link_), 0);
	fd = open(file, O_RDONLY);
	assert_int_equal(ccdm_file_wipe(file, &err), 0);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
	assert_int_equal(ccdm_file_read(link_, 10, &text, &size, &err), 0);
	assert_int_equal(size, 0);
	free(text);

	/* one that cannot be wiped does not keep the others */
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_equal(ccdm_file_write(link_, "secret", 6, 0400, &err), 0);
	memset(&err, 0, sizeof(err));
	assert_int_equal(ccdm_file_wipe_all(dir, &err), -EISDIR);
	assert_non_null(strstr(err.text, "/one: Is a directory"));
	assert_int_equal(access(link_, F_OK), -1);
	rmdir(file);
	assert_int_equal(ccdm_file_wipe_all(dir, &err), 0);
	rmdir(dir);
	assert_int_equal(ccdm_file_wipe_all(dir, &err), 0);
}

/* A word is written to an existing file; an error names the file. */
static void tell(void **state)
{
	char file[] = "/tmp/ccdm-unit-XXXXXX", *text;
	size_t size;

	(void)state;
	put(file, "0\n");
	assert_int_equal(ccdm_file_tell(file, "1", &err), 0);
	assert_int_equal(ccdm_file_read(file, 5, &text, &size, &err), 0);
	assert_string_equal(text, "1\n"); /* the rest of the file stays */
	free(text);
	unlink(file);
	assert_int_equal(ccdm_file_tell(file, "1", &err), -ENOENT);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(ccdm_file_tell("/dev/full", "1", &err), -ENOSPC);
	assert_string_equal(err.text, "/dev/full: No space left on device");
}

/*
 * A file is written completely or not at all: in the current folder, and where it cannot be
 * created.
 */
static void whole(void **state)
{
	char dir[] = "/tmp/ccdm-unit-XXXXXX", before[4096], path[600], *text;
	size_t size;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(ccdm_file_write("x", "1", 1, 0600, &err), 0);
	assert_int_equal(ccdm_file_write("x", "22", 2, 0600, &err), 0);
	assert_int_equal(ccdm_file_read("x", 5, &text, &size, &err), 0);
	assert_string_equal(text, "22");
	free(text);
	/* a temporary file from an earlier attempt is replaced */
	assert_int_equal(ccdm_file_write("x.tmp", "old", 3, 0644, &err), 0);
	assert_int_equal(ccdm_file_write("x", "22", 2, 0600, &err), 0);
	assert_int_equal(access("x.tmp", F_OK), -1);
	/* a folder has the name of the temporary file */
	assert_int_equal(mkdir("x.tmp", 0700), 0);
	assert_int_equal(ccdm_file_write("x", "333", 3, 0600, &err), -EISDIR);
	assert_string_equal(err.text, "x: Is a directory");
	assert_int_equal(ccdm_file_read("x", 5, &text, &size, &err), 0);
	assert_string_equal(text, "22");
	free(text);
	assert_int_equal(rmdir("x.tmp"), 0);
	assert_int_equal(unlink("x"), 0);
	/* only the owner may access a key file */
	assert_int_equal(ccdm_file_private("x.key", &err), -ENOENT);
	assert_int_equal(ccdm_file_private(".", &err), -EACCES);
	assert_int_equal(ccdm_file_write("x.key", "1", 1, 0640, &err), 0);
	assert_int_equal(ccdm_file_private("x.key", &err), -EACCES);
	assert_int_equal(ccdm_file_write("x.key", "1", 1, 0600, &err), 0);
	assert_int_equal(ccdm_file_private("x.key", &err), 0);
	assert_int_equal(unlink("x.key"), 0);
	/* with a path longer than most, next to an existing folder */
	memset(path, '/', sizeof(path) - 1);
	memcpy(path, ".", 1);
	path[511] = 'x';
	path[512] = '\0';
	assert_int_equal(ccdm_file_write(path, "1", 1, 0600, &err), 0);
	memcpy(path + 512, ".y", 3);
	assert_int_equal(ccdm_file_write(path, "1", 1, 0600, &err), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink("x"), 0);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* A log that cannot take its record is an error with its reason. */
static void full_log(void **state)
{
	struct ccdm_event e = { .index = 15, .text = "ccdm-ready:" };

	(void)state;
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, e.text, strlen(e.text), NULL, 0,
					&e.digests.digest[0]),
			 0);
	e.digests.count = 1;
	assert_int_equal(ccdm_eventlog_append("/dev/full", &e, &err), -ENOSPC);
	assert_string_equal(err.text, "/dev/full: No space left on device");
}

/* A bank that no verifier could replay is left out of the log, and has no hash. */
static void other_banks(void **state)
{
	enum { SM3 = 0x12 };
	char file[] = "/tmp/ccdm-unit-XXXXXX", *text;
	struct ccdm_event e = { .index = 15, .text = "ccdm-ready:" };
	struct ccdm_digest none;
	size_t size;

	(void)state;
	assert_int_equal(ccdm_digest_of(SM3, "a", 1, NULL, 0, &none), -ENOTSUP);
	assert_int_equal(ccdm_digest_size(SM3), 0);
	put(file, "");
	e.digests.count = 2;
	e.digests.digest[0] = (struct ccdm_digest){ .alg = SM3, .size = 32 };
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, e.text, strlen(e.text), NULL, 0,
					&e.digests.digest[1]),
			 0);
	assert_int_equal(ccdm_eventlog_append(file, &e, &err), 0);
	assert_int_equal(ccdm_file_read(file, 4096, &text, &size, &err), 0);
	assert_non_null(strstr(text, "\"digests\":[{\"hashAlg\":\"sha256\""));
	assert_null(strstr(text, "},{"));
	free(text);
	unlink(file);
}

/*
 * A device that does not appear is an error with its name and the time; an existing one returns at
 * once.
 */
static void waited(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(ccdm_find_device("/dev/ccdm-none", 0, path, sizeof(path), &err), -ENODEV);
	assert_string_equal(err.text, "found no device /dev/ccdm-none within 0 s");
	/* not a disk */
	assert_int_equal(ccdm_find_device("/dev/null", 0, path, sizeof(path), &err), -ENODEV);
	ccdm_find_node("/dev/null", 600);
}

static void unhex(void **state)
{
	static const char *const bad[] = { "",	   "0",	   "00f",   "00f",  "00fg",
					   "g0ff", " 0ff", "00ff0", "00 ff" };
	uint8_t bytes[2];
	size_t i;

	(void)state;
	assert_int_equal(ccdm_unhex("0aFf", bytes, 2), 0);
	assert_int_equal(bytes[0], 0x0a);
	assert_int_equal(bytes[1], 0xff);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ccdm_unhex(bad[i], bytes, 2), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),       cmocka_unit_test(read_bounds),
		cmocka_unit_test(tell),	       cmocka_unit_test(full_log),
		cmocka_unit_test(other_banks), cmocka_unit_test(waited),
		cmocka_unit_test(unhex),       cmocka_unit_test(irreplaceable),
		cmocka_unit_test(wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
