/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* device.h - properties and content of a block device */
#ifndef CCDM_DEVICE_H
#define CCDM_DEVICE_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_device - a block device
 * @path: as given
 * @bytes: size
 * @read_only: as the kernel says
 * @sector: logical block size
 * @signature: "ext4 file system", "gpt partition table"; empty if none is known
 * @fs_block: block size of its file system, 0 if unknown
 */
struct ccdm_device {
	const char *path;
	uint64_t bytes;
	int read_only;
	unsigned int sector;
	char signature[96];
	unsigned int fs_block;
};

/* Examine @path without writing. -ENOTBLK, -ENOENT, -EACCES, -EIO ... */
int __must_check ccdm_device_look(const char *path, struct ccdm_device *device,
				  struct ccdm_err *err);

/* For ccdm_device_look(): set the signature of an open device that is not empty. -EIO, -ENOMEM */
int __must_check ccdm_device_probe(int fd, struct ccdm_device *device, struct ccdm_err *err);

/*
 * Discard the whole device with this number, "MAJOR:MINOR". It needs no udev. -EOPNOTSUPP if it has no
 * discard.
 */
int __must_check ccdm_device_discard(const char *number, struct ccdm_err *err);

#endif
