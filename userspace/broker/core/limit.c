// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* limit.c - see limit.h */
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include "limit.h"

#define CHAINS	1024
#define MINUTE	60000000LL
#define DAY	(1440 * MINUTE)
#define SHARE	8	      /* part of the log's bytes that one address may take */
#define RESERVE (64ULL << 20) /* bytes of the disk that refusals leave free */

struct ccdm_sources {
	struct ccdm_source all[CCDM_SOURCES];
	struct ccdm_source *chain[CHAINS];
	struct ccdm_source others; /* shared by all for which there is no entry */
	unsigned int used;
	uint64_t seed; /* so that nobody can choose addresses of one chain */
};

/* ---- addresses --------------------------------------------------------------------- */

struct ccdm_sources *ccdm_sources_new(void)
{
	struct ccdm_sources *s = calloc(1, sizeof(*s));

	if (s && RAND_bytes((uint8_t *)&s->seed, sizeof(s->seed)) != 1) {
		free(s);
		return NULL;
	}
	return s;
}

void ccdm_sources_free(struct ccdm_sources *s)
{
	free(s);
}

/* Return: the family, or 0 if the address is of no known family. */
static sa_family_t ccdm_source_prefix(const struct sockaddr *address, uint8_t prefix[8])
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	memset(prefix, 0, 8);
	if (address->sa_family == AF_INET) {
		memcpy(&four, address, sizeof(four));
		memcpy(prefix, &four.sin_addr, 4);
		return AF_INET;
	}
	if (address->sa_family != AF_INET6)
		return 0;
	memcpy(&six, address, sizeof(six));
	if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
		memcpy(prefix, six.sin6_addr.s6_addr + 12, 4);
		return AF_INET;
	}
	memcpy(prefix, six.sin6_addr.s6_addr, 8);
	return AF_INET6;
}

static unsigned int ccdm_source_hash(const struct ccdm_sources *s, sa_family_t family,
				     const uint8_t prefix[8])
{
	uint64_t h;

	memcpy(&h, prefix, sizeof(h));
	h = (h ^ s->seed ^ family) * 0x9e3779b97f4a7c15ULL;
	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL;
	return (h ^ h >> 32) % CHAINS;
}

/* True if an entry says nothing that a new one would not say. */
static bool ccdm_source_idle(const struct ccdm_source *a, int64_t us)
{
	return a->connect <= us && a->line <= us && a->bytes <= us;
}

/* An entry that a new address may take; NULL if all have connections or requests. */
static struct ccdm_source *ccdm_source_spare(struct ccdm_sources *s, int64_t us)
{
	struct ccdm_source *oldest = NULL;
	unsigned int i;

	if (s->used < CCDM_SOURCES)
		return &s->all[s->used++];
	for (i = 0; i < CCDM_SOURCES; i++) {
		struct ccdm_source *a = &s->all[i];

		if (a->connections || a->waiting)
			continue;
		if (ccdm_source_idle(a, us))
			return a;
		if (!oldest || a->seen < oldest->seen)
			oldest = a;
	}
	return oldest;
}

static void ccdm_source_unlink(struct ccdm_sources *s, const struct ccdm_source *a)
{
	struct ccdm_source **at = &s->chain[ccdm_source_hash(s, a->family, a->prefix)];

	for (; *at; at = &(*at)->next)
		if (*at == a) {
			*at = a->next;
			return;
		}
}

struct ccdm_source *ccdm_sources_find(struct ccdm_sources *s, const struct sockaddr *address,
				      int64_t us)
{
	struct ccdm_source **chain, *a;
	uint8_t prefix[8];
	sa_family_t family = ccdm_source_prefix(address, prefix);

	if (!family)
		return &s->others;
	chain = &s->chain[ccdm_source_hash(s, family, prefix)];
	for (a = *chain; a; a = a->next)
		if (a->family == family && !memcmp(a->prefix, prefix, sizeof(prefix)))
			break;
	if (!a) {
		a = ccdm_source_spare(s, us);
		if (!a)
			return &s->others;
		if (a->family)
			ccdm_source_unlink(s, a);
		*a = (struct ccdm_source){ .family = family, .next = *chain };
		memcpy(a->prefix, prefix, sizeof(prefix));
		*chain = a;
	}
	a->seen = us;
	return a;
}

/* ---- allowances ---------------------------------------------------------------------- */

bool ccdm_limit_take(int64_t *full, int64_t us, uint64_t n, int64_t each, uint64_t most)
{
	int64_t from = *full > us ? *full : us;

	if (n > most || from - us > (int64_t)(most - n) * each)
		return false;
	*full = from + (int64_t)n * each;
	return true;
}

bool ccdm_limit_connect(const struct ccdm_limits *limits, struct ccdm_source *a, int64_t us)
{
	if (!limits->rate)
		return true;
	return ccdm_limit_take(&a->connect, us, 1, 1000000 / (int64_t)limits->rate, limits->burst);
}

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

bool ccdm_quota_line(struct ccdm_quota *q, struct ccdm_source *a, size_t size, int64_t us)
{
	const struct ccdm_limits *l = &q->limits;
	int64_t line = a ? a->line : 0, bytes = a ? a->bytes : 0, each;

	if (a && l->lines && !ccdm_limit_take(&line, us, 1, MINUTE / (int64_t)l->lines, l->lines))
		return false;
	/* rounded up: a day never has more than its bytes */
	each = l->bytes ? (DAY + (int64_t)l->bytes - 1) / (int64_t)l->bytes : 0;
	if (a && l->bytes && !ccdm_limit_take(&bytes, us, size, each * SHARE, l->bytes / SHARE))
		return false;
	if (ccdm_quota_low(q))
		return false;
	if (l->bytes && !ccdm_limit_take(&q->full, us, size, each, l->bytes))
		return false;
	if (a) {
		a->line = line;
		a->bytes = bytes;
	}
	return true;
}
