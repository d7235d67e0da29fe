// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * fuzzes: broker/core/protocol.c broker/core/attest.c broker/core/resource.c broker/store/nonce.c broker/core/admin.c broker/core/note.c lib/evidence/capture.c - a guest's
 * request: path, cookie, bearer and body, each followed by 0xff. After "admin", a request of the
 * administrator. After "shake", two messages, in which NONCE stands for the broker's nonce. After
 * "true", the logs that accompany genuine evidence, and a path.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/admin.h"
#include "core/protocol.h"
#include "store/store.h"
#include "forge_tpm_json.h"
#include "fuzz.h"

#define NOW 1750000000

static struct ccdm_broker broker;
static struct ccdm_tee_key *guest;
static EVP_PKEY *ak;
static int log_fd;
static char keys_dir[64], ak_file[160], own_dir[] = "/tmp/ccdm-fuzz-XXXXXX";

static void forget(void)
{
	unlink(ak_file);
	rmdir(keys_dir);
	rmdir(own_dir);
}

static int prepare(void)
{
	char *dir = own_dir, path[64], hex[65];
	struct ccdm_digest name;
	char log[] = "/dev/shm/ccdm-fuzz-XXXXXX";
	struct ccdm_trust_dir *trust;
	uint8_t *spki = NULL;
	int n;
	struct ccdm_keys *keys;
	struct ccdm_err err;
	uint8_t *sealed;
	size_t size;
	FILE *f;

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/key", dir);
	umask(077);
	f = fopen(path, "w");
	fprintf(f, "%064d\n", 1);
	fclose(f);
	ak = pki_key("P-256");
	guest = ccdm_tee_key_new();
	snprintf(keys_dir, sizeof(keys_dir), "%s/tpm-keys", dir);
	mkdir(keys_dir, 0700);
	n = i2d_PUBKEY(ak, &spki);
	if (ccdm_digest_of(CCDM_ALG_SHA256, spki, n, NULL, 0, &name))
		abort();
	ccdm_hex(name.bytes, 32, hex);
	snprintf(ak_file, sizeof(ak_file), "%s/%s.der", keys_dir, hex);
	f = fopen(ak_file, "w");
	fwrite(spki, 1, n, f);
	fclose(f);
	if (ccdm_keys_load(path, &keys, &err) || ccdm_trust_load(dir, &trust, &err) ||
	    ccdm_store_open(":memory:", keys, &broker.store, &err) ||
	    ccdm_keys_seal(keys, "default/web/key", "secret", 6, &sealed, &size) ||
	    ccdm_store_secret_put(broker.store, "default/web/key", sealed, size, &err))
		abort();
	free(sealed);
	broker.keys = keys;
	broker.trust = trust;
	broker.signer = ccdm_signer_new();
	broker.versions = 1 << CCDM_KBS_0_2 | 1 << CCDM_KBS_0_4;
	broker.nonce_lifetime = 300;
	broker.session_lifetime = 300;
	OPENSSL_free(spki);
	/* the database is opened by its name for each request */
	atexit(forget);
	unlink(path);
	/* the log is in memory, because a disk is too slow */
	log_fd = mkostemp(log, O_CLOEXEC);
	if (log_fd < 0 || ccdm_audit_open(log, broker.signer, &broker.audit, &err))
		abort();
	unlink(log);
	return 0;
}

static void post(const char *path, const char *cookie, const char *bearer, const char *body,
		 struct ccdm_reply *reply)
{
	const struct ccdm_request q = {
		.post = !!body,
		.path = path,
		.cookie = cookie && cookie[0] ? cookie : NULL,
		.bearer = bearer && bearer[0] ? bearer : NULL,
		.body = body ? body : "",
		.size = body ? strlen(body) : 0,
		.peer = "::1",
		.now = NOW,
	};

	memset(reply, 0, sizeof(*reply));
	ccdm_protocol_answer(&broker, &q, reply);
	fuzz_said(path, reply->status == 200 ? "yes" : "no");
}

/* The nonce comes from the broker, as for a guest; the rest comes from the input. */
static void attest(const char *auth, const char *body)
{
	struct ccdm_reply challenge, reply;
	char nonce[CCDM_KBS_NONCE_MAX], *whole, *at, *text;
	struct ccdm_err err;

	post("/kbs/v0/auth", NULL, NULL, auth, &challenge);
	if (challenge.status == 200 &&
	    !ccdm_kbs_challenge(challenge.body, strlen(challenge.body), nonce, NULL, &err)) {
		text = strdup(body);
		at = strstr(text, "NONCE");
		if (at)
			*at = '\0';
		if (asprintf(&whole, "%s%s%s", text, at ? nonce : "", at ? at + 5 : "") >= 0) {
			post("/kbs/v0/attest", challenge.cookie, NULL, whole, &reply);
			free(reply.body);
			free(whole);
		}
		free(text);
		post("/kbs/v0/resource/default/web/key", challenge.cookie, NULL, NULL, &reply);
		free(reply.body);
	}
	free(challenge.body);
}

/* Genuine evidence, except for what no signature covers. */
static void genuine(const char *ccdm, const char *systemd, const char *path)
{
	static uint8_t pcr[CCDM_TPM_PCRS][32];
	static const char policy[] =
		"name: web\nsecrets: [default/web/*, default/no/*]\nrequire: {tee: tpm, binding: tpm-only, "
		"phase: unknown, identity: any}\n";
	char *auth = ccdm_kbs_request(CCDM_KBS_0_4, "tpm", NULL), *message, *token, url[300];
	json_t *jwk = ccdm_tee_key_jwk(guest), *evidence;
	struct ccdm_reply challenge, reply;
	char nonce[CCDM_KBS_NONCE_MAX];
	struct ccdm_digest bound;
	struct ccdm_err err;

	/* an earlier request may have removed it */
	if (ccdm_store_policy_put(broker.store, "web", policy, &err))
		abort();
	post("/kbs/v0/auth", NULL, NULL, auth, &challenge);
	if (ccdm_kbs_challenge(challenge.body, strlen(challenge.body), nonce, NULL, &err) ||
	    ccdm_kbs_report_data(CCDM_KBS_0_4, nonce, jwk, "", &bound))
		abort();
	evidence = forge_tpm_json(&(struct forge_tpm){
		.key = ak, .pcr = pcr, .nonce = bound.bytes, .nonce_size = 32 });
	json_object_set_new(evidence, "ccdm_log", json_string(ccdm));
	json_object_set_new(evidence, "systemd_log", json_string(systemd));
	message = ccdm_kbs_attestation(CCDM_KBS_0_4, nonce, jwk, evidence, "");
	post("/kbs/v0/attest", challenge.cookie, NULL, message, &reply);
	snprintf(url, sizeof(url), "/kbs/v0/resource/%.200s", path);
	if (reply.status == 200 && !ccdm_kbs_token(reply.body, strlen(reply.body), &token, &err)) {
		free(reply.body);
		post(url, NULL, token, NULL, &reply);
		free(token);
	}
	free(reply.body);
	free(message);
	free(auth);
	free(challenge.body);
	json_decref(evidence);
	json_decref(jwk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct ccdm_reply reply;
	char *part[4];
	unsigned int i;
	size_t n;

	if (!ready) {
		prepare();
		ready = true;
	}
	if (lseek(log_fd, 0, SEEK_END) > 64 << 20 && ftruncate(log_fd, 0))
		abort();
	for (i = 0; i < 4; i++) {
		const uint8_t *p = fuzz_part(data, size, i, &n);

		part[i] = fuzz_text(p, n);
	}
	if (!strcmp(part[0], "admin")) {
		json_decref(ccdm_admin_answer(&broker, part[1], strlen(part[1]), "test", NOW));
	} else if (!strcmp(part[0], "true")) {
		genuine(part[1], part[2], part[3]);
	} else if (!strcmp(part[0], "shake")) {
		attest(part[1], part[2]);
	} else {
		post(part[0], part[1], part[2], part[3][0] ? part[3] : NULL, &reply);
		free(reply.body);
	}
	for (i = 0; i < 4; i++)
		free(part[i]);
	return 0;
}
