/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* base_root.h - the root in which a base is built, and its steps */
#ifndef CCDM_BASE_ROOT_H
#define CCDM_BASE_ROOT_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_base_step() - run one step of userspace/image/base/steps in the build root
 * @root: the build root, with ccdm's source tree in /build/ccdm
 * @work: folder that the step finds at /mnt
 * @date: SOURCE_DATE_EPOCH
 * @step: "product"
 *
 * The step sees /proc, /sys and /dev, has mounts and processes of its own, and leaves none behind.
 *
 * Return: 0, -EIO with the last lines of its messages, -ENOENT, -ENOSPC, -EINTR, -EACCES.
 */
int __must_check ccdm_base_step(const char *root, const char *work, int64_t date, const char *step,
				struct ccdm_err *err);

#endif
