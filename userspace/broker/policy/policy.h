/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * policy.h - which evidence opens which secrets
 *
 * A policy is a YAML document:
 *
 *	name: web
 *	secrets: [default/web/tls-key, default/db/password]
 *	require:
 *	  tee: snp
 *	  measurement: HEX
 *
 * "require" is a set of conditions, all of which must hold; man ccdm-policy has them.
 * What is not said is strict: debug is false, vmpl is 0, the TCB is up to date, the
 * phase is initrd, the bank is sha256, and there is a TEE (binding is not tpm-only).
 *
 * A policy must pin the image, whatever way it is satisfied: by an enclave ID; a signer; an
 * SNP launch measurement that covers the image; PCR 2, 4 and 9 with 12 and 13 zero; RTMR
 * 1 and 2; on TDX MRTD beside these; or it says "identity: any". That an event is contained in a log pins nothing.
 *
 * A condition on something that the evidence does not say is unknown, and so is its
 * negation: nothing is opened by what nobody knows.
 */
#ifndef CCDM_POLICY_H
#define CCDM_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_POLICY_MAX	  (1 << 18) /* bytes of a file */
#define CCDM_POLICY_DEPTH 8	    /* any, all and not in each other */
#define CCDM_POLICY_CONDS 512	    /* conditions of a policy */

/*
 * The conditions, all, any and not last. A new one needs, beside its kind here:
 *
 *	policy_fields.c		its name, and the values that it takes
 *	judge.c			whether facts satisfy it
 *	policy_identity.c	whether it pins the image
 *	ccdm-policy(5)		its meaning
 *	tests/unit/test_policy.c	facts that satisfy it, and facts that do not
 */
enum ccdm_cond_kind {
	CCDM_COND_TEE,
	CCDM_COND_DEBUG,
	CCDM_COND_VMPL,
	CCDM_COND_TCB,
	CCDM_COND_MEASUREMENT,
	CCDM_COND_ENCLAVE_ID,
	CCDM_COND_SIGNER,
	CCDM_COND_PCR,
	CCDM_COND_RTMR,
	CCDM_COND_EVENT,
	CCDM_COND_BANK,
	CCDM_COND_HOST_DATA,
	CCDM_COND_ID_KEY,
	CCDM_COND_AUTHOR_KEY,
	CCDM_COND_CHIP,
	CCDM_COND_GENERATION,
	CCDM_COND_ALIAS_CHECK,
	CCDM_COND_IDENTITY,
	CCDM_COND_BINDING,
	CCDM_COND_PHASE,
	CCDM_COND_ALL,
	CCDM_COND_ANY,
	CCDM_COND_NOT,
};

/**
 * struct ccdm_cond - a condition
 * @kind: which
 * @line: where it stands, from 1; 0: it is one of those that need not be said
 * @value: what is wanted: an array of words or hexadecimal digits in lower case, one of
 *	   which it must be; an object (signer, pcr, rtmr, event, tcb; measurement and
 *	   enclave-id with "covers"); a number or a boolean
 * @child: conditions inside all, any and not
 * @next: beside it
 */
struct ccdm_cond {
	enum ccdm_cond_kind kind;
	unsigned int line;
	json_t *value;
	struct ccdm_cond *child;
	struct ccdm_cond *next;
};

/* Whether a policy may open anything; zero is no. */
enum ccdm_policy_outcome {
	CCDM_POLICY_UNJUDGED,
	CCDM_POLICY_NO_IMAGE,	 /* a way to satisfy it pins no image */
	CCDM_POLICY_NO_FIRMWARE, /* the same on TDX, where firmware fills the registers */
	CCDM_POLICY_NEVER,	 /* it can never hold */
	CCDM_POLICY_MAY_OPEN,
};

/* Why a policy may open nothing, for a person. */
const char *ccdm_policy_reason(enum ccdm_policy_outcome outcome);

/**
 * struct ccdm_policy - a policy
 * @name: of 1 to 64 characters a-z, 0-9, "-", "_", "."
 * @secrets: array of REPO/TYPE/TAG, where TAG may be "*"
 * @require: a CCDM_COND_ALL
 * @outcome: if it may open anything. One that may not, though it can be read, cannot be added; one
 *	     that was stored before denies
 * @hash: SHA-256 of the text that it was read from, for the audit log; "" if nobody set it
 * @next: of the same file
 */
struct ccdm_policy {
	char name[65];
	char hash[65];
	json_t *secrets;
	struct ccdm_cond *require;
	enum ccdm_policy_outcome outcome;
	struct ccdm_policy *next;
};

/**
 * ccdm_policy_parse() - all documents of a text
 * @what: its name, for messages
 * @text, @size: untrusted
 * @policies: set; freed by ccdm_policy_free()
 *
 * Return: 0; -EINVAL with line and column in @err; -ENOMEM.
 */
int __must_check ccdm_policy_parse(const char *what, const char *text, size_t size,
				   struct ccdm_policy **policies, struct ccdm_err *err);
void ccdm_policy_free(struct ccdm_policy *policies); /* accepts NULL */

/* Is this secret one of the policy's? */
bool __must_check ccdm_policy_opens(const struct ccdm_policy *policy, const char *secret);

enum ccdm_answer {
	CCDM_NO,
	CCDM_UNKNOWN,
	CCDM_YES,
};

/**
 * ccdm_policy_judge() - does the evidence satisfy a policy?
 * @policy: the policy
 * @facts: what the verifier found to be true:
 *	{"tee": "snp" | "tdx" | "tpm", "debug": BOOL, "vmpl": N,
 *	 "tcb": {"status": WORD, "reported" | "committed" | "launch": {"snp": N, ...}},
 *	 "measurement": HEX, "enclave-id": [HEX], "signer": {"key", "product", "svn"},
 *	 "pcr": {BANK: {INDEX: HEX}}, "bank": WORD, "rtmr": {INDEX: HEX}, "host-data", "id-key",
 *	 "author-key", "chip", "generation", "alias-check": BOOL, "events": [{"register": "pcrN" | "rtmrN", "name", "digest"}],
 *	 "binding": WORD, "phase": WORD}; what is not known is missing
 * @trace: array that gets {"condition", "line", "expected", "found", "passed"} for
 *	   each condition that was looked at, and becomes NULL if it cannot take one; or NULL
 *
 * Return: only CCDM_YES opens anything.
 */
enum ccdm_answer __must_check ccdm_policy_judge(const struct ccdm_policy *policy,
						const json_t *facts, json_t **trace);

/* "measurement" */
const char *ccdm_cond_name(enum ccdm_cond_kind kind);

#endif
