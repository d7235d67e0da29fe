/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * source.h - addresses of peers, and the networks that share their limits
 *
 * A peer proves nothing by its address, but a flood from one address must not keep out the others.
 * An address of IPv4 counts as itself, also in its IPv6 form (::ffff:a.b.c.d). The owner of an IPv6 network
 * has all addresses in it. So an address of IPv6 counts as itself, as its network of 64 bits, and as its
 * network of 48 bits. A network may take more than one address, but not as much as all its addresses.
 */
#ifndef CCDM_BROKER_SOURCE_H
#define CCDM_BROKER_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/compiler.h"

#define CCDM_SOURCES 4096 /* of each kind that the broker remembers */

enum ccdm_source_kind {
	CCDM_SOURCE_FOUR, /* an address of IPv4 */
	CCDM_SOURCE_HOST, /* an address of IPv6 */
	CCDM_SOURCE_LINK, /* an IPv6 network of 64 bits */
	CCDM_SOURCE_SITE, /* an IPv6 network of 48 bits */
	CCDM_SOURCE_KINDS
};

/* What a source has at this moment. */
enum ccdm_held {
	CCDM_HELD_CONNECTIONS,
	CCDM_HELD_REQUESTS, /* in the queue */
	CCDM_HELDS
};

/* Refusals that the log knows apart. */
enum ccdm_line_kind {
	CCDM_LINE_STRANGER, /* of a peer that has proved nothing */
	CCDM_LINE_GENUINE,  /* of a guest with genuine evidence */
	CCDM_LINE_KINDS
};

/**
 * struct ccdm_source - one address, or one network
 * @kind: which
 * @prefix: its first bits
 * @network: the smallest larger one that it is in; NULL: none
 * @held: what it has, with all addresses in it
 * @turn: the smaller, the earlier is its turn in the queue
 * @connect, @line, @bytes, @quiet: when it has its whole allowance again; see ccdm_limit_take()
 * @seen: last new connection
 * @next: with the same hash
 */
struct ccdm_source {
	enum ccdm_source_kind kind;
	uint8_t prefix[16];
	struct ccdm_source *network;
	unsigned int held[CCDM_HELDS];
	uint64_t turn;
	int64_t connect;
	int64_t line[CCDM_LINE_KINDS];
	int64_t bytes[CCDM_LINE_KINDS];
	int64_t quiet;
	int64_t seen;
	bool used;
	struct ccdm_source *next;
};

/* All sources; opaque. */
struct ccdm_sources;

/* Return: NULL if out of memory. */
struct ccdm_sources *ccdm_sources_new(void);
void ccdm_sources_free(struct ccdm_sources *sources); /* accepts NULL */

/**
 * ccdm_sources_find() - find the source of an address, or make one
 * @may: asked for each of its networks, the largest first, and for the address; NULL: all may
 * @arg: argument of the callback
 * @us: microseconds on the monotonic clock
 *
 * If all entries of a kind are in use, a new one replaces one that holds nothing. If there is none, all
 * further sources of this kind share one entry.
 *
 * Return: NULL if @may said no; then no smaller network has got an entry.
 */
struct ccdm_source *ccdm_sources_find(struct ccdm_sources *sources, const struct sockaddr *address,
				      bool (*may)(const struct ccdm_source *source, void *arg),
				      void *arg, int64_t us);

/* Count something that a source has from now on (@n is 1), or no longer (-1). */
void ccdm_source_hold(struct ccdm_source *source, enum ccdm_held what, int n);

/**
 * ccdm_source_part() - find the largest networks in which two sources differ
 *
 * Return: false if they do not: one of them is in the other.
 */
bool __must_check ccdm_source_part(const struct ccdm_source **a, const struct ccdm_source **b);

/**
 * ccdm_source_yields() - must @a give up something before @b, so that @to gets it?
 * @to: gets one more; it is not counted yet
 *
 * The one that has the most gives it up: of the networks in which they differ. If @b would have as many
 * as @a only with the new one, @a had more, and gives it up. If both have the same, requests wait in
 * turn, and the later one gives up; of connections, the caller's first one.
 */
bool __must_check ccdm_source_yields(const struct ccdm_source *a, const struct ccdm_source *b,
				     const struct ccdm_source *to, enum ccdm_held what);

#endif
