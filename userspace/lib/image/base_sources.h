/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * base_sources.h - ccdm's sources: what a base compiles, and which packages it has
 *
 * Either the sources that "make install-image" installs, or a whole source tree.
 */
#ifndef CCDM_BASE_SOURCES_H
#define CCDM_BASE_SOURCES_H

#include <limits.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_base_sources_find() - find the sources
 * @given: their folder; NULL: those that belong to this program, PREFIX/share/ccdm/source of a
 *	program in PREFIX/bin, or the tree that it was built in
 * @path: set to an absolute path
 *
 * Return: 0, -ENOENT, errors of realpath(3).
 */
int __must_check ccdm_base_sources_find(const char *given, char path[PATH_MAX],
					struct ccdm_err *err);

/**
 * ccdm_base_sources_words() - add the words of a list in userspace/image/base
 * @sources: ccdm's sources
 * @name: of the list: "packages"
 * @all: words with a blank between them, or NULL; it is replaced, and the caller frees it
 *
 * Return: 0, -ENOENT, -ENAMETOOLONG, -EFBIG, -ENOMEM, errors of open(2) and read(2).
 */
int __must_check ccdm_base_sources_words(const char *sources, const char *name, char **all,
					 struct ccdm_err *err);

/* Add Debian's names of the packages that compile ccdm's programs. Return: as above, -EIO, -EINTR. */
int __must_check ccdm_base_sources_needs(const char *sources, char **all, struct ccdm_err *err);

/**
 * ccdm_base_sources_mirror() - the Debian mirror in the configuration of this machine's apt
 * @mirror: set; the caller frees it
 *
 * Return: 0, -ENOENT if there is none, -ENAMETOOLONG, -EINTR, -ENOMEM.
 */
int __must_check ccdm_base_sources_mirror(const char *sources, char **mirror, struct ccdm_err *err);

/* Copy the files that a base needs to @folder, which is made. Return: 0, -EIO, -ENOSPC, -EINTR, -ENOMEM. */
int __must_check ccdm_base_sources_copy(const char *sources, const char *folder,
					struct ccdm_err *err);

/**
 * ccdm_base_sources_digest() - hash all files of a folder
 * @folder: path without a slash at its end
 * @hex: SHA-256 of the lines that sha256sum prints for the files, "HASH  ./PATH", in the order of the
 *	bytes of their paths
 *
 * Return: 0; -EINVAL if there is none, or something else than files and folders; -ENOMEM; -EIO; errors
 * of open(2) and read(2).
 */
int __must_check ccdm_base_sources_digest(const char *folder, char hex[65], struct ccdm_err *err);

#endif
