/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* input.h - the file formats of evidence */
#ifndef CCDM_INPUT_H
#define CCDM_INPUT_H

#include "base/compiler.h"
#include "capture.h"
#include "snp.h"

/**
 * ccdm_input_certs() - add the certificates and revocation lists of a file
 * @certs: the set
 * @file: path; NULL adds nothing
 * @first: set to the first certificate; -EINVAL if the file has none. May be NULL
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_input_certs(struct ccdm_certs *certs, const char *file,
				  const struct ccdm_cert **first, struct ccdm_err *err);

/**
 * ccdm_input_file() - read evidence or a log in any of its forms
 * @file: path; the file may be compressed with gzip
 * @max: size limit in bytes, for the file and for the unpacked data
 * @text: decode hex or base64 text, whose content may be gzip data; white space is ignored
 * @bytes, @size: set to the raw bytes, or to the file's own bytes if it is neither such text nor
 * gzip data. They are untrusted, and no NUL follows them. The caller frees them
 *
 * Data is unpacked once: gzip data inside gzip data is an error.
 *
 * Return: 0; -EFBIG; -EINVAL: incomplete gzip data; -ENOMEM; errors of open(2) and read(2).
 */
int __must_check ccdm_input_file(const char *file, size_t max, bool text, char **bytes,
				 size_t *size, struct ccdm_err *err);

/**
 * ccdm_input_json() - parse a JSON object if the text begins like one
 * @file: its name, for messages
 * @bytes, @size: untrusted
 * @json: set to the object; NULL if the text does not begin with '{'
 *
 * Return: 0; -EINVAL: the object is malformed, or has a member twice.
 */
int __must_check ccdm_input_json(const char *file, const char *bytes, size_t size, json_t **json,
				 struct ccdm_err *err);

/**
 * ccdm_input_unwrap() - take evidence out of {"platform" | "tee": NAME, "evidence": {...}}
 * @kind: the kind that is wanted, in verify's terms; NULL: any
 * @json: untrusted; replaced by the evidence. A capture and any other object stay unchanged
 * @found: set to the kind that NAME means; NULL for any other object
 *
 * Return: 0; -EINVAL: NAME is another kind.
 */
int __must_check ccdm_input_unwrap(const char *kind, json_t **json, const char **found,
				   struct ccdm_err *err);

/**
 * ccdm_input_table() - convert an SNP report that the host's certificate table follows
 * @bytes, @size: untrusted
 * @json: set to the same evidence in the form of the KBS protocol; NULL if no table follows the
 * report, or if the bytes are shorter than a report
 *
 * Return: 0; -EINVAL: the table points outside of itself; -ENOMEM.
 */
int __must_check ccdm_input_table(const char *bytes, size_t size, json_t **json,
				  struct ccdm_err *err);

/* Convert a raw TDX quote into evidence of the KBS protocol. Return: 0, -ENOMEM. */
int __must_check ccdm_input_quote(const char *bytes, size_t size, json_t **json,
				  struct ccdm_err *err);

#endif
