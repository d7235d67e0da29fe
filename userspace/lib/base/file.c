// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* file.c - see file.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "file.h"

int ccdm_file_read(const char *file, size_t max, char **text, size_t *size, struct ccdm_err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), r = 0;
	ssize_t n = 0;

	*size = 0;
	*text = malloc(max + 1);
	if (fd < 0)
		r = -errno;
	else if (!*text)
		r = -ENOMEM;
	while (!r && *size <= max && (n = read(fd, *text + *size, max + 1 - *size)) > 0)
		*size += n;
	if (!r && n < 0)
		r = -errno;
	if (!r && *size > max)
		r = -EFBIG;
	if (fd >= 0)
		close(fd);
	if (!r) {
		(*text)[*size] = '\0';
		return 0;
	}
	if (*text)
		explicit_bzero(*text, *size);
	free(*text);
	*text = NULL;
	return ccdm_err_set(err, r, "%s: %s", file, strerror(-r));
}

int ccdm_file_lines(const char *file, const char *text, size_t size, size_t max,
		    int (*each)(char *line, unsigned int number, void *arg, struct ccdm_err *err),
		    void *arg, struct ccdm_err *err)
{
	char *copy, *line, *next;
	unsigned int number = 0;
	int r = 0;

	if (size > max)
		return ccdm_err_set(err, -EINVAL, "%s: larger than %zu bytes", file, max);
	copy = malloc(size + 1);
	if (!copy)
		return ccdm_err_memory(err);
	memcpy(copy, text, size);
	copy[size] = '\0';
	/* Nothing would read the bytes behind a NUL, but they would be measured. */
	if (strlen(copy) != size)
		r = ccdm_err_set(err, -EINVAL, "%s: byte %zu is zero", file, strlen(copy));
	for (line = copy; !r && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		r = each(line, ++number, arg, err);
	}
	explicit_bzero(copy, size); /* the text may be a key */
	free(copy);
	return r;
}

static int ccdm_file_put(const char *file, int flags, mode_t mode, const void *text, size_t size)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC | flags, mode), r = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, size);
	if (n != (ssize_t)size)
		r = n < 0 ? -errno : -EIO;
	/* The content must be on the disk before the file gets its final name. */
	if (!r && (flags & O_CREAT) && fsync(fd))
		r = -errno;
	if (close(fd) && !r)
		r = -errno;
	return r;
}

int ccdm_file_replaceable(const char *file, struct ccdm_err *err)
{
	struct stat st;

	if (stat(file, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return 0;
	ccdm_err_hint(err, "name a file; it can be copied to a device afterwards");
	return ccdm_err_set(err, -EEXIST,
			    "%s: expected a regular file or none, found a device, a pipe or a "
			    "socket",
			    file);
}

int ccdm_file_rename(const char *from, const char *to)
{
	struct ccdm_err err;
	const char *slash = strrchr(to, '/');
	char *dir = slash ? strndup(to, slash == to ? 1 : (size_t)(slash - to)) : strdup(".");
	int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = ccdm_file_replaceable(to, &err);

	if (!r && (fd < 0 || rename(from, to) || fsync(fd)))
		r = -errno;
	if (fd >= 0)
		close(fd);
	free(dir);
	return r;
}

int ccdm_file_write(const char *file, const void *text, size_t size, mode_t mode,
		    struct ccdm_err *err)
{
	char *temporary;
	int r = ccdm_file_replaceable(file, err);

	if (r)
		return r;
	if (asprintf(&temporary, "%s.tmp", file) < 0)
		return ccdm_err_memory(err);
	/* A file that an earlier attempt left may have another owner or mode. */
	if (unlink(temporary) && errno != ENOENT)
		r = -errno;
	if (!r)
		r = ccdm_file_put(temporary, O_CREAT | O_EXCL, mode, text, size);
	if (!r)
		r = ccdm_file_rename(temporary, file);
	if (r)
		unlink(temporary); /* it may hold a secret */
	free(temporary);
	return r ? ccdm_err_set(err, r, "%s: %s", file, strerror(-r)) : 0;
}

static int ccdm_file_zero(int fd)
{
	static const char zeros[4096];
	struct stat st;
	off_t at = 0;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	for (; at < st.st_size; at += n) {
		n = pwrite(fd, zeros, sizeof(zeros), at);
		if (n <= 0)
			return n ? -errno : -EIO;
	}
	return ftruncate(fd, 0) ? -errno : 0;
}

int ccdm_file_wipe(const char *file, struct ccdm_err *err)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW), r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	r = fd < 0 ? -errno : ccdm_file_zero(fd);
	if (fd >= 0)
		close(fd);
	if (unlink(file) && !r)
		r = -errno;
	return r ? ccdm_err_set(err, r, "%s: %s", file, strerror(-r)) : 0;
}

int ccdm_file_wipe_all(const char *dir, struct ccdm_err *err)
{
	struct dirent *e;
	char path[PATH_MAX];
	struct ccdm_err one;
	int r = 0, k;
	DIR *d = opendir(dir);

	if (!d && errno == ENOENT)
		return 0;
	if (!d)
		return ccdm_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		k = -ENAMETOOLONG;
		if (snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) < (int)sizeof(path))
			k = ccdm_file_wipe(path, r ? &one : err);
		r = r ? r : k;
	}
	closedir(d);
	return r;
}

int ccdm_file_tell(const char *file, const char *word, struct ccdm_err *err)
{
	int r = ccdm_file_put(file, 0, 0, word, strlen(word));

	return r ? ccdm_err_set(err, r, "%s: %s", file, strerror(-r)) : 0;
}

int ccdm_file_private(const char *file, struct ccdm_err *err)
{
	struct stat st;
	bool ours;

	if (stat(file, &st))
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	/* Root manages the keys of services that have their own users. */
	/* coverage: the tests run as root */
	ours = !geteuid() || !st.st_uid || st.st_uid == geteuid();
	/* coverage: root may use any file of mode 0600 */
	if (ours && S_ISREG(st.st_mode) && !(st.st_mode & 077))
		return 0;
	ccdm_err_hint(err, "chmod 0600 %s", file);
	return ccdm_err_set(err, -EACCES, "%s: mode %04o, owner %u: other users can access the key",
			    file, st.st_mode & 07777, st.st_uid);
}
