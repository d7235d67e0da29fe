/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* whiteout.h - entries of a layer that remove what lower layers have (OCI image spec, layer.md) */
#ifndef CCDM_WHITEOUT_H
#define CCDM_WHITEOUT_H

#include "base/compiler.h"
#include "base/err.h"
#include "rootfs.h"

/**
 * enum ccdm_whiteout - what an entry of a layer is
 * @CCDM_WHITEOUT_NONE: a file, a folder, a link, ...
 * @CCDM_WHITEOUT_NAME: ".wh.NAME": removes NAME
 * @CCDM_WHITEOUT_ALL: ".wh..wh..opq": removes all that is in the folder
 * @CCDM_WHITEOUT_AUFS: notes of AUFS in the root, ".wh..wh.plnk" and such; they have no effect
 */
enum ccdm_whiteout {
	CCDM_WHITEOUT_NONE,
	CCDM_WHITEOUT_NAME,
	CCDM_WHITEOUT_ALL,
	CCDM_WHITEOUT_AUFS,
};

/* Find out the kind of the entry at @path. Return: 0, -EINVAL for any other name with ".wh.". */
int __must_check ccdm_whiteout_of(const char *path, enum ccdm_whiteout *kind, struct ccdm_err *err);

/**
 * ccdm_whiteout_apply() - remove what the layers before fs->layer have
 * @path: of the whiteout
 * @kind: what it is; not CCDM_WHITEOUT_NONE
 *
 * Nothing happens if there is nothing to remove.
 *
 * Return: 0, and the errors of ccdm_rootfs_parent() except -ENOENT and -ENOTDIR.
 */
int __must_check ccdm_whiteout_apply(struct ccdm_rootfs *fs, const char *path,
				     enum ccdm_whiteout kind, struct ccdm_err *err);

#endif
