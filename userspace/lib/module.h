/* SPDX-License-Identifier: Apache-2.0 */
/* module.h - the kernel module, through libkmod */
#ifndef CCDM_MODULE_H
#define CCDM_MODULE_H

#include "ui.h"

/**
 * ccdm_module_need() - have the target in the kernel, in a version we know
 *
 * Loads dm-ccdm if need be. Return: 0; -ENOENT no module; -EPERM; -ECANCELED
 * the module speaks another version of the table line, or the kernel refused it.
 */
int ccdm_module_need(struct ccdm_err *err);

#endif
