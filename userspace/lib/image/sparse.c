// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* sparse.c - see sparse.h */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/interrupt.h"
#include "crypto/digest.h"
#include "sparse.h"

int ccdm_sparse_open(const char *file, struct ccdm_sparse *disk, struct ccdm_err *err)
{
	struct stat st = { 0 };
	int r = 0;

	disk->name = file;
	/* (the open of a FIFO would wait) */
	disk->fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (disk->fd < 0 || fstat(disk->fd, &st))
		r = ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		r = ccdm_err_set(err, -EINVAL, "%s: expected a regular file", file);
	if (!r) {
		disk->size = (uint64_t)st.st_size;
		return 0;
	}
	ccdm_sparse_close(disk);
	return r;
}

void ccdm_sparse_close(struct ccdm_sparse *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	disk->fd = -1;
}

static bool sparse_zero(const uint8_t *bytes, size_t size)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

static int sparse_read(const struct ccdm_sparse *disk, uint64_t at, uint8_t *bytes, size_t size,
		       struct ccdm_err *err)
{
	size_t have = 0;
	ssize_t n;

	while (have < size) {
		n = pread(disk->fd, bytes + have, size - have, (off_t)(at + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ccdm_err_set(err, -errno, "%s: %s", disk->name, strerror(errno));
		if (!n)
			return ccdm_err_set(err, -EIO, "%s: became shorter while it was read",
					    disk->name);
		have += (size_t)n;
	}
	return 0;
}

/* The first byte from @at on that may be data. A file system without holes has data everywhere. */
static uint64_t sparse_data(const struct ccdm_sparse *disk, uint64_t at)
{
	off_t next = lseek(disk->fd, (off_t)at, SEEK_DATA);

	if (next < 0)
		return errno == ENXIO ? disk->size : at;
	return (uint64_t)next;
}

int ccdm_sparse_walk(const struct ccdm_sparse *disk,
		     int (*data)(void *arg, uint64_t at, const uint8_t *bytes, size_t size,
				 struct ccdm_err *err),
		     int (*zeros)(void *arg, uint64_t size, struct ccdm_err *err), void *arg,
		     struct ccdm_err *err)
{
	const struct ccdm_format_progress *progress = disk->progress;
	uint64_t at = 0, next = 0, run = 0;
	uint8_t *block = malloc(CCDM_SPARSE_BLOCK);
	int r = block ? 0 : ccdm_err_memory(err);

	while (!r && at < disk->size) {
		size_t size = CCDM_SPARSE_BLOCK;
		bool hole;

		if (size > disk->size - at)
			size = (size_t)(disk->size - at);
		/* (next: data may begin there, and does not before) */
		if (next < at + size)
			next = sparse_data(disk, next > at ? next : at);
		hole = next >= at + size;
		if (!hole)
			r = sparse_read(disk, at, block, size, err);
		if (r)
			break;
		if (hole || sparse_zero(block, size)) {
			run += size;
		} else {
			if (run && zeros)
				r = zeros(arg, run, err);
			run = 0;
			if (!r)
				r = data(arg, at, block, size, err);
		}
		at += size;
		if (!hole)
			next = at;
		if (!r && progress && (!hole || at == disk->size))
			progress->step(progress->arg, at, disk->size);
		if (!r)
			r = ccdm_interrupt_check(err);
	}
	if (!r && run && zeros)
		r = zeros(arg, run, err);
	free(block);
	return r;
}

int ccdm_sparse_id_add(struct ccdm_sparse_id *id, uint64_t at, const uint8_t *bytes, size_t size,
		       struct ccdm_err *err)
{
	uint8_t place[8];
	const struct ccdm_piece pieces[] = { { id->digest, sizeof(id->digest) },
					     { place, sizeof(place) },
					     { bytes, size } };
	struct ccdm_digest digest;
	int i;

	for (i = 0; i < 8; i++)
		place[i] = (uint8_t)(at >> (56 - 8 * i));
	if (ccdm_digest_pieces(CCDM_ALG_SHA256, pieces, ARRAY_SIZE(pieces), &digest))
		return ccdm_err_set(err, -EIO, "SHA-256 of a block failed");
	memcpy(id->digest, digest.bytes, sizeof(id->digest));
	return 0;
}

int ccdm_sparse_put(int fd, const char *name, uint64_t at, const void *bytes, size_t size,
		    struct ccdm_err *err)
{
	const uint8_t *p = bytes;
	ssize_t n;

	for (; size; size -= (size_t)n, p += n, at += (uint64_t)n) {
		n = pwrite(fd, p, size, (off_t)at);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return ccdm_err_set(err, -errno, "%s: %s", name, strerror(errno));
	}
	return 0;
}
