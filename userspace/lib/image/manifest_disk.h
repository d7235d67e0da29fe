/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* manifest_disk.h - make, sign, read and write the manifest of a disk */
#ifndef CCDM_MANIFEST_DISK_H
#define CCDM_MANIFEST_DISK_H

#include "bootable.h"
#include "evidence/manifest.h"
#include "kbs/jws_sign.h"

/**
 * ccdm_manifest_predict() - the enclave IDs that a disk will have, and their texts
 * @b: the disk, or a UKI alone
 * @ids: set to {"tpm": [HEX, ...], "tdx": [HEX]}, as manifests have them; the caller drops it.
 *	It has the IDs of both banks, and, if the UKI is signed for Secure Boot, those of a machine
 *	with Secure Boot on as well. A platform without a known ID is left out
 * @events: set to the array of their texts; the caller drops it
 * @why: of @why_size bytes; why IDs of the platforms that are left out are unknown; "" if none is
 *
 * Return: 0; -EINVAL; -ENOMEM; -EIO.
 */
int __must_check ccdm_manifest_predict(const struct ccdm_bootable *b, json_t **ids, json_t **events,
				       char *why, size_t why_size, struct ccdm_err *err);

/**
 * ccdm_manifest_fill() - complete the manifest of a disk
 * @b: the disk, or a UKI alone
 * @m: in: what the caller says: @key, the signer's; @product or ""; @svn or -1; @base, @base_svn;
 *	@image; @logs. The rest is zero. Out: complete; ccdm_manifest_drop() ends it
 * @launches: array of launch digests that prove the image, in hexadecimal; NULL: none
 * @allow_unknown: accept that the enclave IDs for a TPM are unknown, if there is another ID
 * @why: of @why_size bytes; why a platform has no ID in it; "" if each has one
 *
 * Values that the caller leaves out come from the manifest on the disk, if the same key signed it
 * and it lists an ID of this disk. Any other manifest could contain anything.
 *
 * Return: 0; -EINVAL with what is missing in @err; -ENOMEM; -EIO; errors of read(2).
 */
int __must_check ccdm_manifest_fill(const struct ccdm_bootable *b, struct ccdm_manifest *m,
				    const json_t *launches, bool allow_unknown, char *why,
				    size_t why_size, struct ccdm_err *err);

/**
 * ccdm_manifest_text() - the bytes that are signed: the manifest of ccdm_manifest_fill()
 * @key: the signer's; a public key is enough
 * @text: set; the caller frees it
 *
 * The other parameters are those of ccdm_manifest_fill(). The same disk and the same values give
 * the same bytes.
 */
int __must_check ccdm_manifest_text(const struct ccdm_bootable *b, const struct ccdm_jws_key *key,
				    struct ccdm_manifest *m, const json_t *launches,
				    bool allow_unknown, char **text, char *why, size_t why_size,
				    struct ccdm_err *err);

/**
 * ccdm_manifest_sign() - make and sign the manifest of a disk, and read it as a broker does
 * @file: private key (jws_sign.h)
 * @m: as for ccdm_manifest_fill(), but that @key comes from the file
 * @jws: set; the caller frees it, and passes it to ccdm_manifest_store()
 *
 * The rest as for ccdm_manifest_fill().
 */
int __must_check ccdm_manifest_sign(const struct ccdm_bootable *b, const char *file,
				    struct ccdm_manifest *m, const json_t *launches,
				    bool allow_unknown, char **jws, char *why, size_t why_size,
				    struct ccdm_err *err);

/* True if the manifest lists an ID of this disk, from ccdm_manifest_predict(). */
bool __must_check ccdm_manifest_is_of(const struct ccdm_manifest *m, const json_t *ids);

/**
 * ccdm_manifest_load() - read the manifest partition of a disk
 * @b: the disk; untrusted
 * @jws: set; the caller frees it; NULL: the disk has no manifest partition, or only zeros in it
 *
 * The signature is not verified here.
 *
 * Return: 0; -EINVAL: something else is in it, or there are two partitions; -ENOMEM; errors of read(2).
 */
int __must_check ccdm_manifest_load(const struct ccdm_bootable *b, char **jws,
				    struct ccdm_err *err);

/**
 * ccdm_manifest_store() - write the manifest partition of a disk, and change nothing else
 * @file: a disk image, or a block device that is not in use
 * @jws: a manifest; "" for none: the partition is filled with zeros
 *
 * The whole partition is written by one call and then synced. If the machine stops before that, the
 * partition has only a part of the manifest: its signature is not valid, and "sign" can be
 * repeated.
 *
 * Return: 0; -EINVAL: no such partition, or too small; -EBUSY: a device in use; -ENOMEM; errors of
 * open(2) and write(2).
 */
int __must_check ccdm_manifest_store(const char *file, const char *jws, struct ccdm_err *err);

#endif
