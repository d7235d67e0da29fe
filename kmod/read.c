// SPDX-License-Identifier: GPL-2.0-only
/*
 * read.c - life of a read
 *
 * Blocks are read into pages of the pool; when they are there, each is compared
 * with the leaf's entry as it is then, and opened into the sender's page. A
 * mismatch may mean that a write was under way: the bio takes the busy marks,
 * in line with the writers, and reads again. Nothing can change the entry now,
 * so a second mismatch is tamper. There is no loop, and nothing a program does
 * can make the second read fail.
 */
#include <asm/fpu/api.h>
#include "ccdm.h"
#include "trace.h"

#define CCDM_AHEAD_LEAVES	2	/* 1 MiB */

static void ccdm_read_open(struct ccdm_io *io);
static void ccdm_read_runs(struct ccdm_io *io);

/* ---- opening ------------------------------------------------------------- */

static void ccdm_read_mismatch(struct ccdm_io *io)
{
	struct ccdm *c = io->c;

	if (io->again) {
		ccdm_tamper(c, "block", 0, io->block + io->at);
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	ccdm_count(c, CCDM_STAT_RECHECKS, 1);
	trace_ccdm_recheck(ccdm_name(c), 0, io->block + io->at);
	io->again = true;
	/* Nothing that others need is held in line: the writers there need such memory too. */
	ccdm_creq_put(&c->creqs, io->creq);
	io->creq = NULL;
	ccdm_pages_put(&c->pages, &io->want);
	if (io->marked || ccdm_io_mark(io, ccdm_read_start))
		ccdm_io_queue(io, c->done, ccdm_read_start);
}

/* By a worker. Who waits for one keeps no request: those who run may need it. */
static void ccdm_read_later(struct ccdm_io *io)
{
	if (io->creq)
		ccdm_creq_put(&io->c->creqs, io->creq);
	io->creq = NULL;
	ccdm_io_queue(io, io->c->done, ccdm_read_open);
}

/* An opening that was begun in softirq has ended: it is done again where one can sleep. */
static void ccdm_read_async_done(void *arg)
{
	ccdm_read_later(arg);
}

/* Open the blocks from io->at on. @atomic: may not sleep, and hands over to a worker if need be. */
static void __ccdm_read_open(struct ccdm_io *io, bool atomic)
{
	struct ccdm *c = io->c;
	struct ccdm_node *leaf = io->leaf;
	struct ccdm_place place = { .domain = CCDM_DOMAIN_BLOCK };
	unsigned int offset, tries = 0, opened = 0;
	struct ccdm_entry e;
	unsigned long flags;
	struct page *page;
	int r;

	io->creq = ccdm_creq_get(&c->creqs, atomic ? GFP_NOWAIT | __GFP_NOWARN : GFP_NOIO);
	if (!io->creq) {
		ccdm_read_later(io);
		return;
	}
	io->creq->done = ccdm_read_async_done;
	io->creq->arg = io;

	while (io->at < io->nr) {
		if (!ccdm_mask_test(&io->todo, io->at)) {
			io->at++;
			continue;
		}
		spin_lock_irqsave(&leaf->lock, flags);
		e = leaf->entry[io->first + io->at];
		spin_unlock_irqrestore(&leaf->lock, flags);

		switch (ccdm_tree_kind(&e)) {
		case CCDM_KIND_SEALED:
			page = ccdm_io_user(io, io->at, &offset);
			place.index = io->block + io->at;
			place.seq = ccdm_le64_to_cpu(e.seq);
			r = ccdm_open(&c->block, io->creq, &place, e.tag, io->at_page->page, page,
				      offset, atomic);
			if (r == -EINPROGRESS)
				return;	/* io is not ours any more */
			opened++;
			break;
		case CCDM_KIND_ZEROED:
			ccdm_io_zero(io, io->at, 1);
			r = 0;
			break;
		default:
			/* poisoned meanwhile, and never unwritten again */
			r = -EIO;
		}

		if (likely(!r)) {
			io->at_page = io->at_page->next;
			io->at++;
			tries = 0;
			continue;
		}
		if (r == -EBADMSG) {
			ccdm_read_mismatch(io);
			return;
		}
		/* No verdict: once more where one can sleep, then an I/O error. */
		if (r != -EIO && (atomic || tries++ < 2)) {
			if (!atomic)
				continue;
			ccdm_read_later(io);
			return;
		}
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	ccdm_count(c, CCDM_STAT_READ, opened);
	ccdm_io_finish(io, BLK_STS_OK);
}

static void ccdm_read_open(struct ccdm_io *io)
{
	__ccdm_read_open(io, false);
}

/* The data is there, or not. From completions: any context. */
static void ccdm_read_complete(struct ccdm_io *io)
{
	bool origin = ccdm_mask_empty(&io->todo);	/* nothing to open */

	io->at = 0;
	io->at_page = io->want.pages;
	if (!origin && io->nr > CCDM_INLINE_BLOCKS)
		ccdm_read_later(io);
	else if (in_hardirq() || irqs_disabled())
		ccdm_io_queue_soft(io, ccdm_read_complete);
	else if (origin)
		ccdm_io_finish(io, BLK_STS_OK);
	else if (!irq_fpu_usable())
		ccdm_read_later(io);
	else
		__ccdm_read_open(io, true);
}

static void ccdm_read_failed(struct ccdm_io *io)
{
	/* A read ahead may fail for nothing: who needs the data asks for it again. */
	if (!(io->user_opf & REQ_RAHEAD)) {
		ccdm_count(io->c, CCDM_STAT_DATA_ERRORS, 1);
		DMERR_LIMIT("%s: block %llu (%u): read error %d", ccdm_name(io->c), io->block,
			    io->nr, blk_status_to_errno(io->status));
	}
	ccdm_io_finish(io, io->status);
}

static void ccdm_read_arrived(struct ccdm_io *io)
{
	if (unlikely(io->status))
		ccdm_io_queue(io, io->c->done, ccdm_read_failed);
	else
		ccdm_read_complete(io);
}

static void ccdm_read_end_io(struct bio *bio)
{
	struct ccdm_io *io = bio->bi_private;

	io->status = bio->bi_status;
	ccdm_read_arrived(io);
}

static void ccdm_read_child_end_io(struct bio *bio)
{
	struct ccdm_io *io = ccdm_child(bio)->io;

	if (bio->bi_status)
		WRITE_ONCE(io->status, bio->bi_status);
	bio_put(bio);
	if (atomic_dec_and_test(&io->pending))
		ccdm_read_arrived(io);
}

/* ---- sending ------------------------------------------------------------- */

/* What to do for each block. Return: sealed blocks, or -EIO. */
static int ccdm_read_sort(struct ccdm_io *io, unsigned int *unwritten)
{
	struct ccdm *c = io->c;
	struct ccdm_node *leaf = io->leaf;
	unsigned int i = 0, n, j, sealed = 0;
	enum ccdm_kind kind;
	unsigned long flags;
	bool bad = false;

	memset(&io->todo, 0, sizeof(io->todo));
	memset(&io->other, 0, sizeof(io->other));
	*unwritten = 0;

	spin_lock_irqsave(&leaf->lock, flags);
	while (i < io->nr) {
		n = ccdm_tree_run(leaf->entry, io->first + i, io->first + io->nr, &kind);
		for (j = i; j < i + n; j++) {
			if (kind == CCDM_KIND_SEALED) {
				ccdm_mask_set(&io->todo, j);
				sealed++;
			} else if (kind == CCDM_KIND_UNWRITTEN &&
				   io->block + j < c->origin_blocks) {
				ccdm_mask_set(&io->other, j);
				(*unwritten)++;
			}
		}
		bad |= kind == CCDM_KIND_BAD;
		i += n;
	}
	spin_unlock_irqrestore(&leaf->lock, flags);
	return bad ? -EIO : sealed;
}

static void ccdm_read_send(struct ccdm_io *io)
{
	ccdm_io_submit(io, ccdm_read_end_io);
}

void ccdm_read_start(struct ccdm_io *io)
{
	unsigned int unwritten;
	unsigned long flags;
	bool busy;
	int sealed;

	if (!io->marked) {
		spin_lock_irqsave(&io->leaf->lock, flags);
		busy = ccdm_mask_overlaps(&io->mask, &io->leaf->mask);
		spin_unlock_irqrestore(&io->leaf->lock, flags);
		/* Somebody writes there: in line, and read with the marks held. */
		if (busy && !ccdm_io_mark(io, ccdm_read_start))
			return;
	}

	sealed = ccdm_read_sort(io, &unwritten);
	if (sealed < 0) {
		ccdm_io_finish(io, BLK_STS_IOERR);
	} else if (!sealed && !unwritten) {
		ccdm_io_zero(io, 0, io->nr);
		ccdm_io_finish(io, BLK_STS_OK);
	} else if (io->used || (sealed != io->nr && unwritten != io->nr)) {
		/* Children, or the bio is used up: by a worker */
		ccdm_io_queue(io, io->c->done, ccdm_read_runs);
	} else if (unwritten) {
		/* The host is not to see what the pages held before. */
		ccdm_io_zero(io, 0, io->nr);
		io->bio->bi_iter.bi_sector = io->block * CCDM_BLOCK_SECTORS;
		ccdm_io_submit_to(io, io->c->origin->bdev, ccdm_read_end_io);
	} else if (ccdm_io_pages(io, io->nr, ccdm_read_send)) {
		ccdm_read_send(io);
	}
}

/* One bio for each run of blocks of the backing device and of the origin. */
static void ccdm_read_send_runs(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	struct ccdm_pg *pg = io->want.pages;
	blk_opf_t opf = ccdm_io_flags(io->bio);
	unsigned int i = 0, n, j, offset;

	while (i < io->nr) {
		bool sealed = ccdm_mask_test(&io->todo, i);
		bool origin = ccdm_mask_test(&io->other, i);
		struct bio *bio;

		for (n = 1; i + n < io->nr; n++)
			if (ccdm_mask_test(&io->todo, i + n) != sealed ||
			    ccdm_mask_test(&io->other, i + n) != origin)
				break;
		if (!sealed)
			ccdm_io_zero(io, i, n);
		if (sealed || origin) {
			bio = ccdm_io_child(io, i, n, opf,
					    sealed ? c->dev->bdev : c->origin->bdev,
					    ccdm_read_child_end_io);
			for (j = i; j < i + n; j++) {
				if (sealed) {
					__bio_add_page(bio, pg->page, CCDM_BLOCK_SIZE, 0);
					pg = pg->next;
				} else {
					struct page *page = ccdm_io_user(io, j, &offset);

					__bio_add_page(bio, page, CCDM_BLOCK_SIZE, offset);
				}
			}
			submit_bio_noacct(bio);
		}
		i += n;
	}
	if (atomic_dec_and_test(&io->pending))
		ccdm_read_arrived(io);
}

static void ccdm_read_runs(struct ccdm_io *io)
{
	unsigned int unwritten;
	int sealed = ccdm_read_sort(io, &unwritten);

	if (sealed < 0) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	atomic_set(&io->pending, 1);
	io->status = BLK_STS_OK;
	if (!sealed || ccdm_io_pages(io, sealed, ccdm_read_send_runs))
		ccdm_read_send_runs(io);
}

/* ---- a leaf miss --------------------------------------------------------- */

/*
 * The data is fetched together with its leaf, if the leaf is on the device and
 * pages are free at once. While we hold pages we wait for nobody else: where the
 * walk would have to, the data is given up, and the read begins again without.
 */
static void ccdm_read_joined(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	unsigned int unwritten;
	unsigned long flags;
	bool busy;

	if (!io->leaf) {
		ccdm_pages_put(&c->pages, &io->want);
		if (io->error == -EAGAIN)
			ccdm_io_queue(io, c->walk, ccdm_io_walk);
		else
			ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	spin_lock_irqsave(&io->leaf->lock, flags);
	busy = ccdm_mask_overlaps(&io->mask, &io->leaf->mask);
	spin_unlock_irqrestore(&io->leaf->lock, flags);
	if (!busy && !io->status && ccdm_read_sort(io, &unwritten) == io->nr) {
		ccdm_read_complete(io);
		return;
	}
	ccdm_pages_put(&c->pages, &io->want);
	ccdm_read_start(io);
}

static void ccdm_read_ahead_end_io(struct bio *bio)
{
	struct ccdm_io *io = bio->bi_private;

	io->status = bio->bi_status;
	if (atomic_dec_and_test(&io->pending))
		ccdm_io_queue(io, io->c->done, ccdm_read_joined);
}

/* Leaves that follow a sequential miss, one after the other. */
static void ccdm_read_ahead_work(struct work_struct *work)
{
	struct ccdm *c = container_of(work, struct ccdm, ahead);
	u64 index = READ_ONCE(c->ahead_leaf), end = min(index + CCDM_AHEAD_LEAVES, c->g.nodes[0]);
	struct ccdm_node *leaf;

	for (; index < end; index++) {
		if (!ccdm_cache_leaf_sealed(c, index))
			continue;
		leaf = ccdm_cache_get(c, 0, index, CCDM_GET_NOWAIT);
		if (IS_ERR(leaf))
			break;
		ccdm_node_unpin(c, leaf);
	}
}

void ccdm_read_ahead_init(struct ccdm *c)
{
	INIT_WORK(&c->ahead, ccdm_read_ahead_work);
}

bool ccdm_read_ahead(struct ccdm_io *io)
{
	u64 index = io->block >> CCDM_NODE_SHIFT;
	struct ccdm *c = io->c;
	struct ccdm_node *leaf;
	bool sequential = READ_ONCE(c->last_miss) + 1 == index;

	if (io->used || !ccdm_cache_leaf_sealed(c, index))
		return false;
	WRITE_ONCE(c->last_miss, sequential ? index + CCDM_AHEAD_LEAVES : index);
	if (sequential) {
		WRITE_ONCE(c->ahead_leaf, index + 1);
		queue_work(c->walk, &c->ahead);
	}

	io->want.nr = io->nr;
	if (!ccdm_pages_take(&c->pages, &io->want, false))
		return false;
	atomic_set(&io->pending, 2);
	io->error = 0;
	ccdm_io_submit(io, ccdm_read_ahead_end_io);
	leaf = ccdm_cache_get(c, 0, index, CCDM_GET_NOWAIT);
	if (IS_ERR(leaf))
		io->error = PTR_ERR(leaf);
	else
		io->leaf = leaf;
	if (atomic_dec_and_test(&io->pending))
		ccdm_read_joined(io);
	return true;
}
