/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* verify.h - declarations that the files of ccdm-image verify share */
#ifndef CCDM_IMAGE_VERIFY_H
#define CCDM_IMAGE_VERIFY_H

#include "evidence/offline.h"
#include "image.h"
#include "launches.h"

/**
 * struct verify_evidence_args - options of verify --evidence
 * @file, @nonce: of the evidence
 * @files: what it is verified with
 * @launches: launch digests that count as the image
 */
struct verify_evidence_args {
	const char *file;
	const char *nonce;
	struct ccdm_offline_files files;
	struct ccdm_image_launches launches;
	bool json;
};

/* verify_evidence.c: verify, and print the result. Return: an exit code */
enum ccdm_exit __must_check verify_evidence(const struct verify_evidence_args *a,
					    const struct ccdm_image_disk *disk);

#endif
