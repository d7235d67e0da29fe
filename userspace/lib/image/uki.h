/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * uki.h - a unified kernel image, and what its stub measures of it
 *
 * (UAPI Group Specification UPK.1; systemd src/fundamental/uki.c and src/boot/stub.c of 252 and 257)
 */
#ifndef CCDM_UKI_H
#define CCDM_UKI_H

#include <stdbool.h>
#include "pe.h"

#define CCDM_UKI_MAX (1 << 30) /* bytes of a file */

/**
 * struct ccdm_uki - a unified kernel image
 * @pe: the file
 * @stub: the version that the stub claims to be, "257.13-1~deb13u1"; or empty
 * @version: 252 or 257; 0: another stub, whose measurements are unknown
 */
struct ccdm_uki {
	struct ccdm_pe pe;
	char stub[64];
	unsigned int version;
};

/*
 * Return: 0, -EINVAL for a file that is no UKI: it has no .linux, or a section that is cut off, or
 * one whose content in memory would differ from that in the file.
 */
int __must_check ccdm_uki_parse(const char *name, const uint8_t *bytes, size_t size,
				struct ccdm_uki *uki, struct ccdm_err *err);

/* uki_memory.c: check that firmware loads each measured section unchanged */
int __must_check ccdm_uki_memory(const struct ccdm_uki *uki, struct ccdm_err *err);

/*
 * The content of a section as it is in memory. Return: NULL if there is none, or an empty one:
 * stubs treat an empty section as a missing one.
 */
const uint8_t *ccdm_uki_content(const struct ccdm_uki *uki, const char *name, size_t *size);

/* Name @number of those that the stub measures, in its order; NULL after the last. */
const char *ccdm_uki_measured(const struct ccdm_uki *uki, unsigned int number);

/* The names of all sections that any stub measures; NULL after the last. */
const char *ccdm_uki_name(unsigned int number);

/**
 * ccdm_uki_kernel() - why it is not known what the kernel measures into PCR 9
 * @why: of @size bytes; set to "" if it is known: from Linux 6.1 on, command line and initrd
 */
void ccdm_uki_kernel(const struct ccdm_uki *uki, char *why, size_t size);

/**
 * ccdm_uki_unknown() - why it is not known what the stub measures into PCR 9 and 11
 * @why: of @size bytes; set to "" if it is known
 */
void ccdm_uki_unknown(const struct ccdm_uki *uki, char *why, size_t size);

/**
 * ccdm_uki_options() - the load options that the stub gives to the kernel
 * @options: set to the bytes of PCR 9's event, which the caller frees; NULL if @why says why
 *	they are not known
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_uki_options(const struct ccdm_uki *uki, uint8_t **options, size_t *size,
				  const char **why);

/**
 * ccdm_uki_initrd() - the initrd that the stub gives to the kernel, as pieces
 * @piece: at least 3
 * @extra: what the stub makes, which the caller frees
 * @count: how many pieces there are
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_uki_initrd(const struct ccdm_uki *uki, struct ccdm_piece piece[3],
				 uint8_t **extra, size_t *count);

#endif
