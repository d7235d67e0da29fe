// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Events that could fill the audit log: rows that the broker did not write, and requests without a
 * session.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "core/admin.h"
#include "database.h"
#include "guest.h"

#define DB "odd.db"

/*
 * Count the log's lines with this event. @last receives the last of them; its old value is freed.
 */
static unsigned int lines(const char *event, json_t **last)
{
	FILE *f = fopen(file("audit.log"), "r");
	unsigned int n = 0;
	char *line = NULL;
	size_t room = 0;

	assert_non_null(f);
	while (getline(&line, &room, f) > 0) {
		json_t *o = json_loads(line, 0, NULL);

		assert_non_null(o);
		if (!strcmp(json_string_value(json_object_get(o, "event")), event)) {
			n++;
			if (last) {
				json_decref(*last);
				*last = json_incref(o);
			}
		}
		json_decref(o);
	}
	free(line);
	fclose(f);
	return n;
}

/* The log's hash chain must be valid. */
static void whole(void)
{
	uint64_t n;

	assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &n, &err), 0);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* ---- rows without a valid MAC ----------------------------------------------------- */

/* Open the same broker over a database that others can write to. */
static struct ccdm_store *exposed(void)
{
	struct ccdm_store *memory = broker.store;

	assert_int_equal(ccdm_store_open(file(DB), keys, &broker.store, &err), 0);
	ccdm_broker_drop(&broker);
	policy(IMAGE);
	return memory;
}

static void hidden(struct ccdm_store *memory)
{
	ccdm_store_close(broker.store);
	broker.store = memory;
	ccdm_broker_reloaded(&broker);
	unlink(file(DB));
	unlink(file(DB "-wal"));
	unlink(file(DB "-shm"));
}

/* Each bad row of a session makes one line, in any order and however often it is read. */
static void odd_sessions(void **state)
{
	struct ccdm_store *memory = exposed();
	struct guest g[3];
	unsigned int i, before;
	json_t *last = NULL;

	(void)state;
	for (i = 0; i < 3; i++) {
		g[i] = guest(CCDM_KBS_0_4);
		attest(&g[i], g[i].nonce, pcr);
		assert_int_equal(g[i].status, 200);
	}
	sql(file(DB), "UPDATE session SET mac = zeroblob(32)");
	before = lines("store", NULL);
	for (i = 0; i < 100; i++) {
		assert_null(fetch(&g[i % 2], PATH, i % 4 < 2));
		assert_string_equal(g[i % 2].type, "TokenNotFound");
	}
	assert_int_equal(lines("store", &last) - before, 2);
	assert_string_equal(text_of(last, "table"), "session");
	assert_string_equal(text_of(last, "why"), "no MAC under a key of the key file");
	assert_null(fetch(&g[2], PATH, false));
	assert_null(fetch(&g[0], PATH, false));
	assert_int_equal(lines("store", NULL) - before, 3);
	assert_true(broker.odd_rows >= 102);
	/* the keys may have changed, so each row is logged once more */
	ccdm_broker_reloaded(&broker);
	for (i = 0; i < 10; i++)
		assert_null(fetch(&g[0], PATH, false));
	assert_int_equal(lines("store", NULL) - before, 4);
	for (i = 0; i < 3; i++)
		drop(&g[i]);
	json_decref(last);
	whole();
	hidden(memory);
}

/* The same for policies; one bad row must not hide another one. */
static void odd_policies(void **state)
{
	struct ccdm_store *memory = exposed();
	const struct ccdm_policy *p;
	unsigned int i, before;
	json_t *last = NULL;
	char text[160];

	(void)state;
	before = lines("store", NULL);
	sql(file(DB), "INSERT INTO policy (name, text, mac) VALUES ('a', 'x', zeroblob(32))");
	for (i = 0; i < 50; i++) {
		/* a change, so the policies are read again */
		snprintf(text, sizeof(text),
			 "UPDATE policy SET mac = randomblob(32) WHERE name = 'a'");
		sql(file(DB), text);
		assert_int_equal(ccdm_broker_policies(&broker, &p, &err), 0);
		assert_non_null(p);
		assert_string_equal(p->name, "web");
		assert_null(p->next);
	}
	assert_int_equal(lines("store", &last) - before, 1);
	assert_string_equal(text_of(last, "key"), "a");
	sql(file(DB), "INSERT INTO policy (name, text, mac) VALUES ('b', 'x', zeroblob(32))");
	assert_int_equal(ccdm_broker_policies(&broker, &p, &err), 0);
	assert_int_equal(lines("store", &last) - before, 2);
	assert_string_equal(text_of(last, "key"), "b");
	/* the number and the first row are the same, but the second row is another */
	sql(file(DB), "UPDATE policy SET name = 'c' WHERE name = 'b'");
	assert_int_equal(ccdm_broker_policies(&broker, &p, &err), 0);
	assert_int_equal(lines("store", &last) - before, 3);
	assert_string_equal(text_of(last, "key"), "c");
	sql(file(DB), "UPDATE policy SET name = 'b' WHERE name = 'c'");
	assert_int_equal(ccdm_broker_policies(&broker, &p, &err), 0);
	assert_int_equal(lines("store", NULL) - before, 3);
	json_decref(last);
	whole();
	hidden(memory);
}

/* However many bad rows appear, they make no more lines than the broker can remember rows. */
static void odd_bounded(void **state)
{
	struct ccdm_store *memory = exposed();
	const struct ccdm_policy *p;
	unsigned int i, k, before;
	json_t *last = NULL;
	uint64_t rows;
	char text[160];

	(void)state;
	rows = broker.odd_rows;
	before = lines("store", NULL);
	/* more rows at a time than the store names */
	for (i = 0; i < 3 * CCDM_STORE_ODD; i++) {
		snprintf(text, sizeof(text),
			 "INSERT INTO policy (name, text) VALUES ('a%03u', 'x')", i);
		sql(file(DB), text);
	}
	for (k = 0; k < 3; k++) {
		sql(file(DB), "UPDATE policy SET mac = randomblob(32) WHERE name = 'a000'");
		assert_int_equal(ccdm_broker_policies(&broker, &p, &err), 0);
	}
	assert_int_equal(lines("store", &last) - before, CCDM_STORE_ODD + 1);
	assert_int_equal(json_integer_value(json_object_get(last, "count")), 3 * CCDM_STORE_ODD);
	/* new ones again and again */
	for (i = 0; i < 3 * CCDM_BROKER_ODD; i++) {
		snprintf(text, sizeof(text),
			 "UPDATE policy SET name = 'Z%03u' WHERE name = '%s%03u'", i, i ? "Z" : "a",
			 i ? i - 1 : 0);
		sql(file(DB), text);
		assert_int_equal(ccdm_broker_policies(&broker, &p, &err), 0);
	}
	assert_int_equal(lines("store", &last) - before, CCDM_BROKER_ODD);
	assert_string_equal(text_of(last, "more"),
			    "further refused rows are not named until the next reload");
	assert_int_equal(broker.odd_rows - rows, (3 + 3 * CCDM_BROKER_ODD) * 3 * CCDM_STORE_ODD);
	json_decref(last);
	whole();
	hidden(memory);
}

/* A row that cannot be logged is not served; it is logged when there is room again. */
static void odd_unlogged(void **state)
{
	struct ccdm_store *memory = exposed();
	const struct ccdm_policy *p;
	struct rlimit limit, none;
	unsigned int before;
	struct stat st;

	(void)state;
	before = lines("store", NULL);
	sql(file(DB), "INSERT INTO policy (name, text, mac) VALUES ('a', 'x', zeroblob(32))");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(stat(file("audit.log"), &st), 0);
	none = limit;
	none.rlim_cur = st.st_size + 10;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_not_equal(ccdm_broker_policies(&broker, &p, &err), 0);
	assert_null(p);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(ccdm_broker_policies(&broker, &p, &err), 0);
	assert_int_equal(lines("store", NULL) - before, 1);
	whole();
	hidden(memory);
}

/* ---- requests without a session ------------------------------------------------------ */

/* What the address of these peers has taken. */
static struct ccdm_source address;

/* Send a request without a session, or with this cookie or token. */
static void nobody(const char *path, bool post, const char *cookie, const char *token,
		   const char *body, int64_t now)
{
	struct guest g = { .now = now, .token = (char *)token, .source = &address };
	struct ccdm_reply a;

	if (cookie)
		snprintf(g.cookie, sizeof(g.cookie), "%s", cookie);
	ask(&g, post, path, body, token, &a);
	assert_true(g.status >= 400 && g.status <= 499);
	free(a.body);
}

/* Sum up the numbers of all lines, by reason. */
static json_int_t counted(const char *reason)
{
	FILE *f = fopen(file("audit.log"), "r");
	char *line = NULL;
	size_t room = 0;
	json_int_t n = 0;

	while (getline(&line, &room, f) > 0) {
		json_t *o = json_loads(line, 0, NULL), *all = json_object_get(o, "reasons"), *one;
		json_int_t sum = 0;
		const char *name;

		if (!strcmp(text_of(o, "event"), "anonymous")) {
			json_object_foreach(all, name, one) sum += json_integer_value(one);
			assert_true(sum > 0);
			assert_int_equal(sum, json_integer_value(json_object_get(o, "count")));
			n += json_integer_value(json_object_get(all, reason));
		}
		json_decref(o);
	}
	free(line);
	fclose(f);
	return n;
}

/* Send an unreadable message with a nonce of its own. */
static void unreadable(void)
{
	struct guest g = guest(CCDM_KBS_0_4);

	nobody("/kbs/v0/attest", true, g.cookie, NULL, "{}", NOW);
	drop(&g);
}

static const char *const reasons[] = { "path", "message", "version", "tee", "session", "expired" };

/* 1,000 such requests make one line, and its numbers are correct. */
static void anonymous(void **state)
{
	json_int_t before[6], want[6] = { 0 };
	struct guest g = guest(CCDM_KBS_0_4), done = guest(CCDM_KBS_0_4);
	unsigned int i, n, attests, summaries;
	json_t *last = NULL;

	(void)state;
	broker.quota.limits = (struct ccdm_limits){ .lines = 10, .bytes = 1 << 20 };
	attest(&done, done.nonce, pcr);
	assert_int_equal(done.status, 200);
	for (i = 0; i < 6; i++)
		before[i] = counted(reasons[i]);
	n = lines("attest", NULL);
	summaries = lines("anonymous", NULL);
	for (i = 0; i < 1000; i++) {
		switch (i % 10) {
		case 0:
			nobody("/metrics", false, NULL, NULL, NULL, NOW);
			want[0]++;
			break;
		case 1:
			nobody("/kbs/v0/auth", true, NULL, NULL, "{", NOW);
			want[1]++;
			break;
		case 2:
			nobody("/kbs/v0/auth", true, NULL, NULL,
			       "{\"version\": \"9.9\", \"tee\": \"tpm\"}", NOW);
			want[2]++;
			break;
		case 3:
			nobody("/kbs/v0/auth", true, NULL, NULL,
			       "{\"version\": \"0.4.0\", \"tee\": \"x\"}", NOW);
			want[3]++;
			break;
		case 4:
			nobody("/kbs/v0/attest", true, NULL, NULL, "{}", NOW);
			want[4]++;
			break;
		case 5:
			nobody("/kbs/v0/attest", true, "x.tpm.0.4.0", NULL, "{}", NOW);
			want[4]++;
			break;
		case 6:
			nobody("/kbs/v0/resource/" PATH, false, NULL, "a.b.c", NULL, NOW);
			want[4]++;
			break;
		case 7:
			nobody("/kbs/v0/attest", true, g.cookie, NULL, "{}", NOW + 301);
			want[5]++;
			break;
		case 8:
			nobody("/kbs/v0/resource/" PATH, false, NULL, done.token, NULL, NOW + 601);
			want[5]++;
			break;
		case 9:
			/* the first ones of a minute have a line each */
			unreadable();
			want[1]++;
			break;
		}
	}
	attests = lines("attest", NULL) - n;
	/* a slow machine may take a minute, in which 10 more are allowed */
	assert_true(attests >= 10 && attests <= 20);
	assert_int_equal(ccdm_broker_refusals(&broker, NOW, &err), 0);
	assert_true(lines("anonymous", &last) - summaries <= 1 + attests);
	for (i = 0; i < 6; i++)
		assert_int_equal(counted(reasons[i]) - before[i], want[i] - (i == 1 ? attests : 0));
	assert_int_equal(strlen(text_of(last, "since")), 20);
	/* without new requests, no line */
	n = lines("anonymous", NULL);
	assert_int_equal(ccdm_broker_refusals(&broker, NOW, &err), 0);
	assert_int_equal(lines("anonymous", NULL), n);
	/* the next minute allows lines again */
	n = lines("attest", NULL);
	address.line[CCDM_LINE_STRANGER] = 0;
	for (i = 0; i < 50; i++)
		unreadable();
	attests = lines("attest", NULL) - n;
	assert_true(attests >= 10 && attests <= 20);
	broker.quota.limits = (struct ccdm_limits){ 0 };
	json_decref(last);
	drop(&g);
	drop(&done);
	whole();
}

/* A line for each refusal, until an address or all have had their share. */
static void anonymous_lines(void **state)
{
	struct guest g = guest(CCDM_KBS_0_4), done = guest(CCDM_KBS_0_4);
	struct ccdm_source other;
	json_int_t before;
	unsigned int i, n, refused;

	(void)state;
	attest(&done, done.nonce, pcr);
	assert_int_equal(done.status, 200);
	broker.quota.limits = (struct ccdm_limits){ .lines = 10, .bytes = 1 << 20 };
	address = (struct ccdm_source){ 0 };
	for (i = 0; i < 50; i++)
		unreadable();
	/* another address has its own lines */
	assert_int_equal(address.quiet > 0, true);
	n = lines("attest", NULL);
	other = address;
	address = (struct ccdm_source){ 0 };
	unreadable();
	assert_int_equal(lines("attest", NULL), n + 1);
	/* no address has more than an eighth of the bytes */
	address = other;
	address.line[CCDM_LINE_STRANGER] = 0;
	address.bytes[CCDM_LINE_STRANGER] = ccdm_clock_ms() * 1000 + 86400000000LL;
	unreadable();
	assert_int_equal(lines("attest", NULL), n + 1);
	/* a nonce is good for one message */
	address = (struct ccdm_source){ 0 };
	before = counted("nonce");
	nobody("/kbs/v0/attest", true, g.cookie, NULL, "{}", NOW);
	assert_int_equal(lines("attest", NULL), n + 2);
	for (i = 0; i < 100; i++)
		nobody("/kbs/v0/attest", true, g.cookie, NULL, "{}", NOW);
	attest(&g, g.nonce, pcr);
	assert_int_equal(g.status, 401);
	assert_string_equal(g.type, "TokenNotFound");
	assert_int_equal(lines("attest", NULL), n + 2);
	assert_int_equal(ccdm_broker_refusals(&broker, NOW, &err), 0);
	assert_int_equal(counted("nonce") - before, 101);
	/* a session that asks for what it does not get */
	done.source = &address;
	before = counted("resource");
	n = lines("resource", NULL);
	for (i = 0; i < 100; i++)
		assert_null(fetch(&done, "default/other/key", true));
	refused = lines("resource", NULL) - n;
	assert_true(refused >= 8 && refused <= 20);
	assert_int_equal(ccdm_broker_refusals(&broker, NOW, &err), 0);
	refused = (unsigned int)(counted("resource") - before);
	assert_true(refused >= 80 && refused <= 92);
	/* all addresses together */
	address = (struct ccdm_source){ 0 };
	broker.quota.full[CCDM_LINE_STRANGER] = ccdm_clock_ms() * 1000 + 86400000000LL;
	broker.quota.quiet = broker.quota.full[CCDM_LINE_STRANGER];
	n = lines("attest", NULL);
	unreadable();
	assert_int_equal(lines("attest", NULL), n);
	/* but one that is quiet has a short one */
	broker.quota.quiet = 0;
	unreadable();
	unreadable();
	assert_int_equal(lines("attest", NULL), n + 1);
	broker.quota.full[CCDM_LINE_STRANGER] = 0;
	broker.quota.limits = (struct ccdm_limits){ 0 };
	drop(&g);
	drop(&done);
	whole();
}

/*
 * A decision stands behind the refusals that preceded it; they are written at most once a second.
 */
static void anonymous_order(void **state)
{
	struct guest g = guest(CCDM_KBS_0_4);
	unsigned int i, n;

	(void)state;
	assert_int_equal(ccdm_broker_refusals(&broker, NOW, &err), 0);
	n = lines("anonymous", NULL);
	attest(&g, g.nonce, pcr);
	assert_int_equal(lines("anonymous", NULL), n);
	g.now = NOW + 1;
	for (i = 0; i < 30; i++) {
		nobody("/", false, NULL, NULL, NULL, NOW + 1);
		assert_string_equal(fetch(&g, PATH, false), SECRET);
	}
	assert_int_equal(lines("anonymous", NULL), n + 1);
	g.now = NOW + 2;
	assert_string_equal(fetch(&g, PATH, false), SECRET);
	assert_int_equal(lines("anonymous", NULL), n + 2);
	drop(&g);
	whole();
}

/* Counts that could not be written are kept, and nothing is released before they are written. */
static void anonymous_unlogged(void **state)
{
	struct guest g = guest(CCDM_KBS_0_4);
	struct rlimit limit, none;
	json_int_t before;
	struct stat st;

	(void)state;
	attest(&g, g.nonce, pcr);
	assert_int_equal(ccdm_broker_refusals(&broker, NOW, &err), 0);
	before = counted("path");
	nobody("/", false, NULL, NULL, NULL, NOW);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(stat(file("audit.log"), &st), 0);
	none = limit;
	none.rlim_cur = st.st_size + 10;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(ccdm_broker_refusals(&broker, NOW, &err), -ENOSPC);
	g.now = NOW + 5;
	assert_null(fetch(&g, PATH, false));
	assert_int_equal(g.status, 503);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	nobody("/", false, NULL, NULL, NULL, NOW + 6);
	assert_string_equal(fetch(&g, PATH, false), SECRET);
	assert_int_equal(counted("path") - before, 2);
	drop(&g);
	whole();
}

/* ---- status -------------------------------------------------------------------------- */

static json_t *status(void)
{
	char order[] = "{\"do\": \"status\"}";

	return ccdm_admin_answer(&broker, order, strlen(order), "test", NOW);
}

/* If the policies cannot be read, nothing is released, and the status reports it. */
static void status_policies(void **state)
{
	json_t *o = status();

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(o, "policies")), 1);
	assert_int_equal(json_integer_value(json_object_get(o, "secrets")), 1);
	json_decref(o);
	assert_int_equal(ccdm_store_policy_put(broker.store, "zz", "name: [", &err), 0);
	o = status();
	assert_null(json_object_get(o, "error"));
	assert_true(json_is_null(json_object_get(o, "policies")));
	assert_non_null(strstr(json_string_value(json_array_get(json_object_get(o, "warnings"), 0)),
			       "cannot use the policies: zz"));
	json_decref(o);
	assert_int_equal(ccdm_store_policy_remove(broker.store, "zz", &err), 0);
	o = status();
	assert_int_equal(json_integer_value(json_object_get(o, "policies")), 1);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_sessions),	      cmocka_unit_test(odd_policies),
		cmocka_unit_test(odd_bounded),	      cmocka_unit_test(odd_unlogged),
		cmocka_unit_test(anonymous),	      cmocka_unit_test(anonymous_order),
		cmocka_unit_test(anonymous_unlogged), cmocka_unit_test(status_policies),
		cmocka_unit_test(anonymous_lines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
