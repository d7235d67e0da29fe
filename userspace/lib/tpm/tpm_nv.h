/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* tpm_nv.h - NV indices of a TPM (TCG TPM 2.0 Library, Part 1, "NV Memory") */
#ifndef CCDM_TPM_NV_H
#define CCDM_TPM_NV_H

#include <stddef.h>
#include "base/compiler.h"
#include "tpm.h"

/**
 * ccdm_tpm_nv_read() - read a whole index
 * @index: its handle, 0x01......
 * @bytes: room for @max bytes
 * @size: set to how many there are
 *
 * Return: 0; -ENOENT if it does not exist or is empty; -EFBIG; -EIO; -ENOMEM.
 */
int __must_check ccdm_tpm_nv_read(struct ccdm_tpm *tpm, uint32_t index, uint8_t *bytes, size_t max,
				  size_t *size, struct ccdm_err *err);

/**
 * ccdm_tpm_nv_write() - write the beginning of an index, which is created if necessary
 * @index: its handle
 * @bytes, @size: at most 512
 *
 * With an empty authorization, of the index or of the owner.
 *
 * Return: 0, -EIO, -ENOMEM.
 */
int __must_check ccdm_tpm_nv_write(struct ccdm_tpm *tpm, uint32_t index, const uint8_t *bytes,
				   size_t size, struct ccdm_err *err);

#endif
