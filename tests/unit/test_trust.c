// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * The broker's directory of roots and collateral: loading it, and watching it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "daemon/trust_watch.h"
#include "guest.h"

/* A file of roots without a certificate is refused. */
static void roots(void **state)
{
	X509_CRL *crl = pki_crl(provider.ca, provider.ca_key, NULL, NULL, 7);
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);
	struct ccdm_trust_dir *t = NULL;

	(void)state;
	put("trust/ak-roots/crl.der", (char *)der, n, 0600);
	assert_int_equal(ccdm_trust_load(file("trust"), &t, &err), -EINVAL);
	assert_non_null(strstr(err.text, "crl.der: expected a certificate, found none"));
	assert_null(t);
	unlink(file("trust/ak-roots/crl.der"));
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

/* The daemon checks collateral for the first time soon after its start, then once an hour. */
static void watched(void **state)
{
	struct ccdm_trust_watch w = { 0 };
	struct ccdm_trust_dir *t;

	(void)state;
	mkdir(file("trust/collateral"), 0755);
	put("trust/collateral/000000000001.json", "{", 1, 0600);
	assert_int_equal(ccdm_trust_load(file("trust"), &t, &err), 0);
#define WATCH(whole) ccdm_trust_watch(&w, t, whole, "test")
	assert_int_equal(WATCH(false), CCDM_TRUST_VALID);
	assert_int_equal(WATCH(true), CCDM_TRUST_BROKEN);
	unlink(file("trust/collateral/000000000001.json"));
	rmdir(file("trust/collateral"));
	/*
	 * still the old result: the check is not repeated at once, because there may be many files
	 */
	assert_int_equal(WATCH(true), CCDM_TRUST_BROKEN);
	w.looked -= 3601;
	assert_int_equal(WATCH(true), CCDM_TRUST_VALID);
	/* a directory that cannot be read is broken */
	put("trust/collateral", "", 0, 0600);
	w.looked -= 3601;
	assert_int_equal(WATCH(true), CCDM_TRUST_BROKEN);
	unlink(file("trust/collateral"));
	assert_int_equal(WATCH(true), CCDM_TRUST_VALID);
	ccdm_trust_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots),
		cmocka_unit_test(watched),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
