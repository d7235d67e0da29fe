/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* module.h - the kernel module, through libkmod */
#ifndef CCDM_MODULE_H
#define CCDM_MODULE_H

#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_module_need() - have the target in the kernel, in a version we know
 *
 * Loads dm-ccdm if need be. Return: 0; -ENOENT no module; -EPERM; -ECANCELED
 * the module speaks another version of the table line, or the kernel refused it.
 */
int __must_check ccdm_module_need(struct ccdm_err *err);

/**
 * ccdm_module_insert() - have a module loaded and initialised, or built in
 * @name: of the module, or an alias
 *
 * Return: 0; -ENOENT no such module; -ECANCELED it is on the blacklist; what the kernel says.
 */
int __must_check ccdm_module_insert(const char *name);

#endif
