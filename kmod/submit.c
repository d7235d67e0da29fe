// SPDX-License-Identifier: GPL-2.0-only
/* submit.c - the submitter; see submit.h */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/hash.h>
#include <linux/sched/mm.h>
#include "submit.h"

unsigned int ccdm_bio_group(const struct bio *bio)
{
	return hash_ptr(ccdm_bio_blkg(bio), CCDM_GROUP_BITS);
}

void ccdm_waiter_set(struct ccdm_waiter *waiter, const struct bio *bio, unsigned int group)
{
	waiter->group = group;
	if (bio_op(bio) == REQ_OP_READ)
		waiter->rank = CCDM_RANK_READ;
	else
		waiter->rank = bio->bi_opf & (REQ_SYNC | REQ_META | REQ_PRIO) ? CCDM_RANK_SYNC :
									      CCDM_RANK_REST;
}

static struct ccdm_waiter *ccdm_submitter_first(struct ccdm_submitter *s, bool writes)
{
	struct ccdm_waiter *waiter = NULL;
	u8 order[CCDM_RANKS];
	unsigned int i;

	ccdm_line_order(&s->line, order);
	for (i = 0; i < CCDM_RANKS && !waiter; i++)
		if (writes || order[i] == CCDM_RANK_READ)
			waiter = ccdm_line_next(&s->line, order[i], 0);
	return waiter;
}

static struct ccdm_send *ccdm_submitter_next(struct ccdm_submitter *s)
{
	struct ccdm_waiter *waiter;
	unsigned long flags;
	bool full;

	spin_lock_irqsave(&s->lock, flags);
	WRITE_ONCE(s->held, true);
	smp_mb();	/* pairs with ccdm_submitter_back() */
	full = ccdm_submitter_full(s);
	waiter = ccdm_submitter_first(s, !full);
	if (waiter)
		ccdm_line_serve(&s->line, waiter);
	if (waiter || !full)
		WRITE_ONCE(s->held, false);
	if (!waiter && ccdm_line_empty(&s->line))
		WRITE_ONCE(s->busy, false);
	spin_unlock_irqrestore(&s->lock, flags);
	return waiter ? container_of(waiter, struct ccdm_send, waiter) : NULL;
}

static void ccdm_submitter_run(struct work_struct *work)
{
	struct ccdm_submitter *s = container_of(work, struct ccdm_submitter, work);
	unsigned int noio = memalloc_noio_save();
	struct ccdm_send *send;
	struct blk_plug plug;

	/* Neighbours are merged below; the plug is pulled whenever this thread sleeps. */
	blk_start_plug(&plug);
	while ((send = ccdm_submitter_next(s))) {
		send->send(send);
		cond_resched();
	}
	blk_finish_plug(&plug);
	memalloc_noio_restore(noio);
}

void ccdm_submit(struct ccdm_submitter *s, struct ccdm_send *send)
{
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	ccdm_line_add(&s->line, &send->waiter);
	WRITE_ONCE(s->busy, true);
	/* In the lock: what is sent may be the last thing that keeps the mapping. */
	queue_work(s->wq, &s->work);
	spin_unlock_irqrestore(&s->lock, flags);
}

void ccdm_submitter_init(struct ccdm_submitter *s, struct workqueue_struct *wq,
			 const struct request_queue *queue)
{
	s->queue = queue;
	s->read_at = jiffies - CCDM_READS_RECENT;
	spin_lock_init(&s->lock);
	ccdm_line_init(&s->line);
	INIT_WORK(&s->work, ccdm_submitter_run);
	s->wq = wq;
}
