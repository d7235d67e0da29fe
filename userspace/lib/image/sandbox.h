/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * sandbox.h - the rules that keep a workload in its container, in one place
 *
 * The builder of an image can weaken its sandbox, but only by keys of workload.yaml, and ccdm-image
 * prints a warning for each. The configuration of the container image cannot weaken it.
 *
 * - A path of a volume, tmpfs, secret or file is resolved in the container's files first. So a
 *   symbolic link of the image leads nowhere else.
 * - None of them may be at or below /proc, /sys, /dev or /run/secrets, be / or be one of the three
 *   files of /etc that ccdm writes. So no mount covers a masked or read-only path.
 * - An image in which /proc, /sys or /dev is not a folder is refused.
 * - A secret is not a variable that chooses which code runs: its value comes from the broker, and
 *   is not measured.
 */
#ifndef CCDM_SANDBOX_H
#define CCDM_SANDBOX_H

#include <stdbool.h>
#include "base/compiler.h"
#include "base/err.h"
#include "rootfs.h"

#define CCDM_SANDBOX_SECRETS "/run/secrets"

/* The reason why nothing may be put at an absolute path; NULL: it may. */
const char *ccdm_sandbox_reserved(const char *path);

/* True if a secret may be the value of this variable. */
bool __must_check ccdm_sandbox_variable(const char *name);

/* The kinds of things that are put at a path. */
enum ccdm_sandbox_kind {
	CCDM_SANDBOX_MOUNT, /* a mount of workload.yaml or of the image */
	CCDM_SANDBOX_FILE,  /* a file of the tree, which replaces a symbolic link at its end */
	CCDM_SANDBOX_OWN,   /* a mount of ccdm's own: of the files in /etc, of secrets */
};

/**
 * ccdm_sandbox_resolve() - where a path leads in the container
 * @fs: the container's files
 * @path: absolute; parts of it may be missing
 * @kind: what is put there
 * @to: set to an absolute path without links, ".", ".." or doubled slashes, CCDM_ROOTFS_PATH + 1
 *	bytes
 * @node: set to what is there; NULL: nothing
 *
 * Return: 0; -EINVAL if it may not be put there; -ENOTDIR, -ELOOP, -ENAMETOOLONG.
 */
int __must_check ccdm_sandbox_resolve(const struct ccdm_rootfs *fs, const char *path,
				      enum ccdm_sandbox_kind kind, char *to,
				      const struct ccdm_rootfs_node **node, struct ccdm_err *err);

/**
 * ccdm_sandbox_root() - check the folders that the runtime mounts over
 *
 * An image in which /proc is a symbolic link could have its masked paths elsewhere.
 *
 * Return: 0; -EINVAL if /proc, /sys or /dev is there and no folder.
 */
int __must_check ccdm_sandbox_root(const struct ccdm_rootfs *fs, struct ccdm_err *err);

#endif
