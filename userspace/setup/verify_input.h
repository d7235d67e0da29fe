/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* verify_input.h - ccdm-setup verify: the forms in which files hold evidence */
#ifndef CCDM_VERIFY_INPUT_H
#define CCDM_VERIFY_INPUT_H

#include "base/compiler.h"
#include "evidence/capture.h"
#include "evidence/snp.h"

/**
 * verify_input_certs() - add the certificates and revocation lists of a file
 * @certs: the set
 * @file: path; NULL adds nothing
 * @first: set to the first certificate; -EINVAL if there is none. May be NULL
 *
 * Return: 0, -errno.
 */
int __must_check verify_input_certs(struct ccdm_certs *certs, const char *file,
				    const struct ccdm_cert **first, struct ccdm_err *err);

/**
 * verify_input_file() - read evidence or a log, in whichever form it is
 * @file: path; may be gzip'ed
 * @max: size limit in bytes, as it is and unpacked
 * @text: hex or base64 text stands for the bytes, or for gzip data of them; white space in it
 *	counts for nothing
 * @bytes, @size: set to the raw bytes, or to what is neither such a text nor gzip'ed as it is;
 *	untrusted, and with no NUL behind them. The caller frees them
 *
 * It is unpacked once: gzip data in gzip data is an error.
 *
 * Return: 0; -EFBIG; -EINVAL: gzip data that is not whole; -ENOMEM; errors of open(2) and read(2).
 */
int __must_check verify_input_file(const char *file, size_t max, bool text, char **bytes,
				   size_t *size, struct ccdm_err *err);

/**
 * verify_input_json() - read a JSON object, if it begins as one
 * @file: its name, for messages
 * @bytes, @size: untrusted
 * @json: set; NULL for what is no object
 *
 * Return: 0; -EINVAL: it begins as an object and is none, or has a member twice.
 */
int __must_check verify_input_json(const char *file, const char *bytes, size_t size, json_t **json,
				   struct ccdm_err *err);

/**
 * verify_input_unwrap() - take evidence out of {"platform" | "tee": NAME, "evidence": {...}}
 * @kind: of the evidence that is wanted, as verify names it; NULL: any
 * @json: untrusted; replaced by the evidence. Any other object stays as it is, and a capture does
 * @found: set to the kind that NAME says; NULL: any other object
 *
 * Return: 0; -EINVAL: NAME is another kind.
 */
int __must_check verify_input_unwrap(const char *kind, json_t **json, const char **found,
				     struct ccdm_err *err);

/**
 * verify_input_table() - an SNP report with the host's table of certificates behind it
 * @bytes, @size: untrusted
 * @json: set to the same as KBS evidence; NULL for a report alone, and for what is shorter
 *
 * Return: 0; -EINVAL: the table leads out of itself; -ENOMEM.
 */
int __must_check verify_input_table(const char *bytes, size_t size, json_t **json,
				    struct ccdm_err *err);

/* A raw quote of TDX as KBS evidence. Return: 0, -ENOMEM. */
int __must_check verify_input_quote(const char *bytes, size_t size, json_t **json,
				    struct ccdm_err *err);

#endif
