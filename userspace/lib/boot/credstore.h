/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * credstore.h - secrets for services in /run/credstore, only in memory
 *
 * systemd looks there for LoadCredential=NAME and ImportCredential= (systemd.exec(5)). It
 * is a ramfs: unlike tmpfs it is never written to swap.
 */
#ifndef CCDM_CREDSTORE_H
#define CCDM_CREDSTORE_H

#include <stddef.h>
#include <string.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_CREDSTORE "/run/credstore"

/* Of REPO/TYPE/TAG: the volume whose key it is to systemd-cryptsetup, TAG; NULL: of another TYPE. */
static inline const char *ccdm_credstore_volume(const char *path)
{
	const char *type = strchr(path, '/');

	/* coverage: a path has three parts */
	return type && !strncmp(type, "/cryptsetup/", 12) ? type + 12 : NULL;
}

/* Mount it unless it is mounted. */
int __must_check ccdm_credstore_open(struct ccdm_err *err);

/**
 * ccdm_credstore_put() - store a secret under a name, readable only for root
 * @name: a file's
 * @path: REPO/TYPE/TAG; a TYPE "cryptsetup" becomes /run/cryptsetup-keys.d/TAG.key, too
 */
int __must_check ccdm_credstore_put(const char *name, const char *path, const void *bytes,
				    size_t size, struct ccdm_err *err);

/* Remove all secrets. It is not an error if there are none. */
int __must_check ccdm_credstore_drop(struct ccdm_err *err);

#endif
