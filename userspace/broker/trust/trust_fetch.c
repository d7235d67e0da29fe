// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* trust_fetch.c - see trust_fetch.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "net/http.h"
#include "base/json.h"
#include "trust_fetch.h"

#define VCEK_MAX (16 << 10) /* bytes */

/* State kept between the downloads. */
struct ccdm_fetching {
	struct ccdm_fetch *fetch;
	struct ccdm_keep *keep;
	const char *limited; /* base URL of a server that is not asked again, */
	bool silent;	     /* because it did not answer in time (else: it sent 429) */
	char *qe;	     /* the answer about the quoting enclave's identity */
	size_t qe_size;
	char *qe_chain;
	int first; /* the first error */
	struct ccdm_err *first_err;
	unsigned int failed;
};

/* A source to download. */
struct ccdm_source {
	char url[CCDM_URL_MAX];
	char path[512]; /* where it is stored */
	const char *header;
	size_t max;
	const struct ccdm_slot *slot; /* of a revocation list */
	const uint8_t *fmspc;	      /* of TCB info */
	bool qe;
};

/* ---- one answer ----------------------------------------------------------------- */

/* Ask this server no more: a slow one would delay all downloads, and block an import, for hours. */
static void ccdm_fetch_limit(struct ccdm_fetching *f, const char *url, bool silent)
{
	f->limited = !strncmp(url, CCDM_URL_AMD "/", strlen(CCDM_URL_AMD) + 1) ? CCDM_URL_AMD
									       : CCDM_URL_INTEL;
	f->silent = silent;
}

static int ccdm_fetch_status(struct ccdm_http *http, const char *url, long status,
			     struct ccdm_fetching *f, struct ccdm_err *err)
{
	char *after = NULL;
	int r = -EPROTO;

	if (status == 200)
		return 0;
	if (status == 429) {
		ccdm_fetch_limit(f, url, false);
		if (ccdm_http_header(http, "Retry-After", &after))
			after = NULL;
		ccdm_err_set(
			err, r,
			"%s: the server refuses more requests for now (429); try again in %.20s "
			"seconds",
			url, after ? after : "some");
		free(after);
	} else if (status >= 300 && status < 400) {
		ccdm_err_set(err, r, "%s: the server redirects (%ld); redirects are not followed",
			     url, status);
	} else if (status == 404) {
		ccdm_err_set(err, r, "%s: the server does not have it (404)", url);
	} else {
		ccdm_err_set(err, r, "%s: the server answers %ld", url, status);
	}
	return r;
}

/* @chain: set to the value of the source's header, or to NULL. */
static int ccdm_fetch_get(struct ccdm_fetching *f, const struct ccdm_source *s,
			  struct ccdm_http_answer *answer, char **chain, struct ccdm_err *err)
{
	const char *path = strchr(s->url + strlen("https://"), '/');
	char vendor[CCDM_URL_MAX], base[CCDM_URL_MAX];
	struct ccdm_http_conf conf = { .url = base,
				       .ca = f->fetch->ca,
				       .timeout = f->fetch->timeout,
				       .max = s->max,
				       .published = true };
	struct ccdm_http *http = NULL;
	struct ccdm_err why = { 0 };
	int r;

	memset(answer, 0, sizeof(*answer));
	*chain = NULL;
	snprintf(vendor, sizeof(vendor), "%.*s", (int)(path - s->url), s->url);
	if (f->limited && !strncmp(vendor, f->limited, strlen(f->limited)))
		return ccdm_err_set(err, -EPROTO, "%s: not requested: %s", s->url,
				    f->silent ? "its server did not answer in time"
					      : "too many requests (429)");
	snprintf(base, sizeof(base), "%s", f->fetch->from ? f->fetch->from : vendor);
	/* the path begins with a slash */
	if (base[0] && base[strlen(base) - 1] == '/')
		base[strlen(base) - 1] = '\0';
	r = ccdm_http_open(&conf, &http, &why);
	if (!r)
		r = ccdm_http_ask(http, path, NULL, NULL, answer, &why);
	if (r) {
		if (r == -ETIMEDOUT)
			ccdm_fetch_limit(f, s->url, true);
		*err = why;
		ccdm_err_text(err, "%s: not fetched: %s", s->url, why.text);
	}
	if (!r)
		r = ccdm_fetch_status(http, s->url, answer->status, f, err);
	if (!r && s->header && ccdm_http_header(http, s->header, chain))
		r = ccdm_err_set(err, -EPROTO, "%s: invalid header %s", s->url, s->header);
	if (!r && !answer->size)
		r = ccdm_err_set(err, -EPROTO, "%s: the answer is empty", s->url);
	if (r)
		ccdm_http_drop(answer);
	ccdm_http_close(http);
	return r;
}

/* ---- kinds of answers -------------------------------------------------------------- */

static int ccdm_fetch_tcb(struct ccdm_fetching *f, const struct ccdm_source *s,
			  const struct ccdm_http_answer *a, const char *chain,
			  struct ccdm_kept *kept, struct ccdm_err *err)
{
	struct ccdm_answers all = { .tcb_chain = chain, .qe_chain = f->qe_chain };
	char *bundle = NULL;
	int r;

	r = ccdm_collateral_tcb(s->url, a->body, a->size, &all.c, err);
	if (!r)
		r = ccdm_collateral_qe(CCDM_URL_QE, f->qe, f->qe_size, &all.c, err);
	if (!r) {
		bundle = ccdm_keep_assemble(&all);
		r = bundle ? ccdm_keep_collateral(f->keep, s->url, bundle, strlen(bundle), s->fmspc,
						  kept, err)
			   : ccdm_err_memory(err);
	}
	free(bundle);
	ccdm_collateral_drop(&all.c);
	return r;
}

/* Download and store one source. @kept->path stays empty if it is stored with another one. */
static int ccdm_fetch_one(struct ccdm_fetching *f, const struct ccdm_source *s,
			  struct ccdm_kept *kept, struct ccdm_err *err)
{
	struct ccdm_http_answer a;
	char *chain;
	int r = ccdm_fetch_get(f, s, &a, &chain, err);

	if (r)
		return r;
	if (s->slot) {
		r = ccdm_keep_list(f->keep, s->slot, s->url, a.body, a.size, chain, kept, err);
	} else if (s->qe) {
		f->qe = malloc(a.size + 1);
		if (f->qe) {
			memcpy(f->qe, a.body, a.size + 1);
			f->qe_size = a.size;
			f->qe_chain = chain;
			chain = NULL;
		} else {
			r = ccdm_err_memory(err);
		}
	} else if (s->fmspc) {
		r = ccdm_fetch_tcb(f, s, &a, chain, kept, err);
	} else {
		r = ccdm_keep_vcek(f->keep, s->url, a.body, a.size, f->fetch->report, kept, err);
	}
	free(chain);
	ccdm_http_drop(&a);
	return r;
}

/* Report what became of a source or, with --print, what would be downloaded. */
static void ccdm_fetch_source(struct ccdm_fetching *f, const struct ccdm_source *s)
{
	struct ccdm_fetched said = { .url = s->url, .path = s->path, .header = s->header };
	struct ccdm_kept kept = { 0 };
	struct ccdm_err err = { 0 };
	int r = 0;

	if (!f->fetch->print) {
		r = ccdm_fetch_one(f, s, &kept, &err);
		if (r)
			said.err = &err;
		else
			said.kept = &kept;
	}
	if (r && !f->first) {
		f->first = r;
		*f->first_err = err;
	}
	f->failed += !!r;
	/* the identity is reported with each platform that it is stored for */
	if (r || f->fetch->print || !s->qe)
		f->fetch->said(&said, f->fetch->arg);
}

/* ---- all sources ---------------------------------------------------------------------- */

static int ccdm_fetch_vcek(struct ccdm_fetching *f, struct ccdm_err *err)
{
	const struct ccdm_snp *snp = f->fetch->report;
	struct ccdm_source s = { .max = VCEK_MAX };
	bool turin = snp->generation >= CCDM_SNP_TURIN;
	int r;

	if (!ccdm_url_vcek(snp, s.url))
		return ccdm_err_set(
			err, -EINVAL,
			"the report does not identify its certificate: it has version 2, a VLEK "
			"signed it, or its chip ID is masked");
	r = ccdm_keep_path(f->fetch->dir, "vcek", snp->chip_id, turin ? 8 : sizeof(snp->chip_id),
			   "der", s.path);
	if (r)
		return ccdm_err_set(err, r, "%s: %s", f->fetch->dir, strerror(-r));
	ccdm_fetch_source(f, &s);
	return 0;
}

static void ccdm_fetch_lists(struct ccdm_fetching *f)
{
	const struct ccdm_slot *slot;
	unsigned int i;

	for (i = 0; (slot = ccdm_slot(i)); i++) {
		struct ccdm_source s = { .max = CCDM_CERT_MAX, .slot = slot };

		if (slot->tdx ? !f->fetch->tdx : !f->fetch->snp)
			continue;
		if (!ccdm_url_crl(slot->issuer, slot->subject, s.url))
			continue; /* each slot belongs to a vendor with a URL */
		snprintf(s.path, sizeof(s.path), "%s/certs/%s", f->fetch->dir, slot->file);
		if (slot->tdx && !slot->root)
			s.header = "SGX-PCK-CRL-Issuer-Chain";
		ccdm_fetch_source(f, &s);
	}
}

/* Add the platform of file @name, "FMSPC.json"; ignore other files. Return: 0, -E2BIG */
static int ccdm_fetch_known(struct ccdm_fetch *fetch, const char *name)
{
	char hex[13] = "";
	uint8_t fmspc[6];
	unsigned int k;

	if (strlen(name) == 17 && !strcmp(name + 12, ".json"))
		memcpy(hex, name, 12);
	if (ccdm_unhex(hex, fmspc, 6))
		return 0;
	for (k = 0; k < fetch->nr_fmspc; k++)
		if (!memcmp(fetch->fmspc[k], fmspc, 6))
			return 0;
	if (k == CCDM_FETCH_FMSPC)
		return -E2BIG;
	memcpy(fetch->fmspc[fetch->nr_fmspc++], fmspc, 6);
	return 0;
}

/* Add the platforms that already have collateral, so they are downloaded again. */
static int ccdm_fetch_stored(struct ccdm_fetch *fetch, struct ccdm_err *err)
{
	struct dirent **names;
	char dir[512];
	int i, n, r = 0;

	snprintf(dir, sizeof(dir), "%s/collateral", fetch->dir);
	n = ccdm_trust_names(dir, &names, err);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++) {
		if (!r)
			r = ccdm_fetch_known(fetch, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	/* Fail, because a platform that is left out would expire without a warning. */
	return r ? ccdm_err_set(err, r, "%s: more than %u platforms", dir, CCDM_FETCH_FMSPC) : 0;
}

static int ccdm_fetch_platforms(struct ccdm_fetching *f, struct ccdm_err *err)
{
	struct ccdm_source qe = { .max = CCDM_COLLATERAL_MAX,
				  .qe = true,
				  .url = CCDM_URL_QE,
				  .header = "SGX-Enclave-Identity-Issuer-Chain" };
	unsigned int i;
	int r;

	if (!f->fetch->nr_fmspc)
		return 0;
	snprintf(qe.path, sizeof(qe.path), "%s/collateral", f->fetch->dir);
	ccdm_fetch_source(f, &qe);
	/* TCB info without the identity is useless */
	if (!f->qe && !f->fetch->print)
		return 0;
	for (i = 0; i < f->fetch->nr_fmspc; i++) {
		struct ccdm_source s = { .max = CCDM_COLLATERAL_MAX,
					 .fmspc = f->fetch->fmspc[i],
					 .header = "TCB-Info-Issuer-Chain" };

		ccdm_url_tcb_info(s.fmspc, s.url);
		r = ccdm_keep_path(f->fetch->dir, "collateral", s.fmspc, 6, "json", s.path);
		if (r)
			return ccdm_err_set(err, r, "%s: %s", f->fetch->dir, strerror(-r));
		ccdm_fetch_source(f, &s);
	}
	return 0;
}

int ccdm_fetch(struct ccdm_fetch *fetch, struct ccdm_err *err)
{
	struct ccdm_fetching f = { .fetch = fetch, .first_err = err };
	int r = fetch->print ? 0 : ccdm_keep_open(fetch->dir, fetch->at, &f.keep, err);

	if (!r && fetch->tdx)
		r = ccdm_fetch_stored(fetch, err);
	if (!r && fetch->report)
		r = ccdm_fetch_vcek(&f, err);
	if (!r) {
		ccdm_fetch_lists(&f);
		r = ccdm_fetch_platforms(&f, err);
	}
	ccdm_keep_close(f.keep);
	free(f.qe);
	free(f.qe_chain);
	return r ? r : f.first;
}
