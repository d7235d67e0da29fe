// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* source.c - see source.h */
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include "source.h"

#define CHAINS 1024

/* The sources of one kind. */
struct ccdm_source_table {
	struct ccdm_source all[CCDM_SOURCES];
	struct ccdm_source *chain[CHAINS];
	struct ccdm_source others; /* shared by all for which there is no entry */
	unsigned int used;
};

struct ccdm_sources {
	struct ccdm_source_table table[CCDM_SOURCE_KINDS];
	uint64_t seed; /* so that nobody can choose addresses of one chain */
};

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

/* ---- addresses --------------------------------------------------------------------- */

/* Return: 4 or 16, the size of the address, or 0 if it is of no known family. */
static size_t ccdm_source_bytes(const struct sockaddr *address, uint8_t bytes[16])
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	memset(bytes, 0, 16);
	if (address->sa_family == AF_INET) {
		memcpy(&four, address, sizeof(four));
		memcpy(bytes, &four.sin_addr, 4);
		return 4;
	}
	if (address->sa_family != AF_INET6)
		return 0;
	memcpy(&six, address, sizeof(six));
	if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
		memcpy(bytes, six.sin6_addr.s6_addr + 12, 4);
		return 4;
	}
	memcpy(bytes, six.sin6_addr.s6_addr, 16);
	return 16;
}

static unsigned int ccdm_source_hash(const struct ccdm_sources *s, const uint8_t prefix[16])
{
	uint64_t h[2];

	memcpy(h, prefix, sizeof(h));
	h[0] = (h[0] ^ s->seed) * 0x9e3779b97f4a7c15ULL;
	h[0] = (h[0] ^ h[0] >> 29 ^ h[1]) * 0xbf58476d1ce4e5b9ULL;
	h[0] = (h[0] ^ h[0] >> 32 ^ s->seed) * 0x94d049bb133111ebULL;
	return (h[0] ^ h[0] >> 31) % CHAINS;
}

/* True if an entry says nothing that a new one would not say. */
static bool ccdm_source_idle(const struct ccdm_source *a, int64_t us)
{
	unsigned int i;

	for (i = 0; i < CCDM_LINE_KINDS; i++)
		if (a->line[i] > us || a->bytes[i] > us)
			return false;
	return a->connect <= us && a->quiet <= us;
}

static bool ccdm_source_free(const struct ccdm_source *a)
{
	return !a->held[CCDM_HELD_CONNECTIONS] && !a->held[CCDM_HELD_REQUESTS];
}

/* An entry that a new source may take; NULL if all hold something. */
static struct ccdm_source *ccdm_source_spare(struct ccdm_source_table *t, int64_t us)
{
	struct ccdm_source *oldest = NULL;
	unsigned int i;

	if (t->used < CCDM_SOURCES)
		return &t->all[t->used++];
	for (i = 0; i < CCDM_SOURCES; i++) {
		struct ccdm_source *a = &t->all[i];

		if (!ccdm_source_free(a))
			continue;
		if (ccdm_source_idle(a, us))
			return a;
		if (!oldest || a->seen < oldest->seen)
			oldest = a;
	}
	return oldest;
}

static void ccdm_source_unlink(struct ccdm_source **at, const struct ccdm_source *a)
{
	for (; *at; at = &(*at)->next)
		if (*at == a) {
			*at = a->next;
			return;
		}
}

/* Find a source of this kind, or make one. */
static struct ccdm_source *ccdm_source_entry(struct ccdm_sources *s, enum ccdm_source_kind kind,
					     const uint8_t prefix[16], struct ccdm_source *network,
					     int64_t us)
{
	struct ccdm_source_table *t = &s->table[kind];
	struct ccdm_source **chain = &t->chain[ccdm_source_hash(s, prefix)], *a;

	t->others.kind = kind;
	for (a = *chain; a; a = a->next)
		if (!memcmp(a->prefix, prefix, 16))
			break;
	if (!a) {
		a = ccdm_source_spare(t, us);
		if (!a)
			return &t->others;
		if (a->used)
			ccdm_source_unlink(&t->chain[ccdm_source_hash(s, a->prefix)], a);
		*a = (struct ccdm_source){ .kind = kind, .used = true, .next = *chain };
		memcpy(a->prefix, prefix, 16);
		*chain = a;
	}
	/* What holds something is counted in its network, which then stays the same. */
	if (ccdm_source_free(a))
		a->network = network;
	a->seen = us;
	return a;
}

struct ccdm_source *ccdm_sources_find(struct ccdm_sources *s, const struct sockaddr *address,
				      bool (*may)(const struct ccdm_source *source, void *arg),
				      void *arg, int64_t us)
{
	static const struct {
		enum ccdm_source_kind kind;
		size_t bytes;
	} levels[] = {
		{ CCDM_SOURCE_FOUR, 4 },
		{ CCDM_SOURCE_SITE, 6 },
		{ CCDM_SOURCE_LINK, 8 },
		{ CCDM_SOURCE_HOST, 16 },
	};
	uint8_t bytes[16], prefix[16];
	size_t size = ccdm_source_bytes(address, bytes), i;
	struct ccdm_source *a = NULL;

	if (!size)
		return &s->table[CCDM_SOURCE_FOUR].others;
	for (i = size == 4 ? 0 : 1; i < (size == 4 ? 1 : 4); i++) {
		memset(prefix, 0, sizeof(prefix));
		memcpy(prefix, bytes, levels[i].bytes);
		a = ccdm_source_entry(s, levels[i].kind, prefix, a, us);
		if (may && !may(a, arg))
			return NULL;
	}
	return a;
}

/* ---- who has how much ------------------------------------------------------------------ */

void ccdm_source_hold(struct ccdm_source *a, enum ccdm_held what, int n)
{
	for (; a; a = a->network)
		a->held[what] += (unsigned int)n;
}

static unsigned int ccdm_source_depth(const struct ccdm_source *a)
{
	unsigned int n = 0;

	for (; a->network; a = a->network)
		n++;
	return n;
}

bool ccdm_source_part(const struct ccdm_source **a, const struct ccdm_source **b)
{
	const struct ccdm_source *x = *a, *y = *b;
	unsigned int i = ccdm_source_depth(x), j = ccdm_source_depth(y);

	for (; i > j; i--)
		x = x->network;
	for (; j > i; j--)
		y = y->network;
	if (x == y)
		return false;
	while (x->network != y->network) {
		x = x->network;
		y = y->network;
	}
	*a = x;
	*b = y;
	return true;
}

static bool ccdm_source_in(const struct ccdm_source *a, const struct ccdm_source *network)
{
	for (; a; a = a->network)
		if (a == network)
			return true;
	return false;
}

bool ccdm_source_yields(const struct ccdm_source *a, const struct ccdm_source *b,
			const struct ccdm_source *to, enum ccdm_held what)
{
	unsigned int x, y;

	if (!ccdm_source_part(&a, &b))
		return false;
	x = a->held[what] + ccdm_source_in(to, a);
	y = b->held[what] + ccdm_source_in(to, b);
	if (x != y)
		return x > y;
	if (ccdm_source_in(to, a) || ccdm_source_in(to, b))
		return ccdm_source_in(to, b);
	return what == CCDM_HELD_REQUESTS && a->turn > b->turn;
}
