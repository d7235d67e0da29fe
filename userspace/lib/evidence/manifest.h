/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * manifest.h - manifest of an image by its builder: product, security version, identities
 *
 * A JWS in its compact form (RFC 7515), ES256, the key in the header as "jwk":
 * {"product": TEXT, "svn": NUMBER, "ids": {"snp" | "tdx" | "tpm": [HEX, ...]}}.
 */
#ifndef CCDM_MANIFEST_H
#define CCDM_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"

#define CCDM_MANIFEST_MAX 65536 /* bytes of its text */

/**
 * struct ccdm_manifest - its content; it counts only for a policy that names @key
 * @key: SHA-256 of the signer's SubjectPublicKeyInfo, in hexadecimal digits
 * @product: 1 to 64 bytes
 * @svn: security version, which grows with each security fix
 * @ids: object of arrays of hexadecimal digits
 */
struct ccdm_manifest {
	char key[65];
	char product[65];
	int64_t svn;
	json_t *ids;
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

void ccdm_manifest_drop(struct ccdm_manifest *m); /* accepts zeros */

/* True if the manifest lists one of @ids, an array of strings, for @platform. */
bool __must_check ccdm_manifest_lists(const struct ccdm_manifest *m, const char *platform,
				      const json_t *ids);

#endif
