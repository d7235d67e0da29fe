/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* inspect.h - declarations that the files of ccdm-image inspect share */
#ifndef CCDM_IMAGE_INSPECT_H
#define CCDM_IMAGE_INSPECT_H

#include "image.h"
#include "image/manifest_status.h"

/* inspect_signer.c: the manifest as an object; NULL: out of memory */
json_t *inspect_signer_json(const struct ccdm_manifest_status *s);

/* The same as lines. Return: 0, -ENOMEM, -EIO */
int __must_check inspect_signer_print(const struct ccdm_manifest_status *s);

/*
 * inspect_base.c: compare with the base in a folder, and print the result. Return: an exit code;
 * CCDM_EXIT_REFUSED: the disk differs from it
 */
enum ccdm_exit __must_check inspect_base(const char *folder, const struct ccdm_image_disk *disk,
					 bool as_json);

#endif
