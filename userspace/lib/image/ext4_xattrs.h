/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * ext4_xattrs.h - extended attributes that mke2fs leaves out
 *
 * Out of an archive, mke2fs 1.47 takes security.capability alone. A lost list of access control
 * could give a group more than the image does.
 */
#ifndef CCDM_EXT4_XATTRS_H
#define CCDM_EXT4_XATTRS_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "rootfs.h"

/* How many files of the tree have such attributes. */
uint64_t ccdm_ext4_xattrs_count(const struct ccdm_rootfs *fs);

/**
 * ccdm_ext4_xattrs() - write the attributes into a file system, with debugfs
 * @file: the file system, made of an archive of @fs
 * @fs: the tree
 * @prefix: folder of the file system that has the tree; NULL: its root
 * @date: seconds since 1970, for times of the file system
 *
 * Each value is read back and compared. A folder "FILE.xattrs" exists meanwhile. The same tree gives
 * the same bytes.
 *
 * Return: 0; -EINVAL for a path or a name with a line break, which debugfs cannot take; -EIO with the
 * path if an attribute does not fit; -ENOENT without debugfs, -ENOMEM, -EINTR, what write(2) says.
 */
int __must_check ccdm_ext4_xattrs(const char *file, const struct ccdm_rootfs *fs,
				  const char *prefix, int64_t date, struct ccdm_err *err);

#endif
