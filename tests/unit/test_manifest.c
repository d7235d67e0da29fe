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

/* Make a JWS of @body with @header, in which the key's x and y replace %s. */
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
#define MORE(more)                                                              \
	"{\"product\":\"web\",\"svn\":7,\"ids\":{\"tpm\":[\"" ID "\",\"" TPM_ID \
	"\"],\"tdx\":[\"" TDX_ID "\"]}," more "}"
#define BYTES32	 "abababababababababababababababababababababababababababababababab"
#define BYTES48	 BYTES32 "abababababababababababababababab"
/* texts of IDs, as JSON has them, and their SHA-256 */
#define TPM_TEXT "ccdm-enclave-id 1\\ntpm sha256\\npcr4 " BYTES32 "\\n"
#define TPM_ID	 "2ebac34b95f61100f102b36536a70b0c8e82a297cee6251dfc39acb950084ed2"
#define TDX_TEXT "ccdm-enclave-id 1\\ntdx sha384\\nrtmr1 " BYTES48 "\\n"
#define TDX_ID	 "e4b5050e1a8d0f91249f585f3851343a9ab10bf9ed2a10ac982e11a2ef07203f"
#define IMAGE	 "sha256:" BYTES32
#define KEYED(more)                                                                                   \
	"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"" more \
	"}"

static void manifests(void **state)
{
	static const struct {
		const char *header, *body;
		bool flip;
		const char *says; /* NULL: the manifest is valid */
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
		/* numbers that are not whole, or do not fit */
		{ HEADER, "{\"product\":\"web\",\"svn\":7.0,\"ids\":{\"snp\":[]}}", false, "svn" },
		{ HEADER, "{\"product\":\"web\",\"svn\":1e1,\"ids\":{\"snp\":[]}}", false, "svn" },
		{ HEADER, "{\"product\":\"web\",\"svn\":18446744073709551617,\"ids\":{\"snp\":[]}}",
		  false, "product" },
		{ HEADER, "{\"product\":\"web\",\"svn\":null,\"ids\":{\"snp\":[]}}", false, "svn" },
		/* what the reader does not know could restrict what it knows */
		{ HEADER, MORE("\"expires\":1"), false, "unknown member 'expires'" },
		{ HEADER, MORE("\"Product\":\"b\""), false, "unknown member 'Product'" },
		{ KEYED("},\"crit\":[\"exp\"],\"exp\":1"), SAYS("{\"snp\":[]}"), false,
		  "its header: unknown member" },
		{ KEYED("},\"b64\":false"), SAYS("{\"snp\":[]}"), false,
		  "its header: unknown member 'b64'" },
		/* another statement of the same key; a private key; another algorithm */
		{ KEYED("},\"typ\":\"JWT\""), SAYS("{\"snp\":[]}"), false, "typ: expected" },
		{ KEYED("},\"typ\":\"ccdm-manifest\",\"kid\":\"7\""), SAYS("{\"snp\":[]}"), false,
		  NULL },
		{ KEYED(",\"d\":\"" ID "\"}"), SAYS("{\"snp\":[]}"), false,
		  "its key: unknown member 'd'" },
		{ "{\"alg\":\"none\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}}",
		  SAYS("{\"snp\":[]}"), false, "ES256" },
		{ "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}}",
		  SAYS("{\"snp\":[]}"), false, "ES256" },
		{ "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}}",
		  SAYS("{\"snp\":[]}"), false, "ES256" },
		/* a launch digest is no ID of events */
		{ HEADER, SAYS("{\"snp\":[\"" BYTES48 "\"]}"), false, NULL },
		{ HEADER, SAYS("{\"tpm\":[\"" BYTES48 "\"]}"), false, "ids.tpm: number 1" },
		{ HEADER, SAYS("{\"tdx\":[\"" BYTES48 "\"]}"), false, "ids.tdx: number 1" },
		/* the base, the workload, the logs */
		{ HEADER, MORE("\"base\":{\"name\":\"trixie-7\",\"svn\":3},\"logs\":\"none\""),
		  false, NULL },
		{ HEADER, MORE("\"base\":{\"name\":\"trixie-7\"}"), false, "base.svn" },
		{ HEADER, MORE("\"base\":{\"name\":\"trixie-7\",\"svn\":3.0}"), false, "base.svn" },
		{ HEADER, MORE("\"base\":{\"name\":\"trixie-7\",\"svn\":-1}"), false, "base.svn" },
		{ HEADER, MORE("\"base\":{\"svn\":3}"), false, "base.name" },
		{ HEADER, MORE("\"base\":{\"name\":\"a\",\"svn\":3,\"x\":1}"), false,
		  "base: unknown member 'x'" },
		{ HEADER, MORE("\"base\":\"trixie-7\""), false, "base: expected an object" },
		{ HEADER, MORE("\"base\":null"), false, "base: expected an object" },
		{ HEADER, MORE("\"workload\":{\"image\":\"" IMAGE "\",\"root\":\"" ID "\"}"), false,
		  NULL },
		{ HEADER, MORE("\"workload\":{\"image\":\"" ID "\",\"root\":\"" ID "\"}"), false,
		  "workload.image" },
		{ HEADER, MORE("\"workload\":{\"image\":\"" IMAGE "0\",\"root\":\"" ID "\"}"),
		  false, "workload.image" },
		{ HEADER, MORE("\"workload\":{\"image\":\"" IMAGE "\",\"root\":\"x\"}"), false,
		  "workload.root" },
		{ HEADER, MORE("\"workload\":{\"image\":\"" IMAGE "\"}"), false, "workload.root" },
		{ HEADER, MORE("\"workload\":{\"tag\":\"a\"}"), false, "workload: unknown member" },
		{ HEADER, MORE("\"workload\":[]"), false, "workload: expected an object" },
		{ HEADER, MORE("\"logs\":\"serial\""), false, "logs: expected" },
		{ HEADER, MORE("\"logs\":7"), false, "logs: expected" },
		/* texts of IDs: a text of an ID that is listed, for its own platform */
		{ HEADER, MORE("\"events\":[\"" TPM_TEXT "\",\"" TDX_TEXT "\"]"), false, NULL },
		{ HEADER, MORE("\"events\":[]"), false, NULL },
		{ HEADER, MORE("\"events\":{}"), false, "events: expected a list" },
		{ HEADER, MORE("\"events\":[7]"), false, "events: number 1: expected the text" },
		{ HEADER, MORE("\"events\":[\"" TPM_TEXT "\",\"" TPM_TEXT "pcr9 " ID "\\n\"]"),
		  false, "events: number 2: its hash" },
		{ HEADER, MORE("\"events\":[\"" TPM_TEXT "pcr9 a1\\n\"]"), false,
		  "number 1: expected the text" },
		{ HEADER, MORE("\"events\":[\"ccdm-enclave-id 2\\n\"]"), false,
		  "number 1: expected the text" },
		{ HEADER, MORE("\"events\":[\"ccdm-enclave-id 1\\ntpm sha256\"]"), false,
		  "number 1: expected the text" },
		{ HEADER, MORE("\"events\":[\"ccdm-enclave-id 1\\nsnp sha256\\n\"]"), false,
		  "number 1: expected the text" },
		{ HEADER, MORE("\"events\":[\"ccdm-enclave-id 1\\ntpm md5\\n\"]"), false,
		  "number 1: expected the text" },
		/* an ID of a TPM, listed for a TD */
		{ HEADER,
		  "{\"product\":\"web\",\"svn\":7,\"ids\":{\"tdx\":[\"" TPM_ID
		  "\"]},\"events\":[\"" TPM_TEXT "\"]}",
		  false, "is not in ids.tpm" },
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

/* Two manifests in one text; the signature of one under the payload of the other; other letters. */
static void two(void **state)
{
	EVP_PKEY *key = pki_key("P-256"), *other = pki_key("P-256");
	char *a = jws(HEADER, SAYS("{\"snp\":[\"" ID "\"]}"), key, false);
	char *b = jws(HEADER, SAYS("{\"tpm\":[\"" ID "\"]}"), key, false);
	char *c = jws(HEADER, SAYS("{\"snp\":[\"" ID "\"]}"), other, false);
	static const char *const between[] = { "", ".", "\n", " ", "\r\n" };
	struct ccdm_manifest m;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
		assert_true(asprintf(&text, "%s%s%s", a, between[i], b) > 0);
		assert_int_equal(ccdm_manifest_read(text, &m, &err), -EINVAL);
		free(text);
	}
	/* the newline of an editor */
	assert_true(asprintf(&text, "%s\n", a) > 0);
	assert_int_equal(ccdm_manifest_read(text, &m, &err), -EINVAL);
	free(text);
	/* header and payload of one, signature of another payload, or of another key */
	assert_true(asprintf(&text, "%.*s%s", (int)(strrchr(a, '.') - a), a, strrchr(b, '.')) > 0);
	assert_int_equal(ccdm_manifest_read(text, &m, &err), -EINVAL);
	assert_non_null(strstr(err.text, "its key does not verify"));
	free(text);
	/* the key of somebody else under the payload of the builder */
	assert_true(asprintf(&text, "%.*s%s", (int)(strchr(c, '.') - c), c, strchr(a, '.')) > 0);
	assert_int_equal(ccdm_manifest_read(text, &m, &err), -EINVAL);
	assert_non_null(strstr(err.text, "its key does not verify"));
	free(text);
	free(a);
	free(b);
	free(c);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* What is written is what is read. */
static void written(void **state)
{
	struct ccdm_manifest m = { .product = "web",
				   .svn = 7,
				   .base = "trixie-7",
				   .base_svn = 3,
				   .image = IMAGE,
				   .root = ID,
				   .logs = "console" },
			     again;
	json_t *payload = NULL;
	EVP_PKEY *key = pki_key("P-256");
	char *body, *text;

	(void)state;
	m.ids = json_pack("{s:[s], s:[s, s]}", "tpm", TPM_ID, "snp", BYTES48, ID);
	m.events = json_pack("[s]", "ccdm-enclave-id 1\ntpm sha256\npcr4 " BYTES32 "\n");
	assert_int_equal(ccdm_manifest_payload(&m, &payload, &err), 0);
	body = json_dumps(payload, JSON_COMPACT);
	text = jws(HEADER, body, key, false);
	assert_int_equal(ccdm_manifest_read(text, &again, &err), 0);
	assert_string_equal(again.product, "web");
	assert_int_equal(again.svn, 7);
	assert_string_equal(again.base, "trixie-7");
	assert_int_equal(again.base_svn, 3);
	assert_string_equal(again.image, IMAGE);
	assert_string_equal(again.root, ID);
	assert_string_equal(again.logs, "console");
	assert_true(json_equal(again.ids, m.ids));
	assert_true(json_equal(again.events, m.events));
	ccdm_manifest_drop(&again);
	json_decref(payload);
	free(body);
	free(text);
	/* without what may be missing */
	strcpy(m.base, "");
	strcpy(m.image, "");
	strcpy(m.logs, "");
	json_decref(m.events);
	m.events = NULL;
	assert_int_equal(ccdm_manifest_payload(&m, &payload, &err), 0);
	assert_int_equal(json_object_size(payload), 3);
	text = jws(HEADER, SAYS("{\"snp\":[]}"), key, false);
	assert_int_equal(ccdm_manifest_read(text, &again, &err), 0);
	assert_int_equal(again.base_svn, -1);
	assert_null(again.events);
	ccdm_manifest_drop(&again);
	json_decref(payload);
	free(text);
	/* what the reader would refuse is not written */
	m.svn = -1;
	assert_int_equal(ccdm_manifest_payload(&m, &payload, &err), -EINVAL);
	assert_non_null(strstr(err.text, "svn"));
	ccdm_manifest_drop(&m);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifests),
		cmocka_unit_test(two),
		cmocka_unit_test(written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
