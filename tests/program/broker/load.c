// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * load - many guests of one broker, each with a test TPM
 *
 *	load key KEY SPKI		make a key, and its public half for the broker's trust/
 *	load evidence KEY		the output of ccdm-setup evidence --nonce in such a guest
 *	load keys DIR N			N keys of TPMs in the form of trust/tpm-keys
 *	load run KEY URL CA PATH N P	N handshakes, each followed by a secret, in P processes
 *
 * "run" prints as JSON how many succeeded and how many failed.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "attest/session.h"
#include "forge_tpm_json.h"

static EVP_PKEY *key;

static int collect(const struct ccdm_attester *a, const struct ccdm_ask *ask, json_t **evidence,
		   struct ccdm_err *err)
{
	static uint8_t pcr[CCDM_TPM_PCRS][32];

	(void)a;
	(void)err;
	*evidence = forge_tpm_json(&(struct forge_tpm){
		.key = key, .pcr = pcr, .nonce = ask->data, .nonce_size = 32 });
	return 0;
}

static int make_key(char **argv)
{
	uint8_t *der = NULL;
	FILE *f;
	int n;

	key = pki_key("P-256");
	f = fopen(argv[2], "w");
	pki_must(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(f);
	n = i2d_PUBKEY(key, &der);
	f = fopen(argv[3], "w");
	pki_must(f && fwrite(der, 1, n, f) == (size_t)n);
	fclose(f);
	return 0;
}

static int make_keys(char **argv)
{
	unsigned int i, many = strtoul(argv[3], NULL, 10);
	char path[4096], hex[65];
	struct ccdm_digest d;
	uint8_t *der;
	FILE *f;
	int n;

	for (i = 0; i < many; i++) {
		key = pki_key("P-256");
		der = NULL;
		n = i2d_PUBKEY(key, &der);
		pki_must(!ccdm_digest_of(CCDM_ALG_SHA256, der, n, NULL, 0, &d));
		ccdm_hex(d.bytes, 32, hex);
		snprintf(path, sizeof(path), "%s/%s.der", argv[2], hex);
		f = fopen(path, "w");
		pki_must(f && fwrite(der, 1, n, f) == (size_t)n);
		fclose(f);
		OPENSSL_free(der);
		EVP_PKEY_free(key);
	}
	return 0;
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *k = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

	pki_must(!!k);
	fclose(f);
	return k;
}

static int print_evidence(void)
{
	struct ccdm_tee_key *tee_key = ccdm_tee_key_new();
	json_t *jwk = ccdm_tee_key_jwk(tee_key), *evidence, *o;
	struct ccdm_digest bound;
	struct ccdm_err err = { 0 };
	char *text;

	pki_must(!ccdm_kbs_report_data(CCDM_KBS_0_4, "any", jwk, "", &bound));
	pki_must(!collect(NULL, &(struct ccdm_ask){ .data = bound.bytes }, &evidence, &err));
	text = ccdm_kbs_attestation(CCDM_KBS_0_4, "any", jwk, evidence, "");
	o = json_loads(text, 0, NULL);
	pki_must(!json_object_set_new(o, "tee", json_string("tpm")) &&
		 !json_dumpf(o, stdout, JSON_COMPACT));
	json_decref(o);
	free(text);
	json_decref(evidence);
	json_decref(jwk);
	ccdm_tee_key_free(tee_key);
	return 0;
}

/* Run one guest, from making its key to receiving its secret. */
static bool shake(const char *url, const char *ca, const char *path, const char *want)
{
	struct ccdm_attester tpm = { .tee = "tpm", .collect = collect };
	struct ccdm_session_conf conf = {
		.http = { .url = url, .ca = ca, .timeout = 60, .max = 1 << 16 },
		.version = CCDM_KBS_0_4,
		.deadline = 120,
		.primary = &tpm,
	};
	struct ccdm_session *s = NULL;
	struct ccdm_err err = { 0 };
	uint8_t *bytes = NULL;
	size_t size = 0;
	bool good;
	int r = ccdm_session_open(&conf, &s, &err);

	if (!r)
		r = ccdm_session_secret(s, path, &bytes, &size, &err);
	good = !r && size == strlen(want) && !memcmp(bytes, want, size);
	if (!good)
		fprintf(stderr, "load: %d: %s\n", r, err.text);
	OPENSSL_clear_free(bytes, size);
	ccdm_session_close(s);
	return good;
}

int main(int argc, char **argv)
{
	unsigned int n, processes, i, k, all = 0;
	unsigned int *right;
	struct timespec from, to;

	if (argc == 4 && !strcmp(argv[1], "key"))
		return make_key(argv);
	if (argc == 4 && !strcmp(argv[1], "keys"))
		return make_keys(argv);
	if (argc == 3 && !strcmp(argv[1], "evidence")) {
		key = read_key(argv[2]);
		return print_evidence();
	}
	if (argc != 8 || strcmp(argv[1], "run"))
		return 1;
	key = read_key(argv[2]);
	n = strtoul(argv[6], NULL, 10);
	processes = strtoul(argv[7], NULL, 10);
	right = mmap(NULL, processes * sizeof(*right), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < processes; i++) {
		if (fork())
			continue;
		for (k = i; k < n; k += processes)
			right[i] += shake(argv[3], argv[4], argv[5], "correct horse");
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	clock_gettime(CLOCK_MONOTONIC, &to);
	for (i = 0; i < processes; i++)
		all += right[i];
	printf("{\"handshakes\": %u, \"right\": %u, \"seconds\": %.3f}\n", n, all,
	       to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9);
	return all != n;
}
