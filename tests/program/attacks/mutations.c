// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * mutations - evidence with one byte changed, judged as a broker does: each must be refused
 *
 *	mutations [--seed N] [--count N] [--vectors DIR]
 *
 * Each mutation changes one byte of a field that is signed or that decides: in the evidence, or in
 * its certificates, lists and collateral. Before and after all mutations the unchanged evidence
 * must be accepted. Fields that nothing covers are not mutated; they are listed with the reason.
 * --vectors: mutate real evidence, too. The same seed makes the same mutations of real evidence;
 * forged evidence is signed by new keys in each run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "mutations.h"
#include "pki.h"
#include "trust/trust.h"

#define SHOWN 20 /* mutations without effect that are printed */

static uint64_t state; /* of the generator in chance() */
static char tmp[] = "/tmp/ccdm-mutations-XXXXXX";
static unsigned int passed, failed, skipped;

static void result(bool good, const char *what)
{
	passed += good;
	failed += !good;
	printf("%s %u %s\n", good ? "ok" : "not ok", passed + failed + skipped, what);
}

/* A random number below @below. */
static uint64_t chance(uint64_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

/* Does a broker with this trust directory accept the evidence? */
static bool accepted(const struct kind *k, const json_t *evidence)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_proof proof = { 0 };
	struct ccdm_trust_dir *dir = NULL;
	struct ccdm_err err = { 0 };
	const struct ccdm_bound bound = { k->is_bound ? k->bound : NULL,
					  k->is_bound ? ccdm_tee_bound(k->tee) : 0 };
	struct ccdm_claim claim = {
		.tee = k->tee, .primary = evidence, .additional = "", .bound = bound
	};
	struct ccdm_trust trust = { .at = k->at };
	bool good = false;
	size_t size;
	char *chain;
	int r;

	if (k->chain) {
		/* the firmware of these platforms is years old */
		v->allow = CCDM_ALLOW_NO_CRL | CCDM_ALLOW_TCB_OUT_OF_DATE;
		trust.certs = ccdm_certs_new();
		chain = file_get(k->chain, "", &size);
		pki_must(!ccdm_certs_add(trust.certs, k->chain, chain, size, NULL, &err));
		free(chain);
		r = ccdm_evidence_judge(k->tee, evidence, &trust, &bound, v, &proof, &err);
		ccdm_certs_free(trust.certs);
	} else {
		r = ccdm_trust_load(k->dir, &dir, &err);
		if (!r)
			r = ccdm_trust_judge(dir, &claim, k->at, v, &proof, &err);
		ccdm_trust_free(dir);
	}
	good = !r && proof.facts;
	if (!good && getenv("CCDM_VERBOSE")) {
		for (size = 0; size < v->count; size++)
			if (!v->check[size].passed)
				fprintf(stderr, "# %s: %s: expected %s, found %s\n", k->name,
					v->check[size].name, v->check[size].expected,
					v->check[size].found);
		fprintf(stderr, "# %s: %d %s\n", k->name, r, err.text);
	}
	ccdm_proof_drop(&proof);
	free(v);
	return good;
}

/* Change one byte of one field. Return: false if JSON cannot carry the change. */
static bool mutate(struct kind *k, bool *survived)
{
	const struct target *t = &k->target[chance(k->nr)];
	uint8_t *bytes, der[DER_SIZE], *at, flip = chance(2) ? 1U << chance(8) : 1 + chance(255);
	size_t size, from = t->from, to, n, pem_at = 0, pem_size = 0, file_size = 0;
	char *file = t->file ? file_get(k->dir, t->file, &file_size) : NULL;
	json_t *doc = NULL, *again;
	bool said = true;

	if (t->as != RAW)
		doc = t->file ? json_loadb(file, file_size, 0, NULL) : json_deep_copy(k->evidence);
	if (t->as == RAW) {
		size = file_size;
		bytes = malloc(size);
		memcpy(bytes, file, size);
	} else {
		bytes = target_decode(t, doc, &size);
	}
	to = t->to ? t->to : size;
	at = bytes;
	if (t->inside) {
		from = 0;
		to = pem_der((char *)bytes + t->from, size - t->from, t->pem, der, &pem_at,
			     &pem_size);
		at = der;
	}
	n = from + chance(to - from);
	/* the result must be UTF-8 */
	if (t->as == TEXT)
		flip = flip & 0x7f ? flip & 0x7f : 1;
	at[n] ^= flip;
	if (t->inside)
		pem_put((char *)bytes + t->from, pem_at, pem_size, der, to);
	if (t->as == RAW) {
		file_put(k->dir, t->file, bytes, size);
	} else {
		said = target_encode(t, doc, bytes, size);
		again = said && !t->file ? k->evidence : NULL;
		if (again && json_equal(again, doc))
			said = false;
		if (said && t->file)
			file_json(k->dir, t->file, doc);
	}
	if (said) {
		*survived = accepted(k, t->file ? k->evidence : doc);
		if (*survived && failed < SHOWN)
			printf("# %s: accepted with byte %zu of %s changed by %#x\n", k->name, n,
			       t->name, flip);
	}
	if (t->file && said)
		file_put(k->dir, t->file, file, file_size);
	json_decref(doc);
	free(file);
	free(bytes);
	return said;
}

/* Fields that are not mutated, and why. */
static const struct {
	const char *field, *why;
	size_t size;
} unsigned_fields[] = {
	{ "SNP: bytes after the signature", "no field of the report", 1184 - 0x330 },
	{ "SNP in KBS's JSON: reserved bytes", "JSON does not carry them: zeros are judged", 0 },
	{ "TDX: length of the signature data, of the QE's certification data",
	  "the parts that they delimit are covered", 4 + 6 + 2 + 6 },
	{ "TDX: bytes after the signature data", "providers pad the quote", 70 },
	{ "TDX: the root in the quote's chain", "a copy: the root that counts is the broker's", 0 },
	{ "Azure: HCL header, version and size of its data", "nothing reads them", 28 + 8 },
	{ "Azure TDX: the TDREPORT in the HCL report", "a hint for the guest: the quote counts",
	  1184 },
	{ "Azure: bytes after the runtime data", "nothing reads it", 0 },
	{ "logs", "judged by replay against registers: tests/program/attacks/identity.py", 0 },
};

int main(int argc, char **argv)
{
	unsigned int count = 300, i, survivors;
	uint64_t seed = time(NULL);
	const char *vectors = NULL;
	char line[200];
	size_t bytes = 0;
	bool survived;
	int a;

	for (a = 1; a + 1 < argc; a += 2)
		if (!strcmp(argv[a], "--seed"))
			seed = strtoull(argv[a + 1], NULL, 0);
		else if (!strcmp(argv[a], "--count"))
			count = strtoul(argv[a + 1], NULL, 0);
		else if (!strcmp(argv[a], "--vectors"))
			vectors = argv[a + 1];
		else
			break;
	if (a != argc || !mkdtemp(tmp)) {
		fprintf(stderr, "usage: mutations [--seed N] [--count N] [--vectors DIR]\n");
		return 1;
	}
	state = seed;
	printf("KTAP version 1\n# seed %llu\n", (unsigned long long)seed);
	kinds_forge(tmp);
	snprintf(line, sizeof(line), "%s/README.md", vectors ? vectors : "");
	if (vectors && !access(line, R_OK)) {
		kinds_real(vectors);
	} else if (vectors) {
		skipped++;
		printf("ok %u real evidence # SKIP there is none in %s\n", skipped, vectors);
	}
	for (i = 0; i < nr_kinds; i++) {
		snprintf(line, sizeof(line), "control: %s is accepted", kinds[i].name);
		result(accepted(&kinds[i], kinds[i].evidence), line);
	}
	for (i = 0; i < nr_kinds; i++) {
		struct kind *k = &kinds[i];

		for (survivors = 0; k->mutations < (count + nr_kinds - 1) / nr_kinds;) {
			survived = false;
			k->mutations += mutate(k, &survived);
			survivors += survived;
		}
		snprintf(line, sizeof(line), "%s: %u mutations, %u accepted", k->name, k->mutations,
			 survivors);
		result(!survivors, line);
	}
	for (i = 0; i < nr_kinds; i++) {
		snprintf(line, sizeof(line), "control: %s is still accepted", kinds[i].name);
		result(accepted(&kinds[i], kinds[i].evidence), line);
	}
	for (i = 0; i < sizeof(unsigned_fields) / sizeof(unsigned_fields[0]); i++) {
		printf("# not mutated: %s: %s\n", unsigned_fields[i].field, unsigned_fields[i].why);
		bytes += unsigned_fields[i].size;
	}
	printf("# not mutated: %u fields, %zu bytes and those whose length varies\n", i, bytes);
	kinds_free();
	file_remove_all(tmp);
	printf("1..%u\n", passed + failed + skipped);
	return failed ? 1 : 0;
}
