/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * evidence_judging.h - shared by the files of evidence; only they include it
 *
 *	evidence.c		the kinds of evidence, their logs
 *	evidence_manifest.c	the builder's manifest
 *	evidence_tpm.c		a TPM's quote, and trust in its key
 *	evidence_azure.c	Azure's vTPM
 *	evidence_additional.c	a TPM beside a TEE
 */
#ifndef CCDM_EVIDENCE_JUDGING_H
#define CCDM_EVIDENCE_JUDGING_H

#include "base/compiler.h"
#include "evidence.h"
#include "snp.h"
#include "tdx.h"

/**
 * struct ccdm_judging - state of one judgement
 * @evidence: untrusted
 * @report, @report_size: a raw report of SNP, without evidence around it; or NULL
 * @trust, @bound: what it is verified with, and must be bound to
 * @v: gets one check after the other
 * @proof: filled from what is accepted
 * @err: for what cannot be read
 */
struct ccdm_judging {
	const json_t *evidence;
	const void *report;
	size_t report_size;
	const struct ccdm_trust *trust;
	const struct ccdm_bound *bound;
	struct ccdm_verdict *v;
	struct ccdm_proof *proof;
	struct ccdm_err *err;
};

/* Requirements of a report or of a quote. */
struct ccdm_snp_want ccdm_judging_snp(const struct ccdm_judging *j);
struct ccdm_tdx_want ccdm_judging_tdx(const struct ccdm_judging *j);

/* Turn registers of a verified TPM, and the logs that replay to them, into facts. */
int __must_check ccdm_judged_pcrs(const struct ccdm_judging *j,
				  const struct ccdm_tpm_facts *quoted);

/* Who signed a manifest that lists this image, if one did: untrusted as long as no policy names the key. */
int __must_check ccdm_judged_manifest(const struct ccdm_judging *j);

/* Is it of a TPM, or has one in it? Of a TEE that is not known, too: none stands beside it then. */
bool __must_check ccdm_tee_has_tpm(const char *tee);

/* True if a fact has this text. */
bool __must_check ccdm_fact_is(const json_t *facts, const char *name, const char *word);

/**
 * ccdm_evidence_tpm() - a TPM's quote, and whose key made it
 * @quoted: the registers that it covers
 * @provider: set if a provider's certificate of the key says that it is one of his
 *
 * Return: 0 for any verdict, which is complete; -EINVAL if it is malformed; -ENOMEM.
 */
int __must_check ccdm_evidence_tpm(const json_t *evidence, const struct ccdm_trust *trust,
				   const struct ccdm_bound *bound, struct ccdm_tpm_facts *quoted,
				   struct ccdm_verdict *v, bool *provider, struct ccdm_err *err);

/* Evidence of Azure's vTPM. */
int __must_check ccdm_judge_azure(const struct ccdm_judging *j);

#endif
