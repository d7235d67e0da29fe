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

/*
 * Where the structures ended in the first version of the library. A caller may have been compiled with
 * any size from these on; members that are added later must not change them.
 */
#define CCDM_DISK_END(type, member) \
	(offsetof(struct type, member) + sizeof(((struct type *)0)->member))
#define CCDM_DISK_FACTS_FIRST  CCDM_DISK_END(ccdm_disk_facts, table)
#define CCDM_DISK_STATUS_FIRST CCDM_DISK_END(ccdm_disk_status, status)
#define CCDM_DISK_EVENT_FIRST  CCDM_DISK_END(ccdm_disk_event, index)

/**
 * ccdm_disk_copy() - fill a structure of the caller
 * @to: a structure whose first member is its size, which stays
 * @from: the same, as this version knows it
 * @size: bytes of @from
 * @least: bytes that the structure had in its first version
 *
 * A caller that was compiled with an older, smaller structure gets its first members. Members of a newer,
 * larger structure that this version does not know become 0.
 *
 * Return: 0; -EINVAL if @to is smaller than @least.
 */
int __must_check ccdm_disk_copy(void *to, const void *from, size_t size, size_t least,
				struct ccdm_err *err);

#endif
