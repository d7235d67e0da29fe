/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* grow.h - extend the last partition of a disk to the end of the disk, in the kernel only */
#ifndef CCDM_GROW_H
#define CCDM_GROW_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_grow() - extend a partition to the end of its disk
 * @path: of a block device
 * @bytes: set to its size afterwards; 0 if it is no partition, or not the last one
 *
 * The kernel gets the new size through BLKPG_RESIZE_PARTITION. The partition table stays as it
 * is, so that the firmware measures the same. The last sectors stay free, because the copy of a
 * GPT belongs there. Does nothing to a whole disk, to a partition that another one follows, and to
 * one that is as large already.
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_grow(const char *path, uint64_t *bytes, struct ccdm_err *err);

/**
 * struct ccdm_grow_part - a partition, in sectors of 512 bytes
 * @start: first sector
 * @size: number of sectors
 */
struct ccdm_grow_part {
	uint64_t start;
	uint64_t size;
};

/**
 * ccdm_grow_size() - the size that a partition can have
 * @disk: sectors of the disk
 * @part: the partition
 * @others: the other partitions of the disk
 * @count: their number
 *
 * Return: sectors, a multiple of 4096 bytes; that of @part if it cannot grow.
 */
uint64_t ccdm_grow_size(uint64_t disk, const struct ccdm_grow_part *part,
			const struct ccdm_grow_part *others, unsigned int count);

#endif
