// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* facts.c - see facts.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "facts.h"

static int ccdm_fact(json_t *facts, const char *name, json_t *value)
{
	return json_object_set_new(facts, name, value) ? -ENOMEM : 0;
}

static json_t *ccdm_fact_hex(const void *bytes, size_t size)
{
	char hex[2 * 64 + 1]; /* a chip ID is the longest value */

	ccdm_hex(bytes, size, hex);
	return json_string(hex);
}

/* Zeros mean that the field is empty; a policy must not match it. */
static int ccdm_fact_field(json_t *facts, const char *name, const uint8_t *bytes, size_t size)
{
	static const uint8_t none[64];

	if (!memcmp(bytes, none, size))
		return 0;
	return ccdm_fact(facts, name, ccdm_fact_hex(bytes, size));
}

static json_t *ccdm_fact_tcb(const uint8_t raw[8], enum ccdm_snp_generation generation)
{
	struct ccdm_snp_tcb tcb = ccdm_snp_tcb(raw, generation);

	return json_pack("{s:i, s:i, s:i, s:i, s:i}", "fmc", tcb.fmc, "bootloader", tcb.bootloader,
			 "tee", tcb.tee, "snp", tcb.snp, "microcode", tcb.microcode);
}

/* Add what the host and the guest's owner set at launch, and the chip. */
static int ccdm_facts_snp_launch(const struct ccdm_snp *snp, json_t *facts)
{
	bool turin = snp->generation >= CCDM_SNP_TURIN;
	int r = ccdm_fact_field(facts, "host-data", snp->host_data, sizeof(snp->host_data));

	if (!r)
		r = ccdm_fact_field(facts, "id-key", snp->id_key_digest,
				    sizeof(snp->id_key_digest));
	if (!r && snp->author_key)
		r = ccdm_fact_field(facts, "author-key", snp->author_key_digest,
				    sizeof(snp->author_key_digest));
	if (!r && snp->generation != CCDM_SNP_UNKNOWN)
		r = ccdm_fact(facts, "generation",
			      json_string(ccdm_snp_generation_name(snp->generation)));
	if (!r)
		r = ccdm_fact_field(facts, "chip", snp->chip_id, turin ? 8 : sizeof(snp->chip_id));
	if (!r)
		r = ccdm_fact(facts, "alias-check",
			      json_boolean(snp->platform_info & CCDM_SNP_PLATFORM_ALIAS_CHECK));
	if (!r)
		r = ccdm_fact(facts, "abi",
			      json_pack("{s:i, s:i}", "major", (int)(snp->policy >> 8 & 0xff),
					"minor", (int)(snp->policy & 0xff)));
	return r;
}

/* Without a known floor there is no status, so no policy on the status holds. */
static int ccdm_facts_snp_status(enum ccdm_snp_status status, json_t *tcb)
{
	if (status == CCDM_SNP_NO_FLOOR)
		return 0;
	return ccdm_fact(tcb, "status",
			 json_string(status == CCDM_SNP_UP_TO_DATE ? "UpToDate" : "OutOfDate"));
}

int ccdm_facts_snp(const struct ccdm_snp *snp, json_t *facts)
{
	json_t *tcb = json_pack("{s:o, s:o, s:o}", "reported",
				ccdm_fact_tcb(snp->tcb_raw.reported, snp->generation), "committed",
				ccdm_fact_tcb(snp->tcb_raw.committed, snp->generation), "launch",
				ccdm_fact_tcb(snp->tcb_raw.launch, snp->generation));
	int r = ccdm_fact(facts, "tcb", tcb);

	if (!r)
		r = ccdm_facts_snp_status(snp->status, tcb);
	if (!r)
		r = ccdm_fact(facts, "tee", json_string("snp"));
	if (!r)
		r = ccdm_fact(facts, "debug", json_boolean(snp->policy & CCDM_SNP_POLICY_DEBUG));
	if (!r)
		r = ccdm_fact(facts, "vmpl", json_integer(snp->vmpl));
	if (!r)
		r = ccdm_fact(facts, "measurement", ccdm_fact_hex(snp->measurement, 48));
	/*
	 * It includes the hashes of kernel, initrd and command line. Registers, if any, replace it.
	 */
	if (!r)
		r = ccdm_fact(facts, "enclave-id",
			      json_pack("[o]", ccdm_fact_hex(snp->measurement, 48)));
	if (!r)
		r = ccdm_facts_snp_launch(snp, facts);
	return r;
}

/*
 * The worst status of platform, module and quoting enclave, from the exceptions that they needed.
 */
static const char *ccdm_tdx_status(const struct ccdm_verdict *v)
{
	unsigned int i, needed = 0;
	bool config, hardening;

	for (i = 0; i < v->count; i++)
		needed |= v->check[i].allowed;
	config = needed & CCDM_ALLOW_TCB_CONFIG;
	hardening = needed & CCDM_ALLOW_TCB_SW_HARDENING;
	if (needed & CCDM_ALLOW_TCB_OUT_OF_DATE)
		return config ? "OutOfDateConfigurationNeeded" : "OutOfDate";
	if (config)
		return hardening ? "ConfigurationAndSWHardeningNeeded" : "ConfigurationNeeded";
	return hardening ? "SWHardeningNeeded" : "UpToDate";
}

int ccdm_facts_tdx(const struct ccdm_tdx *tdx, const struct ccdm_verdict *v, json_t *facts)
{
	int r = ccdm_fact(facts, "tcb", json_pack("{s:s}", "status", ccdm_tdx_status(v)));

	if (!r)
		r = ccdm_fact(facts, "tee", json_string("tdx"));
	if (!r)
		r = ccdm_fact(facts, "debug", json_boolean(tdx->tdattributes[0]));
	if (!r)
		r = ccdm_fact(facts, "measurement", ccdm_fact_hex(tdx->mrtd, 48));
	if (!r)
		r = ccdm_fact(facts, "rtmr",
			      json_pack("{s:o, s:o, s:o, s:o}", "0",
					ccdm_fact_hex(tdx->rtmr[0], 48), "1",
					ccdm_fact_hex(tdx->rtmr[1], 48), "2",
					ccdm_fact_hex(tdx->rtmr[2], 48), "3",
					ccdm_fact_hex(tdx->rtmr[3], 48)));
	return r;
}

int ccdm_facts_pcr(const struct ccdm_tpm_facts *quoted, json_t *facts)
{
	uint16_t size = ccdm_digest_size(quoted->bank);
	json_t *bank = json_object();
	char index[12];
	unsigned int i;
	int r = bank && size ? 0 : -ENOMEM;

	for (i = 0; !r && i < CCDM_TPM_PCRS; i++) {
		if (!(quoted->covered & 1U << i))
			continue;
		snprintf(index, sizeof(index), "%u", i);
		r = ccdm_fact(bank, index, ccdm_fact_hex(quoted->pcr[i], size));
	}
	if (r) {
		json_decref(bank);
		return r;
	}
	/* the events of the registers identify the image instead */
	json_object_del(facts, "enclave-id");
	r = ccdm_fact(facts, "bank", json_string(ccdm_digest_name(quoted->bank)));
	if (r) {
		json_decref(bank);
		return r;
	}
	return ccdm_fact(facts, "pcr", json_pack("{s:o}", ccdm_digest_name(quoted->bank), bank));
}

void ccdm_facts_rtmrs(const struct ccdm_tdx *tdx, struct ccdm_registers *regs)
{
	unsigned int i;

	memset(regs, 0, sizeof(*regs));
	regs->rtmr = true;
	regs->bank = CCDM_ALG_SHA384;
	regs->covered = 0xf;
	for (i = 0; i < 4; i++)
		memcpy(regs->value[i], tdx->rtmr[i], 48);
}

void ccdm_facts_pcrs(const struct ccdm_tpm_facts *quoted, struct ccdm_registers *regs)
{
	memset(regs, 0, sizeof(*regs));
	regs->bank = quoted->bank;
	regs->covered = quoted->covered;
	memcpy(regs->value, quoted->pcr, sizeof(quoted->pcr));
}
