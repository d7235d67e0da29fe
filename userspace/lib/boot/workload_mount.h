/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* workload_mount.h - the workload's partition, its writable root and its volumes */
#ifndef CCDM_WORKLOAD_MOUNT_H
#define CCDM_WORKLOAD_MOUNT_H

#include "base/compiler.h"
#include "base/err.h"
#include "workload_json.h"

/* The folders of the running system, on the encrypted root. */
#define CCDM_WORKLOAD_STATE   "/var/lib/ccdm/workload"
#define CCDM_WORKLOAD_VOLUMES "/var/lib/ccdm/volumes"

/* Mount the partition under dm-verity, read-only, at CCDM_WORKLOAD_RO; and the reverse. */
int __must_check ccdm_workload_mount_ro(struct ccdm_err *err);
int __must_check ccdm_workload_mount_undo(struct ccdm_err *err);

/*
 * Mount a ramfs for the bundle at CCDM_WORKLOAD_BUNDLE, and in it the container's root: an overlay
 * of the partition, with what the workload writes in CCDM_WORKLOAD_STATE.
 */
int __must_check ccdm_workload_mount_bundle(struct ccdm_err *err);
int __must_check ccdm_workload_mount_rootfs(struct ccdm_err *err);

/**
 * ccdm_workload_mount_volumes() - make the volumes
 * @w: the workload
 * @rootfs: folder with the container's files
 * @to: folder of the volumes; each gets a folder with its number
 *
 * A volume has the owner, the mode and the content that its folder has in the image. Links in
 * the path are followed inside of @rootfs.
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_workload_mount_volumes(const struct ccdm_workload_json *w, const char *rootfs,
					     const char *to, struct ccdm_err *err);

#endif
