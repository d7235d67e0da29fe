/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* mapping.h - a mapping in a program: create it, use it, free all of it */
#ifndef CCDM_TEST_MAPPING_H
#define CCDM_TEST_MAPPING_H

#include "block.h"
#include "ccdm.h"

#define CLIENTS	   6
#define BIO_BLOCKS CCDM_NODE_ENTRIES
#define USER_PAGES ((CLIENTS + 1) * (BIO_BLOCKS + 1))
#define HOT	   48 /* leaves that are used */

/* struct mapping - the mapping, and the state of the run */
struct mapping {
	struct ccdm c;
	struct dm_target ti;
	struct block_device backing;
	struct block_device other; /* device of a bio before it is mapped */
	u64 hot[HOT];
	bool origin, errors;
	unsigned int clients, disturbers; /* how many there are */
	unsigned int left;		  /* clients that have not finished */
	unsigned int limit;		  /* nodes in the cache */
	bool attacked, tampered;
	bool sweep;   /* exactly one call fails */
	bool calm;    /* no call fails any more */
	bool excused; /* the mapping has stopped: EIO is correct */
	struct mutex suspend;
	bool pause;
	unsigned int inside; /* bios inside the mapping */
	wait_queue_head_t wait;
};

extern struct mapping sim;

struct totals {
	u64 ops, blocks, reads, errors, attacks, detections;
};

extern struct totals sim_total;

/* Prepare a mapping of @blocks blocks; 0: draw the number. */
struct ccdm *mapping_begin(u64 blocks);
/* Construct it as ctr does. Return: 0 or -errno; call mapping_end() in both cases. */
int mapping_new(void);
void mapping_end(void);
/* As device-mapper calls it; in a coroutine. */
void mapping_suspend(void);
void mapping_resume(void);

/* clients.c: a client that does @ops operations */
void client_start(unsigned int nr, unsigned int ops);
/* Read a block while nothing else runs. */
void client_look(u64 block);
/* Write and discard it, as a client that does not know of a tamper. */
void client_write_on(u64 block);

/* Called between two steps: check the readers' pages. */
void client_peek(void);

/* host.c: a coroutine that changes the device and does not undo it */
void host_run(void *arg);

/* cachetest.c */
void cache_test(void);

/* linetest.c */
void line_test(void);

#endif /* CCDM_TEST_MAPPING_H */
