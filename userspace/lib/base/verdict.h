/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * verdict.h - checks of a verifier, and its verdict
 *
 * Evidence is accepted only if its verifier completed and every check passed.
 * A failed check may be allowed by name; it
 * passes then and records this.
 */
#ifndef CCDM_VERDICT_H
#define CCDM_VERDICT_H

#include <jansson.h>
#include <stdbool.h>
#include "compiler.h"
#include "err.h"

/* Failures that may be allowed, in the order of ccdm_allow_word(). */
enum ccdm_allow {
	CCDM_ALLOW_DEBUG = 1 << 0,
	CCDM_ALLOW_VMPL = 1 << 1,
	CCDM_ALLOW_EXPIRED = 1 << 2,
	CCDM_ALLOW_TCB_OUT_OF_DATE = 1 << 3,
	CCDM_ALLOW_TCB_CONFIG = 1 << 4,
	CCDM_ALLOW_TCB_SW_HARDENING = 1 << 5,
	CCDM_ALLOW_SMT = 1 << 6,
	CCDM_ALLOW_SHA1 = 1 << 7,
	CCDM_ALLOW_NO_CRL = 1 << 8,
	CCDM_ALLOW_MIGRATION = 1 << 9,
	CCDM_ALLOW_SEPT_VE = 1 << 10,
};

#define CCDM_CHECKS_MAX 96

/**
 * struct ccdm_check - one check
 * @name: in words of a-z, 0-9 and "-"
 * @expected, @found: for a person; printable ASCII only
 * @passed: the check succeeded or was allowed
 * @allowed: enum ccdm_allow that allowed it, or 0
 */
struct ccdm_check {
	char name[40];
	char expected[192];
	char found[352];
	bool passed;
	unsigned int allowed;
};

/**
 * struct ccdm_verdict - all checks; starts as zeros
 * @allow: what the caller allows, enum ccdm_allow
 * @complete: the verifier completed
 * @count: how many checks
 * @check: in the order in which they were made
 */
struct ccdm_verdict {
	unsigned int allow;
	bool complete;
	unsigned int count;
	struct ccdm_check check[CCDM_CHECKS_MAX];
};

/**
 * ccdm_verdict_add() - record a check
 * @v: the verdict
 * @name: of the check
 * @good: true if the check succeeded
 * @needs: a failed check passes if all of these are allowed; 0: never
 * @expected: for a person; what is not printable becomes "?"
 * @found: as printf; the same
 *
 * More than CCDM_CHECKS_MAX checks make the verdict permanently incomplete.
 *
 * Return: true if it passed.
 */
bool ccdm_verdict_add(struct ccdm_verdict *v, const char *name, bool good, unsigned int needs,
		      const char *expected, const char *found, ...)
	__attribute__((format(printf, 6, 7)));

/* The first failed check, or NULL. */
const struct ccdm_check *ccdm_verdict_failed(const struct ccdm_verdict *v);

/* The only function that accepts. */
bool __must_check ccdm_verdict_accepted(const struct ccdm_verdict *v);

/* {"verdict", "checks": [{"name", "expected", "found", "passed", "allowed"?}]}; the caller drops it */
json_t *ccdm_verdict_json(const struct ccdm_verdict *v);

/* enum ccdm_allow of a word of --allow, 0 for an unknown word */
unsigned int ccdm_allow_word(const char *word);

#endif
