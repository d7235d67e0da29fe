/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* policy_facts.h - facts about guests that the tests of policies judge */
#ifndef CCDM_TEST_POLICY_FACTS_H
#define CCDM_TEST_POLICY_FACTS_H

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy/policy.h"
#include "seed.h"

/* The beginning of a policy; its conditions follow. */
#define HEAD "name: a\nsecrets: a/b/c\nrequire:\n"

/* Digests: zeros, with one digit too many in D65; a launch measurement; an enclave ID. */
#define D30 "000000000000000000000000000000"
#define D64 D30 D30 "0000"
#define D65 D64 "0"
#define A96                                                \
	"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1" \
	"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
#define E64 "e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5"

static struct ccdm_err err;
/* Digests in hexadecimal; setup() fills them. */
static char m1[97], m2[97], key[65], d[65], long_d[97], e[65], f6[65];

static inline int setup(void **state)
{
	static const struct {
		char *to, *two;
		size_t n;
	} all[] = { { m1, "a1", 48 },	  { m2, "b2", 48 }, { key, "c3", 32 }, { d, "d4", 32 },
		    { long_d, "d4", 48 }, { e, "e5", 32 },  { f6, "f6", 32 } };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (k = 0; k < all[i].n; k++)
			memcpy(all[i].to + 2 * k, all[i].two, 2);
	return 0;
}

/* An SNP guest with current firmware, in the initrd; its TPM is not bound to it. */
static inline json_t *snp(void)
{
	return json_pack(
		"{s:s, s:b, s:i, s:{s:s, s:{s:i,s:i,s:i}, s:{s:i,s:i,s:i}, s:{s:i,s:i,s:i}}, s:s, s:s, s:s}",
		"tee", "snp", "debug", 0, "vmpl", 0, "tcb", "status", "UpToDate", "reported",
		"bootloader", 4, "snp", 24, "microcode", 219, "committed", "bootloader", 4, "snp",
		24, "microcode", 219, "launch", "bootloader", 5, "snp", 25, "microcode", 220,
		"measurement", m1, "binding", "none", "phase", "initrd");
}

/* The same facts with this TCB status; NULL: the status is unknown. */
static inline json_t *snp_status(const char *status)
{
	json_t *facts = snp();

	json_object_del(json_object_get(facts, "tcb"), "status");
	if (status)
		json_object_set_new(json_object_get(facts, "tcb"), "status", json_string(status));
	return facts;
}

static inline json_t *tdx(void)
{
	return json_pack("{s:s, s:b, s:{s:s}, s:s, s:[s], s:s, s:s}", "tee", "tdx", "debug", 0,
			 "tcb", "status", "UpToDate", "measurement", m1, "enclave-id", e, "binding",
			 "none", "phase", "initrd");
}

static inline json_t *tpm(void)
{
	return json_pack("{s:s, s:[s], s:s, s:s}", "tee", "tpm", "enclave-id", e, "binding",
			 "tpm-only", "phase", "initrd");
}

static inline json_t *signer(const char *k, const char *product, int svn)
{
	return json_pack("{s:s, s:s, s:i}", "key", k, "product", product, "svn", svn);
}

/* The facts with another value for @key_; NULL: without this fact. */
static inline json_t *with(json_t *facts, const char *key_, json_t *value)
{
	if (value)
		json_object_set_new(facts, key_, value);
	else
		json_object_del(facts, key_);
	return facts;
}

/* Two events in register @reg: one with digest e, one with @digest. */
static inline json_t *event(const char *digest, const char *reg)
{
	return json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "register", reg, "name", "EV_IPL",
			 "digest", e, "register", reg, "name", "EV_IPL", "digest", digest);
}

static inline json_t *logged(void)
{
	return with(tdx(), "events", event(long_d, "rtmr2"));
}

#endif
