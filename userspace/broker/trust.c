// SPDX-License-Identifier: Apache-2.0
/* trust.c - see trust.h */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/digest.h"
#include "../lib/file.h"
#include "../lib/member.h"
#include "trust.h"

#define FILES 64 /* in a directory */
#define CHIP  64 /* bytes of its number */
#define ALLOWS                                                                                     \
	(CCDM_ALLOW_DEBUG | CCDM_ALLOW_VMPL | CCDM_ALLOW_TCB_OUT_OF_DATE | CCDM_ALLOW_TCB_CONFIG | \
	 CCDM_ALLOW_TCB_SW_HARDENING)

struct ccdm_trust_file {
	char *name;
	char *text;
	size_t size;
};

struct ccdm_trust_files {
	unsigned int count;
	struct ccdm_trust_file file[FILES];
};

struct ccdm_trust_dir {
	char *dir;
	struct ccdm_trust_files roots, tpm_roots, tpm_keys, certs, collateral;
	struct ccdm_pubkey *key[FILES];
	struct ccdm_anchor anchor[FILES], tpm_anchor[FILES];
	struct ccdm_launches paravisors;
	struct ccdm_launches svsms;
};

/* ---- files ------------------------------------------------------------------ */

static int ccdm_trust_add(struct ccdm_trust_files *files, const char *dir, const char *name,
			  struct ccdm_err *err)
{
	struct ccdm_trust_file *f = &files->file[files->count];

	if (files->count == FILES)
		return ccdm_err_set(err, -EINVAL, "%s: more than %u files", dir, FILES);
	if (asprintf(&f->name, "%s/%s", dir, name) < 0) {
		f->name = NULL;
		return ccdm_err_set(err, -ENOMEM, "out of memory");
	}
	files->count++;
	return ccdm_file_read(f->name, CCDM_COLLATERAL_MAX, &f->text, &f->size, err);
}

static int ccdm_trust_read(struct ccdm_trust_files *files, const char *dir, const char *sub,
			   struct ccdm_err *err)
{
	struct dirent **names;
	char path[4096];
	int i, n, r = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0
				       : ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	for (i = 0; i < n; i++) {
		if (!r && names[i]->d_name[0] != '.')
			r = ccdm_trust_add(files, path, names[i]->d_name, err);
		free(names[i]);
	}
	free(names);
	return r;
}

static int ccdm_trust_certs(const struct ccdm_trust_files *files, struct ccdm_certs *certs,
			    struct ccdm_anchor *anchors, struct ccdm_err *err)
{
	const struct ccdm_cert *first;
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < files->count; i++) {
		const struct ccdm_trust_file *f = &files->file[i];

		r = ccdm_certs_add(certs, f->name, f->text, f->size, &first, err);
		if (r || !anchors)
			continue;
		if (!first)
			return ccdm_err_set(err, -EINVAL, "%s: no certificate in it", f->name);
		anchors[i].name = f->name;
		r = ccdm_cert_fingerprint(first, anchors[i].sha256);
	}
	return r;
}

static int ccdm_trust_collateral(const struct ccdm_trust_file *f, struct ccdm_certs *certs,
				 struct ccdm_collateral *c, struct ccdm_err *err)
{
	return ccdm_collateral_bundle(f->name, f->text, f->size, c, certs, err);
}

static int ccdm_trust_keys(struct ccdm_trust_dir *t, struct ccdm_err *err)
{
	unsigned int i;

	for (i = 0; i < t->tpm_keys.count; i++) {
		const struct ccdm_trust_file *f = &t->tpm_keys.file[i];

		t->key[i] = ccdm_pubkey_spki(f->text, f->size);
		if (!t->key[i])
			return ccdm_err_set(err, -EINVAL,
					    "%s: no public key of RSA, P-256 or P-384, in DER",
					    f->name);
	}
	return 0;
}

/* Everything is read once, so that what is malformed is said when the broker starts. */
static int ccdm_trust_try(struct ccdm_trust_dir *t, struct ccdm_err *err)
{
	struct ccdm_certs *certs = ccdm_certs_new();
	struct ccdm_collateral c = { 0 };
	unsigned int i;
	int r = certs ? 0 : ccdm_err_set(err, -ENOMEM, "out of memory");

	if (!r)
		r = ccdm_trust_certs(&t->roots, certs, t->anchor, err);
	if (!r)
		r = ccdm_trust_certs(&t->tpm_roots, certs, t->tpm_anchor, err);
	if (!r)
		r = ccdm_trust_certs(&t->certs, certs, NULL, err);
	ccdm_certs_free(certs);
	for (i = 0; !r && i < t->collateral.count; i++) {
		certs = ccdm_certs_new();
		r = certs ? ccdm_trust_collateral(&t->collateral.file[i], certs, &c, err)
			  : ccdm_err_set(err, -ENOMEM, "out of memory");
		ccdm_collateral_drop(&c);
		ccdm_certs_free(certs);
	}
	return r;
}

/* A list of launch values; without the file it lists nothing. */
static int ccdm_trust_launches(const char *dir, const char *name, struct ccdm_launches *list,
			       struct ccdm_err *err)
{
	char *path, *text;
	size_t size;
	int r = 0;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return ccdm_err_set(err, -ENOMEM, "out of memory");
	if (!access(path, F_OK)) {
		r = ccdm_file_read(path, CCDM_LAUNCHES_FILE, &text, &size, err);
		if (!r) {
			r = ccdm_launches_parse(path, text, size, list, err);
			free(text);
		}
	}
	free(path);
	return r;
}

int ccdm_trust_load(const char *dir, struct ccdm_trust_dir **trust, struct ccdm_err *err)
{
	struct ccdm_trust_dir *t = calloc(1, sizeof(*t));
	int r = t ? 0 : ccdm_err_set(err, -ENOMEM, "out of memory");

	if (!r) {
		t->dir = strdup(dir);
		r = t->dir ? ccdm_trust_read(&t->roots, dir, "roots", err) : -ENOMEM;
	}
	if (!r)
		r = ccdm_trust_read(&t->tpm_roots, dir, "tpm-roots", err);
	if (!r)
		r = ccdm_trust_read(&t->tpm_keys, dir, "tpm-keys", err);
	if (!r)
		r = ccdm_trust_keys(t, err);
	if (!r)
		r = ccdm_trust_read(&t->certs, dir, "certs", err);
	if (!r)
		r = ccdm_trust_read(&t->collateral, dir, "collateral", err);
	if (!r)
		r = ccdm_trust_launches(dir, "paravisors", &t->paravisors, err);
	if (!r)
		r = ccdm_trust_launches(dir, "svsms", &t->svsms, err);
	if (!r)
		r = ccdm_trust_try(t, err);
	*trust = r ? NULL : t;
	if (r)
		ccdm_trust_free(t);
	return r;
}

static void ccdm_trust_drop(struct ccdm_trust_files *files)
{
	unsigned int i;

	for (i = 0; i < files->count; i++) {
		free(files->file[i].name);
		free(files->file[i].text);
	}
}

void ccdm_trust_free(struct ccdm_trust_dir *t)
{
	unsigned int i;

	if (!t)
		return;
	ccdm_trust_drop(&t->roots);
	ccdm_trust_drop(&t->tpm_roots);
	for (i = 0; i < t->tpm_keys.count; i++)
		ccdm_pubkey_free(t->key[i]);
	ccdm_trust_drop(&t->tpm_keys);
	ccdm_trust_drop(&t->certs);
	ccdm_trust_drop(&t->collateral);
	ccdm_launches_drop(&t->paravisors);
	ccdm_launches_drop(&t->svsms);
	free(t->dir);
	free(t);
}

/* ---- judging --------------------------------------------------------------------- */

/*
 * A chip's certificate, by its number: a fleet has more of them than can be tried. What is
 * wrong with the report is for its judge.
 */
static int ccdm_trust_vcek(const struct ccdm_trust_dir *t, const struct ccdm_claim *claim,
			   struct ccdm_certs *certs, struct ccdm_err *err)
{
	static const char *const ends[] = { "pem", "der" };
	const json_t *report = json_object_get(claim->primary, "attestation_report");
	char hex[2 * CHIP + 1], *path, *text;
	uint8_t chip[CHIP], zero[CHIP] = { 0 };
	struct ccdm_err ignored;
	size_t i, size;
	int r = 0;

	if (strcmp(claim->tee, "snp") ||
	    ccdm_member_octets(json_object_get(report, "chip_id"), "chip_id", chip, CHIP, &ignored))
		return 0;
	/* since Turin it is shorter */
	ccdm_digest_hex(chip, memcmp(chip + 8, zero, CHIP - 8) ? CHIP : 8, hex);
	for (i = 0; !r && i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (asprintf(&path, "%s/vcek/%s.%s", t->dir, hex, ends[i]) < 0)
			return ccdm_err_set(err, -ENOMEM, "out of memory");
		if (!access(path, F_OK)) {
			r = ccdm_file_read(path, CCDM_CERT_MAX, &text, &size, err);
			if (!r) {
				r = ccdm_certs_add(certs, path, text, size, NULL, err);
				free(text);
			}
		}
		free(path);
	}
	return r;
}

/* With one file of collateral, or NULL. */
static int ccdm_trust_with(const struct ccdm_trust_dir *t, const struct ccdm_trust_file *collateral,
			   const struct ccdm_claim *claim, int64_t at, struct ccdm_verdict *v,
			   struct ccdm_proof *proof, struct ccdm_err *err)
{
	struct ccdm_collateral c = { 0 };
	struct ccdm_trust trust = {
		.certs = ccdm_certs_new(),
		.collateral = collateral ? &c : NULL,
		.at = at,
		.anchors = t->roots.count ? t->anchor : NULL,
		.nr_anchors = t->roots.count,
		.tpm_anchors = t->tpm_anchor,
		.nr_tpm_anchors = t->tpm_roots.count,
		.tpm_keys = t->key,
		.nr_tpm_keys = t->tpm_keys.count,
		.paravisors = &t->paravisors,
		.svsms = &t->svsms,
		.activated = claim->activated,
		.activated_arg = claim->activated_arg,
	};
	int r = trust.certs ? 0 : ccdm_err_set(err, -ENOMEM, "out of memory");

	memset(v, 0, sizeof(*v));
	v->allow = ALLOWS;
	if (!r)
		r = ccdm_trust_certs(&t->roots, trust.certs, NULL, err);
	if (!r)
		r = ccdm_trust_certs(&t->tpm_roots, trust.certs, NULL, err);
	if (!r)
		r = ccdm_trust_certs(&t->certs, trust.certs, NULL, err);
	if (!r)
		r = ccdm_trust_vcek(t, claim, trust.certs, err);
	if (!r && collateral)
		r = ccdm_trust_collateral(collateral, trust.certs, &c, err);
	if (!r)
		r = ccdm_evidence_judge(claim->tee, claim->primary, &trust, &claim->bound, v, proof,
					err);
	if (!r && proof->facts && claim->additional[0])
		r = ccdm_evidence_beside(claim->additional, claim->primary, &trust,
					 &claim->bound_beside, proof);
	if (r)
		ccdm_proof_drop(proof);
	ccdm_collateral_drop(&c);
	ccdm_certs_free(trust.certs);
	return r;
}

int ccdm_trust_judge(const struct ccdm_trust_dir *t, const struct ccdm_claim *claim, int64_t at,
		     struct ccdm_verdict *v, struct ccdm_proof *proof, struct ccdm_err *err)
{
	unsigned int i = 0;
	int r;

	memset(proof, 0, sizeof(*proof));
	/* Which collateral is the platform's, the verdict tells: with another it is refused. */
	do {
		r = ccdm_trust_with(t, t->collateral.count ? &t->collateral.file[i] : NULL, claim,
				    at, v, proof, err);
	} while (!r && !proof->facts && strstr(claim->tee, "tdx") && ++i < t->collateral.count);
	return r;
}
