/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* manifest_status.h - the manifest on a disk, compared with the disk and with another manifest */
#ifndef CCDM_MANIFEST_STATUS_H
#define CCDM_MANIFEST_STATUS_H

#include "manifest_disk.h"

/* The relation between a manifest and the disk that it is on. */
enum ccdm_manifest_state {
	CCDM_MANIFEST_NONE,    /* there is none */
	CCDM_MANIFEST_INVALID, /* malformed, or its signature is not valid */
	CCDM_MANIFEST_OTHER,   /* it lists no ID of this disk */
	CCDM_MANIFEST_PARTLY,  /* it lists some of them, or further ones for a TPM or a TD */
	CCDM_MANIFEST_SAME,    /* it lists all of them, and no other for a TPM or a TD */
	CCDM_MANIFEST_UNKNOWN, /* the disk has no known ID */
};

/**
 * struct ccdm_manifest_status - the manifest of a disk
 * @state: what it says
 * @manifest: zeros without a valid one
 * @why: of an invalid one
 * @ids, @events: of the disk, as it is predicted
 */
struct ccdm_manifest_status {
	enum ccdm_manifest_state state;
	struct ccdm_manifest manifest;
	char why[512];
	json_t *ids;
	json_t *events;
};

/**
 * ccdm_manifest_status() - read the manifest of a disk, and predict its IDs
 * @s: filled; ccdm_manifest_status_drop() ends it
 *
 * Return: 0, also for an invalid manifest; -EINVAL; -ENOMEM; -EIO; errors of read(2).
 */
int __must_check ccdm_manifest_status(const struct ccdm_bootable *b, struct ccdm_manifest_status *s,
				      struct ccdm_err *err);
void ccdm_manifest_status_drop(struct ccdm_manifest_status *s); /* accepts zeros */

/**
 * ccdm_manifest_events() - the events in which the disk differs from its manifest's image
 * @text: text of an ID of the disk
 * @say: called with each event, as one line; another result than 0 ends the walk and is returned
 *
 * @say is not called if the manifest has this text, or no text to compare it with.
 *
 * Return: 0; the result of @say; -ENOMEM; -EIO.
 */
int __must_check ccdm_manifest_events(const struct ccdm_manifest *m, const char *text,
				      int (*say)(const char *line, void *arg), void *arg);

/**
 * ccdm_manifest_difference() - list how the manifest @b differs from @a
 * @say: called with each difference, as one line; another result than 0 ends the walk and is returned
 *
 * Return: 0; the result of @say; -ENOMEM.
 */
int __must_check ccdm_manifest_difference(const struct ccdm_manifest_status *a,
					  const struct ccdm_manifest_status *b,
					  int (*say)(const char *line, void *arg), void *arg);

#endif
