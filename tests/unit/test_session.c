// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * A guest and a broker over real TLS: valid ones, wrong certificates, and brokers that refuse, lose
 * sessions, are slow, or send garbage. The guest's evidence is of a test TPM.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cli/issue.h"
#include "core/protocol.h"
#include "daemon/server.h"
#include "attest/session.h"
#include "forge_tpm_json.h"
#include "provider.h"

#define SECRET "correct horse"
#define PATH   "default/web/key"

static char dir[] = "/tmp/ccdm-session-XXXXXX";
static struct ccdm_err err;
static struct provider provider;
static uint8_t pcr[CCDM_TPM_PCRS][32];

/* Counters of the server's requests, shared between both processes. */
static struct shared {
	unsigned int auths, attests, resources;
} * seen;

static char *file(const char *name)
{
	static char path[8][256];
	static unsigned int n;
	char *p = path[n++ % 8];

	snprintf(p, 256, "%s/%s", dir, name);
	return p;
}

static void put(const char *name, const char *text, size_t size)
{
	FILE *f = fopen(file(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	fclose(f);
	chmod(file(name), 0600);
}

static void server_cert(const char *name, const char *host, unsigned int days)
{
	char *names[] = { (char *)host };

	if (access(file("server.key"), F_OK))
		assert_int_equal(ccdm_issue_key(file("server.key"), "P-256", &err), 0);
	assert_int_equal(ccdm_issue_cert(&(struct ccdm_issue){ .file = file(name),
							       .key = file("server.key"),
							       .cn = host,
							       .names = names,
							       .nr_names = 1,
							       .ca = file("ca.pem"),
							       .ca_key = file("ca.key"),
							       .days = days },
					 &err),
			 0);
}

static int setup(void **state)
{
	static const char key[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	unsigned int i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* the session must ignore proxy settings */
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	setenv("SSL_CERT_FILE", "/nonexistent", 1);
	provider = provider_new();
	for (i = 0; i < CCDM_TPM_PCRS; i++)
		memset(pcr[i], 0x40 + i, 32);
	mkdir(file("trust"), 0700);
	mkdir(file("trust/ak-roots"), 0700);
	put("trust/ak-roots/provider.pem", provider.pem.text, provider.pem.size);
	put("key", key, sizeof(key) - 1);
	assert_int_equal(ccdm_issue_key(file("ca.key"), "P-384", &err), 0);
	assert_int_equal(ccdm_issue_cert(&(struct ccdm_issue){ .file = file("ca.pem"),
							       .key = file("ca.key"),
							       .cn = "CA",
							       .days = 10 },
					 &err),
			 0);
	assert_int_equal(ccdm_issue_key(file("other.key"), "P-384", &err), 0);
	assert_int_equal(ccdm_issue_cert(&(struct ccdm_issue){ .file = file("other.pem"),
							       .key = file("other.key"),
							       .cn = "CA",
							       .days = 10 },
					 &err),
			 0);
	server_cert("server.pem", "localhost", 5);
	server_cert("elsewhere.pem", "elsewhere.example", 5);
	server_cert("expired.pem", "localhost", 0);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	provider_free(&provider);
	munmap(seen, 4096);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* ---- servers -------------------------------------------------------------------- */

/* A fault of the broker: its answer in place of the correct one. */
struct odd {
	const char *path; /* the request that it replaces */
	int status;
	const char *body;
	unsigned int sleep; /* seconds */
	bool times;	    /* only for the first request */
	unsigned int retry; /* seconds of Retry-After */
};

static struct ccdm_broker broker;

static void broker_open(void)
{
	static struct ccdm_keys *keys;
	static struct ccdm_trust_dir *trust;
	uint8_t *sealed;
	size_t size;

	if (ccdm_keys_load(file("key"), &keys, &err) ||
	    ccdm_trust_load(file("trust"), &trust, &err))
		_exit(1);
	broker = (struct ccdm_broker){ .keys = keys,
				       .trust = trust,
				       .signer = ccdm_signer_new(),
				       .versions = 1 << CCDM_KBS_0_4,
				       .nonce_lifetime = 300,
				       .session_lifetime = 600 };
	if (ccdm_store_open(":memory:", keys, &broker.store, &err) ||
	    ccdm_audit_open(file("audit.log"), broker.signer, &broker.audit, &err) ||
	    ccdm_keys_seal(keys, PATH, SECRET, strlen(SECRET), &sealed, &size) ||
	    ccdm_store_secret_put(broker.store, PATH, sealed, size, &err) ||
	    ccdm_store_policy_put(broker.store, "web",
				  "name: web\nsecrets: default/web/*\nrequire:\n  tee: tpm\n"
				  "  binding: tpm-only\n  phase: unknown\n  identity: any\n",
				  &err))
		_exit(1);
}

static void answer(const struct ccdm_request *q, struct ccdm_reply *a, void *arg)
{
	const struct odd *odd = arg;
	const char *what = q->path + strlen(CCDM_KBS_PREFIX);
	unsigned int *count = !strcmp(what, "/auth")	 ? &seen->auths
			      : !strcmp(what, "/attest") ? &seen->attests
							 : &seen->resources;

	++*count;
	if (odd && !strncmp(what, odd->path, strlen(odd->path)) && (!odd->times || *count == 1)) {
		sleep(odd->sleep);
		a->status = odd->status;
		a->body = strdup(odd->body);
		a->retry = odd->retry;
		return;
	}
	ccdm_protocol_answer(&broker, q, a);
}

static pid_t serve(const char *cert, struct odd *odd, unsigned int *port)
{
	struct ccdm_conf conf = { .listen = "127.0.0.1",
				  .max_body = 1 << 20,
				  .max_connections = 8,
				  .timeout = 20,
				  .handshake = 20 };
	struct ccdm_server *server;
	struct event_base *base;
	int ends[2];
	uint16_t n;
	pid_t pid;

	memset(seen, 0, sizeof(*seen));
	snprintf(conf.certificate, sizeof(conf.certificate), "%s", file(cert));
	snprintf(conf.key, sizeof(conf.key), "%s", file("server.key"));
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		broker_open();
		base = event_base_new();
		if (ccdm_server_new(base, &conf, answer, odd, &server, &err))
			_exit(1);
		n = ccdm_server_port(server);
		if (write(ends[1], &n, 2) != 2)
			_exit(1);
		event_base_dispatch(base);
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &n, 2), 2);
	close(ends[0]);
	*port = n;
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(file("audit.log"));
}

/* ---- a guest ------------------------------------------------------------------------ */

static int collect(const struct ccdm_attester *a, const struct ccdm_ask *ask, json_t **evidence,
		   struct ccdm_err *e)
{
	(void)a;
	(void)e;
	*evidence = forge_tpm_json(&(struct forge_tpm){ .key = provider.ak_key,
							.cert = provider.ak_cert,
							.pcr = pcr,
							.nonce = ask->data,
							.nonce_size = 32 });
	return 0;
}

struct how {
	const char *ca;
	bool pin, other_pin;
	const char *host;
	int64_t earliest;
	unsigned int deadline, timeout;
};

/* Return: the session's result; 0 if the secret was received */
static int guest(unsigned int port, const struct how *how)
{
	struct ccdm_attester tpm = { .tee = "tpm", .collect = collect };
	struct ccdm_session *s = NULL;
	uint8_t pin[32], *bytes = NULL;
	char url[64], hex[65];
	size_t size = 0, i;
	int r;
	struct ccdm_session_conf conf = {
		.http = { .url = url,
			  .ca = how->pin ? NULL : file(how->ca ? how->ca : "ca.pem"),
			  .pin = how->pin ? pin : NULL,
			  .earliest = how->earliest,
			  .timeout = how->timeout ? how->timeout : 10,
			  .max = 1 << 16 },
		.version = CCDM_KBS_0_4,
		.deadline = how->deadline ? how->deadline : 20,
		.primary = &tpm,
	};

	memset(&err, 0, sizeof(err));
	assert_int_equal(ccdm_issue_pin(file("server.pem"), hex, &err), 0);
	for (i = 0; i < 32; i++)
		pin[i] = strtoul((char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
	pin[31] ^= how->other_pin;
	snprintf(url, sizeof(url), "https://%s:%u", how->host ? how->host : "localhost", port);
	r = ccdm_session_open(&conf, &s, &err);
	if (!r)
		r = ccdm_session_secret(s, PATH, &bytes, &size, &err);
	if (!r) {
		assert_int_equal(size, strlen(SECRET));
		assert_memory_equal(bytes, SECRET, size);
		assert_non_null(ccdm_session_token(s));
	}
	OPENSSL_clear_free(bytes, size);
	ccdm_session_close(s);
	return r;
}

static int guest_of(const char *cert, struct odd *odd, const struct how *how)
{
	unsigned int port;
	pid_t pid = serve(cert, odd, &port);
	int r = guest(port, how);

	end(pid);
	return r;
}

/* ---- tests ---------------------------------------------------------------------------- */

static void who(void **state)
{
	const int64_t later = time(NULL) + 6 * 86400;
	const struct {
		const char *cert;
		struct how how;
		int r;
	} cases[] = {
		{ "server.pem", { 0 }, 0 },
		{ "server.pem", { .pin = true }, 0 },
		{ "server.pem", { .pin = true, .host = "127.0.0.1" }, 0 },
		{ "server.pem", { .pin = true, .other_pin = true }, -EKEYREJECTED },
		{ "server.pem", { .ca = "other.pem" }, -EKEYREJECTED },
		{ "server.pem", { .ca = "nothing.pem" }, -EINVAL },
		{ "server.pem", { .ca = "key" }, -EINVAL },
		{ "server.pem", { .host = "127.0.0.1" }, -EKEYREJECTED },
		{ "elsewhere.pem", { 0 }, -EKEYREJECTED },
		{ "elsewhere.pem", { .pin = true }, 0 },
		{ "expired.pem", { 0 }, -EKEYREJECTED },
		{ "expired.pem", { .pin = true }, 0 },
		{ "server.pem", { .earliest = later }, -EKEYREJECTED },
		{ "server.pem", { .earliest = later, .pin = true }, 0 },
	};
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = guest_of(cases[i].cert, NULL, &cases[i].how);
		if (r != cases[i].r)
			fail_msg("case %zu: %d, not %d: %s", i, r, cases[i].r, err.text);
		assert_int_equal(seen->attests, !r);
	}
}

#define ERROR(type) "{\"type\":\"https://x/errors/" type "\",\"detail\":\"because\"}"

static void odd_brokers(void **state)
{
	static const struct {
		struct odd odd;
		int r;
		unsigned int auths, attests, resources; /* expected requests; 0: any number */
	} cases[] = {
		{ { "/attest", 401, ERROR("PolicyDeny"), 0, false }, -ECANCELED, 1, 1, 0 },
		{ { "/resource", 401, ERROR("PolicyDeny"), 0, false }, -ECANCELED, 1, 1, 1 },
		{ { "/auth", 401,
		    "{\"type\":\"x/AttestationError\",\"detail\":\"KBS Client Protocol Version Mismatch\"}",
		    0, false },
		  -EPROTO,
		  1,
		  0,
		  0 },
		/*
		 * the broker loses the session once: a new handshake; always: only one new
		 * handshake
		 */
		{ { "/resource", 401, ERROR("TokenNotFound"), 0, true }, 0, 2, 2, 2 },
		{ { "/resource", 401, ERROR("TokenNotFound"), 0, false }, -ESTALE, 0, 0, 0 },
		{ { "/resource", 404, ERROR("InvalidRequestPath"), 0, false }, -ENOENT, 1, 1, 1 },
		{ { "/attest", 401, ERROR("AttestationError"), 0, false }, -EBADE, 0, 0, 0 },
		/* a temporary error: the guest retries */
		{ { "/auth", 500, "", 0, true }, 0, 2, 1, 1 },
		{ { "/attest", 503, "busy", 0, true }, 0, 2, 2, 1 },
		/* the broker says when: the guest sends the same evidence again, with the same nonce */
		{ { "/attest", 503, ERROR("AttestationError"), 0, true, 1 }, 0, 1, 2, 1 },
		{ { "/auth", 503, "busy", 0, true, 1 }, 0, 2, 1, 1 },
		{ { "/resource", 503, ERROR("PluginInternalError"), 0, true, 1 }, 0, 1, 1, 2 },
		{ { "/attest", 503, ERROR("AttestationError"), 0, false, 1 }, -EIO, 0, 0, 0 },
		/* longer than the guest has: it does not wait in vain */
		{ { "/attest", 503, "busy", 0, false, 4000000000 }, -EIO, 0, 1, 0 },
		/* another status: the guest chooses the delay, and asks for a new nonce */
		{ { "/attest", 500, "", 0, true, 1 }, 0, 2, 2, 1 },
		{ { "/resource", 500, "", 0, true }, 0, 1, 1, 2 },
		/* garbage */
		{ { "/auth", 200, "", 0, false }, -EIO, 0, 0, 0 },
		{ { "/auth", 200, "{", 0, false }, -EIO, 0, 0, 0 },
		{ { "/auth", 200, "{\"nonce\": 1}", 0, false }, -EIO, 0, 0, 0 },
		{ { "/auth", 302, "", 0, false }, -EIO, 0, 0, 0 },
		{ { "/attest", 200, "{\"token\": \"a b\"}", 0, false }, -EIO, 0, 0, 0 },
		{ { "/attest", 200, "[]", 0, false }, -EIO, 0, 0, 0 },
		{ { "/resource", 200, "", 0, false }, -EINVAL, 1, 1, 1 },
		{ { "/resource", 200, "{\"protected\": \"e30\"}", 0, false }, -EINVAL, 1, 1, 1 },
		{ { "/auth", 200, "{}", 5, false }, -ETIMEDOUT, 0, 0, 0 },
	};
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct odd odd = cases[i].odd;
		/* cases with counts must not time out; the others must not take long */
		struct how how = { .deadline = cases[i].auths ? 60 : 4,
				   .timeout = odd.sleep ? 2 : 30 };

		r = guest_of("server.pem", &odd, &how);
		if (r != cases[i].r)
			fail_msg("case %zu: %d, not %d: %s", i, r, cases[i].r, err.text);
		if ((cases[i].auths && cases[i].auths != seen->auths) ||
		    (cases[i].attests && cases[i].attests != seen->attests) ||
		    (cases[i].resources && cases[i].resources != seen->resources))
			fail_msg("case %zu: %u %u %u requests", i, seen->auths, seen->attests,
				 seen->resources);
	}
}

/* The guest waits as long as the broker says, and at most half of it longer. */
static void later(void **state)
{
	struct odd odd = { "/attest", 503, "busy", 0, true, 3 };
	struct how how = { .deadline = 60, .timeout = 30 };
	struct timespec begun, now;
	int64_t ms;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	assert_int_equal(guest_of("server.pem", &odd, &how), 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - begun.tv_sec) * 1000LL + (now.tv_nsec - begun.tv_nsec) / 1000000;
	assert_in_range(ms, 2900, 30000);
	assert_int_equal(seen->auths, 1);
	assert_int_equal(seen->attests, 2);
}

static void other_key(void **state)
{
	struct ccdm_tee_key *key = ccdm_tee_key_new();
	struct how how = { .deadline = 3, .timeout = 30 };
	struct odd odd = { "/resource", 200, NULL, 0, false, 0 };
	char *jwe, *huge = calloc(1, 100001);

	(void)state;
	assert_int_equal(ccdm_jwe_seal(key, "x", 1, &jwe), 0);
	odd.body = jwe;
	assert_int_equal(guest_of("server.pem", &odd, &how), -EBADMSG);
	memset(huge, ' ', 100000);
	odd.body = huge;
	assert_int_equal(guest_of("server.pem", &odd, &how), -EFBIG);
	free(huge);
	free(jwe);
	ccdm_tee_key_free(key);
}

static void nobody(void **state)
{
	struct how how = { .deadline = 1 };
	unsigned int port;
	pid_t pid = serve("server.pem", NULL, &port);

	(void)state;
	end(pid);
	assert_int_equal(guest(port, &how), -ECONNREFUSED);
	how.host = "no-such-host.invalid";
	assert_int_equal(guest(port, &how), -EHOSTUNREACH);
}

static int nothing(const struct ccdm_attester *a, const struct ccdm_ask *ask, json_t **evidence,
		   struct ccdm_err *e)
{
	(void)a;
	(void)ask;
	*evidence = NULL;
	return ccdm_err_set(e, -ENODEV, "it is gone");
}

static unsigned int left;

static void left_out(const struct ccdm_err *why)
{
	assert_string_equal(why->text, "it is gone");
	left++;
}

static const char *nonce_of(const json_t *o)
{
	return json_string_value(json_object_get(json_object_get(o, "runtime-data"), "nonce"));
}

/* The evidence is valid input for "ccdm-broker explain". */
static void without_broker(void **state)
{
	struct ccdm_attester tpm = { .tee = "tpm", .collect = collect };
	struct ccdm_attester second = { .tee = "tpm", .collect = collect };
	struct ccdm_session_conf conf = { .version = CCDM_KBS_0_4,
					  .primary = &tpm,
					  .left_out = left_out };
	json_t *o, *inner, *beside;

	(void)state;
	assert_int_equal(ccdm_session_evidence(&conf, "any", &o, &err), 0);
	assert_string_equal(json_string_value(json_object_get(o, "tee")), "tpm");
	assert_non_null(json_object_get(json_object_get(o, "tee-evidence"), "primary_evidence"));
	assert_string_equal(nonce_of(o), "any");
	json_decref(o);
	/* without a nonce the guest makes one of 256 bits, each time a new one */
	assert_int_equal(ccdm_session_evidence(&conf, NULL, &o, &err), 0);
	assert_int_equal(ccdm_session_evidence(&conf, NULL, &inner, &err), 0);
	assert_int_equal(strlen(nonce_of(o)), 43);
	assert_int_equal(strlen(nonce_of(inner)), 43);
	assert_string_not_equal(nonce_of(o), nonce_of(inner));
	json_decref(o);
	json_decref(inner);
	/* with additional evidence and a manifest */
	conf.beside = &second;
	conf.manifest = "a.b.c";
	assert_int_equal(ccdm_session_evidence(&conf, "any", &o, &err), 0);
	inner = json_object_get(o, "tee-evidence");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(inner, "primary_evidence"), "manifest")),
			    "a.b.c");
	beside = json_loads(json_string_value(json_object_get(inner, "additional_evidence")), 0,
			    NULL);
	assert_non_null(json_object_get(json_object_get(beside, "tpm"), "tpm_quote"));
	json_decref(beside);
	json_decref(o);
	assert_int_equal(left, 0);
	/* failing additional evidence is reported, but is no error; failing primary evidence is */
	second.collect = nothing;
	assert_int_equal(ccdm_session_evidence(&conf, "any", &o, &err), 0);
	assert_int_equal(left, 1);
	inner = json_object_get(o, "tee-evidence");
	assert_string_equal(json_string_value(json_object_get(inner, "additional_evidence")), "");
	json_decref(o);
	conf.left_out = NULL;
	assert_int_equal(ccdm_session_evidence(&conf, "any", &o, &err), 0);
	json_decref(o);
	tpm.collect = nothing;
	assert_int_equal(ccdm_session_evidence(&conf, "any", &o, &err), -ENODEV);
	assert_null(o);
}

/* An invalid path is not requested, and an invalid URL is not opened. */
static void asked_wrongly(void **state)
{
	static const char *const urls[] = { "", "http://localhost", "ftp://x", "https:/x", "x" };
	struct ccdm_session *s = NULL;
	struct ccdm_http *http = NULL;
	unsigned int port;
	pid_t pid = serve("server.pem", NULL, &port);
	struct ccdm_attester tpm = { .tee = "tpm", .collect = collect };
	char url[64];
	struct ccdm_session_conf conf = {
		.http = { .url = url, .ca = file("ca.pem"), .timeout = 10, .max = 1 << 16 },
		.version = CCDM_KBS_0_4,
		.deadline = 20,
		.primary = &tpm,
	};
	uint8_t *bytes = NULL;
	size_t size, i;

	(void)state;
	snprintf(url, sizeof(url), "https://localhost:%u", port);
	assert_int_equal(ccdm_session_open(&conf, &s, &err), 0);
	assert_int_equal(ccdm_session_secret(s, "a/b", &bytes, &size, &err), -EINVAL);
	assert_int_equal(ccdm_session_secret(s, "a/../c", &bytes, &size, &err), -EINVAL);
	assert_null(bytes);
	ccdm_session_close(s);
	end(pid);
	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		conf.http.url = urls[i];
		if (ccdm_http_open(&conf.http, &http, &err) != -EINVAL)
			fail_msg("'%s' is opened", urls[i]);
		assert_null(http);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who),		 cmocka_unit_test(odd_brokers),
		cmocka_unit_test(later),	 cmocka_unit_test(other_key),
		cmocka_unit_test(nobody),	 cmocka_unit_test(without_broker),
		cmocka_unit_test(asked_wrongly),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
