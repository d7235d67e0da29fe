// SPDX-License-Identifier: GPL-2.0-only
/*
 * write.c - life of a write
 *
 * Mark the blocks busy, take pages, seal, put all entries into the leaf at once,
 * send. If sealing fails, nothing has been set and nothing is sent: the old
 * content stays. Only a failed device write poisons, and only the blocks that
 * fail when they are sent again alone.
 */
#include "ccdm.h"

/* ---- a failed device write ----------------------------------------------- */

static void ccdm_write_poison(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	struct ccdm_node *leaf = io->leaf;
	unsigned int i, n = 0;
	unsigned long flags;
	bool dirty = false;

	spin_lock_irqsave(&leaf->lock, flags);
	for (i = 0; i < io->nr; i++) {
		if (!ccdm_mask_test(&io->other, i))
			continue;
		ccdm_tree_reserve(&leaf->entry[io->first + i], CCDM_SEQ_POISONED);
		n++;
	}
	if (n)
		dirty = ccdm_cache_set_dirty(c, leaf);
	spin_unlock_irqrestore(&leaf->lock, flags);
	if (dirty)
		ccdm_cache_dirty(c, leaf);

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
	bio_put(bio);
	if (atomic_dec_and_test(&io->pending))
		ccdm_io_queue(io, io->c->done, ccdm_write_poison);
}

/* Once more block by block: the same bytes, no new numbers, the marks still held. */
static void ccdm_write_failed(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	struct ccdm_pg *pg = io->want.pages;
	blk_opf_t opf = ccdm_io_flags(io->bio);
	struct bio *bio;
	unsigned int i;

	ccdm_count(c, CCDM_STAT_DATA_ERRORS, 1);
	DMERR_LIMIT("%s: block %llu (%u): write error %d", ccdm_name(c), io->block, io->nr,
		    blk_status_to_errno(io->status));
	if (io->nr == 1 || !ccdm_active(c)) {
		io->other = ccdm_mask_range(0, io->nr);
		ccdm_write_poison(io);
		return;
	}
	memset(&io->other, 0, sizeof(io->other));
	atomic_set(&io->pending, 1);
	for (i = 0; i < io->nr; i++, pg = pg->next) {
		bio = ccdm_io_child(io, i, 1, opf, c->dev->bdev, ccdm_write_child_end_io);
		__bio_add_page(bio, pg->page, CCDM_BLOCK_SIZE, 0);
		submit_bio_noacct(bio);
	}
	if (atomic_dec_and_test(&io->pending))
		ccdm_write_poison(io);
}

static void ccdm_write_done(struct ccdm_io *io)
{
	ccdm_count(io->c, CCDM_STAT_WRITTEN, io->nr);
	ccdm_io_finish(io, BLK_STS_OK);
}

static void ccdm_write_end_io(struct bio *bio)
{
	struct ccdm_io *io = bio->bi_private;

	io->status = bio->bi_status;
	if (unlikely(io->status))
		ccdm_io_queue(io, io->c->done, ccdm_write_failed);
	else if (in_hardirq() || irqs_disabled())
		ccdm_io_queue_soft(io, ccdm_write_done);
	else
		ccdm_write_done(io);
}

/* ---- sealing ------------------------------------------------------------- */

/* Seal all blocks under new numbers, from io->seq on. Return: 0 or -errno. */
static int ccdm_write_seal_blocks(struct ccdm_io *io, struct ccdm_creq *creq)
{
	struct ccdm_place place = { .domain = CCDM_DOMAIN_BLOCK };
	struct bvec_iter iter = io->user_iter;
	struct ccdm_pg *pg = io->want.pages;
	unsigned int i, offset;
	struct page *page;
	int r = 0;

	if (!ccdm_active(io->c))
		return -EIO;
	io->seq = ccdm_take_seq(io->c, io->nr);
	if (!io->seq)
		return -EIO;
	for (i = 0; i < io->nr && !r; i++, pg = pg->next) {
		page = ccdm_io_block(io->user_vec, iter, &offset);
		bvec_iter_advance_single(io->user_vec, &iter, CCDM_BLOCK_SIZE);
		place.index = io->block + i;
		place.seq = io->seq + i;
		r = ccdm_seal(&io->c->block, creq, &place, page, offset, pg->page, pg->tag);
	}
	return r;
}

static void __ccdm_write_seal(struct ccdm_io *io, gfp_t gfp)
{
	struct ccdm *c = io->c;
	struct ccdm_node *leaf = io->leaf;
	struct ccdm_creq *creq = ccdm_creq_get(&c->creqs, gfp);
	struct ccdm_pg *pg;
	unsigned long flags;
	unsigned int i, tries = 0;
	bool dirty;
	int r;

	if (!creq) {
		ccdm_io_queue(io, c->done, io->step);
		return;
	}
	do {
		r = ccdm_write_seal_blocks(io, creq);
	} while (r && r != -EIO && ++tries < 3);
	ccdm_creq_put(&c->creqs, creq);
	if (r || !ccdm_active(c)) {
		if (ccdm_active(c))
			DMERR_LIMIT("%s: block %llu (%u): cannot be sealed: error %d",
				    ccdm_name(c), io->block, io->nr, r);
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}

	spin_lock_irqsave(&leaf->lock, flags);
	if (io->covered)
		memset(leaf->entry, 0, PAGE_SIZE);
	for (i = 0, pg = io->want.pages; i < io->nr; i++, pg = pg->next)
		ccdm_tree_seal(&leaf->entry[io->first + i], io->seq + i, pg->tag);
	dirty = ccdm_cache_set_dirty(c, leaf);
	spin_unlock_irqrestore(&leaf->lock, flags);
	/* First usable, then in the dirty list: the writer would pass over it and not come back. */
	if (io->covered) {
		io->covered = false;
		ccdm_cache_publish(c, leaf);
	}
	if (dirty)
		ccdm_cache_dirty(c, leaf);
	ccdm_io_submit(io, ccdm_write_end_io);
}

static void ccdm_write_seal(struct ccdm_io *io)
{
	__ccdm_write_seal(io, GFP_NOIO);
}

static void ccdm_write_pages(struct ccdm_io *io)
{
	if (ccdm_io_pages(io, io->nr, ccdm_write_seal))
		ccdm_write_seal(io);
}

/* Marks and leaf are held. Large pieces by a worker, so that all CPUs have their share. */
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
