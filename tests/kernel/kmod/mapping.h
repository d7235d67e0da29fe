/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* mapping.h - a mapping in a program: made, used, and everything of it given back */
#ifndef CCDM_TEST_MAPPING_H
#define CCDM_TEST_MAPPING_H

#include "block.h"
#include "ccdm.h"

#define CLIENTS	   6
#define BIO_BLOCKS CCDM_NODE_ENTRIES
#define USER_PAGES ((CLIENTS + 1) * (BIO_BLOCKS + 1))
#define HOT	   48 /* leaves that are used */

/* struct mapping - the one there is, and the run it is in */
struct mapping {
	struct ccdm c;
	struct dm_target ti;
	struct block_device backing;
	struct block_device other; /* a bio's before it is mapped */
	u64 hot[HOT];
	bool origin, errors;
	unsigned int clients, disturbers; /* how many there are */
	unsigned int left;		  /* clients with something to do */
	unsigned int limit;		  /* nodes in the cache */
	bool attacked, tampered;
	bool sweep;   /* one call is to fail, and none else */
	bool calm;    /* nothing fails any more */
	bool excused; /* the mapping is dead: EIO is right */
	struct mutex suspend;
	bool pause;
	unsigned int inside; /* bios that the mapping has */
	wait_queue_head_t wait;
};

extern struct mapping sim;

struct totals {
	u64 ops, blocks, reads, errors, attacks, detections;
};

extern struct totals sim_total;

/* A mapping of @blocks blocks, or of as many as are drawn; not made yet. */
struct ccdm *mapping_begin(u64 blocks);
/* What ctr makes. Return: 0 or -errno; mapping_end() either way. */
int mapping_new(void);
void mapping_end(void);
/* As device-mapper calls it; in a coroutine. */
void mapping_suspend(void);
void mapping_resume(void);

/* clients.c: a client that does @ops operations */
void client_start(unsigned int nr, unsigned int ops);
/* Look at a block when nobody else does anything. */
void client_look(u64 block);
/* Write and discard it, as somebody who has not heard of a tamper. */
void client_write_on(u64 block);

/* Called between two steps: what do readers' pages show? */
void client_peek(void);

/* host.c: a coroutine; what it changes it does not change back */
void host_run(void *arg);

/* cachetest.c */
void cache_test(void);

/* linetest.c */
void line_test(void);

#endif /* CCDM_TEST_MAPPING_H */
