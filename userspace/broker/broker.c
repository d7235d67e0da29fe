// SPDX-License-Identifier: Apache-2.0
/* broker.c - see broker.h */
#include <errno.h>
#include <string.h>
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

	while (*p->tail)
		p->tail = &(*p->tail)->next;
	return r;
}

int ccdm_broker_policies(struct ccdm_broker *b, const struct ccdm_policy **policies,
			 struct ccdm_err *err)
{
	struct ccdm_policy *fresh = NULL;
	struct ccdm_policies_read p = { &fresh, err };
	int64_t version;
	int r = ccdm_store_policies_version(b->store, &version, err);

	*policies = NULL;
	if (!r && (!b->policies_read || version != b->policies_version)) {
		ccdm_broker_drop(b);
		r = ccdm_store_policies(b->store, ccdm_policies_add, &p, err);
		if (r) {
			ccdm_policy_free(fresh);
		} else {
			b->policies = fresh;
			b->policies_version = version;
			b->policies_read = true;
		}
	}
	if (!r)
		*policies = b->policies;
	return r;
}
