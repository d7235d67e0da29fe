/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * ccdm.h - the map of the module
 *
 *	target, ctr, table	device-mapper's side: target, constructor, table line
 *	scrub			read and verify everything
 *	map			entry point of bios
 *	read, write, discard	processing of a bio
 *	io			code that they share
 *	cache, load, nodes, writeback, sync	nodes in memory and their I/O (cache.h)
 *	submit			two threads that send bios which their sender cannot send
 *	pages			the pages that the host may see
 *	line, soft		a line with ranks; steps in softirq
 *	gmac, key, suite	bytes and keys (suite.h, key.h)
 *	tree			entries and decisions (tree.h)
 *	seq, event, name	sequence numbers; events; the mapping's name
 *
 * Calls go downward in this list. Locks and rules for waiting are in
 * Documentation/explanation/concurrency.rst; each lock's rule stands at its definition.
 */
#ifndef CCDM_H
#define CCDM_H

#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/dm-ioctl.h>
#include <linux/kthread.h>
#include <linux/percpu.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <asm/simd.h> /* only here: in 6.1 it has no guard */
#include "cache.h"
#include "ccdm_format.h"
#include "line.h"
#include "soft.h"
#include "submit.h"
#include "suite.h"
#include "tree.h"

#define DM_MSG_PREFIX "ccdm"

struct ccdm;

/* ---- counters ------------------------------------------------------------ */

enum ccdm_stat {
	CCDM_STAT_HITS,		/* leaf found in the cache */
	CCDM_STAT_MISSES,	/* leaf not found */
	CCDM_STAT_WRITEBACKS,	/* nodes written back */
	CCDM_STAT_RECHECKS,	/* blocks read again before a verdict */
	CCDM_STAT_READ,		/* blocks verified and opened */
	CCDM_STAT_WRITTEN,	/* blocks sealed and written */
	CCDM_STAT_ZEROED,	/* blocks discarded or zeroed, one by one */
	CCDM_STAT_POISONED,	/* blocks poisoned by a failed write */
	CCDM_STAT_DATA_ERRORS,	/* device errors on data */
	CCDM_STAT_NODE_ERRORS,	/* device errors on nodes */
	CCDM_STAT_TAMPERS,	/* tampers detected */
	CCDM_STATS,
};

/* Per CPU: nothing on the hot path is shared but the sequence counter. */
struct ccdm_stats {
	u64 n[CCDM_STATS];
};

/* ---- pages.c ------------------------------------------------------------- */

#define CCDM_INLINE_VECS	8	/* blocks of an I/O that needs no table */

/**
 * struct ccdm_pg - a page of the pool; it only ever holds data that the host may see
 * @next: next in the list it is on
 * @page: the page
 * @tag: tag of the block in it, between sealing and setting the entry
 */
struct ccdm_pg {
	struct ccdm_pg *next;
	struct page *page;
	u8 tag[CCDM_TAG_SIZE];
};

struct ccdm_io;

/**
 * struct ccdm_at - a block of an I/O, and where its bytes are
 * @page: its page of the pool
 * @iter: its position in the sender's pages
 * @block: counted from the I/O's first
 * @end: where to stop
 */
struct ccdm_at {
	struct ccdm_pg *page;
	struct bvec_iter iter;
	u8 block;
	u8 end;
};

/* Blocks that one worker seals or opens; larger I/Os are split over the CPUs. */
#define CCDM_SPAN_BLOCKS	16
#define CCDM_SPANS		(CCDM_NODE_ENTRIES / CCDM_SPAN_BLOCKS)

/**
 * struct ccdm_span - a part of an I/O, for one worker
 * @io: the I/O
 * @work: the worker's
 * @fn: processes it, and drops one of the I/O's pending counts at its end
 * @at: the blocks
 */
struct ccdm_span {
	struct ccdm_io *io;
	struct work_struct work;
	void (*fn)(struct ccdm_span *span);
	struct ccdm_at at;
};

/* struct ccdm_vecs - bio_vec table and spans for an I/O above CCDM_INLINE_VECS blocks */
struct ccdm_vecs {
	struct ccdm_vecs *next;
	struct bio_vec v[CCDM_NODE_ENTRIES];
	struct ccdm_span span[CCDM_SPANS];
};

/**
 * struct ccdm_page_req - a request for pages, all or none
 * @waiter: its place in line, rank and group
 * @nr: pages wanted
 * @pages: the pages, once granted; NULL before
 * @vecs: the table, if @nr is above CCDM_INLINE_VECS
 * @on_granted: called when the line grants the request, in any context with
 *	     interrupts on or off; queues, does not wait
 */
struct ccdm_page_req {
	struct ccdm_waiter waiter;
	unsigned int nr;
	struct ccdm_pg *pages;
	struct ccdm_vecs *vecs;
	void (*on_granted)(struct ccdm_page_req *req);
};

/* struct ccdm_pages_list - free pages and tables */
struct ccdm_pages_list {
	struct ccdm_pg *head;
	unsigned int nr;
	unsigned int nr_vecs;
	struct ccdm_vecs *vecs;
};

struct ccdm_pages_cpu {
	/* Guards the list: taken by its CPU, or to empty all lists (pool lock held). */
	spinlock_t lock;
	struct ccdm_pages_list list;
};

enum ccdm_pages_use {
	CCDM_PAGES_READS,
	CCDM_PAGES_WRITES,
	CCDM_PAGES_USES,
};

/**
 * struct ccdm_pages - the pool
 * @cpu: free pages of each CPU
 * @slow: a request waits, or the kept pages are incomplete: freed pages go to the common lists.
 *	  Written under @lock, read without it
 * @nr: pages that exist
 * @cpu_max: pages that a CPU's list holds at most
 * @bound: pages that are not reserved for one use
 * @few: blocks that the reads, or the writes, of a group may always have inside
 * @keep, @keep_vecs: pages and tables to be kept for one use
 * @all: the pages
 * @vecs: the tables
 * @gates: a bit for each gate with waiters; written under @lock
 * @owner: for each group its present or last block control group, or NULL;
 *	   only the address is compared. Written under @lock, read without it
 * @held: blocks of the I/Os that each group has inside, for each use
 * @common: free pages for any use (@lock)
 * @kept: free pages for one use (@lock)
 * @line: waiters for pages (@lock)
 * @gate: for each use and group the I/Os that are not inside yet (@lock)
 *
 * Members that every I/O reads are in other cache lines than members that change.
 */
struct ccdm_pages {
	struct ccdm_pages_cpu __percpu *cpu;
	bool slow;
	unsigned int nr;
	unsigned int cpu_max;
	unsigned int bound;
	unsigned int few;
	u32 gates;
	unsigned int keep;
	unsigned int keep_vecs;
	struct ccdm_pg *all;
	struct ccdm_vecs *vecs;
	const struct cgroup_subsys_state *owner[CCDM_GROUPS];
	atomic_t held[CCDM_PAGES_USES][CCDM_GROUPS] ____cacheline_aligned_in_smp;
	/* Guards the members below; may be held while a per-CPU lock is taken. */
	spinlock_t lock ____cacheline_aligned_in_smp;
	struct ccdm_pages_list common;
	struct ccdm_pages_list kept[CCDM_PAGES_USES];
	struct ccdm_line line;
	struct list_head gate[CCDM_PAGES_USES][CCDM_GROUPS];
};

int ccdm_pages_init(struct ccdm_pages *pool, unsigned int nr);
void ccdm_pages_exit(struct ccdm_pages *pool);
/* Bytes that a pool of @nr pages takes. */
size_t ccdm_pages_cost(unsigned int nr);
/* The group of a block control group. Any context. */
unsigned int ccdm_pages_group(struct ccdm_pages *pool, const struct cgroup_subsys_state *css);
/*
 * Let an I/O in. @req->nr is its ccdm_pages_weight(). false: it waits at a gate of its group, and
 * req->on_granted() will be called. It leaves by ccdm_pages_leave(). Any context but hard
 * interrupt.
 */
bool __must_check ccdm_pages_enter(struct ccdm_pages *pool, struct ccdm_page_req *req);
/* Blocks that the gate counts for an I/O of @nr blocks: 16 or more if it needs a table. */
unsigned int ccdm_pages_weight(unsigned int nr);
void ccdm_pages_leave(struct ccdm_pages *pool, const struct ccdm_page_req *req, unsigned int nr);
/*
 * true: req->pages is filled. false: in line, and req->on_granted() will be called;
 * without @wait just false.
 */
bool __must_check ccdm_pages_take(struct ccdm_pages *pool, struct ccdm_page_req *req, bool wait);
/*
 * Gives back everything in @req, which has pages; serves the line. Any context but
 * hard interrupt.
 */
void ccdm_pages_put(struct ccdm_pages *pool, struct ccdm_page_req *req);
/* About how many are free: a glance for the status line. */
unsigned int ccdm_pages_free(struct ccdm_pages *pool);

/* ---- io.c, read.c, write.c, discard.c ------------------------------------- */

/* An I/O of up to so many blocks is sealed or opened in place, not by a worker. */
#define CCDM_INLINE_BLOCKS	8

/**
 * struct ccdm_io - a bio on its way, in dm's per-bio data
 * @c: mapping
 * @bio: the bio; a read or write touches one leaf
 * @leaf: the leaf, pinned, or NULL
 * @end_io: the bio's own completion
 * @user_opf, @user_vec, @user_iter: flags and pages of the bio's sender
 * @work, @soft, @step: what a worker or softirq does next
 * @line: place in the leaf's line
 * @send: place in the submitter's line
 * @walk: the walk to the leaf
 * @mask: blocks of the leaf
 * @todo: reads: blocks (counted from the first) that have a page in @req
 * @other: reads: blocks of the origin; writes: blocks whose write failed
 * @req: pages of the pool, and the request for them
 * @creq: request memory of an asynchronous opening
 * @at: next block to open, of an I/O that is not split
 * @css: control group of the sender, or NULL
 * @group: its group, a number below CCDM_GROUPS
 * @inside: blocks that are counted to the group
 * @origin: pages of the pool hold data of the origin
 * @block: first block, within the mapping; a discard: where it stands
 * @seq: first sequence number of a write; a discard: its end
 * @pending: children under way, plus one
 * @status: first error of the bio or its children
 * @first, @nr: blocks within the leaf
 * @bad: block that did not verify, plus one, of an I/O that is split
 * @tries: errors of the crypto API while sealing
 * @marked: holds the busy marks
 * @again: the blocks are read for the second time
 * @used: the bio itself has been sent once and cannot be sent again
 * @covered: the leaf is LOADING and this I/O owns it
 * @direct: still in map(): the I/O may be sent from here
 * @vec: table for up to CCDM_INLINE_VECS blocks
 */
struct ccdm_io {
	/* The members from here on start as zero. */
	struct ccdm_node *leaf;
	struct ccdm_creq *creq;
	blk_status_t status;
	u8 first;
	u8 nr;
	u8 bad;
	u8 tries;
	bool marked;
	bool again;
	bool used;
	bool covered;
	bool origin;
	u8 inside;

	bool direct;
	u8 group;
	struct ccdm *c;
	struct bio *bio;
	bio_end_io_t *end_io;
	blk_opf_t user_opf;
	struct bio_vec *user_vec;
	struct bvec_iter user_iter;
	struct cgroup_subsys_state *css;
	union {
		struct work_struct work;
		struct ccdm_soft soft;
		struct ccdm_walk walk;
	};
	void (*step)(struct ccdm_io *io);
	union {
		struct list_head line;
		struct ccdm_send send;
	};
	struct ccdm_mask mask;
	struct ccdm_mask todo;
	struct ccdm_mask other;
	struct ccdm_page_req req;
	struct ccdm_at at;
	u64 block;
	u64 seq;
	atomic_t pending;
	struct bio_vec vec[CCDM_INLINE_VECS];
};

/* struct ccdm_child - a bio of our own for some blocks of an I/O */
struct ccdm_child {
	struct ccdm_io *io;
	u8 first;
	u8 nr;
	struct bio bio;
};

typedef void (*ccdm_step_fn)(struct ccdm_io *io);

/*
 * io.c: process @bio; @io is memory for it. It never waits. The bios that it submits are not of a
 * bio_set, so they need no progress of bios in current->bio_list.
 */
void ccdm_map_bio(struct ccdm *c, struct bio *bio, struct ccdm_io *io);
void ccdm_io_queue(struct ccdm_io *io, struct workqueue_struct *wq, ccdm_step_fn step);
/* @step never sleeps. Context: interrupts off. */
void ccdm_io_queue_soft(struct ccdm_io *io, ccdm_step_fn step);
/* The one place that sets the status of a bio. Any context with interrupts on. */
void ccdm_io_finish(struct ccdm_io *io, blk_status_t status);
/* false: @io waits in line; @step will run on the "done" queue, with the marks or pages held. */
bool __must_check ccdm_io_mark(struct ccdm_io *io, ccdm_step_fn step);
bool __must_check ccdm_io_pages(struct ccdm_io *io, unsigned int nr, ccdm_step_fn step);
void ccdm_io_pages_put(struct ccdm_io *io);
/* @walk serves @io. */
void ccdm_io_walk_for(struct ccdm_walk *walk, const struct ccdm_io *io);
/* Get a node for @io, of which only c, bio, group and user_opf are used; see ccdm_cache_get(). */
struct ccdm_node *ccdm_io_get(const struct ccdm_io *io, unsigned int level, u64 index,
			      enum ccdm_get how);
void ccdm_io_unmark(struct ccdm_io *io);
/* Page of the block at @iter. ccdm_map_bio() has checked that no block is in two pieces. */
static inline struct page *ccdm_io_block(const struct bio_vec *vec, struct bvec_iter iter,
					 unsigned int *offset)
{
	struct bio_vec bv = mp_bvec_iter_bvec(vec, iter);

	*offset = bv.bv_offset % PAGE_SIZE;
	return bv.bv_page + bv.bv_offset / PAGE_SIZE;
}

/* The first block of @io, to go on up to block @end. */
void ccdm_at_begin(struct ccdm_io *io, struct ccdm_at *at, unsigned int end);
/* Blocks that are not in io->todo have no page of the pool. */
void ccdm_at_next(struct ccdm_io *io, struct ccdm_at *at);
/*
 * Call @fn for each span of @io, which has pages and a table, and io->pending set to their
 * number; with @here for the first one at once, else all by workers. @io may be gone then.
 */
void ccdm_io_split(struct ccdm_io *io, void (*fn)(struct ccdm_span *span), bool here);
void ccdm_io_zero(struct ccdm_io *io, unsigned int i, unsigned int nr);
/* Send the bio itself to @bdev, with pages of the pool in place of the sender's. Any context. */
void ccdm_io_submit(struct ccdm_io *io, struct block_device *bdev, bio_end_io_t *end_io);
/* True if @bio was not sent completely because its sender may not wait. The submitter sends it. */
bool ccdm_io_refused(const struct bio *bio);
/* Let the submitter call @step, which may sleep for the device. Any context. */
void ccdm_io_submit_later(struct ccdm_io *io, ccdm_step_fn step);
/* An empty bio of our own for @nr blocks from @i, counted in io->pending. May sleep. */
struct bio *ccdm_io_child(struct ccdm_io *io, unsigned int i, unsigned int nr, blk_opf_t opf,
			  struct block_device *bdev, bio_end_io_t *end_io);
static inline struct ccdm_child *ccdm_child(struct bio *bio)
{
	return container_of(bio, struct ccdm_child, bio);
}

blk_opf_t ccdm_io_flags(struct bio *bio);

/* read.c, write.c: the leaf is in memory */
void ccdm_read_start(struct ccdm_io *io);
/* A leaf miss, in map(): fetch the data together with the leaf where that may help. */
void ccdm_read_miss(struct ccdm_io *io);
void ccdm_write_start(struct ccdm_io *io);
/* The leaf is not in memory. In map(). */
void ccdm_write_miss(struct ccdm_io *io);
/* discard.c: on the "walk" queue */
void ccdm_discard_start(struct ccdm_io *io);

/* ---- event.c -------------------------------------------------------------- */

enum ccdm_state {
	CCDM_ACTIVE,
	CCDM_TAMPERED,	/* all I/O is EIO, for ever */
	CCDM_FAILED,	/* sequence numbers used up: all I/O is EIO, no halt */
};

enum ccdm_on_tamper {
	CCDM_TAMPER_PANIC,
	CCDM_TAMPER_POWEROFF,
	CCDM_TAMPER_EIO,
};

int ccdm_event_module_init(void);
void ccdm_event_module_exit(void);
void ccdm_event_init(struct ccdm *c);
void ccdm_event_exit(struct ccdm *c);
/* Sleeps. @name is one of the events of the netlink specification. */
void ccdm_event_send(struct ccdm *c, const char *name);
/* From any context: the event is sent by a work item. */
void ccdm_event_unwritable(struct ccdm *c);
/*
 * The only function that declares tamper: a read did not return what was last
 * written. Any context. With on_tamper:panic it does not return. With
 * on_tamper:poweroff the machine powers off or panics, whatever happens to
 * the mapping.
 */
void ccdm_tamper(struct ccdm *c, const char *kind, unsigned int level, u64 index);
void ccdm_failed(struct ccdm *c);

/* ---- scrub.c -------------------------------------------------------------- */

/* The thread that scrubs, asleep. Return: 0 or -errno. */
int __must_check ccdm_scrub_init(struct ccdm *c);
void ccdm_scrub_exit(struct ccdm *c);
int ccdm_scrub_start(struct ccdm *c);	/* -EBUSY while it runs, -EAGAIN while suspended */
void ccdm_scrub_allow(struct ccdm *c, bool allowed);
void ccdm_scrub_stop(struct ccdm *c);	/* sleeps until it has stopped */

struct ccdm_scrub {
	struct kthread_worker *worker;	/* NULL if there is none yet */
	struct kthread_work work;
	/* Guards the members below. Inside nothing. */
	spinlock_t lock;
	bool allowed;	/* not suspended */
	bool running;
	bool stop;
	u64 done;	/* blocks, for the status line */
	u64 all;
	u64 failed;	/* read errors of the present scrub; only the scrub uses it */
	u64 finished;	/* scrubs that read everything */
};

/* Number of sequential readers that the mapping tracks. */
#define CCDM_STREAMS		8

/* ---- ctr.c, target.c ------------------------------------------------------ */

/**
 * struct ccdm_options - the table line
 * @suite: cipher suite
 * @cache_mib: size of the cache
 * @on_tamper: what to do at tamper
 * @allow_discards: pass discards down
 * @allow_kdump: open even if a crash kernel is loaded
 * @given: options that the table line has, for "dmsetup table"
 */
struct ccdm_options {
	const struct ccdm_suite *suite;
	unsigned int cache_mib;
	enum ccdm_on_tamper on_tamper;
	bool allow_discards;
	bool allow_kdump;
	struct {
		bool cipher;
		bool cache_mib;
		bool on_tamper;
	} given;
};

/**
 * struct ccdm - a mapping
 * @ti: our device-mapper target
 * @dev: backing device
 * @origin: origin or NULL
 * @origin_blocks: its blocks
 * @g: layout of the backing device
 * @opt: options of the table line
 * @block: cipher for blocks
 * @node: cipher for nodes
 * @creqs: request memory
 * @fixed_bytes: memory of @creqs and @bios, which counts as the cache's
 * @state: enum ccdm_state; leaves CCDM_ACTIVE once
 * @on_stop: called when it leaves; any context
 * @bios: bios of our own
 * @walk: work that may wait for nodes: discards
 * @done: work that never waits
 * @stats: counters
 * @seq: last sequence number given out
 * @pages: pages the host may see
 * @cache: nodes in memory
 * @submitter: sends bios which their sender cannot send
 * @streams, @next_stream: leaf after the last miss of each sequential reader, and which of
 *	these is forgotten next; hints
 * @events, @event_work: events that wait to be sent
 * @tamper_kind, @tamper_level, @tamper_index: place of the tamper; valid in state CCDM_TAMPERED
 * @opened: the event "opened" has been sent
 * @list: in the module's list of mappings
 * @md: the device-mapper device
 * @name, @uuid: its name and UUID when last looked up
 */
struct ccdm {
	struct dm_target *ti;
	struct dm_dev *dev;
	struct dm_dev *origin;
	u64 origin_blocks;
	struct ccdm_geometry g;
	struct ccdm_options opt;

	struct ccdm_cipher block;
	struct ccdm_cipher node;
	struct ccdm_creqs creqs;
	size_t fixed_bytes;
	int state;
	void (*on_stop)(struct ccdm *c);
	struct bio_set bios;
	struct workqueue_struct *walk;
	struct workqueue_struct *done;
	struct ccdm_stats __percpu *stats;

	/* Every write on every CPU adds to it. The members above are read only. */
	atomic64_t seq ____cacheline_aligned_in_smp;
	struct ccdm_pages pages;
	struct ccdm_cache cache;
	struct ccdm_scrub scrub;

	struct ccdm_submitter submitter;
	u64 streams[CCDM_STREAMS];
	unsigned int next_stream;

	struct work_struct event_work;
	unsigned long events;
	const char *tamper_kind;
	unsigned int tamper_level;
	u64 tamper_index;
	bool opened;

	struct list_head list;
	struct mapped_device *md;
	char name[DM_NAME_LEN];
	char uuid[DM_UUID_LEN];
};

static inline void ccdm_count(struct ccdm *c, enum ccdm_stat stat, unsigned int n)
{
	this_cpu_add(c->stats->n[stat], n);
}

static inline bool ccdm_active(struct ccdm *c)
{
	return likely(READ_ONCE(c->state) == CCDM_ACTIVE);
}

int ccdm_ctr(struct dm_target *ti, unsigned int argc, char **argv);
void ccdm_dtr(struct dm_target *ti);
/*
 * Hibernation begins or has ended. Return: false if it must not begin because there is a
 * mapping; after true no mapping can be opened until it ends. Sleeps.
 */
bool __must_check ccdm_hibernate(bool begin);

/* ---- table.c: parsing and printing --------------------------------------- */

/*
 * Fills c->opt; @origin is a word of @argv, or NULL. The device argv[1] is the
 * caller's to open. Return: 0, or -EINVAL with ti->error set.
 */
int ccdm_table_parse(struct ccdm *c, unsigned int argc, char **argv, const char **origin);
void ccdm_table_print(struct ccdm *c, char *result, unsigned int maxlen);
void ccdm_status_print(struct ccdm *c, char *result, unsigned int maxlen);
void ccdm_status_ima(struct ccdm *c, char *result, unsigned int maxlen);
unsigned int ccdm_table_cache_max(void);

/* ---- seq.c, name.c ------------------------------------------------------- */

/* The first of @n sequence numbers, or 0 when they are used up. Any context. */
u64 ccdm_take_seq(struct ccdm *c, unsigned int n);

const char *ccdm_name(struct ccdm *c);
void ccdm_name_update(struct ccdm *c);

#endif /* CCDM_H */
