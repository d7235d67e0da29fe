/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * limit.h - what one address may take from the broker: connections, and lines of the log
 *
 * A peer proves nothing by its address, but a flood from one address must not keep out the others.
 * An address of IPv4 counts as itself, also in its IPv6 form (::ffff:a.b.c.d). An IPv6 network of 64
 * bits counts as one address, because one machine can use all addresses in it.
 *
 * No limit decides what is released. A peer above a limit gets less: no connection, no line.
 */
#ifndef CCDM_BROKER_LIMIT_H
#define CCDM_BROKER_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/compiler.h"

#define CCDM_SOURCES 4096 /* addresses that the broker remembers */

/**
 * struct ccdm_limits - settings; 0 is "no limit"
 * @rate: new connections of one address in a second, on average
 * @burst: new connections of one address at once
 * @lines: refusals of one address in a minute that get a line in the log
 * @bytes: bytes of these lines in a day, of all addresses; one address has an eighth of them
 */
struct ccdm_limits {
	uint64_t rate;
	uint64_t burst;
	uint64_t lines;
	uint64_t bytes;
};

/**
 * struct ccdm_source - one address
 * @family: AF_INET or AF_INET6; 0: this entry is free
 * @prefix: the address, or the first 64 bits of an IPv6 address
 * @connections: open ones
 * @waiting: requests in the queue
 * @connect, @line, @bytes: when the address has its whole allowance again; see ccdm_limit_take()
 * @seen: last new connection
 * @next: with the same hash
 */
struct ccdm_source {
	sa_family_t family;
	uint8_t prefix[8];
	unsigned int connections;
	unsigned int waiting;
	int64_t connect;
	int64_t line;
	int64_t bytes;
	int64_t seen;
	struct ccdm_source *next;
};

/* All addresses; opaque. */
struct ccdm_sources;

/* Return: NULL if out of memory. */
struct ccdm_sources *ccdm_sources_new(void);
void ccdm_sources_free(struct ccdm_sources *sources); /* accepts NULL */

/**
 * ccdm_sources_find() - find the entry of an address, or make one
 * @us: microseconds on the monotonic clock
 *
 * If all entries are in use, a new address replaces one without a connection and without a request.
 * If there is none, all further addresses share one entry.
 */
struct ccdm_source *ccdm_sources_find(struct ccdm_sources *sources, const struct sockaddr *address,
				      int64_t us);

/**
 * ccdm_limit_take() - take @n units from an allowance
 * @full: when the allowance is whole again; 0 at first
 * @us: now
 * @each: microseconds until one unit is there again
 * @most: units of the whole allowance
 *
 * Return: false if that many are not there; then nothing was taken.
 */
bool __must_check ccdm_limit_take(int64_t *full, int64_t us, uint64_t n, int64_t each,
				  uint64_t most);

/* True if the address may open a connection now. */
bool __must_check ccdm_limit_connect(const struct ccdm_limits *limits, struct ccdm_source *source,
				     int64_t us);

/**
 * struct ccdm_quota - room in the log for refusals
 * @limits: settings
 * @directory: of the log; NULL or "": do not look at the disk
 * @full: of the bytes of a day; see ccdm_limit_take()
 */
struct ccdm_quota {
	struct ccdm_limits limits;
	const char *directory;
	int64_t full;
};

/**
 * ccdm_quota_line() - may a refusal get a line of its own?
 * @source: of the peer; NULL: unknown, and only the bytes are limited
 * @size: bytes of the line
 *
 * Not if the disk is nearly full either: the rest is for what the broker releases.
 */
bool __must_check ccdm_quota_line(struct ccdm_quota *quota, struct ccdm_source *source, size_t size,
				  int64_t us);

/* True if the disk is so full that refusals are only counted. */
bool __must_check ccdm_quota_low(const struct ccdm_quota *quota);

#endif
