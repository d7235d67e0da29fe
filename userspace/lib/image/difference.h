/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* difference.h - list the differences of two images */
#ifndef CCDM_DIFFERENCE_H
#define CCDM_DIFFERENCE_H

#include "bootable.h"

/**
 * ccdm_difference() - compare partitions, files of the EFI system partition, the UKI's sections,
 * the initrd's files and the words of ccdm.conf
 * @a, @b: the images
 * @say: called with each difference, from @a to @b, as one line; a nonzero result ends the walk
 *	and is returned
 * @arg: argument of the callback
 *
 * The content of other partitions is not read: the root hash in ccdm.conf covers the base.
 *
 * Return: 0; -EINVAL for an initrd that cannot be read; -ENOMEM; -EIO.
 */
int __must_check ccdm_difference(const struct ccdm_bootable *a, const struct ccdm_bootable *b,
				 int (*say)(const char *line, void *arg), void *arg,
				 struct ccdm_err *err);

#endif
