// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* limit.c - see limit.h */
#include <sys/statvfs.h>
#include "limit.h"

#define MINUTE	60000000LL
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)
#define RESERVE (64ULL << 20) /* bytes of the disk that refusals leave free */

/*
 * What a source has for each that one address has, and which part of the log's bytes it may take: one in
 * so many.
 */
static const struct {
	unsigned int weight, share;
} ccdm_limit_kinds[CCDM_SOURCE_KINDS] = {
	[CCDM_SOURCE_FOUR] = { 1, 8 },
	[CCDM_SOURCE_HOST] = { 1, 8 },
	[CCDM_SOURCE_LINK] = { 4, 4 },
	[CCDM_SOURCE_SITE] = { 16, 2 },
};

/* ---- allowances ---------------------------------------------------------------------- */

/* Are @n units there? */
static bool ccdm_limit_has(int64_t full, int64_t us, uint64_t n, int64_t each, uint64_t most)
{
	int64_t from = full > us ? full : us;

	return n <= most && from - us <= (int64_t)(most - n) * each;
}

bool ccdm_limit_take(int64_t *full, int64_t us, uint64_t n, int64_t each, uint64_t most)
{
	if (!ccdm_limit_has(*full, us, n, each, most))
		return false;
	*full = (*full > us ? *full : us) + (int64_t)n * each;
	return true;
}

/* ---- connections --------------------------------------------------------------------- */

struct ccdm_limit_ask {
	const struct ccdm_limits *limits;
	int64_t us;
};

/* Microseconds until a source has one connection more. */
static int64_t ccdm_limit_each(const struct ccdm_limits *limits, const struct ccdm_source *a)
{
	return 1000000 / (int64_t)(limits->rate * ccdm_limit_kinds[a->kind].weight);
}

static bool ccdm_limit_may(const struct ccdm_source *a, void *arg)
{
	const struct ccdm_limit_ask *q = arg;

	return ccdm_limit_has(a->connect, q->us, 1, ccdm_limit_each(q->limits, a),
			      q->limits->burst * ccdm_limit_kinds[a->kind].weight);
}

struct ccdm_source *ccdm_limit_connect(const struct ccdm_limits *limits,
				       struct ccdm_sources *sources, const struct sockaddr *address,
				       int64_t us)
{
	struct ccdm_limit_ask ask = { limits, us };
	struct ccdm_source *a, *n;

	if (!limits->rate)
		return ccdm_sources_find(sources, address, NULL, NULL, us);
	a = ccdm_sources_find(sources, address, ccdm_limit_may, &ask, us);
	for (n = a; n; n = n->network)
		n->connect = (n->connect > us ? n->connect : us) + ccdm_limit_each(limits, n);
	return a;
}

/* ---- the log -------------------------------------------------------------------------- */

bool ccdm_quota_low(const struct ccdm_quota *q)
{
	uint64_t all, left;
	struct statvfs fs;

	if (!q->directory || !q->directory[0] || statvfs(q->directory, &fs))
		return false; /* a log that cannot be written fails by itself */
	all = (uint64_t)fs.f_blocks * fs.f_frsize;
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	return left < (all / 8 < RESERVE ? all / 8 : RESERVE);
}

/* Microseconds until one of so many bytes of a day is there again; rounded up, so a day never has more. */
static int64_t ccdm_quota_each(uint64_t bytes)
{
	return (DAY + (int64_t)bytes - 1) / (int64_t)bytes;
}

/* Take a line and its bytes from an address and its networks. @really: false: only look */
static bool ccdm_quota_source(const struct ccdm_limits *l, struct ccdm_source *a,
			      enum ccdm_line_kind kind, uint64_t pool, size_t size, int64_t us,
			      bool really)
{
	int64_t line, bytes;

	for (; a; a = a->network) {
		const unsigned int share = ccdm_limit_kinds[a->kind].share;
		const uint64_t lines = l->lines * ccdm_limit_kinds[a->kind].weight;

		line = a->line[kind];
		bytes = a->bytes[kind];
		if (lines && !ccdm_limit_take(&line, us, 1, MINUTE / (int64_t)lines, lines))
			return false;
		if (pool &&
		    !ccdm_limit_take(&bytes, us, size, ccdm_quota_each(pool) * share, pool / share))
			return false;
		if (really) {
			a->line[kind] = line;
			a->bytes[kind] = bytes;
		}
	}
	return true;
}

/* Take a short line from an address and its networks. @really: false: only look */
static bool ccdm_quota_short(struct ccdm_source *a, int64_t us, bool really)
{
	int64_t quiet;

	for (; a; a = a->network) {
		const unsigned int most = ccdm_limit_kinds[a->kind].weight;

		quiet = a->quiet;
		if (!ccdm_limit_take(&quiet, us, 1, HOUR / most, most))
			return false;
		if (really)
			a->quiet = quiet;
	}
	return true;
}

enum ccdm_line ccdm_quota_line(struct ccdm_quota *q, struct ccdm_source *a,
			       enum ccdm_line_kind kind, size_t size, int64_t us)
{
	const struct ccdm_limits *l = &q->limits;
	uint64_t pool = kind == CCDM_LINE_STRANGER ? l->bytes / 2 : l->bytes / 4;
	size_t brief = size < CCDM_LINE_SHORT ? size : CCDM_LINE_SHORT;

	if (ccdm_quota_low(q))
		return CCDM_LINE_NONE;
	if (ccdm_quota_source(l, a, kind, pool, size, us, false) &&
	    (!pool || ccdm_limit_take(&q->full[kind], us, size, ccdm_quota_each(pool), pool))) {
		ccdm_quota_source(l, a, kind, pool, size, us, true);
		return CCDM_LINE_WHOLE;
	}
	pool = l->bytes / 4;
	if (a && ccdm_quota_short(a, us, false) &&
	    (!pool || ccdm_limit_take(&q->quiet, us, brief, ccdm_quota_each(pool), pool))) {
		ccdm_quota_short(a, us, true);
		return CCDM_LINE_BRIEF;
	}
	return CCDM_LINE_NONE;
}
