/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* node.h - names of mappings in /dev/mapper, without udev */
#ifndef CCDM_NODE_H
#define CCDM_NODE_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_node_create() - make /dev/mapper/NAME
 * @name: of a mapping
 * @dev: its number, as device-mapper encodes it
 *
 * It is the symbolic link that udev would make, or a device node where /dev has no file for the
 * device. What is there already remains if it leads to the device. A link or node that an earlier
 * mapping left behind is replaced; any other file remains, and is an error.
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_node_create(const char *name, uint64_t dev, struct ccdm_err *err);

/**
 * ccdm_node_remove() - remove /dev/mapper/NAME if it is this mapping's own
 * @name: of a mapping that is closed
 * @dev: the number that it had
 *
 * If udev runs, it removes the link. Wait for that, at most 2 s: else udev could remove it after the
 * name was opened again.
 */
void ccdm_node_remove(const char *name, uint64_t dev);

#endif
