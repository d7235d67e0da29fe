// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * read.c - processing of a read
 *
 * Blocks are read into pages of the pool; when they are there, each is compared
 * with the leaf's entry as it is then, and opened into the sender's page. A
 * mismatch may mean that a write was under way: the bio takes the busy marks,
 * in line with the writers, and reads again. Nothing can change the entry now,
 * so a second mismatch is tamper. There is no loop, and nothing a program does
 * can make the second read fail.
 */
#include "ccdm.h"
#include "trace.h"

#define CCDM_AHEAD_LEAVES	2	/* 1 MiB */

static void ccdm_read_runs(struct ccdm_io *io);

/* ---- opening ------------------------------------------------------------- */

/* Block @block did not verify. In a process or softirq. */
static void ccdm_read_mismatch(struct ccdm_io *io, unsigned int block)
{
	struct ccdm *c = io->c;

	if (io->again) {
		ccdm_tamper(c, "block", 0, io->block + block);
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	ccdm_count(c, CCDM_STAT_RECHECKS, 1);
	trace_ccdm_recheck(ccdm_name(c), 0, io->block + block);
	io->again = true;
	/* Hold no pages while in line: the writers in line need such pages, too. */
	ccdm_io_pages_put(io);
	if (io->marked || ccdm_io_mark(io, ccdm_read_start))
		ccdm_io_queue(io, c->done, ccdm_read_start);
}

/*
 * Open the blocks from @at on. Return: 0; -EINPROGRESS: the crypto API goes on with the block
 * at @at, and io is not ours any more; -EBADMSG: that block did not verify; -EIO: it is
 * poisoned; another error of the crypto API, which is no verdict.
 */
static int ccdm_read_span(struct ccdm_io *io, struct ccdm_at *at, struct ccdm_creq *creq,
			  bool atomic)
{
	struct ccdm_place place = { .domain = CCDM_DOMAIN_BLOCK };
	struct ccdm_node *leaf = io->leaf;
	unsigned int offset, opened = 0;
	struct ccdm *c = io->c;
	struct ccdm_entry e;
	unsigned long flags;
	struct page *page;
	int r = 0;

	for (; at->block < at->end; ccdm_at_next(io, at)) {
		if (!ccdm_mask_test(&io->todo, at->block))
			continue;
		spin_lock_irqsave(&leaf->lock, flags);
		e = leaf->entry[io->first + at->block];
		spin_unlock_irqrestore(&leaf->lock, flags);
		page = ccdm_io_block(io->user_vec, at->iter, &offset);

		switch (ccdm_tree_kind(&e)) {
		case CCDM_KIND_SEALED:
			place.index = io->block + at->block;
			place.seq = ccdm_le64_to_cpu(e.seq);
			r = ccdm_open(&c->block, creq, &place, e.tag, at->page->page, page, offset,
				      atomic);
			if (r == -EINPROGRESS)
				return r;
			opened++;
			break;
		case CCDM_KIND_ZEROED:
			memset(page_address(page) + offset, 0, CCDM_BLOCK_SIZE);
			break;
		case CCDM_KIND_UNWRITTEN:
			/* No block becomes unwritten: it was when its origin was read. */
			memcpy(page_address(page) + offset, page_address(at->page->page),
			       CCDM_BLOCK_SIZE);
			break;
		default:
			/* poisoned meanwhile */
			r = -EIO;
		}
		if (unlikely(r)) {
			/*
			 * A failed opening may have left unverified data there
			 * (GCM deciphers while it computes the tag). Others may look at the
			 * reader's pages: clear it at once.
			 */
			memset(page_address(page) + offset, 0, CCDM_BLOCK_SIZE);
			return r;
		}
	}
	ccdm_count(c, CCDM_STAT_READ, opened);
	return 0;
}

/* The same where one can sleep; an error of the crypto API is tried again. */
static int ccdm_read_span_wait(struct ccdm_io *io, struct ccdm_at *at)
{
	struct ccdm_creq *creq = ccdm_creq_get(&io->c->creqs, GFP_NOIO);
	unsigned int tries = 0;
	int r;

	do {
		r = ccdm_read_span(io, at, creq, false);
	} while (r && r != -EBADMSG && r != -EIO && ++tries < 3);
	ccdm_creq_put(&io->c->creqs, creq);
	return r;
}

static void ccdm_read_opened(struct ccdm_io *io, int r)
{
	if (!r)
		ccdm_io_finish(io, BLK_STS_OK);
	else if (r == -EBADMSG)
		ccdm_read_mismatch(io, io->at.block);
	else
		ccdm_io_finish(io, BLK_STS_IOERR);
}

/* By a worker: what softirq could not do. */
static void ccdm_read_open_wait(struct ccdm_io *io)
{
	ccdm_read_opened(io, ccdm_read_span_wait(io, &io->at));
}

/* An opening that began in softirq has ended: repeat it where sleeping is allowed. */
static void ccdm_read_async_done(void *arg)
{
	struct ccdm_io *io = arg;

	ccdm_io_zero(io, io->at.block, 1);
	ccdm_creq_put(&io->c->creqs, io->creq);
	io->creq = NULL;
	ccdm_io_queue(io, io->c->done, ccdm_read_open_wait);
}

/* In softirq, or wherever one may not sleep. */
static void ccdm_read_open(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	struct ccdm_creq *creq = ccdm_creq_get(&c->creqs, GFP_NOWAIT | __GFP_NOWARN);
	int r = -ENOMEM;

	if (creq) {
		creq->done = ccdm_read_async_done;
		creq->arg = io;
		io->creq = creq;
		r = ccdm_read_span(io, &io->at, creq, true);
		if (r == -EINPROGRESS)
			return;
		io->creq = NULL;
		ccdm_creq_put(&c->creqs, creq);
	}
	if (r && r != -EBADMSG && r != -EIO)
		ccdm_io_queue(io, c->done, ccdm_read_open_wait);
	else
		ccdm_read_opened(io, r);
}

/* A part of a large read, by a worker. */
static void ccdm_read_part(struct ccdm_span *span)
{
	struct ccdm_io *io = span->io;
	int r = ccdm_read_span_wait(io, &span->at);

	if (r == -EBADMSG)
		WRITE_ONCE(io->bad, span->at.block + 1);
	else if (r)
		WRITE_ONCE(io->status, BLK_STS_IOERR);
	if (!atomic_dec_and_test(&io->pending))
		return;
	/* A mismatch counts whatever else went wrong. */
	if (io->bad)
		ccdm_read_mismatch(io, io->bad - 1);
	else
		ccdm_io_finish(io, io->status);
}

/* The data is there. From completions: any context. */
static void ccdm_read_complete(struct ccdm_io *io)
{
	if (io->req.vecs) {
		io->bad = 0;
		ccdm_io_split(io, ccdm_read_part, false);
	} else if (in_hardirq() || irqs_disabled()) {
		ccdm_io_queue_soft(io, ccdm_read_complete);
	} else {
		ccdm_at_begin(io, &io->at, io->nr);
		if (may_use_simd())
			ccdm_read_open(io);
		else
			ccdm_io_queue(io, io->c->done, ccdm_read_open_wait);
	}
}

static void ccdm_read_failed(struct ccdm_io *io)
{
	/* A readahead may fail without a reason: a reader that needs the data reads again. */
	if (!(io->user_opf & REQ_RAHEAD)) {
		ccdm_count(io->c, CCDM_STAT_DATA_ERRORS, 1);
		DMERR_LIMIT("%s: block %llu (%u): read error %d", ccdm_name(io->c), io->block,
			    io->nr, blk_status_to_errno(io->status));
	}
	/* The host chooses the kind of error: the reader only learns that there is one. */
	ccdm_io_finish(io, BLK_STS_IOERR);
}

static void ccdm_read_arrived(struct ccdm_io *io)
{
	if (unlikely(io->status))
		ccdm_io_queue(io, io->c->done, ccdm_read_failed);
	else
		ccdm_read_complete(io);
}

/* The sender could not have sent it without waiting: the submitter sends it. */
static void ccdm_read_refused(struct ccdm_io *io)
{
	ccdm_io_pages_put(io);
	ccdm_read_start(io);
}

static void ccdm_read_end_io(struct bio *bio)
{
	struct ccdm_io *io = bio->bi_private;

	if (unlikely(ccdm_io_refused(bio))) {
		ccdm_io_queue(io, io->c->done, ccdm_read_refused);
		return;
	}
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

/*
 * What to do for each block: io->todo are those to be read, io->other those of them that are
 * the origin's. Return: how many are to be read, or -EIO; @origin: how many are the origin's.
 */
static int ccdm_read_sort(struct ccdm_io *io, unsigned int *origin)
{
	struct ccdm *c = io->c;
	struct ccdm_node *leaf = io->leaf;
	unsigned int i = 0, n, j, todo = 0;
	enum ccdm_kind kind;
	unsigned long flags;
	bool bad = false;

	memset(&io->todo, 0, sizeof(io->todo));
	memset(&io->other, 0, sizeof(io->other));
	*origin = 0;

	spin_lock_irqsave(&leaf->lock, flags);
	while (i < io->nr) {
		n = ccdm_tree_run(leaf->entry, io->first + i, io->first + io->nr, &kind);
		for (j = i; j < i + n; j++) {
			if (kind == CCDM_KIND_UNWRITTEN && io->block + j < c->origin_blocks) {
				ccdm_mask_set(&io->other, j);
				(*origin)++;
			} else if (kind != CCDM_KIND_SEALED) {
				continue;
			}
			ccdm_mask_set(&io->todo, j);
			todo++;
		}
		bad |= kind == CCDM_KIND_BAD;
		i += n;
	}
	spin_unlock_irqrestore(&leaf->lock, flags);
	return bad ? -EIO : todo;
}

static void ccdm_read_send(struct ccdm_io *io)
{
	struct ccdm *c = io->c;

	io->origin = !ccdm_mask_empty(&io->other);
	ccdm_io_submit(io, io->origin ? c->origin->bdev : c->dev->bdev, ccdm_read_end_io);
}

void ccdm_read_start(struct ccdm_io *io)
{
	unsigned int origin;
	unsigned long flags;
	bool busy;
	int todo;

	if (!io->marked) {
		spin_lock_irqsave(&io->leaf->lock, flags);
		busy = ccdm_mask_overlaps(&io->mask, &io->leaf->mask);
		spin_unlock_irqrestore(&io->leaf->lock, flags);
		/* A writer holds marks: wait in line, and read with the marks held. */
		if (busy && !ccdm_io_mark(io, ccdm_read_start))
			return;
	}

	todo = ccdm_read_sort(io, &origin);
	if (todo < 0) {
		ccdm_io_finish(io, BLK_STS_IOERR);
	} else if (!todo) {
		ccdm_io_zero(io, 0, io->nr);
		ccdm_io_finish(io, BLK_STS_OK);
	} else if (io->used || todo != io->nr || (origin && origin != io->nr)) {
		/* In several bios, or the bio is used up. */
		if (ccdm_io_pages(io, todo, ccdm_read_runs))
			ccdm_read_runs(io);
	} else if (ccdm_io_pages(io, io->nr, ccdm_read_send)) {
		ccdm_read_send(io);
	}
}

/* One bio for each run of blocks of the backing device and of the origin. By the submitter. */
static void ccdm_read_send_runs(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	struct ccdm_pg *pg = io->req.pages;
	blk_opf_t opf = ccdm_io_flags(io->bio);
	unsigned int i = 0, n, j;

	if (!ccdm_active(c)) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	atomic_set(&io->pending, 1);
	io->status = BLK_STS_OK;
	io->origin = !ccdm_mask_empty(&io->other);
	while (i < io->nr) {
		bool todo = ccdm_mask_test(&io->todo, i);
		bool origin = ccdm_mask_test(&io->other, i);
		struct bio *bio;

		for (n = 1; i + n < io->nr; n++)
			if (ccdm_mask_test(&io->todo, i + n) != todo ||
			    ccdm_mask_test(&io->other, i + n) != origin)
				break;
		if (todo) {
			bio = ccdm_io_child(io, i, n, opf,
					    origin ? c->origin->bdev : c->dev->bdev,
					    ccdm_read_child_end_io);
			for (j = i; j < i + n; j++, pg = pg->next)
				__bio_add_page(bio, pg->page, CCDM_BLOCK_SIZE, 0);
			submit_bio_noacct(bio);
		} else {
			ccdm_io_zero(io, i, n);
		}
		i += n;
	}
	if (atomic_dec_and_test(&io->pending))
		ccdm_read_arrived(io);
}

static void ccdm_read_runs(struct ccdm_io *io)
{
	ccdm_io_submit_later(io, ccdm_read_send_runs);
}

/* ---- a leaf miss --------------------------------------------------------- */

/* The walk has ended, and with it what was read meanwhile, if anything. Any context. */
static void ccdm_read_joined(struct ccdm_io *io)
{
	unsigned int origin;
	unsigned long flags;
	bool busy;

	if (in_hardirq() || irqs_disabled()) {
		ccdm_io_queue_soft(io, ccdm_read_joined);
		return;
	}
	if (!io->leaf) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	if (io->req.pages) {
		spin_lock_irqsave(&io->leaf->lock, flags);
		busy = ccdm_mask_overlaps(&io->mask, &io->leaf->mask);
		spin_unlock_irqrestore(&io->leaf->lock, flags);
		if (!busy && !io->status && ccdm_read_sort(io, &origin) == io->nr && !origin) {
			ccdm_read_complete(io);
			return;
		}
		ccdm_io_pages_put(io);
	}
	ccdm_read_start(io);
}

static void ccdm_read_ahead_end_io(struct bio *bio)
{
	struct ccdm_io *io = bio->bi_private;

	io->status = bio->bi_status;
	if (atomic_dec_and_test(&io->pending))
		ccdm_read_joined(io);
}

static void ccdm_read_walked(struct ccdm_walk *walk)
{
	struct ccdm_io *io = container_of(walk, struct ccdm_io, walk);

	if (!IS_ERR(walk->node))
		io->leaf = walk->node;
	/* A step of its own: many may have waited for the same leaf. */
	if (atomic_dec_and_test(&io->pending))
		ccdm_io_queue_soft(io, ccdm_read_joined);
}

/* A miss of leaf @index: leaves that follow are loaded, too, where it was expected. */
static void ccdm_read_stream(struct ccdm *c, u64 index, const struct ccdm_walk *like, bool direct)
{
	unsigned int i, n;

	/* (where it gets no leaves ahead, a stream is still one) */
	for (i = 0; i < CCDM_STREAMS; i++)
		if (READ_ONCE(c->streams[i]) - index <= CCDM_AHEAD_LEAVES)
			break;
	if (i == CCDM_STREAMS) {
		i = READ_ONCE(c->next_stream) % CCDM_STREAMS;
		WRITE_ONCE(c->next_stream, i + 1);
		WRITE_ONCE(c->streams[i], index + 1);
		return;
	}
	if (!ccdm_submitter_spare(&c->submitter)) {
		WRITE_ONCE(c->streams[i], index + 1);
		return;
	}
	WRITE_ONCE(c->streams[i], index + 1 + CCDM_AHEAD_LEAVES);
	for (n = 1; n <= CCDM_AHEAD_LEAVES; n++)
		ccdm_cache_prefetch(c, index + n, like, direct);
}

/*
 * Where the leaf is being loaded the data is read at the same time, into pages that are free
 * at once. While we hold pages we wait for the device only.
 */
void ccdm_read_miss(struct ccdm_io *io)
{
	u64 index = io->block >> CCDM_NODE_SHIFT;
	struct ccdm *c = io->c;
	struct ccdm_node *leaf;
	bool direct = io->direct;

	/* The walk, the data, and we ourselves: until we have done all, @io does not end. */
	atomic_set(&io->pending, 3);
	io->direct = false;
	io->walk.level = 0;
	io->walk.index = index;
	io->walk.how = CCDM_GET_READ;
	io->walk.done = ccdm_read_walked;
	ccdm_io_walk_for(&io->walk, io);
	leaf = ccdm_cache_walk(c, &io->walk, direct);
	if (IS_ERR(leaf)) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	if (leaf) {
		io->leaf = leaf;
		io->direct = direct;
		ccdm_read_start(io);
		return;
	}
	if (io->walk.at_leaf) {
		io->req.nr = io->nr;
		ccdm_waiter_set(&io->req.waiter, io->bio, io->group);
		if (ccdm_pages_take(&c->pages, &io->req, false)) {
			io->direct = direct;
			ccdm_io_submit(io, c->dev->bdev, ccdm_read_ahead_end_io);
		} else {
			atomic_dec(&io->pending);
		}
		/* What is only expected comes after what was asked for. */
		ccdm_read_stream(c, index, &io->walk, direct);
	} else {
		atomic_dec(&io->pending);
	}
	if (atomic_dec_and_test(&io->pending))
		ccdm_read_joined(io);
}
