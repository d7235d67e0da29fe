// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* refusals.c - see refusals.h */
#include <string.h>
#include "base/json.h"
#include "refusals.h"

static const char *const ccdm_refusal_names[CCDM_REFUSALS] = {
	[CCDM_REFUSED_RATE] = "rate",	      [CCDM_REFUSED_CONNECTIONS] = "connections",
	[CCDM_REFUSED_LATE] = "late",	      [CCDM_REFUSED_TLS] = "tls",
	[CCDM_REFUSED_PROXY] = "proxy",	      [CCDM_REFUSED_REQUEST] = "request",
	[CCDM_REFUSED_BUSY] = "busy",	      [CCDM_REFUSED_PATH] = "path",
	[CCDM_REFUSED_MESSAGE] = "message",   [CCDM_REFUSED_VERSION] = "version",
	[CCDM_REFUSED_TEE] = "tee",	      [CCDM_REFUSED_SESSION] = "session",
	[CCDM_REFUSED_EXPIRED] = "expired",   [CCDM_REFUSED_NONCE] = "nonce",
	[CCDM_REFUSED_EVIDENCE] = "evidence", [CCDM_REFUSED_RESOURCE] = "resource",
};

uint64_t ccdm_refusals_fresh(const struct ccdm_refusals *f)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < CCDM_REFUSALS; i++)
		n += f->fresh[i];
	return n;
}

void ccdm_refusals_add(struct ccdm_refusals *f, enum ccdm_refusal why, int64_t now)
{
	if (!ccdm_refusals_fresh(f))
		f->since = now;
	f->total[why]++;
	f->fresh[why]++;
}

void ccdm_refusals_noted(struct ccdm_refusals *f, int64_t now)
{
	memset(f->fresh, 0, sizeof(f->fresh));
	f->written = now;
}

json_t *ccdm_refusals_json(const uint64_t count[CCDM_REFUSALS])
{
	json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < CCDM_REFUSALS; i++)
		if (count[i])
			ccdm_json_put(&o, ccdm_refusal_names[i],
				      json_integer((json_int_t)count[i]));
	return o;
}
