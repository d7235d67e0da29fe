// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Extended attributes arrive in a file system, or it is not made. */
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
#include "folder.h"
#include "image/ext4.h"
#include "image/ext4_xattrs.h"

/* user::rwx, user:1234:r-x, group::r-x, mask::r-x, other::--- */
static const char acl[] =
	"\2\0\0\0\1\0\7\0\377\377\377\377\2\0\5\0\322\4\0\0\4\0\5\0\377\377\377\377"
	"\20\0\5\0\377\377\377\377\40\0\0\0\377\377\377\377";
static struct ccdm_err err;

/* One file with an attribute, in a file system. */
static int made(const char *path, const char *name, const void *value, size_t size,
		const char *prefix, const char *file)
{
	char tar[64], image[64];
	struct ccdm_ext4 make = { .tar = tar, .date = 1000, .label = "test", .prefix = prefix };
	struct ccdm_digest digest;
	struct ccdm_rootfs *fs;
	uint64_t blocks;
	int fd, r;

	snprintf(tar, sizeof(tar), "%s/tar", dir);
	snprintf(image, sizeof(image), "%s/%s", dir, file);
	assert_int_equal(ccdm_rootfs_new(&fs, "/tmp", &err), 0);
	assert_int_equal(ccdm_rootfs_put(fs, path, 0750, 0, 0, "text", 4, &err), 0);
	assert_int_equal(
		ccdm_rootfs_xattr_set(ccdm_rootfs_find(fs, path)->inode, name, value, size), 0);
	assert_int_equal(ccdm_rootfs_xattr_set(fs->root->inode, "user.root", "r", 1), 0);
	assert_int_equal(ccdm_ext4_xattrs_count(fs), 2);
	fd = open(tar, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(
		ccdm_rootfs_tar(fs, prefix, 1000, fd, &digest, &make.bytes, &make.entries, &err),
		0);
	close(fd);
	memcpy(make.sha256, digest.bytes, 32);
	make.fs = fs;
	memset(&err, 0, sizeof(err));
	r = ccdm_ext4_make(&make, image, &blocks, &err);
	ccdm_rootfs_free(fs);
	snprintf(image, sizeof(image), "%s/%s.xattrs", dir, file);
	assert_int_not_equal(access(image, F_OK), 0);
	return r;
}

static void kept(void **state)
{
	char command[256], long_value[3000];

	(void)state;
	memset(long_value, 'x', sizeof(long_value));
	assert_int_equal(
		made("d/f", "system.posix_acl_access", acl, sizeof(acl) - 1, "rootfs", "a"), 0);
	assert_int_equal(
		made("d/f", "system.posix_acl_access", acl, sizeof(acl) - 1, "rootfs", "b"), 0);
	snprintf(command, sizeof(command), "cmp %s/a %s/b && e2fsck -fn %s/a >%s/log 2>&1", dir,
		 dir, dir, dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(made("a \"b\" $c\\ <9>", "user.a \"b\"", "\0\n\xff", 3, NULL, "c"), 0);
	assert_int_equal(made("f", "user.long", long_value, sizeof(long_value), NULL, "d"), 0);
}

static void refused(void **state)
{
	static char long_value[8000];

	(void)state;
	assert_int_equal(made("f", "user.long", long_value, sizeof(long_value), NULL, "e"), -EIO);
	assert_non_null(strstr(err.text, "/f: the extended attribute user.long of 8000 bytes"));
	assert_int_equal(made("a\nb", "user.x", "x", 1, NULL, "f"), -EINVAL);
	assert_non_null(strstr(err.text, "line break"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, folder_begin, folder_end);
}
