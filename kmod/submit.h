/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * submit.h - the submitter: two threads that send bios which their sender cannot send
 *
 * submit_bio() sleeps while the device has no tag free. Where many threads sleep there,
 * a reader of the device waits behind all of them. So a bio is sent by its own sender in
 * map(), as without ccdm, or by one of these threads: one is woken for large writes and for
 * those of the last rank, the other, which has a higher priority, for everything else. Both
 * serve the same line; the second one leaves the last rank to the first, which the kernel
 * may hold back while the device is slow (wbt).
 *
 * While there are readers, writes take at most three quarters of the device's tags: a reader
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

/* There are readers if a read came within this time. */
#define CCDM_READS_RECENT	(HZ / 25)

/**
 * struct ccdm_send - a bio, or bios, to send
 * @waiter: its place in line
 * @send: called by the submitter; may sleep and free the struct
 */
struct ccdm_send {
	struct ccdm_waiter waiter;
	void (*send)(struct ccdm_send *this);
};

/**
 * struct ccdm_submitter_thread - one of the two
 * @s: its submitter
 * @last: the last rank that it serves
 * @awake: it will look at the line again before it sleeps; under @s->lock
 * @rank: rank of its present or last send; under @s->lock
 * @work: serves the line. Only on @wq: a work item that is put on a second queue while
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
 * @lock: guards @line, @awake and writes to the flags; interrupt-safe. It nests no lock
 *	  but the locks of work queues
 * @line: waiting sends
 * @large: the thread that is woken for large writes and those of the last rank
 * @small: the thread that is woken for everything else
 */
struct ccdm_submitter {
	bool busy;
	bool held;
	const struct request_queue *queue;
	unsigned long read_at;
	atomic_t writes[CCDM_GROUPS] ____cacheline_aligned_in_smp;
	/* Guards the line and the flags above. Interrupt-safe. */
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
/* Wait until the threads have sent all that may be sent. */
void ccdm_submitter_flush(struct ccdm_submitter *s);
/* Set rank and group of a waiter that serves @bio. */
void ccdm_waiter_set(struct ccdm_waiter *waiter, const struct bio *bio, unsigned int group);
/* @send->send() will be called. @large: it is a large write. Any context. */
void ccdm_submit(struct ccdm_submitter *s, struct ccdm_send *send, bool large);
/* Send held writes that may go now. Any context. */
void ccdm_submitter_release(struct ccdm_submitter *s);

/* Record that a read came. */
static inline void ccdm_submitter_read(struct ccdm_submitter *s)
{
	if (time_before(READ_ONCE(s->read_at), jiffies))
		WRITE_ONCE(s->read_at, jiffies);
}

/* Groups, one bit each, that have the maximum of writes at the device. */
u32 ccdm_submitter_full_groups(const struct ccdm_submitter *s);

static inline u32 ccdm_submitter_full(const struct ccdm_submitter *s)
{
	if (!time_before(jiffies, READ_ONCE(s->read_at) + CCDM_READS_RECENT))
		return 0;
	return ccdm_submitter_full_groups(s);
}

/* True if map() may send a write of @group: it overtakes no waiter and leaves tags for readers. */
static inline bool ccdm_submitter_idle(const struct ccdm_submitter *s, unsigned int group)
{
	u32 blocked = READ_ONCE(s->line.groups[CCDM_RANK_SYNC]) |
		      READ_ONCE(s->line.groups[CCDM_RANK_REST]) | ccdm_submitter_full(s);

	return !READ_ONCE(s->busy) && !(blocked & (1u << group));
}

/* True if readahead may be sent without taking tags from requested reads. */
static inline bool ccdm_submitter_spare(const struct ccdm_submitter *s)
{
	return !READ_ONCE(s->held) && !ccdm_submitter_full(s);
}

/* Count a write of @group that goes to the device. */
static inline void ccdm_submitter_sent(struct ccdm_submitter *s, unsigned int group)
{
	atomic_inc(&s->writes[group]);
}

/* Count a write of @group that has completed. Any context. */
static inline void ccdm_submitter_back(struct ccdm_submitter *s, unsigned int group)
{
	/* Fully ordered, as is the check after @held is set: one of the two sees the other. */
	atomic_dec_return(&s->writes[group]);
	if (unlikely(READ_ONCE(s->held)))
		ccdm_submitter_release(s);
}

#endif /* CCDM_SUBMIT_H */
