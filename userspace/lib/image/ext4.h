/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * ext4.h - make an ext4 file system from a tar archive: the same bytes for the same archive
 *
 * mke2fs makes it, without root. It has no journal, UUID and hash seed derive from the archive, and
 * the host's mke2fs.conf has no effect.
 */
#ifndef CCDM_EXT4_H
#define CCDM_EXT4_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "rootfs.h"

#define CCDM_EXT4_BLOCK 4096

/**
 * struct ccdm_ext4 - what to make
 * @tar: path of the archive
 * @sha256: of the archive
 * @bytes: of all files in it
 * @entries: how many entries it has
 * @date: seconds since 1970, for times of the file system itself
 * @label: up to 16 bytes
 * @fs: the tree that the archive was made of, for extended attributes that mke2fs leaves out;
 *	NULL: it has none
 * @prefix: folder of the archive that has the tree; NULL: its root
 */
struct ccdm_ext4 {
	const char *tar;
	uint8_t sha256[32];
	uint64_t bytes;
	uint64_t entries;
	int64_t date;
	const char *label;
	const struct ccdm_rootfs *fs;
	const char *prefix;
};

/**
 * ccdm_ext4_make() - write the file system
 * @file: path; the caller removes it after an error
 * @blocks: set to its size in blocks of 4096 bytes
 *
 * While the function runs, there are a file "FILE.conf" and a folder "FILE.xattrs".
 *
 * Return: 0, -ENOENT without mke2fs, -ENOSPC, -EINTR, -EIO with mke2fs' message.
 */
int __must_check ccdm_ext4_make(const struct ccdm_ext4 *make, const char *file, uint64_t *blocks,
				struct ccdm_err *err);

#endif
