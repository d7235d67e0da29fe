/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * ovmf.h - the metadata of a firmware for SEV-SNP, in the table at its end
 *
 * (EDK II, OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm and OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm)
 */
#ifndef CCDM_OVMF_H
#define CCDM_OVMF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_OVMF_MAX	   (64 << 20)
#define CCDM_OVMF_SECTIONS 32
#define CCDM_OVMF_PAGE	   4096

enum ccdm_ovmf_kind {
	CCDM_OVMF_MEMORY = 1,
	CCDM_OVMF_SECRETS = 2,
	CCDM_OVMF_CPUID = 3,
	CCDM_OVMF_CAA = 4, /* of an SVSM */
	CCDM_OVMF_HASHES = 0x10,
};

/**
 * struct ccdm_ovmf_section - memory that the hypervisor prepares
 * @at, @size: guest-physical, whole pages
 * @kind: what it is for
 */
struct ccdm_ovmf_section {
	uint32_t at, size;
	enum ccdm_ovmf_kind kind;
};

/**
 * struct ccdm_ovmf - a firmware
 * @bytes, @size: the file, which stays the caller's; whole pages, up to 4 GiB in the guest
 * @reset: address where the other vCPUs start; 0: not given
 * @hashes: guest-physical address of the page for the hashes of the kernel; 0: the firmware has
 *	none
 * @count, @section: in the order of the file
 */
struct ccdm_ovmf {
	const uint8_t *bytes;
	size_t size;
	uint32_t reset;
	uint32_t hashes;
	unsigned int count;
	struct ccdm_ovmf_section section[CCDM_OVMF_SECTIONS];
};

/* Return: 0, -EINVAL with the field in @err: also for a firmware that is not for SEV-SNP. */
int __must_check ccdm_ovmf_parse(const char *name, const uint8_t *bytes, size_t size,
				 struct ccdm_ovmf *ovmf, struct ccdm_err *err);

/* True if the hypervisor puts the hashes of the kernel into measured memory. */
bool __must_check ccdm_ovmf_has_hashes(const struct ccdm_ovmf *ovmf);

#endif
