// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* session.c - see session.h */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/compiler.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/trace.h"
#include "session.h"

#define PAUSE_MAX 16000 /* ms between two attempts, at most */
#define LATER_MAX 30	/* seconds that a broker may ask for */

struct ccdm_session {
	const struct ccdm_session_conf *conf;
	struct ccdm_http *http;
	struct ccdm_tee_key *key;
	char *token;
	int64_t end;   /* ms on the monotonic clock */
	int64_t later; /* ms that the broker asks to wait before the next attempt; 0: it does not */
};

/* ---- time -------------------------------------------------------------------- */

/* Milliseconds before attempt @n. A part of them is random, so many guests do not retry at once. */
static int64_t ccdm_session_delay(const struct ccdm_session *s, unsigned int n)
{
	int64_t ms = n < 5 ? 1000LL << n : PAUSE_MAX;
	uint16_t chance = 0;

	RAND_bytes((uint8_t *)&chance, sizeof(chance));
	if (s->later)
		return s->later + s->later / 2 * chance / UINT16_MAX;
	return ms / 2 + ms / 2 * chance / UINT16_MAX;
}

/* Sleep before attempt @n. */
static bool ccdm_session_pause(struct ccdm_session *s, unsigned int n)
{
	int64_t ms = ccdm_session_delay(s, n), left = s->end - ccdm_clock_ms();
	struct timespec t;

	if (ms >= left) {
		ccdm_trace("attest: no time left to retry");
		return false;
	}
	s->later = 0;
	ccdm_trace("attest: try %u failed; retry in %lld ms", n + 1, (long long)ms);
	t = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
	return true;
}

/* Remember when the broker wants to be asked again: 503 with a number of seconds in Retry-After. */
static void ccdm_session_later(struct ccdm_session *s, const struct ccdm_http_answer *a)
{
	unsigned long seconds;
	char *text = NULL, *end;

	if (a->status != 503 || ccdm_http_header(s->http, "Retry-After", &text) || !text)
		return;
	if (strchr("0123456789", *text) && *text) {
		seconds = strtoul(text, &end, 10);
		if (!*end)
			s->later = 1000LL * (seconds < 1	   ? 1
					     : seconds > LATER_MAX ? LATER_MAX
								   : (int64_t)seconds);
	}
	free(text);
}

/* Would another attempt fail in the same way? */
static bool ccdm_session_final(int r)
{
	static const int errors[] = { ECANCELED, EPROTO,  ENOENT, EINVAL, ENOMEM,
				      ENODEV,	 EBADMSG, EFBIG,  ENOSYS, EKEYREJECTED };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (r == -errors[i])
			return true;
	return false;
}

/* ---- opening ------------------------------------------------------------------- */

int ccdm_session_open(const struct ccdm_session_conf *conf, struct ccdm_session **session,
		      struct ccdm_err *err)
{
	struct ccdm_session *s = calloc(1, sizeof(*s));
	int r = s ? 0 : -ENOMEM;

	*session = NULL;
	if (!r) {
		s->conf = conf;
		s->end = ccdm_clock_ms() + 1000LL * conf->deadline;
		r = ccdm_http_open(&conf->http, &s->http, err);
	}
	if (!r) {
		s->key = ccdm_tee_key_new();
		r = s->key ? 0 : ccdm_err_set(err, -ENOMEM, "cannot generate a key");
	}
	if (r) {
		ccdm_session_close(s);
		return r;
	}
	*session = s;
	return 0;
}

static void ccdm_session_forget(struct ccdm_session *s)
{
	if (s->token)
		OPENSSL_cleanse(s->token, strlen(s->token));
	free(s->token);
	s->token = NULL;
}

void ccdm_session_close(struct ccdm_session *s)
{
	if (!s)
		return;
	ccdm_session_forget(s);
	ccdm_tee_key_free(s->key);
	ccdm_http_close(s->http);
	free(s);
}

const char *ccdm_session_token(const struct ccdm_session *s)
{
	return s->token;
}

/* ---- evidence --------------------------------------------------------------------- */

/*
 * The broker's @nonce and @extra (or NULL), and the identity that the guest sent before (or NULL).
 */
struct ccdm_challenge {
	char nonce[CCDM_KBS_NONCE_MAX];
	json_t *extra;
	json_t *introduced;
};

/* Make the text of {TEE: evidence}, or "" if there is no additional evidence. */
static int ccdm_evidence_additional(const struct ccdm_session_conf *conf,
				    const struct ccdm_challenge *c, json_t *jwk, char **text,
				    struct ccdm_err *err)
{
	const struct ccdm_attester *tpm = conf->beside;
	struct ccdm_ask ask = { .extra = c->extra, .introduced = c->introduced };
	struct ccdm_digest bound;
	json_t *evidence, *o;
	int r;

	*text = NULL;
	if (!tpm || conf->version == CCDM_KBS_0_2) {
		*text = strdup("");
		return *text ? 0 : -ENOMEM;
	}
	r = ccdm_kbs_report_data(CCDM_KBS_0_2, c->nonce, jwk, "", &bound);
	/* coverage: no memory in OpenSSL */
	if (r)
		return r;
	ask.data = bound.bytes;
	ask.size = bound.size;
	ccdm_trace("attest: collect evidence: %s", tpm->what);
	/*
	 * The host controls a TPM that nothing binds to the TEE. If such a TPM fails, go on without
	 * it.
	 */
	if (tpm->collect(tpm, &ask, &evidence, err)) {
		if (conf->left_out)
			conf->left_out(err);
		*text = strdup("");
		return *text ? 0 : -ENOMEM;
	}
	o = json_pack("{s:o}", tpm->tee, evidence);
	*text = o ? ccdm_json_dump(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return *text ? 0 : -ENOMEM;
}

static int ccdm_evidence_collect(const struct ccdm_session_conf *conf,
				 const struct ccdm_challenge *c, json_t *jwk, json_t **evidence,
				 char **additional, struct ccdm_err *err)
{
	struct ccdm_ask ask = { .extra = c->extra,
				.introduced = c->introduced,
				.certs = conf->certs };
	struct ccdm_digest bound;
	int r = ccdm_evidence_additional(conf, c, jwk, additional, err);

	*evidence = NULL;
	if (!r)
		r = ccdm_kbs_report_data(conf->version, c->nonce, jwk, *additional, &bound);
	if (!r) {
		ask.data = bound.bytes;
		ask.size = bound.size;
		ccdm_trace("attest: collect evidence: %s", conf->primary->what);
		r = conf->primary->collect(conf->primary, &ask, evidence, err);
	}
	if (!r && conf->manifest &&
	    json_object_set_new(*evidence, "manifest", json_string(conf->manifest))) {
		json_decref(*evidence);
		*evidence = NULL;
		r = -ENOMEM;
	}
	if (r == -ENOMEM)
		r = ccdm_err_memory(err);
	return r;
}

/* Make a nonce of 32 bytes, as a broker does. */
static int ccdm_session_nonce(char nonce[CCDM_KBS_NONCE_MAX])
{
	uint8_t raw[32];
	char *text = RAND_bytes(raw, sizeof(raw)) == 1 ? ccdm_base64url(raw, sizeof(raw)) : NULL;

	if (!text)
		return -ENOMEM;
	snprintf(nonce, CCDM_KBS_NONCE_MAX, "%s", text);
	free(text);
	return 0;
}

int ccdm_session_evidence(const struct ccdm_session_conf *conf, const char *nonce, json_t **out,
			  struct ccdm_err *err)
{
	struct ccdm_tee_key *key = ccdm_tee_key_new();
	json_t *jwk = key ? ccdm_tee_key_jwk(key) : NULL, *evidence = NULL;
	struct ccdm_challenge c = { 0 };
	char *additional = NULL;
	int r = 0;

	*out = NULL;
	if (nonce)
		snprintf(c.nonce, sizeof(c.nonce), "%s", nonce);
	else
		r = ccdm_session_nonce(c.nonce);
	if (!r)
		r = jwk ? ccdm_evidence_collect(conf, &c, jwk, &evidence, &additional, err)
			: -ENOMEM;
	if (!r) {
		*out = json_pack("{s:s, s:s, s:{s:s, s:O}, s:{s:O, s:s}}", "version",
				 ccdm_kbs_version_name(conf->version), "tee", conf->primary->tee,
				 "runtime-data", "nonce", c.nonce, "tee-pubkey", jwk,
				 "tee-evidence", "primary_evidence", evidence,
				 "additional_evidence", additional);
		r = *out ? 0 : ccdm_err_memory(err);
	}
	if (r == -ENOMEM)
		r = ccdm_err_memory(err);
	free(additional);
	json_decref(evidence);
	json_decref(jwk);
	ccdm_tee_key_free(key);
	return r;
}

/* ---- the handshake ------------------------------------------------------------------- */

/* Translate an answer other than success into -errno. */
static int ccdm_session_failure(const struct ccdm_http_answer *a, const char *what,
				struct ccdm_err *err)
{
	char detail[256];

	switch (ccdm_kbs_failure(a->status, a->body ? a->body : "", a->size, detail)) {
	case CCDM_KBS_DENIED:
		ccdm_err_hint(err, "the broker's log says why: ccdm-broker log");
		return ccdm_err_set(err, -ECANCELED, "%s: refused by the broker: %s", what, detail);
	case CCDM_KBS_REJECTED:
		ccdm_err_hint(err, "the broker's log says why: ccdm-broker log");
		return ccdm_err_set(err, -EBADE, "%s: %s", what, detail);
	case CCDM_KBS_VERSION:
		return ccdm_err_set(err, -EPROTO, "%s: %s", what, detail);
	case CCDM_KBS_SESSION:
		return ccdm_err_set(err, -ESTALE, "%s: %s", what, detail);
	case CCDM_KBS_MISSING:
		return ccdm_err_set(err, -ENOENT, "%s: %s", what, detail);
	default:
		return ccdm_err_set(err, -EIO, "%s: %s", what, detail);
	}
}

/*
 * If the broker asks to try again later, it has not looked at the message: send the same one again, since a
 * new nonce would cost both sides more.
 */
static int ccdm_session_post(struct ccdm_session *s, const char *path, const char *text,
			     struct ccdm_http_answer *a, struct ccdm_err *err)
{
	unsigned int n = 0;
	int r;

	do {
		s->later = 0;
		r = ccdm_http_ask(s->http, path, text, NULL, a, err);
		if (r || a->status == 200)
			return r;
		ccdm_session_later(s, a);
		r = ccdm_session_failure(a, path, err);
		ccdm_http_drop(a);
	} while (s->later && ccdm_session_pause(s, n++));
	return r;
}

/* The TPM's identity. Only protocol version 0.4 carries it. */
static json_t *ccdm_session_introduce(const struct ccdm_session_conf *conf)
{
	const struct ccdm_attester *tpm = conf->beside ? conf->beside : conf->primary;

	return conf->version == CCDM_KBS_0_4 && !conf->no_activation && tpm->introduce
		       ? tpm->introduce(tpm)
		       : NULL;
}

static int ccdm_session_auth(struct ccdm_session *s, struct ccdm_challenge *c, struct ccdm_err *err)
{
	struct ccdm_http_answer a = { 0 };
	char *text;
	int r;

	ccdm_trace("attest: request a challenge from the broker, protocol %s, evidence %s",
		   ccdm_kbs_version_name(s->conf->version), s->conf->primary->tee);
	c->introduced = ccdm_session_introduce(s->conf);
	text = ccdm_kbs_request(s->conf->version, s->conf->primary->tee, c->introduced);
	r = text ? ccdm_session_post(s, CCDM_KBS_PREFIX "/auth", text, &a, err)
		 : ccdm_err_memory(err);

	if (!r && ccdm_kbs_challenge(a.body ? a.body : "", a.size, c->nonce, &c->extra, err))
		r = -EIO;
	ccdm_http_drop(&a);
	free(text);
	return r;
}

/* Run one handshake: challenge, evidence, token. */
static int ccdm_session_shake(struct ccdm_session *s, struct ccdm_err *err)
{
	char *additional = NULL, *text = NULL;
	struct ccdm_challenge c = { 0 };
	json_t *jwk = ccdm_tee_key_jwk(s->key), *evidence = NULL;
	struct ccdm_http_answer a = { 0 };
	int r = jwk ? ccdm_session_auth(s, &c, err) : -ENOMEM;

	ccdm_session_forget(s);
	if (!r)
		r = ccdm_evidence_collect(s->conf, &c, jwk, &evidence, &additional, err);
	if (!r) {
		ccdm_trace("attest: send the evidence");
		text = ccdm_kbs_attestation(s->conf->version, c.nonce, jwk, evidence, additional);
		r = text ? ccdm_session_post(s, CCDM_KBS_PREFIX "/attest", text, &a, err)
			 : ccdm_err_memory(err);
	}
	/* coverage: an answer without a body fails earlier */
	if (!r && ccdm_kbs_token(a.body ? a.body : "", a.size, &s->token, err))
		r = -EIO;
	if (r)
		ccdm_trace("attest: failed: %s", err->text);
	else
		ccdm_trace("attest: accepted; the broker returned a token");
	ccdm_http_drop(&a);
	free(text);
	free(additional);
	json_decref(evidence);
	json_decref(c.extra);
	json_decref(c.introduced);
	json_decref(jwk);
	return r;
}

int ccdm_session_attest(struct ccdm_session *s, struct ccdm_err *err)
{
	unsigned int n = 0;
	int r;

	do {
		r = ccdm_session_shake(s, err);
	} while (r && !ccdm_session_final(r) && ccdm_session_pause(s, n++));
	return r;
}

/* ---- secrets ------------------------------------------------------------------------- */

static int ccdm_session_get(struct ccdm_session *s, const char *path, uint8_t **bytes, size_t *size,
			    struct ccdm_err *err)
{
	struct ccdm_http_answer a = { 0 };
	char url[sizeof(CCDM_KBS_PREFIX) + CCDM_KBS_PATH_MAX + 16];
	json_t *jwe = NULL;
	int r;

	s->later = 0;
	snprintf(url, sizeof(url), CCDM_KBS_PREFIX "/resource/%s", path);
	ccdm_trace("attest: request the secret %s", path);
	r = ccdm_http_ask(s->http, url, NULL, s->token, &a, err);
	if (!r && a.status != 200) {
		ccdm_session_later(s, &a);
		r = ccdm_session_failure(&a, path, err);
	}
	if (!r) {
		jwe = json_loadb(a.body ? a.body : "", a.size, JSON_REJECT_DUPLICATES, NULL);
		r = ccdm_jwe_open(s->key, jwe, bytes, size, err);
		if (!r)
			ccdm_trace("attest: %s: %zu bytes", path, *size);
	}
	json_decref(jwe);
	ccdm_http_drop(&a);
	return r;
}

int ccdm_session_secret(struct ccdm_session *s, const char *path, uint8_t **bytes, size_t *size,
			struct ccdm_err *err)
{
	bool anew = false;
	unsigned int n = 0;
	int r;

	*bytes = NULL;
	if (!ccdm_kbs_path_good(path))
		return ccdm_err_set(err, -EINVAL, "expected REPO/TYPE/TAG, found %.200s", path);
	for (;;) {
		r = s->token ? 0 : ccdm_session_attest(s, err);
		if (r)
			return r;
		r = ccdm_session_get(s, path, bytes, size, err);
		if (r == -ESTALE && !anew) {
			/*
			 * Only once: a broker that loses each session at once would make this an
			 * endless loop.
			 */
			anew = true;
			ccdm_session_forget(s);
			continue;
		}
		if (!r || ccdm_session_final(r) || !ccdm_session_pause(s, n++))
			return r;
	}
}
