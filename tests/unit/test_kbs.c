// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Messages of the KBS protocol: the guest's, and the answers of a broker or of a host in its place.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "kbs/kbs.h"
#include "seed.h"

#define NONCE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static const char jwk_text[] = "{\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"P-256\",\"kty\":\"EC\","
			       "\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
			       "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\"}";
static struct ccdm_err err;

static void says(char *text, const char *want)
{
	json_t *a = json_loads(text, 0, NULL), *b = json_loads(want, 0, NULL);

	assert_non_null(b);
	if (!json_equal(a, b))
		fail_msg("%s", text);
	json_decref(a);
	json_decref(b);
	free(text);
}

static void guest(void **state)
{
	json_t *jwk = json_loads(jwk_text, 0, NULL), *evidence = json_pack("{s:i}", "e", 1),
	       *extra = json_pack("{s:i}", "x", 2);

	(void)state;
	says(ccdm_kbs_request(CCDM_KBS_0_4, "snp", NULL),
	     "{\"version\":\"0.4.0\",\"tee\":\"snp\",\"extra-params\":\"\"}");
	says(ccdm_kbs_request(CCDM_KBS_0_2, "tpm", extra),
	     "{\"version\":\"0.2.0\",\"tee\":\"tpm\",\"extra-params\":{\"x\":2}}");
	says(ccdm_kbs_attestation(CCDM_KBS_0_4, "n", jwk, evidence, ""),
	     "{\"init-data\":null,\"runtime-data\":{\"nonce\":\"n\",\"tee-pubkey\":{\"alg\":\"ECDH-ES+A256KW\","
	     "\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
	     "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\"}},"
	     "\"tee-evidence\":{\"primary_evidence\":{\"e\":1},\"additional_evidence\":\"\"}}");
	says(ccdm_kbs_attestation(CCDM_KBS_0_2, "n", jwk, evidence, ""),
	     "{\"tee-pubkey\":{\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"P-256\",\"kty\":\"EC\","
	     "\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
	     "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\"},\"tee-evidence\":{\"e\":1}}");
	json_decref(jwk);
	json_decref(evidence);
	json_decref(extra);
}

static void hash_is(enum ccdm_kbs_version version, const char *nonce, const char *additional,
		    const char *want)
{
	json_t *jwk = json_loads(jwk_text, 0, NULL);
	struct ccdm_digest d;
	char hex[129];

	assert_int_equal(ccdm_kbs_report_data(version, nonce, jwk, additional, &d), 0);
	ccdm_hex(d.bytes, d.size, hex);
	if (want)
		assert_string_equal(hex, want);
	json_decref(jwk);
}

static void report_data(void **state)
{
	(void)state;
	hash_is(CCDM_KBS_0_4, NONCE, "",
		"d59c5ca13c55df86b2fc4ce983ae8f26d00a1082f3acf26d7b077c4a7a264e44"
		"b4b1f8cce97801cfba202e3197d053ef");
	hash_is(CCDM_KBS_0_2, NONCE, "",
		"aa29da4707a36a4cdb112f5ba622c8d08443b311fd3985eb197711c8fa3db695"
		"fbc4c0d05ec867f41e656490aee5120d");
	/* a nonce that contains a quotation mark */
	hash_is(CCDM_KBS_0_4, "\",\"tee-pubkey\":\"", "{\"tpm\":{}}", NULL);
}

static void challenges(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"nonce\":1}",
		"{\"nonce\":\"\"}",
		"{\"nonce\":\"a\",\"nonce\":\"b\"}",
		"{\"nonce\":\"a\"",
		"{\"nonce\":null,\"extra-params\":\"\"}",
		"\"nonce\"",
		"{\"Nonce\":\"a\"}",
	};
	char nonce[CCDM_KBS_NONCE_MAX], *longer = malloc(100000);
	json_t *extra;
	size_t i;

	(void)state;
	assert_int_equal(ccdm_kbs_challenge("{\"nonce\":\"abc=\",\"extra-params\":\"\"}", 34, nonce,
					    &extra, &err),
			 0);
	assert_string_equal(nonce, "abc=");
	assert_null(extra);
	assert_int_equal(ccdm_kbs_challenge("{\"nonce\":\"a\",\"extra-params\":{\"x\":1}}", 36,
					    nonce, &extra, &err),
			 0);
	assert_non_null(extra);
	json_decref(extra);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ccdm_kbs_challenge(bad[i], strlen(bad[i]), nonce, NULL, &err),
				 -EINVAL);
		assert_true(err.text[0]);
	}
	memset(longer, 'a', 100000);
	memcpy(longer, "{\"nonce\":\"", 10);
	strcpy(longer + 10 + 256, "\"}");
	assert_int_equal(ccdm_kbs_challenge(longer, strlen(longer), nonce, NULL, &err), -EINVAL);
	strcpy(longer + 10 + 255, "\"}");
	assert_int_equal(ccdm_kbs_challenge(longer, strlen(longer), nonce, NULL, &err), 0);
	/* nested a thousand levels deep, and deeper than the parser's limit */
	for (i = 1000; i <= 50000; i += 49000) {
		memset(longer, '[', i);
		memset(longer + i, ']', 100000 - i > i ? i : 100000 - i);
		assert_int_equal(ccdm_kbs_challenge(longer, i * 2, nonce, NULL, &err), -EINVAL);
	}
	free(longer);
	longer = calloc(1, CCDM_KBS_MESSAGE_MAX + 1);
	memset(longer, ' ', CCDM_KBS_MESSAGE_MAX + 1);
	assert_int_equal(ccdm_kbs_challenge(longer, CCDM_KBS_MESSAGE_MAX + 1, nonce, NULL, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "too large"));
	free(longer);
}

static void tokens(void **state)
{
	static const char *const bad[] = { "{}", "{\"token\":\"\"}", "{\"token\":[]}",
					   "{\"token\":\"a b\"}", "{\"token\":\"a\\r\\nX: y\"}" };
	char *token;
	size_t i;

	(void)state;
	assert_int_equal(ccdm_kbs_token("{\"token\":\"a.b-c_d.e\"}", 21, &token, &err), 0);
	assert_string_equal(token, "a.b-c_d.e");
	free(token);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		seed_texts("kbs", 't', 0, bad[i], NULL, NULL, NULL);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ccdm_kbs_token(bad[i], strlen(bad[i]), &token, &err), -EINVAL);
	/* the longest token, and one more byte */
	for (i = CCDM_KBS_TOKEN_MAX; i <= CCDM_KBS_TOKEN_MAX + 1; i++) {
		char *value = malloc(i + 1), *body;

		memset(value, 'a', i);
		value[i] = '\0';
		assert_true(asprintf(&body, "{\"token\":\"%s\"}", value) > 0);
		assert_int_equal(ccdm_kbs_token(body, strlen(body), &token, &err),
				 i > CCDM_KBS_TOKEN_MAX ? -EINVAL : 0);
		if (i == CCDM_KBS_TOKEN_MAX)
			free(token);
		free(body);
		free(value);
	}
}

/* Tokens with {"iat":...} as their payload, and invalid ones. */
static void times(void **state)
{
	static const struct {
		const char *body;
		int64_t at;
	} all[] = {
		{ "{\"iat\":1763842000}", 1763842000 },
		{ "{\"exp\":1,\"iat\":4102444799}", 4102444799 },
		{ "{\"iat\":4102444800}", 0 },
		{ "{\"iat\":946684799}", 0 },
		{ "{\"iat\":-1}", 0 },
		{ "{\"iat\":1763842000.5}", 0 },
		{ "{\"iat\":\"1763842000\"}", 0 },
		{ "{\"iat\":1763842000,\"iat\":1763842001}", 0 },
		{ "[]", 0 },
		{ "{", 0 },
	};
	static const char *const none[] = { "", "a", "a.b", "..", "a.!.c", "." };
	char *token, *part;
	int64_t at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		part = ccdm_base64url(all[i].body, strlen(all[i].body));
		seed_texts("kbs", 'u', 0, part, NULL, NULL, NULL);
		assert_true(asprintf(&token, "e30.%s.c2ln", part) > 0);
		seed_texts("kbs", 't', 0, token, NULL, NULL, NULL);
		assert_int_equal(ccdm_kbs_token_time(token, &at, &err), all[i].at ? 0 : -EINVAL);
		if (all[i].at)
			assert_int_equal(at, all[i].at);
		free(token);
		free(part);
	}
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(ccdm_kbs_token_time(none[i], &at, &err), -EINVAL);
}

static void failures(void **state)
{
	static const struct {
		long status;
		const char *text;
		enum ccdm_kbs_failure failure;
		const char *detail;
	} all[] = {
		{ 401,
		  "{\"type\":\"https://github.com/confidential-containers/kbs/errors/PolicyDeny\",\"detail\":\"no\"}",
		  CCDM_KBS_DENIED, "no" },
		{ 401, "{\"type\":\"x/errors/TokenNotFound\",\"detail\":\"gone\"}",
		  CCDM_KBS_SESSION, "gone" },
		/* not decided yet, whatever the type says */
		{ 503, "{\"type\":\"x/PluginInternalError\",\"detail\":\"\"}", CCDM_KBS_OTHER, "" },
		{ 503, "{\"type\":\"x/PolicyDeny\",\"detail\":\"\"}", CCDM_KBS_OTHER, "" },
		{ 401, "{\"type\":\"x/PluginInternalError\",\"detail\":\"\"}", CCDM_KBS_MISSING,
		  "" },
		{ 401,
		  "{\"type\":\"x/AttestationError\",\"detail\":\"KBS Client Protocol Version Mismatch: expect =0.4.0\"}",
		  CCDM_KBS_VERSION, "KBS Client Protocol Version Mismatch: expect =0.4.0" },
		{ 401, "{\"type\":\"x/AttestationError\",\"detail\":\"no\"}", CCDM_KBS_REJECTED,
		  "no" },
		{ 500, "{\"type\":\"x/AttestationError\",\"detail\":\"no\"}", CCDM_KBS_OTHER,
		  "no" },
		{ 403, "", CCDM_KBS_DENIED, "HTTP status 403" },
		{ 500, "<html>", CCDM_KBS_OTHER, "HTTP status 500" },
		{ 401, "{\"type\":1,\"detail\":[]}", CCDM_KBS_OTHER, "HTTP status 401" },
		{ 401, "{\"type\":\"PolicyDeny\",\"detail\":\"\\u001b[31mred\\u00e4\\u007f\"}",
		  CCDM_KBS_OTHER, "?[31mred???" },
	};
	char detail[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		seed_texts("kbs", 'f', 0, all[i].text, NULL, NULL, NULL);
		assert_int_equal(
			ccdm_kbs_failure(all[i].status, all[i].text, strlen(all[i].text), detail),
			all[i].failure);
		assert_string_equal(detail, all[i].detail);
	}
	/* a text longer than any message is not parsed */
	assert_int_equal(ccdm_kbs_failure(401, all[0].text, CCDM_KBS_MESSAGE_MAX + 1, detail),
			 CCDM_KBS_OTHER);
	assert_string_equal(detail, "HTTP status 401");
}

static void paths(void **state)
{
	static const char *const good[] = { "a/b/c", "default/keys/db-1", "A_/9/x.y..z", "-/_/0" };
	static const char *const bad[] = { "",		"a",	     "a/b",	"a/b/",
					   "/a/b/c",	"a//c",	     "a/b/c/d", "../b/c",
					   "a/../c",	"a/b/.c",    "a/b/c ",	"a/b/\xc3\xa4",
					   "a/b/c?x=1", "a%2fb/c/d", "a/b/c\n" };
	char longer[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		seed_texts("kbs", 'p', 0, good[i], NULL, NULL, NULL);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(ccdm_kbs_path_good(good[i]));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ccdm_kbs_path_good(bad[i]))
			fail_msg("%s is taken", bad[i]);
	memset(longer, 'a', sizeof(longer));
	memcpy(longer, "a/b/", 4);
	longer[256] = '\0';
	assert_false(ccdm_kbs_path_good(longer));
	longer[255] = '\0';
	assert_true(ccdm_kbs_path_good(longer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest),      cmocka_unit_test(report_data),
		cmocka_unit_test(challenges), cmocka_unit_test(tokens),
		cmocka_unit_test(times),      cmocka_unit_test(failures),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
