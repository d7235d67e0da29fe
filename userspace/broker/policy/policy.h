/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * policy.h - policies: which evidence releases which secrets
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
 * The defaults are strict: debug is false, vmpl is 0, the TCB is up to date, the
 * phase is initrd, the bank is sha256, and there is a TEE (binding is not tpm-only).
 *
 * Every way to satisfy a policy must pin the image: by an enclave ID; a signer; an
 * SNP launch measurement that covers the image; PCR 2, 4 and 9 with 12 and 13 zero; RTMR
 * 1 and 2; on TDX MRTD as well; or "identity: any". A condition on an event pins nothing.
 *
 * A condition on a fact that the evidence does not prove is unknown, and so is its
 * negation. Unknown conditions release nothing.
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
 * @line: its line, from 1; 0: it is a default
 * @value: expected value: an array of words or hexadecimal digits in lower case, one of
 *	   which must match; an object (signer, pcr, rtmr, event, tcb; measurement and
 *	   enclave-id with "covers"); a number or a boolean
 * @child: conditions inside all, any and not
 * @next: next condition of the same list
 */
struct ccdm_cond {
	enum ccdm_cond_kind kind;
	unsigned int line;
	json_t *value;
	struct ccdm_cond *child;
	struct ccdm_cond *next;
};

/* Whether a policy may release secrets; only CCDM_POLICY_MAY_OPEN is yes. */
enum ccdm_policy_outcome {
	CCDM_POLICY_UNJUDGED,
	CCDM_POLICY_NO_IMAGE,	 /* one way to satisfy it does not pin the image */
	CCDM_POLICY_NO_FIRMWARE, /* the same on TDX, where firmware fills the registers */
	CCDM_POLICY_NEVER,	 /* it can never hold */
	CCDM_POLICY_MAY_OPEN,
};

/* Reason why a policy may not release secrets, as text. */
const char *ccdm_policy_reason(enum ccdm_policy_outcome outcome);

/**
 * struct ccdm_policy - a policy
 * @name: of 1 to 64 characters a-z, 0-9, "-", "_", "."
 * @secrets: array of REPO/TYPE/TAG, where TAG may be "*"
 * @require: a CCDM_COND_ALL
 * @outcome: whether it may release secrets. If not, the policy cannot be added, and one
 *	     that was stored earlier releases nothing
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
 * ccdm_policy_parse() - parse all documents of a text
 * @what: its name, for messages
 * @text, @size: untrusted
 * @policies: set; freed by ccdm_policy_free()
 *
 * Return: 0; -EINVAL, and @err has line and column; -ENOMEM.
 */
int __must_check ccdm_policy_parse(const char *what, const char *text, size_t size,
				   struct ccdm_policy **policies, struct ccdm_err *err);
void ccdm_policy_free(struct ccdm_policy *policies); /* accepts NULL */

/**
 * ccdm_policy_cut() - copy the first document of a text
 * @last: it is the last one: copy the whole text
 * @document: set; the caller frees it; NULL: out of memory
 *
 * A document ends before the next line "---". Lines without a value before a document belong to it.
 *
 * Return: the text after the document.
 */
const char *ccdm_policy_cut(const char *text, bool last, char **document);

/* True if the policy names this secret. */
bool __must_check ccdm_policy_opens(const struct ccdm_policy *policy, const char *secret);

enum ccdm_answer {
	CCDM_NO,
	CCDM_UNKNOWN,
	CCDM_YES,
};

/**
 * ccdm_policy_judge() - decide whether facts satisfy a policy
 * @policy: the policy
 * @facts: facts that the verifier proved:
 *	{"tee": "snp" | "tdx" | "tpm", "debug": BOOL, "vmpl": N,
 *	 "tcb": {"status": WORD, "reported" | "committed" | "launch": {"snp": N, ...}},
 *	 "measurement": HEX, "enclave-id": [HEX], "signer": {"key", "product", "svn", "base"?, "base-svn"?},
 *	 "pcr": {BANK: {INDEX: HEX}}, "bank": WORD, "rtmr": {INDEX: HEX}, "host-data", "id-key",
 *	 "author-key", "chip", "generation", "alias-check": BOOL, "events": [{"register": "pcrN" | "rtmrN", "name", "digest"}],
 *	 "binding": WORD, "phase": WORD}; what is not known is missing
 * @trace: array that gets {"condition", "line", "expected", "found", "passed"} for
 *	   each evaluated condition, and becomes NULL if memory is short; or NULL
 *
 * Return: only CCDM_YES releases secrets.
 */
enum ccdm_answer __must_check ccdm_policy_judge(const struct ccdm_policy *policy,
						const json_t *facts, json_t **trace);

/* "measurement" */
const char *ccdm_cond_name(enum ccdm_cond_kind kind);

#endif
