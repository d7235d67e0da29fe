// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* trust_keep.c - see trust_keep.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/compiler.h"
#include "base/file.h"
#include "base/json.h"
#include "evidence/tdx.h"
#include "evidence/vendor_certs.h"
#include "crypto/x509_crl.h"
#include "trust_keep.h"

#define CHIP 64 /* bytes of a chip ID */

struct ccdm_keep {
	char *dir;
	int lock;
	int64_t at;
	struct ccdm_trust_dir *trust;
	struct ccdm_certs *certs; /* a layer above those of the directory */
};

/* ---- the directory ------------------------------------------------------------- */

int ccdm_keep_open(const char *dir, int64_t at, struct ccdm_keep **keep, struct ccdm_err *err)
{
	struct ccdm_keep *k = calloc(1, sizeof(*k));
	int r = k ? 0 : ccdm_err_memory(err);
	char path[512];

	*keep = NULL;
	if (r)
		return r;
	k->at = at;
	k->dir = strdup(dir);
	/* Others cannot open this file: whoever can open it can hold its lock. */
	snprintf(path, sizeof(path), "%s/.lock", dir);
	k->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (!k->dir)
		r = ccdm_err_memory(err);
	else if (k->lock < 0)
		r = ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	else if (flock(k->lock, LOCK_EX | LOCK_NB))
		r = ccdm_err_set(err, errno == EWOULDBLOCK ? -EBUSY : -errno,
				 "%s: another ccdm-broker is changing it", dir);
	if (!r)
		r = ccdm_trust_load(dir, &k->trust, err);
	if (!r) {
		k->certs = ccdm_certs_own(ccdm_trust_certs(k->trust));
		if (!k->certs)
			r = ccdm_err_memory(err);
	}
	if (r)
		ccdm_keep_close(k);
	else
		*keep = k;
	return r;
}

void ccdm_keep_close(struct ccdm_keep *k)
{
	if (!k)
		return;
	ccdm_certs_free(k->certs);
	ccdm_trust_free(k->trust);
	if (k->lock >= 0)
		close(k->lock);
	free(k->dir);
	free(k);
}

int ccdm_keep_certs(struct ccdm_keep *k, const char *what, const void *bytes, size_t size,
		    struct ccdm_err *err)
{
	return ccdm_certs_add(k->certs, what, bytes, size, NULL, err);
}

int ccdm_keep_path(const char *dir, const char *sub, const uint8_t *name, size_t size,
		   const char *end, char path[512])
{
	char hex[2 * CHIP + 1];

	ccdm_hex(name, size, hex);
	return snprintf(path, 512, "%s/%s/%s.%s", dir, sub, hex, end) < 512 ? 0 : -ENAMETOOLONG;
}

/* Set what a certificate chain must fulfil; the roots are the same as for evidence. */
static int ccdm_keep_roots(const struct ccdm_keep *k, bool tdx, struct ccdm_path *path)
{
	path->prefix = "";
	path->at = k->at;
	path->anchors = ccdm_trust_anchors(k->trust, &path->nr_anchors);
	if (path->anchors)
		return 0;
	path->anchors =
		tdx ? ccdm_tdx_anchors(&path->nr_anchors) : ccdm_snp_anchors(&path->nr_anchors);
	path->builtin = ccdm_vendor_certs();
	return path->builtin ? 0 : -ENOMEM;
}

/* Turn the verdict into an error that names the first failed check. */
static int ccdm_keep_accepted(const char *what, const struct ccdm_verdict *v, struct ccdm_err *err)
{
	const struct ccdm_check *c = ccdm_verdict_failed(v);

	if (ccdm_verdict_accepted(v))
		return 0;
	if (c)
		return ccdm_err_set(err, -ECANCELED, "%s: refused: %s: %s; expected %s", what,
				    c->name, c->found, c->expected);
	return ccdm_err_set(err, -ECANCELED, "%s: refused", what);
}

/* Write to @kept->path, unless the file already has this content. */
static int ccdm_keep_write(const void *bytes, size_t size, struct ccdm_kept *kept,
			   struct ccdm_err *err)
{
	char *slash = strrchr(kept->path, '/'), *old;
	struct ccdm_err none;
	mode_t mask;
	size_t n;
	int r;

	kept->changed = true;
	if (!ccdm_file_read(kept->path, CCDM_COLLATERAL_MAX, &old, &n, &none)) {
		kept->changed = n != size || memcmp(old, bytes, n);
		free(old);
	}
	if (!kept->changed)
		return 0;
	/* The daemon, another user, must be able to read it. */
	mask = umask(022);
	*slash = '\0';
	r = mkdir(kept->path, 0755) && errno != EEXIST
		    ? ccdm_err_set(err, -errno, "%s: %s", kept->path, strerror(errno))
		    : 0;
	*slash = '/';
	if (!r)
		r = ccdm_file_write(kept->path, bytes, size, 0644, err);
	umask(mask);
	return r;
}

/* ---- revocation lists --------------------------------------------------------------- */

/* Refuse a list that may not replace the stored one. */
static int ccdm_keep_newer(const struct ccdm_slot *slot, const char *what,
			   const struct ccdm_crl *crl, const char *path, struct ccdm_err *err)
{
	struct ccdm_certs *set;
	enum ccdm_crl_change why = CCDM_CRL_REPLACES;
	char *text;
	size_t size;
	unsigned int i;
	int r;

	if (access(path, F_OK))
		return 0;
	set = ccdm_certs_own(NULL);
	r = set ? ccdm_file_read(path, CCDM_CERT_MAX, &text, &size, err) : ccdm_err_memory(err);
	if (!r) {
		r = ccdm_certs_add(set, path, text, size, NULL, err);
		free(text);
	}
	for (i = 0; !r && why == CCDM_CRL_REPLACES && ccdm_certs_crl(set, i); i++)
		why = ccdm_crl_replace(crl, ccdm_certs_crl(set, i), slot->root);
	if (why != CCDM_CRL_REPLACES)
		r = ccdm_err_set(err, -ESTALE, "%s: refused: %s; %s is kept", what,
				 ccdm_crl_change_text(why), path);
	ccdm_certs_free(set);
	return r;
}

/* @set: the list to store. @beside: certificates that include its issuer. */
static int ccdm_keep_crl(struct ccdm_keep *k, const struct ccdm_slot *slot, const char *what,
			 const struct ccdm_certs *set, const struct ccdm_certs *beside,
			 struct ccdm_verdict *v, struct ccdm_kept *kept, struct ccdm_err *err)
{
	const struct ccdm_crl *crl = ccdm_certs_crl(set, 0);
	struct ccdm_path path = { .crl_url = ccdm_url_crl };
	struct ccdm_crl_info info;
	int r;

	if (!crl || ccdm_certs_crl(set, 1))
		return ccdm_err_set(err, -EINVAL, "%s: expected one revocation list, found %s",
				    what, crl ? "several" : "none");
	/*
	 * Nobody would check these certificates, and in certs/ they would count as the operator's.
	 */
	if (ccdm_certs_at(set, 0))
		return ccdm_err_set(
			err, -EINVAL,
			"%s: expected only a revocation list, found certificates as well", what);
	ccdm_crl_info(crl, &info);
	if (!slot)
		slot = ccdm_slot_of(info.issuer, false);
	if (!slot)
		return ccdm_err_set(
			err, -EINVAL,
			"%s: expected a list of AMD or Intel, found one of '%s'; copy it to certs/ "
			"yourself",
			what, info.issuer);
	ccdm_verdict_add(v, "issuer", !strcmp(info.issuer, slot->issuer), 0, slot->issuer, "%s",
			 info.issuer);
	r = ccdm_keep_roots(k, slot->tdx, &path);
	if (!r)
		r = ccdm_crl_check(beside, crl, &path, v);
	if (r)
		return ccdm_err_memory(err);
	r = ccdm_keep_accepted(what, v, err);
	if (r)
		return r;
	snprintf(kept->what, sizeof(kept->what), "%s", slot->what);
	snprintf(kept->path, sizeof(kept->path), "%s/certs/%s", k->dir, slot->file);
	kept->until = info.to;
	kept->reload = true;
	return ccdm_keep_newer(slot, what, crl, kept->path, err);
}

int ccdm_keep_list(struct ccdm_keep *k, const struct ccdm_slot *slot, const char *what,
		   const void *bytes, size_t size, const char *chain, struct ccdm_kept *kept,
		   struct ccdm_err *err)
{
	/*
	 * Store only the list. Its issuer comes with evidence, or is among the stored certificates.
	 */
	struct ccdm_certs *beside = ccdm_certs_own(k->certs), *set = ccdm_certs_own(NULL);
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	char *text = NULL;
	int r = beside && set && v ? 0 : ccdm_err_memory(err);

	memset(kept, 0, sizeof(*kept));
	if (!r && chain)
		r = ccdm_certs_add(beside, what, chain, strlen(chain), NULL, err);
	if (!r)
		r = ccdm_certs_add(set, what, bytes, size, NULL, err);
	if (!r) {
		v->allow = CCDM_ALLOW_NO_CRL;
		r = ccdm_keep_crl(k, slot, what, set, beside, v, kept, err);
	}
	if (!r && ccdm_certs_text(set, &text, &size))
		r = ccdm_err_memory(err);
	if (!r)
		r = ccdm_keep_write(text, size, kept, err);
	/* What this list revokes is revoked for the files that follow. */
	if (!r)
		r = ccdm_keep_certs(k, what, text, size, err);
	free(text);
	free(v);
	ccdm_certs_free(set);
	ccdm_certs_free(beside);
	return r;
}

/* ---- certificates of chips ---------------------------------------------------------------- */

static int ccdm_keep_chip(struct ccdm_keep *k, const struct ccdm_certs *set,
			  const struct ccdm_cert *leaf, struct ccdm_verdict *v,
			  struct ccdm_kept *kept)
{
	struct ccdm_path path = { .no_leaf_crl = true, .crl_url = ccdm_url_crl };
	static const uint8_t zero[CHIP - 8];
	enum ccdm_snp_generation generation;
	const char *name;
	uint8_t chip[CHIP];
	char cn[64];
	size_t size;
	int64_t from;
	int r = ccdm_keep_roots(k, false, &path);

	if (r)
		return r;
	ccdm_cert_cn(leaf, cn);
	ccdm_verdict_add(v, "certificate", !strcmp(cn, "SEV-VCEK"), 0, "SEV-VCEK", "%s", cn);
	size = ccdm_snp_cert_chip(leaf, &generation, chip);
	ccdm_verdict_add(v, "chip-id", size, 0, "a chip ID", "%s", size ? "one" : "none");
	r = ccdm_certs_path(set, leaf, &path, v);
	if (r)
		return r;
	name = ccdm_snp_generation_name(generation);
	/* the operator's own roots are named after files */
	ccdm_verdict_add(v, "generation",
			 !path.builtin || (path.anchor && !strcmp(path.anchor->name, name)), 0,
			 path.anchor ? path.anchor->name : "the generation of a root", "%s", name);
	v->complete = true;
	snprintf(kept->what, sizeof(kept->what), "VCEK of a chip of %s", name);
	ccdm_cert_validity(leaf, &from, &kept->until);
	return ccdm_keep_path(k->dir, "vcek", chip, memcmp(chip + 8, zero, sizeof(zero)) ? CHIP : 8,
			      "der", kept->path);
}

/* Did this chip sign the report? Its verifier checks the rest of the report. */
static int ccdm_keep_signed(struct ccdm_keep *k, const struct ccdm_certs *set,
			    const struct ccdm_cert *leaf, const struct ccdm_snp *snp,
			    struct ccdm_verdict *v)
{
	struct ccdm_snp_want want = { .certs = set, .leaf = leaf, .at = k->at };
	struct ccdm_snp copy = *snp;

	want.anchors = ccdm_trust_anchors(k->trust, &want.nr_anchors);
	memset(v, 0, sizeof(*v));
	v->allow = ~0U;
	return ccdm_snp_verify(&copy, &want, v);
}

int ccdm_keep_vcek(struct ccdm_keep *k, const char *what, const void *bytes, size_t size,
		   const struct ccdm_snp *snp, struct ccdm_kept *kept, struct ccdm_err *err)
{
	struct ccdm_certs *set = ccdm_certs_own(k->certs);
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	const struct ccdm_cert *leaf = NULL;
	uint8_t *der = NULL;
	int r = set && v ? 0 : ccdm_err_memory(err);

	memset(kept, 0, sizeof(*kept));
	if (!r)
		r = ccdm_certs_add(set, what, bytes, size, &leaf, err);
	if (!r && !leaf)
		r = ccdm_err_set(err, -EINVAL, "%s: expected a certificate, found none", what);
	if (r)
		goto out;
	v->allow = CCDM_ALLOW_NO_CRL;
	r = ccdm_keep_chip(k, set, leaf, v, kept);
	if (r) {
		ccdm_err_set(err, r, "%s: %s", what, strerror(-r));
		goto out;
	}
	r = ccdm_keep_accepted(what, v, err);
	if (!r && snp) {
		r = ccdm_keep_signed(k, set, leaf, snp, v);
		r = r ? ccdm_err_memory(err) : ccdm_keep_accepted(what, v, err);
	}
	if (!r && ccdm_cert_der(leaf, &der, &size))
		r = ccdm_err_memory(err);
	if (!r)
		r = ccdm_keep_write(der, size, kept, err);
out:
	free(der);
	free(v);
	ccdm_certs_free(set);
	return r;
}

/* ---- collateral of platforms ---------------------------------------------------------------- */

/* May a text replace another one? zero is no. */
enum ccdm_signed_change {
	CCDM_SIGNED_LOWER_NUMBER,
	CCDM_SIGNED_OLDER_DATE,
	CCDM_SIGNED_REPLACES,
};

static enum ccdm_signed_change ccdm_signed_replace(const struct ccdm_signed *s,
						   const struct ccdm_signed *old)
{
	struct ccdm_signed_info a, b;

	ccdm_signed_info(s, &a);
	ccdm_signed_info(old, &b);
	return a.number < b.number ? CCDM_SIGNED_LOWER_NUMBER
	       : a.from < b.from   ? CCDM_SIGNED_OLDER_DATE
				   : CCDM_SIGNED_REPLACES;
}

static int ccdm_keep_signed_newer(const char *what, const char *text,
				  enum ccdm_signed_change change, const char *path,
				  struct ccdm_err *err)
{
	if (change == CCDM_SIGNED_REPLACES)
		return 0;
	return ccdm_err_set(err, -ESTALE, "%s: refused: %s: %s; %s is kept", what, text,
			    change == CCDM_SIGNED_LOWER_NUMBER ? "its evaluation number is lower"
							       : "it has an older date",
			    path);
}

static int ccdm_keep_current(const char *what, const struct ccdm_collateral *c, const char *path,
			     struct ccdm_err *err)
{
	struct ccdm_certs *set = ccdm_certs_own(NULL);
	struct ccdm_collateral old = { 0 };
	char *text;
	size_t size;
	int r = set ? 0 : ccdm_err_memory(err);

	if (!r && !access(path, F_OK)) {
		r = ccdm_file_read(path, CCDM_COLLATERAL_MAX, &text, &size, err);
		if (!r) {
			r = ccdm_collateral_bundle(path, text, size, &old, set, err);
			free(text);
		}
		/* an invalid old file does not count, and is replaced */
		if (r == -EINVAL) {
			r = 0;
			goto out;
		}
		if (!r)
			r = ccdm_keep_signed_newer(what, "TCB info",
						   ccdm_signed_replace(&c->tcb, &old.tcb), path,
						   err);
		if (!r)
			r = ccdm_keep_signed_newer(what, "identity of the quoting enclave",
						   ccdm_signed_replace(&c->qe, &old.qe), path, err);
	}
out:
	ccdm_collateral_drop(&old);
	ccdm_certs_free(set);
	return r;
}

/* Verify both texts and the revocation lists that came with them. */
static int ccdm_keep_genuine(struct ccdm_keep *k, const char *what, const struct ccdm_certs *set,
			     const struct ccdm_collateral *c, struct ccdm_verdict *v,
			     struct ccdm_err *err)
{
	struct ccdm_path path = { .crl_url = ccdm_url_crl }, each;
	const struct ccdm_crl *crl;
	unsigned int i;
	int r = ccdm_keep_roots(k, true, &path);

	v->allow = CCDM_ALLOW_NO_CRL;
	if (!r)
		r = ccdm_collateral_genuine(c, set, path.anchors, path.nr_anchors, k->at, v);
	if (r)
		return ccdm_err_memory(err);
	r = ccdm_keep_accepted(what, v, err);
	for (i = 0; !r && (crl = ccdm_certs_crl(set, i)); i++) {
		memset(v, 0, sizeof(*v));
		v->allow = CCDM_ALLOW_NO_CRL;
		each = path;
		r = ccdm_crl_check(set, crl, &each, v);
		r = r ? ccdm_err_memory(err) : ccdm_keep_accepted(what, v, err);
	}
	return r;
}

char *ccdm_keep_assemble(const struct ccdm_answers *a)
{
	json_t *o = json_object();
	char *text;

	ccdm_json_put(&o, "tcb_info", json_stringn(a->c.tcb.text, a->c.tcb.size));
	ccdm_json_put(&o, "tcb_info_signature", ccdm_json_make_hex(a->c.tcb.signature, 64));
	ccdm_json_put(&o, "qe_identity", json_stringn(a->c.qe.text, a->c.qe.size));
	ccdm_json_put(&o, "qe_identity_signature", ccdm_json_make_hex(a->c.qe.signature, 64));
	if (a->tcb_chain)
		ccdm_json_put(&o, "tcb_info_issuer_chain", json_string(a->tcb_chain));
	if (a->qe_chain)
		ccdm_json_put(&o, "qe_identity_issuer_chain", json_string(a->qe_chain));
	text = ccdm_json_dump(o, 0);
	json_decref(o);
	return text;
}

/* Copy the known members into a new text. */
static char *ccdm_keep_bundle(const char *bundle, size_t size)
{
	static const char *const keys[] = {
		"tcb_info",
		"tcb_info_signature",
		"qe_identity",
		"qe_identity_signature",
		"tcb_info_issuer_chain",
		"qe_identity_issuer_chain",
		"pck_crl_issuer_chain",
		"root_ca_crl",
		"pck_crl",
	};
	json_t *o = json_loadb(bundle, size, JSON_REJECT_DUPLICATES, NULL), *out = json_object();
	char *text;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_is_string(json_object_get(o, keys[i])))
			ccdm_json_put(&out, keys[i], json_incref(json_object_get(o, keys[i])));
	/* it was parsed before, so a failure means out of memory */
	text = o ? ccdm_json_dump(out, JSON_INDENT(1)) : NULL;
	json_decref(out);
	json_decref(o);
	return text;
}

int ccdm_keep_collateral(struct ccdm_keep *k, const char *what, const char *bundle, size_t size,
			 const uint8_t fmspc[6], struct ccdm_kept *kept, struct ccdm_err *err)
{
	struct ccdm_certs *set = ccdm_certs_own(k->certs);
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_signed_info tcb, qe;
	struct ccdm_collateral c = { 0 };
	char hex[13], *text = NULL;
	uint8_t found[6];
	int r = set && v ? 0 : ccdm_err_memory(err);

	memset(kept, 0, sizeof(*kept));
	if (!r)
		r = ccdm_collateral_bundle(what, bundle, size, &c, set, err);
	if (!r)
		r = ccdm_keep_genuine(k, what, set, &c, v, err);
	if (!r && !ccdm_collateral_fmspc(&c, found))
		r = ccdm_err_set(err, -ECANCELED, "%s: refused: TCB info without an FMSPC", what);
	if (!r && fmspc && memcmp(found, fmspc, sizeof(found)))
		r = ccdm_err_set(err, -ECANCELED, "%s: refused: TCB info of another FMSPC", what);
	if (!r)
		r = ccdm_keep_path(k->dir, "collateral", found, sizeof(found), "json", kept->path);
	if (!r)
		r = ccdm_keep_current(what, &c, kept->path, err);
	if (!r) {
		ccdm_hex(found, sizeof(found), hex);
		snprintf(kept->what, sizeof(kept->what), "collateral of FMSPC %s", hex);
		ccdm_signed_info(&c.tcb, &tcb);
		ccdm_signed_info(&c.qe, &qe);
		kept->until = tcb.to < qe.to ? tcb.to : qe.to;
		text = ccdm_keep_bundle(bundle, size);
		r = text ? ccdm_keep_write(text, strlen(text), kept, err) : ccdm_err_memory(err);
	}
	free(text);
	free(v);
	ccdm_collateral_drop(&c);
	ccdm_certs_free(set);
	return r;
}
