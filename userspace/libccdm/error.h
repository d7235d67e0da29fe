/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* error.h - what the functions of ccdm.h share */
#ifndef CCDM_LIBCCDM_ERROR_H
#define CCDM_LIBCCDM_ERROR_H

#include "base/compiler.h"
#include "base/err.h"
#include "ccdm.h"

/* Copy a message to a caller that wants it. Return: @r */
int __must_check ccdm_disk_error_fill(struct ccdm_disk_error *error, const struct ccdm_err *err,
				      int r);

/**
 * ccdm_disk_copy() - fill a structure of the caller
 * @to: a structure whose first member is its size; members that this version does not know become 0
 * @from: the same, as this version knows it
 * @size: bytes of @from
 *
 * Return: 0; -EINVAL if @to is smaller.
 */
int __must_check ccdm_disk_copy(void *to, const void *from, size_t size, struct ccdm_err *err);

#endif
