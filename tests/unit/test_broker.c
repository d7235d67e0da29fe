// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * The broker's side of the protocol, without a network. A guest with a test TPM attests and
 * receives its secret; hostile guests do not.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "guest.h"

/* ---- honest guests -------------------------------------------------------------------- */

static void handshake(void **state)
{
	enum ccdm_kbs_version version;

	(void)state;
	for (version = CCDM_KBS_0_2; version <= CCDM_KBS_0_4; version++) {
		struct guest g = guest(version);

		attest(&g, g.nonce, pcr);
		assert_int_equal(g.status, 200);
		assert_string_equal(fetch(&g, PATH, false), SECRET);
		assert_string_equal(fetch(&g, PATH, true), SECRET);
		drop(&g);
	}
}

static void many_guests(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		struct guest g = guest(CCDM_KBS_0_4);

		attest(&g, g.nonce, pcr);
		assert_string_equal(fetch(&g, PATH, i % 2), SECRET);
		drop(&g);
	}
}

/* ---- hostile guests ------------------------------------------------------------------- */

static void bad_auth(void **state)
{
	static const struct {
		const char *body, *type;
	} cases[] = {
		{ "", "SerdeError" },
		{ "{", "SerdeError" },
		{ "[]", "SerdeError" },
		{ "{\"version\": \"0.4.0\"}", "SerdeError" },
		{ "{\"version\": 4, \"tee\": \"tpm\"}", "SerdeError" },
		{ "{\"version\": \"0.4.0\", \"tee\": \"tpm\", \"tee\": \"snp\"}", "SerdeError" },
		{ "{\"version\": \"0.3.0\", \"tee\": \"tpm\", \"extra-params\": \"\"}",
		  "AttestationError" },
		{ "{\"version\": \"0.4.0\", \"tee\": \"sample\", \"extra-params\": \"\"}",
		  "AttestationError" },
		{ "{\"version\": \"0.4.0\", \"tee\": \"tpm\", \"extra-params\": {\"ccdm-tpm\": {}}}",
		  "SerdeError" },
	};
	struct guest g = { .now = NOW };
	char deep[4001] = { 0 };
	struct ccdm_reply a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(&g, true, "/kbs/v0/auth", cases[i].body, false, &a);
		refused(&g, cases[i].type);
		free(a.body);
	}
	/* with a TEE, an invalid identity of the TPM does not matter */
	ask(&g, true, "/kbs/v0/auth",
	    "{\"version\": \"0.4.0\", \"tee\": \"snp\", \"extra-params\": {\"ccdm-tpm\": {}}}",
	    false, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.body, "\"extra-params\":\"\""));
	free(a.body);
	/* a version that is not enabled */
	broker.versions = 1U << CCDM_KBS_0_2;
	ask(&g, true, "/kbs/v0/auth",
	    "{\"version\": \"0.4.0\", \"tee\": \"tpm\", \"extra-params\": \"\"}", false, &a);
	refused(&g, "AttestationError");
	free(a.body);
	broker.versions |= 1U << CCDM_KBS_0_4;
	memset(deep, '[', sizeof(deep) - 1);
	ask(&g, true, "/kbs/v0/auth", deep, false, &a);
	refused(&g, "SerdeError");
	free(a.body);
	ask(&g, true, "/kbs/v0/attest", deep, false, &a);
	refused(&g, "TokenNotFound");
	free(a.body);
}

static void bad_paths(void **state)
{
	static const char *const paths[] = {
		"/",
		"",
		"/kbs/v0",
		"/kbs/v0/resource/",
		"/kbs/v0/resource/a/b",
		"/kbs/v0/resource/a/b/c/d",
		"/kbs/v0/resource/../b/c",
		"/kbs/v0/resource/a/../c",
		"/kbs/v0/resource/a/b/..",
		"/kbs/v0/resource/a//c",
		"/kbs/v0/resource/a/b/%2e%2e",
		"/kbs/v0/resource/a/b/c d",
		"/kbs/v0/attestation-policy",
		"/kbs/v0/resource-policy",
		"/metrics",
		"/kbs/v0/auth/",
	};
	struct guest g = guest(CCDM_KBS_0_4);
	struct ccdm_reply a;
	size_t i;

	(void)state;
	attest(&g, g.nonce, pcr);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ask(&g, false, paths[i], NULL, false, &a);
		assert_int_equal(a.status, 404);
		free(a.body);
		ask(&g, true, paths[i], "{}", false, &a);
		assert_int_equal(a.status, 404);
		free(a.body);
	}
	/* the request with which Trustee stores a secret */
	ask(&g, true, "/kbs/v0/resource/" PATH, "mine", false, &a);
	assert_int_equal(a.status, 404);
	free(a.body);
	drop(&g);
}

static void replays(void **state)
{
	struct guest g = guest(CCDM_KBS_0_4), other = guest(CCDM_KBS_0_4);
	struct ccdm_reply a;
	char *first;

	(void)state;
	attest(&g, g.nonce, pcr);
	assert_non_null(g.token);
	/* the same message again, with the guest's own cookie and with another guest's */
	ask(&g, true, "/kbs/v0/attest", g.message, false, &a);
	assert_int_equal(g.status, 401);
	free(a.body);
	ask(&other, true, "/kbs/v0/attest", g.message, false, &a);
	refused(&other, "AttestationError");
	free(a.body);
	/* a nonce is good for one message */
	attest(&other, other.nonce, pcr);
	refused(&other, "TokenNotFound");
	/* evidence for another guest's nonce in this session */
	begin(&other);
	attest(&other, g.nonce, pcr);
	refused(&other, "AttestationError");
	/* genuine evidence with another guest's key */
	first = g.message;
	g.message = NULL;
	begin(&g);
	{
		json_t *o = json_loads(first, 0, NULL), *jwk = ccdm_tee_key_jwk(other.key);

		json_object_set(json_object_get(o, "runtime-data"), "tee-pubkey", jwk);
		json_object_set_new(json_object_get(o, "runtime-data"), "nonce",
				    json_string(g.nonce));
		g.message = json_dumps(o, 0);
		json_decref(jwk);
		json_decref(o);
	}
	free(g.token);
	g.token = NULL;
	ask(&g, true, "/kbs/v0/attest", g.message, false, &a);
	refused(&g, "AttestationError");
	free(a.body);
	free(first);
	drop(&g);
	drop(&other);
}

/* A message is refused before it costs much: one of many values, a key of many members. */
static void large_messages(void **state)
{
	struct guest g = guest(CCDM_KBS_0_4);
	struct ccdm_reply a;
	json_t *o, *many, *jwk;
	char name[24];
	int i;

	(void)state;
	attest(&g, g.nonce, pcr);
	free(g.token);
	g.token = NULL;
	o = json_loads(g.message, 0, NULL);
	many = json_array();
	for (i = 0; i < 32768; i++)
		json_array_append_new(many, json_integer(0));
	json_object_set_new(o, "more", many);
	free(g.message);
	g.message = json_dumps(o, 0);
	begin(&g);
	ask(&g, true, "/kbs/v0/attest", g.message, false, &a);
	assert_non_null(strstr(a.body, "at most 32768 values"));
	refused(&g, "SerdeError");
	free(a.body);
	json_object_del(o, "more");
	jwk = json_object_get(json_object_get(o, "runtime-data"), "tee-pubkey");
	for (i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "more-%d", i);
		json_object_set_new(jwk, name, json_string("x"));
	}
	free(g.message);
	g.message = json_dumps(o, 0);
	begin(&g);
	ask(&g, true, "/kbs/v0/attest", g.message, false, &a);
	assert_non_null(strstr(a.body, "tee-pubkey: expected at most 16 members"));
	refused(&g, "SerdeError");
	free(a.body);
	json_decref(o);
	drop(&g);
}

static void cookies(void **state)
{
	struct guest g = guest(CCDM_KBS_0_4);
	char good[CCDM_NONCE_COOKIE];
	size_t i;

	(void)state;
	memcpy(good, g.cookie, sizeof(good));
	for (i = 0; i < strlen(good); i++) {
		memcpy(g.cookie, good, sizeof(good));
		g.cookie[i] = good[i] == 'x' ? 'y' : 'x';
		attest(&g, g.nonce, pcr);
		refused(&g, "TokenNotFound");
	}
	snprintf(g.cookie, sizeof(g.cookie), "%.64s.snp.0.4.0", good);
	attest(&g, g.nonce, pcr);
	refused(&g, "TokenNotFound");
	snprintf(g.cookie, sizeof(g.cookie), "%.64s.tpm.0.2.0", good);
	attest(&g, g.nonce, pcr);
	refused(&g, "TokenNotFound");
	for (i = 0; i < 5; i++) {
		snprintf(g.cookie, sizeof(g.cookie), "%s",
			 (const char *[]){ "x", ".", "x.tpm", "xxxx.tpm.0.4.0", "x.tpm.0.4.0" }[i]);
		attest(&g, g.nonce, pcr);
		refused(&g, "TokenNotFound");
	}
	memcpy(g.cookie, good, sizeof(good));
	g.now = NOW + 300;
	attest(&g, g.nonce, pcr);
	refused(&g, "TokenNotFound");
	/* without attestation there is no session */
	g.now = NOW;
	assert_null(fetch(&g, PATH, false));
	refused(&g, "TokenNotFound");
	attest(&g, g.nonce, pcr);
	assert_string_equal(fetch(&g, PATH, false), SECRET);
	drop(&g);
}

static void tokens(void **state)
{
	struct guest g = guest(CCDM_KBS_0_4);
	struct ccdm_signer *other = ccdm_signer_new();
	char *good, *forged, *end;
	json_t *claims, *again;
	size_t i, n;

	(void)state;
	attest(&g, g.nonce, pcr);
	good = g.token;
	n = strlen(good);
	for (i = 0; i < n; i += 7) {
		g.token = strdup(good);
		g.token[i] = good[i] == 'A' ? 'B' : 'A';
		/* the last character of a part has bits without meaning */
		if (strcmp(g.token, good) && good[i + 1] && good[i + 1] != '.') {
			assert_null(fetch(&g, PATH, true));
			assert_string_equal(g.type, "TokenNotFound");
		}
		free(g.token);
	}
	assert_int_equal(ccdm_token_verify(broker.signer, good, NOW, &claims), 0);
	assert_int_equal(ccdm_token_verify(broker.signer, good, NOW + 600, &again), -ETIME);
	assert_int_equal(ccdm_token_sign(other, claims, &forged), 0);
	g.token = forged;
	assert_null(fetch(&g, PATH, true));
	free(forged);
	assert_int_equal(ccdm_token_verify(broker.signer, "x", NOW, &again), -EINVAL);
	assert_int_equal(ccdm_token_verify(broker.signer, "x.y", NOW, &again), -EINVAL);
	forged = malloc(CCDM_KBS_TOKEN_MAX + 2);
	memset(forged, 'x', CCDM_KBS_TOKEN_MAX + 1);
	memcpy(forged + 2, ".x.", 3);
	forged[CCDM_KBS_TOKEN_MAX + 1] = '\0';
	assert_int_equal(ccdm_token_verify(broker.signer, forged, NOW, &again), -EINVAL);
	free(forged);
	assert_null(again);
	/* {"alg":"none"} and no signature */
	end = strchr(good, '.');
	assert_true(asprintf(&g.token, "eyJhbGciOiJub25lIn0%.*s.", (int)(strrchr(good, '.') - end),
			     end) > 0);
	assert_null(fetch(&g, PATH, true));
	free(g.token);
	g.token = good;
	g.now = NOW + 599;
	assert_string_equal(fetch(&g, PATH, true), SECRET);
	g.now = NOW + 600;
	assert_null(fetch(&g, PATH, true));
	assert_null(fetch(&g, PATH, false));
	assert_string_equal(g.type, "TokenNotFound");
	json_decref(claims);
	ccdm_signer_free(other);
	drop(&g);
}

static void denied(void **state)
{
	uint8_t other[CCDM_TPM_PCRS][32];
	struct guest g = guest(CCDM_KBS_0_4), h;
	uint8_t *sealed;
	size_t size;

	(void)state;
	memcpy(other, pcr, sizeof(other));
	other[4][0] ^= 1;
	attest(&g, g.nonce, other);
	refused(&g, "PolicyDeny");
	/* a changed or removed policy applies at once, also to existing sessions */
	begin(&g);
	attest(&g, g.nonce, pcr);
	assert_string_equal(fetch(&g, PATH, false), SECRET);
	policy("  pcr: {bank: sha256, index: 4, value: "
	       "0000000000000000000000000000000000000000000000000000000000000000}\n");
	assert_null(fetch(&g, PATH, false));
	assert_string_equal(g.type, "PolicyDeny");
	assert_int_equal(ccdm_store_policy_remove(broker.store, "web", &err), 0);
	assert_null(fetch(&g, PATH, false));
	h = guest(CCDM_KBS_0_4);
	attest(&h, h.nonce, pcr);
	refused(&h, "PolicyDeny");
	/* a policy whose condition is undecided releases nothing */
	policy("  signer: {key: "
	       "0000000000000000000000000000000000000000000000000000000000000000, product: x, svn: 1}\n");
	assert_null(fetch(&g, PATH, false));
	assert_string_equal(g.type, "PolicyDeny");
	/* one policy that cannot be parsed blocks all secrets */
	policy(IMAGE);
	assert_string_equal(fetch(&g, PATH, false), SECRET);
	assert_int_equal(ccdm_store_policy_put(broker.store, "zz", "name: [", &err), 0);
	assert_null(fetch(&g, PATH, false));
	assert_int_equal(ccdm_store_policy_remove(broker.store, "zz", &err), 0);
	/* a missing secret and another guest's secret get the same answer */
	assert_null(fetch(&g, "default/web/other", false));
	assert_string_equal(g.type, "PolicyDeny");
	assert_null(fetch(&g, "default/db/key", false));
	assert_string_equal(g.type, "PolicyDeny");
	/* a secret that was copied to another name in the database */
	assert_int_equal(ccdm_store_secret_get(broker.store, PATH, &sealed, &size, &err), 0);
	assert_int_equal(
		ccdm_store_secret_put(broker.store, "default/web/other", sealed, size, &err), 0);
	assert_null(fetch(&g, "default/web/other", false));
	assert_int_equal(ccdm_store_secret_remove(broker.store, "default/web/other", &err), 0);
	free(sealed);
	drop(&g);
	drop(&h);
}

/* Malformed evidence in a session is logged before the guest gets its answer. */
static void unreadable(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{}", "{\"runtime-data\": {}}" };
	uint64_t before, after;
	struct ccdm_reply a;
	struct guest g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		g = guest(CCDM_KBS_0_4);
		assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &before, &err),
				 0);
		ask(&g, true, "/kbs/v0/attest", texts[i], false, &a);
		refused(&g, "SerdeError");
		free(a.body);
		assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &after, &err),
				 0);
		/* a head may be written, too */
		assert_true(after > before);
		drop(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake), cmocka_unit_test(many_guests),
		cmocka_unit_test(bad_auth),  cmocka_unit_test(bad_paths),
		cmocka_unit_test(replays),   cmocka_unit_test(large_messages),
		cmocka_unit_test(cookies),   cmocka_unit_test(tokens),
		cmocka_unit_test(denied),    cmocka_unit_test(unreadable),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
