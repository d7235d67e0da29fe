/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * disk_write.h - a disk image with a partition table, sparse, the same bytes for the same content
 *
 * The table has no time and no random number: the caller gives each GUID, see guid.h.
 */
#ifndef CCDM_DISK_WRITE_H
#define CCDM_DISK_WRITE_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_DISK_ALIGN (1 << 20)
/* Bytes that the table and its copy take, before the first and after the last partition. */
#define CCDM_DISK_FRAME (2ULL * CCDM_DISK_ALIGN)

/**
 * struct ccdm_disk_part - a partition
 * @number: as in /dev/sdaN; numbers rise, and may have gaps
 * @name: ASCII
 * @type, @uuid: GUIDs
 * @size: bytes; a multiple of 1 MiB, except for the last partition; 0: the rest of the disk
 * @file: path of its content, or NULL: it is zero
 */
struct ccdm_disk_part {
	unsigned int number;
	const char *name;
	const char *type;
	const char *uuid;
	uint64_t size;
	const char *file;
};

/**
 * ccdm_disk_write() - write a disk
 * @file: path; a file that exists is replaced. The caller removes it after an error
 * @size: bytes, whole MiB
 * @uuid: of the disk
 * @part, @parts: in the order of the disk
 * @progress: called with the bytes that are written so far and the sum of all bytes; or NULL
 *
 * The function leaves out blocks of zeros, and does not sync the disk: after a crash of the
 * machine, build the disk again. The function ends if a signal came (base/interrupt.h).
 *
 * Return: 0, -ENOSPC if the partitions do not fit @size or the file system is full, -EINTR, -EIO,
 * -ENOMEM, errors of open(2).
 */
int __must_check ccdm_disk_write(const char *file, uint64_t size, const char *uuid,
				 const struct ccdm_disk_part *part, unsigned int parts,
				 void (*progress)(uint64_t done, uint64_t all, void *arg),
				 void *arg, struct ccdm_err *err);

#endif
