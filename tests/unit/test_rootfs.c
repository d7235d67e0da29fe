// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* A tree resolves paths inside itself, and its archive is the same bytes for the same content. */
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
#include "folder.h"
#include "image/rootfs.h"

static struct ccdm_err err;

static struct ccdm_rootfs *tree(void)
{
	struct ccdm_rootfs *fs;

	assert_int_equal(ccdm_rootfs_new(&fs, "/tmp", &err), 0);
	return fs;
}

static int put(struct ccdm_rootfs *fs, const char *path, uint32_t mode, const char *text)
{
	return ccdm_rootfs_put(fs, path, mode, 1, 2, text, text ? strlen(text) : 0, &err);
}

static void is(const struct ccdm_rootfs *fs, const char *path, const char *real, const char *text)
{
	const struct ccdm_rootfs_node *node = ccdm_rootfs_find(fs, path);
	char found[CCDM_ROOTFS_PATH + 1], *content;
	size_t size;

	assert_non_null(node);
	ccdm_rootfs_path(node, found);
	assert_string_equal(found, real);
	if (!text)
		return;
	assert_int_equal(ccdm_rootfs_read(fs, node, strlen(text), &content, &size, &err), 0);
	assert_int_equal(size, strlen(text));
	assert_string_equal(content, text);
	free(content);
}

static void files(void **state)
{
	struct ccdm_rootfs *fs = tree();
	char *text;
	size_t size;

	(void)state;
	assert_int_equal(put(fs, "/etc//./passwd", 0640, "root"), 0);
	is(fs, "etc/passwd", "etc/passwd", "root");
	is(fs, "/", "", NULL);
	is(fs, "etc/../../etc", "etc", NULL);
	assert_int_equal(ccdm_rootfs_find(fs, "etc/passwd")->inode->mode, S_IFREG | 0640);
	assert_int_equal(ccdm_rootfs_find(fs, "etc")->inode->mode, S_IFDIR | 0755);
	assert_null(ccdm_rootfs_find(fs, "etc/shadow"));
	assert_null(ccdm_rootfs_find(fs, "etc/passwd/x"));
	assert_int_equal(fs->entries, 2);
	/* too long, a folder */
	assert_int_equal(
		ccdm_rootfs_read(fs, ccdm_rootfs_find(fs, "etc/passwd"), 3, &text, &size, &err),
		-EFBIG);
	assert_int_equal(ccdm_rootfs_read(fs, fs->root, 3, &text, &size, &err), -EINVAL);
	/* replaced by itself, by an empty one, by a folder; a folder only by a folder */
	assert_int_equal(put(fs, "etc/passwd", 0600, "r"), 0);
	is(fs, "etc/passwd", "etc/passwd", "r");
	assert_int_equal(put(fs, "etc/passwd", 0600, NULL), 0);
	is(fs, "etc/passwd", "etc/passwd", "");
	assert_int_equal(put(fs, "etc/passwd", S_IFDIR | 0700, NULL), 0);
	assert_int_equal(put(fs, "etc/passwd/x", 0600, "x"), 0);
	assert_int_equal(put(fs, "etc/passwd", S_IFDIR | 0711, NULL), 0);
	is(fs, "etc/passwd/x", "etc/passwd/x", "x");
	assert_int_equal(put(fs, "etc", 0600, "x"), -EISDIR);
	assert_int_equal(put(fs, "/", 0600, "x"), -EISDIR);
	assert_int_equal(put(fs, "/", S_IFDIR | 0700, NULL), 0);
	assert_int_equal(fs->root->inode->mode, S_IFDIR | 0700);
	ccdm_rootfs_remove(fs, ccdm_rootfs_find(fs, "etc"));
	assert_int_equal(fs->entries, 0);
	ccdm_rootfs_free(fs);
	ccdm_rootfs_free(NULL);
}

static void links(void **state)
{
	struct ccdm_rootfs *fs = tree();
	char name[32], target[32];
	int i;

	(void)state;
	assert_int_equal(put(fs, "run/a", 0600, "a"), 0);
	assert_int_equal(put(fs, "var/run", S_IFLNK, "/run"), 0);
	assert_int_equal(put(fs, "var/up", S_IFLNK, "../../../run/"), 0);
	is(fs, "var/run/a", "run/a", "a");
	is(fs, "var/up/a", "run/a", "a");
	assert_int_equal(put(fs, "var/run/b", 0600, "b"), 0);
	is(fs, "run/b", "run/b", "b");
	/* the folder that a link on the way names is made, inside */
	assert_int_equal(put(fs, "out", S_IFLNK, "../../outside/x"), 0);
	assert_int_equal(put(fs, "out/c", 0600, "c"), 0);
	is(fs, "outside/x/c", "outside/x/c", "c");
	/* a link at the end is replaced, not followed */
	assert_int_equal(put(fs, "var/up", 0600, "file"), 0);
	is(fs, "var/up", "var/up", "file");
	/* 40 links are followed, 41 are not */
	for (i = 0; i < 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i + 1);
		assert_int_equal(put(fs, name, S_IFLNK, i == 40 ? "run" : target), 0);
	}
	is(fs, "l1", "run", NULL);
	assert_null(ccdm_rootfs_find(fs, "l0"));
	assert_int_equal(put(fs, "l0/x", 0600, "x"), -ELOOP);
	assert_int_equal(put(fs, "l1/x", 0600, "x"), 0);
	/* a loop */
	assert_int_equal(put(fs, "loop", S_IFLNK, "loop"), 0);
	assert_null(ccdm_rootfs_find(fs, "loop"));
	assert_int_equal(put(fs, "run/a/x", 0600, "x"), -ENOTDIR);
	assert_int_equal(put(fs, "x", S_IFLNK, ""), -EINVAL);
	ccdm_rootfs_free(fs);
}

/*
 * Names behind a chain of long links: each name follows all of them, so what is followed in all has
 * a limit. The count is exact, and only links are counted.
 */
static void chains(void **state)
{
	char target[CCDM_ROOTFS_PATH + 1], name[32];
	struct ccdm_rootfs *fs = tree();
	uint32_t one = 0;
	int i;

	(void)state;
	assert_int_equal(put(fs, "d/e", S_IFDIR | 0755, NULL), 0);
	for (i = 0; i < 39; i++) {
		for (*target = '\0'; strlen(target) < CCDM_ROOTFS_PATH - 16;)
			strcat(target, "d/../");
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target + strlen(target), 8, i == 38 ? "d/e" : "l%d", i + 1);
		assert_int_equal(put(fs, name, S_IFLNK, target), 0);
		one += (uint32_t)strlen(target);
	}
	assert_int_equal(fs->followed, 0);
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "d/e/f%d", i);
		assert_int_equal(put(fs, name, 0600, "x"), 0);
	}
	assert_int_equal(fs->followed, 0);
	for (i = 1; i <= 3; i++) {
		snprintf(name, sizeof(name), "l0/x%d", i);
		assert_int_equal(put(fs, name, 0600, "x"), 0);
		assert_int_equal(fs->followed, i * one);
	}
	/* 842 such names of 39 links, then none; others may still come */
	assert_int_equal(CCDM_ROOTFS_FOLLOWED / one, 842);
	fs->followed = CCDM_ROOTFS_FOLLOWED - one;
	assert_int_equal(put(fs, "l0/y", 0600, "y"), 0);
	assert_int_equal(fs->followed, CCDM_ROOTFS_FOLLOWED);
	assert_int_equal(put(fs, "l0/z", 0600, "z"), -ELOOP);
	assert_non_null(strstr(err.text, "expected symbolic links of at most 128 MiB"));
	assert_null(ccdm_rootfs_find(fs, "l0/y"));
	assert_int_equal(put(fs, "d/e/z", 0600, "z"), 0);
	is(fs, "d/e/y", "d/e/y", "y");
	ccdm_rootfs_free(fs);
}

static void refused(void **state)
{
	struct ccdm_rootfs *fs = tree();
	char path[CCDM_ROOTFS_PATH + 2];

	(void)state;
	assert_int_equal(put(fs, "a/../b", 0600, "x"), -EINVAL);
	memset(path, 'a', sizeof(path));
	path[255] = '\0';
	assert_int_equal(put(fs, path, 0600, "x"), 0);
	path[255] = 'a';
	path[256] = '\0';
	assert_int_equal(put(fs, path, 0600, "x"), -ENAMETOOLONG);
	assert_null(ccdm_rootfs_find(fs, path));
	memset(path, '/', sizeof(path));
	path[CCDM_ROOTFS_PATH + 1] = '\0';
	assert_int_equal(put(fs, path, 0600, "x"), -ENAMETOOLONG);
	/* through a link the path itself becomes too long */
	memset(path, 'd', 200);
	path[200] = '\0';
	assert_int_equal(put(fs, "d", S_IFDIR | 0700, NULL), 0);
	for (int i = 0; i < 19; i++) {
		memmove(path + 2, path, strlen(path) + 1);
		memcpy(path, "d/", 2);
		memset(path + strlen(path), 0, 1);
	}
	assert_int_equal(put(fs, path, S_IFDIR | 0700, NULL), 0);
	fs->max_size = fs->spool_size + 3;
	assert_int_equal(put(fs, "e", 0600, "1234"), -EFBIG);
	assert_int_equal(put(fs, "e", 0600, "123"), 0);
	fs->entries = CCDM_ROOTFS_ENTRIES;
	assert_int_equal(put(fs, "f", 0600, NULL), -ENFILE);
	assert_int_equal(put(fs, "e", 0600, NULL), 0);
	ccdm_rootfs_free(fs);
	assert_int_equal(ccdm_rootfs_new(&fs, "/does/not/exist", &err), -ENOENT);
}

/* The digest of a tree's archive, and the archive in the file "/tmp/.../tar". */
static void archive(struct ccdm_rootfs *fs, const char *prefix, int64_t clamp, char hex[65],
		    uint64_t *bytes)
{
	char path[64];
	struct ccdm_digest digest;
	uint64_t entries;
	int fd;

	snprintf(path, sizeof(path), "%s/tar", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(ccdm_rootfs_tar(fs, prefix, clamp, fd, &digest, bytes, &entries, &err), 0);
	assert_int_equal(entries, fs->entries + 1);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), *bytes);
	close(fd);
	ccdm_hex(digest.bytes, 32, hex);
}

static void fill(struct ccdm_rootfs *fs, bool backwards)
{
	struct ccdm_rootfs_inode *inode =
		ccdm_rootfs_inode(S_IFREG | 04755, 70000, 4000000000U, -5);
	const char *names[] = { "b", "a", "c/d", "\xfc" };
	int i;

	assert_int_equal(ccdm_rootfs_xattr_set(inode, "user.z", "z", 1), 0);
	assert_int_equal(ccdm_rootfs_xattr_set(inode, "user.a", "\0\n=", 3), 0);
	assert_int_equal(ccdm_rootfs_xattr_set(inode, "user.z", "zz", 2), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(put(fs, names[backwards ? 3 - i : i], 0600, "text"), 0);
	assert_int_equal(ccdm_rootfs_set(fs, fs->root, backwards ? "m" : "k", inode, NULL, &err),
			 0);
	assert_int_equal(ccdm_rootfs_set(fs, fs->root, backwards ? "k" : "m", inode, NULL, &err),
			 0);
	assert_int_equal(inode->names, 2);
	assert_int_equal(put(fs, "link", S_IFLNK, "c/d"), 0);
}

static void tar(void **state)
{
	char one[65], two[65], path[CCDM_ROOTFS_PATH + 1], command[128];
	struct ccdm_rootfs *fs = tree(), *other = tree();
	uint64_t bytes, again;
	int i;

	(void)state;
	fill(fs, false);
	fill(other, true);
	archive(fs, NULL, 1000, one, &bytes);
	archive(fs, NULL, 1000, two, &again);
	assert_string_equal(one, two);
	assert_int_equal(bytes, again);
	archive(other, "", 1000, two, &again);
	assert_string_equal(one, two);
	archive(fs, NULL, 1001, two, &again);
	assert_string_not_equal(one, two);
	archive(fs, "rootfs", 1000, two, &again);
	assert_string_not_equal(one, two);
	/* records of each length from 90 to 110 bytes, and over 1000 */
	for (i = 80; i < 255; i++) {
		memset(path, 'n', (size_t)i);
		path[i] = '\0';
		assert_int_equal(put(fs, path, 0600, NULL), 0);
		assert_int_equal(put(fs, path, S_IFLNK, path), 0);
	}
	for (i = 3; i < 5; i++) {
		memset(path + 255 * (i - 3), 'p', 254);
		memcpy(path + 255 * (i - 3) + 254, "/", 2);
		assert_int_equal(put(fs, path, S_IFDIR | 0700, NULL), 0);
	}
	archive(fs, "rootfs", 1000, two, &again);
	snprintf(command, sizeof(command), "tar -tvf %s/tar >%s/list", dir, dir);
	assert_int_equal(system(command), 0);
	/* nowhere to write */
	i = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ccdm_rootfs_tar(fs, NULL, -1, i, NULL, NULL, NULL, &err), -ENOSPC);
	close(i);
	ccdm_rootfs_free(fs);
	ccdm_rootfs_free(other);
}

static void folder(void **state)
{
	struct ccdm_rootfs *fs = tree();
	char command[512], hex[65];
	uint64_t left_out, bytes;

	(void)state;
	snprintf(
		command, sizeof(command),
		"mkdir -p %s/in/a && cd %s/in && echo text >a/f && ln a/f g && ln -s a/f s && mkfifo p && "
		"chmod 4711 a/f && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")'",
		dir, dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "%s/in", dir);
	assert_int_equal(ccdm_rootfs_folder(fs, command, &left_out, &err), 0);
	assert_int_equal(left_out, 1);
	assert_int_equal(fs->entries, 5);
	is(fs, "s", "a/f", "text\n");
	is(fs, "g", "g", "text\n");
	assert_ptr_equal(ccdm_rootfs_find(fs, "g")->inode, ccdm_rootfs_find(fs, "a/f")->inode);
	assert_int_equal(ccdm_rootfs_find(fs, "g")->inode->mode, S_IFREG | 04711);
	assert_true(S_ISFIFO(ccdm_rootfs_find(fs, "p")->inode->mode));
	archive(fs, NULL, -1, hex, &bytes);
	ccdm_rootfs_free(fs);
	fs = tree();
	assert_int_equal(ccdm_rootfs_folder(fs, "/does/not/exist", NULL, &err), -ENOENT);
	ccdm_rootfs_free(fs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),   cmocka_unit_test(links), cmocka_unit_test(chains),
		cmocka_unit_test(refused), cmocka_unit_test(tar),   cmocka_unit_test(folder),
	};

	return cmocka_run_group_tests(tests, folder_begin, folder_end);
}
