/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* base_pack.h - the files of a base out of a root and an initrd */
#ifndef CCDM_BASE_PACK_H
#define CCDM_BASE_PACK_H

#include <jansson.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_base_pack - what becomes a base
 * @work: folder with root/, initrd.dracut, vmlinuz, stub, os-release, seccomp.json, and one line
 *	each in kernel, version and words (userspace/image/base/steps writes them); it also gets
 *	temporary files
 * @build: a root with zstd; one root has one version of it, so its output is always the same
 * @out: empty folder on the file system of @work that gets the files
 * @name: "trixie-7"
 * @svn: security version number
 * @date: seconds since 1970; later times of files become this one
 * @suite: "trixie"
 * @source: "snapshot STAMP" or "mirror"
 * @sources: SHA-256 of ccdm's sources, in hex
 * @packages: array of {name, version, arch, sha256}
 */
struct ccdm_base_pack {
	const char *work;
	const char *build;
	const char *out;
	const char *name;
	uint64_t svn;
	int64_t date;
	const char *suite;
	const char *source;
	const char *sources;
	json_t *packages;
};

/* Return: 0; -EINVAL, -ENOENT without a program, -ENOSPC, -EINTR, -ENOMEM, -EIO. */
int __must_check ccdm_base_pack(const struct ccdm_base_pack *pack, struct ccdm_err *err);

#endif
