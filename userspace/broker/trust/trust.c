// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* trust.c - see trust.h */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/compiler.h"
#include "crypto/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "trust.h"
#include "trust_stamp.h"

#define FILES	CCDM_CERTS_OWN_MAX /* files in one directory, at most */
#define KEY_MAX 4096		   /* bytes of a TPM's public key, at most */
#define CHIP	64		   /* bytes of a chip ID */
#define ALLOWS                                                                                     \
	(CCDM_ALLOW_DEBUG | CCDM_ALLOW_VMPL | CCDM_ALLOW_TCB_OUT_OF_DATE | CCDM_ALLOW_TCB_CONFIG | \
	 CCDM_ALLOW_TCB_SW_HARDENING)

/* The roots of one kind. */
struct ccdm_trust_roots {
	unsigned int count;
	char *name[FILES];
	struct ccdm_anchor anchor[FILES];
	char *usage[FILES]; /* NULL: the default usage */
};

struct ccdm_trust_dir {
	char *dir;
	struct ccdm_certs *certs; /* all certificates and lists that are read at the start */
	struct ccdm_trust_roots roots, ak, ek;
	struct ccdm_launches paravisors;
	struct ccdm_launches svsms;
	struct ccdm_snp_floor floor;
	uint64_t stamp; /* taken before the directory was read */
};

/* ---- files ------------------------------------------------------------------ */

static bool ccdm_trust_ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && !strcmp(name + n - m, end);
}

int ccdm_trust_names(const char *path, struct dirent ***names, struct ccdm_err *err)
{
	int n = scandir(path, names, NULL, alphasort), i, k = 0;

	if (n < 0 && errno == ENOENT) {
		*names = NULL;
		return 0;
	}
	if (n < 0)
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	for (i = 0; i < n; i++)
		if ((*names)[i]->d_name[0] == '.' || ccdm_trust_ends((*names)[i]->d_name, ".tmp"))
			free((*names)[i]);
		else
			(*names)[k++] = (*names)[i];
	return k;
}

static int ccdm_trust_cert(const char *path, struct ccdm_certs *certs,
			   const struct ccdm_cert **first, struct ccdm_err *err)
{
	char *text;
	size_t size;
	int r = ccdm_file_read(path, CCDM_CERT_MAX, &text, &size, err);

	if (!r) {
		r = ccdm_certs_add(certs, path, text, size, first, err);
		free(text);
	}
	return r;
}

/*
 * Read NAME.usage, which accompanies NAME.pem: the extended key usage of certificates below this
 * root.
 */
static int ccdm_trust_usage(const char *root, char **usage, struct ccdm_err *err)
{
	const char *dot = strrchr(root, '.');
	int stem = dot && !strchr(dot, '/') ? (int)(dot - root) : (int)strlen(root);
	char *path, *text = NULL;
	size_t size;
	int r = 0;

	if (asprintf(&path, "%.*s.usage", stem, root) < 0)
		return ccdm_err_memory(err);
	if (!access(path, F_OK)) {
		r = ccdm_file_read(path, CCDM_OID_MAX, &text, &size, err);
		if (!r) {
			text[strcspn(text, " \t\r\n")] = '\0';
			if (!ccdm_usage_valid(text))
				r = ccdm_err_set(err, -EINVAL,
						 "%s: expected the OID of an extended key usage of "
						 "attestation keys, such as " CCDM_USAGE_AK,
						 path);
		}
	}
	if (r) {
		free(text);
		text = NULL;
	}
	*usage = text;
	free(path);
	return r;
}

static int ccdm_trust_root(struct ccdm_trust_roots *roots, const char *path,
			   struct ccdm_certs *certs, bool usages, struct ccdm_err *err)
{
	struct ccdm_anchor *anchor = &roots->anchor[roots->count];
	const struct ccdm_cert *first;
	int r;

	if (roots->count == FILES)
		return ccdm_err_set(err, -EINVAL, "%s: its directory has more than %u files", path,
				    FILES);
	r = ccdm_trust_cert(path, certs, &first, err);
	if (!r && !first)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a certificate, found none", path);
	if (!r)
		r = ccdm_cert_fingerprint(first, anchor->sha256);
	if (!r) {
		anchor->name = roots->name[roots->count] = strdup(path);
		r = anchor->name ? 0 : ccdm_err_memory(err);
	}
	if (!r) {
		roots->count++;
		if (usages)
			r = ccdm_trust_usage(path, &roots->usage[roots->count - 1], err);
	}
	return r;
}

/* Read a directory. @roots: NULL if it holds certificates and lists that are not roots. */
static int ccdm_trust_read(struct ccdm_trust_dir *t, const char *sub,
			   struct ccdm_trust_roots *roots, struct ccdm_err *err)
{
	bool usages = roots == &t->ak;
	struct dirent **names;
	char dir[4096], *path;
	int i, n, r = 0;

	snprintf(dir, sizeof(dir), "%s/%s", t->dir, sub);
	n = ccdm_trust_names(dir, &names, err);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++) {
		if (!r && !(usages && ccdm_trust_ends(names[i]->d_name, ".usage"))) {
			if (asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0) {
				r = ccdm_err_memory(err);
			} else {
				r = roots ? ccdm_trust_root(roots, path, t->certs, usages, err)
					  : ccdm_trust_cert(path, t->certs, NULL, err);
				free(path);
			}
		}
		free(names[i]);
	}
	free(names);
	return r;
}

/* A directory tpm-roots may hold roots of both kinds, and only its owner can tell them apart. */
static int ccdm_trust_old(const char *dir, struct ccdm_err *err)
{
	struct dirent **names;
	char path[4096];
	int i, n;

	snprintf(path, sizeof(path), "%s/tpm-roots", dir);
	n = ccdm_trust_names(path, &names, err);
	for (i = 0; i < n; i++)
		free(names[i]);
	if (n >= 0)
		free(names);
	if (n <= 0)
		return n;
	ccdm_err_set(err, -EINVAL,
		     "%s: this directory is no longer supported; use ak-roots and ek-roots", path);
	ccdm_err_hint(err,
		      "move the roots of providers (attestation keys) to %s/ak-roots, and the "
		      "roots of TPM manufacturers to %s/ek-roots",
		      dir, dir);
	return -EINVAL;
}

/*
 * Read one of the operator's lists, of at most @most bytes. *@path: its name, which the caller
 * frees. *@text: its content, or NULL if the file does not exist. Any other failure is an error.
 */
static int ccdm_trust_list(const char *dir, const char *name, size_t most, char **path, char **text,
			   size_t *size, struct ccdm_err *err)
{
	int r;

	*text = NULL;
	if (asprintf(path, "%s/%s", dir, name) < 0) {
		*path = NULL;
		return ccdm_err_memory(err);
	}
	if (access(*path, F_OK))
		return errno == ENOENT
			       ? 0
			       : ccdm_err_set(err, -errno, "%s: %s", *path, strerror(errno));
	r = ccdm_file_read(*path, most, text, size, err);
	if (r)
		*text = NULL;
	return r;
}

/* Read a list of launch values; a missing file is an empty list. */
static int ccdm_trust_launches(const char *dir, const char *name, struct ccdm_launches *list,
			       struct ccdm_err *err)
{
	char *path, *text;
	size_t size;
	int r = ccdm_trust_list(dir, name, CCDM_LAUNCHES_FILE, &path, &text, &size, err);

	if (!r && text)
		r = ccdm_launches_parse(path, text, size, list, err);
	free(text);
	free(path);
	return r;
}

/* Read the firmware floor; without the file, use the built-in one. */
static int ccdm_trust_floor(const char *dir, struct ccdm_snp_floor *floor, struct ccdm_err *err)
{
	char *path, *text;
	size_t size;
	int r = ccdm_trust_list(dir, "snp-floor", CCDM_SNP_FLOOR_FILE, &path, &text, &size, err);

	if (!r)
		r = text ? ccdm_snp_floor_parse(path, text, size, floor, err)
			 : ccdm_snp_floor_builtin(floor, err);
	free(text);
	free(path);
	return r;
}

int ccdm_trust_load(const char *dir, struct ccdm_trust_dir **trust, struct ccdm_err *err)
{
	struct ccdm_trust_dir *t = calloc(1, sizeof(*t));
	int r = t ? 0 : ccdm_err_memory(err);

	if (!r) {
		t->dir = strdup(dir);
		t->stamp = ccdm_trust_stamp(dir);
		t->certs = ccdm_certs_own(NULL);
		r = t->dir && t->certs ? ccdm_trust_old(dir, err) : ccdm_err_memory(err);
	}
	if (!r)
		r = ccdm_trust_read(t, "roots", &t->roots, err);
	if (!r)
		r = ccdm_trust_read(t, "ak-roots", &t->ak, err);
	if (!r)
		r = ccdm_trust_read(t, "ek-roots", &t->ek, err);
	if (!r)
		r = ccdm_trust_read(t, "certs", NULL, err);
	if (!r)
		r = ccdm_trust_launches(dir, "paravisors", &t->paravisors, err);
	if (!r)
		r = ccdm_trust_launches(dir, "svsms", &t->svsms, err);
	if (!r)
		r = ccdm_trust_floor(dir, &t->floor, err);
	*trust = r ? NULL : t;
	if (r)
		ccdm_trust_free(t);
	return r;
}

const char *ccdm_trust_path(const struct ccdm_trust_dir *t)
{
	return t->dir;
}

bool ccdm_trust_changed(const struct ccdm_trust_dir *t)
{
	return t->stamp != ccdm_trust_stamp(t->dir);
}

static void ccdm_trust_drop(struct ccdm_trust_roots *roots)
{
	unsigned int i;

	for (i = 0; i < roots->count; i++) {
		free(roots->name[i]);
		free(roots->usage[i]);
	}
}

void ccdm_trust_free(struct ccdm_trust_dir *t)
{
	if (!t)
		return;
	ccdm_trust_drop(&t->roots);
	ccdm_trust_drop(&t->ak);
	ccdm_trust_drop(&t->ek);
	ccdm_certs_free(t->certs);
	ccdm_launches_drop(&t->paravisors);
	ccdm_launches_drop(&t->svsms);
	free(t->dir);
	free(t);
}

const struct ccdm_certs *ccdm_trust_certs(const struct ccdm_trust_dir *t)
{
	return t->certs;
}

const struct ccdm_anchor *ccdm_trust_anchors(const struct ccdm_trust_dir *t, unsigned int *count)
{
	*count = t->roots.count;
	return t->roots.count ? t->roots.anchor : NULL;
}

/* ---- judging --------------------------------------------------------------------- */

/*
 * Find the certificate of a chip by the chip ID: a fleet has too many to try each. Errors in the
 * report are left to its verifier.
 */
static int ccdm_trust_vcek(const struct ccdm_trust_dir *t, const struct ccdm_claim *claim,
			   struct ccdm_certs *certs, struct ccdm_err *err)
{
	static const char *const ends[] = { "pem", "der" };
	const json_t *report = json_object_get(claim->primary, "attestation_report");
	char hex[2 * CHIP + 1], *path;
	uint8_t chip[CHIP], zero[CHIP] = { 0 };
	struct ccdm_err ignored;
	size_t i;
	int r = 0;

	if (strcmp(claim->tee, "snp") ||
	    ccdm_json_octets(json_object_get(report, "chip_id"), "chip_id", chip, CHIP, &ignored))
		return 0;
	/* The ID is shorter since Turin. */
	/* coverage: no test has a chip with the short ID */
	ccdm_hex(chip, memcmp(chip + 8, zero, CHIP - 8) ? CHIP : 8, hex);
	/* coverage: a stored certificate was valid when it was stored */
	for (i = 0; !r && i < ARRAY_SIZE(ends); i++) {
		if (asprintf(&path, "%s/vcek/%s.%s", t->dir, hex, ends[i]) < 0)
			return ccdm_err_memory(err);
		if (!access(path, F_OK))
			r = ccdm_trust_cert(path, certs, NULL, err);
		free(path);
	}
	return r;
}

/* Files that one judgement finds by name; there are too many to read them all each time. */
struct ccdm_trust_finding {
	const struct ccdm_trust_dir *trust;
	struct ccdm_certs *certs;
	struct ccdm_collateral collateral;
};

/* @path: the file's name, which the caller frees; NULL if there is no such file. */
static int ccdm_trust_find(const struct ccdm_trust_dir *t, const char *sub, const uint8_t *name,
			   size_t size, const char *end, char **path, struct ccdm_err *err)
{
	char hex[65];

	ccdm_hex(name, size, hex);
	if (asprintf(path, "%s/%s/%s.%s", t->dir, sub, hex, end) < 0) {
		*path = NULL;
		return ccdm_err_memory(err);
	}
	if (access(*path, F_OK)) {
		free(*path);
		*path = NULL;
	}
	return 0;
}

static int ccdm_trust_platform(const void *arg, const uint8_t fmspc[6],
			       const struct ccdm_collateral **found, struct ccdm_err *err)
{
	struct ccdm_trust_finding *f = (struct ccdm_trust_finding *)arg;
	char *path, *text;
	size_t size;
	int r = ccdm_trust_find(f->trust, "collateral", fmspc, 6, "json", &path, err);

	if (r || !path)
		return r;
	ccdm_collateral_drop(&f->collateral);
	r = ccdm_file_read(path, CCDM_COLLATERAL_MAX, &text, &size, err);
	if (!r) {
		r = ccdm_collateral_bundle(path, text, size, &f->collateral, f->certs, err);
		free(text);
	}
	if (!r)
		*found = &f->collateral;
	free(path);
	return r;
}

/* A key is known only if the file's content equals it; the name only locates the file. */
static bool ccdm_trust_known(const void *arg, const struct ccdm_pubkey *key)
{
	const struct ccdm_trust_finding *f = arg;
	struct ccdm_pubkey *known = NULL;
	struct ccdm_digest name;
	struct ccdm_err ignored;
	char *path, *text;
	bool same = false;
	size_t size;

	if (ccdm_pubkey_hash(key, &name) ||
	    ccdm_trust_find(f->trust, "tpm-keys", name.bytes, 32, "der", &path, &ignored) || !path)
		return false;
	if (!ccdm_file_read(path, KEY_MAX, &text, &size, &ignored)) {
		known = ccdm_pubkey_spki(text, size);
		same = known && ccdm_pubkey_equal(known, key);
		ccdm_pubkey_free(known);
		free(text);
	}
	free(path);
	return same;
}

int ccdm_trust_judge(const struct ccdm_trust_dir *t, const struct ccdm_claim *claim, int64_t at,
		     struct ccdm_verdict *v, struct ccdm_proof *proof, struct ccdm_err *err)
{
	struct ccdm_trust_finding finding = { .trust = t, .certs = ccdm_certs_own(t->certs) };
	struct ccdm_trust trust = {
		.certs = finding.certs,
		.find = ccdm_trust_platform,
		.find_arg = &finding,
		.at = at,
		.anchors = t->roots.count ? t->roots.anchor : NULL,
		.nr_anchors = t->roots.count,
		.ak_anchors = t->ak.anchor,
		.ak_usages = (const char *const *)t->ak.usage,
		.nr_ak_anchors = t->ak.count,
		.ek_anchors = t->ek.anchor,
		.nr_ek_anchors = t->ek.count,
		.known = ccdm_trust_known,
		.known_arg = &finding,
		.paravisors = &t->paravisors,
		.svsms = &t->svsms,
		.snp_floor = &t->floor,
		.activated = claim->activated,
		.activated_arg = claim->activated_arg,
	};
	int r = trust.certs ? 0 : ccdm_err_memory(err);

	memset(proof, 0, sizeof(*proof));
	memset(v, 0, sizeof(*v));
	v->allow = ALLOWS;
	if (!r)
		r = ccdm_trust_vcek(t, claim, trust.certs, err);
	if (!r)
		r = ccdm_evidence_judge(claim->tee, claim->primary, &trust, &claim->bound, v, proof,
					err);
	if (!r && proof->facts && claim->additional[0])
		r = ccdm_evidence_additional(claim->tee, claim->additional, claim->primary, &trust,
					     &claim->bound_beside, proof);
	if (r)
		ccdm_proof_drop(proof);
	ccdm_collateral_drop(&finding.collateral);
	ccdm_certs_free(finding.certs);
	return r;
}
