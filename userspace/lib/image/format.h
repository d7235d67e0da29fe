/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* format.h - the file formats that clouds and hypervisors accept for a disk image */
#ifndef CCDM_IMAGE_FORMAT_H
#define CCDM_IMAGE_FORMAT_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * enum ccdm_format - a file format of a disk
 * @CCDM_FORMAT_RAW: the bytes of the disk, sparse
 * @CCDM_FORMAT_VHD: fixed VHD (Azure): the bytes of the disk, and a footer of 512 bytes
 * @CCDM_FORMAT_GCP: tar.gz with the file disk.raw (Google Compute Engine)
 * @CCDM_FORMAT_VMDK: streamOptimized VMDK (VMware), by qemu-img
 */
enum ccdm_format { CCDM_FORMAT_RAW, CCDM_FORMAT_VHD, CCDM_FORMAT_GCP, CCDM_FORMAT_VMDK };

#define CCDM_FORMAT_COUNT 4
#define CCDM_FORMAT_NAMES "raw vhd gcp vmdk" /* as options.h offers them */

/**
 * struct ccdm_format_progress - a function that shows the progress
 * @step: called repeatedly: @done of @all bytes of the disk are written
 * @arg: argument of the callback
 */
struct ccdm_format_progress {
	void (*step)(void *arg, uint64_t done, uint64_t all);
	void *arg;
};

/* The format with this name. Return: 0, -EINVAL. */
int __must_check ccdm_format_find(const char *name, enum ccdm_format *kind);
const char *ccdm_format_name(enum ccdm_format kind);

/**
 * ccdm_format_size() - the size that a disk of this format must have
 * @size: bytes that the disk needs; rounded up
 *
 * The rounded size is the disk's size before its partition table is written: the table's copy is at
 * the end of the disk.
 *
 * Return: 0, -EFBIG if no disk of this format is as large.
 */
int __must_check ccdm_format_size(enum ccdm_format kind, uint64_t *size, struct ccdm_err *err);

/**
 * ccdm_format_write() - write a finished disk in a format
 * @raw_file: the disk, a regular file whose size is as ccdm_format_size() says
 * @out_file: replaced at the end by @out_file.tmp, which the function writes first, and removes
 *	after an error
 * @date: seconds since 1970, where the format has a time
 * @progress: may be NULL
 *
 * The same bytes of the disk and the same date give the same bytes, wherever the holes of
 * @raw_file are. (gcp and vmdk: by the same versions of zlib and of qemu-img.)
 *
 * Return: 0; -EINVAL for another size; -ENOENT if qemu-img is missing; -EINTR after a signal
 * (base/interrupt.h); errors of open(2), read(2), write(2) and rename(2).
 */
int __must_check ccdm_format_write(enum ccdm_format kind, const char *raw_file,
				   const char *out_file, int64_t date,
				   const struct ccdm_format_progress *progress,
				   struct ccdm_err *err);

#endif
