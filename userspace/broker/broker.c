// SPDX-License-Identifier: Apache-2.0
/* broker.c - see broker.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "../lib/digest.h"
#include "broker.h"

void ccdm_broker_drop(struct ccdm_broker *b)
{
	ccdm_policy_free(b->policies);
	b->policies = NULL;
	b->policies_read = false;
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
			ccdm_digest_hex(d.bytes, 32, (*p->tail)->hash);
	return r;
}

int ccdm_broker_odd(struct ccdm_broker *b, struct ccdm_err *err)
{
	const struct ccdm_store_odd *odd = ccdm_store_odd(b->store);
	char what[sizeof(b->odd)];
	int r;

	if (!odd->count)
		return 0;
	snprintf(what, sizeof(what), "%s %u %s", odd->table, odd->count, odd->key);
	if (!strcmp(what, b->odd))
		return 0;
	r = ccdm_audit_add(b->audit, time(NULL), "store",
			   json_pack("{s:s, s:s, s:i, s:s}", "table", odd->table, "key", odd->key,
				     "count", (int)odd->count, "why", "no MAC of this key file"),
			   err);
	if (!r)
		memcpy(b->odd, what, sizeof(what));
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
