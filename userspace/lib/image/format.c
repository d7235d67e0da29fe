// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* format.c - see format.h */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "format_write.h"

static int format_raw_write(const struct ccdm_sparse *disk, const struct ccdm_format_out *out,
			    struct ccdm_err *err);

/*
 * @unit: the size is a multiple of it. Azure takes whole MiB, Google Compute Engine whole GiB.
 * @max: the largest size. A VMDK extent has 32 bits of grains of 64 KiB, QEMU writes no more than
 *	2 TiB in one.
 */
static const struct {
	const char *name;
	uint64_t unit, max;
	int (*write)(const struct ccdm_sparse *disk, const struct ccdm_format_out *out,
		     struct ccdm_err *err);
} formats[CCDM_FORMAT_COUNT] = {
	[CCDM_FORMAT_RAW] = { "raw", 512, INT64_MAX / 512 * 512, format_raw_write },
	[CCDM_FORMAT_VHD] = { "vhd", 1 << 20, CCDM_VHD_MAX, ccdm_vhd_write },
	[CCDM_FORMAT_GCP] = { "gcp", 1 << 30, (uint64_t)64 << 40, ccdm_gcp_write },
	[CCDM_FORMAT_VMDK] = { "vmdk", 65536, (uint64_t)2 << 40, ccdm_vmdk_write },
};

int ccdm_format_find(const char *name, enum ccdm_format *kind)
{
	unsigned int i;

	for (i = 0; i < CCDM_FORMAT_COUNT; i++) {
		if (strcmp(formats[i].name, name))
			continue;
		*kind = (enum ccdm_format)i;
		return 0;
	}
	return -EINVAL;
}

const char *ccdm_format_name(enum ccdm_format kind)
{
	return formats[kind].name;
}

int ccdm_format_size(enum ccdm_format kind, uint64_t *size, struct ccdm_err *err)
{
	uint64_t unit = formats[kind].unit, max = formats[kind].max;

	if (*size > max)
		return ccdm_err_set(err, -EFBIG,
				    "a disk of format %s has at most %" PRIu64
				    " bytes, but %" PRIu64 " are needed",
				    formats[kind].name, max, *size);
	*size = (*size + unit - 1) / unit * unit;
	return 0;
}

/* ---- raw ------------------------------------------------------------------------------ */

static int format_raw_block(void *arg, uint64_t at, const uint8_t *bytes, size_t size,
			    struct ccdm_err *err)
{
	const struct ccdm_format_out *out = arg;

	return ccdm_sparse_put(out->fd, out->name, at, bytes, size, err);
}

static int format_raw_write(const struct ccdm_sparse *disk, const struct ccdm_format_out *out,
			    struct ccdm_err *err)
{
	if (ftruncate(out->fd, (off_t)disk->size))
		return ccdm_err_set(err, -errno, "%s: %s", out->name, strerror(errno));
	return ccdm_sparse_walk(disk, format_raw_block, NULL, (void *)out, err);
}

/* ---- all ------------------------------------------------------------------------------ */

static int format_check(enum ccdm_format kind, const struct ccdm_sparse *disk, struct ccdm_err *err)
{
	uint64_t size = disk->size;
	int r = ccdm_format_size(kind, &size, err);

	if (!r && (!size || size != disk->size))
		r = ccdm_err_set(err, -EINVAL,
				 "%s: expected a multiple of %" PRIu64
				 " bytes for format %s, found %" PRIu64 " bytes",
				 disk->name, formats[kind].unit, formats[kind].name, disk->size);
	return r;
}

static int format_temporary(enum ccdm_format kind, const struct ccdm_sparse *disk,
			    const char *temporary, const char *out_file, int64_t date,
			    struct ccdm_err *err)
{
	struct ccdm_format_out out = { .name = temporary, .date = date, .fd = -1 };
	int r = 0;

	/* (one that an earlier run has left) */
	if (unlink(temporary) && errno != ENOENT)
		return ccdm_err_set(err, -errno, "%s: %s", temporary, strerror(errno));
	out.fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (out.fd < 0)
		return ccdm_err_set(err, -errno, "%s: %s", temporary, strerror(errno));
	r = formats[kind].write(disk, &out, err);
	if (close(out.fd) && !r)
		r = ccdm_err_set(err, -errno, "%s: %s", temporary, strerror(errno));
	if (!r) {
		r = ccdm_file_rename(temporary, out_file);
		if (r)
			r = ccdm_err_set(err, r, "%s: %s", out_file, strerror(-r));
	}
	if (r)
		unlink(temporary);
	return r;
}

int ccdm_format_write(enum ccdm_format kind, const char *raw_file, const char *out_file,
		      int64_t date, const struct ccdm_format_progress *progress,
		      struct ccdm_err *err)
{
	struct ccdm_sparse disk = { .fd = -1 };
	char *temporary;
	int r;

	if (asprintf(&temporary, "%s.tmp", out_file) < 0)
		return ccdm_err_memory(err);
	r = ccdm_sparse_open(raw_file, &disk, err);
	disk.progress = progress;
	if (!r)
		r = format_check(kind, &disk, err);
	if (!r)
		r = format_temporary(kind, &disk, temporary, out_file, date, err);
	ccdm_sparse_close(&disk);
	free(temporary);
	return r;
}
