/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* base_release.h - the times in the Release files that apt fetched and verified */
#ifndef CCDM_BASE_RELEASE_H
#define CCDM_BASE_RELEASE_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_base_date() - the newest date of the repositories that a root came from
 * @root: with apt's lists in var/lib/apt/lists
 * @date: seconds since 1970
 *
 * Return: 0; -EINVAL without a Release file, or for one whose times cannot be read; errors of
 * opendir(3), open(2) and read(2).
 */
int __must_check ccdm_base_date(const char *root, int64_t *date, struct ccdm_err *err);

/**
 * ccdm_base_of_time() - check that the repositories that a root came from were those of a time
 * @root: with apt's lists in var/lib/apt/lists
 * @time: seconds since 1970
 *
 * Each Release file must have a Date that is not later. If it has a Valid-Until, this must not be
 * earlier. (The suites of stable releases have none.)
 *
 * Return: as ccdm_base_date(); -EHOSTUNREACH for a Release file of another time.
 */
int __must_check ccdm_base_of_time(const char *root, int64_t time, struct ccdm_err *err);

#endif
