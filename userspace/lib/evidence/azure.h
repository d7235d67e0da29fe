/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * azure.h - evidence of a confidential VM under Azure's paravisor
 *
 * The TEE's report covers runtime data, in it stands the key of the paravisor's vTPM,
 * and that key signs the quote. (Microsoft, "Azure confidential VM: guest attestation
 * design", HCL report in NV index 0x01400001.)
 */
#ifndef CCDM_AZURE_H
#define CCDM_AZURE_H

#include "base/compiler.h"
#include "snp.h"
#include "tdx.h"
#include "tpm_quote.h"

#define CCDM_HCL_MAX 65536 /* bytes */

/**
 * struct ccdm_azure - evidence, parsed
 * @version: of the KBS evidence: 0, 1 or 2; of 2 the user data is bound as well
 * @quote: of the vTPM
 * @hcl, @hcl_size: HCL report
 * @runtime: what the TEE's report covers, in @hcl
 * @claims: the same, parsed
 * @hash: TPM_ALG_ID of the hash in the TEE's report data
 * @ak: the vTPM's key, from @claims
 * @is_tdx: of a TDX guest, else of SNP
 * @snp: the TEE's report, of SNP
 * @tdx: the TEE's quote, of TDX, in @td_quote
 * @td_quote, @td_quote_size: its bytes
 */
struct ccdm_azure {
	unsigned int version;
	struct ccdm_tpm_quote quote;
	uint8_t *hcl;
	size_t hcl_size;
	const uint8_t *runtime;
	size_t runtime_size;
	json_t *claims;
	uint16_t hash;
	struct ccdm_pubkey *ak;
	bool is_tdx;
	struct ccdm_snp snp;
	struct ccdm_tdx tdx;
	uint8_t *td_quote;
	size_t td_quote_size;
};

/* Frees what it holds; accepts zeros. */
void ccdm_azure_drop(struct ccdm_azure *az);

/**
 * ccdm_azure_parse() - TEE "az-snp-vtpm" (versions 0, 1, 2) or "az-tdx-vtpm" (0, 1)
 * @evidence: untrusted
 * @az: filled
 * @certs: gets the VCEK
 * @vcek: set to it, or NULL
 *
 * Return: 0; -EINVAL with the member's name in @err; -ENOMEM.
 */
int __must_check ccdm_azure_parse(const json_t *evidence, struct ccdm_azure *az,
				  struct ccdm_certs *certs, const struct ccdm_cert **vcek,
				  struct ccdm_err *err);

/**
 * ccdm_azure_hcl() - parse an HCL report
 * @az: @hcl and @hcl_size are set, untrusted; what stands behind them is filled, up to @ak
 *
 * Return: 0, -EINVAL.
 */
int __must_check ccdm_azure_hcl(struct ccdm_azure *az, struct ccdm_err *err);

/* True if the TEE's report covers the runtime data; false if both were read during an update. */
bool __must_check ccdm_azure_whole(const struct ccdm_azure *az);

/* True if its user data begins with this nonce, of at most CCDM_DIGEST_MAX bytes. */
bool __must_check ccdm_azure_bound(const struct ccdm_azure *az, const uint8_t *nonce, size_t size);

/**
 * struct ccdm_azure_want - requirements
 * @snp, @tdx: of the TEE's report, of which only one is used; report data is ours to say
 * @nonce, @nonce_size: what the vTPM's quote must be for; NULL for anything
 */
struct ccdm_azure_want {
	struct ccdm_snp_want snp;
	struct ccdm_tdx_want tdx;
	const uint8_t *nonce;
	size_t nonce_size;
};

/**
 * ccdm_azure_verify() - verify it, from the TEE down to the registers
 * @facts: what the registers held
 * @v: checks of the TEE by their own names, of the vTPM with "tpm-" before them
 *
 * Return: 0 for any verdict; -EINVAL if the certificates in it are none; -ENOMEM.
 */
int __must_check ccdm_azure_verify(struct ccdm_azure *az, const struct ccdm_azure_want *want,
				   struct ccdm_tpm_facts *facts, struct ccdm_verdict *v,
				   struct ccdm_err *err);

#endif
