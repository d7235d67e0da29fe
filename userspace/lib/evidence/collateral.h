/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * collateral.h - Intel's data of platforms, TDX modules and quoting enclaves
 *
 * TCB info (version 3) and the identity of the quoting enclave (version 2), each a
 * JSON text that Intel signs byte by byte. (Intel SGX and TDX Provisioning
 * Certification Service, API version 4.)
 */
#ifndef CCDM_COLLATERAL_H
#define CCDM_COLLATERAL_H

#include "base/compiler.h"
#include "crypto/x509.h"

#define CCDM_COLLATERAL_MAX (1 << 20) /* bytes of a file */

/**
 * struct ccdm_signed - a JSON text and its signature
 * @text, @size: what is signed
 * @signature: r, s on P-256
 * @json: the text, parsed; NULL: there is none
 */
struct ccdm_signed {
	char *text;
	size_t size;
	uint8_t signature[64];
	json_t *json;
};

/**
 * struct ccdm_collateral - TCB info and QE identity
 * @tcb: TCB info
 * @qe: identity of the quoting enclave
 */
struct ccdm_collateral {
	struct ccdm_signed tcb;
	struct ccdm_signed qe;
};

/* Frees what it holds; accepts zeros. */
void ccdm_collateral_drop(struct ccdm_collateral *c);

/**
 * ccdm_collateral_bundle() - one JSON object with everything
 * @what: whose text it is, for messages
 * @text, @size: untrusted: {"tcb_info", "tcb_info_signature", "qe_identity",
 *	"qe_identity_signature", "tcb_info_issuer_chain", "qe_identity_issuer_chain",
 *	"pck_crl_issuer_chain", "root_ca_crl", "pck_crl"}; lists and signatures in
 *	hexadecimal, chains in PEM; all but the first four may be missing
 * @c: filled
 * @certs: gets chains and lists
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int __must_check ccdm_collateral_bundle(const char *what, const char *text, size_t size,
					struct ccdm_collateral *c, struct ccdm_certs *certs,
					struct ccdm_err *err);

/* An answer of the service: {"tcbInfo": {...}, "signature": HEX}, or "enclaveIdentity" */
int __must_check ccdm_collateral_tcb(const char *what, const char *text, size_t size,
				     struct ccdm_collateral *c, struct ccdm_err *err);
int __must_check ccdm_collateral_qe(const char *what, const char *text, size_t size,
				    struct ccdm_collateral *c, struct ccdm_err *err);

/**
 * struct ccdm_platform - the platform, from a quote and its PCK certificate
 * @fmspc, @pceid: which platform
 * @sgx_svn, @pcesvn: security versions
 * @tdx_svn: of the TDX module and its loader
 * @mrsignerseam, @seamattributes: of the module, 48 and 8 bytes
 * @qe_report: of the quoting enclave, 384 bytes
 */
struct ccdm_platform {
	uint8_t fmspc[6];
	uint8_t pceid[2];
	uint8_t sgx_svn[16];
	uint16_t pcesvn;
	const uint8_t *tdx_svn;
	const uint8_t *mrsignerseam;
	const uint8_t *seamattributes;
	const uint8_t *qe_report;
};

/**
 * ccdm_collateral_check() - judge a platform
 * @c: the collateral; untrusted until this function has verified its signer's chain
 * @certs: set with the signers
 * @anchors, @nr_anchors: roots
 * @at: time of evaluation
 * @p: the platform
 * @v: checks "tcb-info-...", "tcb", "module...", "qe-..."
 *
 * Return: 0 for any verdict; -ENOMEM.
 */
int __must_check ccdm_collateral_check(const struct ccdm_collateral *c,
				       const struct ccdm_certs *certs,
				       const struct ccdm_anchor *anchors, unsigned int nr_anchors,
				       int64_t at, const struct ccdm_platform *p,
				       struct ccdm_verdict *v);

/**
 * ccdm_collateral_genuine() - verify that both are Intel's and current, for any platform
 *
 * As ccdm_collateral_check(), for a caller that stores them. @v: complete.
 */
int __must_check ccdm_collateral_genuine(const struct ccdm_collateral *c,
					 const struct ccdm_certs *certs,
					 const struct ccdm_anchor *anchors, unsigned int nr_anchors,
					 int64_t at, struct ccdm_verdict *v);

/* Get the FMSPC of the TCB info. Return: false if it has none. */
bool __must_check ccdm_collateral_fmspc(const struct ccdm_collateral *c, uint8_t fmspc[6]);

/**
 * struct ccdm_signed_info - dates and number
 * @from, @to: issueDate and nextUpdate, seconds since 1970; -1: it does not say
 * @number: tcbEvaluationDataNumber; -1: it does not say
 */
struct ccdm_signed_info {
	int64_t from, to;
	int64_t number;
};

void ccdm_signed_info(const struct ccdm_signed *s, struct ccdm_signed_info *info);

#endif
