/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * submit.h - the submitter: two threads that send what cannot be sent where it is
 *
 * submit_bio() sleeps while the device has no tag free. Where many threads sleep there,
 * a reader of the device waits behind all of them. So a bio is sent by its own sender in
 * map(), as without us, or by one of these threads: one is woken for large writes and for
 * those of the last rank, the other, which has a higher priority, for everything else. Both
 * serve the same line; the second one leaves the last rank to the first, which the kernel
 * may hold back while the device is slow (wbt).
 *
 * While somebody reads, writes take three quarters of the device's tags at most: a reader
 * that sends one I/O after the other would wait for a tag each time. The writes of a control
 * group that io.max holds back above the device are counted, too, and have no tag. So each
 * group may have its share of the last quarter, whatever the others have.
 */
#ifndef CCDM_SUBMIT_H
#define CCDM_SUBMIT_H

#include <linux/atomic.h>
#include <linux/blkdev.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "line.h"

struct bio;

/* Somebody reads if a read came within this time. */
#define CCDM_READS_RECENT	(HZ / 25)

/**
 * struct ccdm_send - something to be sent
 * @waiter: its place in line
 * @send: called by the submitter; may sleep; @this may be gone afterwards
 */
struct ccdm_send {
	struct ccdm_waiter waiter;
	void (*send)(struct ccdm_send *this);
};

/**
 * struct ccdm_submitter_thread - one of the two
 * @s: for whom it works
 * @last: the last rank that it serves
 * @awake: it looks at the line again before it sleeps; under @s->lock
 * @rank: of what it sends, or sent last; under @s->lock
 * @work: sends what is in line. On @wq alone: a work item that is put on a second queue while
 *	  it runs may run twice at a time
 * @wq: an ordered queue of its own
 */
struct ccdm_submitter_thread {
	struct ccdm_submitter *s;
	enum ccdm_rank last;
	bool awake;
	u8 rank;
	struct work_struct work;
	struct workqueue_struct *wq;
};

/**
 * struct ccdm_submitter - the threads and their line
 * @busy: a thread is awake; a hint without @lock
 * @held: writes in line wait until their groups have fewer at the device; written under @lock
 * @queue: the device's
 * @read_at: jiffies when the last read came; a hint
 * @writes: writes at the device, of each group
 * @lock: guards @line, what is awake, and writing to the flags; interrupt-safe. Nothing inside
 *	  but the locks of work queues
 * @line: what is to be sent
 * @large: the thread that is woken for large writes and those of the last rank
 * @small: the thread that is woken for everything else
 */
struct ccdm_submitter {
	bool busy;
	bool held;
	const struct request_queue *queue;
	unsigned long read_at;
	atomic_t writes[CCDM_GROUPS] ____cacheline_aligned_in_smp;
	/* Guards the line, and the flags above. Interrupt-safe. */
	spinlock_t lock;
	struct ccdm_line line;
	struct ccdm_submitter_thread large;
	struct ccdm_submitter_thread small;
};

/*
 * A submitter named @name for the device with @queue, which is the caller's. May sleep.
 * Return: 0 or -ENOMEM; in both cases it is ended by ccdm_submitter_exit().
 */
int __must_check ccdm_submitter_init(struct ccdm_submitter *s, const char *name,
				     const struct request_queue *queue);
void ccdm_submitter_exit(struct ccdm_submitter *s);
/* Waits until the threads have sent what may be sent. */
void ccdm_submitter_flush(struct ccdm_submitter *s);
/* Rank of what serves @bio, for a control group. */
void ccdm_waiter_set(struct ccdm_waiter *waiter, const struct bio *bio, unsigned int group);
/* @send->send() will be called. @large: it is a large write. Any context. */
void ccdm_submit(struct ccdm_submitter *s, struct ccdm_send *send, bool large);
/* Some of the writes that were held may be sent now. Any context. */
void ccdm_submitter_release(struct ccdm_submitter *s);

/* A read comes. */
static inline void ccdm_submitter_read(struct ccdm_submitter *s)
{
	if (time_before(READ_ONCE(s->read_at), jiffies))
		WRITE_ONCE(s->read_at, jiffies);
}

/* The groups, a bit for each, that have as many writes at the device as they may have now. */
u32 ccdm_submitter_full_groups(const struct ccdm_submitter *s);

static inline u32 ccdm_submitter_full(const struct ccdm_submitter *s)
{
	if (!time_before(jiffies, READ_ONCE(s->read_at) + CCDM_READS_RECENT))
		return 0;
	return ccdm_submitter_full_groups(s);
}

/* May a write of @group be sent from map()? It passes nobody, and leaves tags for readers. */
static inline bool ccdm_submitter_idle(const struct ccdm_submitter *s, unsigned int group)
{
	u32 blocked = READ_ONCE(s->line.groups[CCDM_RANK_SYNC]) |
		      READ_ONCE(s->line.groups[CCDM_RANK_REST]) | ccdm_submitter_full(s);

	return !READ_ONCE(s->busy) && !(blocked & (1u << group));
}

/* May reads be sent that nobody has asked for? They would take the tags of those that were. */
static inline bool ccdm_submitter_spare(const struct ccdm_submitter *s)
{
	return !READ_ONCE(s->held) && !ccdm_submitter_full(s);
}

/* A write of @group goes to the device. */
static inline void ccdm_submitter_sent(struct ccdm_submitter *s, unsigned int group)
{
	atomic_inc(&s->writes[group]);
}

/* A write of @group has come back. Any context. */
static inline void ccdm_submitter_back(struct ccdm_submitter *s, unsigned int group)
{
	/* Fully ordered, as the check after @held is set: one of the two sees the other. */
	atomic_dec_return(&s->writes[group]);
	if (unlikely(READ_ONCE(s->held)))
		ccdm_submitter_release(s);
}

#endif /* CCDM_SUBMIT_H */
