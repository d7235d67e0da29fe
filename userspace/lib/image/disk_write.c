// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* disk_write.c - see disk_write.h */
#include <fcntl.h>
#include <inttypes.h>
#include <libfdisk/libfdisk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/interrupt.h"
#include "disk_write.h"

#define SECTOR 512
#define CHUNK  (1 << 20)
#define HOLE   4096 /* bytes that are left out if they are zero */

/* A copy of all contents. */
struct disk_copy {
	const char *name;
	int to;
	uint8_t *buf;
	uint64_t done, all;
	void (*progress)(uint64_t done, uint64_t all, void *arg);
	void *arg;
};

/* ---- the table -------------------------------------------------------------------------- */

static int ccdm_disk_part(struct fdisk_context *cxt, const struct ccdm_disk_part *p, uint64_t start,
			  uint64_t size)
{
	struct fdisk_parttype *type =
		fdisk_label_parse_parttype(fdisk_get_label(cxt, NULL), p->type);
	struct fdisk_partition *pa = fdisk_new_partition();
	int r = pa && type ? 0 : -ENOMEM;

	if (!r)
		r = fdisk_partition_set_partno(pa, p->number - 1);
	if (!r)
		r = fdisk_partition_set_start(pa, start / SECTOR);
	if (!r)
		r = fdisk_partition_set_size(pa, size / SECTOR);
	if (!r)
		r = fdisk_partition_set_type(pa, type);
	if (!r)
		r = fdisk_partition_set_uuid(pa, p->uuid);
	if (!r)
		r = fdisk_partition_set_name(pa, p->name);
	if (!r)
		r = fdisk_add_partition(cxt, pa, NULL);
	fdisk_unref_partition(pa);
	if (type)
		fdisk_unref_parttype(type);
	return r;
}

/* @start: of each partition, in bytes; @length: of each one's */
static int ccdm_disk_table(const char *file, const char *uuid, const struct ccdm_disk_part *part,
			   unsigned int parts, const uint64_t *start, const uint64_t *length,
			   struct ccdm_err *err)
{
	struct fdisk_context *cxt = fdisk_new_context();
	unsigned int i;
	int r;

	if (!cxt)
		return ccdm_err_memory(err);
	r = fdisk_disable_dialogs(cxt, 1);
	if (!r)
		r = fdisk_save_user_sector_size(cxt, SECTOR, SECTOR);
	if (!r)
		r = fdisk_save_user_grain(cxt, SECTOR);
	if (!r)
		r = fdisk_assign_device(cxt, file, 0);
	if (!r)
		r = fdisk_create_disklabel(cxt, "gpt");
	if (!r)
		r = fdisk_set_disklabel_id_from_string(cxt, uuid);
	for (i = 0; !r && i < parts; i++)
		r = ccdm_disk_part(cxt, &part[i], start[i], length[i]);
	if (!r)
		r = fdisk_write_disklabel(cxt);
	if (r)
		ccdm_err_text(err, "%s: cannot write the partition table: %s", file, strerror(-r));
	/* (1: no fsync here) */
	if (fdisk_get_devfd(cxt) >= 0 && fdisk_deassign_device(cxt, 1) && !r)
		r = ccdm_err_set(err, -EIO, "%s: cannot write the partition table", file);
	fdisk_unref_context(cxt);
	return r;
}

/* ---- contents --------------------------------------------------------------------------- */

static int ccdm_disk_put(int fd, const uint8_t *bytes, size_t size, uint64_t at)
{
	ssize_t n;

	for (; size; bytes += n, size -= (size_t)n, at += (uint64_t)n) {
		n = pwrite(fd, bytes, size, (off_t)at);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

/* Write the first @size bytes of the buffer, without blocks of zeros. */
static int ccdm_disk_sparse(const struct disk_copy *c, size_t size, uint64_t at)
{
	static const uint8_t zero[HOLE];
	size_t i, n, from = 0;
	int r = 0;

	for (i = 0; !r && i < size; i += n) {
		n = size - i < HOLE ? size - i : HOLE;
		if (memcmp(c->buf + i, zero, n))
			continue;
		r = ccdm_disk_put(c->to, c->buf + from, i - from, at + from);
		from = i + n;
	}
	return r ? r : ccdm_disk_put(c->to, c->buf + from, size - from, at + from);
}

/* Bytes @from to @end of a file, without its holes. */
static int ccdm_disk_extent(struct disk_copy *c, int fd, uint64_t from, uint64_t end, uint64_t at,
			    struct ccdm_err *err)
{
	ssize_t n;
	int r = 0;

	for (; from < end; from += (uint64_t)n) {
		r = ccdm_interrupt_check(err);
		if (r)
			return r;
		n = pread(fd, c->buf, end - from < CHUNK ? (size_t)(end - from) : CHUNK,
			  (off_t)from);
		if (n < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n <= 0)
			return ccdm_err_set(err, n ? -errno : -EIO, "cannot read a content: %s",
					    n ? strerror(errno) : "it became shorter");
		r = ccdm_disk_sparse(c, (size_t)n, at + from);
		if (r)
			return ccdm_err_set(err, r, "%s: %s", c->name, strerror(-r));
		if (c->progress)
			c->progress(c->done + from + (uint64_t)n, c->all, c->arg);
	}
	return 0;
}

static int ccdm_disk_content(struct disk_copy *c, const struct ccdm_disk_part *part, uint64_t at,
			     uint64_t room, struct ccdm_err *err)
{
	int fd = open(part->file, O_RDONLY | O_CLOEXEC), r = 0;
	off_t from = 0, end;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		r = ccdm_err_set(err, -errno, "%s: %s", part->file, strerror(errno));
	} else if ((uint64_t)st.st_size > room) {
		r = ccdm_err_set(err, -ENOSPC, "%s: %" PRIu64 " bytes do not fit partition %u",
				 part->file, (uint64_t)st.st_size, part->number);
	} else {
		while (!r && from < st.st_size) {
			from = lseek(fd, from, SEEK_DATA);
			if (from < 0)
				break; /* ENXIO: the rest is a hole */
			end = lseek(fd, from, SEEK_HOLE);
			if (end < 0)
				end = st.st_size;
			r = ccdm_disk_extent(c, fd, (uint64_t)from, (uint64_t)end, at, err);
			from = end;
		}
		c->done += (uint64_t)st.st_size;
	}
	if (fd >= 0)
		close(fd);
	return r;
}

/* ---- all -------------------------------------------------------------------------------- */

static int ccdm_disk_places(const char *file, uint64_t size, const struct ccdm_disk_part *part,
			    unsigned int parts, uint64_t *start, uint64_t *length, uint64_t *all,
			    struct ccdm_err *err)
{
	uint64_t at = CCDM_DISK_ALIGN, end = size - CCDM_DISK_ALIGN;
	unsigned int i;
	struct stat st;

	*all = 0;
	for (i = 0; i < parts; i++) {
		start[i] = at;
		length[i] = part[i].size ? part[i].size : end - at;
		if (size < CCDM_DISK_FRAME || at >= end || length[i] > end - at)
			return ccdm_err_set(err, -ENOSPC,
					    "%s: the partitions do not fit %" PRIu64 " bytes", file,
					    size);
		at += (length[i] + CCDM_DISK_ALIGN - 1) / CCDM_DISK_ALIGN * CCDM_DISK_ALIGN;
		if (part[i].file && !stat(part[i].file, &st))
			*all += (uint64_t)st.st_size;
	}
	return 0;
}

int ccdm_disk_write(const char *file, uint64_t size, const char *uuid,
		    const struct ccdm_disk_part *part, unsigned int parts,
		    void (*progress)(uint64_t done, uint64_t all, void *arg), void *arg,
		    struct ccdm_err *err)
{
	struct disk_copy c = { .name = file, .progress = progress, .arg = arg };
	uint64_t start[16], length[16];
	unsigned int i;
	int r;

	if (parts > ARRAY_SIZE(start))
		return ccdm_err_set(err, -EINVAL, "%s: expected at most 16 partitions", file);
	r = ccdm_disk_places(file, size, part, parts, start, length, &c.all, err);
	if (r)
		return r;
	if (unlink(file) && errno != ENOENT)
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	c.buf = malloc(CHUNK);
	if (!c.buf)
		return ccdm_err_memory(err);
	c.to = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (c.to < 0 || ftruncate(c.to, (off_t)size))
		r = ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	if (!r)
		r = ccdm_disk_table(file, uuid, part, parts, start, length, err);
	for (i = 0; !r && i < parts; i++)
		if (part[i].file)
			r = ccdm_disk_content(&c, &part[i], start[i], length[i], err);
	if (c.to >= 0 && close(c.to) && !r)
		r = ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	free(c.buf);
	return r;
}
