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
 * device. What is there already remains if it leads to the device.
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_node_create(const char *name, uint64_t dev, struct ccdm_err *err);

/* Remove /dev/mapper/NAME if it is there. */
void ccdm_node_remove(const char *name);

#endif
