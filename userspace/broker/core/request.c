// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* request.c - see request.h */
#include "base/json.h"
#include "request.h"

#define ERRORS "https://github.com/confidential-containers/kbs/errors/"
#define LATER  5 /* seconds */

void ccdm_reply_json(struct ccdm_reply *a, int status, json_t *o)
{
	a->body = o ? ccdm_json_dump(o, JSON_COMPACT) : NULL;
	a->status = a->body ? status : 500;
	json_decref(o);
}

void ccdm_reply_later(struct ccdm_reply *a, const char *detail)
{
	a->retry = LATER;
	/* earlier guests of ccdm try again after this type, but not after others */
	ccdm_reply_error(a, 503, "AttestationError", detail);
}

void ccdm_reply_error(struct ccdm_reply *a, int status, const char *type, const char *detail)
{
	ccdm_reply_json(a, status,
			json_pack("{s:s+, s:s}", "type", ERRORS, type, "detail", detail));
}
