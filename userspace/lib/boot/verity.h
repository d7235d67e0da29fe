/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* verity.h - base and workload: read-only devices under dm-verity, without a superblock */
#ifndef CCDM_VERITY_H
#define CCDM_VERITY_H

#include "base/compiler.h"
#include "config.h"

#define CCDM_VERITY_PANIC " 1 panic_on_corruption"

/* Parameters of the tree behind the devices, as the table line has them. */
void ccdm_verity_tail(const struct ccdm_config_verity *verity, char *text, size_t size);

/**
 * ccdm_verity_value() - format the parameters for measuring
 * @verity: the parameters
 * @text: set to the table line without its two devices
 * @size: bytes of @text
 */
void ccdm_verity_value(const struct ccdm_config_verity *verity, char *text, size_t size);

/**
 * ccdm_verity_open() - map a device under dm-verity
 * @verity: parameters
 * @name: of the mapping, CCDM_BASE_NAME or CCDM_WORKLOAD_NAME
 * @what: its name in messages: "base"
 * @data, @hash: the devices' paths
 *
 * It reads the first block before any other reader can: so a wrong root hash
 * is an error message, where the mapping itself would halt the machine.
 *
 * Return: 0, -ENOSPC (a device is too small), -EBADMSG (root hash), or the kernel's.
 */
int __must_check ccdm_verity_open(const struct ccdm_config_verity *verity, const char *name,
				  const char *what, const char *data, const char *hash,
				  struct ccdm_err *err);

/**
 * struct ccdm_base_fs - the file system of the base
 * @type: "ext4", empty if none is known
 * @block: its block size
 * @dirty: its journal needs a replay (ext4 only)
 */
struct ccdm_base_fs {
	char type[32];
	unsigned int block;
	bool dirty;
};

int __must_check ccdm_verity_fs(const char *path, struct ccdm_base_fs *fs, struct ccdm_err *err);

#endif
