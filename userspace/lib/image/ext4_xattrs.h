/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * ext4_xattrs.h - extended attributes that mke2fs leaves out
 *
 * From an archive, mke2fs 1.47 takes only security.capability. A file that loses its access control
 * list could give a group more rights than in the image.
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
 * The function reads each value back and compares it. While it runs, there is a folder
 * "FILE.xattrs". The same tree gives the same bytes.
 *
 * Return: 0; -EINVAL for a path or a name with a line break, which debugfs cannot take; -EIO with the
 * path if an attribute does not fit; -ENOENT without debugfs, -ENOMEM, -EINTR, errors of write(2).
 */
int __must_check ccdm_ext4_xattrs(const char *file, const struct ccdm_rootfs *fs,
				  const char *prefix, int64_t date, struct ccdm_err *err);

#endif
