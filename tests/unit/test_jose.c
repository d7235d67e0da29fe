// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Canonical JSON, the guest's key, and messages encrypted for it: known answers, and changed texts.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "crypto/digest.h"
#include "base/jcs.h"
#include "kbs/jwe.h"
#include "seed.h"

static struct ccdm_err err;

static void canonical(const char *in, const char *want)
{
	json_t *o = json_loads(in, JSON_DECODE_ANY, NULL);
	char *text = NULL;
	int r;

	assert_non_null(o);
	seed_texts("kbs", 'j', 0, in, NULL, NULL, NULL);
	r = ccdm_jcs(o, &text);
	if (!want) {
		assert_int_equal(r, -EINVAL);
	} else {
		assert_int_equal(r, 0);
		assert_string_equal(text, want);
	}
	free(text);
	json_decref(o);
}

static void jcs(void **state)
{
	char deep[256] = "";
	unsigned int i;

	(void)state;
	canonical("{\"b\":1,\"a\":\"test\",\"c\":{\"d\":\"e\"}}",
		  "{\"a\":\"test\",\"b\":1,\"c\":{\"d\":\"e\"}}");
	canonical("[ true , false,null,\n-5 , [] , {} ]", "[true,false,null,-5,[],{}]");
	canonical("\"\\u0008\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\\u007f\\u00e4\\u20ac\"",
		  "\"\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\x7f\xc3\xa4\xe2\x82\xac\"");
	/* U+10000 is a pair that begins with D800, and sorts before U+E000 (RFC 8785, 3.2.3) */
	canonical("{\"\\ue000\":1,\"\\ud800\\udc00\":2,\"z\":3,\"\":4}",
		  "{\"\":4,\"z\":3,\"\xf0\x90\x80\x80\":2,\"\xee\x80\x80\":1}");
	canonical("{\"abc\":1,\"ab\":2,\"b\":3,\"aa\":4,\"a\":5}",
		  "{\"a\":5,\"aa\":4,\"ab\":2,\"abc\":1,\"b\":3}");
	canonical("{\"\\u00e9b\":1,\"\\u00e9a\":2,\"\\u00e8\":3}", "{\"\xc3\xa8\":3,\"\xc3\xa9"
								   "a\":2,\"\xc3\xa9"
								   "b\":1}");
	canonical("\"\\u0001\\u0007\\u000e\"", "\"\\u0001\\u0007\\u000e\"");
	canonical("9007199254740991", "9007199254740991");
	canonical("9007199254740992", NULL);
	canonical("-9007199254740991", "-9007199254740991");
	canonical("-9007199254740992", NULL);
	canonical("1.5", NULL);
	for (i = 0; i < 64; i++)
		strcat(deep, "[");
	for (i = 0; i < 64; i++)
		strcat(deep, "]");
	canonical(deep, deep);
	memmove(deep + 1, deep, strlen(deep) + 1);
	strcat(deep, "]");
	memmove(deep + 1, deep, strlen(deep) + 1);
	strcat(deep, "]");
	canonical(deep, NULL);
}

/* Invalid base64: other letters, letters of the other alphabet, bits that remain. */
static void base64(void **state)
{
	static const char *const bad[] = { "QUJ~", "QUJ{", "QU|D", "QUJ-", "QUJ_", "QU=D",
					   "QR==", "QUJ",  "Q===", " QUJ", "QUJ\n" };
	uint8_t *bytes;
	size_t i, size;

	(void)state;
	assert_int_equal(ccdm_base64_decode("QUJD", false, 3, &bytes, &size), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(bytes, "ABC", 3);
	free(bytes);
	assert_true(ccdm_base64_decode("QUJD", false, 2, &bytes, &size) < 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ccdm_base64_decode(bad[i], false, 16, &bytes, &size) >= 0)
			fail_msg("%s is taken", bad[i]);
}

/* From the protocol's reference: the input of the report data's hash. */
static void report_data(void **state)
{
	static const char want[] =
		"{\"additional-evidence\":\"\",\"nonce\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
		"\"tee-pubkey\":{\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"P-256\",\"kty\":\"EC\","
		"\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
		"\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\"}}";
	json_t *o = json_loads(want, 0, NULL);
	struct ccdm_digest d;
	char *text, hex[129];

	(void)state;
	assert_int_equal(ccdm_jcs(o, &text), 0);
	assert_string_equal(text, want);
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA384, text, strlen(text), NULL, 0, &d), 0);
	ccdm_hex(d.bytes, d.size, hex);
	assert_string_equal(hex, "d59c5ca13c55df86b2fc4ce983ae8f26d00a1082f3acf26d7b077c4a7a264e44"
				 "b4b1f8cce97801cfba202e3197d053ef");
	free(text);
	json_object_del(o, "additional-evidence");
	assert_int_equal(ccdm_jcs(o, &text), 0);
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA384, text, strlen(text), NULL, 0, &d), 0);
	ccdm_hex(d.bytes, d.size, hex);
	assert_string_equal(hex, "aa29da4707a36a4cdb112f5ba622c8d08443b311fd3985eb197711c8fa3db695"
				 "fbc4c0d05ec867f41e656490aee5120d");
	free(text);
	json_decref(o);
}

static void kek(void **state)
{
	uint8_t z[32], out[32];
	char hex[65];
	unsigned int i;

	(void)state;
	for (i = 0; i < 32; i++)
		z[i] = i;
	assert_int_equal(ccdm_jwe_kek(z, sizeof(z), out), 0);
	ccdm_hex(out, 32, hex);
	assert_string_equal(hex,
			    "ead36a3ab953bb6e5a6709471c0fd35fcc62cf920994cede2f3aa2544e9f47ac");
}

static void round_trip(void **state)
{
	static const size_t sizes[] = { 0, 1, 31, 4096, 100000 };
	struct ccdm_tee_key *key = ccdm_tee_key_new(), *other = ccdm_tee_key_new(), *public;
	uint8_t *secret = malloc(100000), *bytes;
	json_t *jwk = ccdm_tee_key_jwk(key), *jwe;
	size_t i, n;
	char *text;

	(void)state;
	memset(secret, 0x5a, 100000);
	assert_int_equal(ccdm_tee_key_from_jwk(jwk, &public, &err), 0);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(ccdm_jwe_seal(public, secret, sizes[i], &text), 0);
		/*
		 * search for it as it is and in base64; long enough that no ciphertext matches by
		 * chance
		 */
		assert_null(memmem(text, strlen(text), "ZZZZZZZZZZZZ", 12));
		assert_null(memmem(text, strlen(text), "WlpaWlpaWlpa", 12));
		jwe = json_loads(text, 0, NULL);
		assert_int_equal(ccdm_jwe_open(key, jwe, &bytes, &n, &err), 0);
		assert_int_equal(n, sizes[i]);
		assert_memory_equal(bytes, secret, n);
		OPENSSL_clear_free(bytes, n + 16);
		assert_int_equal(ccdm_jwe_open(other, jwe, &bytes, &n, &err), -EBADMSG);
		assert_null(bytes);
		json_decref(jwe);
		free(text);
	}
	ccdm_tee_key_free(key);
	ccdm_tee_key_free(public);
	ccdm_tee_key_free(other);
	json_decref(jwk);
	free(secret);
}

/* The header, for readers that rebuild it from the parsed members. */
static void header(void **state)
{
	struct ccdm_tee_key *key = ccdm_tee_key_new();
	uint8_t *bytes;
	char *text;
	size_t n;
	json_t *jwe;

	(void)state;
	assert_int_equal(ccdm_jwe_seal(key, "x", 1, &text), 0);
	jwe = json_loads(text, 0, NULL);
	assert_int_equal(ccdm_base64_decode(json_string_value(json_object_get(jwe, "protected")),
					    true, 1000, &bytes, &n),
			 0);
	assert_true(n > 70);
	assert_memory_equal(
		bytes,
		"{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"",
		77);
	free(bytes);
	json_decref(jwe);
	free(text);
	ccdm_tee_key_free(key);
}

/* Each member with a changed first digit, missing, cut off, or of another type. */
static void changed(void **state)
{
	static const char *const members[] = { "protected", "encrypted_key", "iv", "ciphertext",
					       "tag" };
	struct ccdm_tee_key *key = ccdm_tee_key_new();
	uint8_t *bytes;
	size_t i, k, n;
	char *text, *value;
	json_t *jwe;
	int r;

	(void)state;
	assert_int_equal(ccdm_jwe_seal(key, "secret", 6, &text), 0);
	for (i = 0; i < 5; i++)
		for (k = 0; k < 5; k++) {
			jwe = json_loads(text, 0, NULL);
			value = strdup(json_string_value(json_object_get(jwe, members[i])));
			if (k == 0)
				value[i ? 0 : 12] ^= 1;
			else if (k == 1)
				value[strlen(value) - 2] = '\0';
			else if (k == 2)
				value[1] = '*';
			json_object_set_new(jwe, members[i], json_string(value));
			if (k == 3)
				json_object_del(jwe, members[i]);
			else if (k == 4)
				json_object_set_new(jwe, members[i], json_integer(1));
			r = ccdm_jwe_open(key, jwe, &bytes, &n, &err);
			if (r != -EINVAL && r != -EBADMSG)
				fail_msg("%s, way %zu: %d", members[i], k, r);
			assert_null(bytes);
			free(value);
			json_decref(jwe);
		}
	free(text);
	ccdm_tee_key_free(key);
}

/* Header members that require unsupported features. */
static void headers(void **state)
{
	static const struct {
		const char *add, *value, *says;
	} all[] = {
		{ "crit", "[\"exp\"]", "crit or zip" },
		{ "zip", "\"DEF\"", "crit or zip" },
		{ "alg", "\"ECDH-ES\"", "expected alg" },
		{ "enc", "\"A128GCM\"", "expected alg" },
		{ "epk", "{}", NULL },
	};
	struct ccdm_tee_key *key = ccdm_tee_key_new();
	uint8_t *bytes;
	char *text, *head, *coded;
	json_t *jwe, *o;
	size_t i, n;

	(void)state;
	assert_int_equal(ccdm_jwe_seal(key, "secret", 6, &text), 0);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		jwe = json_loads(text, 0, NULL);
		assert_int_equal(
			ccdm_base64_decode(json_string_value(json_object_get(jwe, "protected")),
					   true, 1000, &bytes, &n),
			0);
		o = json_loadb((char *)bytes, n, 0, NULL);
		free(bytes);
		json_object_set_new(o, all[i].add, json_loads(all[i].value, JSON_DECODE_ANY, NULL));
		head = json_dumps(o, JSON_COMPACT);
		json_decref(o);
		coded = ccdm_base64url(head, strlen(head));
		json_object_set_new(jwe, "protected", json_string(coded));
		free(coded);
		free(head);
		assert_int_equal(ccdm_jwe_open(key, jwe, &bytes, &n, &err), -EINVAL);
		assert_null(bytes);
		if (all[i].says && !strstr(err.text, all[i].says))
			fail_msg("%s: %s", all[i].add, err.text);
		json_decref(jwe);
	}
	free(text);
	ccdm_tee_key_free(key);
}

static void keys(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"kty\":\"RSA\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"\",\"y\":\"\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
		/* not on the curve */
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
		"\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\",\"alg\":\"RSA1_5\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
		"\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck2\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
		"\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyco\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		"\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
	};
	struct ccdm_tee_key *key;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *jwk = json_loads(bad[i], 0, NULL);

		seed_texts("kbs", 'j', 0, bad[i], NULL, NULL, NULL);

		assert_int_equal(ccdm_tee_key_from_jwk(jwk, &key, &err), -EINVAL);
		assert_null(key);
		json_decref(jwk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64),      cmocka_unit_test(jcs),
		cmocka_unit_test(report_data), cmocka_unit_test(kek),
		cmocka_unit_test(round_trip),  cmocka_unit_test(header),
		cmocka_unit_test(changed),     cmocka_unit_test(headers),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
