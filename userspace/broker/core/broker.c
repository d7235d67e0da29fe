// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* broker.c - see broker.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/ui.h"
#include "crypto/digest.h"
#include "base/json.h"
#include "broker.h"

#define LINE 160 /* bytes of each line: time, event, hash of the line before */

void ccdm_broker_drop(struct ccdm_broker *b)
{
	ccdm_policy_free(b->policies);
	b->policies = NULL;
	b->policies_read = false;
}

void ccdm_broker_reloaded(struct ccdm_broker *b)
{
	ccdm_broker_drop(b);
	b->nr_odd = 0;
}

struct ccdm_policies_read {
	struct ccdm_policy **tail;
	struct ccdm_err *err;
};

static int ccdm_policies_add(const char *name, const char *text, void *arg)
{
	struct ccdm_policies_read *p = arg;
	int r = ccdm_policy_parse(name, text, strlen(text), p->tail, p->err);
	struct ccdm_digest d;

	if (!r)
		r = ccdm_digest_of(CCDM_ALG_SHA256, text, strlen(text), NULL, 0, &d);
	for (; *p->tail; p->tail = &(*p->tail)->next)
		if (!r)
			ccdm_hex(d.bytes, 32, (*p->tail)->hash);
	return r;
}

int ccdm_broker_refusals(struct ccdm_broker *b, int64_t now, struct ccdm_err *err)
{
	uint64_t count = ccdm_refusals_fresh(&b->refusals);
	char since[32];
	int r;

	if (!count)
		return 0;
	ccdm_ui_date(b->refusals.since, since);
	r = ccdm_audit_add(b->audit, now, "anonymous",
			   json_pack("{s:s, s:I, s:s, s:o}", "result", "refused", "count",
				     (json_int_t)count, "since", since, "reasons",
				     ccdm_refusals_json(b->refusals.fresh)),
			   err);
	if (!r)
		ccdm_refusals_noted(&b->refusals, now);
	return r;
}

int ccdm_broker_note(struct ccdm_broker *b, int64_t now, const char *event, json_t *entry,
		     struct ccdm_err *err)
{
	int r = now != b->refusals.written ? ccdm_broker_refusals(b, now, err) : 0;

	if (!r)
		return ccdm_audit_add(b->audit, now, event, entry, err);
	json_decref(entry);
	return r;
}

int ccdm_broker_refused(struct ccdm_broker *b, const struct ccdm_request *q, enum ccdm_refusal why,
			enum ccdm_line_kind kind, const char *event, json_t *entry,
			struct ccdm_err *err)
{
	size_t size = json_dumpb(entry, NULL, 0, JSON_COMPACT | JSON_ENSURE_ASCII);
	enum ccdm_line line;

	if (size > CCDM_AUDIT_LINE)
		size = CCDM_AUDIT_LINE; /* the log cuts it */
	line = ccdm_quota_line(&b->quota, q->source, kind, size + LINE, ccdm_clock_ms() * 1000);
	if (line == CCDM_LINE_WHOLE ||
	    (line == CCDM_LINE_BRIEF && !ccdm_audit_shorten(entry, CCDM_LINE_SHORT - LINE)))
		return ccdm_broker_note(b, q->now, event, entry, err);
	ccdm_refusals_add(&b->refusals, why, q->now);
	json_decref(entry);
	return 0;
}

/* @key: NULL: the rows of this table have no key */
static int ccdm_odd_add(struct ccdm_broker *b, const struct ccdm_store_odd *odd, const char *key,
			struct ccdm_err *err)
{
	const char *name = key ? key : "";
	struct ccdm_digest d;
	json_t *entry;
	unsigned int i;
	int r = ccdm_digest_of(CCDM_ALG_SHA256, odd->table, strlen(odd->table) + 1, name,
			       strlen(name), &d);

	if (r)
		return ccdm_err_set(err, r, "cannot hash a refused row");
	for (i = 0; i < b->nr_odd; i++)
		if (!memcmp(b->odd[i], d.bytes, sizeof(b->odd[i])))
			return 0;
	if (b->nr_odd == CCDM_BROKER_ODD)
		return 0;
	entry = json_pack("{s:s, s:s, s:s}", "table", odd->table, "key", name, "why",
			  "no MAC under a key of the key file");
	if (!key)
		ccdm_json_put(&entry, "count", json_integer((json_int_t)odd->count));
	if (b->nr_odd == CCDM_BROKER_ODD - 1)
		ccdm_json_put(
			&entry, "more",
			json_string("further refused rows are not named until the next reload"));
	r = ccdm_broker_note(b, time(NULL), "store", entry, err);
	if (!r)
		memcpy(b->odd[b->nr_odd++], d.bytes, sizeof(b->odd[0]));
	return r;
}

int ccdm_broker_odd(struct ccdm_broker *b, struct ccdm_err *err)
{
	const struct ccdm_store_odd *odd = ccdm_store_odd(b->store);
	unsigned int i;
	int r = 0;

	b->odd_rows += odd->count;
	for (i = 0; !r && i < odd->count && i < CCDM_STORE_ODD; i++)
		r = ccdm_odd_add(b, odd, odd->key[i], err);
	if (!r && odd->count > CCDM_STORE_ODD)
		r = ccdm_odd_add(b, odd, NULL, err);
	return r;
}

int ccdm_broker_policies(struct ccdm_broker *b, const struct ccdm_policy **policies,
			 struct ccdm_err *err)
{
	struct ccdm_policy *fresh = NULL;
	struct ccdm_policies_read p = { &fresh, err };
	uint8_t version[32];
	int r = ccdm_store_policies_version(b->store, version, err);

	*policies = NULL;
	if (!r && (!b->policies_read || memcmp(version, b->policies_version, sizeof(version)))) {
		ccdm_broker_drop(b);
		r = ccdm_store_policies(b->store, ccdm_policies_add, &p, err);
		if (!r)
			r = ccdm_broker_odd(b, err);
		if (r) {
			ccdm_policy_free(fresh);
		} else {
			b->policies = fresh;
			memcpy(b->policies_version, version, sizeof(version));
			b->policies_read = true;
		}
	}
	if (!r)
		*policies = b->policies;
	return r;
}
