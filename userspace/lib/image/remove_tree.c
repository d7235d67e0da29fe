// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* remove_tree.c - see remove_tree.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "remove_tree.h"

static void remove_below(int fd);

/* Return: true if the entry is gone. */
static bool remove_entry(int at, const char *name)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
				.resolve =
					RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };
	int fd;

	if (!unlinkat(at, name, 0))
		return true;
	fd = (int)syscall(SYS_openat2, at, name, &how, sizeof(how));
	if (fd >= 0)
		remove_below(fd);
	return !unlinkat(at, name, AT_REMOVEDIR);
}

/* @fd is closed. */
static void remove_below(int fd)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	bool removed;

	if (!dir) {
		close(fd);
		return;
	}
	/* (a folder that changes while it is read may not show each entry) */
	do {
		removed = false;
		rewinddir(dir);
		while ((entry = readdir(dir)))
			if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
			    remove_entry(dirfd(dir), entry->d_name))
				removed = true;
	} while (removed);
	closedir(dir);
}

void ccdm_remove_tree(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		remove_below(fd);
	(void)rmdir(path);
}
