/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * limit.h - what one address may take from the broker: connections, and lines of the log
 *
 * source.h says what counts as one address, and which networks it is in. A network has a multiple of what
 * an address in it has.
 *
 * No limit decides what is released. A peer above a limit gets less: no connection, no line.
 */
#ifndef CCDM_BROKER_LIMIT_H
#define CCDM_BROKER_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "source.h"

#define CCDM_LINE_SHORT 2048 /* bytes of a short line */

/**
 * struct ccdm_limits - settings; 0 is "no limit"
 * @rate: new connections of one address in a second, on average
 * @burst: new connections of one address at once
 * @lines: refusals of one address in a minute that get a line in the log
 * @bytes: bytes of these lines in a day, of all addresses
 */
struct ccdm_limits {
	uint64_t rate;
	uint64_t burst;
	uint64_t lines;
	uint64_t bytes;
};

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

/**
 * ccdm_limit_connect() - may this address open a connection now?
 *
 * Return: its source; NULL if it or one of its networks has opened too many. An address without an
 * allowance takes nothing from its networks.
 */
struct ccdm_source *__must_check ccdm_limit_connect(const struct ccdm_limits *limits,
						    struct ccdm_sources *sources,
						    const struct sockaddr *address, int64_t us);

/* What the log has of a refusal. */
enum ccdm_line {
	CCDM_LINE_NONE,	 /* it is only counted */
	CCDM_LINE_BRIEF, /* a line of at most CCDM_LINE_SHORT bytes */
	CCDM_LINE_WHOLE,
};

/**
 * struct ccdm_quota - room in the log for refusals
 * @limits: settings
 * @directory: of the log; NULL or "": do not look at the disk
 * @full: of the bytes of a day for each kind; see ccdm_limit_take()
 * @quiet: of the bytes of a day for short lines
 */
struct ccdm_quota {
	struct ccdm_limits limits;
	const char *directory;
	int64_t full[CCDM_LINE_KINDS];
	int64_t quiet;
};

/**
 * ccdm_quota_line() - how much of a refusal does the log get?
 * @source: of the peer; NULL: unknown, and only the bytes are limited
 * @kind: what the peer has proved
 * @size: bytes of the line
 *
 * Half of the bytes is for peers that have proved nothing, a quarter for genuine evidence. So neither kind
 * can use up the lines of the other one. The last quarter is for addresses that have had no short line for
 * an hour: a flood from a few addresses does not hide the text of another one's refusal.
 *
 * Nothing if the disk is nearly full: the rest is for what the broker releases.
 */
enum ccdm_line __must_check ccdm_quota_line(struct ccdm_quota *quota, struct ccdm_source *source,
					    enum ccdm_line_kind kind, size_t size, int64_t us);

/* True if the disk is so full that refusals are only counted. */
bool __must_check ccdm_quota_low(const struct ccdm_quota *quota);

#endif
