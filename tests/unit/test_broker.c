// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * The broker's side of the protocol, without a network: a guest with a TPM of our own
 * shakes hands and gets its secret; hostile guests do not.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include "core/conf.h"
#include "daemon/trust_watch.h"
#include <signal.h>
#include <sys/resource.h>
#include "guest.h"

/* ---- good ones ------------------------------------------------------------------------ */

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

static void many(void **state)
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

/* ---- bad ones --------------------------------------------------------------------------- */

static void refused(struct guest *g, const char *type)
{
	if (g->status != 401 || strcmp(g->type, type))
		fail_msg("%d %s, not 401 %s", g->status, g->type, type);
	assert_null(g->token);
}

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
	/* beside a TEE it does not matter what the host's TPM says of itself */
	ask(&g, true, "/kbs/v0/auth",
	    "{\"version\": \"0.4.0\", \"tee\": \"snp\", \"extra-params\": {\"ccdm-tpm\": {}}}",
	    false, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.body, "\"extra-params\":\"\""));
	free(a.body);
	/* a version that there is, but not here */
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
	/* writing a secret as Trustee's administrators do */
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
	/* the same again, with its cookie, and with another's */
	ask(&g, true, "/kbs/v0/attest", g.message, false, &a);
	assert_int_equal(g.status, 401);
	free(a.body);
	ask(&other, true, "/kbs/v0/attest", g.message, false, &a);
	refused(&other, "AttestationError");
	free(a.body);
	/* evidence for another nonce, under the right one's name */
	attest(&other, g.nonce, pcr);
	refused(&other, "AttestationError");
	/* another's key beside genuine evidence */
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

/* A store that came back from a backup does not know which nonces were used: all of before are. */
static void restored(void **state)
{
	struct ccdm_nonce nonce = { .id = "restored", .expires = 5000 };
	struct ccdm_store *store;
	char *kept;

	(void)state;
	assert_int_equal(ccdm_store_open(":memory:", keys, &store, &err), 0);
	assert_int_equal(ccdm_store_session_add(store, &nonce, 9000, "{}", &err), 0);
	assert_int_equal(ccdm_store_session_add(store, &nonce, 9000, "{}", &err), -EEXIST);
	assert_int_equal(ccdm_store_restored(store, 5300, &err), 0);
	assert_int_equal(ccdm_store_session_get(store, nonce.id, 1, &kept, &err), -ENOENT);
	assert_int_equal(ccdm_store_session_add(store, &nonce, 9000, "{}", &err), -EEXIST);
	nonce.expires = 5300;
	assert_int_equal(ccdm_store_session_add(store, &nonce, 9000, "{}", &err), -EEXIST);
	nonce.expires = 5301;
	assert_int_equal(ccdm_store_session_add(store, &nonce, 9000, "{}", &err), 0);
	ccdm_store_close(store);
}

/* What has expired is forgotten, but no nonce as long as it could be said again. */
static void pruned(void **state)
{
	struct ccdm_nonce nonce = { .id = "pruned", .expires = 5000 };
	struct ccdm_store *store;
	char *kept;

	(void)state;
	assert_int_equal(ccdm_store_open(":memory:", keys, &store, &err), 0);
	assert_int_equal(ccdm_store_session_add(store, &nonce, 1000, "{}", &err), 0);
	assert_int_equal(ccdm_store_sessions_prune(store, 999, &err), 0);
	assert_int_equal(ccdm_store_session_get(store, nonce.id, 999, &kept, &err), 0);
	free(kept);
	assert_int_equal(ccdm_store_sessions_prune(store, 4999, &err), 0);
	assert_int_equal(ccdm_store_session_get(store, nonce.id, 1000, &kept, &err), -ENOENT);
	assert_int_equal(ccdm_store_session_add(store, &nonce, 9000, "{}", &err), -EEXIST);
	assert_int_equal(ccdm_store_sessions_prune(store, 5000, &err), 0);
	assert_int_equal(ccdm_store_session_add(store, &nonce, 9000, "{}", &err), 0);
	ccdm_store_close(store);
}

/* ---- who writes to the database ----------------------------------------------------------- */

#define DB "attacked.db"

static void sql(const char *text)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(file(DB), &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	sqlite3_close(db);
}

static int count_policy(const char *name, const char *text, void *arg)
{
	(void)name;
	(void)text;
	++*(int *)arg;
	return 0;
}

static struct ccdm_store *attacked(const struct ccdm_keys *with)
{
	struct ccdm_store *store;

	assert_int_equal(ccdm_store_open(file(DB), with, &store, &err), 0);
	return store;
}

/* How many policies there are, and if there is the session "one", after @text was done to the file. */
static int after(const char *text, const struct ccdm_keys *with, bool *session, unsigned int *odd)
{
	static const uint8_t id[CCDM_NONCE_ID] = "one";
	struct ccdm_store *store;
	char *state = NULL;
	int n = 0;

	unlink(file(DB));
	store = attacked(keys);
	assert_int_equal(ccdm_store_policy_put(store, "a", "text of a", &err), 0);
	assert_int_equal(ccdm_store_policy_put(store, "b", "text of b", &err), 0);
	{
		struct ccdm_nonce one = { .id = "one", .expires = 5000 };
		struct ccdm_nonce two = { .id = "two", .expires = 5000 };

		assert_int_equal(ccdm_store_session_add(store, &one, 6000, "{\"o\":1}", &err), 0);
		assert_int_equal(ccdm_store_session_add(store, &two, 7000, "{\"t\":2}", &err), 0);
	}
	ccdm_store_close(store);
	sql(text);
	store = attacked(with);
	assert_int_equal(ccdm_store_policies(store, count_policy, &n, &err), 0);
	*odd = ccdm_store_odd(store)->count;
	*session = !ccdm_store_session_get(store, id, 5500, &state, &err);
	if (!*session)
		*odd += ccdm_store_odd(store)->count;
	free(state);
	ccdm_store_close(store);
	return n;
}

/* A row that the broker did not write is not there, whatever of it was changed. */
static void written(void **state)
{
	static const char four[] =
		"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543211\n"
		"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210\n";
	static const struct {
		const char *text;
		int policies;
		bool session;
		unsigned int odd;
	} cases[] = {
		{ "", 2, true, 0 }, /* control */
		{ "INSERT INTO policy (name, text) VALUES ('c', 'x')", 2, true, 1 },
		{ "INSERT INTO policy VALUES ('c', 'x', zeroblob(32))", 2, true, 1 },
		{ "INSERT INTO policy SELECT 'c', text, mac FROM policy WHERE name = 'a'", 2, true,
		  1 },
		{ "UPDATE policy SET text = text || ' ' WHERE name = 'a'", 1, true, 1 },
		{ "UPDATE policy SET name = 'c' WHERE name = 'a'", 1, true, 1 },
		{ "UPDATE policy SET mac = substr(mac, 1, 31) WHERE name = 'a'", 1, true, 1 },
		{ "UPDATE policy SET mac = CAST(mac || x'00' AS BLOB) WHERE name = 'a'", 1, true,
		  1 },
		{ "UPDATE policy SET mac = (SELECT mac FROM session LIMIT 1)", 0, true, 2 },
		{ "UPDATE policy SET mac = (SELECT mac FROM counter)", 0, true, 2 },
		{ "UPDATE policy SET text = text || char(0) || 'A'", 0, true, 2 },
		{ "CREATE TABLE p AS SELECT name, CAST(text AS BLOB) AS text, mac FROM policy;"
		  "DROP TABLE policy; ALTER TABLE p RENAME TO policy",
		  0, true, 2 },
		{ "CREATE TABLE p (name, text, mac); INSERT INTO p VALUES ('a', NULL, NULL);"
		  "DROP TABLE policy; ALTER TABLE p RENAME TO policy",
		  0, true, 1 },
		{ "UPDATE session SET state = '{\"o\":2}' WHERE expires = 6000", 2, false, 1 },
		{ "UPDATE session SET expires = 6001 WHERE expires = 6000", 2, false, 1 },
		{ "UPDATE session SET forget = 9000", 2, false, 1 },
		{ "UPDATE session SET mac = NULL", 2, false, 1 },
		{ "UPDATE session SET expires = 7000, forget = 7000, (state, mac) ="
		  " (SELECT state, mac FROM session WHERE expires = 7000) WHERE expires = 6000",
		  2, false, 1 },
		{ "UPDATE session SET mac = (SELECT mac FROM policy LIMIT 1)", 2, false, 1 },
		{ "DELETE FROM session", 2, false, 0 },
	};
	struct ccdm_nonce fresh = { .id = "three", .expires = 5000 };
	struct ccdm_keys *other, *both;
	struct ccdm_store *store;
	unsigned int odd;
	bool session;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = after(cases[i].text, keys, &session, &odd);
		if (n != cases[i].policies || session != cases[i].session || odd != cases[i].odd)
			fail_msg("%s: %d policies, session %d, odd %u", cases[i].text, n, session,
				 odd);
	}
	/* another key file, and one in which ours is the older key, until that goes */
	put("other", four, 65, 0600);
	put("both", four, 130, 0600);
	assert_int_equal(ccdm_keys_load(file("other"), &other, &err), 0);
	assert_int_equal(ccdm_keys_load(file("both"), &both, &err), 0);
	assert_int_equal(after("", other, &session, &odd), 0);
	assert_false(session);
	assert_int_equal(odd, 3);
	assert_int_equal(after("", both, &session, &odd), 2);
	assert_true(session);
	store = attacked(other);
	assert_int_equal(ccdm_store_session_add(store, &fresh, 9000, "{}", &err), -EBADMSG);
	ccdm_store_keys(store, both);
	assert_int_equal(ccdm_store_reseal(store, &err), 0);
	ccdm_store_keys(store, other);
	n = 0;
	assert_int_equal(ccdm_store_policies(store, count_policy, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(ccdm_store_session_add(store, &fresh, 9000, "{}", &err), 0);
	ccdm_store_close(store);
	/* the barrier after a restore: lowered, removed */
	after("UPDATE counter SET value = -1", keys, &session, &odd);
	store = attacked(keys);
	assert_int_equal(ccdm_store_session_add(store, &fresh, 9000, "{}", &err), -EBADMSG);
	ccdm_store_close(store);
	after("DELETE FROM counter", keys, &session, &odd);
	store = attacked(keys);
	assert_int_equal(ccdm_store_session_add(store, &fresh, 9000, "{}", &err), -EBADMSG);
	ccdm_store_close(store);
	/* version 1: what it has is not believed, but its nonces are used up */
	after("ALTER TABLE policy DROP COLUMN mac; ALTER TABLE session DROP COLUMN mac;"
	      "DELETE FROM counter; ALTER TABLE counter DROP COLUMN mac; PRAGMA user_version = 1",
	      keys, &session, &odd);
	assert_false(session);
	assert_int_equal(odd, 3);
	store = attacked(keys);
	assert_int_equal(ccdm_store_session_add(store, &fresh, 9000, "{}", &err), -EEXIST);
	fresh.expires = INT64_MAX;
	assert_int_equal(ccdm_store_session_add(store, &fresh, INT64_MAX, "{}", &err), 0);
	ccdm_store_close(store);
	ccdm_keys_free(other);
	ccdm_keys_free(both);
	unlink(file(DB));
	unlink(file("other"));
	unlink(file("both"));
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
	/* a nonce that was never used is no session */
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
		/* the last character of a part has bits that mean nothing */
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
	/* {"alg":"none"}, and no signature */
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
	/* a policy that is withdrawn works at once, also on who is in */
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
	/* one whose condition nobody can answer opens nothing */
	policy("  signer: {key: "
	       "0000000000000000000000000000000000000000000000000000000000000000, product: x, svn: 1}\n");
	assert_null(fetch(&g, PATH, false));
	assert_string_equal(g.type, "PolicyDeny");
	/* one that cannot be read closes everything */
	policy(IMAGE);
	assert_string_equal(fetch(&g, PATH, false), SECRET);
	assert_int_equal(ccdm_store_policy_put(broker.store, "zz", "name: [", &err), 0);
	assert_null(fetch(&g, PATH, false));
	assert_int_equal(ccdm_store_policy_remove(broker.store, "zz", &err), 0);
	/* what is not there, and what is not for this guest, look the same */
	assert_null(fetch(&g, "default/web/other", false));
	assert_string_equal(g.type, "PolicyDeny");
	assert_null(fetch(&g, "default/db/key", false));
	assert_string_equal(g.type, "PolicyDeny");
	/* a secret under another's name in the database */
	assert_int_equal(ccdm_store_secret_get(broker.store, PATH, &sealed, &size, &err), 0);
	assert_int_equal(
		ccdm_store_secret_put(broker.store, "default/web/other", sealed, size, &err), 0);
	assert_null(fetch(&g, "default/web/other", false));
	assert_int_equal(ccdm_store_secret_remove(broker.store, "default/web/other", &err), 0);
	free(sealed);
	drop(&g);
	drop(&h);
}

/* A head that found no room comes before the next entry. */
static void late_head(void **state)
{
	struct rlimit before, now;
	uint64_t lines = 0, again;
	struct stat st;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	while (lines % CCDM_AUDIT_HEAD != CCDM_AUDIT_HEAD - 2) {
		assert_int_equal(ccdm_audit_add(broker.audit, NOW, "x", json_object(), &err), 0);
		assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &lines, &err),
				 0);
	}
	assert_int_equal(stat(file("audit.log"), &st), 0);
	now = before;
	now.rlim_cur = st.st_size + 200;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	assert_int_equal(ccdm_audit_add(broker.audit, NOW, "x", json_object(), &err), -EIO);
	assert_int_equal(ccdm_audit_add(broker.audit, NOW, "x", json_object(), &err), -EIO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &again, &err), 0);
	assert_int_equal(again, lines + 1);
	assert_int_equal(ccdm_audit_add(broker.audit, NOW, "x", json_object(), &err), 0);
	assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &again, &err), 0);
	assert_int_equal(again, lines + 3);
}

/* What cannot be logged is not done; the log is whole when it can be written again. */
static void unlogged(void **state)
{
	static const unsigned int room[] = { 0, 10, 100 }; /* bytes that still find a place */
	struct guest g = guest(CCDM_KBS_0_4), h;
	struct rlimit before, now;
	uint64_t lines;
	struct stat st;
	size_t i;

	(void)state;
	attest(&g, g.nonce, pcr);
	assert_string_equal(fetch(&g, PATH, false), SECRET);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	for (i = 0; i < sizeof(room) / sizeof(room[0]); i++) {
		h = guest(CCDM_KBS_0_4);
		assert_int_equal(stat(file("audit.log"), &st), 0);
		now = before;
		now.rlim_cur = st.st_size + room[i];
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
		assert_null(fetch(&g, PATH, false));
		assert_int_equal(g.status, 500);
		attest(&h, h.nonce, pcr);
		assert_int_not_equal(h.status, 200);
		assert_null(h.token);
		drop(&h);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		assert_string_equal(fetch(&g, PATH, false), SECRET);
		assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &lines, &err),
				 0);
	}
	drop(&g);
}

/* A new key before the old one: nobody notices; without the old one, everybody does. */
static void rotation(void **state)
{
	static const char fresh[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	struct guest g = guest(CCDM_KBS_0_4), h = guest(CCDM_KBS_0_4);
	struct ccdm_keys *both, *only, *none;
	char text[256];
	uint8_t *bytes;
	size_t size;
	bool old;
	FILE *f;

	(void)state;
	attest(&g, g.nonce, pcr);
	f = fopen(file("key"), "r");
	memcpy(text, fresh, sizeof(fresh) - 1);
	size = sizeof(fresh) - 1 + fread(text + sizeof(fresh) - 1, 1, 64, f);
	fclose(f);
	put("two", text, size, 0600);
	assert_int_equal(ccdm_keys_load(file("two"), &both, &err), 0);
	put("two", text, 64, 0640);
	assert_int_equal(ccdm_keys_load(file("two"), &only, &err), -EACCES);
	chmod(file("two"), 0600);
	assert_int_equal(ccdm_keys_load(file("two"), &only, &err), 0);
	put("two", text, 63, 0600);
	assert_int_equal(ccdm_keys_load(file("two"), &none, &err), -EINVAL);
	unlink(file("two"));
	broker.keys = both;
	assert_string_equal(fetch(&g, PATH, false), SECRET);
	attest(&h, h.nonce, pcr);
	assert_string_equal(fetch(&h, PATH, true), SECRET);
	broker.keys = only;
	assert_null(fetch(&g, PATH, true));
	assert_string_equal(g.type, "PolicyDeny");
	assert_null(fetch(&g, PATH, false));
	assert_string_equal(g.type, "TokenNotFound");
	/* nothing that was sealed is so short */
	assert_int_equal(ccdm_keys_open(only, PATH, "x", 1, &bytes, &size, &old), -EBADMSG);
	assert_null(bytes);
	broker.keys = keys;
	ccdm_keys_free(both);
	ccdm_keys_free(only);
	drop(&g);
	drop(&h);
}

/*
 * The log written anew from its first line on, each line with the hash that belongs there.
 * @head: another event for the heads, "": without them; or NULL
 * @token: another signature for them, "-": none, or NULL
 */
static char *rewritten(const char *text, const char *head, const char *token)
{
	char *all = calloc(1, 8 << 20), *line, prev[65];
	struct ccdm_digest d;
	size_t n, at = 0;

	memset(prev, '0', 64);
	prev[64] = '\0';
	for (; *text; text = strchr(text, '\n') + 1) {
		json_t *o = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
		bool is_head = !strcmp(json_string_value(json_object_get(o, "event")), "head");

		if (!at)
			json_object_set_new(o, "time", json_string("2001-01-01T00:00:00Z"));
		if (is_head && token)
			json_object_set_new(o, *token == '-' ? "other" : "signature",
					    json_string(token));
		if (is_head && token && *token == '-')
			json_object_del(o, "signature");
		if (is_head && head)
			json_object_set_new(o, "event", json_string(head));
		json_object_set_new(o, "prev", json_string(prev));
		if (!is_head || !head || *head) {
			line = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
			n = strlen(line);
			assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, line, n, NULL, 0, &d), 0);
			ccdm_hex(d.bytes, 32, prev);
			at += sprintf(all + at, "%s\n", line);
			free(line);
		}
		json_decref(o);
	}
	return all;
}

/* Who can write the file, but has not the broker's key, can make a chain: the heads are missing. */
static void forged(void **state)
{
	struct guest g = guest(CCDM_KBS_0_4);
	char *text = calloc(1, 8 << 20), *other, *token;
	uint64_t lines;
	unsigned int i;
	FILE *f;

	(void)state;
	for (i = 0; i < CCDM_AUDIT_HEAD + 1; i++)
		assert_int_equal(ccdm_audit_add(broker.audit, NOW, "x", json_object(), &err), 0);
	attest(&g, g.nonce, pcr);
	f = fopen(file("audit.log"), "r");
	assert_true(fread(text, 1, (8 << 20) - 1, f) > 0);
	fclose(f);
	token = strstr(text, "\"signature\":\"") + 13;
	token = strndup(token, strcspn(token, "\""));
	for (i = 0; i < 7; i++) {
		const struct {
			const char *head, *token;
		} cases[] = {
			{ NULL, NULL },	   { NULL, token }, /* heads of what was there */
			{ NULL, g.token }, { NULL, "" },    /* what no head is */
			{ "", NULL },	   { "x", NULL },   /* no heads */
			{ NULL, "-" },
		};

		other = rewritten(text, cases[i].head, cases[i].token);
		put("copy.log", other, strlen(other), 0600);
		/* without the key only the places can be seen */
		assert_int_equal(ccdm_audit_verify(file("copy.log"), NULL, &lines, &err),
				 cases[i].head ? -EBADMSG : 0);
		assert_int_equal(ccdm_audit_verify(file("copy.log"), broker.signer, &lines, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.text, "copy.log: line 64 is no signed head"));
		free(other);
	}
	/* nor does a head open a door */
	free(g.token);
	g.token = token;
	assert_null(fetch(&g, PATH, true));
	assert_string_equal(g.type, "TokenNotFound");
	free(text);
	drop(&g);
}

/* A session of ours, and a message that is none: the log has it before the guest hears of it. */
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
		/* (a head may come with it) */
		assert_true(after > before);
		drop(&g);
	}
}

/* A refusal whose trace is longer than a line stands in the log, without the trace. */
static void long_trace(void **state)
{
	struct guest g = guest(CCDM_KBS_0_4);
	char *text = calloc(1, 64 << 10), name[16];
	json_t *entry = NULL;
	uint64_t before, lines;
	unsigned int i;
	size_t n;
	char *line = NULL;
	FILE *f;

	(void)state;
	for (i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "long%u", i);
		n = sprintf(text,
			    "name: %s\nsecrets: default/x/*\nrequire:\n  tee: tpm\n"
			    "  binding: tpm-only\n  phase: unknown\n  measurement: [",
			    name);
		while (n < 60000)
			n += sprintf(text + n, "%s%096zd", text[n - 1] == '[' ? "" : ", ", n);
		sprintf(text + n, "]\n");
		assert_int_equal(ccdm_store_policy_put(broker.store, name, text, &err), 0);
	}
	assert_int_equal(ccdm_store_policy_remove(broker.store, "web", &err), 0);
	assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &before, &err), 0);
	attest(&g, g.nonce, pcr);
	refused(&g, "PolicyDeny");
	assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &lines, &err), 0);
	assert_true(lines > before);
	f = fopen(file("audit.log"), "r");
	n = 0;
	while (getline(&line, &n, f) > 0) {
		if (!strstr(line, "\"event\":\"attest\""))
			continue;
		json_decref(entry);
		entry = json_loads(line, 0, NULL);
	}
	fclose(f);
	free(line);
	assert_string_equal(json_string_value(json_object_get(entry, "result")), "refused");
	assert_true(json_integer_value(json_object_get(json_object_get(entry, "cut"),
						       "conditions")) > CCDM_AUDIT_LINE);
	json_decref(entry);
	for (i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "long%u", i);
		assert_int_equal(ccdm_store_policy_remove(broker.store, name, &err), 0);
	}
	policy("");
	free(text);
	drop(&g);
}

/* Each line of the log damaged, left out, or moved: it is seen there, or at the next. */
static void audit(void **state)
{
	struct ccdm_audit *again;
	char *text = NULL, *line, *next;
	uint64_t lines, all;
	size_t size, i;

	(void)state;
	/* a line that is too long is none, and breaks nothing */
	text = calloc(1, CCDM_AUDIT_LINE + 1);
	memset(text, 'x', CCDM_AUDIT_LINE);
	assert_int_equal(ccdm_audit_add(broker.audit, NOW, "long",
					json_pack("{s:s, s:s}", "x", text, "why", "it is long"),
					&err),
			 0);
	free(text);
	assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &all, &err), 0);
	assert_true(all > 2 * CCDM_AUDIT_HEAD);
	assert_int_equal(ccdm_audit_open(file("audit.log"), broker.signer, &again, &err), -EBUSY);
	{
		FILE *f = fopen(file("audit.log"), "r");

		text = calloc(1, 8 << 20);
		size = fread(text, 1, (8 << 20) - 1, f);
		fclose(f);
	}
	assert_null(strstr(text, SECRET));
	/* what a signed head stands behind; of the lines after it only the order */
	for (line = text; (next = strstr(line + 1, "\"event\":\"head\"")); line = next)
		;
	for (i = 0; i < (size_t)(line - text); i += 997) {
		char old = text[i];

		text[i] = old == '1' ? '2' : '1';
		put("copy.log", text, size, 0600);
		assert_int_equal(ccdm_audit_verify(file("copy.log"), broker.signer, &lines, &err),
				 -EBADMSG);
		text[i] = old;
	}
	for (line = text, i = 0; i < 5; i++, line = next) {
		next = strchr(line, '\n') + 1;
		put("copy.log", next, text + size - next, 0600);
		assert_int_equal(ccdm_audit_verify(file("copy.log"), broker.signer, &lines, &err),
				 -EBADMSG);
	}
	/* another broker's heads */
	{
		struct ccdm_signer *other = ccdm_signer_new();

		put("copy.log", text, size, 0600);
		assert_int_equal(ccdm_audit_verify(file("copy.log"), NULL, &lines, &err), 0);
		assert_int_equal(lines, all);
		assert_int_equal(ccdm_audit_verify(file("copy.log"), other, &lines, &err),
				 -EBADMSG);
		ccdm_signer_free(other);
	}
	put("copy.log", text, size - 1, 0600);
	assert_int_equal(ccdm_audit_verify(file("copy.log"), NULL, &lines, &err), -EBADMSG);
	/* the power went while it was being written */
	assert_int_equal(ccdm_audit_open(file("copy.log"), broker.signer, &again, &err), 0);
	ccdm_audit_close(again);
	assert_int_equal(ccdm_audit_verify(file("copy.log"), broker.signer, &lines, &err), 0);
	assert_int_equal(lines, all);
	/* nor is a line one that is longer */
	{
		char *one = malloc(CCDM_AUDIT_LINE + 2);

		for (i = CCDM_AUDIT_LINE; i <= CCDM_AUDIT_LINE + 1; i++) {
			memset(one, 'x', i);
			memcpy(one + sprintf(one, "{\"event\":\"x\",\"prev\":\"%064d\",\"x\":\"",
					     0),
			       "x", 1);
			memcpy(one + i - 3, "\"}\n", 3);
			put("copy.log", one, i, 0600);
			assert_int_equal(ccdm_audit_verify(file("copy.log"), NULL, &lines, &err),
					 i > CCDM_AUDIT_LINE ? -EBADMSG : 0);
		}
		free(one);
	}
	/* what is longer than a line is not cut off */
	{
		char *tail = malloc(size + CCDM_AUDIT_LINE + 1);
		struct stat st;

		memcpy(tail, text, size);
		memset(tail + size, 'x', CCDM_AUDIT_LINE + 1);
		put("copy.log", tail, size + CCDM_AUDIT_LINE + 1, 0600);
		assert_int_equal(ccdm_audit_open(file("copy.log"), broker.signer, &again, &err),
				 -EIO);
		assert_int_equal(stat(file("copy.log"), &st), 0);
		assert_int_equal(st.st_size, size + CCDM_AUDIT_LINE + 1);
		free(tail);
	}
	/* a line of another one is not mended */
	text[size / 2] ^= 1;
	put("copy.log", text, size, 0600);
	assert_int_equal(ccdm_audit_open(file("copy.log"), broker.signer, &again, &err), -EBADMSG);
	free(text);
}

/* A file of roots has a root in it. */
static void roots(void **state)
{
	X509_CRL *crl = pki_crl(provider.ca, provider.ca_key, NULL, NULL, 7);
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);
	struct ccdm_trust_dir *t = NULL;

	(void)state;
	put("trust/ak-roots/crl.der", (char *)der, n, 0600);
	assert_int_equal(ccdm_trust_load(file("trust"), &t, &err), -EINVAL);
	assert_non_null(strstr(err.text, "crl.der: no certificate in it"));
	assert_null(t);
	unlink(file("trust/ak-roots/crl.der"));
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

/* What a daemon says of collateral is so from its first look on, soon after its start. */
static void watched(void **state)
{
	struct ccdm_trust_watch w = { 0 };
	struct ccdm_trust_dir *t;

	(void)state;
	mkdir(file("trust/collateral"), 0755);
	put("trust/collateral/000000000001.json", "{", 1, 0600);
	assert_int_equal(ccdm_trust_load(file("trust"), &t, &err), 0);
#define WATCH(whole) ccdm_trust_watch(&w, t, whole, "test")
	assert_int_equal(WATCH(false), CCDM_TRUST_VALID);
	assert_int_equal(WATCH(true), CCDM_TRUST_BROKEN);
	unlink(file("trust/collateral/000000000001.json"));
	rmdir(file("trust/collateral"));
	/* once an hour: there may be many */
	assert_int_equal(WATCH(true), CCDM_TRUST_BROKEN);
	w.looked -= 3601;
	assert_int_equal(WATCH(true), CCDM_TRUST_VALID);
	/* what it cannot look at is not well */
	put("trust/collateral", "", 0, 0600);
	w.looked -= 3601;
	assert_int_equal(WATCH(true), CCDM_TRUST_BROKEN);
	unlink(file("trust/collateral"));
	assert_int_equal(WATCH(true), CCDM_TRUST_VALID);
	ccdm_trust_free(t);
}

static void configuration(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", NULL },
		{ "[server]\nport = 1\n[broker]\nprotocol = 0.4.0\n", NULL },
		{ "port = 1\n", ":1:1: a key before the first section" },
		{ "[server]\nport = x\n", ":2:8: port: expected a number from 0 to 65535" },
		{ "[server]\nport = 65536\n", ":2:8: port: expected a number" },
		{ "[server]\nport = -1\n", ":2:8: port: expected a number" },
		{ "[server]\nport = 1x\n", ":2:8: port: expected a number" },
		{ "[server]\ntimeout = 0\n", "timeout: expected a number from 1 to 600" },
		{ "[server]\nport =\n", "port: expected a number" },
		{ "[server]\nport = 1\nport = 1\n", ":3:1: port: a second time" },
		{ "[server]\nkey =\n", "key: empty, or too long" },
		{ "[server]\nstate = x\n", "state: this word is not known" },
		{ "[servers]\n", "servers: this word is not known" },
		{ "[broker]\nprotocol = 0.3.0\n", "'0.3.0' is not of" },
		{ "[broker]\nprotocol = ,\n", "is not of" },
	};
	struct ccdm_conf conf;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put("conf", cases[i].text, strlen(cases[i].text), 0600);
		r = ccdm_conf_load(file("conf"), &conf, &err);
		if (cases[i].why ? r != -EINVAL || !strstr(err.text, cases[i].why) : r)
			fail_msg("case %zu: %d %s", i, r, err.text);
	}
	assert_int_equal(ccdm_conf_versions(&conf), 0);
	{
		char text[CCDM_CONF_PATH + 32] = "[server]\nkey = ";

		memset(text + strlen(text), 'x', CCDM_CONF_PATH);
		put("conf", text, strlen(text), 0600);
		assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), -EINVAL);
		assert_non_null(strstr(err.text, "key: empty, or too long"));
	}
	unlink(file("conf"));
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake),  cmocka_unit_test(many),
		cmocka_unit_test(bad_auth),   cmocka_unit_test(bad_paths),
		cmocka_unit_test(replays),    cmocka_unit_test(restored),
		cmocka_unit_test(pruned),     cmocka_unit_test(cookies),
		cmocka_unit_test(tokens),     cmocka_unit_test(denied),
		cmocka_unit_test(unlogged),   cmocka_unit_test(rotation),
		cmocka_unit_test(audit),      cmocka_unit_test(roots),
		cmocka_unit_test(watched),    cmocka_unit_test(configuration),
		cmocka_unit_test(forged),     cmocka_unit_test(late_head),
		cmocka_unit_test(unreadable), cmocka_unit_test(long_trace),
		cmocka_unit_test(written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
