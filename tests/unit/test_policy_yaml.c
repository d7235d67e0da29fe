// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* The syntax of policies: invalid texts, limits, and texts that are cut off. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/file.h"
#include "policy_facts.h"

/* The error of each text; many name line and column. */
static void refused(void **state)
{
	static const struct {
		const char *text, *where;
	} all[] = {
		{ "", "expected a policy, found none" },
		{ "name: a\n\tb: c\n", "x:2:" },
		{ "[a]", ":1:1: expected members KEY: VALUE" },
		{ "name: a\nname: b\n", ":2:1: this key appears twice: name" },
		{ "nome: a\n", ":1:1: unknown key: nome" },
		{ "name: A\n", ":1:7: expected a name" },
		{ "name: a\nrequire:\n  tee: snp\n", "must have secrets" },
		{ "name: a\nsecrets: a/b/c\n", "a policy must have conditions (require)" },
		{ "secrets: a/b/c\nrequire:\n  tee: snp\n", "must have a name" },
		{ "name: a\nsecrets: a/b\n", ":2:10: expected a secret" },
		{ "name: a\nsecrets: [a/b/c, ../x/y]\n", ":2:18: expected a secret" },
		{ "name: a\nsecrets: a/*/c\n", "expected a secret" },
		{ "name: a\nsecrets: []\n", "expected a list that is not empty" },
		{ HEAD "  {}\n", "expected at least one condition" },
		{ HEAD "  tee: sev\n", ":4:8: unknown value: sev" },
		{ HEAD "  teee: snp\n", ":4:3: unknown condition: teee" },
		{ HEAD "  pcr: {index: 16, value: " D64 "}\n", "from 0 to 15, found 16" },
		{ HEAD "  pcr: {index: 23, value: " D64 "}\n", "from 0 to 15, found 23" },
		{ HEAD "  event: {register: pcr16, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr23, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  pcr: {bank: sha1, index: 4, value: " D64 "}\n", "unknown value: sha1" },
		{ HEAD "  bank: sha1\n", "unknown value: sha1" },
		{ HEAD "  identity: all\n", "unknown value: all" },
		{ HEAD "  tee: snp\n  measurement: {covers: image}\n", "missing key value" },
		{ HEAD "  tee: snp\n  measurement: {value: " D64 D30 "00, covers: both}\n",
		  "unknown value: both" },
		{ HEAD "  tee: snp\n  tee: tdx\n", ":5:3: this key appears twice: tee" },
		{ HEAD "  ? [tee]\n  : snp\n", ":4:5: expected a word" },
		{ HEAD "  \"t\\0ee\": snp\n", ":4:3: expected a word" },
		{ HEAD "  pcr: {bank: sha256, colour: red}\n", "unknown key: colour" },
		{ HEAD "  debug: perhaps\n", "expected true or false" },
		{ HEAD "  debug: no\n", ":4:10: expected true or false" },
		{ HEAD "  vmpl: 4\n", "expected a number from 0 to 3, found 4" },
		{ HEAD "  vmpl: -1\n", "expected a whole number" },
		{ HEAD "  vmpl: 0x1\n", "expected a whole number" },
		{ HEAD "  vmpl: 99999999999999999999\n", "expected a whole number" },
		{ HEAD "  measurement: abcd\n", "expected a digest in hexadecimal" },
		{ HEAD "  enclave-id: [" D65 "]\n", "expected a digest in hexadecimal" },
		{ HEAD "  measurement: [snp, [tdx]]\n", "expected a digest in hexadecimal" },
		{ HEAD "  measurement: " D65 "\n", "expected a digest in hexadecimal" },
		{ HEAD "  measurement: " D64 D64 "00\n", "expected a digest in hexadecimal" },
		{ HEAD "  measurement: xx" D64 D30 "\n", "expected a digest in hexadecimal" },
		{ HEAD "  vmpl: \"\"\n", "expected a whole number" },
		{ HEAD "  vmpl: [1]\n", "expected a whole number" },
		{ HEAD "  vmpl: 00000000001\n", "expected a whole number" },
		{ HEAD "  debug: [true]\n", "expected true or false" },
		{ HEAD "  event: {register: [pcr1], name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr1, name: \"\"}\n", "expected a name of 1 to 63" },
		{ HEAD "  event: {register: pcr1, name: a b}\n", "expected a name of 1 to 63" },
		{ HEAD "  event: {register: pcr1, name: [x]}\n", "expected a name of 1 to 63" },
		{ HEAD "  event: {register: pcr1, name: \"a\xc3\xa9\"}\n",
		  "expected a name of 1 to 63" },
		{ HEAD "  event: {register: pcr1, name: " D64 D64 D64 D65 "}\n",
		  "expected a name of 1 to 63" },
		{ "name: [a]\n", "expected a name of 1 to 64" },
		{ "name: \"\"\n", "expected a name of 1 to 64" },
		{ "name: " D65 "\n", "expected a name of 1 to 64" },
		{ "name: a\nsecrets: [[a/b/c]]\n", "expected a secret" },
		{ "name: a\nsecrets: [a/b/" D64 D64 D64 D64 "]\n", "expected a secret" },
		{ HEAD
		  "  signer: {key: 0000000000000000000000000000000000000000000000000000000000000000}\n",
		  ":4:11: a signer must have the key product" },
		{ HEAD
		  "  signer: {key: 0000000000000000000000000000000000000000000000000000000000000000, product: a}\n",
		  "a signer must have the key svn" },
		{ HEAD "  signer: {product: a, svn: 1}\n", "a signer must have the key key" },
		{ HEAD "  signer: {key: " D64 ", product: a, base-svn: 1}\n",
		  "a signer must have the key svn" },
		{ HEAD "  signer: {key: " D64 ", product: a, svn: 1, base-svn: -1}\n",
		  "expected a whole number" },
		{ HEAD "  signer: {key: " D64 ", product: a, svn: 1, base-svn: x}\n",
		  "expected a whole number" },
		{ HEAD "  signer: {key: " D64 ", product: a, svn: 1, base-svn: 1, base-svn: 2}\n",
		  "base-svn" },
		{ HEAD "  signer: {key: " D64 ", product: a, svn: 1, base: 1}\n",
		  "unknown key: base" },
		{ HEAD "  pcr: {bank: sha256, index: 24, value: 00}\n", "from 0 to 15, found 24" },
		{ HEAD "  pcr: {bank: md5}\n", "unknown value: md5" },
		{ HEAD "  pcr: {bank: sha256, index: 1}\n", "a PCR must have the key value" },
		{ HEAD "  pcr: {bank: [sha384, sha256], index: 1, value: " D64 "}\n",
		  "expected one bank for a PCR" },
		{ HEAD "  event: {register: pcr1}\n", "a name or a digest" },
		{ HEAD "  event: {register: 1, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr24, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: rtmr4, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {register: pcr01, name: x}\n", "pcr0 to pcr15" },
		{ HEAD "  event: {name: x}\n", "an event must have the key register" },
		{ HEAD "  tcb: {}\n", "expected at least one member" },
		{ HEAD "  tcb: {status: Revoked}\n", "unknown value: Revoked" },
		{ HEAD "  any: {tee: snp}\n", ":4:8: expected a list of conditions" },
		{ HEAD "  any: []\n", "expected a list that is not empty" },
		{ HEAD "  not: []\n", "expected members KEY: VALUE" },
		{ HEAD "  any: [tee]\n", "expected members KEY: VALUE" },
		{ HEAD "  not: {not: {not: {not: {not: {not: {not: {not: {tee: snp}}}}}}}}\n",
		  "nested too deep" },
		{ HEAD "  all: &x [{all: *x}]\n", "nested too deep" },
		{ HEAD "  tee: \"snp\\0x\"\n", "expected a word" },
		{ HEAD "  tee: snp\n---\n" HEAD "  tee: tdx\n", "two policies have the name a" },
		{ HEAD "  tee: snp\n---\nname: b\n", ":6:1: a policy must have secrets" },
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
	assert_non_null(strstr(err.text, "too many conditions"));
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
