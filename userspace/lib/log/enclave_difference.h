/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* enclave_difference.h - how the events of two enclave IDs differ, from their texts (enclave_id.h) */
#ifndef CCDM_ENCLAVE_DIFFERENCE_H
#define CCDM_ENCLAVE_DIFFERENCE_H

#include <stdbool.h>
#include "base/compiler.h"

/* "tpm" or "tdx"; NULL: @text, which is untrusted, is not the text of an enclave ID. */
const char *ccdm_enclave_text_platform(const char *text);

/* True if both are of the same platform and bank: only then their events can be compared. */
bool __must_check ccdm_enclave_text_alike(const char *a, const char *b);

/**
 * ccdm_enclave_difference() - compare two texts, register by register
 * @expected, @found: texts of enclave IDs that are alike
 * @say: called with a line for each event that differs: "pcr11, event 6 (content of section
 *	.cmdline): expected HEX, found HEX"; another result than 0 ends the walk and is returned.
 *	NULL: only count
 * @count: set to the number of these lines
 *
 * In each register, what is equal at its beginning and at its end is left out.
 *
 * Return: 0; what @say said; -ENOMEM; -EIO.
 */
int __must_check ccdm_enclave_difference(const char *expected, const char *found,
					 int (*say)(const char *line, void *arg), void *arg,
					 unsigned int *count);

#endif
