/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* build.h - what the files of the verb build share */
#ifndef CCDM_IMAGE_BUILD_H
#define CCDM_IMAGE_BUILD_H

#include "image.h"
#include "image/build.h"
#include "image/policy_text.h"
#include "launches.h"

/**
 * struct build_args - the command line
 * @ask: for the library
 * @launches: launch digests that are wanted
 * @platform: what the policy asks for
 * @mrtds: array of MRTDs of firmware, for TDX; or NULL
 * @key: SHA-256 of the signer's key; "" if the image is not signed
 * @why: which IDs are unknown, and why; or ""
 * @json: the report goes to standard output, too
 * @progress: a bar on a terminal, lines of JSON, or nothing
 * @stage: the one that the bar is of
 */
struct build_args {
	struct ccdm_build_ask ask;
	struct ccdm_image_launches launches;
	enum ccdm_policy_platform platform;
	json_t *mrtds;
	char key[65];
	char why[700];
	bool json;
	struct ccdm_progress progress;
	char stage[32];
};

/**
 * build_seal() - sign the manifest of the finished disk, if a key is given, and write its policy
 * @boot: the finished disk
 * @launches: array of launch digests
 *
 * Return: 0; -EINVAL for an unusable key, an unknown enclave ID, or a policy that lacks something;
 * -ENOMEM; errors of open(2) and write(2).
 */
int __must_check build_seal(struct build_args *a, struct ccdm_build *b,
			    const struct ccdm_bootable *boot, const json_t *launches,
			    struct ccdm_err *err);

/**
 * build_report() - the inputs of the build, its result, and what a boot of it will measure
 * @disk: the finished disk
 * @launches: launch digests, or NULL; stays the caller's
 *
 * No path and no time of this machine is in it: the same input gives the same report.
 *
 * Return: the object; NULL: out of memory.
 */
json_t *build_report(const struct build_args *a, const struct ccdm_build *b,
		     const struct ccdm_image_disk *disk, json_t *launches);

#endif
