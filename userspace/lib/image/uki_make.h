/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * uki_make.h - make a unified kernel image: append sections to a stub
 *
 * ukify does the same, but Debian 12 has none. (Microsoft PE Format; UAPI Group Specification UPK.1)
 */
#ifndef CCDM_UKI_MAKE_H
#define CCDM_UKI_MAKE_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"

#define CCDM_UKI_MAKE_PIECES 4

/**
 * struct ccdm_uki_part - a section
 * @name: ".initrd"
 * @piece: its content, in pieces that follow one another; @pieces of them
 */
struct ccdm_uki_part {
	const char *name;
	struct ccdm_piece piece[CCDM_UKI_MAKE_PIECES];
	unsigned int pieces;
};

/**
 * ccdm_uki_make() - append sections to a stub
 * @name: of the stub, for messages
 * @stub, @stub_size: untrusted
 * @part, @parts: sections in the order of the file; ".linux" is executable
 * @bytes, @size: set to the UKI, which the caller frees
 *
 * The stub's sections keep their places in memory. Bytes after them in the file (symbols, in a stub
 * that was not stripped) are left out. The function computes the checksum of the headers.
 *
 * Return: 0; -EINVAL if the stub is unusable: no PE file, signed, has a section of this name, has
 * no room for the headers; -EFBIG above 1 GiB; -ENOMEM.
 */
int __must_check ccdm_uki_make(const char *name, const uint8_t *stub, size_t stub_size,
			       const struct ccdm_uki_part *part, unsigned int parts,
			       uint8_t **bytes, size_t *size, struct ccdm_err *err);

#endif
