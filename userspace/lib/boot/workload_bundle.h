/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * workload_bundle.h - the bundle that crun runs: config.json, secrets, files of /etc
 *
 * The bundle is in a ramfs, which is never written to swap. Its config.json is that of the
 * workload's partition, with the secrets that the workload gets in its environment.
 */
#ifndef CCDM_WORKLOAD_BUNDLE_H
#define CCDM_WORKLOAD_BUNDLE_H

#include <stddef.h>
#include "base/compiler.h"
#include "base/err.h"
#include "workload_json.h"

#define CCDM_WORKLOAD_RO	"/run/ccdm/workload.ro"
#define CCDM_WORKLOAD_BUNDLE	"/run/ccdm/workload"
#define CCDM_WORKLOAD_CRUN	"/run/ccdm/crun" /* crun keeps its state there */
#define CCDM_WORKLOAD_CONTAINER "workload"	 /* of the container */

#define CCDM_WORKLOAD_CONFIG_MAX (4 << 20)
#define CCDM_WORKLOAD_SECRET_MAX (1 << 20)

/**
 * ccdm_workload_bundle() - fill the folder of the bundle
 * @w: the workload
 * @from: folder with the container's config.json
 * @credstore: folder with the secrets, which are removed from it
 * @to: folder of the bundle
 *
 * Makes config.json, secrets/NAME, etc/hosts, etc/hostname, and an empty etc/resolv.conf.
 *
 * Return: 0; -ENOKEY: a secret cannot be read, is larger than CCDM_WORKLOAD_SECRET_MAX, or is for
 * an environment variable and is not text; -EINVAL: config.json is not valid; -ENOMEM; errors of
 * the files.
 */
int __must_check ccdm_workload_bundle(const struct ccdm_workload_json *w, const char *from,
				      const char *credstore, const char *to, struct ccdm_err *err);

/**
 * ccdm_workload_bundle_wipe() - overwrite and remove all copies of the workload's secrets
 * @bundle: folder of the bundle: config.json and secrets/
 * @crun: folder of crun for the container, which has a copy of config.json
 *
 * A container that has a secret mounted finds an empty file. It is not an error if there is no
 * bundle. After an error the other files are wiped all the same.
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_workload_bundle_wipe(const char *bundle, const char *crun,
					   struct ccdm_err *err);

/* Write a file anew without replacing it: a container has it mounted. Nothing if it is the same. */
int __must_check ccdm_workload_bundle_update(const char *file, const char *text,
					     struct ccdm_err *err);

#endif
