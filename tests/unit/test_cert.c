// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* A single certificate: its name, its encoding, and signatures under its key. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include "pki.h"

static struct ccdm_err err;

/* Which common names are read, and which bytes are read as a certificate. */
static void encodings(void **state)
{
	static const struct {
		const char *cn;
		int size;
		const char *want;
	} names[] = {
		{ "SEV-Milan", 9, "SEV-Milan" },
		{ "SEV-Milan\0x", 11, "" },
		{ "", 0, "" },
	};
	EVP_PKEY *key = pki_key("P-384");
	struct pki_want w = { .cn = "x", .key = key, .ca = true, .serial = 1 };
	struct ccdm_certs *certs = ccdm_certs_new();
	const struct ccdm_cert *found;
	X509_CRL *crl;
	uint8_t *der;
	char cn[64];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		X509_NAME *name = X509_NAME_new();
		X509 *x = pki_cert(&w);

		if (names[i].size)
			X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
						   (const uint8_t *)names[i].cn, names[i].size, -1,
						   0);
		assert_int_equal(X509_set_subject_name(x, name), 1);
		pki_add_cert(certs, x, &found);
		assert_string_equal(ccdm_cert_cn(found, cn), names[i].want);
		X509_NAME_free(name);
		X509_free(x);
	}
	/* with one more byte, and without any byte */
	for (i = 0; i < 2; i++) {
		X509 *x = pki_cert(&w);
		uint8_t more[8192];

		crl = pki_crl(x, key, NULL, NULL, 0);
		der = more;
		n = i ? i2d_X509_CRL(crl, &der) : i2d_X509(x, &der);
		more[n] = 0;
		assert_int_equal(ccdm_certs_add(certs, "t", more, n, NULL, &err), 0);
		assert_int_equal(ccdm_certs_add(certs, "t", more, n + 1, NULL, &err), -EINVAL);
		assert_int_equal(ccdm_certs_add(certs, "t", more, 0, NULL, &err), -EINVAL);
		X509_CRL_free(crl);
		X509_free(x);
	}
	{
		uint8_t *large = calloc(1, CCDM_CERT_MAX + 1);

		large[0] = 0x30;
		assert_int_equal(ccdm_certs_add(certs, "t", large, CCDM_CERT_MAX + 1, NULL, &err),
				 -EINVAL);
		assert_non_null(strstr(err.text, "expected a certificate"));
		free(large);
	}
	ccdm_certs_free(certs);
	EVP_PKEY_free(key);
}

/* Signatures whose r or s is zero, or the order of the curve. */
static void ecdsa_numbers(void **state)
{
	static const uint8_t order[48] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
		0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
	};
	EVP_PKEY *key = pki_key("P-384");
	struct pki_want w = { .cn = "SEV-VCEK", .key = key };
	X509 *x = pki_cert(&w);
	static const uint8_t zero[48], one[48] = { [47] = 1 };
	uint8_t r[48], s[48];

	(void)state;
	pki_sign(key, EVP_sha384(), "text", 4, r, s, 48);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, r, s, 48, "text", 4), 0);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, r, s, 48, "tex_", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, zero, s, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, r, zero, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, zero, zero, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, order, s, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, r, order, 48, "text", 4), -EBADMSG);
	assert_int_equal(ccdm_cert_ecdsa((void *)x, one, one, 48, "text", 4), -EBADMSG);
	X509_free(x);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings),
		cmocka_unit_test(ecdsa_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
