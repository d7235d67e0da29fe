/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* facts.h - facts from reports, quotes and registers, in the terms of policies (ccdm-policy(5)) */
#ifndef CCDM_FACTS_H
#define CCDM_FACTS_H

#include "base/compiler.h"
#include "log/bootlog.h"
#include "snp.h"
#include "tdx.h"
#include "tpm_quote.h"

/* {"tee", "debug", "vmpl", "tcb", "measurement", "enclave-id"} of a report that was verified. Return: 0, -ENOMEM */
int __must_check ccdm_facts_snp(const struct ccdm_snp *snp, json_t *facts);

/* {"tee", "debug", "tcb", "measurement"}; @v, because a TCB's status is what was allowed there. */
int __must_check ccdm_facts_tdx(const struct ccdm_tdx *tdx, const struct ccdm_verdict *v,
				json_t *facts);

/* {"pcr": {BANK: {INDEX: HEX}}}; an "enclave-id" by launch goes: this one is by events. */
int __must_check ccdm_facts_pcr(const struct ccdm_tpm_facts *quoted, json_t *facts);

/* What the registers are, for ccdm_bootlog_facts(). */
void ccdm_facts_rtmrs(const struct ccdm_tdx *tdx, struct ccdm_registers *regs);
void ccdm_facts_pcrs(const struct ccdm_tpm_facts *quoted, struct ccdm_registers *regs);

#endif
