/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* issue.h - keys and certificates of a broker: its CA, its server, its tokens */
#ifndef CCDM_BROKER_ISSUE_H
#define CCDM_BROKER_ISSUE_H

#include "base/compiler.h"
#include "base/err.h"

/* Write a new key on "P-256" or "P-384" to a new file of mode 0600. */
int __must_check ccdm_issue_key(const char *file, const char *curve, struct ccdm_err *err);

/**
 * struct ccdm_issue - a certificate to be made
 * @file: PEM; replaced
 * @key: file of its key
 * @cn: common name
 * @names: host names and addresses; NULL for a CA
 * @nr_names: how many
 * @ca, @ca_key: files of its issuer; NULL: self-signed
 * @days: from now on
 */
struct ccdm_issue {
	const char *file;
	const char *key;
	const char *cn;
	char **names;
	unsigned int nr_names;
	const char *ca;
	const char *ca_key;
	unsigned int days;
};

int __must_check ccdm_issue_cert(const struct ccdm_issue *want, struct ccdm_err *err);

/**
 * ccdm_issue_names_of() - read the names of a certificate
 * @names: set to copies, in their order; the caller frees them also after an error
 * @most: room in @names
 * @count: set to their number
 *
 * Return: 0; -EINVAL if it is no certificate, or has a name that ccdm_issue_cert() would not write.
 */
int __must_check ccdm_issue_names_of(const char *file, char *names[], unsigned int most,
				     unsigned int *count, struct ccdm_err *err);

/* The pin for guests: SHA-256 of a certificate's SubjectPublicKeyInfo in hexadecimal. */
int __must_check ccdm_issue_pin(const char *file, char pin[65], struct ccdm_err *err);

#endif
