// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * The syntax of policies: texts that are refused, their limits, and texts that are cut off.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/file.h"
#include "policy_facts.h"

/* The error of each text, many with the line and the column. */
static void refused(void **state)
{
	static const struct {
		const char *text, *where;
	} all[] = {
		{ "", "no policy" },
		{ "name: a\n\tb: c\n", "line 2" },
		{ "[a]", "line 1, column 1: there must be members" },
		{ "name: a\nname: b\n", "line 2, column 1: this is said twice: name" },
		{ "nome: a\n", "line 1, column 1: this word is not known here: nome" },
		{ "name: A\n", "line 1, column 7: a name is" },
		{ "name: a\nrequire:\n  tee: snp\n", "must have secrets" },
		{ "name: a\nsecrets: a/b/c\n", "must require something" },
		{ "secrets: a/b/c\nrequire:\n  tee: snp\n", "must have a name" },
		{ "name: a\nsecrets: a/b\n", "line 2, column 10: this is no secret" },
		{ "name: a\nsecrets: [a/b/c, ../x/y]\n", "line 2, column 18: this is no secret" },
		{ "name: a\nsecrets: a/*/c\n", "this is no secret" },
		{ "name: a\nsecrets: []\n", "this list is empty" },
		{ HEAD "  {}\n", "nothing is required" },
		{ HEAD "  tee: sev\n", "line 4, column 8: this word is not known here: sev" },
		{ HEAD "  teee: snp\n", "line 4, column 3: this condition is not known: teee" },
		{ HEAD "  pcr: {index: 16, value: " D64 "}\n", "too large: 16" },
		{ HEAD "  pcr: {index: 23, value: " D64 "}\n", "too large: 23" },
		{ HEAD "  event: {register: pcr16, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr23, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  pcr: {bank: sha1, index: 4, value: " D64 "}\n", "not known here: sha1" },
		{ HEAD "  bank: sha1\n", "not known here: sha1" },
		{ HEAD "  identity: all\n", "not known here: all" },
		{ HEAD "  tee: snp\n  measurement: {covers: image}\n", "there must be a value" },
		{ HEAD "  tee: snp\n  measurement: {value: " D64 D30 "00, covers: both}\n",
		  "not known here: both" },
		{ HEAD "  tee: snp\n  tee: tdx\n", "line 5, column 3: this is said twice: tee" },
		{ HEAD "  ? [tee]\n  : snp\n", "line 4, column 5: this is no word" },
		{ HEAD "  \"t\\0ee\": snp\n", "line 4, column 3: this is no word" },
		{ HEAD "  pcr: {bank: sha256, colour: red}\n",
		  "this word is not known here: colour" },
		{ HEAD "  debug: perhaps\n", "there must be true or false here" },
		{ HEAD "  debug: no\n", "line 4, column 10: there must be true or false" },
		{ HEAD "  vmpl: 4\n", "this number is too large: 4" },
		{ HEAD "  vmpl: -1\n", "there must be a whole number" },
		{ HEAD "  vmpl: 0x1\n", "there must be a whole number" },
		{ HEAD "  vmpl: 99999999999999999999\n", "there must be a whole number" },
		{ HEAD "  measurement: abcd\n", "this is no digest" },
		{ HEAD "  enclave-id: [" D65 "]\n", "this is no digest" },
		{ HEAD "  measurement: [snp, [tdx]]\n", "this is no digest" },
		{ HEAD "  measurement: " D65 "\n", "this is no digest" },
		{ HEAD "  measurement: " D64 D64 "00\n", "this is no digest" },
		{ HEAD "  measurement: xx" D64 D30 "\n", "this is no digest" },
		{ HEAD "  vmpl: \"\"\n", "there must be a whole number" },
		{ HEAD "  vmpl: [1]\n", "there must be a whole number" },
		{ HEAD "  vmpl: 00000000001\n", "there must be a whole number" },
		{ HEAD "  debug: [true]\n", "there must be true or false here" },
		{ HEAD "  event: {register: [pcr1], name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr1, name: \"\"}\n", "there must be a name" },
		{ HEAD "  event: {register: pcr1, name: a b}\n", "there must be a name" },
		{ HEAD "  event: {register: pcr1, name: [x]}\n", "there must be a name" },
		{ HEAD "  event: {register: pcr1, name: \"a\xc3\xa9\"}\n", "there must be a name" },
		{ HEAD "  event: {register: pcr1, name: " D64 D64 D64 D65 "}\n",
		  "there must be a name" },
		{ "name: [a]\n", "a name is" },
		{ "name: \"\"\n", "a name is" },
		{ "name: " D65 "\n", "a name is" },
		{ "name: a\nsecrets: [[a/b/c]]\n", "this is no secret" },
		{ "name: a\nsecrets: [a/b/" D64 D64 D64 D64 "]\n", "this is no secret" },
		{ HEAD
		  "  signer: {key: 0000000000000000000000000000000000000000000000000000000000000000}\n",
		  "line 4, column 11: a signer must have a product" },
		{ HEAD
		  "  signer: {key: 0000000000000000000000000000000000000000000000000000000000000000, product: a}\n",
		  "a signer must have a svn" },
		{ HEAD "  signer: {product: a, svn: 1}\n", "a signer must have a key" },
		{ HEAD "  pcr: {bank: sha256, index: 24, value: 00}\n", "too large: 24" },
		{ HEAD "  pcr: {bank: md5}\n", "not known here: md5" },
		{ HEAD "  pcr: {bank: sha256, index: 1}\n", "a PCR must have a value" },
		{ HEAD "  pcr: {bank: [sha384, sha256], index: 1, value: " D64 "}\n",
		  "a PCR is of one bank" },
		{ HEAD "  event: {register: pcr1}\n", "a name or a digest" },
		{ HEAD "  event: {register: 1, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr24, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: rtmr4, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr01, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {name: x}\n", "an event must have a register" },
		{ HEAD "  tcb: {}\n", "nothing is wanted" },
		{ HEAD "  tcb: {status: Revoked}\n", "not known here: Revoked" },
		{ HEAD "  any: {tee: snp}\n",
		  "line 4, column 8: there must be a list of conditions" },
		{ HEAD "  any: []\n", "this list is empty" },
		{ HEAD "  not: []\n", "there must be members" },
		{ HEAD "  any: [tee]\n", "there must be members" },
		{ HEAD "  not: {not: {not: {not: {not: {not: {not: {not: {tee: snp}}}}}}}}\n",
		  "nested too deep" },
		{ HEAD "  all: &x [{all: *x}]\n", "nested too deep" },
		{ HEAD "  tee: \"snp\\0x\"\n", "there must be a word here" },
		{ HEAD "  tee: snp\n---\n" HEAD "  tee: tdx\n", "two policies are named a" },
		{ HEAD "  tee: snp\n---\nname: b\n",
		  "line 6, column 1: a policy must have secrets" },
	};
	struct ccdm_policy *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		seed("policy", all[i].text, strlen(all[i].text));
		if (ccdm_policy_parse("x", all[i].text, strlen(all[i].text), &p, &err) != -EINVAL)
			fail_msg("case %zu is taken", i);
		assert_null(p);
		if (!strstr(err.text, all[i].where))
			fail_msg("case %zu: '%s', not '%s'", i, err.text, all[i].where);
	}
}

/* The largest number of conditions and of bytes, and one more. */
static void limits(void **state)
{
	char *text = calloc(1, 100000);
	struct ccdm_policy *p;
	unsigned int i;

	(void)state;
	strcpy(text, HEAD "  any:\n");
	for (i = 0; i < CCDM_POLICY_CONDS - 1; i++)
		strcat(text, "  - tee: snp\n");
	assert_int_equal(ccdm_policy_parse("x", text, strlen(text), &p, &err), 0);
	ccdm_policy_free(p);
	strcat(text, "  - tee: snp\n");
	assert_int_equal(ccdm_policy_parse("x", text, strlen(text), &p, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more conditions"));
	assert_int_equal(ccdm_policy_parse("x", text, CCDM_POLICY_MAX + 1, &p, &err), -EINVAL);
	assert_non_null(strstr(err.text, "larger than"));
	free(text);
}

/* Each prefix of a valid text is an error, or a policy that opens nothing. */
static void cut_off(void **state)
{
	struct ccdm_policy *p;
	size_t size, n;
	char *text, *copy;
	int r;

	(void)state;
	assert_int_equal(ccdm_file_read("Documentation/policy/03-signer.yaml", CCDM_POLICY_MAX,
					&text, &size, &err),
			 0);
	for (n = 0; n < size; n++) {
		copy = malloc(n ? n : 1);
		memcpy(copy, text, n);
		r = ccdm_policy_parse("x", copy, n, &p, &err);
		/* without the last newline the text is complete */
		assert_true(r == -EINVAL ||
			    (!r && (n + 1 >= size || p->outcome != CCDM_POLICY_MAY_OPEN)));
		ccdm_policy_free(p);
		free(copy);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(limits),
		cmocka_unit_test(cut_off),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
