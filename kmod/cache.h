/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache.h - nodes of the tree in memory
 *
 *	cache.c		finding and loading them, from the root down
 *	room.c		their memory: pins, eviction, the line of those who lack room
 *	writeback.c	dirty ones on their way to the device
 *	sync.c		waiting for them
 *
 * The locks are defined here, each with its rule; who waits for whom is in
 * Documentation/concurrency.rst.
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
#include "tree.h"

struct ccdm;

/**
 * struct ccdm_node - a node in memory; trusted once it is not loading
 * @hash: in its bucket (bucket lock)
 * @clock: in the CLOCK ring (cache lock)
 * @dirty_link: in the dirty list of its level (cache lock)
 * @parent: pinned by us as long as we are in the hash; never NULL but for the root
 * @entry: CCDM_NODE_ENTRIES entries (@lock)
 * @index: index within the level
 * @level: 0 for a leaf
 * @state: enum ccdm_node_state. LOADING to CLEAN or GONE by the loader;
 *	   CLEAN to WRITING and back by the writer under @lock; CLEAN to LEAVING
 *	   under the bucket lock, with no pins
 * @dirty: differs from what is on the device (@lock)
 * @referenced: used since the CLOCK hand passed; a hint
 * @unwritable: its last write, alone, failed; counted (cache lock)
 * @alone: failed together with neighbours; to be tried alone
 * @error: why it is GONE; 0 for "look again"
 * @pins: who needs it in memory: walkers, bios, cached children, being dirty or
 *	  written. From 0 to 1 only under the bucket lock
 * @lock: interrupt-safe, held for copying only, never together with another
 *	  node's lock or a bucket's
 * @mask: busy blocks of a leaf; cached children of an inner node (@lock)
 * @line: bios that wait for marks, in order of arrival (@lock)
 * @wait: who waits for the end of LOADING
 * @dirty_gen: the cache's generation when it became dirty (cache lock)
 * @retry_at: jiffies before which a failed write is not tried again
 * @backoff: the present distance of these tries, in jiffies
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
	int error;
	atomic_t pins;
	/* Interrupt-safe, held for copying only; inside nothing, nothing inside. */
	spinlock_t lock;
	struct ccdm_mask mask;
	struct list_head line;
	wait_queue_head_t wait;
	u64 dirty_gen;
	unsigned long retry_at;
	unsigned long backoff;
};

/* Bytes that a node takes. */
#define CCDM_NODE_COST	(PAGE_SIZE + sizeof(struct ccdm_node))

struct ccdm_bucket {
	/* Guards the chain, the way of a node out of it, and pins from 0 to 1. Inside nothing. */
	spinlock_t lock;
	struct hlist_head head;
};

#define CCDM_WRITE_NODES	16	/* neighbours in one write */
#define CCDM_READ_PAGES		16	/* nodes that are read at a time */

struct ccdm_node_write;

struct ccdm_cache {
	struct ccdm_bucket *buckets;
	unsigned int hash_bits;
	struct ccdm_node root;		/* pseudo-node above the top, one entry, pinned for ever */
	struct ccdm_entry root_entry;

	/* Guards the lists and counters below. Inside nothing; softirq-safe. */
	spinlock_t lock;
	struct list_head clock;
	struct list_head dirty[CCDM_MAX_LEVELS];	/* oldest first */
	struct list_head failed;	/* dirty, and the last write failed */
	struct list_head spare;		/* nodes that hold nothing, up to the floor */
	struct list_head reserve;	/* the same, for the first in line */
	unsigned int nr_reserve;
	unsigned int nr;		/* nodes that exist, spare ones included */
	unsigned int nr_dirty;
	unsigned int nr_unwritable;
	u64 gen;

	unsigned int limit;		/* most nodes; changes live */
	unsigned int floor;		/* nodes made in ctr, that the shrinker does not get */
	unsigned int fixed_kib;		/* what is allocated beside the nodes */

	/* The line of those who lack room: holding it is being first. Sleeps. */
	struct mutex room_line;
	atomic_t room_waiters;
	atomic_t room_seq;		/* moves when room may have appeared */
	wait_queue_head_t room_wait;
	atomic_t nr_leaving;		/* evictions between their first and last step */
	wait_queue_head_t leave_wait;

	/* Pages for reading nodes: ciphertext only. */
	/* Guards read_pages. Inside nothing. */
	spinlock_t read_lock;
	struct page *read_page[CCDM_READ_PAGES];
	unsigned int nr_read_pages;
	wait_queue_head_t read_wait;

	/* writeback.c */
	struct work_struct writer;
	struct delayed_work retry;
	struct ccdm_node_write *writes;
	unsigned int nr_writes;
	struct list_head free_writes;		/* lock */
	unsigned int writing[CCDM_MAX_LEVELS];	/* nodes in flight, lock */
	struct page *scratch;			/* copy of a node, for the writer alone */
	bool stopped;				/* suspended or going away */
	bool lowering;				/* between the two marks */
	int sync_level;				/* -1: no sync */
	u64 sync_gen;
	int sync_error;
	wait_queue_head_t sync_wait;
	/* One sync at a time. Sleeps. */
	struct mutex sync_lock;

	struct shrinker *shrinker;
};

enum ccdm_get {
	CCDM_GET_READ,		/* verified and usable */
	CCDM_GET_COVER,		/* if absent: LOADING, not read; see below */
	CCDM_GET_NOWAIT,	/* as READ, but -EAGAIN rather than wait for anybody else */
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
/* Nothing runs any more; accepts a mapping whose cache was never made. */
void ccdm_cache_exit(struct ccdm *c);

/* Fast look-up: a pinned node that may be used now, or NULL. Any context but hard interrupt. */
struct ccdm_node *ccdm_cache_find(struct ccdm *c, unsigned int level, u64 index);

/**
 * ccdm_cache_get() - a node with its way up in memory, pinned
 * @c: mapping
 * @level: level, up to and including g.levels, which is the root pseudo-node
 * @index: index within the level
 * @how: with CCDM_GET_COVER an absent node is entered as LOADING and not read.
 *	 The caller owns it, sees state LOADING, and ends it with
 *	 ccdm_cache_publish() or ccdm_cache_abandon()
 *
 * Context: process, may wait for nodes; not in the "done" queue.
 * Return: the node or ERR_PTR(): -EIO (device, crypto, tamper, no room because
 * too much cannot be written back), -EAGAIN with CCDM_GET_NOWAIT.
 */
struct ccdm_node *ccdm_cache_get(struct ccdm *c, unsigned int level, u64 index,
				 enum ccdm_get how);
void ccdm_cache_publish(struct ccdm *c, struct ccdm_node *node);
/* Takes the node out; who waits for it gets @error, or looks again if 0. Drops the pin. */
void ccdm_cache_abandon(struct ccdm *c, struct ccdm_node *node, int error);
/* Is the leaf on the device and not in memory, as far as its cached parent tells? A hint. */
bool ccdm_cache_leaf_sealed(struct ccdm *c, u64 index);

/*
 * To be called with @node->lock held after an entry was changed; if it returns
 * true, ccdm_cache_dirty() follows once the lock is released.
 */
bool __must_check ccdm_cache_set_dirty(struct ccdm *c, struct ccdm_node *node);
void ccdm_cache_dirty(struct ccdm *c, struct ccdm_node *node);

/* ---- room.c ---------------------------------------------------------------- */

int ccdm_room_module_init(void);
void ccdm_room_module_exit(void);
/* Makes the nodes that are never given back; the limit is set. Sleeps. */
int ccdm_room_init(struct ccdm *c);
void ccdm_room_exit(struct ccdm *c);

void ccdm_node_pin(struct ccdm_node *node);	/* node is pinned already */
/* Any context but hard interrupt; @node may be gone on return. */
void ccdm_node_unpin(struct ccdm *c, struct ccdm_node *node);
/* Memory of a node that nobody can find: loading, pinned once. Nothing is allocated. */
void ccdm_node_setup(struct ccdm_node *node, unsigned int level, u64 index);
void ccdm_node_destroy(struct ccdm_node *node);

/* Nodes that fit beside the fixed parts in @mib; 0 if it is too small. */
unsigned int ccdm_room_nodes(struct ccdm *c, unsigned int mib);
void ccdm_room_resize(struct ccdm *c, unsigned int nodes);
unsigned int ccdm_room_kib(struct ccdm *c);
/* Gives nodes back while there are more than the limit. Does not sleep. */
void ccdm_room_trim(struct ccdm *c);
/* Gives back all clean, unpinned nodes; who pinned only their children follow. */
void ccdm_room_drop(struct ccdm *c);
/* Drops the pin, and gives the node back if nobody else needs it. */
void ccdm_room_forget(struct ccdm *c, struct ccdm_node *node);
/* A usable node becomes one that can be evicted. */
void ccdm_room_enter(struct ccdm *c, struct ccdm_node *node);
/* Out of the parent's mask and the hash: GONE. */
void ccdm_room_detach(struct ccdm *c, struct ccdm_node *node);

/* Get @nr spare nodes, all or none; @first: the caller is first in line. */
bool __must_check ccdm_room_take(struct ccdm *c, unsigned int nr, struct list_head *spare,
				 bool first);
void ccdm_room_return(struct ccdm *c, struct list_head *spare);
/* Waits in line, then for room. 0: first in line, try again; -EIO: there will be none. */
int ccdm_room_wait(struct ccdm *c, bool *first, int *seq);
void ccdm_room_done(struct ccdm *c);
/* Somebody who waits for room should look again. Any context. */
void ccdm_room_wake(struct ccdm *c);

/* ---- writeback.c ----------------------------------------------------------- */

int ccdm_writeback_init(struct ccdm *c);
void ccdm_writeback_exit(struct ccdm *c);
/* The writer should look whether there is something to do. Any context. */
void ccdm_writeback_kick(struct ccdm *c);
void ccdm_writeback_stop(struct ccdm *c);
void ccdm_writeback_start(struct ccdm *c);
/* I/O that needs a new node fails while this much cannot be written. */
bool ccdm_writeback_stuck(struct ccdm *c);

/* ---- sync.c ---------------------------------------------------------------- */

/* Sleeps until all that was dirty has been written once. 0, -EIO, -EINTR, -EAGAIN when stopped. */
int ccdm_sync(struct ccdm *c);

#endif /* CCDM_CACHE_H */
