/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* base_packages.h - the packages of a root that mmdebstrap made */
#ifndef CCDM_BASE_PACKAGES_H
#define CCDM_BASE_PACKAGES_H

#include <limits.h>
#include "base/compiler.h"
#include "base/err.h"
#include "lock.h"

/* "FOLDER/NAME_VERSION_ARCH.deb", as apt names the file. Return: 0, -ENAMETOOLONG. */
int __must_check ccdm_base_deb(const char *folder, const struct ccdm_package *package,
			       char path[PATH_MAX]);

/**
 * ccdm_base_packages() - add what is installed in a root, with the hash of each .deb
 * @root: with var/lib/dpkg/status, and the .deb files in var/cache/apt/archives
 * @found: what is installed is added
 *
 * Return: 0; -EINVAL for a package that is not fully installed, or without its .deb; -ENOMEM; errors
 * of open(2) and read(2).
 */
int __must_check ccdm_base_packages(const char *root, struct ccdm_lock *found,
				    struct ccdm_err *err);

#endif
