// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * An attestation key that an endorsement key activates. A TPM made of OpenSSL opens the broker's
 * credential with its own implementation of the derivation. Then each part is spoilt in one place,
 * and one check must fail.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <sys/stat.h>
#include <tss2/tss2_tpm2_types.h>
#include <unistd.h>
#include "core/credential.h"
#include "base/base64.h"
#include "evidence/snp_json.h"
#include "failed.h"
#include "forge_activation.h"
#include "forge_snp.h"
#include "forge_tpm_json.h"
#include "provider.h"

#define AT 1750000000 /* 2025-06-15 */

static struct ccdm_err err;
static struct provider provider;
static EVP_PKEY *ek_key, *other_ek;
static X509 *ek_cert;
static struct ccdm_keys *keys;
static uint8_t pcr[CCDM_TPM_PCRS][32], bound_to[32];

static int setup(void **state)
{
	static const char text[] =
		"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210\n"
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
	char file[] = "/tmp/ccdm-activation-XXXXXX";
	int fd = mkstemp(file);

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	assert_int_equal(ccdm_keys_load(file, &keys, &err), 0);
	unlink(file);
	provider = provider_new();
	ek_key = EVP_RSA_gen(2048);
	other_ek = EVP_RSA_gen(2048);
	ek_cert = pki_cert(&(struct pki_want){ .cn = "EK",
					       .key = ek_key,
					       .issuer = provider.ca,
					       .issuer_key = provider.ca_key,
					       .ku = "critical,keyEncipherment",
					       .eku = CCDM_USAGE_EK,
					       .serial = 3 });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ccdm_keys_free(keys);
	X509_free(ek_cert);
	EVP_PKEY_free(ek_key);
	EVP_PKEY_free(other_ek);
	provider_free(&provider);
	return 0;
}

/* ---- a TPM ------------------------------------------------------------------------ */

struct which {
	EVP_PKEY *ek; /* without a certificate; NULL: with one */
	EVP_PKEY *ak;
	uint32_t attributes;
};

static json_t *pair_json(const struct which *w)
{
	uint8_t bytes[256], *der = NULL;
	int n = w->ek ? i2d_PUBKEY(w->ek, &der) : i2d_X509(ek_cert, &der);
	json_t *o = json_pack(
		"{s:o, s:o}", w->ek ? "ek-pub" : "ek-cert", forge_base64(der, n), "ak-pub",
		forge_base64(bytes, forge_area(w->ak, w->attributes, CCDM_ALG_SHA256, bytes)));

	OPENSSL_free(der);
	return o;
}

/* ---- cases --------------------------------------------------------------------------- */

static struct ccdm_nonce nonce_of(uint8_t id)
{
	struct ccdm_nonce n = { .tee = "tpm", .version = CCDM_KBS_0_4 };

	memset(n.id, id, sizeof(n.id));
	return n;
}

static void name_of(const struct which *w, uint8_t name[34])
{
	uint8_t bytes[256];
	struct ccdm_digest d;

	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, bytes,
					forge_area(w->ak, w->attributes, CCDM_ALG_SHA256, bytes),
					NULL, 0, &d),
			 0);
	name[0] = 0;
	name[1] = 0x0b;
	memcpy(name + 2, d.bytes, 32);
}

struct wrong {
	const char *fails;
	bool pub;	     /* without a certificate */
	bool known;	     /* the operator knows the EK */
	bool other_ak;	     /* another AK than the signing key is activated */
	uint32_t attributes; /* default: FORGE_AK */
	bool other_session, no_session, other_pair, no_value, short_value, no_roots, flip;
	bool untrusted, revoked, of_aks; /* the root is trusted, but only for attestation keys */
	int64_t at;
};

/* Make evidence with an activation and the defects of @w. */
static json_t *evidence(const struct wrong *w)
{
	EVP_PKEY *other = pki_key("P-256");
	struct which good = { w->pub ? ek_key : NULL, w->other_ak ? other : provider.ak_key,
			      w->attributes ? w->attributes : FORGE_AK };
	struct which asked = good;
	struct ccdm_nonce nonce = nonce_of(w->other_session ? 2 : 1);
	json_t *o = forge_tpm_json(&(struct forge_tpm){
		.key = provider.ak_key, .pcr = pcr, .nonce = bound_to, .nonce_size = 32 });
	json_t *pair, *credential;
	uint8_t name[34], value[32];

	if (w->other_pair)
		asked.ak = other;
	pair = pair_json(&asked);
	assert_int_equal(ccdm_credential_new(keys, &nonce, pair, &credential, &err), 0);
	json_decref(pair);
	name_of(&asked, name);
	assert_true(forge_activate(ek_key, credential, name, value));
	json_decref(credential);
	value[7] ^= w->flip;
	pair = pair_json(&good);
	if (!w->no_value)
		json_object_set_new(pair, "value", forge_base64(value, w->short_value ? 31 : 32));
	json_object_set_new(o, "activation", pair);
	EVP_PKEY_free(other);
	return o;
}

static const struct wrong wrongs[] = {
	{ .fails = "" },
	{ .fails = "", .pub = true, .known = true },
	{ .fails = "", .known = true, .untrusted = true },
	{ .fails = "ak", .other_ak = true },
	{ .fails = "ak-attributes", .attributes = FORGE_AK & ~0x10000 },
	{ .fails = "ak-attributes", .attributes = FORGE_AK & ~2 },
	{ .fails = "ak-attributes", .attributes = FORGE_AK & ~0x10 },
	{ .fails = "ak-attributes", .attributes = FORGE_AK & ~0x20 },
	{ .fails = "ak-attributes", .attributes = FORGE_AK & ~0x40000 },
	{ .fails = "ak-attributes", .attributes = FORGE_AK | 0x20000 },
	{ .fails = "activation", .other_session = true },
	{ .fails = "activation", .no_session = true },
	{ .fails = "activation", .other_pair = true },
	{ .fails = "activation", .no_value = true },
	{ .fails = "activation", .short_value = true },
	{ .fails = "activation", .flip = true },
	{ .fails = "ek", .pub = true },
	{ .fails = "ek-root", .untrusted = true },
	{ .fails = "ek-root", .no_roots = true },
	{ .fails = "ek-root", .of_aks = true },
	/* a known key in an untrusted certificate: nothing else is taken for granted */
	{ .fails = "ak", .known = true, .untrusted = true, .other_ak = true },
	{ .fails = "ak-attributes",
	  .known = true,
	  .untrusted = true,
	  .attributes = FORGE_AK | 0x20000 },
	{ .fails = "activation", .known = true, .untrusted = true, .other_pair = true },
	{ .fails = "activation", .known = true, .untrusted = true, .other_session = true },
	{ .fails = "activation", .known = true, .untrusted = true, .no_value = true },
	{ .fails = "activation", .known = true, .untrusted = true, .no_session = true },
	{ .fails = "ek-revocation", .revoked = true },
	/* at that time the list has expired, too */
	{ .fails = "ek-validity ek-crl", .at = 2500000000 },
};

static bool known_key(const void *arg, const struct ccdm_pubkey *key)
{
	return ccdm_pubkey_equal(arg, key);
}

static void judged(void **state)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_nonce nonce = nonce_of(1);
	const struct ccdm_credential_session session = { keys, &nonce };
	struct ccdm_bound bound = { bound_to, 32 };
	struct ccdm_anchor anchor = { .name = "provider" };
	const struct ccdm_cert *root;
	struct ccdm_proof proof;
	X509_CRL *crl;
	struct pki_pem pem;
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(ek_key, &der);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *w = &wrongs[i];
		struct ccdm_pubkey *known = ccdm_pubkey_spki(der, n);
		struct ccdm_trust t = { .certs = ccdm_certs_new(),
					.at = w->at ? w->at : AT,
					.ek_anchors = w->no_roots || w->of_aks ? NULL : &anchor,
					.nr_ek_anchors = 1,
					.ak_anchors = w->of_aks ? &anchor : NULL,
					.nr_ak_anchors = 1,
					.known = w->known ? known_key : NULL,
					.known_arg = known,
					.activated = w->no_session ? NULL : ccdm_credential_known,
					.activated_arg = &session };
		json_t *o = evidence(w);

		crl = pki_crl(provider.ca, provider.ca_key, NULL, NULL, w->revoked ? 3 : 0);
		pem = pki_pem(provider.ca, crl);
		X509_CRL_free(crl);
		assert_int_equal(ccdm_certs_add(t.certs, "ca", pem.text, pem.size, &root, &err), 0);
		assert_int_equal(ccdm_cert_fingerprint(root, anchor.sha256), 0);
		anchor.sha256[0] ^= w->untrusted;
		memset(v, 0, sizeof(*v));
		seed_json("activation", json_object_get(o, "activation"));
		assert_int_equal(ccdm_evidence_judge("tpm", o, &t, &bound, v, &proof, &err), 0);
		if (strcmp(failed(v), w->fails))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(v), w->fails);
		assert_int_equal(!!proof.facts, !w->fails[0]);
		ccdm_proof_drop(&proof);
		ccdm_certs_free(t.certs);
		ccdm_pubkey_free(known);
		json_decref(o);
	}
	OPENSSL_free(der);
	free(v);
}

/* Only the right EK opens a credential; an older key of the broker still counts. */
static void credentials(void **state)
{
	struct which w = { NULL, provider.ak_key, FORGE_AK };
	struct ccdm_nonce nonce = nonce_of(1);
	struct ccdm_credential_session session = { keys, &nonce };
	struct ccdm_certs *certs = ccdm_certs_new();
	uint8_t name[34], value[32], again[32];
	json_t *pair = pair_json(&w), *one, *two;
	struct ccdm_tpm_pair p;

	(void)state;
	name_of(&w, name);
	assert_int_equal(ccdm_credential_new(keys, &nonce, pair, &one, &err), 0);
	assert_int_equal(ccdm_credential_new(keys, &nonce, pair, &two, &err), 0);
	assert_false(json_equal(one, two));
	assert_true(forge_activate(ek_key, one, name, value));
	assert_true(forge_activate(ek_key, two, name, again));
	assert_memory_equal(value, again, 32);
	assert_false(forge_activate(other_ek, one, name, again));
	name[9] ^= 1;
	assert_false(forge_activate(ek_key, one, name, again));

	assert_int_equal(ccdm_tpm_pair_parse(pair, certs, &p, &err), 0);
	assert_true(ccdm_credential_known(&session, &p, value));
	value[0] ^= 1;
	assert_false(ccdm_credential_known(&session, &p, value));
	value[0] ^= 1;
	nonce.id[0] ^= 1;
	assert_false(ccdm_credential_known(&session, &p, value));
	ccdm_tpm_pair_drop(&p);
	ccdm_certs_free(certs);
	json_decref(pair);
	json_decref(one);
	json_decref(two);
}

static void bad_pairs(void **state)
{
	static const struct {
		const char *key;
		const char *value; /* JSON; NULL: the member is missing */
		const char *says;
	} cases[] = {
		{ "ek-cert", "1", "ek-cert" },	      { "ek-cert", "\"!\"", "ek-cert" },
		{ "ek-cert", "\"MIIB\"", "ek-cert" }, { "ek-cert", NULL, "ek-pub" },
		{ "ak-pub", "[]", "ak-pub" },	      { "ak-pub", "\"ACMACw==\"", "TPMT_PUBLIC" },
		{ "ak-pub", NULL, "ak-pub" },
	};
	struct which w = { NULL, provider.ak_key, FORGE_AK };
	struct ccdm_nonce nonce = nonce_of(1);
	uint8_t bytes[256], *der = NULL;
	json_t *out, *o;
	size_t i, n;
	int size;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		o = pair_json(&w);
		json_object_del(o, cases[i].key);
		if (cases[i].value)
			json_object_set_new(o, cases[i].key,
					    json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		assert_int_equal(ccdm_credential_new(keys, &nonce, o, &out, &err), -EINVAL);
		if (!strstr(err.text, cases[i].says))
			fail_msg("case %zu: '%s'", i, err.text);
		assert_null(out);
		json_decref(o);
	}
	assert_int_equal(ccdm_credential_new(keys, &nonce, NULL, &out, &err), -EINVAL);
	/* another hash in the name; a byte too many; each byte too few; invalid bytes for an EK */
	o = pair_json(&w);
	n = forge_area(provider.ak_key, FORGE_AK, CCDM_ALG_SHA384, bytes);
	json_object_set_new(o, "ak-pub", forge_base64(bytes, n));
	assert_int_equal(ccdm_credential_new(keys, &nonce, o, &out, &err), -EINVAL);
	n = forge_area(provider.ak_key, FORGE_AK, CCDM_ALG_SHA256, bytes);
	bytes[n] = 0;
	json_object_set_new(o, "ak-pub", forge_base64(bytes, n + 1));
	assert_int_equal(ccdm_credential_new(keys, &nonce, o, &out, &err), -EINVAL);
	for (i = 0; i < n; i++) {
		json_object_set_new(o, "ak-pub", forge_base64(bytes, i));
		assert_int_equal(ccdm_credential_new(keys, &nonce, o, &out, &err), -EINVAL);
	}
	json_object_set_new(o, "ak-pub", forge_base64(bytes, n));
	assert_int_equal(ccdm_credential_new(keys, &nonce, o, &out, &err), 0);
	json_decref(out);
	/* a revocation list in place of the EK's certificate */
	{
		X509_CRL *crl = pki_crl(provider.ca, provider.ca_key, NULL, NULL, 3);

		size = i2d_X509_CRL(crl, &der);
		json_object_set_new(o, "ek-cert", forge_base64(der, size));
		assert_int_equal(ccdm_credential_new(keys, &nonce, o, &out, &err), -EINVAL);
		assert_string_equal(err.text, "ek-cert: expected an RSA key");
		OPENSSL_free(der);
		X509_CRL_free(crl);
		der = NULL;
		json_decref(o);
		o = pair_json(&w);
	}
	/* another curve; a coordinate that is too long; a type without a public key */
	for (i = 0; i < 4; i++) {
		uint8_t odd[256], *p = odd;

		memcpy(odd, bytes, n);
		if (!i)
			odd[17] = 4;
		else if (i < 3) {
			size_t at = i == 1 ? 20 : 54;

			odd[at + 1] = 33;
			odd[at + 2] = 0;
			memcpy(odd + at + 3, bytes + at + 2, n - at - 2);
		} else {
			forge_be(&p, 8, 2);
			forge_be(&p, 0x0b, 2);
			forge_be(&p, FORGE_AK, 4);
			forge_be(&p, 0, 2);
			forge_be(&p, 0x10, 2);
			forge_be(&p, 0, 2);
		}
		json_object_set_new(
			o, "ak-pub",
			forge_base64(odd, i == 3 ? (size_t)(p - odd) : n + (i ? 1 : 0)));
		seed_json("activation", o);
		assert_int_equal(ccdm_credential_new(keys, &nonce, o, &out, &err), -EINVAL);
		assert_string_equal(err.text, "ak-pub: expected an RSA or P-256 key");
	}
	json_object_set_new(o, "ak-pub", forge_base64(bytes, n));
	size = i2d_PUBKEY(provider.ak_key, &der);
	json_object_del(o, "ek-cert");
	json_object_set_new(o, "ek-pub", forge_base64(der, size));
	assert_int_equal(ccdm_credential_new(keys, &nonce, o, &out, &err), -EINVAL);
	OPENSSL_free(der);
	json_decref(o);
}

/* An AK may be an RSA key; its exponent is 65537 if the public area has 0. */
static void rsa(void **state)
{
	static const uint32_t exponents[] = { 0, 65537, 65539 };
	struct ccdm_certs *certs = ccdm_certs_new();
	uint8_t bytes[512], *p, *der = NULL;
	int size = i2d_PUBKEY(other_ek, &der);
	struct ccdm_pubkey *want = ccdm_pubkey_spki(der, size);
	struct which w = { NULL, provider.ak_key, FORGE_AK };
	struct ccdm_tpm_pair pair;
	BIGNUM *n = NULL;
	json_t *o;
	size_t i;

	(void)state;
	pki_must(EVP_PKEY_get_bn_param(other_ek, OSSL_PKEY_PARAM_RSA_N, &n));
	for (i = 0; i < sizeof(exponents) / sizeof(exponents[0]); i++) {
		p = bytes;
		forge_area_head(&p, 1, FORGE_AK, CCDM_ALG_SHA256, 0x14);
		forge_be(&p, 2048, 2);
		forge_be(&p, exponents[i], 4);
		forge_be(&p, 256, 2);
		BN_bn2binpad(n, p, 256);
		o = pair_json(&w);
		json_object_set_new(o, "ak-pub", forge_base64(bytes, p + 256 - bytes));
		seed_json("activation", o);
		assert_int_equal(ccdm_tpm_pair_parse(o, certs, &pair, &err), 0);
		assert_true(ccdm_pubkey_is_rsa(pair.ak));
		assert_int_equal(ccdm_pubkey_equal(pair.ak, want), exponents[i] != 65539);
		ccdm_tpm_pair_drop(&pair);
		json_decref(o);
	}
	BN_free(n);
	ccdm_pubkey_free(want);
	OPENSSL_free(der);
	ccdm_certs_free(certs);
}

/* ---- the TPM of an SVSM --------------------------------------------------------------- */

static const struct svsm {
	const char *fails;   /* the check that refuses the report */
	const char *binding; /* of accepted evidence */
	const char *note;
	bool unlisted, id_key; /* the list is empty; it has the measurement as an ID key digest */
	unsigned int vmpl;
	bool unbound;			/* no nonce is expected */
	bool nonce_alone;		/* the report is bound to the nonce only */
	bool other_nonce;		/* the report is bound to another nonce */
	bool other_manifest;		/* the report is bound to another one */
	bool other_ek;			/* the manifest has another EK */
	uint32_t attributes;		/* of the EK in the manifest; 0: the required ones */
	bool trailing, short_, none;	/* defects of the manifest */
	bool big;			/* an EK of another size */
	bool known_ak, known_ek, plain; /* the operator knows the key; the evidence has no SVSM */
	struct wrong tpm;
} svsms[] = {
	{ .binding = "svsm", .note = "" },
	{ .binding = "none", .note = "is not in trust/svsms", .unlisted = true },
	{ .binding = "none", .note = "is not in trust/svsms", .id_key = true },
	{ .binding = "none", .note = "VMPL 2", .vmpl = 2 },
	{ .binding = "none", .note = "no nonce was given", .unbound = true },
	{ .fails = "report-data", .nonce_alone = true },
	{ .fails = "report-data", .other_nonce = true },
	{ .fails = "report-data", .other_manifest = true },
	{ .binding = "none", .note = "ek: neither", .other_ek = true },
	{ .binding = "none", .note = "no endorsement key", .attributes = FORGE_EK & ~0x20000 },
	{ .binding = "none", .note = "no endorsement key", .attributes = FORGE_EK & ~0x10000 },
	{ .binding = "none", .note = "no endorsement key", .attributes = FORGE_EK & ~2 },
	{ .binding = "none", .note = "no endorsement key", .attributes = FORGE_EK | 0x40000 },
	{ .binding = "none", .note = "no endorsement key", .trailing = true },
	{ .binding = "none", .note = "no endorsement key", .big = true },
	{ .binding = "none", .note = "no endorsement key", .short_ = true },
	{ .none = true }, /* it cannot be parsed */
	/* a TPM that the operator knows otherwise does not become the SVSM's */
	{ .binding = "none", .note = "no provider certified", .other_ek = true, .known_ek = true },
	{ .binding = "none", .note = "no provider certified", .plain = true, .known_ak = true },
	{ .binding = "none", .note = "ek: neither", .plain = true },
	{ .binding = "svsm", .note = "", .known_ak = true },
	/* the signing key must be activated in this session */
	{ .binding = "none", .note = "ak: another key", .tpm = { .other_ak = true } },
	{ .binding = "none", .note = "activation", .tpm = { .other_session = true } },
	{ .binding = "none", .note = "activation", .tpm = { .flip = true } },
	{ .binding = "none", .note = "activation", .tpm = { .no_value = true } },
	{ .binding = "none",
	  .note = "ak-attributes",
	  .tpm = { .attributes = FORGE_AK & ~0x10000 } },
};

/* Make the report of an SVSM; @trust receives its chain. Return: evidence */
static json_t *svsm_evidence(const struct svsm *s, const uint8_t nonce[64],
			     struct ccdm_trust *trust, struct ccdm_anchor *anchor)
{
	struct spoil spoil = { .vmpl = s->vmpl };
	X509 *ark = pki_cert(&(struct pki_want){
		     .cn = "ARK-Milan", .key = ark_key, .ca = true, .serial = 1 }),
	     *ask = pki_cert(&(struct pki_want){ .cn = "SEV-Milan",
						 .key = ask_key,
						 .issuer = ark,
						 .issuer_key = ark_key,
						 .ca = true,
						 .serial = 2 }),
	     *leaf;
	uint8_t raw[CCDM_SNP_REPORT_SIZE], text[600], asked[64];
	struct ccdm_digest d;
	size_t size = forge_manifest(s->other_ek ? other_ek : ek_key,
				     s->attributes ? s->attributes : FORGE_EK, s->big, text);
	json_t *o;

	text[size] = 0;
	size = s->none ? 0 : s->short_ ? size - 1 : size + s->trailing;
	memcpy(asked, nonce, 64);
	asked[0] ^= s->other_nonce;
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA512, asked, 64, text, size, &d), 0);
	make_report(&spoil, s->plain || s->nonce_alone ? nonce : d.bytes, raw);
	if (s->other_manifest)
		text[size - 1] ^= 1;
	leaf = make_leaf(&spoil, raw, ask);
	pki_add_cert(trust->certs, leaf, &trust->leaf);
	pki_add_cert(trust->certs, ask, NULL);
	pki_add_cert(trust->certs, ark, NULL);
	pki_add_crl(trust->certs, ark, ark_key, NULL, NULL, 77);
	assert_int_equal(ccdm_cert_fingerprint((struct ccdm_cert *)ark, anchor->sha256), 0);
	assert_int_equal(ccdm_snp_json_make(raw, NULL, 0, &o, &err), 0);
	if (!s->plain)
		json_object_set_new(o, "svsm",
				    json_pack("{s:o}", "manifest", forge_base64(text, size)));
	X509_free(leaf);
	X509_free(ask);
	X509_free(ark);
	return o;
}

static void svsm(void **state)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_nonce nonce = nonce_of(1);
	const struct ccdm_credential_session session = { keys, &nonce };
	struct ccdm_launch listed[2] = { { .kind = CCDM_LAUNCH_MRTD },
					 { .kind = CCDM_LAUNCH_MEASUREMENT } };
	struct ccdm_launches list = { listed, 2 };
	struct ccdm_bound beside = { bound_to, 32 };
	struct ccdm_anchor anchor = { .name = "Milan" };
	uint8_t asked[64] = "what a report is bound to, and zeros", *der[2] = { NULL, NULL };
	int n = i2d_PUBKEY(ek_key, &der[0]), m = i2d_PUBKEY(provider.ak_key, &der[1]);
	struct ccdm_proof proof;
	size_t i, k;

	(void)state;
	forge_keys();
	/* the measurement that make_report() writes */
	for (k = 0; k < 48; k++)
		listed[1].value[k] = k;
	for (i = 0; i < sizeof(svsms) / sizeof(svsms[0]); i++) {
		const struct svsm *s = &svsms[i];
		struct ccdm_pubkey *known =
			s->known_ak ? ccdm_pubkey_spki(der[1], m) : ccdm_pubkey_spki(der[0], n);
		struct ccdm_bound bound = { s->unbound ? NULL : asked, 48 };
		struct ccdm_trust t = { .certs = ccdm_certs_new(),
					.at = AT,
					.anchors = &anchor,
					.nr_anchors = 1,
					.svsms = s->unlisted ? NULL : &list,
					.known = s->known_ak || s->known_ek ? known_key : NULL,
					.known_arg = known,
					.activated = ccdm_credential_known,
					.activated_arg = &session };
		struct wrong w = s->tpm;
		json_t *o = svsm_evidence(s, asked, &t, &anchor), *tpm;
		char *text;

		w.pub = true;
		tpm = json_pack("{s:o}", "tpm", evidence(&w));
		text = json_dumps(tpm, 0);
		listed[1].kind = s->id_key ? CCDM_LAUNCH_ID_KEY : CCDM_LAUNCH_MEASUREMENT;
		memset(v, 0, sizeof(*v));
		v->allow = CCDM_ALLOW_VMPL | CCDM_ALLOW_TCB_OUT_OF_DATE;
		assert_int_equal(ccdm_evidence_judge("snp", o, &t, &bound, v, &proof, &err),
				 s->none ? -EINVAL : 0);
		if (strcmp(failed(v), s->fails ? s->fails : ""))
			fail_msg("case %zu: failed: '%s'", i, failed(v));
		if (!s->fails && !s->none) {
			char *notes;
			const char *binding;

			assert_int_equal(
				ccdm_evidence_additional("snp", text, o, &t, &beside, &proof), 0);
			notes = json_dumps(proof.notes, 0);
			binding = json_string_value(json_object_get(proof.facts, "binding"));
			if (strcmp(binding, s->binding) || !strstr(notes, s->note) ||
			    (!s->note[0] && strstr(notes, "do not count")))
				fail_msg("case %zu: %s, %s", i, binding, notes);
			assert_int_equal(!!json_object_get(proof.facts, "pcr"),
					 !!strcmp(binding, "none"));
			free(notes);
		}
		ccdm_proof_drop(&proof);
		ccdm_certs_free(t.certs);
		ccdm_pubkey_free(known);
		json_decref(o);
		json_decref(tpm);
		free(text);
	}
	OPENSSL_free(der[0]);
	OPENSSL_free(der[1]);
	forge_keys_free();
	free(v);
}

/* The public area of an EK, changed in one place: the template refuses each change. */
static void ek_template(void **state)
{
	static const struct {
		size_t at;
		uint16_t value;
	} wrong[] = {
		{ 2, TPM2_ALG_SHA384 },
		{ 42, TPM2_ALG_CAMELLIA },
		{ 44, 256 },
		{ 46, TPM2_ALG_CTR },
		{ 48, TPM2_ALG_RSAES },
		{ 50, 3072 },
		{ 52, 1 },
	};
	uint8_t good[512], bytes[512];
	size_t size = forge_manifest(ek_key, FORGE_EK, false, good), i;
	struct ccdm_pubkey *key = ccdm_tpm_ek_parse(good, size);
	EVP_PKEY *ecc = EVP_EC_gen("P-256");

	(void)state;
	assert_non_null(key);
	ccdm_pubkey_free(key);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(bytes, good, size);
		bytes[wrong[i].at] = wrong[i].value >> 8;
		bytes[wrong[i].at + 1] = wrong[i].value & 0xff;
		if (ccdm_tpm_ek_parse(bytes, size))
			fail_msg("%zu is taken", wrong[i].at);
	}
	/* without a policy */
	memcpy(bytes, good, 8);
	memset(bytes + 8, 0, 2);
	memcpy(bytes + 10, good + 42, size - 42);
	assert_null(ccdm_tpm_ek_parse(bytes, size - 32));
	/* with a modulus that is one byte short */
	memcpy(bytes, good, size);
	bytes[56] = 0;
	bytes[57] = 255;
	assert_null(ccdm_tpm_ek_parse(bytes, size - 1));
	/* a key of another type */
	assert_null(ccdm_tpm_ek_parse(bytes, forge_area(ecc, FORGE_EK, TPM2_ALG_SHA256, bytes)));
	EVP_PKEY_free(ecc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judged),      cmocka_unit_test(svsm),
		cmocka_unit_test(credentials), cmocka_unit_test(rsa),
		cmocka_unit_test(bad_pairs),   cmocka_unit_test(ek_template),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
