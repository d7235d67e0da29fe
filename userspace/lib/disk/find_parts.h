/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* find_parts.h - the parts of find.h that depend on libraries, and what they use */
#ifndef CCDM_FIND_PARTS_H
#define CCDM_FIND_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/compiler.h"

/**
 * struct ccdm_find - a search
 * @what: as for ccdm_find_device()
 * @any: any kind of file, not only a block device
 * @path: receives the path
 * @size: bytes of @path
 */
struct ccdm_find {
	const char *what;
	bool any;
	char *path;
	size_t size;
};

/* A GUID of a partition. */
enum ccdm_find_key {
	CCDM_FIND_UUID,
	CCDM_FIND_TYPE,
};

/* Search once. Return: how many devices there are. */
unsigned int __must_check ccdm_find_now(const struct ccdm_find *f);

/* Is @path a partition of a GPT with this GUID? Upper and lower case are the same. */
bool __must_check ccdm_find_partition(const char *path, enum ccdm_find_key key, const char *guid);

/* Search now and at each event. Return: 0, and @found; -EIO if there are no events. */
int __must_check ccdm_find_wait(const struct ccdm_find *f, unsigned int seconds,
				unsigned int *found);

#endif
