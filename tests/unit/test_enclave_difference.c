// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* How the events of two enclave IDs differ. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/digest.h"
#include "log/enclave_difference.h"
#include "seed.h"

#define HEAD	"ccdm-enclave-id 1\ntpm sha256\n"
#define A	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C	"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
/* SHA-256 of ".cmdline" with its zero */
#define CMDLINE "461203a89f23e36c3a4dc817f905b00484d2cf7e7d9376f13df91c41d84abe46"

static char lines[8192];

static int say(const char *line, void *arg)
{
	size_t *room = arg;

	if (room && !--*room)
		return 7;
	strcat(lines, line);
	strcat(lines, "\n");
	return 0;
}

static void differences(void **state)
{
	static const struct {
		const char *expected, *found, *lines;
		unsigned int count;
	} cases[] = {
		{ HEAD "pcr4 " A "\n", HEAD "pcr4 " A "\n", "", 0 },
		{ HEAD, HEAD, "", 0 },
		{ HEAD "pcr4 " A "\npcr4 " B "\n", HEAD "pcr4 " C "\npcr4 " B "\n",
		  "pcr4, event 1 (the UKI): expected " A ", found " C "\n", 1 },
		{ HEAD "pcr4 " A "\npcr4 " B "\n", HEAD "pcr4 " A "\npcr4 " C "\n",
		  "pcr4, event 2 (the kernel): expected " B ", found " C "\n", 1 },
		/* a program that came before: what follows is the same */
		{ HEAD "pcr4 " A "\npcr4 " B "\n", HEAD "pcr4 " C "\npcr4 " A "\npcr4 " B "\n",
		  "pcr4, event 1: expected none, found " C "\n", 1 },
		/* and one that is missing */
		{ HEAD "pcr4 " A "\npcr4 " B "\n", HEAD "pcr4 " B "\n",
		  "pcr4, event 1 (the UKI): expected " A ", found none\n", 1 },
		{ HEAD "pcr11 " CMDLINE "\npcr11 " A "\n", HEAD "pcr11 " CMDLINE "\npcr11 " B "\n",
		  "pcr11, event 2 (content of section .cmdline): expected " A ", found " B "\n",
		  1 },
		{ HEAD "pcr11 " CMDLINE "\npcr11 " A "\n", HEAD,
		  "pcr11, event 1 (name of section .cmdline): expected " CMDLINE ", found none\n"
		  "pcr11, event 2 (content of section .cmdline): expected " A ", found none\n",
		  2 },
		{ HEAD "pcr9 " A "\npcr9 " B "\n", HEAD "pcr9 " B "\npcr9 " A "\n",
		  "pcr9, event 1 (the kernel's command line): expected " A ", found " B "\n"
		  "pcr9, event 2 (the initrd): expected " B ", found " A "\n",
		  2 },
		/* in the order of the registers, whatever the order of the lines */
		{ HEAD "pcr15 " A "\npcr4 " A "\n", HEAD "pcr4 " B "\npcr15 " B "\npcr12 " C "\n",
		  "pcr4, event 1 (the UKI): expected " A ", found " B "\n"
		  "pcr12, event 1: expected none, found " C "\n"
		  "pcr15, event 1: expected " A ", found " B "\n",
		  3 },
	};
	unsigned int count, i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lines[0] = '\0';
		seed_texts("enclave_text", 0, 1, cases[i].expected, cases[i].found, NULL, NULL);
		assert_true(ccdm_enclave_text_alike(cases[i].expected, cases[i].found));
		assert_int_equal(ccdm_enclave_difference(cases[i].expected, cases[i].found, say,
							 NULL, &count),
				 0);
		if (strcmp(lines, cases[i].lines))
			fail_msg("case %u: %s", i, lines);
		assert_int_equal(count, cases[i].count);
		assert_int_equal(ccdm_enclave_difference(cases[i].expected, cases[i].found, NULL,
							 NULL, &count),
				 0);
		assert_int_equal(count, cases[i].count);
	}
}

/* A TD's registers; sections of the SHA-384 bank. */
static void rtmrs(void **state)
{
	char expected[1024], found[1024], name[97];
	struct ccdm_digest d;
	unsigned int count;

	(void)state;
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA384, ".initrd", 8, NULL, 0, &d), 0);
	ccdm_hex(d.bytes, d.size, name);
	snprintf(expected, sizeof(expected),
		 "ccdm-enclave-id 1\ntdx sha384\nrtmr1 " A "%.32s\nrtmr2 %s\nrtmr2 " B "%.32s\n", A,
		 name, B);
	snprintf(found, sizeof(found),
		 "ccdm-enclave-id 1\ntdx sha384\nrtmr1 " B "%.32s\nrtmr2 %s\nrtmr2 " C "%.32s\n", B,
		 name, C);
	lines[0] = '\0';
	seed_texts("enclave_text", 0, 1, expected, found, NULL, NULL);
	assert_string_equal(ccdm_enclave_text_platform(expected), "tdx");
	assert_int_equal(ccdm_enclave_difference(expected, found, say, NULL, &count), 0);
	assert_int_equal(count, 2);
	assert_non_null(strstr(lines, "rtmr1, event 1 (the UKI): expected aaaa"));
	assert_non_null(
		strstr(lines, "rtmr2, event 2 (content of section .initrd): expected bbbb"));
	assert_false(ccdm_enclave_text_alike(expected, HEAD "pcr4 " A "\n"));
}

/* What is no text of an ID; and a caller that has enough. */
static void others(void **state)
{
	static const char *const none[] = {
		"",
		"ccdm-enclave-id 1",
		"ccdm-enclave-id 1\n",
		"ccdm-enclave-id 1\ntpm",
		"ccdm-enclave-id 1\ntpm sha256",
		"ccdm-enclave-id 1\ntpm sha25\n",
		"ccdm-enclave-id 1\ntpm sha256 \n",
		"ccdm-enclave-id 1\ntpm sha256sha256\n",
		"ccdm-enclave-id 2\ntpm sha256\n",
		HEAD "pcr4 " A,
		HEAD "pcr4 " A "\n\n",
		HEAD "pcr4 " A "a\n",
		HEAD "pcr4  " A "\n",
		HEAD "pcr24 " A "\n",
		HEAD "pcr123 " A "\n",
		HEAD "pcr " A "\n",
		HEAD "pcr-1 " A "\n",
		HEAD "rtmr1 " A "\n",
		HEAD "pcr4 " A "\r\n",
		HEAD "pcr4 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	};
	size_t room = 2, i;
	unsigned int count;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		seed_texts("enclave_text", 0, 1, none[i], HEAD, NULL, NULL);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (ccdm_enclave_text_platform(none[i]))
			fail_msg("case %zu", i);
	assert_string_equal(ccdm_enclave_text_platform(HEAD), "tpm");
	assert_false(ccdm_enclave_text_alike(HEAD, "ccdm-enclave-id 1\ntpm sha384\n"));
	assert_false(ccdm_enclave_text_alike(HEAD, ""));
	lines[0] = '\0';
	assert_int_equal(ccdm_enclave_difference(HEAD "pcr4 " A "\npcr9 " A "\n",
						 HEAD "pcr4 " B "\npcr9 " B "\n", say, &room,
						 &count),
			 7);
	assert_int_equal(strlen(lines),
			 strlen("pcr4, event 1 (the UKI): expected , found \n") + 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences),
		cmocka_unit_test(rtmrs),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
