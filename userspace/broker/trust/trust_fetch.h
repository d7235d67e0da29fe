/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * trust_fetch.h - fetch what vendors publish, and keep it
 *
 * Over HTTPS alone, without redirects. The servers are not trusted: what they send is kept only if
 * trust_keep.h finds it genuine.
 */
#ifndef CCDM_BROKER_TRUST_FETCH_H
#define CCDM_BROKER_TRUST_FETCH_H

#include "base/compiler.h"
#include "trust_keep.h"

#define CCDM_FETCH_FMSPC 4096 /* platforms at a time */

/**
 * struct ccdm_fetched - a piece that was fetched, or is to be
 * @url: where it is
 * @path: where it goes
 * @header: of the answer, that whoever fetches by hand needs, too; or NULL
 * @kept: what became of it; NULL with an error, or if nothing was fetched
 * @err: why it was not kept, or NULL
 */
struct ccdm_fetched {
	const char *url;
	const char *path;
	const char *header;
	const struct ccdm_kept *kept;
	const struct ccdm_err *err;
};

/**
 * struct ccdm_fetch - what to fetch
 * @dir: the trust directory
 * @at: time at which pieces must be in force
 * @timeout: seconds for one answer; a server that gives none in it is asked for nothing more
 * @from: https://HOST[:PORT], a mirror in place of both vendors; NULL for them
 * @ca: file of the CAs that know the servers
 * @snp, @tdx: AMD's lists; Intel's, and the collateral that is in @dir
 * @fmspc, @nr_fmspc: more platforms
 * @report: fetch its VCEK; or NULL
 * @print: fetch nothing, only say what there is to fetch
 * @said: called for each piece
 * @arg: argument of the callback
 */
struct ccdm_fetch {
	const char *dir;
	int64_t at;
	unsigned int timeout;
	const char *from;
	const char *ca;
	bool snp, tdx;
	uint8_t fmspc[CCDM_FETCH_FMSPC][6];
	unsigned int nr_fmspc;
	const struct ccdm_snp *report;
	bool print;
	void (*said)(const struct ccdm_fetched *fetched, void *arg);
	void *arg;
};

/**
 * ccdm_fetch() - fetch all of it
 *
 * A piece that fails keeps none of the others from being fetched.
 *
 * Return: 0; the error of the first piece that failed, as its @said has got it.
 */
int __must_check ccdm_fetch(struct ccdm_fetch *fetch, struct ccdm_err *err);

#endif
