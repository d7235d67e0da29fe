/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * tpm_ak.h - a TPM's attestation key, and its quotes
 *
 * The key is a primary key of the endorsement hierarchy, on P-256, restricted to data of the
 * TPM itself. It is the same at every boot, and is stored nowhere. (TCG TPM 2.0
 * Library, Part 1, "Primary Object".)
 */
#ifndef CCDM_TPM_AK_H
#define CCDM_TPM_AK_H

#include "base/compiler.h"
#include "tpm.h"
#include "evidence/tpm_quote.h"

/**
 * struct ccdm_tpm_signed - a quote of all 24 registers of a bank
 * @message, @message_size: TPMS_ATTEST
 * @signature, @signature_size: TPMT_SIGNATURE
 * @bank: TPM_ALG_ID
 * @pcr: the registers, as they were quoted
 * @ak, @ak_size: the key, DER of a SubjectPublicKeyInfo
 * @ak_cert, @ak_cert_size: its certificate from the provider of the TPM, DER; of size 0: none
 */
struct ccdm_tpm_signed {
	uint8_t message[CCDM_TPM_QUOTE_MAX];
	size_t message_size;
	uint8_t signature[1024];
	size_t signature_size;
	uint16_t bank;
	uint8_t pcr[CCDM_TPM_PCRS][CCDM_DIGEST_MAX];
	uint8_t ak[1024];
	size_t ak_size;
	uint8_t ak_cert[4096];
	size_t ak_cert_size;
};

/* True if the provider of this TPM certifies an attestation key of it, as Google does. */
bool __must_check ccdm_tpm_ak_certified(struct ccdm_tpm *tpm);

/**
 * ccdm_tpm_quote() - let the TPM sign its registers
 * @handle: of a key that is kept: @out->ak is empty; 0: the one that the provider of the TPM
 *	certifies, or ours if there is none
 * @nonce, @size: at most 32 bytes for ours, which every TPM takes; 48 for another
 * @out: filled
 *
 * Return: 0; -EAGAIN if registers change faster than they can be read; -EIO; -ENOMEM.
 */
int __must_check ccdm_tpm_quote(struct ccdm_tpm *tpm, uint32_t handle, const uint8_t *nonce,
				size_t size, struct ccdm_tpm_signed *out, struct ccdm_err *err);

/* The key's certificate in PEM, a text; NULL: out of memory. */
json_t *ccdm_tpm_signed_cert(const struct ccdm_tpm_signed *out);

/* The registers as an array of texts, in hexadecimal. */
json_t *ccdm_tpm_signed_pcrs(const struct ccdm_tpm_signed *out);

#endif
