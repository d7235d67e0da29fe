/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* esp.h - an EFI system partition that holds one UKI, the same bytes for the same UKI */
#ifndef CCDM_ESP_H
#define CCDM_ESP_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_esp_make() - make a FAT32 file system with EFI/BOOT/BOOTX64.EFI
 * @uki: path of the UKI
 * @id: serial number of the file system
 * @date: seconds since 1970, for the entries
 * @file: path; a file that exists is replaced. The caller removes it after an error
 * @size: set to its bytes, whole MiB
 *
 * Return: 0, -ENOENT without mkfs.vfat or mtools, -ENOSPC, -EINTR, -EIO with their message.
 */
int __must_check ccdm_esp_make(const char *uki, uint32_t id, int64_t date, const char *file,
			       uint64_t *size, struct ccdm_err *err);

#endif
