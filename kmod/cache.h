/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * cache.h - nodes of the tree in memory
 *
 *	cache.c		look-up of nodes, from the root down
 *	load.c		read and verify nodes
 *	nodes.c		their memory: pins, eviction, the line of those who lack room
 *	writeback.c	write dirty nodes back to the device
 *	sync.c		wait until dirty nodes are written back
 *
 * The locks are defined here, each with its rule. The order in which code waits is in
 * Documentation/explanation/concurrency.rst.
 */
#ifndef CCDM_CACHE_H
#define CCDM_CACHE_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "line.h"
#include "soft.h"
#include "submit.h"
#include "tree.h"

struct ccdm;

/**
 * struct ccdm_node - a node in memory; trusted once it is not loading
 * @hash: in its bucket (bucket lock)
 * @clock: in the CLOCK ring (cache lock)
 * @dirty_link: in the dirty list of its level (cache lock)
 * @parent: pinned by this node while it is in the hash; NULL only for the root
 * @entry: CCDM_NODE_ENTRIES entries (@lock)
 * @index: index within the level
 * @level: 0 for a leaf
 * @state: enum ccdm_node_state. LOADING to CLEAN or GONE by the loader;
 *	   CLEAN to WRITING and back by the writer under @lock; CLEAN to LEAVING
 *	   under the bucket lock, with no pins
 * @dirty: differs from what is on the device (@lock)
 * @referenced: used since the CLOCK hand passed; a hint
 * @unwritable: its last write, without neighbours, failed; counted (cache lock)
 * @alone: its write with neighbours failed; retry it without them
 * @pins: number of users: walkers, bios, cached children, being dirty or
 *	  written. From 0 to 1 only under the bucket lock
 * @lock: interrupt-safe, held for copying only, never together with another
 *	  node's lock or a bucket's; the cache's lock may be taken in it
 * @mask: busy blocks of a leaf; cached children of an inner node (@lock)
 * @line: bios that wait for marks, in order of arrival (@lock)
 * @walks: walks that wait for the end of LOADING (@lock)
 * @off_clock: dirty, or being written: not in the CLOCK ring (cache lock)
 * @looked_at: an evictor took it off the ring and has not decided yet (cache lock)
 * @dirty_gen: the cache's generation when it became dirty (cache lock)
 * @retry_at: jiffies before which a failed write is not retried
 * @backoff: present delay between retries, in jiffies
 */
struct ccdm_node {
	struct hlist_node hash;
	struct list_head clock;
	struct list_head dirty_link;
	struct ccdm_node *parent;
	struct ccdm_entry *entry;
	u64 index;
	u8 level;
	u8 state;
	bool dirty;
	bool referenced;
	bool unwritable;
	bool alone;
	bool off_clock;
	bool looked_at;
	atomic_t pins;
	/* Interrupt-safe, held for copying only. Outermost; only the cache's lock nests in it. */
	spinlock_t lock;
	struct ccdm_mask mask;
	struct list_head line;
	struct list_head walks;
	u64 dirty_gen;
	unsigned long retry_at;
	unsigned long backoff;
};

/* Bytes that a node takes. */
#define CCDM_NODE_COST	(PAGE_SIZE + sizeof(struct ccdm_node))

struct ccdm_bucket {
	/* Guards the chain, removal of a node, and pins from 0 to 1. Nests in no lock. */
	spinlock_t lock;
	struct hlist_head head;
};

#define CCDM_WRITE_NODES	16	/* neighbours in one write */

struct ccdm_load;
struct ccdm_node_write;

enum ccdm_get {
	CCDM_GET_READ,		/* verified and usable */
	CCDM_GET_COVER,		/* if absent: LOADING, not read; see below */
};

/**
 * struct ccdm_walk - a walk from the root down to a node
 * @waiter: its place at a node that is LOADING, or in the line for room or for loads; and
 *	    the control group of the I/O that it serves
 * @index: index of the node within its level
 * @level: level of the node
 * @how: enum ccdm_get
 * @first: first in line for room
 * @at_leaf: set when the walk waits for its target node
 * @node: the result: the node, pinned, or an ERR_PTR(). Before that a node on the way
 *	  which is pinned for the walk, or NULL
 * @load: memory for a load, which it waited for; or NULL
 * @ioprio: priority of the I/O that it serves
 * @opf: flags of that I/O for loads: REQ_PRIO and REQ_IDLE; 0 if it serves no I/O
 * @done: called with the result, in softirq or a worker
 */
struct ccdm_walk {
	struct ccdm_waiter waiter;
	u64 index;
	u8 level;
	u8 how;
	bool first;
	bool at_leaf;
	struct ccdm_node *node;
	struct ccdm_load *load;
	unsigned short ioprio;
	blk_opf_t opf;
	void (*done)(struct ccdm_walk *walk);
};

/* Every look-up reads the first two members. The others change often. */
struct ccdm_cache {
	struct ccdm_bucket *buckets;
	unsigned int hash_bits;
	/* pseudo-node above the top, one entry, pinned for ever */
	struct ccdm_node root ____cacheline_aligned_in_smp;
	struct ccdm_entry root_entry;

	/* Guards lists and counters below. Nests in a node's lock; innermost; interrupt-safe. */
	spinlock_t lock;
	struct list_head clock;		/* clean nodes */
	unsigned int nr_clock;
	struct list_head dirty[CCDM_MAX_LEVELS];	/* oldest first */
	struct list_head failed[CCDM_MAX_LEVELS];	/* dirty, and the last write failed */
	struct list_head spare;		/* free nodes, up to the floor */
	struct list_head reserve;	/* free nodes for the first in line */
	unsigned int nr_reserve;
	unsigned int nr;		/* nodes that exist, spare ones included */
	unsigned int nr_dirty;
	unsigned int nr_unwritable;
	u64 gen;

	unsigned int limit;		/* most nodes; changes live */
	unsigned int floor;		/* nodes allocated in ctr; the shrinker never frees them */
	unsigned int fixed_kib;		/* memory allocated besides the nodes */

	/* The line of walks that lack room; its first owns the reserve. (lock) */
	struct list_head room_line;
	bool room_busy;			/* the first walk is being served and not in the line */
	atomic_t room_waiters;
	atomic_t room_seq;		/* changes when room may be available */
	struct work_struct room;	/* serves the line, on "done" */
	struct delayed_work room_retry;	/* freed memory sends no notice: poll */
	atomic_t nr_leaving;		/* evictions between their first and last step */
	wait_queue_head_t leave_wait;

	/* load.c */
	/* Guards the members below, up to nr_free_loads. Nests in no lock; interrupt-safe. */
	spinlock_t load_lock;
	struct list_head free_loads;
	struct ccdm_line load_line;	/* walks that wait for a load */
	struct list_head again;		/* walks that a worker continues */
	unsigned int nr_free_loads;
	unsigned int nr_loads;
	unsigned int group_loads[CCDM_GROUPS];
	struct ccdm_load *loads;
	struct work_struct walker;	/* continues walks, on "done" */
	wait_queue_head_t load_wait;	/* for the end of the last load */

	/* writeback.c */
	struct work_struct writer;
	struct delayed_work retry;
	struct ccdm_node_write *writes;
	unsigned int nr_writes;
	unsigned int nr_free_writes;		/* lock */
	struct list_head free_writes;		/* lock */
	u64 hand[CCDM_MAX_LEVELS];		/* position of the writer, lock */
	unsigned int turn;			/* level that is next, lock */
	unsigned int writing[CCDM_MAX_LEVELS];	/* nodes in flight, lock */
	struct page *scratch;			/* copy of a node, used only by the writer */
	bool stopped;				/* suspended or going away */
	bool lowering;				/* writing nodes back until few are dirty */
	int sync_level;				/* -1: no sync */
	u64 sync_gen;
	int sync_error;
	wait_queue_head_t sync_wait;
	/* One sync at a time. Sleeps. */
	struct mutex sync_lock;

	struct shrinker *shrinker;
};

static inline unsigned int ccdm_node_slot(const struct ccdm_node *node)
{
	return node->index & (CCDM_NODE_ENTRIES - 1);
}

static inline struct ccdm_bucket *ccdm_bucket(struct ccdm_cache *k, unsigned int level, u64 index)
{
	return &k->buckets[hash_64(index << 3 | level, k->hash_bits)];
}

/* ---- cache.c --------------------------------------------------------------- */

/* Allocates, sleeps. On an error ccdm_cache_exit() cleans up. */
int ccdm_cache_init(struct ccdm *c);
/* Call when nothing runs any more. Accepts a mapping without a cache. */
void ccdm_cache_exit(struct ccdm *c);

/* Fast look-up: a pinned node that may be used now, or NULL. Any context but hard interrupt. */
struct ccdm_node *ccdm_cache_find(struct ccdm *c, unsigned int level, u64 index);

/**
 * ccdm_cache_walk() - pin a node with all its ancestors in memory; does not wait
 * @c: mapping
 * @walk: index, level, how, done, and for whom (ccdm_io_walk_for()) are set
 * @direct: this thread may send bios: it is in map(), or may sleep for the device
 *
 * With CCDM_GET_COVER an absent node enters the hash as LOADING and is not read. The caller
 * owns it, sees state LOADING, and ends it with ccdm_cache_publish() or
 * ccdm_cache_abandon().
 *
 * Context: process or softirq; with @direct process.
 * Return: the node; ERR_PTR(-EIO) (device, crypto, tamper, or no room because too much
 * cannot be written back); or NULL: @walk->done() is called with the result, perhaps
 * before this returns.
 */
struct ccdm_node *ccdm_cache_walk(struct ccdm *c, struct ccdm_walk *walk, bool direct);

/*
 * As ccdm_cache_walk(), for a caller that can wait. @like: a walk for the same I/O, or NULL.
 * Level g.levels is the root. Sleeps. Return: the node or ERR_PTR(-EIO).
 */
struct ccdm_node *ccdm_cache_get(struct ccdm *c, unsigned int level, u64 index,
				 enum ccdm_get how, const struct ccdm_walk *like);

/* Load leaf @index for the I/O of @like if it need not wait. @direct: see ccdm_cache_walk(). */
void ccdm_cache_prefetch(struct ccdm *c, u64 index, const struct ccdm_walk *like, bool direct);

/* Wake all waiters: no room and no sync will come after a stop. Any context. */
void ccdm_cache_stopped(struct ccdm *c);

/* Make @node, which the caller owns and which is LOADING, usable. @node->lock is not held. */
void ccdm_cache_publish(struct ccdm *c, struct ccdm_node *node);
/* Remove the node. Waiting walks get @error, or retry if it is 0. Drops the pin. */
void ccdm_cache_abandon(struct ccdm *c, struct ccdm_node *node, int error);
/* Continue @walk in a worker, or end it. Any context but hard interrupt. */
void ccdm_walk_again(struct ccdm *c, struct ccdm_walk *walk);
void ccdm_walk_end(struct ccdm *c, struct ccdm_walk *walk, struct ccdm_node *node);
/* For the line for room: take the next steps of @walk. NULL: it waits. */
struct ccdm_node *ccdm_walk_on(struct ccdm *c, struct ccdm_walk *walk, bool direct);

/*
 * Call this with @node->lock held after a change of an entry; it nests the cache's lock in
 * it. If it returns true, call ccdm_writeback_kick() after releasing the lock. The node must
 * be usable: the writer skips an unusable node and does not retry it.
 */
bool __must_check ccdm_cache_set_dirty(struct ccdm *c, struct ccdm_node *node);

/* ---- nodes.c --------------------------------------------------------------- */

int ccdm_nodes_module_init(void);
void ccdm_nodes_module_exit(void);
/* Allocate the nodes that are never freed; the limit is set. Sleeps. */
int ccdm_nodes_init(struct ccdm *c);
void ccdm_nodes_exit(struct ccdm *c);

void ccdm_node_pin(struct ccdm_node *node);	/* node is pinned already */
/* Any context but hard interrupt; @node may be gone on return. */
void ccdm_node_unpin(struct ccdm *c, struct ccdm_node *node);
/* Initialise a node outside of the hash: LOADING, pinned once. Allocates nothing. */
void ccdm_node_setup(struct ccdm_node *node, unsigned int level, u64 index);
void ccdm_node_destroy(struct ccdm_node *node);

/* Nodes that fit beside the fixed parts in @mib; 0 if it is too small. */
unsigned int ccdm_nodes_fit(struct ccdm *c, unsigned int mib);
void ccdm_nodes_resize(struct ccdm *c, unsigned int nodes);
unsigned int ccdm_nodes_kib(struct ccdm *c);
/* Free nodes while there are more than the limit. Does not sleep. */
void ccdm_nodes_trim(struct ccdm *c);
/* Free all clean, unpinned nodes, then parents that only such children pinned. */
void ccdm_nodes_drop(struct ccdm *c);
/* Drop the pin, and free the node if it was the last. */
void ccdm_node_forget(struct ccdm *c, struct ccdm_node *node);
/* Remove @node from the parent's mask and the hash: GONE. */
void ccdm_node_detach(struct ccdm *c, struct ccdm_node *node);

/* Get a free node, or NULL. @first: the caller is first in line. */
struct ccdm_node *ccdm_nodes_get(struct ccdm *c, bool first);
/* Give @node, which is in no hash, to the reserve or back to the system. */
void ccdm_nodes_put(struct ccdm *c, struct ccdm_node *node);
/*
 * Put @walk, which pins no node, into the line. @seq: room_seq before it looked for room.
 * Return: 0: the line owns @walk now; -EIO: there will be no room.
 */
int __must_check ccdm_nodes_wait(struct ccdm *c, struct ccdm_walk *walk, int seq);
/* @walk was first in line, and is done. */
void ccdm_nodes_done(struct ccdm *c, struct ccdm_walk *walk);
/* Put a clean node, new or released by an evictor, into the CLOCK ring. */
void ccdm_node_clean(struct ccdm *c, struct ccdm_node *node);
/* Let a waiter for room retry. Any context. */
void ccdm_nodes_wake(struct ccdm *c);

/* ---- load.c ---------------------------------------------------------------- */

int ccdm_load_init(struct ccdm *c, unsigned int nr);
void ccdm_load_exit(struct ccdm *c);
/* Bytes that @nr of them take. */
size_t ccdm_load_cost(unsigned int nr);
/* Wait for all loads in flight. No caller starts another. */
void ccdm_load_drain(struct ccdm *c);
/*
 * Get memory for a load, for a control group. NULL: @walk waits in line for it, or, if
 * @walk is NULL, none is free.
 */
struct ccdm_load *ccdm_load_get(struct ccdm *c, struct ccdm_walk *walk, unsigned int group);
void ccdm_load_put(struct ccdm *c, struct ccdm_load *load);
/*
 * Prepare @load to read @node, which is LOADING and pinned by @load, and to verify it with @e, its
 * parent's entry, which cannot change now. Priority and flags are those of @walk.
 */
void ccdm_load_set(struct ccdm_load *load, struct ccdm_node *node, const struct ccdm_entry *e,
		   const struct ccdm_walk *walk);
/* Start the load. It ends with ccdm_cache_publish() or ccdm_cache_abandon(). */
void ccdm_load_start(struct ccdm_load *load, bool direct);

/* ---- writeback.c ----------------------------------------------------------- */

/* Allocate memory to write @nr nodes at a time. */
int ccdm_writeback_init(struct ccdm *c, unsigned int nr);
size_t ccdm_writeback_cost(unsigned int nr);
void ccdm_writeback_exit(struct ccdm *c);
/* Let the writer look for work. Any context. */
void ccdm_writeback_kick(struct ccdm *c);
void ccdm_writeback_stop(struct ccdm *c);
void ccdm_writeback_start(struct ccdm *c);
/* True while so many nodes cannot be written that I/O which needs a new node fails. */
bool ccdm_writeback_stuck(struct ccdm *c);

/* ---- sync.c ---------------------------------------------------------------- */

/* Sleep until every dirty node was written once. 0, -EIO, -EINTR, -EAGAIN when stopped. */
int ccdm_sync(struct ccdm *c);

#endif /* CCDM_CACHE_H */
