/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* firmware.h - UEFI firmware for QEMU on this machine */
#ifndef CCDM_FIRMWARE_H
#define CCDM_FIRMWARE_H

#include <limits.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_firmware - files of OVMF
 * @code: the program
 * @vars: its variables, as they are at the beginning; "": @code holds them, too
 */
struct ccdm_firmware {
	char code[PATH_MAX];
	char vars[PATH_MAX];
};

/**
 * ccdm_firmware_find() - find the firmware
 * @file: the file with the program; NULL: look where distributions install it. The variables are in
 *	the same folder, in the file whose name has VARS in place of CODE
 *
 * Return: 0; -ENOENT with the package in @err.
 */
int __must_check ccdm_firmware_find(const char *file, struct ccdm_firmware *firmware,
				    struct ccdm_err *err);

#endif
