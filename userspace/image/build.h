/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* build.h - what the files of the verb build share */
#ifndef CCDM_IMAGE_BUILD_H
#define CCDM_IMAGE_BUILD_H

#include "image.h"
#include "image/build.h"
#include "launches.h"

/**
 * struct build_args - the command line
 * @ask: for the library
 * @launches: launch digests that are wanted
 * @json: the report goes to standard output, too
 * @progress: a bar on a terminal, lines of JSON, or nothing
 * @stage: the one that the bar is of
 */
struct build_args {
	struct ccdm_build_ask ask;
	struct ccdm_image_launches launches;
	bool json;
	struct ccdm_progress progress;
	char stage[32];
};

/**
 * build_report() - what was built of what, and what a boot of it will measure
 * @disk: the finished disk
 * @launches: launch digests, or NULL; stays the caller's
 *
 * No path and no time of this machine is in it: the same input gives the same report.
 *
 * Return: the object; NULL: out of memory.
 */
json_t *build_report(const struct ccdm_build *b, const struct ccdm_image_disk *disk,
		     json_t *launches);

#endif
