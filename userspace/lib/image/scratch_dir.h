/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* scratch_dir.h - a temporary folder, which the program removes before it ends */
#ifndef CCDM_SCRATCH_DIR_H
#define CCDM_SCRATCH_DIR_H

#include "base/compiler.h"
#include "base/err.h"

#define CCDM_SCRATCH_DIR 64

/*
 * Make a folder of mode 0700 in $TMPDIR or /var/tmp. (/tmp often is memory.) Its path is short
 * enough for a socket in it. Return: 0, -EINVAL for a long $TMPDIR, errors of mkdtemp(3).
 */
int __must_check ccdm_scratch_dir_make(char path[CCDM_SCRATCH_DIR], struct ccdm_err *err);

/* Remove it with everything in it. */
void ccdm_scratch_dir_remove(const char *path);

#endif
