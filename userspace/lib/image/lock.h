/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * lock.h - the lock file of a base: which Debian packages make it
 *
 * A text, sorted:
 *
 *	suite trixie
 *	date 1764547200
 *	package adduser 3.152 all SHA256
 *
 * "#" begins a comment. The SHA-256 is that of the .deb file.
 */
#ifndef CCDM_LOCK_H
#define CCDM_LOCK_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_LOCK_MAX	   (4 << 20) /* bytes of a lock file */
#define CCDM_LOCK_PACKAGES 20000

/**
 * struct ccdm_package - a package
 * @name: "libc6"
 * @version: "2.41-12"
 * @arch: "amd64" or "all"
 * @sha256: hex, of its .deb
 */
struct ccdm_package {
	char name[128];
	char version[128];
	char arch[16];
	char sha256[65];
};

/**
 * struct ccdm_lock - a lock file, or what is installed
 * @suite: "trixie"
 * @date: of the base, seconds since 1970
 * @count, @package: sorted by name and architecture after ccdm_lock_parse() and ccdm_lock_sort()
 */
struct ccdm_lock {
	char suite[32];
	int64_t date;
	size_t count, room;
	struct ccdm_package *package;
};

/* Add a copy. Return: 0, -EFBIG, -ENOMEM. */
int __must_check ccdm_lock_add(struct ccdm_lock *lock, const struct ccdm_package *package,
			       struct ccdm_err *err);

/*
 * Sort, and keep one of equal packages: two roots may have the same. Return: 0; -EINVAL for two
 * versions or contents of one package.
 */
int __must_check ccdm_lock_sort(struct ccdm_lock *lock, struct ccdm_err *err);

/**
 * ccdm_lock_parse() - read a lock file
 * @file: its name, for messages
 * @text, @size: untrusted
 * @lock: filled; the caller ends with ccdm_lock_free(), also after an error
 *
 * Return: 0; -EINVAL for a line that is not valid, for two lines of one package, or for a file without
 * suite, date or packages; -ENOMEM.
 */
int __must_check ccdm_lock_parse(const char *file, const char *text, size_t size,
				 struct ccdm_lock *lock, struct ccdm_err *err);

/* The text of a lock file, which the caller frees; NULL: out of memory. */
char *ccdm_lock_text(const struct ccdm_lock *lock);
void ccdm_lock_free(struct ccdm_lock *lock);

/**
 * ccdm_lock_compare() - compare the packages that are installed with those of a lock file
 * @file: name of the lock file, for messages
 * @lock: the lock file
 * @found: what is installed; both are sorted
 *
 * Return: 0; -ECANCELED with package, expected and found in @err.
 */
int __must_check ccdm_lock_compare(const char *file, const struct ccdm_lock *lock,
				   const struct ccdm_lock *found, struct ccdm_err *err);

/* Array of {name, version, arch, sha256}; NULL: out of memory. */
json_t *ccdm_lock_json(const struct ccdm_lock *lock);

#endif
