/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* base_cache.h - .deb files of earlier runs, of which some are used again */
#ifndef CCDM_BASE_CACHE_H
#define CCDM_BASE_CACHE_H

#include "base/compiler.h"
#include "base/err.h"
#include "lock.h"

/**
 * ccdm_base_cache() - copy the packages of a lock file
 * @cache: folder with .deb files, untrusted
 * @lock: the packages, with the SHA-256 of each .deb
 * @folder: is made. It gets those of the packages that are in @cache with this SHA-256
 *
 * The copy is hashed: a later change in @cache has no effect.
 *
 * Return: 0; -EINVAL if something else than a file has the name of a package; -EINTR; errors of
 * open(2), read(2) and write(2).
 */
int __must_check ccdm_base_cache(const char *cache, const struct ccdm_lock *lock,
				 const char *folder, struct ccdm_err *err);

#endif
