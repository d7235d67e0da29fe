// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * discard.c - life of a discard and of a write of zeroes
 *
 * A discard goes leaf by leaf. Where nothing was written and no origin shows through there is
 * nothing to do; a leaf that is covered and not in memory is zeroed in its
 * parent; otherwise its entries become "zeroed" under their busy marks.
 *
 * With allow_discards the discard goes to the device too, and the marks stay
 * until the device is done: else it could overtake the next write. A covered
 * leaf that is not in memory is then entered as LOADING, which nobody sees, and
 * dropped when the device is done. The device's result is ignored.
 *
 * Look-up of nodes runs on "walk", the rest on "done"; io->block is the position
 * of the bio, io->seq its end.
 */
#include "ccdm.h"

static bool ccdm_discard_passes(struct ccdm_io *io)
{
	return io->c->opt.allow_discards && bio_op(io->bio) == REQ_OP_DISCARD;
}

/*
 * How many blocks from io->block on need nothing, because an inner entry says
 * so. Return: that number, 0 if there is something to do, or -errno.
 */
static s64 ccdm_discard_skip(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	unsigned int level, shift;
	struct ccdm_node *node;
	unsigned long flags;
	bool cached, change;
	u64 child;

	for (level = c->g.levels; level > 0; level--) {
		shift = CCDM_NODE_SHIFT * level;
		node = ccdm_io_get(io, level, level == c->g.levels ? 0 :
				   io->block >> (shift + CCDM_NODE_SHIFT), CCDM_GET_READ);
		if (IS_ERR(node))
			return PTR_ERR(node);
		child = io->block >> shift;
		spin_lock_irqsave(&node->lock, flags);
		cached = ccdm_mask_test(&node->mask, child % CCDM_NODE_ENTRIES);
		change = ccdm_tree_zeroable(&node->entry[child % CCDM_NODE_ENTRIES],
					    c->origin_blocks);
		spin_unlock_irqrestore(&node->lock, flags);
		ccdm_node_unpin(c, node);
		/* A child in memory is newer than its entry. */
		if (!cached && !change)
			return min((child + 1) << shift, io->seq) - io->block;
	}
	return 0;
}

/* A covered leaf that is not in memory: zeroed in its parent. 1 done, 0 not so, or -errno. */
static int ccdm_discard_in_parent(struct ccdm_io *io, u64 index)
{
	struct ccdm *c = io->c;
	struct ccdm_node *parent = ccdm_io_get(io, 1, index >> CCDM_NODE_SHIFT, CCDM_GET_READ);
	unsigned int slot = index % CCDM_NODE_ENTRIES;
	unsigned long flags;
	bool cached, kick = false;

	if (IS_ERR(parent))
		return PTR_ERR(parent);
	spin_lock_irqsave(&parent->lock, flags);
	cached = ccdm_mask_test(&parent->mask, slot);
	if (!cached) {
		ccdm_tree_reserve(&parent->entry[slot], CCDM_SEQ_ZEROED);
		kick = ccdm_cache_set_dirty(c, parent);
	}
	spin_unlock_irqrestore(&parent->lock, flags);
	if (kick)
		ccdm_writeback_kick(c);
	ccdm_node_unpin(c, parent);
	return !cached;
}

static void ccdm_discard_next(struct ccdm_io *io);

/* The device has finished with this leaf, or got no discard. */
static void ccdm_discard_sent(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	struct ccdm_node *leaf = io->leaf, *parent = leaf->parent;
	unsigned long flags;
	bool kick;

	if (io->covered) {
		io->covered = false;
		spin_lock_irqsave(&parent->lock, flags);
		ccdm_tree_reserve(&parent->entry[ccdm_node_slot(leaf)], CCDM_SEQ_ZEROED);
		kick = ccdm_cache_set_dirty(c, parent);
		spin_unlock_irqrestore(&parent->lock, flags);
		/* coverage: rare: this leaf's parent is the one dirty node too many */
		if (kick)
			ccdm_writeback_kick(c);
		ccdm_io_unmark(io);
		ccdm_cache_abandon(c, leaf, 0);
	} else {
		ccdm_io_unmark(io);
		ccdm_node_unpin(c, leaf);
	}
	io->leaf = NULL;
	ccdm_count(c, CCDM_STAT_ZEROED, io->nr);
	io->block += io->nr;
	io->nr = 0;
	ccdm_io_queue(io, c->walk, ccdm_discard_next);
}

static void ccdm_discard_end_io(struct bio *bio)
{
	struct ccdm_io *io = ccdm_child(bio)->io;

	bio_put(bio);
	ccdm_io_queue(io, io->c->done, ccdm_discard_sent);
}

/* By the submitter. */
static void ccdm_discard_send(struct ccdm_io *io)
{
	struct bio *bio;

	if (!ccdm_active(io->c)) {
		ccdm_discard_sent(io);
		return;
	}
	bio = ccdm_io_child(io, 0, io->nr, REQ_OP_DISCARD, io->c->dev->bdev, ccdm_discard_end_io);
	bio->bi_iter.bi_size = io->nr * CCDM_BLOCK_SIZE;
	submit_bio_noacct(bio);
}

/* The marks are held. */
static void ccdm_discard_marked(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	struct ccdm_node *leaf = io->leaf;
	unsigned long flags;
	unsigned int i;
	bool kick;

	if (!io->covered) {
		spin_lock_irqsave(&leaf->lock, flags);
		for (i = 0; i < io->nr; i++)
			ccdm_tree_reserve(&leaf->entry[io->first + i], CCDM_SEQ_ZEROED);
		kick = ccdm_cache_set_dirty(c, leaf);
		spin_unlock_irqrestore(&leaf->lock, flags);
		if (kick)
			ccdm_writeback_kick(c);
	}
	if (!ccdm_discard_passes(io) || !ccdm_active(c)) {
		ccdm_discard_sent(io);
		return;
	}
	ccdm_io_submit_later(io, ccdm_discard_send);
}

static void ccdm_discard_next(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	bool covered;
	struct ccdm_node *leaf;
	u64 index, n;
	s64 skip;
	int r;

	while (io->block < io->seq) {
		skip = ccdm_discard_skip(io);
		if (skip < 0)
			goto bad;
		if (skip) {
			io->block += skip;
			continue;
		}
		index = io->block >> CCDM_NODE_SHIFT;
		io->first = io->block % CCDM_NODE_ENTRIES;
		n = min_t(u64, CCDM_NODE_ENTRIES - io->first, io->seq - io->block);
		covered = !io->first && (n == CCDM_NODE_ENTRIES ||
					 io->block + n == c->g.blocks);
		if (covered && !ccdm_discard_passes(io)) {
			r = ccdm_discard_in_parent(io, index);
			if (r < 0)
				goto bad;
			if (r) {
				ccdm_count(c, CCDM_STAT_ZEROED, n);
				io->block += n;
				continue;
			}
		}
		leaf = ccdm_io_get(io, 0, index, covered ? CCDM_GET_COVER : CCDM_GET_READ);
		if (IS_ERR(leaf))
			goto bad;
		io->leaf = leaf;
		io->nr = n;
		io->covered = covered && READ_ONCE(leaf->state) == CCDM_NODE_LOADING;
		io->mask = ccdm_mask_range(io->first, n);
		if (ccdm_io_mark(io, ccdm_discard_marked))
			ccdm_io_queue(io, c->done, ccdm_discard_marked);
		return;
	}
	ccdm_io_finish(io, BLK_STS_OK);
	return;
bad:
	ccdm_io_finish(io, BLK_STS_IOERR);
}

void ccdm_discard_start(struct ccdm_io *io)
{
	io->seq = io->block + bio_sectors(io->bio) / CCDM_BLOCK_SECTORS;
	ccdm_discard_next(io);
}
