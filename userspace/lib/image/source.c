// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* source.c - see source.h */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "source.h"

int ccdm_source_open(const char *file, struct ccdm_source *source, struct ccdm_err *err)
{
	struct stat st;
	off_t end;
	int r;

	memset(source, 0, sizeof(*source));
	source->name = file;
	/* (without O_NONBLOCK, opening a FIFO would wait for a writer) */
	source->fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (source->fd < 0 || fstat(source->fd, &st)) {
		r = -errno;
		ccdm_source_close(source);
		return ccdm_err_set(err, r, "%s: %s", file, strerror(-r));
	}
	end = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ? lseek(source->fd, 0, SEEK_END) : -1;
	if (end < 0) {
		ccdm_source_close(source);
		return ccdm_err_set(err, -EINVAL, "%s: expected a file or a block device", file);
	}
	source->size = (uint64_t)end;
	return 0;
}

void ccdm_source_close(struct ccdm_source *source)
{
	if (!source->bytes && source->fd >= 0)
		close(source->fd);
	source->fd = -1;
	source->bytes = NULL;
	source->size = 0;
}

int ccdm_source_read(const struct ccdm_source *source, uint64_t at, void *buf, size_t size,
		     const char *what, struct ccdm_err *err)
{
	uint8_t *to = buf;
	ssize_t n;
	int r;

	if (at > source->size || size > source->size - at)
		return ccdm_err_set(err, -EINVAL,
				    "%s: %s: expected %zu bytes at byte %" PRIu64
				    ", but it ends at byte %" PRIu64,
				    source->name, what, size, at, source->size);
	if (source->bytes) {
		memcpy(buf, source->bytes + at, size);
		return 0;
	}
	while (size) {
		n = pread(source->fd, to, size, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : -EIO;
		if (n <= 0) /* (0: the file became shorter) */
			return ccdm_err_set(err, r, "%s: %s at byte %" PRIu64 ": %s", source->name,
					    what, at, strerror(-r));
		to += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

int ccdm_source_load(const struct ccdm_source *source, uint64_t at, size_t size, const char *what,
		     uint8_t **bytes, struct ccdm_err *err)
{
	int r;

	*bytes = NULL;
	/* (no memory is taken for more bytes than the file has) */
	if (at <= source->size && size <= source->size - at) {
		*bytes = malloc(size ? size : 1);
		if (!*bytes)
			return ccdm_err_memory(err);
	}
	r = ccdm_source_read(source, at, *bytes, size, what, err);
	if (r) {
		free(*bytes);
		*bytes = NULL;
	}
	return r;
}
