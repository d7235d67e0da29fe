// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * io.c - code shared by reads and writes: waiting, sending, completion
 *
 * Order of taking: leaf, busy marks (all or none), pages (all or none), device.
 * An I/O that waits for marks holds no pages. No I/O waits in map(): an I/O that cannot
 * go on is parked, and softirq or a worker of "done" goes on from there. Neither
 * waits. What is not sent from map() is sent by the submitter.
 */
#include <linux/ioprio.h>
#include <linux/sched/mm.h>
#include "ccdm.h"

/* ---- steps --------------------------------------------------------------- */

static void ccdm_io_work(struct work_struct *work)
{
	struct ccdm_io *io = container_of(work, struct ccdm_io, work);
	unsigned int noio = memalloc_noio_save();

	io->step(io);
	memalloc_noio_restore(noio);
}

void ccdm_io_queue(struct ccdm_io *io, struct workqueue_struct *wq, ccdm_step_fn step)
{
	io->step = step;
	io->direct = false;
	INIT_WORK(&io->work, ccdm_io_work);
	queue_work(wq, &io->work);
}

static void ccdm_io_soft(struct ccdm_soft *soft)
{
	struct ccdm_io *io = container_of(soft, struct ccdm_io, soft);

	io->step(io);
}

void ccdm_io_queue_soft(struct ccdm_io *io, ccdm_step_fn step)
{
	io->step = step;
	io->soft.step = ccdm_io_soft;
	ccdm_soft_queue(&io->soft);
}

/* ---- busy marks ---------------------------------------------------------- */

bool ccdm_io_mark(struct ccdm_io *io, ccdm_step_fn step)
{
	static const struct ccdm_mask none;
	struct ccdm_node *leaf = io->leaf;
	struct ccdm_io *other;
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&leaf->lock, flags);
	ok = ccdm_tree_grant(&io->mask, &leaf->mask, &none);
	/* An I/O overtakes an earlier one only if their blocks do not overlap. */
	if (ok)
		list_for_each_entry(other, &leaf->line, line)
			if (ccdm_mask_overlaps(&io->mask, &other->mask)) {
				ok = false;
				break;
			}
	if (ok) {
		ccdm_mask_add(&leaf->mask, &io->mask);
		io->marked = true;
	} else {
		io->step = step;
		io->direct = false;
		list_add_tail(&io->line, &leaf->line);
	}
	spin_unlock_irqrestore(&leaf->lock, flags);
	return ok;
}

void ccdm_io_unmark(struct ccdm_io *io)
{
	struct ccdm_node *leaf = io->leaf;
	struct ccdm_mask earlier = { { 0, 0 } };
	struct ccdm_io *next, *tmp;
	LIST_HEAD(granted);
	unsigned long flags;

	spin_lock_irqsave(&leaf->lock, flags);
	ccdm_mask_remove(&leaf->mask, &io->mask);
	io->marked = false;
	list_for_each_entry_safe(next, tmp, &leaf->line, line) {
		if (ccdm_tree_grant(&next->mask, &leaf->mask, &earlier)) {
			ccdm_mask_add(&leaf->mask, &next->mask);
			next->marked = true;
			list_move_tail(&next->line, &granted);
		} else {
			ccdm_mask_add(&earlier, &next->mask);
		}
	}
	spin_unlock_irqrestore(&leaf->lock, flags);

	list_for_each_entry_safe(next, tmp, &granted, line) {
		list_del_init(&next->line);
		ccdm_io_queue(next, next->c->done, next->step);
	}
}

/* ---- pages --------------------------------------------------------------- */

static void ccdm_io_pages_granted(struct ccdm_page_req *req)
{
	struct ccdm_io *io = container_of(req, struct ccdm_io, req);

	ccdm_io_queue(io, io->c->done, io->step);
}

bool ccdm_io_pages(struct ccdm_io *io, unsigned int nr, ccdm_step_fn step)
{
	bool direct = io->direct;

	io->step = step;
	io->direct = false;	/* from here on it may be granted by somebody else */
	io->req.nr = nr;
	io->req.on_granted = ccdm_io_pages_granted;
	ccdm_waiter_set(&io->req.waiter, io->bio, io->group);
	if (!ccdm_pages_take(&io->c->pages, &io->req, true))
		return false;
	io->direct = direct;
	return true;
}

/* Only data that the host may see stays in the pool: an origin may be secret. */
void ccdm_io_pages_put(struct ccdm_io *io)
{
	struct ccdm_pg *pg;

	for (pg = io->origin ? io->req.pages : NULL; pg; pg = pg->next)
		clear_page(page_address(pg->page));
	io->origin = false;
	ccdm_pages_put(&io->c->pages, &io->req);
}

void ccdm_io_walk_for(struct ccdm_walk *walk, const struct ccdm_io *io)
{
	walk->waiter.group = io->group;
	/* Other I/Os may wait for these nodes, and a scheduler may hold an idle one for seconds. */
	walk->ioprio = IOPRIO_PRIO_CLASS(io->bio->bi_ioprio) == IOPRIO_CLASS_IDLE ?
			       IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7) : io->bio->bi_ioprio;
	walk->opf = io->user_opf & (REQ_PRIO | REQ_IDLE);
}

struct ccdm_node *ccdm_io_get(const struct ccdm_io *io, unsigned int level, u64 index,
			      enum ccdm_get how)
{
	struct ccdm_walk like = { 0 };

	ccdm_io_walk_for(&like, io);
	return ccdm_cache_get(io->c, level, index, how, &like);
}

/* ---- blocks -------------------------------------------------------------- */

void ccdm_at_begin(struct ccdm_io *io, struct ccdm_at *at, unsigned int end)
{
	at->page = io->req.pages;
	at->iter = io->user_iter;
	at->block = 0;
	at->end = end;
}

void ccdm_at_next(struct ccdm_io *io, struct ccdm_at *at)
{
	if (ccdm_mask_test(&io->todo, at->block))
		at->page = at->page->next;
	bvec_iter_advance_single(io->user_vec, &at->iter, CCDM_BLOCK_SIZE);
	at->block++;
}

static void ccdm_span_work(struct work_struct *work)
{
	struct ccdm_span *span = container_of(work, struct ccdm_span, work);
	unsigned int noio = memalloc_noio_save();

	span->fn(span);
	memalloc_noio_restore(noio);
}

void ccdm_io_split(struct ccdm_io *io, void (*fn)(struct ccdm_span *span), bool here)
{
	unsigned int i, n = DIV_ROUND_UP(io->nr, CCDM_SPAN_BLOCKS);
	struct ccdm_span *spans = io->req.vecs->span;
	struct workqueue_struct *done = io->c->done;
	struct ccdm_at at;

	atomic_set(&io->pending, n);
	ccdm_at_begin(io, &at, 0);
	for (i = 0; i < n; i++) {
		spans[i].io = io;
		spans[i].fn = fn;
		at.end = min_t(unsigned int, at.end + CCDM_SPAN_BLOCKS, io->nr);
		spans[i].at = at;
		/* After the last one @io belongs to its worker. */
		while (i + 1 < n && at.block < at.end)
			ccdm_at_next(io, &at);
		if (i || !here) {
			INIT_WORK(&spans[i].work, ccdm_span_work);
			queue_work(done, &spans[i].work);
		}
	}
	if (here)
		fn(&spans[0]);
}

void ccdm_io_zero(struct ccdm_io *io, unsigned int i, unsigned int nr)
{
	struct bvec_iter iter = io->user_iter;
	unsigned int at, offset;
	struct page *page;

	for (at = 0; at < i + nr; at++) {
		if (at >= i) {
			page = ccdm_io_block(io->user_vec, iter, &offset);
			memset(page_address(page) + offset, 0, CCDM_BLOCK_SIZE);
		}
		bvec_iter_advance_single(io->user_vec, &iter, CCDM_BLOCK_SIZE);
	}
}

/* ---- going out ----------------------------------------------------------- */

blk_opf_t ccdm_io_flags(struct bio *bio)
{
	blk_opf_t keep = REQ_SYNC | REQ_META | REQ_PRIO | REQ_IDLE;

	if (bio_op(bio) == REQ_OP_READ)
		keep |= REQ_RAHEAD;
	return bio_op(bio) | (bio->bi_opf & keep);
}

/*
 * Not by dm_submit_bio_remap(), which charges the bio to whoever made the one above it: the
 * group that is throttled would be another one than that which holds the pages.
 */
static void ccdm_io_send(struct ccdm_io *io)
{
	struct ccdm_submitter *s = &io->c->submitter;

	if (bio_op(io->bio) == REQ_OP_WRITE)
		ccdm_submitter_sent(s, io->group);
	else
		ccdm_submitter_read(s);
	/*
	 * Send nothing more after a tamper. The bio ends as if the device had failed it:
	 * a read that is sent ahead also has a walk in progress.
	 */
	if (likely(ccdm_active(io->c)))
		submit_bio_noacct(io->bio);
	else
		bio_io_error(io->bio);
}

static void ccdm_io_submitted(struct ccdm_send *send)
{
	struct ccdm_io *io = container_of(send, struct ccdm_io, send);

	io->step(io);
}

void ccdm_io_submit_later(struct ccdm_io *io, ccdm_step_fn step)
{
	io->direct = false;
	io->step = step;
	io->send.send = ccdm_io_submitted;
	ccdm_waiter_set(&io->send.waiter, io->bio, io->group);
	ccdm_submit(&io->c->submitter, &io->send,
		    bio_op(io->bio) == REQ_OP_WRITE && io->nr > CCDM_INLINE_BLOCKS);
}

void ccdm_io_submit(struct ccdm_io *io, struct block_device *bdev, bio_end_io_t *end_io)
{
	struct bio_vec *vec = io->req.vecs ? io->req.vecs->v : io->vec;
	struct ccdm_pg *pg = io->req.pages;
	struct bio *bio = io->bio;
	unsigned int i;

	for (i = 0; i < io->nr; i++, pg = pg->next) {
		vec[i].bv_page = pg->page;
		vec[i].bv_len = CCDM_BLOCK_SIZE;
		vec[i].bv_offset = 0;
	}
	bio->bi_io_vec = vec;
	bio->bi_iter.bi_sector = io->block * CCDM_BLOCK_SECTORS;
	bio->bi_iter.bi_size = io->nr * CCDM_BLOCK_SIZE;
	bio->bi_iter.bi_idx = 0;
	bio->bi_iter.bi_bvec_done = 0;
	bio->bi_opf = ccdm_io_flags(bio);
	bio->bi_end_io = end_io;
	bio->bi_private = io;
	io->used = true;
	if (bdev != bio->bi_bdev)
		bio_set_dev(bio, bdev);
	/*
	 * A write passes nobody who waits; a read has only its own sender to wait for it. A sender
	 * that may not wait for the device sends nothing but what the device can refuse, and will
	 * not refuse for ever.
	 */
	if ((io->user_opf & REQ_NOWAIT) &&
	    (!bdev_nowait(bdev) || io->nr > queue_max_segments(bdev_get_queue(bdev))))
		io->direct = false;
	if (io->direct && (bio_op(bio) == REQ_OP_READ ||
			   ccdm_submitter_idle(&io->c->submitter, io->group))) {
		bio->bi_opf |= io->user_opf & REQ_NOWAIT;
		ccdm_io_send(io);
	} else {
		ccdm_io_submit_later(io, ccdm_io_send);
	}
}

bool ccdm_io_refused(const struct bio *bio)
{
	/* Not supported: devices change, and this one cannot refuse any more. */
	return (bio->bi_opf & REQ_NOWAIT) &&
	       (bio->bi_status == BLK_STS_AGAIN || bio->bi_status == BLK_STS_NOTSUPP);
}

struct bio *ccdm_io_child(struct ccdm_io *io, unsigned int i, unsigned int nr, blk_opf_t opf,
			  struct block_device *bdev, bio_end_io_t *end_io)
{
	/* Each child is sent before the next is asked for, so the pool refills. */
	unsigned short vecs = (opf & REQ_OP_MASK) == REQ_OP_DISCARD ? 0 : nr;
	struct bio *bio = bio_alloc_bioset(bdev, vecs, opf, GFP_NOIO, &io->c->bios);

	ccdm_css_charge(bio, io->css);
	bio->bi_ioprio = io->bio->bi_ioprio;
	bio->bi_iter.bi_sector = (io->block + i) * CCDM_BLOCK_SECTORS;
	bio->bi_end_io = end_io;
	ccdm_child(bio)->io = io;
	ccdm_child(bio)->first = i;
	ccdm_child(bio)->nr = nr;
	atomic_inc(&io->pending);
	return bio;
}

void ccdm_io_finish(struct ccdm_io *io, blk_status_t status)
{
	struct ccdm *c = io->c;
	struct bio *bio = io->bio;

	if (unlikely(!ccdm_active(c)))
		status = BLK_STS_IOERR;
	/* A failed read shows no data, whether opened or not. */
	if (unlikely(status) && bio_op(bio) == REQ_OP_READ && io->nr)
		ccdm_io_zero(io, 0, io->nr);

	if (io->req.pages)
		ccdm_io_pages_put(io);
	if (io->leaf) {
		if (unlikely(io->covered)) {
			/* No other code has seen it: the parent's entry is still valid. */
			ccdm_cache_abandon(c, io->leaf, 0);
		} else {
			if (io->marked)
				ccdm_io_unmark(io);
			ccdm_node_unpin(c, io->leaf);
		}
	}

	ccdm_css_put(io->css);
	if (io->inside)
		ccdm_pages_leave(&c->pages, &io->req, io->inside);
	/* dm counts swap bios by their flags, at both ends. */
	bio->bi_opf = io->user_opf;
	bio->bi_io_vec = io->user_vec;
	bio->bi_end_io = io->end_io;
	bio->bi_status = status;
	bio_endio(bio);
}
