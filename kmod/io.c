// SPDX-License-Identifier: GPL-2.0-only
/*
 * io.c - what reads and writes have in common: coming in, waiting, going out
 *
 * Order of taking: leaf, busy marks (all or none), pages (all or none), device.
 * Who must wait for marks holds no pages. Nobody waits in map(): who cannot go
 * on is parked, and a worker of "walk" (may wait for nodes) or "done" (never
 * waits) goes on from there.
 */
#include <linux/interrupt.h>
#include <linux/llist.h>
#include <linux/sched/mm.h>
#include "ccdm.h"

#define CCDM_SOFT_BATCH		16	/* I/Os a tasklet goes on with at once */

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
	INIT_WORK(&io->work, ccdm_io_work);
	queue_work(wq, &io->work);
}

/*
 * What completed with interrupts off goes on in softirq, on the same CPU. Not by
 * work in softirq (WQ_BH), it costs 1,000 instructions more, and not by a tasklet
 * in each I/O: the kernel looks at a tasklet after its last step, when the I/O is
 * gone. These are the module's, so no mapping needs to wait for them.
 */
struct ccdm_soft {
	struct llist_head arrived;
	struct llist_node *next;	/* the tasklet's alone: in the order they came */
	struct tasklet_struct tasklet;
};

static DEFINE_PER_CPU(struct ccdm_soft, ccdm_soft);

static void ccdm_io_soft_run(struct tasklet_struct *tasklet)
{
	struct ccdm_soft *s = container_of(tasklet, struct ccdm_soft, tasklet);
	struct ccdm_io *io;
	unsigned int n;

	for (n = 0; n < CCDM_SOFT_BATCH; n++) {
		if (!s->next)
			s->next = llist_reverse_order(llist_del_all(&s->arrived));
		if (!s->next)
			return;
		io = llist_entry(s->next, struct ccdm_io, soft);
		s->next = s->next->next;
		io->step(io);
	}
	/* Others want this CPU, too. */
	tasklet_schedule(tasklet);
}

void ccdm_io_queue_soft(struct ccdm_io *io, ccdm_step_fn step)
{
	struct ccdm_soft *s = this_cpu_ptr(&ccdm_soft);

	io->step = step;
	if (llist_add(&io->soft, &s->arrived))
		tasklet_schedule(&s->tasklet);
}

void ccdm_io_module_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		tasklet_setup(&per_cpu(ccdm_soft, cpu).tasklet, ccdm_io_soft_run);
}

void ccdm_io_module_exit(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu(ccdm_soft, cpu).tasklet);
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
	/* One passes an earlier one only if their blocks do not overlap. */
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

static void ccdm_io_pages_granted(struct ccdm_want *want)
{
	struct ccdm_io *io = container_of(want, struct ccdm_io, want);

	ccdm_io_queue(io, io->c->done, io->step);
}

bool ccdm_io_pages(struct ccdm_io *io, unsigned int nr, ccdm_step_fn step)
{
	io->step = step;
	io->want.nr = nr;
	io->want.granted = ccdm_io_pages_granted;
	return ccdm_pages_take(&io->c->pages, &io->want, true);
}

struct page *ccdm_io_user(struct ccdm_io *io, unsigned int i, unsigned int *offset)
{
	if (i < io->cursor_at) {
		io->cursor = io->user_iter;
		io->cursor_at = 0;
	}
	for (; io->cursor_at < i; io->cursor_at++)
		bvec_iter_advance_single(io->user_vec, &io->cursor, CCDM_BLOCK_SIZE);
	return ccdm_io_block(io->user_vec, io->cursor, offset);
}

void ccdm_io_zero(struct ccdm_io *io, unsigned int i, unsigned int nr)
{
	unsigned int offset, end = i + nr;

	for (; i < end; i++) {
		struct page *page = ccdm_io_user(io, i, &offset);

		memset(page_address(page) + offset, 0, CCDM_BLOCK_SIZE);
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

void ccdm_io_submit_to(struct ccdm_io *io, struct block_device *bdev, bio_end_io_t *end_io)
{
	struct bio *bio = io->bio;

	bio->bi_opf = ccdm_io_flags(bio);
	bio->bi_end_io = end_io;
	bio->bi_private = io;
	io->used = true;
	bio_set_dev(bio, bdev);
	if (io->internal)
		submit_bio_noacct(bio);
	else
		dm_submit_bio_remap(bio, NULL);
}

void ccdm_io_submit(struct ccdm_io *io, bio_end_io_t *end_io)
{
	struct bio_vec *vec = io->want.vecs ? io->want.vecs->v : io->vec;
	struct ccdm_pg *pg = io->want.pages;
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
	ccdm_io_submit_to(io, io->c->dev->bdev, end_io);
}

struct bio *ccdm_io_child(struct ccdm_io *io, unsigned int i, unsigned int nr, blk_opf_t opf,
			  struct block_device *bdev, bio_end_io_t *end_io)
{
	/* Each child is sent before the next is asked for, so the pool refills. */
	unsigned short vecs = (opf & REQ_OP_MASK) == REQ_OP_DISCARD ? 0 : nr;
	struct bio *bio = bio_alloc_bioset(bdev, vecs, opf, GFP_NOIO, &io->c->bios);

	bio_clone_blkg_association(bio, io->bio);
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
	/* Nothing is shown of a read that fails, opened or not. */
	if (unlikely(status) && bio_op(bio) == REQ_OP_READ && io->nr)
		ccdm_io_zero(io, 0, io->nr);

	if (io->creq)
		ccdm_creq_put(&c->creqs, io->creq);
	if (io->want.pages)
		ccdm_pages_put(&c->pages, &io->want);
	if (io->leaf) {
		if (unlikely(io->covered)) {
			/* Never seen by anybody: the parent's entry still holds. */
			ccdm_cache_abandon(c, io->leaf, 0);
		} else {
			if (io->marked)
				ccdm_io_unmark(io);
			ccdm_node_unpin(c, io->leaf);
		}
	}

	/* dm counts swap bios by their flags, at both ends. */
	bio->bi_opf = io->user_opf;
	bio->bi_io_vec = io->user_vec;
	bio->bi_end_io = io->end_io;
	bio->bi_status = status;
	bio_endio(bio);
}

/* ---- coming in ----------------------------------------------------------- */

static void ccdm_io_start(struct ccdm_io *io)
{
	if (bio_op(io->bio) == REQ_OP_WRITE)
		ccdm_write_start(io);
	else
		ccdm_read_start(io);
}

/* The leaf is not in memory. On the "walk" queue. */
void ccdm_io_walk(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	bool cover = bio_op(io->bio) == REQ_OP_WRITE && !io->first &&
		     (io->nr == CCDM_NODE_ENTRIES || io->block + io->nr == c->g.blocks);
	struct ccdm_node *leaf;

	if (bio_op(io->bio) == REQ_OP_READ && ccdm_read_ahead(io))
		return;
	leaf = ccdm_cache_get(c, 0, io->block >> CCDM_NODE_SHIFT,
			      cover ? CCDM_GET_COVER : CCDM_GET_READ);
	if (IS_ERR(leaf)) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	io->leaf = leaf;
	io->covered = cover && READ_ONCE(leaf->state) == CCDM_NODE_LOADING;
	ccdm_io_start(io);
}

/* A block must be one linear piece: its bytes go to the crypto API as such. */
static bool ccdm_io_linear(struct bio *bio)
{
	const struct bio_vec *bv = &bio->bi_io_vec[bio->bi_iter.bi_idx];
	unsigned int left = bio->bi_iter.bi_size, n = bv->bv_len - bio->bi_iter.bi_bvec_done;

	/* The last piece is what is left of whole blocks. */
	for (; n < left; n = (++bv)->bv_len) {
		if (n % CCDM_BLOCK_SIZE)
			return false;
		left -= n;
	}
	return true;
}

static void __ccdm_io_map(struct ccdm *c, struct bio *bio, struct ccdm_io *io, bool internal)
{
	u64 sector = dm_target_offset(c->ti, bio->bi_iter.bi_sector);

	memset(io, 0, offsetof(struct ccdm_io, internal));
	io->want.pages = NULL;
	io->c = c;
	io->bio = bio;
	io->end_io = bio->bi_end_io;
	io->user_opf = bio->bi_opf;
	io->user_vec = bio->bi_io_vec;
	io->user_iter = bio->bi_iter;
	io->cursor = bio->bi_iter;
	io->block = sector / CCDM_BLOCK_SECTORS;
	io->internal = internal;
	atomic_set(&io->pending, 1);

	if (unlikely(!ccdm_active(c)) ||
	    unlikely((sector | bio_sectors(bio)) % CCDM_BLOCK_SECTORS)) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	if (unlikely(bio_op(bio) != REQ_OP_READ && bio_op(bio) != REQ_OP_WRITE)) {
		ccdm_io_queue(io, c->walk, ccdm_discard_start);
		return;
	}
	if (unlikely(!bio_sectors(bio))) {
		ccdm_io_finish(io, BLK_STS_OK);
		return;
	}
	if (unlikely(!ccdm_io_linear(bio))) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	io->nr = bio_sectors(bio) / CCDM_BLOCK_SECTORS;
	io->first = io->block % CCDM_NODE_ENTRIES;
	io->mask = ccdm_mask_range(io->first, io->nr);

	io->leaf = ccdm_cache_find(c, 0, io->block >> CCDM_NODE_SHIFT);
	if (likely(io->leaf)) {
		ccdm_count(c, CCDM_STAT_HITS, 1);
		ccdm_io_start(io);
	} else {
		ccdm_count(c, CCDM_STAT_MISSES, 1);
		ccdm_io_queue(io, c->walk, ccdm_io_walk);
	}
}

void ccdm_io_map(struct ccdm *c, struct bio *bio, struct ccdm_io *io)
{
	__ccdm_io_map(c, bio, io, false);
}

void ccdm_io_map_internal(struct ccdm *c, struct bio *bio, struct ccdm_io *io)
{
	__ccdm_io_map(c, bio, io, true);
}
