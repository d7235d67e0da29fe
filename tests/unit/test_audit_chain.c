// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* The audit log: its hash chain and signed heads, and requests for which it has no room. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include "guest.h"

/* A request that cannot be logged is refused; the log stays valid when there is room again. */
static void unlogged(void **state)
{
	static const unsigned int room[] = { 0, 10, 100 }; /* bytes by which the log can grow */
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
		assert_int_equal(g.status, 503);
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

/* A head for which there was no room is written before the next entry. */
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
	assert_int_equal(ccdm_audit_add(broker.audit, NOW, "x", json_object(), &err), -ENOSPC);
	assert_int_equal(ccdm_audit_add(broker.audit, NOW, "x", json_object(), &err), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &again, &err), 0);
	assert_int_equal(again, lines + 1);
	assert_int_equal(ccdm_audit_add(broker.audit, NOW, "x", json_object(), &err), 0);
	assert_int_equal(ccdm_audit_verify(file("audit.log"), broker.signer, &again, &err), 0);
	assert_int_equal(again, lines + 3);
}

/*
 * The log with a changed first line and a new hash chain.
 * @head: event of the heads; "": the heads are left out; NULL: unchanged
 * @token: signature of the heads; "-": none; NULL: unchanged
 */
static char *rewrite(const char *text, const char *head, const char *token)
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

/* Whoever can write the file can make a new chain, but cannot sign its heads. */
static void rewritten_chain(void **state)
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
			{ NULL, NULL },	   { NULL, token }, /* heads of the old chain */
			{ NULL, g.token }, { NULL, "" },    /* a token, an empty signature */
			{ "", NULL },	   { "x", NULL },   /* no heads */
			{ NULL, "-" },
		};

		other = rewrite(text, cases[i].head, cases[i].token);
		put("copy.log", other, strlen(other), 0600);
		/* without the key only the places of the heads are verified */
		assert_int_equal(ccdm_audit_verify(file("copy.log"), NULL, &lines, &err),
				 cases[i].head ? -EBADMSG : 0);
		assert_int_equal(ccdm_audit_verify(file("copy.log"), broker.signer, &lines, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.text, "copy.log: line 64: expected a signed head"));
		free(other);
	}
	/* the signature of a head is no token */
	free(g.token);
	g.token = token;
	assert_null(fetch(&g, PATH, true));
	assert_string_equal(g.type, "TokenNotFound");
	free(text);
	drop(&g);
}

/* A refusal whose trace is too long for a line is logged without the trace. */
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
	policy(IMAGE);
	free(text);
	drop(&g);
}

/* Damage to a line, or a missing line, is detected there or at the next line. */
static void damaged_lines(void **state)
{
	struct ccdm_audit *again;
	char *text = NULL, *line, *next;
	uint64_t lines, all;
	size_t size, i;

	(void)state;
	for (i = 0; i < CCDM_AUDIT_HEAD; i++) {
		struct guest g = guest(CCDM_KBS_0_4);

		attest(&g, g.nonce, pcr);
		assert_string_equal(fetch(&g, PATH, false), SECRET);
		drop(&g);
	}
	/* an entry that is too long for a line is cut, and breaks nothing */
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
	/* the lines up to the last signed head; after it only the order is verified */
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
	/* the last line is incomplete, as after a power failure */
	assert_int_equal(ccdm_audit_open(file("copy.log"), broker.signer, &again, &err), 0);
	ccdm_audit_close(again);
	assert_int_equal(ccdm_audit_verify(file("copy.log"), broker.signer, &lines, &err), 0);
	assert_int_equal(lines, all);
	/* a line of the maximum length, and one byte more */
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
	/* an incomplete end that is longer than a line is not cut off */
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
	/* a changed line is not repaired */
	text[size / 2] ^= 1;
	put("copy.log", text, size, 0600);
	assert_int_equal(ccdm_audit_open(file("copy.log"), broker.signer, &again, &err), -EBADMSG);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unlogged),	   cmocka_unit_test(late_head),
		cmocka_unit_test(rewritten_chain), cmocka_unit_test(long_trace),
		cmocka_unit_test(damaged_lines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
