/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* find.h - find devices by path, PARTUUID or GPT type, and wait for them through udev */
#ifndef CCDM_FIND_H
#define CCDM_FIND_H

#include <stddef.h>
#include "base/compiler.h"
#include "base/err.h"

/* GPT type of a partition with the manifest of an image: its JWS (RFC 7515), then zeros. */
#define CCDM_GPT_MANIFEST "75cfb889-bd78-46a5-bac0-bfd43cb16330"

#define CCDM_FIND_BLANK "blank"

/**
 * ccdm_find_device() - wait for a block device
 * @what: a path; "PARTUUID=..." or "PARTTYPE=..." of a GPT; CCDM_FIND_BLANK for the whole disk
 *	that has neither a partition table nor another signature; NULL for the partition of
 *	the GPT type of a scratch
 * @seconds: how long to wait
 * @path: set to its path
 * @size: bytes of @path
 *
 * Retries at each event of udev, until udev is idle and
 * there is a device.
 *
 * Return: 0, -ENODEV after @seconds, -ENOTUNIQ if there is more than one.
 */
int __must_check ccdm_find_device(const char *what, unsigned int seconds, char *path, size_t size,
				  struct ccdm_err *err);

/* Wait until @path exists, at most @seconds. */
void ccdm_find_node(const char *path, unsigned int seconds);

#endif
