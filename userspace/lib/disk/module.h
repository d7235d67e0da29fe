/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* module.h - the kernel module, through libkmod */
#ifndef CCDM_MODULE_H
#define CCDM_MODULE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * ccdm_module_need() - ensure that the kernel has the target in a supported version
 *
 * Loads dm-ccdm if need be. Return: 0; -ENOENT no module; -EPERM; -ECANCELED
 * the module has another version of the table line, or the kernel refused it.
 */
int __must_check ccdm_module_need(struct ccdm_err *err);

/* Check the target's version: -ECANCELED if its table line has another version. */
int __must_check ccdm_module_version(const uint32_t version[3], struct ccdm_err *err);

/**
 * struct ccdm_module_state - where the kernel module is
 * @there: installed for the running kernel, or part of it
 * @active: loaded, or part of the kernel
 * @signer: who signed the installed file; empty: nobody
 */
struct ccdm_module_state {
	bool there;
	bool active;
	char signer[128];
};

/* Find dm-ccdm without loading it. */
void ccdm_module_find(struct ccdm_module_state *state);

/**
 * ccdm_module_insert() - load and initialise a module unless it is built in
 * @name: of the module, or an alias
 *
 * Return: 0; -ENOENT no such module; -ECANCELED it is on the blacklist; errors of the kernel.
 */
int __must_check ccdm_module_insert(const char *name);

#endif
