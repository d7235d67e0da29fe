// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * guest - a guest that lies, with genuine signatures where it owns the key
 *
 *	attack-guest DIR	make its keys, and DIR: the trust/ of a broker that trusts them
 *
 * Also writes AKs as DIR/../ak0.pem, ...: the first is in tpm-keys, the others are not.
 * Then it reads requests, a line of JSON each, and answers each with a line:
 *
 *	{"make": TEE, "nonce": TEXT, "key": N, "is": {...}, "beside": {...}}	the message for "attest"
 *	{"open": JWE, "key": N}						the content
 *	{"jwk": N}
 *	{"introduce": {"ek": N, "ak": N}}		the identity of a TPM for "auth"
 *
 * "bound": bind the evidence to other data than nonce and key. forge.h describes "is".
 */
#include <errno.h>
#include <sys/stat.h>
#include <openssl/crypto.h>
#include "forge.h"

#define KEYS 4

static struct ccdm_tee_key *keys[KEYS];

static FILE *open_file(const char *dir, const char *name)
{
	char path[4096];
	FILE *f;

	pki_must(snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path));
	f = fopen(path, "w");
	pki_must(f ? 1 : 0);
	return f;
}

static void put_pem(const char *dir, const char *name, X509 *cert, X509_CRL *crl)
{
	struct pki_pem pem = pki_pem(cert, crl);
	FILE *f = open_file(dir, name);

	pki_must(fwrite(pem.text, 1, pem.size, f) == pem.size);
	fclose(f);
	X509_CRL_free(crl);
}

static void put_trust(const char *dir)
{
	static const char *const subs[] = { "roots", "certs", "collateral", "tpm-keys" };
	struct ccdm_collateral c = { 0 };
	char path[4096], hex[65];
	struct ccdm_digest d;
	uint8_t *der = NULL;
	json_t *bundle;
	unsigned int i;
	FILE *f;
	int n;

	for (i = 0; i < sizeof(subs) / sizeof(subs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, subs[i]);
		pki_must(!mkdir(path, 0700) || errno == EEXIST);
	}
	put_pem(dir, "roots/ark.pem", forge_ark, NULL);
	put_pem(dir, "roots/intel.pem", forge_tdx.root, NULL);
	put_pem(dir, "certs/ask.pem", forge_ask, pki_crl(forge_ark, ark_key, NULL, NULL, 77));
	tdx_tcb(&forge_collateral, &c);
	tdx_qe(&forge_collateral, &c);
	bundle = tdx_bundle(&forge_tdx, &c);
	f = open_file(dir, "collateral/0a0b0c0d0e0f.json");
	pki_must(!json_dumpf(bundle, f, 0));
	fclose(f);
	json_decref(bundle);
	ccdm_collateral_drop(&c);
	n = i2d_PUBKEY(forge_ak[0], &der);
	pki_must(!ccdm_digest_of(CCDM_ALG_SHA256, der, n, NULL, 0, &d));
	ccdm_hex(d.bytes, 32, hex);
	snprintf(path, sizeof(path), "tpm-keys/%s.der", hex);
	f = open_file(dir, path);
	pki_must(fwrite(der, 1, n, f) == (size_t)n);
	fclose(f);
	OPENSSL_free(der);
	for (i = 0; i < AKS; i++) {
		snprintf(path, sizeof(path), "../ak%u.pem", i);
		f = open_file(dir, path);
		pki_must(PEM_write_PrivateKey(f, forge_ak[i], NULL, NULL, 0, NULL, NULL));
		fclose(f);
	}
}

/* Compute the data to bind for each part and version: the TEE's, and that of an additional TPM. */
static void bind_to(const json_t *o, const char *nonce, json_t *jwk, const char *additional,
		    enum ccdm_kbs_version version, uint8_t bound[48])
{
	struct ccdm_digest d;

	pki_must(!ccdm_kbs_report_data(version, nonce, jwk, additional, &d));
	memcpy(bound, d.bytes, 48);
	if (json_object_get(o, "bound"))
		forge_bytes(o, "bound", bound, 48);
}

static json_t *make(const json_t *ask)
{
	const char *tee = json_string_value(json_object_get(ask, "make")),
		   *nonce = json_string_value(json_object_get(ask, "nonce"));
	json_t *jwk = ccdm_tee_key_jwk(keys[forge_number(ask, "key")]), *evidence, *o;
	const json_t *is = json_object_get(ask, "is"), *beside = json_object_get(ask, "beside");
	char *additional = strdup(""), *text;
	uint8_t bound[48];

	if (beside) {
		bind_to(beside, nonce, jwk, "", CCDM_KBS_0_2, bound);
		o = json_pack("{s:o}", "tpm", forge_evidence("tpm", beside, bound));
		free(additional);
		additional = json_dumps(o, JSON_COMPACT);
		json_decref(o);
	}
	bind_to(is, nonce, jwk, additional, CCDM_KBS_0_4, bound);
	evidence = forge_evidence(tee, is, bound);
	text = ccdm_kbs_attestation(CCDM_KBS_0_4, nonce, jwk, evidence, additional);
	o = json_pack("{s:s}", "message", text);
	free(text);
	free(additional);
	json_decref(evidence);
	json_decref(jwk);
	return o;
}

static json_t *open_jwe(const json_t *ask)
{
	struct ccdm_err err = { 0 };
	uint8_t *bytes = NULL;
	size_t size;
	json_t *o;

	if (ccdm_jwe_open(keys[forge_number(ask, "key")], json_object_get(ask, "open"), &bytes,
			  &size, &err))
		return json_pack("{s:s}", "error", err.text);
	o = json_pack("{s:s%}", "secret", bytes, size);
	OPENSSL_clear_free(bytes, size);
	return o;
}

int main(int argc, char **argv)
{
	static char line[4 << 20];
	json_t *ask, *answer;
	unsigned int i;

	if (argc != 2) {
		fprintf(stderr, "usage: attack-guest DIR\n");
		return 1;
	}
	forge_all();
	for (i = 0; i < KEYS; i++)
		keys[i] = ccdm_tee_key_new();
	put_trust(argv[1]);
	printf("{}\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		ask = json_loads(line, 0, NULL);
		pki_must(ask ? 1 : 0);
		answer = json_object_get(ask, "make")	? make(ask)
			 : json_object_get(ask, "open") ? open_jwe(ask)
			 : json_object_get(ask, "introduce")
				 ? forge_pair(json_object_get(ask, "introduce"))
				 : ccdm_tee_key_jwk(keys[forge_number(ask, "jwk")]);
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(answer);
		json_decref(ask);
	}
	return 0;
}
