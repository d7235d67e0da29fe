/* SPDX-License-Identifier: Apache-2.0 */
/* verify_input.h - ccdm-setup verify: the forms in which files hold evidence */
#ifndef CCDM_VERIFY_INPUT_H
#define CCDM_VERIFY_INPUT_H

#include "../lib/snp.h"

/**
 * verify_input_certs() - add the certificates and revocation lists of a file
 * @certs: the set
 * @file: path; NULL adds nothing
 * @first: set to the first certificate; -EINVAL if there is none. May be NULL
 *
 * Return: 0, -errno.
 */
int verify_input_certs(struct ccdm_certs *certs, const char *file, const struct ccdm_cert **first,
		       struct ccdm_err *err) __attribute__((warn_unused_result));

/**
 * verify_input_text() - decode hex or base64 text of a report or a quote
 * @bytes, @size: untrusted; replaced if they are such a text, in which white space counts for
 *	nothing; raw bytes stay as they are
 *
 * Return: 0, -ENOMEM.
 */
int verify_input_text(char **bytes, size_t *size) __attribute__((warn_unused_result));

/**
 * verify_input_unwrap() - take evidence out of {"platform" | "tee": NAME, "evidence": {...}}
 * @kind: of the evidence that is wanted, as verify names it
 * @json: untrusted; replaced by the evidence. Any other object stays as it is
 *
 * Return: 0; -EINVAL: NAME is another kind.
 */
int verify_input_unwrap(const char *kind, json_t **json, struct ccdm_err *err)
	__attribute__((warn_unused_result));

/**
 * verify_input_table() - an SNP report with the host's table of certificates behind it
 * @bytes, @size: untrusted
 * @json: set to the same as KBS evidence; NULL for a report alone, and for what is shorter
 *
 * Return: 0; -EINVAL: the table leads out of itself; -ENOMEM.
 */
int verify_input_table(const char *bytes, size_t size, json_t **json, struct ccdm_err *err)
	__attribute__((warn_unused_result));

#endif
