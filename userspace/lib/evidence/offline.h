/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * offline.h - verify evidence in a file with the operator's files, without a broker
 *
 * ccdm-setup verify and ccdm-image verify --evidence share it, with its options.
 */
#ifndef CCDM_OFFLINE_H
#define CCDM_OFFLINE_H

#include "base/compiler.h"
#include "capture.h"
#include "collateral.h"
#include "evidence.h"
#include "log/launches.h"
#include "snp_floor.h"

/* Ids of the options below; no verb with them uses these numbers for others. */
enum ccdm_offline_option {
	CCDM_OFFLINE_CERT = 1024,
	CCDM_OFFLINE_CHAIN,
	CCDM_OFFLINE_CRL,
	CCDM_OFFLINE_ROOT,
	CCDM_OFFLINE_AK_ROOT,
	CCDM_OFFLINE_AK_USAGE,
	CCDM_OFFLINE_EK_ROOT,
	CCDM_OFFLINE_COLLATERAL,
	CCDM_OFFLINE_TCB_INFO,
	CCDM_OFFLINE_QE_IDENTITY,
	CCDM_OFFLINE_PARAVISORS,
	CCDM_OFFLINE_TCB_FLOOR,
	CCDM_OFFLINE_SVSMS,
	CCDM_OFFLINE_AT,
	CCDM_OFFLINE_REPORT_DATA,
	CCDM_OFFLINE_ALLOW,
};

/* Entries of a table of struct ccdm_option. */
#define CCDM_OFFLINE_OPTIONS                                                                                                  \
	{ "cert",                                                                                                             \
	  0,                                                                                                                  \
	  CCDM_OFFLINE_CERT,                                                                                                  \
	  "FILE",                                                                                                             \
	  "the VCEK or VLEK, or the TPM key's certificate; if\n"                                                              \
	  "there are several, the one that fits an SNP report",                                                               \
	  "@file",                                                                                                            \
	  NULL },                                                                                                             \
		{ "chain", 0,	CCDM_OFFLINE_CHAIN, "FILE", "the issuers' certificates, PEM",                                 \
		  "@file", NULL },                                                                                            \
		{ "crl", 0, CCDM_OFFLINE_CRL, "FILE", "revocation lists, PEM or DER", "@file", NULL },                        \
		{ "root",                                                                                                     \
		  0,                                                                                                          \
		  CCDM_OFFLINE_ROOT,                                                                                          \
		  "FILE",                                                                                                     \
		  "the root to trust in place of the vendor's",                                                               \
		  "@file",                                                                                                    \
		  NULL },                                                                                                     \
		{ "ak-root",                                                                                                  \
		  0,                                                                                                          \
		  CCDM_OFFLINE_AK_ROOT,                                                                                       \
		  "FILE",                                                                                                     \
		  "tpm: root of the provider that certifies attestation keys",                                                \
		  "@file",                                                                                                    \
		  NULL },                                                                                                     \
		{ "ak-usage",                                                                                                 \
		  0,                                                                                                          \
		  CCDM_OFFLINE_AK_USAGE,                                                                                      \
		  "OID",                                                                                                      \
		  "tpm: extended key usage of these certificates\n"                                                           \
		  "(default 2.23.133.8.3)",                                                                                   \
		  NULL,                                                                                                       \
		  NULL },                                                                                                     \
		{ "ek-root",                                                                                                  \
		  0,                                                                                                          \
		  CCDM_OFFLINE_EK_ROOT,                                                                                       \
		  "FILE",                                                                                                     \
		  "tpm: root of the TPM's manufacturer",                                                                      \
		  "@file",                                                                                                    \
		  NULL },                                                                                                     \
		{ "tcb-floor",                                                                                                \
		  0,                                                                                                          \
		  CCDM_OFFLINE_TCB_FLOOR,                                                                                     \
		  "FILE",                                                                                                     \
		  "snp: lowest firmware versions, in place of AMD's",                                                         \
		  "@file",                                                                                                    \
		  NULL },                                                                                                     \
		{ "paravisors",                                                                                               \
		  0,                                                                                                          \
		  CCDM_OFFLINE_PARAVISORS,                                                                                    \
		  "FILE",                                                                                                     \
		  "azure: launch values of the paravisors that you trust",                                                    \
		  "@file",                                                                                                    \
		  NULL },                                                                                                     \
		{ "collateral",                                                                                               \
		  0,                                                                                                          \
		  CCDM_OFFLINE_COLLATERAL,                                                                                    \
		  "FILE",                                                                                                     \
		  "tdx: Intel's TCB info, QE identity and certificates in\n"                                                  \
		  "one JSON object",                                                                                          \
		  "@file",                                                                                                    \
		  NULL },                                                                                                     \
		{ "tcb-info",                                                                                                 \
		  0,                                                                                                          \
		  CCDM_OFFLINE_TCB_INFO,                                                                                      \
		  "FILE",                                                                                                     \
		  "tdx: Intel's TCB info, in place of --collateral",                                                          \
		  "@file",                                                                                                    \
		  NULL },                                                                                                     \
		{ "qe-identity", 0, CCDM_OFFLINE_QE_IDENTITY, "FILE", "", "@file", NULL },                                    \
		{ "svsms",                                                                                                    \
		  0,                                                                                                          \
		  CCDM_OFFLINE_SVSMS,                                                                                         \
		  "FILE",                                                                                                     \
		  "snp: launch measurements of the SVSMs that you trust",                                                     \
		  "@file",                                                                                                    \
		  NULL },                                                                                                     \
		{ "at", 0,   CCDM_OFFLINE_AT, "TIME", "time of evaluation, RFC 3339 (default: now)",                          \
		  NULL, NULL },                                                                                               \
		{ "report-data",                                                                                              \
		  0,                                                                                                          \
		  CCDM_OFFLINE_REPORT_DATA,                                                                                   \
		  "HEX",                                                                                                      \
		  "value that the evidence must be bound to",                                                                 \
		  NULL,                                                                                                       \
		  NULL },                                                                                                     \
	{                                                                                                                     \
		"allow", 0, CCDM_OFFLINE_ALLOW, "WORDS",                                                                      \
			"debug vmpl expired tcb-out-of-date tcb-config\ntcb-sw-hardening smt sha1 no-crl\nmigration sept-ve", \
			"debug vmpl expired tcb-out-of-date tcb-config tcb-sw-hardening smt sha1 no-crl migration sept-ve",   \
			NULL                                                                                                  \
	}

/**
 * struct ccdm_offline_files - values of the options: paths, and what the evidence must be bound to
 * @cert, @nr_certs: certificates; a single one is the leaf
 * @at: time of evaluation, seconds since 1970
 * @report_data, @report_data_size: value that the evidence must be bound to; size 0: any
 * @allow: CCDM_ALLOW_... for the verdict
 *
 * The rest are paths, NULL if they were not given.
 */
struct ccdm_offline_files {
	const char *cert[CCDM_CERTS_MAX];
	unsigned int nr_certs;
	const char *chain;
	const char *crl;
	const char *root;
	const char *ak_root;
	const char *ak_usage;
	const char *ek_root;
	const char *collateral;
	const char *tcb_info;
	const char *qe_identity;
	const char *paravisors;
	const char *tcb_floor;
	const char *svsms;
	int64_t at;
	uint8_t report_data[64];
	size_t report_data_size;
	unsigned int allow;
};

/**
 * struct ccdm_offline - content of these files
 * @certs: all certificates and revocation lists
 * @leaf: the only certificate of --cert, or NULL
 */
struct ccdm_offline {
	struct ccdm_certs *certs;
	const struct ccdm_cert *leaf;
	struct ccdm_anchor root;
	struct ccdm_anchor ak_root, ek_root;
	bool has_root, has_ak_root, has_ek_root;
	struct ccdm_collateral collateral;
	struct ccdm_launches paravisors;
	struct ccdm_snp_floor floor;
	struct ccdm_launches svsms;
};

/**
 * struct ccdm_offline_source - evidence in the form of the KBS protocol or of a capture
 * @tee: its name in the protocol
 * @evidence: untrusted; NULL: there is only @report
 * @report, @report_size: a raw report of SNP, untrusted
 * @capture: the capture with the evidence, or NULL
 */
struct ccdm_offline_source {
	const char *tee;
	const json_t *evidence;
	const void *report;
	size_t report_size;
	const struct ccdm_capture *capture;
};

/* Take an option. Return: 0; -EINVAL: unusable @value; -ENOENT: @option is none of these */
int __must_check ccdm_offline_take(int option, char *value, struct ccdm_offline_files *files);

/* True if there are options with which to verify evidence: any but the time. */
bool __must_check ccdm_offline_any(const struct ccdm_offline_files *files);

/**
 * ccdm_offline_load() - read the files
 * @o: filled; ccdm_offline_drop() ends it, also after an error
 *
 * Return: 0; -EINVAL for an unusable file; -ENOMEM; errors of open(2) and read(2).
 */
int __must_check ccdm_offline_load(const struct ccdm_offline_files *files, struct ccdm_offline *o,
				   struct ccdm_err *err);
void ccdm_offline_drop(struct ccdm_offline *o); /* accepts zeros */

/**
 * ccdm_offline_judge() - verify evidence
 * @source: the evidence
 * @v: gets one check after the other; its @allow is the caller's
 * @proof: filled if the verdict accepts it
 *
 * Return: 0 for any verdict; -EINVAL if it is malformed; -ENOMEM.
 */
int __must_check ccdm_offline_judge(const struct ccdm_offline_source *source,
				    const struct ccdm_offline_files *files,
				    const struct ccdm_offline *o, struct ccdm_verdict *v,
				    struct ccdm_proof *proof, struct ccdm_err *err);

#endif
