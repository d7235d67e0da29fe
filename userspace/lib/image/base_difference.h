/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* base_difference.h - in what a disk differs from the base that it should have, in words */
#ifndef CCDM_BASE_DIFFERENCE_H
#define CCDM_BASE_DIFFERENCE_H

#include "base.h"
#include "bootable.h"

/**
 * ccdm_base_difference() - compare what a disk has of a base, byte by byte
 * @b: the disk
 * @base: the base; the caller has its files verified by ccdm_base_open()
 * @say: called with each difference, as one line; a nonzero result ends the walk and is returned
 * @count: set to their number
 *
 * These are compared: the partitions of the base and of its hash tree, [base] of ccdm.conf, kernel,
 * os-release, kernel's version, sections of the stub, the beginning of the initrd, and the words of
 * the kernel's command line. Behind the base's initrd a disk of "ccdm-image build" has only
 * ccdm.conf and the keys that it names; any other file is a difference.
 *
 * Return: 0; -EINVAL for what cannot be read; -ENOMEM; -EIO; errors of open(2) and read(2).
 */
int __must_check ccdm_base_difference(const struct ccdm_bootable *b, const struct ccdm_base *base,
				      int (*say)(const char *line, void *arg), void *arg,
				      unsigned int *count, struct ccdm_err *err);

#endif
