// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* submit.c - the submitter; see submit.h */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/sched/mm.h>
#include "submit.h"

void ccdm_waiter_set(struct ccdm_waiter *waiter, const struct bio *bio, unsigned int group)
{
	waiter->group = group;
	if (bio_op(bio) == REQ_OP_READ)
		waiter->rank = CCDM_RANK_READ;
	else
		waiter->rank = bio->bi_opf & (REQ_SYNC | REQ_META | REQ_PRIO) ? CCDM_RANK_SYNC :
									      CCDM_RANK_REST;
}

u32 ccdm_submitter_full_groups(const struct ccdm_submitter *s)
{
	unsigned int tags = READ_ONCE(s->queue->nr_requests);
	unsigned int most = max(tags - tags / 4, 1u);
	unsigned int n[CCDM_GROUPS], all = 0, groups = 0, g;
	u32 full = 0;

	for (g = 0; g < CCDM_GROUPS; g++) {
		n[g] = atomic_read(&s->writes[g]);
		all += n[g];
		groups += !!n[g];
	}
	if (all < most)
		return 0;
	/* A full group has a write at the device, so a completion will release what is held. */
	for (g = 0; g < CCDM_GROUPS; g++)
		if (n[g] && n[g] >= (tags - most) / groups)
			full |= 1u << g;
	return full;
}

/* The next waiter that @thread may send now, or NULL. */
static struct ccdm_waiter *ccdm_submitter_first(struct ccdm_submitter_thread *thread, u32 full)
{
	struct ccdm_submitter *s = thread->s;
	struct ccdm_waiter *waiter = NULL;
	u8 order[CCDM_RANKS];
	unsigned int i;

	lockdep_assert_held(&s->lock);
	ccdm_line_order(&s->line, order);
	for (i = 0; i < CCDM_RANKS && !waiter; i++)
		if (order[i] <= thread->last)
			waiter = ccdm_line_next(&s->line, order[i],
						order[i] == CCDM_RANK_READ ? 0 : full);
	return waiter;
}

static void ccdm_submitter_wake(struct ccdm_submitter_thread *thread)
{
	struct ccdm_submitter *s = thread->s;

	lockdep_assert_held(&s->lock);
	/* A thread that is awake looks at the line again before it sleeps. */
	if (thread->awake)
		return;
	thread->awake = true;
	WRITE_ONCE(s->busy, true);
	queue_work(thread->wq, &thread->work);
}

/*
 * Wake a thread for a waiter that no thread will send soon: none is awake, or the one that is
 * leaves the last rank in line, or may wait for the device for long (@stuck).
 */
static void ccdm_submitter_rouse(struct ccdm_submitter *s, u32 full, bool stuck)
{
	bool last = ccdm_line_next(&s->line, CCDM_RANK_REST, full);

	if (!s->large.awake) {
		if (last || (!s->small.awake && ccdm_submitter_first(&s->large, full)))
			ccdm_submitter_wake(&s->large);
	} else if (stuck && !s->small.awake && ccdm_submitter_first(&s->small, full)) {
		ccdm_submitter_wake(&s->small);
	}
}

/* The kernel may hold back a write of the last rank (wbt). */
static bool ccdm_submitter_stuck(const struct ccdm_submitter *s)
{
	return s->large.awake && s->large.rank == CCDM_RANK_REST;
}

static struct ccdm_send *ccdm_submitter_next(struct ccdm_submitter_thread *thread)
{
	struct ccdm_submitter *s = thread->s;
	struct ccdm_waiter *waiter;
	unsigned long flags;
	u32 full, left;

	spin_lock_irqsave(&s->lock, flags);
	WRITE_ONCE(s->held, true);
	smp_mb();	/* pairs with ccdm_submitter_back() */
	full = ccdm_submitter_full(s);
	waiter = ccdm_submitter_first(thread, full);
	if (waiter) {
		ccdm_line_serve(&s->line, waiter);
		thread->rank = waiter->rank;
	} else {
		thread->awake = false;
		WRITE_ONCE(s->busy, s->large.awake || s->small.awake);
	}
	/* A thread that is awake, or is woken below, sends all but the writes of full groups. */
	left = s->line.groups[CCDM_RANK_SYNC] | s->line.groups[CCDM_RANK_REST];
	if (!(left & full))
		WRITE_ONCE(s->held, false);
	ccdm_submitter_rouse(s, full, ccdm_submitter_stuck(s));
	spin_unlock_irqrestore(&s->lock, flags);
	return waiter ? container_of(waiter, struct ccdm_send, waiter) : NULL;
}

static void ccdm_submitter_run(struct work_struct *work)
{
	struct ccdm_submitter_thread *thread =
		container_of(work, struct ccdm_submitter_thread, work);
	unsigned int noio = memalloc_noio_save();
	struct ccdm_send *send;
	struct blk_plug plug;

	/* Neighbours are merged below; the plug is pulled whenever this thread sleeps. */
	blk_start_plug(&plug);
	while ((send = ccdm_submitter_next(thread))) {
		send->send(send);
		cond_resched();
	}
	blk_finish_plug(&plug);
	memalloc_noio_restore(noio);
}

void ccdm_submit(struct ccdm_submitter *s, struct ccdm_send *send, bool large)
{
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	ccdm_line_add(&s->line, &send->waiter);
	/* In the lock: what is sent may be the last thing that keeps the mapping. */
	ccdm_submitter_wake(large || send->waiter.rank > s->small.last ? &s->large : &s->small);
	if (ccdm_submitter_stuck(s))
		ccdm_submitter_rouse(s, ccdm_submitter_full(s), true);
	spin_unlock_irqrestore(&s->lock, flags);
}

void ccdm_submitter_release(struct ccdm_submitter *s)
{
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	ccdm_submitter_rouse(s, ccdm_submitter_full(s), true);
	spin_unlock_irqrestore(&s->lock, flags);
}

static void ccdm_submitter_thread_init(struct ccdm_submitter_thread *thread,
				       struct ccdm_submitter *s, enum ccdm_rank last)
{
	thread->s = s;
	thread->last = last;
	INIT_WORK(&thread->work, ccdm_submitter_run);
}

int ccdm_submitter_init(struct ccdm_submitter *s, const char *name,
			const struct request_queue *queue)
{
	s->queue = queue;
	s->read_at = jiffies - CCDM_READS_RECENT;
	spin_lock_init(&s->lock);
	ccdm_line_init(&s->line);
	ccdm_submitter_thread_init(&s->large, s, CCDM_RANK_REST);
	ccdm_submitter_thread_init(&s->small, s, CCDM_RANK_SYNC);
	s->large.wq = alloc_ordered_workqueue("ccdm_large/%s", WQ_MEM_RECLAIM, name);
	s->small.wq = alloc_ordered_workqueue("ccdm_small/%s", WQ_MEM_RECLAIM | WQ_HIGHPRI, name);
	return s->large.wq && s->small.wq ? 0 : -ENOMEM;
}

void ccdm_submitter_flush(struct ccdm_submitter *s)
{
	flush_work(&s->large.work);
	flush_work(&s->small.work);
}

void ccdm_submitter_exit(struct ccdm_submitter *s)
{
	/* coverage: no memory for a work queue, which the program always has */
	if (s->large.wq)
		destroy_workqueue(s->large.wq);
	/* coverage: no memory for a work queue, which the program always has */
	if (s->small.wq)
		destroy_workqueue(s->small.wq);
}
