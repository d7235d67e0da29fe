// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * scrub.c - read everything once, to find tamper before a program meets it
 *
 * Detection is on access. The scrub goes through all written blocks at low
 * priority: leaves through the cache like everybody, one path at a time, and
 * blocks through the read path, recheck included. What it brought in it drops. A node that is
 * in memory is not read from the device: its copy there is not used meanwhile.
 *
 * It has a thread of its own, with the lowest priority for CPUs and for devices. The nodes that
 * it loads are read by this thread, so their reads have that priority, too. Larger reads of
 * blocks are opened on the "done" queue like all others; the thread decides how fast they come.
 */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "ccdm.h"

#define CCDM_SCRUB_BLOCKS	16	/* read at a time */
#define CCDM_SCRUB_IOPRIO	IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)

/* struct ccdm_scrub_read - memory of a running scrub */
struct ccdm_scrub_read {
	struct ccdm_io io;
	struct bio bio;
	struct bio_vec vec[CCDM_SCRUB_BLOCKS];
	struct page *pages[CCDM_SCRUB_BLOCKS];
	struct completion done;
};

static void ccdm_scrub_end_io(struct bio *bio)
{
	struct ccdm_scrub_read *s = container_of(bio, struct ccdm_scrub_read, bio);

	complete(&s->done);
}

/* Read @n blocks through the read path; a device's error has been counted and logged there. */
static void ccdm_scrub_blocks(struct ccdm *c, struct ccdm_scrub_read *s, u64 block,
			      unsigned int n)
{
	unsigned int i;

	bio_init(&s->bio, c->dev->bdev, s->vec, CCDM_SCRUB_BLOCKS, REQ_OP_READ | REQ_IDLE);
	for (i = 0; i < n; i++)
		__bio_add_page(&s->bio, s->pages[i], CCDM_BLOCK_SIZE, 0);
	s->bio.bi_iter.bi_sector = c->ti->begin + block * CCDM_BLOCK_SECTORS;
	s->bio.bi_ioprio = CCDM_SCRUB_IOPRIO;
	s->bio.bi_end_io = ccdm_scrub_end_io;
	reinit_completion(&s->done);
	ccdm_map_bio(c, &s->bio, &s->io);
	wait_for_completion(&s->done);
	if (s->bio.bi_status)
		c->scrub.failed++;
	bio_uninit(&s->bio);
}

static void ccdm_scrub_leaf(struct ccdm *c, struct ccdm_scrub_read *s, struct ccdm_node *leaf)
{
	u64 base = leaf->index << CCDM_NODE_SHIFT;
	unsigned int i = 0, n, end = min_t(u64, CCDM_NODE_ENTRIES, c->g.blocks - base);
	enum ccdm_kind kind;

	while (i < end && ccdm_active(c) && !READ_ONCE(c->scrub.stop)) {
		spin_lock_irq(&leaf->lock);
		n = ccdm_tree_run(leaf->entry, i, end, &kind);
		spin_unlock_irq(&leaf->lock);
		if (kind == CCDM_KIND_SEALED) {
			n = min_t(unsigned int, n, CCDM_SCRUB_BLOCKS);
			ccdm_scrub_blocks(c, s, base + i, n);
		}
		i += n;
		cond_resched();
	}
}

/*
 * The first leaf from @block on under which something may be written, as a
 * block number; c->g.blocks if there is none. Unreadable nodes are counted and
 * passed over.
 */
static u64 ccdm_scrub_find(struct ccdm *c, const struct ccdm_scrub_read *s, u64 block)
{
	unsigned int level, shift;
	struct ccdm_node *node;
	enum ccdm_kind kind;
	bool cached;
	u64 child;

again:
	for (level = c->g.levels; level > 0 && block < c->g.blocks; level--) {
		shift = CCDM_NODE_SHIFT * level;
		child = block >> shift;
		node = ccdm_io_get(&s->io, level, level == c->g.levels ? 0 :
				   block >> (shift + CCDM_NODE_SHIFT), CCDM_GET_READ);
		if (IS_ERR(node)) {
			c->scrub.failed++;
			if (!ccdm_active(c))
				return c->g.blocks;
			block = ((block >> (shift + CCDM_NODE_SHIFT)) + 1) <<
				(shift + CCDM_NODE_SHIFT);
			goto again;
		}
		spin_lock_irq(&node->lock);
		cached = ccdm_mask_test(&node->mask, child % CCDM_NODE_ENTRIES);
		kind = ccdm_tree_kind(&node->entry[child % CCDM_NODE_ENTRIES]);
		spin_unlock_irq(&node->lock);
		ccdm_node_unpin(c, node);
		if (!cached && kind != CCDM_KIND_SEALED) {
			block = (child + 1) << shift;
			goto again;
		}
	}
	return min(block, c->g.blocks);
}

static void ccdm_scrub_run(struct ccdm *c, struct ccdm_scrub_read *s)
{
	struct ccdm_scrub *scrub = &c->scrub;
	struct ccdm_node *leaf;
	u64 block = 0, index;
	bool was_cached;

	while (!READ_ONCE(scrub->stop) && ccdm_active(c)) {
		block = ccdm_scrub_find(c, s, block);
		WRITE_ONCE(scrub->done, block);
		if (block >= c->g.blocks)
			break;
		index = block >> CCDM_NODE_SHIFT;
		leaf = ccdm_cache_find(c, 0, index);
		was_cached = leaf;
		if (!leaf)
			leaf = ccdm_io_get(&s->io, 0, index, CCDM_GET_READ);
		if (!IS_ERR(leaf)) {
			ccdm_scrub_leaf(c, s, leaf);
			if (was_cached)
				ccdm_node_unpin(c, leaf);
			else
				ccdm_node_forget(c, leaf);
		} else {
			scrub->failed++;
		}
		block = (index + 1) << CCDM_NODE_SHIFT;
		cond_resched();
	}
}

static void ccdm_scrub_work(struct kthread_work *work)
{
	struct ccdm_scrub *scrub = container_of(work, struct ccdm_scrub, work);
	struct ccdm *c = container_of(scrub, struct ccdm, scrub);
	struct ccdm_scrub_read *s;
	unsigned int i, n = 0;
	bool whole;

	set_user_nice(current, MAX_NICE);
	/* Without it the scrub is right as well, only less polite. */
	set_task_ioprio(current, CCDM_SCRUB_IOPRIO);

	s = kvzalloc(sizeof(*s), GFP_NOIO);
	while (s && n < CCDM_SCRUB_BLOCKS && (s->pages[n] = alloc_page(GFP_NOIO)))
		n++;
	if (n == CCDM_SCRUB_BLOCKS) {
		init_completion(&s->done);
		/* Nodes are loaded as for this I/O. */
		s->io.bio = &s->bio;
		s->bio.bi_ioprio = CCDM_SCRUB_IOPRIO;
		s->io.c = c;
		ccdm_scrub_run(c, s);
	} else {
		DMERR_LIMIT("%s: scrub: out of memory", ccdm_name(c));
	}
	for (i = 0; i < n; i++) {
		/* plaintext */
		clear_highpage(s->pages[i]);
		__free_page(s->pages[i]);
	}
	kvfree(s);

	spin_lock(&scrub->lock);
	scrub->running = false;
	/* What could not be read is in failed. After a tamper nobody is told that all is well. */
	/* coverage: rare: another reader finds a tamper in the last step of a scrub */
	whole = scrub->done >= scrub->all && !scrub->failed && ccdm_active(c);
	scrub->finished += whole;
	spin_unlock(&scrub->lock);
	if (whole)
		ccdm_event_send(c, "scrub-done");
	dm_table_event(c->ti->table);
}

int ccdm_scrub_start(struct ccdm *c)
{
	struct ccdm_scrub *scrub = &c->scrub;
	int r = -EBUSY;

	spin_lock(&scrub->lock);
	if (!scrub->allowed) {
		r = -EAGAIN;
	} else if (!scrub->running) {
		scrub->running = true;
		scrub->stop = false;
		scrub->done = 0;
		scrub->failed = 0;
		scrub->all = c->g.blocks;
		r = 0;
	}
	/* Under the lock: who forbids and then stops must find it queued. */
	if (!r)
		kthread_queue_work(scrub->worker, &scrub->work);
	spin_unlock(&scrub->lock);
	return r;
}

void ccdm_scrub_allow(struct ccdm *c, bool allowed)
{
	spin_lock(&c->scrub.lock);
	c->scrub.allowed = allowed;
	spin_unlock(&c->scrub.lock);
}

void ccdm_scrub_stop(struct ccdm *c)
{
	WRITE_ONCE(c->scrub.stop, true);
	kthread_flush_work(&c->scrub.work);
}

int ccdm_scrub_init(struct ccdm *c)
{
	struct kthread_worker *worker = kthread_run_worker(0, "ccdm_scrub/%s", ccdm_name(c));

	if (IS_ERR(worker))
		return PTR_ERR(worker);
	spin_lock_init(&c->scrub.lock);
	kthread_init_work(&c->scrub.work, ccdm_scrub_work);
	c->scrub.worker = worker;
	return 0;
}

void ccdm_scrub_exit(struct ccdm *c)
{
	if (c->scrub.worker)
		kthread_destroy_worker(c->scrub.worker);
}
