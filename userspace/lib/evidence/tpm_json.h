/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* tpm_json.h - a TPM's quote as the KBS protocol carries it */
#ifndef CCDM_TPM_JSON_H
#define CCDM_TPM_JSON_H

#include "base/compiler.h"
#include "tpm_quote.h"

/**
 * ccdm_tpm_json_parse() - TEE "tpm": {"tpm_quote": {"signature", "message", "pcrs"}, "ak_public"}
 * @evidence: untrusted
 * @quote: filled
 * @ak: set; the caller frees it
 *
 * Return: 0; -EINVAL with the member's name in @err; -ENOMEM.
 */
int __must_check ccdm_tpm_json_parse(const json_t *evidence, struct ccdm_tpm_quote *quote,
				     struct ccdm_pubkey **ak, struct ccdm_err *err);

/* "pcrs": 24 or fewer, in hexadecimal; the bank is known by their length. */
int __must_check ccdm_tpm_json_pcrs(const json_t *pcrs, struct ccdm_tpm_quote *quote,
				    struct ccdm_err *err);

#endif
