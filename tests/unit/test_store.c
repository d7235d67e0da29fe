// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * The broker's database and its keys: nonces after a restore, rows that the broker did not
 * write, and the rotation of a key.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "database.h"
#include "guest.h"

#define DB "attacked.db"

/* A restored store does not know which nonces were used: all earlier ones count as used. */
static void restore(void **state)
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

/* Expired sessions are deleted, but a nonce is kept until it expires: it could be replayed. */
static void expiry(void **state)
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

static int count_policy(const char *name, const char *text, void *arg)
{
	(void)name;
	(void)text;
	++*(int *)arg;
	return 0;
}

static struct ccdm_store *open_db(const struct ccdm_keys *with)
{
	struct ccdm_store *store;

	assert_int_equal(ccdm_store_open(file(DB), with, &store, &err), 0);
	return store;
}

/*
 * Run the SQL @text on a database with two policies and two sessions.
 * @session: whether the store then accepts session "one"
 * @odd: the number of rows that it refused
 *
 * Return: the number of policies that it accepts.
 */
static int after(const char *text, const struct ccdm_keys *with, bool *session, unsigned int *odd)
{
	static const uint8_t id[CCDM_NONCE_ID] = "one";
	struct ccdm_store *store;
	char *state = NULL;
	int n = 0;

	unlink(file(DB));
	store = open_db(keys);
	assert_int_equal(ccdm_store_policy_put(store, "a", "text of a", &err), 0);
	assert_int_equal(ccdm_store_policy_put(store, "b", "text of b", &err), 0);
	{
		struct ccdm_nonce one = { .id = "one", .expires = 5000 };
		struct ccdm_nonce two = { .id = "two", .expires = 5000 };

		assert_int_equal(ccdm_store_session_add(store, &one, 6000, "{\"o\":1}", &err), 0);
		assert_int_equal(ccdm_store_session_add(store, &two, 7000, "{\"t\":2}", &err), 0);
	}
	ccdm_store_close(store);
	sql(file(DB), text);
	store = open_db(with);
	assert_int_equal(ccdm_store_policies(store, count_policy, &n, &err), 0);
	*odd = ccdm_store_odd(store)->count;
	*session = !ccdm_store_session_get(store, id, 5500, &state, &err);
	if (!*session)
		*odd += ccdm_store_odd(store)->count;
	free(state);
	ccdm_store_close(store);
	return n;
}

/* The version of a database, without opening it as a store. */
static int db_version(const char *name)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	int version;

	assert_int_equal(sqlite3_open(file(name), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return version;
}

/* The store ignores a row that the broker did not write, whichever column was changed. */
static void foreign_rows(void **state)
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
	/* another key file; one with the same key as its older key; one without it */
	put("other", four, 65, 0600);
	put("both", four, 130, 0600);
	assert_int_equal(ccdm_keys_load(file("other"), &other, &err), 0);
	assert_int_equal(ccdm_keys_load(file("both"), &both, &err), 0);
	assert_int_equal(after("", other, &session, &odd), 0);
	assert_false(session);
	assert_int_equal(odd, 3);
	assert_int_equal(after("", both, &session, &odd), 2);
	assert_true(session);
	store = open_db(other);
	assert_int_equal(ccdm_store_session_add(store, &fresh, 9000, "{}", &err), -EBADMSG);
	ccdm_store_keys(store, both);
	assert_int_equal(ccdm_store_reseal(store, &err), 0);
	ccdm_store_keys(store, other);
	n = 0;
	assert_int_equal(ccdm_store_policies(store, count_policy, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(ccdm_store_session_add(store, &fresh, 9000, "{}", &err), 0);
	ccdm_store_close(store);
	/* the barrier that a restore sets, then lowered, then removed */
	after("UPDATE counter SET value = -1", keys, &session, &odd);
	store = open_db(keys);
	assert_int_equal(ccdm_store_session_add(store, &fresh, 9000, "{}", &err), -EBADMSG);
	ccdm_store_close(store);
	after("DELETE FROM counter", keys, &session, &odd);
	store = open_db(keys);
	assert_int_equal(ccdm_store_session_add(store, &fresh, 9000, "{}", &err), -EBADMSG);
	ccdm_store_close(store);
	/*
	 * a database of version 1 has no MACs: its rows are ignored, and its nonces count as used
	 */
	after("ALTER TABLE policy DROP COLUMN mac; ALTER TABLE session DROP COLUMN mac;"
	      "DELETE FROM counter; ALTER TABLE counter DROP COLUMN mac; PRAGMA user_version = 1",
	      keys, &session, &odd);
	assert_false(session);
	assert_int_equal(odd, 3);
	/* what it was before is beside it */
	assert_int_equal(db_version(DB), 2);
	assert_int_equal(db_version(DB ".version-1"), 1);
	assert_int_equal(access(file(DB ".version-1.new"), F_OK), -1);
	unlink(file(DB ".version-1"));
	store = open_db(keys);
	assert_int_equal(access(file(DB ".version-1"), F_OK), -1);
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

/* With a new key in front of the old one everything works; without the old key nothing opens. */
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
	/* one byte is too short for a sealed secret */
	assert_int_equal(ccdm_keys_open(only, PATH, "x", 1, &bytes, &size, &old), -EBADMSG);
	assert_null(bytes);
	broker.keys = keys;
	ccdm_keys_free(both);
	ccdm_keys_free(only);
	drop(&g);
	drop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restore),
		cmocka_unit_test(expiry),
		cmocka_unit_test(foreign_rows),
		cmocka_unit_test(rotation),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
