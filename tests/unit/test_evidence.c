// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * What evidence proves: facts of a quote and of its logs; and an additional TPM, whose facts count
 * only if something binds it to the TEE.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "log/enclave_id.h"
#include "evidence/evidence.h"
#include "evidence/facts.h"
#include "failed.h"
#include "forge_tpm_json.h"
#include "machine.h"
#include "provider.h"
#include "seed.h"

#define AT 1750000000 /* 2025-06-15 */

static struct ccdm_err err;
static struct provider provider;
static EVP_PKEY *other_key;
static uint8_t nonce[32];

static int setup(void **state)
{
	(void)state;
	provider = provider_new();
	other_key = pki_key("P-256");
	memset(nonce, 0x5a, sizeof(nonce));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	provider_free(&provider);
	EVP_PKEY_free(other_key);
	return 0;
}

static json_t *last_note(const json_t *notes)
{
	return json_array_get(notes, json_array_size(notes) - 1);
}

/* ---- evidence of a TPM ------------------------------------------------------------- */

struct spoil {
	bool no_cert, other_cert, other_key, other_nonce, flip;
	const char *log;      /* in place of ccdm's */
	uint32_t without;     /* registers that the quote leaves out */
	const char *eku, *ku; /* usages of the key's certificate, in place of the required ones */
	bool ca;
};

static json_t *tpm_evidence(const struct machine *m, const struct spoil *s)
{
	uint8_t pcr[CCDM_TPM_PCRS][32], other[32] = { 0 };
	X509 *made = NULL;
	json_t *o;
	size_t i;

	if (s->eku || s->ku || s->ca)
		made = pki_cert(&(struct pki_want){ .cn = "AK",
						    .key = provider.ak_key,
						    .issuer = provider.ca,
						    .issuer_key = provider.ca_key,
						    .serial = 5,
						    .ca = s->ca,
						    .eku = s->eku,
						    .ku = s->ku });
	for (i = 0; i < CCDM_TPM_PCRS; i++)
		memcpy(pcr[i], m->value[i].bytes, 32);
	o = forge_tpm_json(&(struct forge_tpm){ .key = s->other_key ? other_key : provider.ak_key,
						.cert = s->no_cert ? NULL
							: made	   ? made
								   : provider.ak_cert,
						.pcr = pcr,
						.nonce = s->other_nonce ? other : nonce,
						.nonce_size = 32,
						.flip = s->flip,
						.without = s->without });
	X509_free(made);
	json_object_set_new(o, "firmware_log", forge_base64(m->firmware, m->firmware_size));
	json_object_set_new(o, "ccdm_log",
			    s->log ? json_string(s->log)
				   : json_stringn(m->ccdm.text, m->ccdm.size));
	json_object_set_new(o, "systemd_log", json_stringn(m->systemd.text, m->systemd.size));
	seed_json("tpm", o);
	return o;
}

/* The provider's root and its revocation list. */
static struct ccdm_trust trusting(struct ccdm_anchor *anchor, bool trusted)
{
	struct ccdm_trust t = { .certs = ccdm_certs_new(), .at = AT };
	const struct ccdm_cert *root;

	assert_int_equal(
		ccdm_certs_add(t.certs, "root", provider.pem.text, provider.pem.size, &root, &err),
		0);
	*anchor = (struct ccdm_anchor){ .name = "provider" };
	assert_int_equal(ccdm_cert_fingerprint(root, anchor->sha256), 0);
	anchor->sha256[0] ^= !trusted;
	t.ak_anchors = anchor;
	t.nr_ak_anchors = 1;
	return t;
}

static const char *word(const struct ccdm_proof *proof, const char *key)
{
	const char *text = json_string_value(json_object_get(proof->facts, key));

	return text ? text : "";
}

static bool known_key(const void *arg, const struct ccdm_pubkey *key)
{
	return ccdm_pubkey_equal(arg, key);
}

static void tpm_alone(void **state)
{
	static const struct {
		struct spoil spoil;
		bool untrusted;
		const char *fails;
		bool known; /* the operator knows the key itself */
	} cases[] = {
		{ { 0 }, false, "", false },
		/* a register that the quote omits is no fact, nor are its events */
		{ { .without = 1 << 4 }, false, "", false },
		{ { .no_cert = true }, true, "", true },
		{ { .other_key = true, .no_cert = true }, true, "ak", true },
		{ { .no_cert = true }, false, "ak", false },
		{ { .other_key = true }, false, "ak", false },
		{ { .other_nonce = true }, false, "report-data", false },
		{ { .flip = true }, false, "signature", false },
		{ { 0 }, true, "ak-root", false },
		/* for a TLS client, a server, any use, an endorsement key, a CA */
		{ { .eku = "clientAuth", .ku = "digitalSignature" }, false, "ak-usage", false },
		{ { .eku = "serverAuth", .ku = "digitalSignature" }, false, "ak-usage", false },
		{ { .eku = "anyExtendedKeyUsage", .ku = "digitalSignature" },
		  false,
		  "ak-usage",
		  false },
		{ { .eku = CCDM_USAGE_AK ",clientAuth", .ku = "digitalSignature" },
		  false,
		  "ak-usage",
		  false },
		{ { .eku = CCDM_USAGE_EK, .ku = "digitalSignature" }, false, "ak-usage", false },
		{ { .eku = CCDM_USAGE_AK, .ku = "keyEncipherment" }, false, "ak-usage", false },
		{ { .ku = "digitalSignature" }, false, "ak-usage", false },
		{ { .eku = CCDM_USAGE_AK }, false, "ak-usage", false },
		{ { .eku = CCDM_USAGE_AK, .ca = true }, false, "ak-usage", false },
		{ { .eku = "clientAuth", .ku = "digitalSignature" }, false, "", true },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_bound bound = { nonce, 32 };
	struct ccdm_anchor anchor;
	struct ccdm_proof proof;
	struct machine m;
	uint8_t *spki = NULL;
	int der = i2d_PUBKEY(provider.ak_key, &spki);
	json_t *bank;
	size_t i;

	(void)state;
	boot(&m, -1);
	assert_int_equal(ccdm_tee_bound("tpm"), 32);
	assert_false(ccdm_tee_known("sample"));
	assert_int_equal(ccdm_tee_bound("sample"), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_trust t = trusting(&anchor, !cases[i].untrusted);
		json_t *o = tpm_evidence(&m, &cases[i].spoil);
		bool less = cases[i].spoil.without;
		struct ccdm_pubkey *key = ccdm_pubkey_spki(spki, der);

		t.known = cases[i].known ? known_key : NULL;
		t.known_arg = key;
		memset(v, 0, sizeof(*v));
		assert_int_equal(ccdm_evidence_judge("tpm", o, &t, &bound, v, &proof, &err), 0);
		if (strcmp(failed(v), cases[i].fails))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(v), cases[i].fails);
		assert_int_equal(!!proof.facts, !cases[i].fails[0]);
		if (proof.facts) {
			assert_string_equal(word(&proof, "tee"), "tpm");
			assert_string_equal(word(&proof, "binding"), "tpm-only");
			assert_string_equal(word(&proof, "phase"), "initrd");
			assert_int_equal(json_array_size(json_object_get(proof.facts, "events")),
					 less ? 8 : 9);
			bank = json_object_get(json_object_get(proof.facts, "pcr"), "sha256");
			assert_int_equal(json_object_size(bank), less ? 23 : 24);
			assert_int_equal(!!json_object_get(bank, "4"), !less);
		}
		ccdm_proof_drop(&proof);
		ccdm_pubkey_free(key);
		json_decref(o);
		ccdm_certs_free(t.certs);
	}
	OPENSSL_free(spki);
	free(v);
}

/* Optional members of evidence, with valid and invalid values. */
static void members(void **state)
{
	static const struct {
		const char *key, *value;
		int r;
		const char *said;
	} cases[] = {
		{ "firmware_log", "7", -EINVAL, "firmware_log: expected base64" },
		{ "firmware_log", "null", 0, NULL },
		{ "ccdm_log", "[]", -EINVAL, "ccdm_log: expected a string" },
		{ "systemd_log", "null", 0, NULL },
		{ "ak_cert", "7", -EINVAL, "ak_cert: expected a string" },
		{ "manifest", "7", -EINVAL, "manifest: expected a string" },
		{ "manifest", "null", 0, NULL },
		{ "manifest", "\"a.b\"", 0, "no signer" },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_bound bound = { nonce, 32 };
	struct ccdm_anchor anchor;
	struct ccdm_proof proof;
	static const struct spoil good;
	struct machine m;
	const char *said;
	size_t i;

	(void)state;
	boot(&m, -1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_trust t = trusting(&anchor, true);
		json_t *o = tpm_evidence(&m, &good);

		json_object_set_new(o, cases[i].key,
				    json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		seed_json("tpm", o);
		memset(v, 0, sizeof(*v));
		memset(&err, 0, sizeof(err));
		assert_int_equal(ccdm_evidence_judge("tpm", o, &t, &bound, v, &proof, &err),
				 cases[i].r);
		said = cases[i].r ? err.text : json_string_value(last_note(proof.notes));
		if (cases[i].said && (!said || !strstr(said, cases[i].said)))
			fail_msg("case %zu: '%s'", i, said ? said : "");
		assert_null(json_object_get(proof.facts, "signer"));
		ccdm_proof_drop(&proof);
		json_decref(o);
		ccdm_certs_free(t.certs);
	}
	free(v);
}

/* ---- an additional TPM ---------------------------------------------------------------- */

static void beside(void **state)
{
	static const struct {
		struct spoil spoil;
		bool untrusted;
		const char *text; /* in place of the evidence */
		const char *binding, *phase, *note;
		bool known; /* the operator knows the key */
	} cases[] = {
		{ { 0 }, false, NULL, "provider", "initrd", "", false },
		/* a known key does not tell where the TPM is; its provider does */
		{ { 0 }, false, NULL, "provider", "initrd", "", true },
		{ { 0 }, true, NULL, "none", "unknown", "no provider", true },
		{ { .no_cert = true }, false, NULL, "none", "unknown", "no provider", true },
		{ { .eku = "clientAuth", .ku = "digitalSignature" },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "no provider",
		  true },
		{ { .eku = "clientAuth", .ku = "digitalSignature" },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "ak-usage",
		  false },
		{ { .eku = CCDM_USAGE_EK, .ku = "keyEncipherment" },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "ak-usage",
		  false },
		{ { .eku = CCDM_USAGE_AK, .ca = true },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "ak-usage",
		  false },
		{ { 0 }, true, NULL, "none", "unknown", "ak-root", false },
		{ { .no_cert = true },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "a certificate of the attestation key",
		  false },
		{ { .other_nonce = true }, false, NULL, "none", "unknown", "report-data", false },
		{ { .flip = true }, false, NULL, "none", "unknown", "signature", false },
		{ { .log = "\x1e{" }, false, NULL, "none", "unknown", "record 1", false },
		{ { 0 }, false, "", "none", "unknown", "", false },
		{ { 0 }, false, "{", "none", "unknown", "expected an object", false },
		{ { 0 }, false, "[1]", "none", "unknown", "expected an object", false },
		{ { 0 }, false, "{\"tpm\": 1}", "none", "unknown", "expected an object", false },
		{ { 0 },
		  false,
		  "{\"tpm\": {}, \"tpm\": {}}",
		  "none",
		  "unknown",
		  "expected an object",
		  false },
		{ { 0 }, false, "{\"gpu\": {}}", "none", "unknown", "expected an object", false },
	};
	struct ccdm_bound bound = { nonce, 32 };
	struct ccdm_anchor anchor;
	struct machine m;
	uint8_t *spki = NULL;
	int der = i2d_PUBKEY(provider.ak_key, &spki);
	struct ccdm_pubkey *key = ccdm_pubkey_spki(spki, der);
	size_t i;

	(void)state;
	OPENSSL_free(spki);
	boot(&m, -1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_proof proof = { .facts = json_pack("{s:s, s:s, s:s}", "tee", "snp",
							       "binding", "none", "phase",
							       "unknown"),
					    .notes = json_array() };
		struct ccdm_trust t = trusting(&anchor, !cases[i].untrusted);
		json_t *o = json_pack("{s:o}", "tpm", tpm_evidence(&m, &cases[i].spoil));
		char *text = json_dumps(o, 0);
		const char *note;

		t.known = cases[i].known ? known_key : NULL;
		t.known_arg = key;
		assert_int_equal(ccdm_evidence_additional("snp",
							  cases[i].text ? cases[i].text : text,
							  NULL, &t, &bound, &proof),
				 0);
		note = json_string_value(last_note(proof.notes));
		assert_string_equal(word(&proof, "binding"), cases[i].binding);
		assert_string_equal(word(&proof, "phase"), cases[i].phase);
		if (!!note != !!cases[i].note[0] || (note && !strstr(note, cases[i].note)))
			fail_msg("case %zu: '%s', not '%s'", i, note ? note : "", cases[i].note);
		assert_int_equal(!!json_object_get(proof.facts, "pcr"),
				 !strcmp(cases[i].binding, "provider"));
		free(text);
		json_decref(o);
		ccdm_proof_drop(&proof);
		ccdm_certs_free(t.certs);
	}
	ccdm_pubkey_free(key);
}

/* Facts of the TEE's own registers stay, unless the TPM proves that the system already runs. */
static void merged(void **state)
{
	static const struct {
		const char *had, *events;
		int caps;
		const char *phase;
		size_t count;
		const char *rtmr3;
	} cases[] = {
		{ "unknown", NULL, -1, "initrd", 9, NULL },
		{ "unknown", NULL, -1, "initrd", 9, "000" },
		/* the register was extended, but its log is missing */
		{ "unknown", NULL, -1, "unknown", 9, "001" },
		{ "unknown", NULL, 1, "running", 10, "001" },
		{ "initrd", NULL, -1, "initrd", 9, NULL },
		{ "initrd", "[{}, {}]", 1, "running", 12, NULL },
		{ "running", "[{}]", -1, "running", 10, NULL },
	};
	struct ccdm_bound bound = { nonce, 32 };
	static const struct spoil good;
	struct ccdm_anchor anchor;
	struct machine m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_proof proof = { .facts = json_pack("{s:s, s:s, s:[s], s:{}}", "tee",
							       "tdx", "phase", cases[i].had,
							       "enclave-id", "a1", "signer"),
					    .notes = json_array() };
		struct ccdm_trust t = trusting(&anchor, true);
		char *text;
		json_t *o;

		if (cases[i].events)
			json_object_set_new(proof.facts, "events",
					    json_loads(cases[i].events, 0, NULL));
		if (cases[i].rtmr3)
			json_object_set_new(proof.facts, "rtmr",
					    json_pack("{s:s}", "3", cases[i].rtmr3));
		boot(&m, cases[i].caps);
		o = json_pack("{s:o}", "tpm", tpm_evidence(&m, &good));
		text = json_dumps(o, 0);
		assert_int_equal(ccdm_evidence_additional("tdx", text, NULL, &t, &bound, &proof),
				 0);
		assert_string_equal(word(&proof, "phase"), cases[i].phase);
		assert_int_equal(json_array_size(json_object_get(proof.facts, "events")),
				 cases[i].count);
		/* the ID from the TD's own registers is the only one */
		assert_int_equal(json_array_size(json_object_get(proof.facts, "enclave-id")), 1);
		assert_string_equal(json_string_value(json_array_get(
					    json_object_get(proof.facts, "enclave-id"), 0)),
				    "a1");
		assert_null(json_object_get(proof.facts, "signer"));
		free(text);
		json_decref(o);
		ccdm_proof_drop(&proof);
		ccdm_certs_free(t.certs);
	}
}

/* A key's certificate from another source, and too many certificates. */
static void leaf_given(void **state)
{
	static const struct spoil none = { .no_cert = true },
				  other = { .other_key = true, .no_cert = true };
	struct pki_pem pem = pki_pem(provider.ak_cert, NULL);
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_bound bound = { nonce, 32 };
	struct ccdm_anchor anchor;
	struct ccdm_proof proof;
	struct ccdm_trust t;
	struct machine m;
	char *all, *text;
	json_t *o;
	int i;

	(void)state;
	boot(&m, -1);
	for (i = 0; i < 3; i++) {
		/* of this key; of this key, without a trusted root; of another key */
		o = tpm_evidence(&m, i < 2 ? &none : &other);
		t = trusting(&anchor, true);
		if (i == 1)
			t.ak_anchors = NULL;
		assert_int_equal(ccdm_certs_add(t.certs, "t", pem.text, pem.size, &t.leaf, &err),
				 0);
		memset(v, 0, sizeof(*v));
		assert_int_equal(ccdm_evidence_judge("tpm", o, &t, &bound, v, &proof, &err), 0);
		assert_string_equal(failed(v), !i ? "" : i == 1 ? "ak-root" : "ak");
		ccdm_proof_drop(&proof);
		ccdm_certs_free(t.certs);
		json_decref(o);
	}
	all = calloc(40, pem.size + 1);
	for (i = 0; i < 40; i++)
		strncat(all, pem.text, pem.size);
	o = json_pack("{s:o}", "tpm", tpm_evidence(&m, &none));
	json_object_set_new(json_object_get(o, "tpm"), "ak_cert", json_string(all));
	text = json_dumps(o, 0);
	t = trusting(&anchor, true);
	proof = (struct ccdm_proof){ .facts = json_pack("{s:s}", "phase", "unknown"),
				     .notes = json_array() };
	assert_int_equal(ccdm_evidence_additional("snp", text, NULL, &t, &bound, &proof), 0);
	assert_non_null(strstr(json_string_value(last_note(proof.notes)), "more than 32"));
	assert_string_equal(word(&proof, "phase"), "unknown");
	ccdm_proof_drop(&proof);
	ccdm_certs_free(t.certs);
	json_decref(o);
	free(text);
	free(all);
	free(v);
}

/* Input that is not evidence is an error with its reason, and proves nothing. */
static void no_evidence(void **state)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_proof proof = { 0 };
	json_t *object = json_object(), *text = json_string("x");

	(void)state;
	assert_int_equal(ccdm_evidence_judge("sgx", object, NULL, NULL, v, &proof, &err), -EINVAL);
	assert_non_null(strstr(err.text, "unknown TEE 'sgx'"));
	assert_null(proof.facts);
	assert_int_equal(ccdm_evidence_judge("snp", text, NULL, NULL, v, &proof, &err), -EINVAL);
	assert_non_null(strstr(err.text, "expected a JSON object"));
	assert_int_equal(ccdm_evidence_judge("snp", NULL, NULL, NULL, v, &proof, &err), -EINVAL);
	assert_null(proof.facts);
	assert_null(proof.notes);
	json_decref(object);
	json_decref(text);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tpm_alone),  cmocka_unit_test(members),
		cmocka_unit_test(beside),     cmocka_unit_test(merged),
		cmocka_unit_test(leaf_given), cmocka_unit_test(no_evidence),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
