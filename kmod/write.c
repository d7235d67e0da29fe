// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * write.c - processing of a write
 *
 * Mark the blocks busy, take pages, seal, put all entries into the leaf at once,
 * send. If sealing fails, nothing has been set and nothing is sent: the old
 * content stays. Only a failed device write poisons, and only the blocks that
 * fail again when they are sent one by one.
 */
#include "ccdm.h"

/* ---- a failed device write ----------------------------------------------- */

static void ccdm_write_poison(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	struct ccdm_node *leaf = io->leaf;
	unsigned int i, n = 0;
	unsigned long flags;
	bool kick = false;

	spin_lock_irqsave(&leaf->lock, flags);
	for (i = 0; i < io->nr; i++) {
		if (!ccdm_mask_test(&io->other, i))
			continue;
		ccdm_tree_reserve(&leaf->entry[io->first + i], CCDM_SEQ_POISONED);
		n++;
	}
	if (n)
		kick = ccdm_cache_set_dirty(c, leaf);
	spin_unlock_irqrestore(&leaf->lock, flags);
	if (kick)
		ccdm_writeback_kick(c);

	ccdm_count(c, CCDM_STAT_POISONED, n);
	ccdm_count(c, CCDM_STAT_WRITTEN, io->nr - n);
	ccdm_io_finish(io, n ? BLK_STS_IOERR : BLK_STS_OK);
}

static void ccdm_write_child_end_io(struct bio *bio)
{
	struct ccdm_child *child = ccdm_child(bio);
	struct ccdm_io *io = child->io;

	if (bio->bi_status)
		set_bit(child->first, (unsigned long *)io->other.w);
	ccdm_submitter_back(&io->c->submitter, io->group);
	bio_put(bio);
	if (atomic_dec_and_test(&io->pending))
		ccdm_io_queue(io, io->c->done, ccdm_write_poison);
}

/*
 * Send again block by block: the same bytes and numbers, with the marks held. By the
 * submitter.
 */
static void ccdm_write_resend(struct ccdm_io *io)
{
	struct ccdm_pg *pg = io->req.pages;
	blk_opf_t opf = ccdm_io_flags(io->bio);
	struct bio *bio;
	unsigned int i;

	/* coverage: rare: a tamper while a failed write waits for the submitter */
	if (!ccdm_active(io->c)) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	memset(&io->other, 0, sizeof(io->other));
	atomic_set(&io->pending, 1);
	for (i = 0; i < io->nr; i++, pg = pg->next) {
		bio = ccdm_io_child(io, i, 1, opf, io->c->dev->bdev, ccdm_write_child_end_io);
		__bio_add_page(bio, pg->page, CCDM_BLOCK_SIZE, 0);
		ccdm_submitter_sent(&io->c->submitter, io->group);
		submit_bio_noacct(bio);
	}
	if (atomic_dec_and_test(&io->pending))
		ccdm_io_queue(io, io->c->done, ccdm_write_poison);
}

static void ccdm_write_failed(struct ccdm_io *io)
{
	struct ccdm *c = io->c;

	ccdm_count(c, CCDM_STAT_DATA_ERRORS, 1);
	DMERR_LIMIT("%s: block %llu (%u): write error %d", ccdm_name(c), io->block, io->nr,
		    blk_status_to_errno(io->status));
	if (io->nr == 1 || !ccdm_active(c)) {
		io->other = ccdm_mask_range(0, io->nr);
		ccdm_write_poison(io);
		return;
	}
	ccdm_io_submit_later(io, ccdm_write_resend);
}

static void ccdm_write_done(struct ccdm_io *io)
{
	ccdm_count(io->c, CCDM_STAT_WRITTEN, io->nr);
	ccdm_io_finish(io, BLK_STS_OK);
}

/* The device has written it, or io->status says why not. Any context. */
static void ccdm_write_ended(struct ccdm_io *io)
{
	if (unlikely(io->status))
		ccdm_io_queue(io, io->c->done, ccdm_write_failed);
	else if (in_hardirq() || irqs_disabled())
		ccdm_io_queue_soft(io, ccdm_write_done);
	else
		ccdm_write_done(io);
}

static void ccdm_write_again_end_io(struct bio *bio)
{
	struct ccdm_io *io = ccdm_child(bio)->io;

	ccdm_submitter_back(&io->c->submitter, io->group);
	io->status = bio->bi_status;
	bio_put(bio);
	ccdm_write_ended(io);
}

/* Its sender may not wait, and the device has no tag now. By the submitter: the same once more. */
static void ccdm_write_again(struct ccdm_io *io)
{
	struct ccdm_pg *pg;
	struct bio *bio;

	/* coverage: rare: a tamper while a failed write waits for the submitter */
	if (!ccdm_active(io->c)) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	bio = ccdm_io_child(io, 0, io->nr, ccdm_io_flags(io->bio), io->c->dev->bdev,
			    ccdm_write_again_end_io);
	for (pg = io->req.pages; pg; pg = pg->next)
		__bio_add_page(bio, pg->page, CCDM_BLOCK_SIZE, 0);
	ccdm_submitter_sent(&io->c->submitter, io->group);
	submit_bio_noacct(bio);
}

static void ccdm_write_end_io(struct bio *bio)
{
	struct ccdm_io *io = bio->bi_private;

	ccdm_submitter_back(&io->c->submitter, io->group);
	io->status = bio->bi_status;
	if (unlikely(ccdm_io_refused(bio)))
		ccdm_io_submit_later(io, ccdm_write_again);
	else
		ccdm_write_ended(io);
}

/* ---- sealing ------------------------------------------------------------- */

static void ccdm_write_seal_large(struct ccdm_io *io);

/* All blocks are sealed, under numbers from io->seq on: into the leaf with them, and send. */
static void ccdm_write_sealed(struct ccdm_io *io)
{
	struct ccdm_node *leaf = io->leaf;
	struct ccdm *c = io->c;
	struct ccdm_pg *pg;
	unsigned long flags;
	unsigned int i;
	bool kick;

	spin_lock_irqsave(&leaf->lock, flags);
	if (io->covered)
		memset(leaf->entry, 0, PAGE_SIZE);
	for (i = 0, pg = io->req.pages; i < io->nr; i++, pg = pg->next)
		ccdm_tree_seal(&leaf->entry[io->first + i], io->seq + i, pg->tag);
	if (io->covered) {
		/* Usable before it is dirty; all its blocks are marked as ours. */
		io->covered = false;
		spin_unlock_irqrestore(&leaf->lock, flags);
		ccdm_cache_publish(c, leaf);
		spin_lock_irqsave(&leaf->lock, flags);
	}
	kick = ccdm_cache_set_dirty(c, leaf);
	spin_unlock_irqrestore(&leaf->lock, flags);
	if (kick)
		ccdm_writeback_kick(c);
	ccdm_io_submit(io, c->dev->bdev, ccdm_write_end_io);
}

/* Seal the blocks of @at, with one request after the other. Return: 0 or -errno. */
static int ccdm_write_span(struct ccdm_io *io, struct ccdm_at *at, struct ccdm_creq *creq)
{
	struct ccdm_place place = { .domain = CCDM_DOMAIN_BLOCK };
	unsigned int offset;
	struct page *page;
	int r = 0;

	for (; at->block < at->end && !r; ccdm_at_next(io, at)) {
		page = ccdm_io_block(io->user_vec, at->iter, &offset);
		place.index = io->block + at->block;
		place.seq = io->seq + at->block;
		r = ccdm_seal(&io->c->block, creq, &place, page, offset, at->page->page,
			      at->page->tag);
	}
	return r;
}

/* New numbers for all blocks, which no sealing had before. Return: 0 or -EIO. */
static int ccdm_write_number(struct ccdm_io *io)
{
	if (!ccdm_active(io->c))
		return -EIO;
	io->todo = ccdm_mask_range(0, io->nr);
	io->seq = ccdm_take_seq(io->c, io->nr);
	return io->seq ? 0 : -EIO;
}

static void ccdm_write_unsealed(struct ccdm_io *io, int r)
{
	struct ccdm *c = io->c;

	if (ccdm_active(c))
		DMERR_LIMIT("%s: block %llu (%u): cannot be sealed: error %d", ccdm_name(c),
			    io->block, io->nr, r);
	ccdm_io_finish(io, BLK_STS_IOERR);
}

/* Few blocks, where we are. */
static void __ccdm_write_seal(struct ccdm_io *io, gfp_t gfp)
{
	struct ccdm *c = io->c;
	struct ccdm_creq *creq = ccdm_creq_get(&c->creqs, gfp);
	unsigned int tries = 0;
	struct ccdm_at at;
	int r;

	if (!creq) {
		ccdm_io_queue(io, c->done, io->step);
		return;
	}
	do {
		r = ccdm_write_number(io);
		if (r)
			break;
		ccdm_at_begin(io, &at, io->nr);
		r = ccdm_write_span(io, &at, creq);
	} while (r && ++tries < 3);
	ccdm_creq_put(&c->creqs, creq);
	if (r || !ccdm_active(c))
		ccdm_write_unsealed(io, r);
	else
		ccdm_write_sealed(io);
}

static void ccdm_write_seal(struct ccdm_io *io)
{
	__ccdm_write_seal(io, GFP_NOIO);
}

/* A part of many blocks, by a worker. */
static void ccdm_write_part(struct ccdm_span *span)
{
	struct ccdm_io *io = span->io;
	struct ccdm *c = io->c;
	struct ccdm_creq *creq = ccdm_creq_get(&c->creqs, GFP_NOIO);
	int r = ccdm_write_span(io, &span->at, creq);

	ccdm_creq_put(&c->creqs, creq);
	if (r)
		WRITE_ONCE(io->status, BLK_STS_IOERR);
	if (!atomic_dec_and_test(&io->pending))
		return;
	if (!ccdm_active(c) || (io->status && ++io->tries == 3))
		ccdm_write_unsealed(io, -EIO);
	else if (io->status)
		ccdm_write_seal_large(io);
	else
		ccdm_write_sealed(io);
}

/* Many blocks: on "done", the first part here and the others by other workers. */
static void ccdm_write_seal_large(struct ccdm_io *io)
{
	if (ccdm_write_number(io)) {
		ccdm_write_unsealed(io, -EIO);
		return;
	}
	io->status = BLK_STS_OK;
	ccdm_io_split(io, ccdm_write_part, true);
}

static void ccdm_write_pages(struct ccdm_io *io)
{
	if (ccdm_io_pages(io, io->nr, ccdm_write_seal_large))
		ccdm_write_seal_large(io);
}

/* Marks and leaf are held. Large pieces by workers, so that all CPUs have their share. */
static void ccdm_write_marked(struct ccdm_io *io)
{
	if (io->nr > CCDM_INLINE_BLOCKS)
		ccdm_io_queue(io, io->c->done, ccdm_write_pages);
	else if (ccdm_io_pages(io, io->nr, ccdm_write_seal))
		__ccdm_write_seal(io, GFP_NOWAIT | __GFP_NOWARN);
}

void ccdm_write_start(struct ccdm_io *io)
{
	if (ccdm_io_mark(io, ccdm_write_marked))
		ccdm_write_marked(io);
}

/* ---- a leaf miss --------------------------------------------------------- */

/* The walk has ended. Return: false if there is no leaf, and @io has ended. */
static bool ccdm_write_leaf(struct ccdm_io *io, struct ccdm_node *leaf)
{
	if (IS_ERR(leaf)) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return false;
	}
	io->leaf = leaf;
	io->covered = io->walk.how == CCDM_GET_COVER &&
		      READ_ONCE(leaf->state) == CCDM_NODE_LOADING;
	return true;
}

/* In softirq or a worker. */
static void ccdm_write_walked(struct ccdm_walk *walk)
{
	struct ccdm_io *io = container_of(walk, struct ccdm_io, walk);

	if (ccdm_write_leaf(io, walk->node))
		ccdm_io_queue(io, io->c->done, ccdm_write_start);
}

/* The leaf is not in memory. In map() or a worker. */
void ccdm_write_miss(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	bool cover = !io->first && (io->nr == CCDM_NODE_ENTRIES ||
				    io->block + io->nr == c->g.blocks);
	bool direct = io->direct;
	struct ccdm_node *leaf;

	io->direct = false;
	io->walk.level = 0;
	io->walk.index = io->block >> CCDM_NODE_SHIFT;
	io->walk.how = cover ? CCDM_GET_COVER : CCDM_GET_READ;
	io->walk.done = ccdm_write_walked;
	ccdm_io_walk_for(&io->walk, io);
	leaf = ccdm_cache_walk(c, &io->walk, direct);
	/* Without a leaf @io is not ours any more. */
	if (!leaf)
		return;
	if (ccdm_write_leaf(io, leaf)) {
		io->direct = direct;
		ccdm_write_start(io);
	}
}
