/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* guest.h - a test broker without a network, and a guest with a test TPM */
#ifndef CCDM_TEST_GUEST_H
#define CCDM_TEST_GUEST_H

#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/protocol.h"
#include "forge_tpm_json.h"
#include "provider.h"
#include "seed.h"

#define NOW    1750000000 /* 2025-06-15 */
#define SECRET "correct horse"
#define PATH   "default/web/key"

static char dir[] = "/tmp/ccdm-broker-XXXXXX";
static struct ccdm_err err;
static struct provider provider;
static uint8_t pcr[CCDM_TPM_PCRS][32];
static struct ccdm_broker broker;
static struct ccdm_keys *keys;
static struct ccdm_trust_dir *trust;

/* ---- a broker ------------------------------------------------------------------- */

static const char *file(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text, size_t size, mode_t mode)
{
	FILE *f = fopen(file(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	fclose(f);
	chmod(file(name), mode);
}

static void policy(const char *require)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "name: web\nsecrets: default/web/*\nrequire:\n  tee: tpm\n"
		 "  binding: tpm-only\n  phase: unknown\n  identity: any\n%s",
		 require);
	assert_int_equal(ccdm_store_policy_put(broker.store, "web", text, &err), 0);
}

#define IMAGE                                     \
	"  pcr: {bank: sha256, index: 4, value: " \
	"4444444444444444444444444444444444444444444444444444444444444444}\n"

static int setup(void **state)
{
	static const char key[] =
		"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
	uint8_t *sealed;
	size_t size;
	unsigned int i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	provider = provider_new();
	for (i = 0; i < CCDM_TPM_PCRS; i++)
		memset(pcr[i], 0x40 + i, 32);
	mkdir(file("trust"), 0700);
	mkdir(file("trust/ak-roots"), 0700);
	put("trust/ak-roots/provider.pem", provider.pem.text, provider.pem.size, 0600);
	put("key", key, sizeof(key) - 1, 0600);

	assert_int_equal(ccdm_keys_load(file("key"), &keys, &err), 0);
	assert_int_equal(ccdm_trust_load(file("trust"), &trust, &err), 0);
	broker = (struct ccdm_broker){ .keys = keys,
				       .trust = trust,
				       .signer = ccdm_signer_new(),
				       .versions = 1 << CCDM_KBS_0_2 | 1 << CCDM_KBS_0_4,
				       .nonce_lifetime = 300,
				       .session_lifetime = 600 };
	assert_int_equal(ccdm_store_open(":memory:", keys, &broker.store, &err), 0);
	assert_int_equal(ccdm_audit_open(file("audit.log"), broker.signer, &broker.audit, &err), 0);
	assert_int_equal(ccdm_keys_seal(keys, PATH, SECRET, strlen(SECRET), &sealed, &size), 0);
	assert_int_equal(ccdm_store_secret_put(broker.store, PATH, sealed, size, &err), 0);
	free(sealed);
	policy(IMAGE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ccdm_broker_drop(&broker);
	ccdm_audit_close(broker.audit);
	ccdm_store_close(broker.store);
	ccdm_signer_free((struct ccdm_signer *)broker.signer);
	ccdm_trust_free(trust);
	ccdm_keys_free(keys);
	provider_free(&provider);
	unlink(file("trust/ak-roots/provider.pem"));
	rmdir(file("trust/ak-roots"));
	rmdir(file("trust"));
	unlink(file("key"));
	unlink(file("audit.log"));
	unlink(file("copy.log"));
	return rmdir(dir);
}

/* ---- a guest ----------------------------------------------------------------------- */

struct guest {
	struct ccdm_tee_key *key;
	enum ccdm_kbs_version version;
	int64_t now;
	char nonce[CCDM_KBS_NONCE_MAX];
	char cookie[CCDM_NONCE_COOKIE];
	char *token;
	char *message; /* the guest's second message, for tests that send it again */
	int status;
	char type[64];		    /* of the last error */
	struct ccdm_source *source; /* what its address may take */
};

static void ask(struct guest *g, bool post, const char *path, const char *body, bool bearer,
		struct ccdm_reply *a)
{
	struct ccdm_request q = { .post = post,
				  .path = path,
				  .cookie = !bearer && g->cookie[0] ? g->cookie : NULL,
				  .bearer = bearer ? g->token : NULL,
				  .body = body ? body : "",
				  .size = body ? strlen(body) : 0,
				  .peer = "192.0.2.1",
				  .source = g->source,
				  .now = g->now };
	json_t *o;
	const char *type;

	seed_texts("protocol", 0, 0xff, path, q.cookie ? q.cookie : "", q.bearer ? q.bearer : "",
		   q.body);
	ccdm_protocol_answer(&broker, &q, a);
	g->status = a->status;
	g->type[0] = '\0';
	assert_non_null(a->body);
	o = json_loads(a->body, 0, NULL);
	type = json_string_value(json_object_get(o, "type"));
	if (type)
		snprintf(g->type, sizeof(g->type), "%s", strrchr(type, '/') + 1);
	json_decref(o);
}

static void begin(struct guest *g)
{
	char *text = ccdm_kbs_request(g->version, "tpm", NULL);
	struct ccdm_reply a;

	g->cookie[0] = '\0';
	ask(g, true, "/kbs/v0/auth", text, false, &a);
	assert_int_equal(a.status, 200);
	assert_int_equal(ccdm_kbs_challenge(a.body, strlen(a.body), g->nonce, NULL, &err), 0);
	snprintf(g->cookie, sizeof(g->cookie), "%s", a.cookie);
	free(a.body);
	free(text);
}

static inline struct guest guest(enum ccdm_kbs_version version)
{
	struct guest g = { .key = ccdm_tee_key_new(), .version = version, .now = NOW };

	begin(&g);
	return g;
}

static inline void drop(struct guest *g)
{
	ccdm_tee_key_free(g->key);
	free(g->token);
	free(g->message);
}

/*
 * Write the exchange as a seed, with a placeholder for the nonce: the fuzzer's broker makes another
 * one.
 */
static inline void seed_shake(const struct guest *g, const char *nonce)
{
	const char *at = strstr(g->message, nonce);
	char *auth = ccdm_kbs_request(g->version, "tpm", NULL), *text;

	if (at && asprintf(&text, "%.*sNONCE%s", (int)(at - g->message), g->message,
			   at + strlen(nonce)) > 0) {
		seed_texts("protocol", 0, 0xff, "shake", auth, text, NULL);
		free(text);
	}
	free(auth);
}

/* Expect that the last answer refuses the guest with this error, and gives no token. */
static inline void refused(struct guest *g, const char *type)
{
	if (g->status != 401 || strcmp(g->type, type))
		fail_msg("%d %s, not 401 %s", g->status, g->type, type);
	assert_null(g->token);
}

/* Attest. @nonce: the one to claim; @pcrs: the TPM's registers */
static inline void attest(struct guest *g, const char *nonce, uint8_t (*pcrs)[32])
{
	json_t *jwk = ccdm_tee_key_jwk(g->key), *evidence;
	struct ccdm_digest bound;
	struct ccdm_reply a;

	assert_int_equal(ccdm_kbs_report_data(g->version, nonce, jwk, "", &bound), 0);
	evidence = forge_tpm_json(&(struct forge_tpm){ .key = provider.ak_key,
						       .cert = provider.ak_cert,
						       .pcr = pcrs,
						       .nonce = bound.bytes,
						       .nonce_size = 32 });
	free(g->message);
	g->message = ccdm_kbs_attestation(g->version, nonce, jwk, evidence, "");
	seed_shake(g, nonce);
	ask(g, true, "/kbs/v0/attest", g->message, false, &a);
	free(g->token);
	g->token = NULL;
	if (a.status == 200)
		assert_int_equal(ccdm_kbs_token(a.body, strlen(a.body), &g->token, &err), 0);
	free(a.body);
	json_decref(jwk);
	json_decref(evidence);
}

/* Return: the secret, or NULL */
static inline const char *fetch(struct guest *g, const char *path, bool bearer)
{
	static char text[64];
	struct ccdm_reply a;
	char url[256];
	uint8_t *bytes;
	size_t size;
	json_t *jwe;

	snprintf(url, sizeof(url), "/kbs/v0/resource/%s", path);
	ask(g, false, url, NULL, bearer, &a);
	text[0] = '\0';
	if (a.status == 200) {
		jwe = json_loads(a.body, 0, NULL);
		assert_int_equal(ccdm_jwe_open(g->key, jwe, &bytes, &size, &err), 0);
		snprintf(text, sizeof(text), "%.*s", (int)size, bytes);
		OPENSSL_clear_free(bytes, size);
		json_decref(jwe);
	}
	free(a.body);
	return a.status == 200 ? text : NULL;
}

#endif
