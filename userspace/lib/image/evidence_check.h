/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* evidence_check.h - does evidence prove that a machine runs the image of a disk? */
#ifndef CCDM_EVIDENCE_CHECK_H
#define CCDM_EVIDENCE_CHECK_H

#include "bootable.h"
#include "evidence/offline.h"

/* What the evidence proves about the image. */
enum ccdm_evidence_image {
	CCDM_EVIDENCE_NOT_PROVED, /* the evidence proves no ID, or the disk has no known one */
	CCDM_EVIDENCE_THIS_IMAGE,
	CCDM_EVIDENCE_OTHER_IMAGE,
};

/**
 * struct ccdm_evidence_check - the result
 * @verdict: on the evidence itself; its @allow is set by the caller
 * @proof: facts, if it is accepted
 * @image: only of accepted evidence
 * @ids, @events: of the disk, as it is predicted
 * @why: why nothing is proved; else ""
 */
struct ccdm_evidence_check {
	struct ccdm_verdict verdict;
	struct ccdm_proof proof;
	enum ccdm_evidence_image image;
	json_t *ids;
	json_t *events;
	char why[700];
};

/**
 * ccdm_evidence_check() - verify evidence, and compare its enclave ID with the disk's
 * @b: the disk
 * @launches: array of launch digests that prove the image (snp_launch.h); NULL: none
 * @file: what "ccdm-setup evidence --nonce NONCE" printed; may be compressed with gzip; untrusted
 * @nonce: the nonce that the verifier chose
 * @files: with which options
 * @c: zero except for @verdict.allow; filled; ccdm_evidence_check_drop() ends it, also after an
 *	error
 *
 * The evidence must be bound to @nonce, so that it is not older than the nonce.
 *
 * Return: 0 for any result; -EINVAL for a file that is no such evidence; -ENOMEM; -EIO; errors of
 * open(2) and read(2).
 */
int __must_check ccdm_evidence_check(const struct ccdm_bootable *b, const json_t *launches,
				     const char *file, const char *nonce,
				     const struct ccdm_offline_files *files,
				     struct ccdm_evidence_check *c, struct ccdm_err *err);
void ccdm_evidence_check_drop(struct ccdm_evidence_check *c);

/**
 * ccdm_evidence_differences() - the events in which the machine differs from the disk
 * @say: called with each, as one line; another result than 0 ends the walk and is returned
 *
 * Return: 0; the result of @say; -ENOMEM; -EIO.
 */
int __must_check ccdm_evidence_differences(const struct ccdm_evidence_check *c,
					   int (*say)(const char *line, void *arg), void *arg);

#endif
