/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* find.h - devices by path, by PARTUUID, or by our GPT type, waited for through udev */
#ifndef CCDM_FIND_H
#define CCDM_FIND_H

#include <stddef.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_find_device() - a block device, as soon as it is there
 * @what: a path, "PARTUUID=...", or NULL for the partition of our GPT type
 * @seconds: how long to wait
 * @path: set to its path
 * @size: bytes of @path
 *
 * Looks again whenever udev has an event, until udev has nothing more to do and
 * there is one.
 *
 * Return: 0, -ENODEV after @seconds, -ENOTUNIQ if there is more than one.
 */
int __must_check ccdm_find_device(const char *what, unsigned int seconds, char *path, size_t size,
				  struct ccdm_err *err);

/* Wait until @path is there, whatever it is, or @seconds are over. */
void ccdm_find_node(const char *path, unsigned int seconds);

#endif
