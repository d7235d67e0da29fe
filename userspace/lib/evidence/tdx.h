/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * tdx.h - quotes of Intel TDX
 *
 * (Intel TDX DCAP Quoting Library API, "Quote Format", versions 4 and 5; Intel SGX PCK
 * Certificate and Certificate Revocation List Profile Specification.)
 */
#ifndef CCDM_TDX_H
#define CCDM_TDX_H

#include "base/compiler.h"
#include "collateral.h"

#define CCDM_TDX_QUOTE_MAX 65536 /* bytes */

/**
 * struct ccdm_tdx - a quote, parsed
 * @version: 4 or 5; of another one only the members up to @tee_type count
 * @key_type: 2: ECDSA on P-256
 * @tee_type: 0x81: TDX
 * @qe_vendor: who made the quoting enclave
 * @body_type: 2: TD 1.0, 3: TD 1.5, which adds @tcb_svn2 and @mrservicetd
 * @signed_size: bytes from the beginning that @signature covers
 * @signature: r, s of @key over them
 * @key: X, Y of the attestation key
 * @qe_report: report of the quoting enclave, 384 bytes
 * @qe_signature: r, s of the PCK's key over it
 * @auth, @auth_size: what the quoting enclave hashed beside @key
 * @chain, @chain_size: PEM of the PCK's certificate and those above it
 *
 * Pointers point into the quote.
 */
struct ccdm_tdx {
	uint16_t version;
	uint16_t key_type;
	uint32_t tee_type;
	const uint8_t *qe_vendor;
	uint16_t body_type;
	const uint8_t *tcb_svn;
	const uint8_t *mrseam;
	const uint8_t *mrsignerseam;
	const uint8_t *seamattributes;
	const uint8_t *tdattributes;
	const uint8_t *xfam;
	const uint8_t *mrtd;
	const uint8_t *mrconfigid;
	const uint8_t *mrowner;
	const uint8_t *mrownerconfig;
	const uint8_t *rtmr[4];
	const uint8_t *report_data;
	const uint8_t *tcb_svn2;
	const uint8_t *mrservicetd;
	const uint8_t *quote;
	size_t signed_size;
	const uint8_t *signature;
	const uint8_t *key;
	const uint8_t *qe_report;
	const uint8_t *qe_signature;
	const uint8_t *auth;
	size_t auth_size;
	const uint8_t *chain;
	size_t chain_size;
};

/* True if version, TEE and key type are known, so that the other members are set. */
bool __must_check ccdm_tdx_known(const struct ccdm_tdx *tdx);

/**
 * ccdm_tdx_parse() - parse a quote
 * @quote, @size: untrusted; must live as long as @tdx. What follows the signature data
 *		  is not looked at: providers hand out buffers
 *
 * Return: 0, also for one that ccdm_tdx_known() does not know; -EINVAL.
 */
int __must_check ccdm_tdx_parse(const void *quote, size_t size, struct ccdm_tdx *tdx,
				struct ccdm_err *err);

/**
 * struct ccdm_tdx_want - requirements of a quote
 * @certs: the certificates and lists of the operator; those in the quote are kept apart
 * @collateral: collateral of the platform, or NULL
 * @find, @find_arg: called for it where @collateral is NULL; may be NULL (struct ccdm_trust)
 * @at: time of evaluation in seconds since 1970
 * @anchors, @nr_anchors: roots; NULL for Intel's
 * @report_data, @report_data_size: required report data, followed by zeros; NULL for any
 * @paravisor: the launch value is in the operator's list of paravisors, or the caller judges
 *	no list: the guest need not have SEPT_VE_DISABLE
 */
struct ccdm_tdx_want {
	struct ccdm_certs *certs;
	const struct ccdm_collateral *collateral;
	int (*find)(const void *arg, const uint8_t fmspc[6], const struct ccdm_collateral **found,
		    struct ccdm_err *err);
	const void *find_arg;
	int64_t at;
	const struct ccdm_anchor *anchors;
	unsigned int nr_anchors;
	const uint8_t *report_data;
	size_t report_data_size;
	bool paravisor;
};

/**
 * ccdm_tdx_verify() - verify a quote, and the security of its guest
 * @tdx: as ccdm_tdx_parse() filled it
 * @want: the requirements
 * @v: gets one check after the other; complete, if all that can be looked at was
 *
 * Return: 0 for any verdict; -EINVAL if the certificates in it are none; -ENOMEM.
 */
int __must_check ccdm_tdx_verify(const struct ccdm_tdx *tdx, const struct ccdm_tdx_want *want,
				 struct ccdm_verdict *v, struct ccdm_err *err);

/* Intel's root. */
const struct ccdm_anchor *ccdm_tdx_anchors(unsigned int *count);

#endif
