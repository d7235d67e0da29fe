// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* kbs.c - see kbs.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "base/jcs.h"
#include "jws.h"
#include "kbs.h"
#include "base/json.h"

const char *ccdm_kbs_version_name(enum ccdm_kbs_version version)
{
	return version == CCDM_KBS_0_2 ? "0.2.0" : "0.4.0";
}

bool ccdm_kbs_version_of(const char *name, enum ccdm_kbs_version *version)
{
	for (*version = CCDM_KBS_0_2; *version <= CCDM_KBS_0_4; ++*version)
		if (!strcmp(name, ccdm_kbs_version_name(*version)))
			return true;
	return false;
}

/* ---- what the guest says --------------------------------------------------- */

static char *ccdm_kbs_text(json_t *o)
{
	char *text = o ? ccdm_json_dump(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

char *ccdm_kbs_request(enum ccdm_kbs_version version, const char *tee, json_t *extra)
{
	/* The protocol requires the member, even if it is empty. */
	return ccdm_kbs_text(json_pack("{s:s, s:s, s:o}", "version", ccdm_kbs_version_name(version),
				       "tee", tee, "extra-params",
				       extra ? json_incref(extra) : json_string("")));
}

int ccdm_kbs_report_data(enum ccdm_kbs_version version, const char *nonce, json_t *jwk,
			 const char *additional, struct ccdm_digest *digest)
{
	json_t *o = json_pack("{s:s, s:O}", "nonce", nonce, "tee-pubkey", jwk);
	char *text = NULL;
	int r = -ENOMEM;

	if (o && (version == CCDM_KBS_0_2 ||
		  !json_object_set_new(o, "additional-evidence", json_string(additional))))
		r = ccdm_jcs(o, &text);
	if (!r)
		r = ccdm_digest_of(CCDM_ALG_SHA384, text, strlen(text), NULL, 0, digest);
	free(text);
	json_decref(o);
	return r;
}

char *ccdm_kbs_attestation(enum ccdm_kbs_version version, const char *nonce, json_t *jwk,
			   json_t *evidence, const char *additional)
{
	if (version == CCDM_KBS_0_2)
		return ccdm_kbs_text(
			json_pack("{s:O, s:O}", "tee-pubkey", jwk, "tee-evidence", evidence));
	return ccdm_kbs_text(json_pack("{s:n, s:{s:s, s:O}, s:{s:O, s:s}}", "init-data",
				       "runtime-data", "nonce", nonce, "tee-pubkey", jwk,
				       "tee-evidence", "primary_evidence", evidence,
				       "additional_evidence", additional));
}

/* ---- what the broker says ----------------------------------------------------- */

static json_t *ccdm_kbs_object(const char *what, const char *text, size_t size,
			       struct ccdm_err *err)
{
	json_error_t where;
	json_t *o = NULL;

	if (size > CCDM_KBS_MESSAGE_MAX) {
		ccdm_err_set(err, -EINVAL, "%s: too large: %zu bytes", what, size);
		return NULL;
	}
	o = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (json_is_object(o))
		return o;
	ccdm_err_set(err, -EINVAL, "%s: line %d: %s", what, where.line,
		     o ? "expected an object" : where.text);
	json_decref(o);
	return NULL;
}

int ccdm_kbs_challenge(const char *text, size_t size, char nonce[CCDM_KBS_NONCE_MAX],
		       json_t **extra, struct ccdm_err *err)
{
	json_t *o = ccdm_kbs_object("the broker's challenge", text, size, err), *params;
	const char *value = json_string_value(json_object_get(o, "nonce"));
	int r = o ? 0 : -EINVAL;

	if (extra)
		*extra = NULL;
	if (!r && (!value || !value[0] || strlen(value) >= CCDM_KBS_NONCE_MAX))
		r = ccdm_err_set(
			err, -EINVAL,
			"the broker's challenge: nonce: expected a string of 1 to %u bytes",
			CCDM_KBS_NONCE_MAX - 1);
	if (!r) {
		snprintf(nonce, CCDM_KBS_NONCE_MAX, "%s", value);
		params = json_object_get(o, "extra-params");
		if (extra && json_is_object(params))
			*extra = json_incref(params);
	}
	json_decref(o);
	return r;
}

int ccdm_kbs_token(const char *text, size_t size, char **token, struct ccdm_err *err)
{
	json_t *o = ccdm_kbs_object("the broker's answer", text, size, err);
	const char *value = json_string_value(json_object_get(o, "token"));
	int r = o ? 0 : -EINVAL;

	*token = NULL;
	/* The token is sent in an HTTP header. */
	if (!r && (!value || !value[0] || strlen(value) > CCDM_KBS_TOKEN_MAX ||
		   strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				 "-_.=") != strlen(value)))
		r = ccdm_err_set(err, -EINVAL, "the broker's answer: token: expected a token");
	if (!r) {
		*token = strdup(value);
		r = *token ? 0 : -ENOMEM;
	}
	json_decref(o);
	return r;
}

int ccdm_kbs_token_time(const char *token, int64_t *at, struct ccdm_err *err)
{
	const char *payload, *signature;
	json_t *o = NULL, *iat;

	if (ccdm_jws_split(token, CCDM_KBS_TOKEN_MAX, &payload, &signature))
		o = ccdm_jws_part(payload, signature - 1 - payload);
	iat = json_object_get(o, "iat");
	if (iat)
		*at = json_integer_value(iat);
	/* Accept the years 2000 to 2099; any other time is an error. */
	if (!json_is_integer(iat) || *at < 946684800 || *at >= 4102444800)
		iat = NULL;
	json_decref(o);
	return iat ? 0
		   : ccdm_err_set(err, -EINVAL, "the broker's token has no time of issue (iat)");
}

static void ccdm_kbs_detail(const char *text, char detail[256])
{
	char *p;

	snprintf(detail, 256, "%s", text);
	for (p = detail; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

enum ccdm_kbs_failure ccdm_kbs_failure(long status, const char *text, size_t size, char detail[256])
{
	static const struct {
		const char *type;
		enum ccdm_kbs_failure failure;
	} types[] = {
		{ "PolicyDeny", CCDM_KBS_DENIED },
		{ "AttestationError", CCDM_KBS_REJECTED },
		{ "TokenNotFound", CCDM_KBS_SESSION },
		{ "TokenVerifierError", CCDM_KBS_SESSION },
		{ "PluginInternalError", CCDM_KBS_MISSING },
		{ "PluginNotFound", CCDM_KBS_MISSING },
		{ "InvalidRequestPath", CCDM_KBS_MISSING },
	};
	json_t *o = size <= CCDM_KBS_MESSAGE_MAX ? json_loadb(text, size, 0, NULL) : NULL;
	const char *type = json_string_value(json_object_get(o, "type")), *word;
	const char *said = json_string_value(json_object_get(o, "detail"));
	enum ccdm_kbs_failure failure = status == 403 ? CCDM_KBS_DENIED : CCDM_KBS_OTHER;
	size_t i;

	snprintf(detail, 256, "HTTP status %ld", status);
	if (said)
		ccdm_kbs_detail(said, detail);
	word = type ? strrchr(type, '/') : NULL;
	for (i = 0; word && i < ARRAY_SIZE(types); i++)
		if (!strcmp(word + 1, types[i].type))
			failure = types[i].failure;
	/* The broker has not decided: a guest may ask again. */
	if (status == 503 || (failure == CCDM_KBS_REJECTED && status != 401))
		failure = CCDM_KBS_OTHER;
	if (said && strstr(said, "Protocol Version Mismatch"))
		failure = CCDM_KBS_VERSION;
	json_decref(o);
	return failure;
}

/* ---- names ------------------------------------------------------------------------ */

#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

bool ccdm_kbs_path_good(const char *path)
{
	unsigned int parts = 1;
	const char *p = path;

	if (strlen(path) >= CCDM_KBS_PATH_MAX)
		return false;
	for (;;) {
		/* No part begins with a dot, so ".." cannot occur. */
		if (!strspn(p, WORD))
			return false;
		p += strspn(p, WORD ".");
		if (!*p)
			return parts == 3;
		if (*p++ != '/' || ++parts > 3)
			return false;
	}
}
