// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * Each member of each message and of evidence in turn: missing, twice, of each other type, empty,
 * too long, nested a thousand levels deep. Only optional members may be accepted so, and each error
 * names the member.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "guest.h"
#include "forge_snp.h"
#include "evidence/snp_json.h"

#define DEEP   1000
#define LONGER 100000
#define WAYS   10
#define EMPTY  8 /* index of the way "an empty object" */
#define TWICE  "this member a second time"

/* ---- ways to spoil a member ----------------------------------------------------- */

static json_t *nested(void)
{
	json_t *at = json_array();
	unsigned int i;

	for (i = 0; i < DEEP; i++) {
		json_t *out = json_array();

		json_array_append_new(out, at);
		at = out;
	}
	return at;
}

/* Values in place of a member; NULL: no member or, in the last way, the same member twice. */
static json_t *value_of(unsigned int way)
{
	static char longer[LONGER + 1];

	memset(longer, 'A', LONGER);
	switch (way) {
	case 1:
		return json_null();
	case 2:
		return json_integer(-1);
	case 3:
		return json_real(1e300);
	case 4:
		return json_string("");
	case 5:
		return json_string(longer);
	case 6:
		return nested();
	case 7:
		return json_array();
	case EMPTY:
		return json_object();
	default:
		return NULL;
	}
}

typedef void (*try_fn)(const char *text, const char *key, const char *above, unsigned int way);

/* Spoil each member of @at, which is a part of @all, in each way. */
static void each(json_t *all, json_t *at, const char *above, try_fn try)
{
	json_t *keys = json_array(), *was;
	const char *key;
	unsigned int way;
	char *text, *p;
	json_t *value;
	size_t i;

	/* a member that is put back moves to the end */
	json_object_foreach(at, key, value) json_array_append_new(keys, json_string(key));
	for (i = 0; i < json_array_size(keys); i++) {
		const char *name = json_string_value(json_array_get(keys, i));

		value = json_object_get(at, name);
		was = json_deep_copy(value);
		for (way = 0; way < WAYS; way++) {
			json_object_del(at, name);
			if (way == WAYS - 1) {
				json_object_set(at, name, was);
				json_object_set_new(at, TWICE, json_integer(1));
			} else if (way) {
				json_object_set_new(at, name, value_of(way));
			}
			text = json_dumps(all, JSON_COMPACT);
			p = strstr(text, TWICE);
			if (p) {
				/* keep the length: fill the rest after the quote with blanks */
				memset(p, ' ', strlen(TWICE) + 1);
				memcpy(p, name, strlen(name));
				p[strlen(name)] = '"';
			}
			try(text, name, above, way);
			free(text);
			json_object_del(at, TWICE);
			json_object_set(at, name, was);
		}
		each(all, json_object_get(at, name), name, try);
		json_decref(was);
	}
	json_decref(keys);
	/* of an array, the first and the last element */
	for (i = 0;
	     i<json_array_size(at); i += json_array_size(at)> 1 ? json_array_size(at) - 1 : 1) {
		was = json_deep_copy(json_array_get(at, i));
		for (way = 1; way < WAYS - 1; way++) {
			json_array_set_new(at, i, value_of(way));
			text = json_dumps(all, JSON_COMPACT);
			try(text, above, above, way);
			free(text);
		}
		json_array_set(at, i, was);
		each(all, json_array_get(at, i), above, try);
		json_decref(was);
	}
}

/* ---- messages ---------------------------------------------------------------------- */

static struct guest g;

/* The last line of the log, or "". */
static char *logged(void)
{
	static char line[65536];
	FILE *f = fopen(file("audit.log"), "r");
	char last[65536];

	line[0] = '\0';
	while (f && fgets(last, sizeof(last), f))
		if (!strstr(last, "\"event\":\"head\""))
			memcpy(line, last, sizeof(line));
	if (f)
		fclose(f);
	truncate(file("audit.log"), 0);
	return line;
}

static void says(const char *what, const char *text, const char *key, const char *above,
		 unsigned int way)
{
	/* for an empty object the error names its first member */
	if (way == EMPTY && strstr(text, "expected a"))
		return;
	/* for duplicate keys the parser's error has only the beginning of the text */
	if (way == WAYS - 1 && strlen(key) > 18 && strstr(text, "duplicate object key"))
		return;
	if (!strstr(text, key) && !strstr(text, above))
		fail_msg("%s, %s in way %u: '%.300s'", what, key, way, text);
}

static void try_auth(const char *text, const char *key, const char *above, unsigned int way)
{
	struct guest one = { .now = NOW };
	struct ccdm_reply a;

	ask(&one, true, "/kbs/v0/auth", text, false, &a);
	/* the guest's "extra-params" may have any form */
	if (strcmp(key, "extra-params") || way == WAYS - 1) {
		assert_int_equal(a.status, 401);
		says("auth", a.body, strcmp(key, "tee") ? key : "TEE",
		     strcmp(key, "version") ? above : "Version", way);
	}
	free(a.body);
}

/* Each message is as the first one with its nonce. */
static void unspent(void)
{
	memset(&broker.spent, 0, sizeof(broker.spent));
}

static void try_attest(const char *text, const char *key, const char *above, unsigned int way)
{
	bool hashed = (!strcmp(above, "tee-pubkey") && way == 0) ||
		      (!strcmp(key, "additional_evidence") && way == 5);
	struct ccdm_reply a;
	char *said;

	if (!strcmp(key, "additional_evidence") && way == 4)
		return; /* this value equals the original */
	unspent();
	ask(&g, true, "/kbs/v0/attest", text, false, &a);
	if (a.status != 401)
		fail_msg("attest, %s in way %u: %d", key, way, a.status);
	said = logged();
	/* both are hashed as they were sent, so a change shows as wrong report data */
	if (!strstr(a.body, key) && !(!strcmp(key, "ak_cert") && strstr(said, "\"name\":\"ak\"")) &&
	    !(hashed && strstr(said, "report-data")))
		says("attest", strlen(said) ? said : a.body, key, above, way);
	free(a.body);
}

static void messages(void **state)
{
	json_t *o, *jwk, *evidence;
	struct ccdm_digest bound;
	enum ccdm_kbs_version version;
	char *text;

	(void)state;
	o = json_pack("{s:s, s:s, s:s}", "version", "0.4.0", "tee", "tpm", "extra-params", "");
	each(o, o, "", try_auth);
	json_decref(o);
	for (version = CCDM_KBS_0_2; version <= CCDM_KBS_0_4; version++) {
		g = guest(version);
		jwk = ccdm_tee_key_jwk(g.key);
		assert_int_equal(ccdm_kbs_report_data(version, g.nonce, jwk, "", &bound), 0);
		evidence = forge_tpm_json(&(struct forge_tpm){ .key = provider.ak_key,
							       .cert = provider.ak_cert,
							       .pcr = pcr,
							       .nonce = bound.bytes,
							       .nonce_size = 32 });
		text = ccdm_kbs_attestation(version, g.nonce, jwk, evidence, "");
		o = json_loads(text, 0, NULL);
		json_object_del(o, "init-data");
		each(o, o, "", try_attest);
		free(text);
		text = json_dumps(o, JSON_COMPACT);
		json_decref(o);
		json_decref(evidence);
		json_decref(jwk);
		/* the unchanged message is accepted */
		g.message = text;
		struct ccdm_reply a;

		unspent();
		ask(&g, true, "/kbs/v0/attest", text, false, &a);
		assert_int_equal(a.status, 200);
		free(a.body);
		drop(&g);
	}
}

/* ---- evidence of SNP ------------------------------------------------------------------ */

static const struct spoil good;
static struct pki_pem chain,
	given; /* the second is an external leaf; if its size is 0, there is none */
static struct ccdm_anchor anchor = { .name = "ark" };

static int judge(const char *text, struct ccdm_err *e)
{
	struct ccdm_trust t = {
		.certs = ccdm_certs_new(), .at = NOW, .anchors = &anchor, .nr_anchors = 1
	};
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_bound any = { 0 };
	struct ccdm_proof proof = { 0 };
	int r = 1;

	assert_int_equal(ccdm_certs_add(t.certs, "chain", chain.text, chain.size, NULL, e), 0);
	if (given.size)
		assert_int_equal(
			ccdm_certs_add(t.certs, "given", given.text, given.size, &t.leaf, e), 0);
	if (o)
		r = ccdm_evidence_judge("snp", o, &t, &any, v, &proof, e);
	else
		snprintf(e->text, sizeof(e->text), "twice");
	if (!r && !proof.facts)
		r = 1;
	ccdm_proof_drop(&proof);
	ccdm_certs_free(t.certs);
	json_decref(o);
	free(v);
	return r;
}

static void try_snp(const char *text, const char *key, const char *above, unsigned int way)
{
	struct ccdm_err e = { 0 };
	int r = judge(text, &e);

	/* in versions without these members they are null, which means zero */
	if (!r && way < 2 &&
	    (!strcmp(key, "cpuid_step") || !strcmp(key, "fmc") || strstr(key, "_mit_vector")))
		return;
	if (!r)
		fail_msg("snp, %s in way %u: accepted", key, way);
	if (r == -EINVAL)
		says("snp", e.text, key, above, way);
}

static void snp(void **state)
{
	uint8_t raw[CCDM_SNP_REPORT_SIZE];
	struct ccdm_certs *certs = ccdm_certs_new();
	struct ccdm_err e;
	X509 *ark, *ask, *leaf;
	X509_CRL *crl;
	struct pki_pem pem;
	json_t *o;
	char *text;

	(void)state;
	forge_keys();
	ark = pki_cert(
		&(struct pki_want){ .cn = "ARK-Milan", .key = ark_key, .ca = true, .serial = 1 });
	ask = pki_cert(&(struct pki_want){ .cn = "SEV-Milan",
					   .key = ask_key,
					   .issuer = ark,
					   .issuer_key = ark_key,
					   .ca = true,
					   .serial = 2 });
	crl = pki_crl(ark, ark_key, NULL, NULL, 77);
	make_report(&good, NULL, raw);
	leaf = make_leaf(&good, raw, ask);
	chain = pki_pem(ark, crl);
	pem = pki_pem(ask, NULL);
	memcpy(chain.text + chain.size, pem.text, pem.size);
	chain.size += pem.size;
	assert_int_equal(ccdm_cert_fingerprint((struct ccdm_cert *)ark, anchor.sha256), 0);
	assert_int_equal(ccdm_snp_json_make(raw, NULL, 0, &o, &e), 0);
	pem = pki_pem(leaf, NULL);
	/* without the leaf, then with an external leaf */
	text = json_dumps(o, JSON_COMPACT);
	assert_int_equal(judge(text, &e), 1);
	given = pem;
	assert_int_equal(judge(text, &e), 0);
	given.size = 0;
	free(text);
	assert_int_equal(ccdm_certs_add(certs, "leaf", pem.text, pem.size, NULL, &e), 0);
	assert_int_equal(ccdm_snp_json_add(o, certs, &e), 0);
	text = json_dumps(o, JSON_COMPACT);
	assert_int_equal(judge(text, &e), 0);
	free(text);
	each(o, o, "", try_snp);
	json_decref(o);
	ccdm_certs_free(certs);
	X509_CRL_free(crl);
	X509_free(leaf);
	X509_free(ask);
	X509_free(ark);
	forge_keys_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(snp),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
