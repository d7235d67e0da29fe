/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * manifest.h - manifest of an image by its builder: product, security version, identities
 *
 * A JWS in its compact form (RFC 7515), ES256, the key in the header as "jwk". Its payload is an
 * object:
 *
 *	product		text of 1 to 64 bytes
 *	svn		whole number, 0 to 1000000000
 *	ids		{"snp" | "tdx" | "tpm": [HEX, ...]}: enclave IDs; of snp also launch digests
 *	base		{"name": TEXT, "svn": NUMBER}: what is below the workload; may be missing
 *	workload	{"image": "sha256:HEX", "root": HEX}: digest of the container image, and root
 *			hash of its file system; may be missing
 *	logs		"journal", "none" or "console": where the workload's output goes; may be
 *			missing
 *	events		[TEXT, ...]: texts of enclave IDs (enclave_id.h), which show what an ID is made
 *			of; may be missing. The SHA-256 of a text must be in the list of its platform
 *
 * A reader refuses any other member: what it does not know could restrict what the builder says.
 *
 * On a disk a partition of the type CCDM_GPT_MANIFEST (disk/find.h) has the JWS, then zeros.
 */
#ifndef CCDM_MANIFEST_H
#define CCDM_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"

#define CCDM_MANIFEST_MAX     65536 /* bytes of its text */
#define CCDM_MANIFEST_TYP     "ccdm-manifest"
#define CCDM_MANIFEST_SVN     1000000000 /* the highest */
#define CCDM_MANIFEST_PRODUCT 63	 /* bytes of a product that a policy can name */

/**
 * struct ccdm_manifest - its content; it counts only for a policy that names @key
 * @key: SHA-256 of the signer's SubjectPublicKeyInfo, in hexadecimal digits
 * @product: 1 to 64 bytes
 * @svn: security version, which grows with each security fix
 * @ids: object of arrays of hexadecimal digits
 * @base: name of the base; "" if it names none
 * @base_svn: security version of the base; -1 if there is none
 * @image: digest of the container image, or ""
 * @root: root hash of the workload's file system, or ""
 * @logs: a word, or ""
 * @events: array of texts, or NULL
 */
struct ccdm_manifest {
	char key[65];
	char product[65];
	int64_t svn;
	json_t *ids;
	char base[65];
	int64_t base_svn;
	char image[72];
	char root[129];
	char logs[16];
	json_t *events;
};

/**
 * ccdm_manifest_read() - verify the signature, and parse the manifest
 * @text: untrusted
 * @m: filled; free it with ccdm_manifest_drop()
 *
 * Return: 0; -EINVAL: malformed, or an invalid signature; -ENOMEM.
 */
int __must_check ccdm_manifest_read(const char *text, struct ccdm_manifest *m,
				    struct ccdm_err *err);

/**
 * ccdm_manifest_put() - put what a manifest says of base, workload and logs into an object
 * @object: as of ccdm_json_put(); gets the members that the manifest's payload has
 */
void ccdm_manifest_put(const struct ccdm_manifest *m, json_t **object);

/**
 * ccdm_manifest_payload() - the payload that ccdm_manifest_read() reads
 * @m: @key is not in it
 * @payload: set; the caller drops it
 *
 * Return: 0; -EINVAL with the member in @err: the reader would refuse it; -ENOMEM.
 */
int __must_check ccdm_manifest_payload(const struct ccdm_manifest *m, json_t **payload,
				       struct ccdm_err *err);

void ccdm_manifest_drop(struct ccdm_manifest *m); /* accepts zeros */

/* True if the manifest lists one of @ids, an array of strings, for @platform. */
bool __must_check ccdm_manifest_lists(const struct ccdm_manifest *m, const char *platform,
				      const json_t *ids);

/**
 * ccdm_manifest_nearest() - find the text in the manifest with the fewest other events
 * @text: of another enclave ID
 * @nearest: set to it; it lives as long as @m. NULL: the manifest has no text of this platform and bank
 * @count: set to the number of events that differ
 *
 * Return: 0, -ENOMEM, -EIO.
 */
int __must_check ccdm_manifest_nearest(const struct ccdm_manifest *m, const char *text,
				       const char **nearest, unsigned int *count);

#endif
