/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * base_make.h - make a base: Debian packages, ccdm built for their kernel, an initrd, a file system
 *
 * Two roots are made of locked packages: one that builds, and the base. userspace/image/base in
 * ccdm's sources says what is in them, and which steps run in the first one.
 */
#ifndef CCDM_BASE_MAKE_H
#define CCDM_BASE_MAKE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "base_fetch.h"

/**
 * struct ccdm_base_ask - what is asked for
 * @source: where packages come from; without snapshot and mirror: the mirror of this machine's apt
 * @sources: ccdm's sources, or NULL: those that belong to this program
 * @lock: path of the lock file
 * @update_lock: write it; otherwise it must name exactly the packages that are installed
 * @output: path of the base's folder; must not exist
 * @name: of the base; NULL: SUITE-SVN
 * @svn: security version number
 * @step: called when a stage begins, with its number; may be NULL
 * @arg: argument of the callback
 */
struct ccdm_base_ask {
	struct ccdm_base_source source;
	const char *sources;
	const char *lock;
	bool update_lock;
	const char *output;
	const char *name;
	uint64_t svn;
	void (*step)(void *arg, const char *stage, unsigned int done, unsigned int all);
	void *arg;
};

/**
 * ccdm_base_make() - make the folder of a base
 *
 * Everything is made in the folder "OUTPUT.tmp", which is gone afterwards. Needs root.
 *
 * Return: 0; -EPERM without root; -EEXIST; -ECANCELED if a package is not as the lock file says;
 * -EHOSTUNREACH; -ENOENT without a program; -EINVAL, -ENOSPC, -EINTR, -ENOMEM, -EIO.
 */
int __must_check ccdm_base_make(const struct ccdm_base_ask *ask, struct ccdm_err *err);

#endif
