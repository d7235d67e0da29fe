/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* open.h - open a mapping in two steps: examine the devices, then map */
#ifndef CCDM_OPEN_H
#define CCDM_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include "base/compiler.h"
#include "device.h"

/**
 * struct ccdm_open - options of a mapping
 * @device: path of the backing device
 * @name: of the mapping
 * @cipher: suite, NULL for the default
 * @on_tamper: NULL for the default
 * @origin: path, or NULL
 * @uuid: 32 hex digits, NULL for random ones
 * @cache: bytes, 0 for the default
 * @size: bytes of the mapping, 0 for all that fits
 * @allow_discards: pass discards down
 * @allow_kdump: open even if a crash kernel is loaded
 */
struct ccdm_open {
	const char *device;
	const char *name;
	const char *cipher;
	const char *on_tamper;
	const char *origin;
	const char *uuid;
	uint64_t cache;
	uint64_t size;
	bool allow_discards;
	bool allow_kdump;
};

/**
 * struct ccdm_open_facts - properties of the devices
 * @device: the backing device
 * @origin: the origin, if there is one
 * @blocks: length of the mapping
 */
struct ccdm_open_facts {
	struct ccdm_device device;
	struct ccdm_device origin;
	uint64_t blocks;
};

/* True if cipher, on_tamper and uuid are valid; else *@wrong is set to the first invalid one. */
bool __must_check ccdm_open_words(const struct ccdm_open *o, const char **wrong);

/* Check name, devices and sizes; writes nothing. -EROFS, -ENOSPC, -EINVAL, ... */
int __must_check ccdm_open_look(const struct ccdm_open *o, struct ccdm_open_facts *facts,
				struct ccdm_err *err);

/* Room for the table line after "ccdm": with length and type it fits into 4096 bytes. */
#define CCDM_OPEN_PARAMS 4000

/* Write the table line, what follows "ccdm", into @params. -EINVAL: it does not fit into @size bytes. */
int __must_check ccdm_open_params(const struct ccdm_open *o, char *params, size_t size,
				  struct ccdm_err *err);

/* Create the mapping: the content of the device is lost. */
int __must_check ccdm_open_map(const struct ccdm_open *o, const struct ccdm_open_facts *facts,
			       struct ccdm_err *err);

#endif
