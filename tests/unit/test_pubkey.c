// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Public keys: which ones are accepted, in which encoding, and which operations each supports. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include "crypto/pubkey.h"
#include "pki.h"

/* A key has one encoding, although OpenSSL reads others. */
static void encodings(void **state)
{
	uint8_t der[128], out[128], *p, *explicit;
	struct ccdm_pubkey *key;
	EVP_PKEY *evp = NULL;
	int n;

	(void)state;
	/* the last two bits of the point must be zero, so an encoding can declare them unused */
	do {
		EVP_PKEY_free(evp);
		evp = pki_key("P-256");
		p = der;
		n = i2d_PUBKEY(evp, &p);
	} while (der[n - 1] & 3);
	key = ccdm_pubkey_spki(der, n);
	assert_non_null(key);
	ccdm_pubkey_free(key);
	/* byte 25 is the number of unused bits; byte 26 is the form of the point */
	assert_int_equal(der[25], 0);
	assert_int_equal(der[26], 4);
	memcpy(out, der, n);
	out[25] = 2;
	assert_null(ccdm_pubkey_spki(out, n));
	/* hybrid: x, y, and the parity of y */
	memcpy(out, der, n);
	out[26] = 6 | (der[n - 1] & 1);
	assert_null(ccdm_pubkey_spki(out, n));
	pki_must(EVP_PKEY_set_utf8_string_param(evp, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
						"compressed"));
	p = out;
	n = i2d_PUBKEY(evp, &p);
	assert_int_equal(n, 59);
	assert_null(ccdm_pubkey_spki(out, n));
	/* an explicit curve: its author could choose the generator */
	pki_must(EVP_PKEY_set_utf8_string_param(evp, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
						"uncompressed"));
	pki_must(EVP_PKEY_set_utf8_string_param(evp, OSSL_PKEY_PARAM_EC_ENCODING,
						OSSL_PKEY_EC_ENCODING_EXPLICIT));
	explicit = NULL;
	n = i2d_PUBKEY(evp, &explicit);
	assert_true(n > 300);
	assert_null(ccdm_pubkey_spki(explicit, n));
	OPENSSL_free(explicit);
	EVP_PKEY_free(evp);
	/* another curve of the same size */
	evp = pki_key("secp256k1");
	explicit = NULL;
	n = i2d_PUBKEY(evp, &explicit);
	assert_null(ccdm_pubkey_spki(explicit, n));
	OPENSSL_free(explicit);
	EVP_PKEY_free(evp);
}

/* Types and sizes of keys, and the operations that each type has. */
static void types_and_sizes(void **state)
{
	static const struct {
		const char *type, *curve;
		bool fit;
	} all[] = {
		{ "EC", "P-256", true },    { "EC", "P-384", true }, { "EC", "P-521", false },
		{ "EC", "P-224", false },   { "RSA", "2048", true }, { "RSA", "1024", false },
		{ "ED25519", NULL, false },
	};
	uint8_t der[4096 + 64] = { 0 }, modulus[1025], e[9] = { 1, 0, 1 }, out[512], *p;
	static const uint8_t label[] = "x", text[32];
	struct ccdm_pubkey *key, *rsa = NULL, *p256 = NULL;
	struct ccdm_signature sig = { .scheme = CCDM_ECDSA, .hash = 0x7777, .size = 64 };
	size_t i, size;
	EVP_PKEY *evp;
	int n;

	(void)state;
	assert_null(ccdm_pubkey_spki(NULL, 0));
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		evp = !all[i].curve		    ? EVP_PKEY_Q_keygen(NULL, NULL, all[i].type)
		      : !strcmp(all[i].type, "RSA") ? EVP_RSA_gen(atoi(all[i].curve))
						    : pki_key(all[i].curve);
		p = der;
		n = i2d_PUBKEY(evp, &p);
		EVP_PKEY_free(evp);
		key = ccdm_pubkey_spki(der, n);
		if (!!key != all[i].fit)
			fail_msg("%s %s", all[i].type, all[i].curve ? all[i].curve : "");
		/* with one more byte, cut off, too long */
		assert_null(ccdm_pubkey_spki(der, n + 1));
		assert_null(ccdm_pubkey_spki(der, n - 1));
		assert_null(ccdm_pubkey_spki(der, 4097));
		if (key) {
			size = n - 1;
			assert_int_equal(ccdm_pubkey_der(key, out, &size), -ENOSPC);
			size = n;
			assert_int_equal(ccdm_pubkey_der(key, out, &size), 0);
			assert_memory_equal(der, out, n);
			assert_true(ccdm_pubkey_equal(key, key));
			assert_false(ccdm_pubkey_equal(key, NULL));
			assert_false(ccdm_pubkey_equal(NULL, key));
			assert_false(ccdm_pubkey_equal(key, p256));
		}
		if (key && !p256)
			p256 = key;
		else if (key && !strcmp(all[i].type, "RSA"))
			rsa = key;
		else
			ccdm_pubkey_free(key);
	}
	/* an RSA key from numbers: its modulus has at most 8192 bits */
	memset(modulus, 0xff, sizeof(modulus));
	key = ccdm_pubkey_rsa(modulus, 1024, e, 3);
	assert_non_null(key);
	ccdm_pubkey_free(key);
	assert_null(ccdm_pubkey_rsa(modulus, 1025, e, 3));
	/* the same limit for an encoded key */
	{
		BIGNUM *n = BN_bin2bn(modulus, 1025, NULL), *f4 = BN_bin2bn(e, 3, NULL);
		OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
		EVP_PKEY *large = NULL;
		OSSL_PARAM *params;
		uint8_t *spki = NULL;
		int size;

		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, f4);
		params = OSSL_PARAM_BLD_to_param(build);
		pki_must(EVP_PKEY_fromdata_init(ctx));
		pki_must(EVP_PKEY_fromdata(ctx, &large, EVP_PKEY_PUBLIC_KEY, params));
		size = i2d_PUBKEY(large, &spki);
		assert_true(size > 1025);
		assert_null(ccdm_pubkey_spki(spki, size));
		OPENSSL_free(spki);
		EVP_PKEY_free(large);
		EVP_PKEY_CTX_free(ctx);
		OSSL_PARAM_free(params);
		OSSL_PARAM_BLD_free(build);
		BN_free(n);
		BN_free(f4);
	}
	assert_null(ccdm_pubkey_rsa(modulus, 1024, e, 9));
	/* RSA keys encrypt; each type verifies its own scheme only */
	size = sizeof(out);
	assert_int_equal(ccdm_pubkey_oaep(rsa, (void *)label, 1, text, 32, out, &size), 0);
	size = sizeof(out);
	assert_int_equal(ccdm_pubkey_oaep(p256, (void *)label, 1, text, 32, out, &size), -EINVAL);
	size = 8;
	assert_int_equal(ccdm_pubkey_oaep(rsa, (void *)label, 1, text, 32, out, &size), -EINVAL);
	assert_int_equal(ccdm_pubkey_verify(p256, &sig, text, 32), -EBADMSG);
	sig.hash = CCDM_ALG_SHA256;
	assert_int_equal(ccdm_pubkey_verify(p256, &sig, text, 32), -EBADMSG);
	assert_int_equal(ccdm_pubkey_verify(rsa, &sig, text, 32), -EBADMSG);
	sig.scheme = CCDM_RSASSA;
	assert_int_equal(ccdm_pubkey_verify(p256, &sig, text, 32), -EBADMSG);
	assert_int_equal(ccdm_pubkey_ecdsa(rsa, text, text, 32, text, 32), -EBADMSG);
	assert_int_equal(ccdm_pubkey_ecdsa(NULL, text, text, 32, text, 32), -EBADMSG);
	assert_int_equal(ccdm_pubkey_ecdsa(p256, modulus, modulus, 67, text, 32), -EBADMSG);
	ccdm_pubkey_free(rsa);
	ccdm_pubkey_free(p256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings),
		cmocka_unit_test(types_and_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
