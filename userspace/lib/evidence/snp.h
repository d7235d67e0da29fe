/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * snp.h - attestation reports of AMD SEV-SNP
 *
 * (AMD document 56860, SEV Secure Nested Paging Firmware ABI, "ATTESTATION_REPORT";
 * 57230, Versioned Chip Endorsement Key Certificate and KDS Interface.)
 */
#ifndef CCDM_SNP_H
#define CCDM_SNP_H

#include "base/compiler.h"
#include "crypto/x509.h"

#define CCDM_SNP_REPORT_SIZE 1184

struct ccdm_snp_floor; /* snp_floor.h */

/**
 * struct ccdm_snp_tcb - security versions of the parts of the platform
 * @fmc: Turin and later, else 0
 */
struct ccdm_snp_tcb {
	uint8_t fmc;
	uint8_t bootloader;
	uint8_t tee;
	uint8_t snp;
	uint8_t microcode;
};

/* Families of processors; the order of ccdm_snp_generation_name(). */
enum ccdm_snp_generation {
	CCDM_SNP_UNKNOWN,
	CCDM_SNP_MILAN,
	CCDM_SNP_GENOA,
	CCDM_SNP_TURIN,
	CCDM_SNP_VENICE,
};

/* Status of a platform's firmware; see snp_floor.h. */
enum ccdm_snp_status {
	CCDM_SNP_NO_FLOOR, /* the list has no line for this processor */
	CCDM_SNP_OUT_OF_DATE,
	CCDM_SNP_UP_TO_DATE,
};

#define CCDM_SNP_POLICY_SMT	(1ULL << 16)
#define CCDM_SNP_POLICY_ONE	(1ULL << 17) /* is always 1 */
#define CCDM_SNP_POLICY_MIGRATE (1ULL << 18)
#define CCDM_SNP_POLICY_DEBUG	(1ULL << 19)
#define CCDM_SNP_POLICY_KNOWN	((1ULL << 26) - 1) /* up to PAGE_SWAP_DISABLE, ABI 1.58 */

#define CCDM_SNP_PLATFORM_SMT	      (1ULL << 0)
#define CCDM_SNP_PLATFORM_ALIAS_CHECK (1ULL << 5) /* memory was checked for aliases */

/**
 * struct ccdm_snp - a report, parsed
 * @raw: as it was signed
 * @version: 2, 3 or 5; of another one nothing else is meant to be used
 * @policy: of the guest; CCDM_SNP_POLICY_*
 * @sig_algo: 1: ECDSA on P-384 with SHA-384
 * @platform_info: CCDM_SNP_PLATFORM_*
 * @author_key: author_key_digest counts
 * @mask_chip_key: the report is not signed
 * @signing_key: 0: VCEK, 1: VLEK
 * @cpuid_family, @cpuid_model, @cpuid_stepping: version 3 on, else 0
 * @generation: by the CPUID; version 2 does not say: CCDM_SNP_UNKNOWN until the certificate, which
 *	ccdm_snp_verify() looks at, has said it
 * @status: of the firmware; CCDM_SNP_NO_FLOOR until ccdm_snp_verify() has found more
 * @tcb_raw: reported, committed, launched and current, as they stand in the report
 */
struct ccdm_snp {
	uint8_t raw[CCDM_SNP_REPORT_SIZE];
	uint32_t version;
	uint32_t guest_svn;
	uint64_t policy;
	uint8_t family_id[16];
	uint8_t image_id[16];
	uint32_t vmpl;
	uint32_t sig_algo;
	uint64_t platform_info;
	bool author_key;
	bool mask_chip_key;
	unsigned int signing_key;
	uint8_t report_data[64];
	uint8_t measurement[48];
	uint8_t host_data[32];
	uint8_t id_key_digest[48];
	uint8_t author_key_digest[48];
	uint8_t chip_id[64];
	uint8_t cpuid_family;
	uint8_t cpuid_model;
	uint8_t cpuid_stepping;
	enum ccdm_snp_generation generation;
	enum ccdm_snp_status status;
	struct {
		uint8_t reported[8];
		uint8_t committed[8];
		uint8_t launch[8];
		uint8_t current[8];
	} tcb_raw;
};

/**
 * ccdm_snp_parse() - parse a report
 * @raw, @size: untrusted
 * @snp: filled
 *
 * Return: 0; -EINVAL if it is not CCDM_SNP_REPORT_SIZE bytes.
 */
int __must_check ccdm_snp_parse(const void *raw, size_t size, struct ccdm_snp *snp,
				struct ccdm_err *err);

/* AMD's roots, whose names are the generations. */
const struct ccdm_anchor *ccdm_snp_anchors(unsigned int *count);

/* By CPUID; CCDM_SNP_UNKNOWN for another processor. */
enum ccdm_snp_generation __must_check ccdm_snp_cpuid(uint8_t family, uint8_t model);

/* "Milan"; "unknown" */
const char *ccdm_snp_generation_name(enum ccdm_snp_generation generation);

/* Parse a TCB version; its layout differs since Turin. */
struct ccdm_snp_tcb ccdm_snp_tcb(const uint8_t raw[8], enum ccdm_snp_generation generation);

/**
 * ccdm_snp_cert_chip() - get the chip of a VCEK
 * @leaf: the certificate; nothing of it is verified here
 * @generation: set to that of its product's name
 * @chip: set to the chip's number, with zeros behind it
 *
 * Return: bytes of the number; 0: it has none.
 */
size_t ccdm_snp_cert_chip(const struct ccdm_cert *leaf, enum ccdm_snp_generation *generation,
			  uint8_t chip[64]);

/**
 * ccdm_snp_leaf() - find the VCEK or VLEK of a report
 *
 * Return: the one of its chip and TCB; else one of its chip, or NULL. Nothing is verified.
 */
const struct ccdm_cert *ccdm_snp_leaf(const struct ccdm_certs *certs, const struct ccdm_snp *snp);

/**
 * struct ccdm_snp_want - requirements of a report
 * @certs: the certificates that came with it, or were found for it; those between AMD's roots and
 *	a VCEK or VLEK need not be among them
 * @leaf: its VCEK or VLEK, or NULL
 * @at: time of evaluation in seconds since 1970
 * @anchors, @nr_anchors: roots; NULL for AMD's. The generation is the anchor's name, if it names one
 * @report_data, @report_data_size: required report data, followed by zeros; NULL for any
 * @floor: lowest firmware; NULL: the list that ccdm comes with
 */
struct ccdm_snp_want {
	const struct ccdm_certs *certs;
	const struct ccdm_cert *leaf;
	int64_t at;
	const struct ccdm_anchor *anchors;
	unsigned int nr_anchors;
	const uint8_t *report_data;
	size_t report_data_size;
	const struct ccdm_snp_floor *floor;
};

/**
 * ccdm_snp_verify() - verify a report, and the security of its guest
 * @snp: as ccdm_snp_parse() filled it; gets its generation and status
 * @want: the requirements
 * @v: gets one check after the other; complete, if all that can be looked at was
 *
 * The caller checks further conditions of a policy (measurement, host data).
 *
 * Return: 0 for any verdict; -ENOMEM.
 */
int __must_check ccdm_snp_verify(struct ccdm_snp *snp, const struct ccdm_snp_want *want,
				 struct ccdm_verdict *v);

#endif
