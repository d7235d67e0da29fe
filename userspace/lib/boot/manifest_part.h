/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * manifest_part.h - the partition with the manifest of the image
 *
 * The partition has the GPT type CCDM_GPT_MANIFEST. It holds the manifest, a JWS in compact
 * form, and then zeros (ccdm-image(1)). Nothing measures it: the signature protects it, and the
 * broker verifies that. A boot does not fail because of what stands there.
 */
#ifndef CCDM_MANIFEST_PART_H
#define CCDM_MANIFEST_PART_H

#include <stddef.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_MANIFEST_PART_SIZE 65536
/* where the initrd puts it for programs that attest later */
#define CCDM_MANIFEST_PART_FILE "/run/ccdm/manifest"

/**
 * ccdm_manifest_part_text() - the manifest in the bytes of a partition
 * @path: of the partition, for messages
 * @bytes: untrusted
 * @size: their number
 * @length: set to the length of the manifest; 0: there are only zeros
 *
 * Return: 0; -EINVAL if there is something other than a JWS and zeros.
 */
int __must_check ccdm_manifest_part_text(const char *path, const void *bytes, size_t size,
					 size_t *length, struct ccdm_err *err);

/**
 * ccdm_manifest_part_read() - read the manifest of this machine's image
 * @text: set to it, or to NULL if there is none; the caller frees it
 *
 * Return: 0; -EINVAL for other bytes; -ENOTUNIQ for more than one partition; -ENOMEM; errors of
 * open(2) and read(2).
 */
int __must_check ccdm_manifest_part_read(char **text, struct ccdm_err *err);

#endif
