/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * credstore.h - where secrets wait for services: /run/credstore, in memory alone
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

/* Mount it, unless that is done. */
int __must_check ccdm_credstore_open(struct ccdm_err *err);

/**
 * ccdm_credstore_put() - a secret under a name, readable for root alone
 * @name: a file's
 * @path: REPO/TYPE/TAG; a TYPE "cryptsetup" becomes /run/cryptsetup-keys.d/TAG.key, too
 */
int __must_check ccdm_credstore_put(const char *name, const char *path, const void *bytes,
				    size_t size, struct ccdm_err *err);

/* Remove everything. It is no error if there is nothing. */
int __must_check ccdm_credstore_drop(struct ccdm_err *err);

#endif
