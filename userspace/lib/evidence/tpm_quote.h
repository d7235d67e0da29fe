/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * tpm_quote.h - quotes: a TPM's signed statement of its registers
 *
 * (TCG TPM 2.0 Library, Part 2, "TPMS_ATTEST"; taken apart by tss2-mu.)
 */
#ifndef CCDM_TPM_QUOTE_H
#define CCDM_TPM_QUOTE_H

#include "base/compiler.h"
#include "crypto/pubkey.h"
#include "base/verdict.h"

#define CCDM_TPM_PCRS	   24
#define CCDM_TPM_QUOTE_MAX 4096 /* bytes of a TPMS_ATTEST */

/**
 * struct ccdm_tpm_quote - TPMS_ATTEST, signature and registers
 * @message, @size: what was signed
 * @signature: of it
 * @pcrs: of bank @bank, as the evidence says
 * @nr_pcrs: how many
 * @bank: TPM_ALG_ID
 */
struct ccdm_tpm_quote {
	uint8_t message[CCDM_TPM_QUOTE_MAX];
	size_t size;
	struct ccdm_signature signature;
	uint8_t pcrs[CCDM_TPM_PCRS][CCDM_DIGEST_MAX];
	unsigned int nr_pcrs;
	uint16_t bank;
};

/**
 * struct ccdm_tpm_facts - facts that an accepted quote proves
 * @bank: TPM_ALG_ID
 * @covered: bit i: register i was quoted, and pcr[i] is what it held; the others were not
 * @pcr: their values
 */
struct ccdm_tpm_facts {
	uint16_t bank;
	uint32_t covered;
	uint8_t pcr[CCDM_TPM_PCRS][CCDM_DIGEST_MAX];
};

/* TPMT_SIGNATURE. Return: 0, -EINVAL. */
int __must_check ccdm_tpm_signature_parse(const void *bytes, size_t size,
					  struct ccdm_signature *signature, struct ccdm_err *err);

/* Check that it is a TPMS_ATTEST. Return: 0, -EINVAL. */
int __must_check ccdm_tpm_quote_parse(const struct ccdm_tpm_quote *quote, struct ccdm_err *err);

/**
 * ccdm_tpm_quote_verify() - verify that a key signed these registers for a nonce
 * @quote: all of it untrusted, parsed before
 * @ak: the attestation key; the caller must establish trust in it
 * @nonce, @nonce_size: required nonce; NULL for any
 * @prefix: of the checks' names
 * @facts: filled
 * @v: checks "quote-type", "signature-hash", "signature", "pcr-selection", "pcr-list",
 *     "pcr-digest", "report-data"
 *
 * Return: 0 for any verdict; -ENOMEM.
 */
int __must_check ccdm_tpm_quote_verify(const struct ccdm_tpm_quote *quote,
				       const struct ccdm_pubkey *ak, const uint8_t *nonce,
				       size_t nonce_size, const char *prefix,
				       struct ccdm_tpm_facts *facts, struct ccdm_verdict *v);

#endif
