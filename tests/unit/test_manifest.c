// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Manifests: a builder's signature over the IDs of an image. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include "base/base64.h"
#include "evidence/manifest.h"
#include "pki.h"
#include "seed.h"

static struct ccdm_err err;

static char *b64(const void *bytes, size_t size)
{
	return ccdm_base64url(bytes, size);
}

/* A JWS of @body under @header, with the key's x and y in the place of %s in it. */
static char *jws(const char *header, const char *body, EVP_PKEY *key, bool flip)
{
	char *x, *y, *text, *part[3], *signed_, *all;
	uint8_t point[65], sig[64];
	size_t n;

	assert_true(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
						    sizeof(point), &n));
	x = b64(point + 1, 32);
	y = b64(point + 33, 32);
	assert_true(asprintf(&text, header, x, y) > 0);
	part[0] = b64(text, strlen(text));
	part[1] = b64(body, strlen(body));
	assert_true(asprintf(&signed_, "%s.%s", part[0], part[1]) > 0);
	pki_sign(key, EVP_sha256(), signed_, strlen(signed_), sig, sig + 32, 32);
	sig[9] ^= flip;
	part[2] = b64(sig, 64);
	assert_true(asprintf(&all, "%s.%s", signed_, part[2]) > 0);
	free(x);
	free(y);
	free(text);
	free(signed_);
	free(part[0]);
	free(part[1]);
	free(part[2]);
	return all;
}

#define HEADER \
	"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}}"
#define ID	  "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
#define SAYS(ids) "{\"product\":\"web\",\"svn\":7,\"ids\":" ids "}"

static void manifests(void **state)
{
	static const struct {
		const char *header, *body;
		bool flip;
		const char *says; /* NULL: it is good */
	} all[] = {
		{ HEADER, SAYS("{\"snp\":[\"" ID "\"]}"), false, NULL },
		{ HEADER, SAYS("{\"tpm\":[],\"tdx\":[\"" ID "\"]}"), false, NULL },
		{ HEADER, SAYS("{\"snp\":[\"" ID "\"]}"), true, "signature" },
		{ "{\"alg\":\"none\",\"x\":[\"%s%s\"]}", SAYS("{\"snp\":[]}"), false, "ES256" },
		{ "{\"alg\":\"ES256\",\"jwk\":[\"%s%s\"]}", SAYS("{\"snp\":[]}"), false,
		  "the key" },
		{ "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"%s\",\"x\":\"%s\"}}",
		  SAYS("{\"snp\":[]}"), false, "the key" },
		{ HEADER, "[]", false, "product" },
		{ HEADER, "{\"product\":\"\",\"svn\":7,\"ids\":{\"snp\":[]}}", false, "product" },
		{ HEADER, "{\"product\":\"a\\u0000\",\"svn\":7,\"ids\":{\"snp\":[]}}", false,
		  "product" },
		{ HEADER, "{\"product\":\"" ID "a\",\"svn\":7,\"ids\":{\"snp\":[]}}", false,
		  "product" },
		{ HEADER, "{\"product\":\"web\",\"svn\":-1,\"ids\":{\"snp\":[]}}", false, "svn" },
		{ HEADER, "{\"product\":\"web\",\"svn\":1000000001,\"ids\":{\"snp\":[]}}", false,
		  "svn" },
		{ HEADER, "{\"product\":\"web\",\"svn\":\"7\",\"ids\":{\"snp\":[]}}", false,
		  "svn" },
		{ HEADER, "{\"product\":\"web\",\"svn\":7,\"svn\":8,\"ids\":{\"snp\":[]}}", false,
		  "product" },
		{ HEADER, SAYS("{}"), false, "no ids" },
		{ HEADER, SAYS("[]"), false, "no ids" },
		{ HEADER, SAYS("{\"sgx\":[]}"), false, "sgx" },
		{ HEADER, SAYS("{\"snp\":\"" ID "\"}"), false, "ids.snp: expected a list" },
		{ HEADER, SAYS("{\"snp\":[\"" ID "\",7]}"), false, "number 2" },
		{ HEADER, SAYS("{\"snp\":[\"A1" ID "\"]}"), false, "number 1" },
		{ HEADER, SAYS("{\"snp\":[\"a1\"]}"), false, "number 1" },
		{ HEADER, SAYS("{\"snp\":[\"" ID ID "a1\"]}"), false, "number 1" },
		{ HEADER, SAYS("{\"snp\":[\"" ID "\\u0000\"]}"), false, "product" },
	};
	static const char *const none[] = {
		"", ".", "..", "a.b", "a.b.c", "a.b.c.d", "e30.e30.e30"
	};
	json_t *ids = json_pack("[s,s]", "x", ID), *other = json_pack("[s]", "a1");
	struct ccdm_manifest m;
	EVP_PKEY *key = pki_key("P-256");
	size_t i, k;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		text = jws(all[i].header, all[i].body, key, all[i].flip);
		seed_texts("manifest", 0, 0, text, NULL, NULL, NULL);
		if (ccdm_manifest_read(text, &m, &err) != (all[i].says ? -EINVAL : 0))
			fail_msg("case %zu: %s", i, err.text);
		if (all[i].says && !strstr(err.text, all[i].says))
			fail_msg("case %zu: %s", i, err.text);
		if (!i) {
			assert_string_equal(m.product, "web");
			assert_int_equal(m.svn, 7);
			assert_int_equal(strlen(m.key), 64);
			assert_true(ccdm_manifest_lists(&m, "snp", ids));
			assert_false(ccdm_manifest_lists(&m, "snp", other));
			assert_false(ccdm_manifest_lists(&m, "snp", NULL));
			assert_false(ccdm_manifest_lists(&m, "tdx", ids));
			/* cut anywhere */
			for (k = strlen(text); k-- > 0;) {
				struct ccdm_manifest cut;

				text[k] = '\0';
				assert_int_equal(ccdm_manifest_read(text, &cut, &err), -EINVAL);
			}
		}
		if (!all[i].says)
			ccdm_manifest_drop(&m);
		free(text);
	}
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(ccdm_manifest_read(none[i], &m, &err), -EINVAL);
	json_decref(ids);
	json_decref(other);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
