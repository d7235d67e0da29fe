/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * runtime.h - config.json and workload.json of a workload's partition
 *
 * config.json is the configuration of OCI's runtime-spec 1.0.2, complete except for the secrets
 * that become variables. workload.json says how the VM runs it; boot/workload_json.h is its reader.
 * The same input gives the same text.
 */
#ifndef CCDM_RUNTIME_H
#define CCDM_RUNTIME_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "image_config.h"
#include "rootfs.h"
#include "workload.h"

/**
 * struct ccdm_runtime_input - what they are made of
 * @image_name: of the container image, for messages
 * @image: its configuration
 * @workload: workload.yaml
 * @product: name of the product, if workload.yaml has none
 * @fs: the container's files, with those of workload.yaml
 * @seccomp_name, @seccomp, @seccomp_size: the base's seccomp profile, as a text
 */
struct ccdm_runtime_input {
	const char *image_name;
	const struct ccdm_image_config *image;
	const struct ccdm_workload *workload;
	const char *product;
	const struct ccdm_rootfs *fs;
	const char *seccomp_name;
	const char *seccomp;
	size_t seccomp_size;
};

/**
 * struct ccdm_runtime - both texts
 * @config, @config_size: config.json
 * @workload, @workload_size: workload.json
 * @said: array of warnings for the builder of an image: settings that weaken the sandbox, or show
 *	data to the host
 */
struct ccdm_runtime {
	char *config;
	size_t config_size;
	char *workload;
	size_t workload_size;
	json_t *said;
};

/**
 * ccdm_runtime_make() - both texts
 * @runtime: filled; ccdm_runtime_drop() frees what it holds, after an error, too
 *
 * Return: 0; -EINVAL for a user or group that the image does not know, nothing to run, a mount that
 * the sandbox does not allow, an unusable seccomp profile; -ENOMEM.
 */
int __must_check ccdm_runtime_make(const struct ccdm_runtime_input *in,
				   struct ccdm_runtime *runtime, struct ccdm_err *err);

void ccdm_runtime_drop(struct ccdm_runtime *runtime); /* accepts zeros */

#endif
