// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* test_suite - OpenSSL computes the same test vectors that the kernel module is tested with */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../kernel/kat/kat.h"
#include "suite_openssl.h"

static void vectors(void **state)
{
	uint8_t xts[64], mac[32], text[4096], out[4096], tag[16];
	size_t i;

	(void)state;
	for (i = 0; i < 64; i++)
		xts[i] = i;
	for (i = 0; i < 32; i++)
		mac[i] = 0x80 + i;
	for (i = 0; i < 4096; i++)
		text[i] = i * 7 + (i >> 8);
	for (i = 0; i < sizeof(ccdm_kats) / sizeof(ccdm_kats[0]); i++) {
		const struct ccdm_kat *k = &ccdm_kats[i];

		assert_true(
			ossl_seal(k->kind, xts, mac, k->domain, k->index, k->seq, text, out, tag));
		assert_memory_equal(out, k->first, 32);
		assert_memory_equal(out + 4064, k->last, 32);
		assert_memory_equal(tag, k->tag, 16);
	}
	assert_int_equal(i, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(vectors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
