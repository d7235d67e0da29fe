// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* admin.c - see admin.h */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/trace.h"
#include "base/ui.h"
#include "crypto/digest.h"
#include "kbs/kbs.h"
#include "admin.h"
#include "policy/explain.h"
#include "note.h"
#include "status.h"

/* A request that is being handled. */
struct ccdm_asked {
	struct ccdm_broker *b;
	const json_t *o;
	int64_t now;
	const char *who;
	char name[CCDM_KBS_PATH_MAX]; /* of the object; set once it is known */
	bool begun;		      /* a line in the log says so */
	json_t *answer;
	struct ccdm_err err;
};

static const char *ccdm_asked_text(struct ccdm_asked *q, const char *key, int *r)
{
	const char *text = json_string_value(json_object_get(q->o, key));

	*r = text ? 0 : ccdm_err_set(&q->err, -EINVAL, "%s: expected a string", key);
	return text ? text : "";
}

/* Log a change before it is made; ccdm_asked_ended() logs how it ended. */
static int ccdm_asked_log(struct ccdm_asked *q, const char *what, const char *name,
			  const char *hash)
{
	json_t *entry = json_pack("{s:s, s:s, s:s, s:s?, s:s}", "who", q->who, "do", what, "name",
				  name, "hash", hash, "result", "begun");
	int r;

	snprintf(q->name, sizeof(q->name), "%s", name);
	r = ccdm_broker_note(q->b, q->now, "admin", entry, &q->err);
	q->begun = !r;
	return r;
}

/* Log how a changing request ended. A dry run that succeeds is not logged. */
static int ccdm_asked_ended(struct ccdm_asked *q, const char *what, int r)
{
	const char *path = json_string_value(json_object_get(q->o, "path"));
	const char *name = json_string_value(json_object_get(q->o, "name"));
	struct ccdm_err err = { 0 };
	json_t *entry;
	int bad;

	if (!q->begun && !r)
		return 0; /* a dry run, which changes nothing */
	if (!q->begun)
		snprintf(q->name, sizeof(q->name), "%s", path ? path : name ? name : "");
	entry = json_pack("{s:s, s:s, s:s, s:s, s:s?}", "who", q->who, "do", what, "name", q->name,
			  "result", r ? "failed" : "done", "why",
			  r ? (q->err.text[0] ? q->err.text : strerror(-r)) : NULL);
	bad = ccdm_broker_note(q->b, q->now, "admin", entry, &err);
	return r || !bad ? r
			 : ccdm_err_set(&q->err, bad, "done, but not written to the audit log: %s",
					err.text);
}

static int ccdm_asked_append(const char *name, const char *text, void *arg)
{
	json_t *entry = json_pack("{s:s, s:s}", "name", name, "text", text);

	return json_array_append_new(arg, entry) ? -ENOMEM : 0;
}

/* ---- policies ---------------------------------------------------------------- */

static int ccdm_policy_find(const char *name, const char *text, void *arg)
{
	json_t *found = arg;

	if (!strcmp(name, json_string_value(json_object_get(found, "name"))))
		return json_object_set_new(found, "text", json_string(text)) ? -ENOMEM : 0;
	return 0;
}

/* Read the policy of this name, to show what an addition changes. */
static int ccdm_policy_before(struct ccdm_asked *q, const char *name, json_t **before)
{
	*before = json_pack("{s:s}", "name", name);
	return *before ? ccdm_store_policies(q->b->store, ccdm_policy_find, *before, &q->err)
		       : -ENOMEM;
}

/* Describe one addition: the policy, the hash of its text, and the text before. */
static int ccdm_policy_change(struct ccdm_asked *q, const struct ccdm_policy *p, const char *text,
			      json_t *all)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *before = NULL, *one;
	struct ccdm_digest d;
	int r;

	if (p->outcome != CCDM_POLICY_MAY_OPEN)
		return ccdm_err_set(&q->err, -EINVAL, "%s: %s", p->name,
				    ccdm_policy_reason(p->outcome));
	r = ccdm_policy_before(q, p->name, &before);
	if (!r)
		r = ccdm_digest_of(CCDM_ALG_SHA256, text, strlen(text), NULL, 0, &d);
	if (!r) {
		ccdm_hex(d.bytes, 32, hex);
		one = json_pack("{s:s, s:s, s:s?, s:s}", "name", p->name, "hash", hex, "before",
				json_string_value(json_object_get(before, "text")), "after", text);
		r = json_array_append_new(all, one) ? -ENOMEM : 0;
	}
	json_decref(before);
	return r;
}

/* Read the documents of a text: each is one policy, and its whole text is stored. */
static int ccdm_policy_changes(struct ccdm_asked *q, const char *text, json_t *all)
{
	struct ccdm_policy *policies = NULL, *p, *one = NULL;
	char *document = NULL;
	int r = ccdm_policy_parse("the policy", text, strlen(text), &policies, &q->err);

	for (p = policies; !r && p; p = p->next) {
		text = ccdm_policy_cut(text, p->next == NULL, &document);
		/* The text that is stored must be the policy that was checked. */
		r = document ? ccdm_policy_parse(p->name, document, strlen(document), &one, &q->err)
			     : -ENOMEM;
		if (!r && (one->next || strcmp(one->name, p->name)))
			r = ccdm_err_set(&q->err, -EINVAL,
					 "%s: cannot divide the text into its documents", p->name);
		if (!r)
			r = ccdm_policy_change(q, one, document, all);
		ccdm_policy_free(one);
		one = NULL;
		free(document);
	}
	ccdm_policy_free(policies);
	return r;
}

/* Store all of them, or none. */
static int ccdm_policy_store(struct ccdm_asked *q, const json_t *all)
{
	char names[sizeof(q->name)] = "";
	const char *name;
	const json_t *one;
	size_t i, n = 0;
	int r = 0;

	json_array_foreach(all, i, one)
	{
		name = json_string_value(json_object_get(one, "name"));
		if (!r)
			r = ccdm_asked_log(q, "policy-add", name,
					   json_string_value(json_object_get(one, "hash")));
		if (n < sizeof(names))
			n += snprintf(names + n, sizeof(names) - n, "%s%s", i ? " " : "", name);
	}
	snprintf(q->name, sizeof(q->name), "%s", names);
	if (!r)
		r = ccdm_store_begin(q->b->store, &q->err);
	if (r)
		return r;
	json_array_foreach(all, i, one)
	{
		if (!r)
			r = ccdm_store_policy_put(
				q->b->store, json_string_value(json_object_get(one, "name")),
				json_string_value(json_object_get(one, "after")), &q->err);
	}
	return ccdm_store_end(q->b->store, r, &q->err);
}

/* Add the policies of a text, all or none. */
static int ccdm_admin_policy_add(struct ccdm_asked *q)
{
	bool dry = json_is_true(json_object_get(q->o, "dry-run"));
	json_t *all = json_array();
	const char *text;
	int r;

	text = ccdm_asked_text(q, "text", &r);
	if (!r)
		r = ccdm_policy_changes(q, text, all);
	if (!r && !dry)
		r = ccdm_policy_store(q, all);
	if (!r && json_array_size(all) == 1)
		q->answer = json_incref(json_array_get(all, 0));
	else if (!r)
		q->answer = json_pack("{s:O}", "policies", all);
	if (!r)
		ccdm_json_put(&q->answer, "dry-run", json_boolean(dry));
	json_decref(all);
	return r;
}

static int ccdm_admin_policy_list(struct ccdm_asked *q)
{
	json_t *all = json_array();
	int r = all ? ccdm_store_policies(q->b->store, ccdm_asked_append, all, &q->err) : -ENOMEM;

	q->answer = json_pack("{s:o}", "policies", all);
	return r;
}

static int ccdm_admin_policy_remove(struct ccdm_asked *q)
{
	const char *name;
	int r;

	name = ccdm_asked_text(q, "name", &r);
	if (!r)
		r = ccdm_asked_log(q, "policy-remove", name, NULL);
	return r ? r : ccdm_store_policy_remove(q->b->store, name, &q->err);
}

/* ---- secrets --------------------------------------------------------------------- */

static int ccdm_secret_seal(struct ccdm_asked *q, const char *path, const void *bytes, size_t size)
{
	uint8_t *sealed = NULL;
	size_t sealed_size;
	int r = ccdm_keys_seal(q->b->keys, path, bytes, size, &sealed, &sealed_size);

	if (r)
		return ccdm_err_set(&q->err, r, "cannot seal %s", path);
	r = ccdm_store_secret_put(q->b->store, path, sealed, sealed_size, &q->err);
	free(sealed);
	return r;
}

static int ccdm_admin_secret_put(struct ccdm_asked *q)
{
	const char *path, *value;
	uint8_t *bytes = NULL;
	size_t size = 0;
	int r;

	path = ccdm_asked_text(q, "path", &r);
	if (!r)
		value = ccdm_asked_text(q, "value", &r);
	if (!r && !ccdm_kbs_path_good(path))
		r = ccdm_err_set(&q->err, -EINVAL, "expected REPO/TYPE/TAG, found %s", path);
	if (!r && ccdm_base64_decode(value, false, CCDM_JWE_MAX, &bytes, &size))
		r = ccdm_err_set(&q->err, -EINVAL, "value: expected base64 of at most %u bytes",
				 CCDM_JWE_MAX);
	if (!r)
		r = ccdm_asked_log(q, "secret-put", path, NULL);
	if (!r)
		r = ccdm_secret_seal(q, path, bytes, size);
	if (bytes)
		OPENSSL_cleanse(bytes, size);
	free(bytes);
	return r;
}

static int ccdm_admin_secret_list(struct ccdm_asked *q)
{
	json_t *all = json_array();
	int r = all ? ccdm_store_secrets(q->b->store, ccdm_asked_append, all, &q->err) : -ENOMEM;

	q->answer = json_pack("{s:o}", "secrets", all);
	return r;
}

static int ccdm_admin_secret_remove(struct ccdm_asked *q)
{
	const char *path;
	int r;

	path = ccdm_asked_text(q, "path", &r);
	if (!r)
		r = ccdm_asked_log(q, "secret-remove", path, NULL);
	return r ? r : ccdm_store_secret_remove(q->b->store, path, &q->err);
}

/* Seal a secret again if an older key sealed it. Return: 1 if so, 0, -errno */
static int ccdm_secret_reseal(struct ccdm_asked *q, const char *path)
{
	uint8_t *sealed, *bytes = NULL;
	size_t sealed_size, size = 0;
	bool old = false;
	int r = ccdm_store_secret_get(q->b->store, path, &sealed, &sealed_size, &q->err);

	if (!r) {
		r = ccdm_keys_open(q->b->keys, path, sealed, sealed_size, &bytes, &size, &old);
		if (r)
			ccdm_err_set(&q->err, r, "cannot open the sealed secret %s: %s", path,
				     strerror(-r));
	}
	if (!r && old)
		r = ccdm_secret_seal(q, path, bytes, size);
	OPENSSL_clear_free(bytes, size + 1);
	free(sealed);
	return r ? r : old;
}

static int ccdm_admin_secrets_reseal(struct ccdm_asked *q)
{
	json_t *all = json_array(), *one;
	int r, done = 0;
	size_t i;

	r = ccdm_store_secrets(q->b->store, ccdm_asked_append, all, &q->err);
	if (!r)
		r = ccdm_asked_log(q, "secrets-reseal", "", NULL);
	if (!r)
		r = ccdm_store_begin(q->b->store, &q->err);
	if (r) {
		json_decref(all);
		return r;
	}
	json_array_foreach(all, i, one)
	{
		r = ccdm_secret_reseal(q, json_string_value(json_object_get(one, "name")));
		if (r < 0)
			break;
		done += r;
		r = 0;
	}
	if (!r)
		r = ccdm_store_reseal(q->b->store, &q->err);
	r = ccdm_store_end(q->b->store, r, &q->err);
	q->answer = json_pack("{s:i, s:i}", "resealed", done, "secrets", (int)json_array_size(all));
	json_decref(all);
	return r;
}

/* ---- explaining policies ------------------------------------------------------------- */

static int ccdm_admin_explain(struct ccdm_asked *q)
{
	const struct ccdm_policy *policies;
	int r = ccdm_broker_policies(q->b, &policies, &q->err);

	return r ? r
		 : ccdm_explain(q->b->trust, policies, json_object_get(q->o, "evidence"), q->now,
				&q->answer, &q->err);
}

/* ---- notes of the tool ------------------------------------------------------------------ */

static int ccdm_admin_note(struct ccdm_asked *q)
{
	const char *what = json_string_value(json_object_get(q->o, "what"));
	const char *result = json_string_value(json_object_get(q->o, "result"));
	json_t *entry;
	int r = ccdm_note_read(q->o, q->who, &entry, &q->err);

	if (r)
		return r;
	if (!strcmp(what, "restore") && strcmp(result, "failed")) {
		json_decref(entry);
		return ccdm_err_set(&q->err, -EINVAL, "cannot restore while the broker is running");
	}
	return ccdm_broker_note(q->b, q->now, "tool", entry, &q->err);
}

/* ---- status --------------------------------------------------------------------------------- */

static int ccdm_admin_status(struct ccdm_asked *q)
{
	return ccdm_status(q->b, &q->answer, &q->err);
}

/* ---- requests -------------------------------------------------------------------------- */

static const struct {
	const char *word;
	int (*run)(struct ccdm_asked *q);
	bool changes;
} ccdm_admin_words[] = {
	{ "policy-add", ccdm_admin_policy_add, true },
	{ "policy-list", ccdm_admin_policy_list, false },
	{ "policy-remove", ccdm_admin_policy_remove, true },
	{ "secret-put", ccdm_admin_secret_put, true },
	{ "secret-list", ccdm_admin_secret_list, false },
	{ "secret-remove", ccdm_admin_secret_remove, true },
	{ "secrets-reseal", ccdm_admin_secrets_reseal, true },
	{ "explain", ccdm_admin_explain, false },
	{ "note", ccdm_admin_note, false },
	{ "status", ccdm_admin_status, false },
};

json_t *ccdm_admin_answer(struct ccdm_broker *b, char *line, size_t size, const char *who,
			  int64_t now)
{
	json_t *o = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	const char *word = json_string_value(json_object_get(o, "do"));
	struct ccdm_asked q = { .b = b, .o = o, .now = now, .who = who };
	size_t i, n = ARRAY_SIZE(ccdm_admin_words);
	int r;

	OPENSSL_cleanse(line, size);
	for (i = 0; i < n; i++)
		if (word && !strcmp(word, ccdm_admin_words[i].word))
			break;
	/* print only the word: its parameters may hold a secret */
	ccdm_trace("admin: %s: %s", who, i < n ? ccdm_admin_words[i].word : "unknown");
	r = i < n ? ccdm_admin_words[i].run(&q)
		  : ccdm_err_set(&q.err, -EINVAL, "unknown request '%.40s'", word ? word : "so");
	if (i < n && ccdm_admin_words[i].changes)
		r = ccdm_asked_ended(&q, word, r);
	json_decref(o);
	if (r) {
		json_decref(q.answer);
		return json_pack("{s:s, s:i}", "error", q.err.text[0] ? q.err.text : strerror(-r),
				 "code", ccdm_exit_of(r));
	}
	return q.answer ? q.answer : json_object();
}
