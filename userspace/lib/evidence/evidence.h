/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * evidence.h - verify evidence in the form of the KBS protocol, and state what it proves
 *
 * Besides the members of the protocol, evidence may carry logs, which other brokers
 * ignore: "cc_eventlog" (tdx) or "firmware_log" (tpm, az-...) in base64, "ccdm_log" and
 * "systemd_log" as text; for a TPM "ak_cert", PEM, its key's certificate first, or
 * "activation" (tpm_activation.h); and "manifest", of the builder (manifest.h). SNP below an
 * SVSM brings "svsm": {"manifest": base64 of its TPM's EK, a TPMT_PUBLIC}; the report is the
 * SVSM's own then, bound to SHA-512 of the 64 bytes and the manifest.
 */
#ifndef CCDM_EVIDENCE_H
#define CCDM_EVIDENCE_H

#include "base/compiler.h"
#include "collateral.h"
#include "log/launches.h"
#include "snp_floor.h"
#include "tpm_quote.h"

#define CCDM_EVIDENCE_MAX (4 << 20) /* bytes of its text */

struct ccdm_tpm_pair; /* tpm_activation.h */

/**
 * struct ccdm_trust - roots, lists and keys with which a judge verifies evidence
 * @certs: the operator's certificates and lists; those that come with the evidence are looked
 *	at beside them and dropped
 * @leaf: VCEK or VLEK if the evidence has none, or a TPM key's certificate; NULL: the one
 *	among @certs that fits
 * @collateral: collateral of the platform, or NULL
 * @at: time of evaluation in seconds since 1970
 * @anchors, @nr_anchors: roots of TEEs; NULL for the vendors'
 * @find, @find_arg: called for it where @collateral is NULL, with the platform's FMSPC; may be
 *	NULL; what it leaves in its last argument lives as long as this
 * @ak_anchors, @nr_ak_anchors: roots of providers that certify attestation keys; there are none
 *	that everybody trusts
 * @ak_usages: for each of them the extended key usage of its certificates; NULL, or one that is
 *	NULL: CCDM_USAGE_AK
 * @ek_anchors, @nr_ek_anchors: roots of TPM manufacturers, which certify endorsement keys
 * @known, @known_arg: true for the AK or EK of a known TPM; may be NULL
 * @paravisors: launch values of paravisors that the operator trusts; NULL: none
 * @svsms: launch values of SVSMs that the operator trusts; NULL: none
 * @snp_floor: lowest firmware of SNP platforms; NULL: the list that ccdm comes with
 * @svsm_ek: EK of the SVSM's TPM: an activation counts with it alone; NULL: no SVSM
 * @genuine_only: the caller has no operator's lists, and asks only if the evidence is genuine:
 *	what a listed paravisor need not have is not asked for; the class of the binding still is
 * @activated: true if the value was encrypted for this pair in this session; NULL: no session
 * @activated_arg: passed on
 */
struct ccdm_trust {
	struct ccdm_certs *certs;
	const struct ccdm_cert *leaf;
	const struct ccdm_collateral *collateral;
	int64_t at;
	const struct ccdm_anchor *anchors;
	unsigned int nr_anchors;
	int (*find)(const void *arg, const uint8_t fmspc[6], const struct ccdm_collateral **found,
		    struct ccdm_err *err);
	const void *find_arg;
	const struct ccdm_anchor *ak_anchors;
	const char *const *ak_usages;
	unsigned int nr_ak_anchors;
	const struct ccdm_anchor *ek_anchors;
	unsigned int nr_ek_anchors;
	bool (*known)(const void *arg, const struct ccdm_pubkey *key);
	const void *known_arg;
	const struct ccdm_launches *paravisors;
	const struct ccdm_launches *svsms;
	const struct ccdm_snp_floor *snp_floor;
	const struct ccdm_pubkey *svsm_ek;
	bool genuine_only;
	bool (*activated)(const void *arg, const struct ccdm_tpm_pair *pair, const uint8_t *value);
	const void *activated_arg;
};

/**
 * struct ccdm_bound - data to which evidence must be bound
 * @bytes, @size: NULL for anything
 */
struct ccdm_bound {
	const uint8_t *bytes;
	size_t size;
};

/**
 * struct ccdm_proof - facts that evidence proves
 * @facts: as ccdm_policy_judge() wants them
 * @notes: array of texts: what was left out, and why
 * @id_text: text of the enclave ID in @facts (log/enclave_id.h); NULL: it is not known, or no text has it
 * @svsm_ek: EK of the TPM of a listed SVSM, proved by its report at VMPL 0; or NULL
 */
struct ccdm_proof {
	json_t *facts;
	json_t *notes;
	char *id_text;
	struct ccdm_pubkey *svsm_ek;
};

/* Drops all; accepts zeros. */
void ccdm_proof_drop(struct ccdm_proof *proof);

/* True for the name of a TEE: "snp", "tdx", "tpm", "az-snp-vtpm", "az-tdx-vtpm". */
bool __must_check ccdm_tee_known(const char *tee);

/* Number of bytes of the protocol's SHA-384 in this TEE's evidence: a TPM has room for 32. */
size_t ccdm_tee_bound(const char *tee);

/**
 * ccdm_evidence_judge() - judge primary evidence
 * @tee: its name
 * @evidence: untrusted
 * @trust: what it is verified with
 * @bound: what it must be bound to
 * @v: gets one check after the other
 * @proof: filled if the verdict accepts the evidence, else zeros
 *
 * Return: 0 for any verdict; -EINVAL if it is malformed; -ENOMEM.
 */
int __must_check ccdm_evidence_judge(const char *tee, const json_t *evidence,
				     const struct ccdm_trust *trust, const struct ccdm_bound *bound,
				     struct ccdm_verdict *v, struct ccdm_proof *proof,
				     struct ccdm_err *err);

/* The same judge for a raw SNP report: no certificates, logs or manifest come with it. */
int __must_check ccdm_evidence_judge_report(const void *report, size_t size,
					    const struct ccdm_trust *trust,
					    const struct ccdm_bound *bound, struct ccdm_verdict *v,
					    struct ccdm_proof *proof, struct ccdm_err *err);

/**
 * ccdm_evidence_additional() - judge additional evidence of a TPM beside a TEE
 * @tee: name of the primary evidence's; if that is of a TPM, or has one in it, no other counts
 * @additional: text of {"tpm": {...}}, untrusted; "" for none
 * @trust, @bound: as above; the TPM's own
 * @primary: the primary evidence once more: its manifest may list the TPM's enclave ID
 * @proof: of the primary evidence; gets what the TPM proves
 *
 * Additional evidence never weakens primary evidence: evidence that is refused, or of a
 * TPM without a tie to the TEE, is left out with a note. A provider's
 * certificate of the attestation key is such a tie: an endorsement key names the TPM, a known key
 * was registered, but neither proves where the TPM is.
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_evidence_additional(const char *tee, const char *additional,
					  const json_t *primary, const struct ccdm_trust *trust,
					  const struct ccdm_bound *bound, struct ccdm_proof *proof);

#endif
