// SPDX-License-Identifier: GPL-2.0-only
/*
 * writeback.c - dirty nodes on their way to the device
 *
 * One work item, the writer, is the only one that sends nodes. It copies a node
 * under its lock, seals the copy with a new number, and sends it, neighbours in
 * one bio; one write per node is in flight at most. When the device has it, the
 * new entry goes to the parent first, then the node's state changes.
 *
 * A node whose write failed stays dirty and in memory: the device may hold the
 * old node, which the parent would still accept, so dropping it would be a
 * rollback. It is tried again, ever more rarely.
 *
 * The writer and the completions run on the "done" queue and never wait.
 */
#include <linux/slab.h>
#include "ccdm.h"
#include "trace.h"

#define CCDM_BACKOFF_MIN	(HZ / 4)
#define CCDM_BACKOFF_MAX	(30 * HZ)
#define CCDM_WRITES_MAX		16
#define CCDM_PICK_MAX		1024	/* nodes looked at in one search */

/*
 * struct ccdm_node_write - one bio with up to CCDM_WRITE_NODES neighbours
 * @nodes: what is written, state WRITING
 * @pages: ciphertext, ours for ever
 */
struct ccdm_node_write {
	struct ccdm *c;
	struct list_head list;
	struct work_struct work;
	unsigned int nr;
	struct ccdm_node *nodes[CCDM_WRITE_NODES];
	struct page *pages[CCDM_WRITE_NODES];
	u64 seq[CCDM_WRITE_NODES];
	u8 tag[CCDM_WRITE_NODES][CCDM_TAG_SIZE];
	struct bio_vec vec[CCDM_WRITE_NODES];
	struct bio bio;
};

void ccdm_writeback_kick(struct ccdm *c)
{
	if (!READ_ONCE(c->cache.stopped))
		queue_work(c->done, &c->cache.writer);
}

bool ccdm_writeback_stuck(struct ccdm *c)
{
	return READ_ONCE(c->cache.nr_unwritable) >= max(READ_ONCE(c->cache.limit) / 4, 1u);
}

/* ---- completion ---------------------------------------------------------- */

static void ccdm_write_succeeded(struct ccdm *c, struct ccdm_node_write *w, unsigned int i)
{
	struct ccdm_node *node = w->nodes[i], *parent = node->parent;
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;
	bool newly, dirty;

	spin_lock_irqsave(&parent->lock, flags);
	ccdm_tree_seal(&parent->entry[ccdm_node_slot(node)], w->seq[i], w->tag[i]);
	newly = ccdm_cache_set_dirty(c, parent);
	spin_unlock_irqrestore(&parent->lock, flags);
	if (newly)
		ccdm_cache_dirty(c, parent);

	spin_lock_irqsave(&k->lock, flags);
	k->writing[node->level]--;
	if (node->unwritable)
		k->nr_unwritable--;
	node->unwritable = false;
	node->alone = false;
	node->backoff = 0;
	spin_unlock_irqrestore(&k->lock, flags);

	spin_lock_irqsave(&node->lock, flags);
	WRITE_ONCE(node->state, CCDM_NODE_CLEAN);
	dirty = node->dirty;
	spin_unlock_irqrestore(&node->lock, flags);
	if (!dirty)
		ccdm_node_unpin(c, node);
}

static void ccdm_write_failed(struct ccdm *c, struct ccdm_node_write *w, unsigned int i)
{
	struct ccdm_node *node = w->nodes[i];
	struct ccdm_cache *k = &c->cache;
	bool was_dirty, first = false;
	unsigned long flags;

	spin_lock_irqsave(&node->lock, flags);
	was_dirty = node->dirty;
	node->dirty = true;	/* the pin of WRITING becomes the pin of dirty */
	spin_unlock_irqrestore(&node->lock, flags);

	spin_lock_irqsave(&k->lock, flags);
	k->writing[node->level]--;
	k->sync_error = -EIO;
	node->retry_at = jiffies;
	if (w->nr > 1) {
		node->alone = true;
	} else {
		if (!node->unwritable)
			first = !k->nr_unwritable++;
		node->unwritable = true;
		node->backoff = clamp_t(unsigned long, node->backoff * 2, CCDM_BACKOFF_MIN,
					CCDM_BACKOFF_MAX);
		node->retry_at += node->backoff;
	}
	if (!was_dirty) {
		node->dirty_gen = k->gen;
		k->nr_dirty++;
		list_add_tail(&node->dirty_link, &k->failed);
	} else if (!list_empty(&node->dirty_link)) {
		list_move_tail(&node->dirty_link, &k->failed);
	}
	spin_unlock_irqrestore(&k->lock, flags);

	spin_lock_irqsave(&node->lock, flags);
	WRITE_ONCE(node->state, CCDM_NODE_CLEAN);
	spin_unlock_irqrestore(&node->lock, flags);
	if (first)
		ccdm_event_unwritable(c);
}

static void ccdm_write_put(struct ccdm *c, struct ccdm_node_write *w)
{
	unsigned long flags;

	spin_lock_irqsave(&c->cache.lock, flags);
	list_add(&w->list, &c->cache.free_writes);
	spin_unlock_irqrestore(&c->cache.lock, flags);
	wake_up_all(&c->cache.sync_wait);
}

static void ccdm_write_finish(struct ccdm_node_write *w, bool ok)
{
	struct ccdm *c = w->c;
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		if (ok)
			ccdm_write_succeeded(c, w, i);
		else
			ccdm_write_failed(c, w, i);
	}
	if (ok)
		ccdm_count(c, CCDM_STAT_WRITEBACKS, w->nr);
	else
		mod_delayed_work(c->done, &c->cache.retry, w->nr > 1 ? 0 : CCDM_BACKOFF_MIN);
	ccdm_write_put(c, w);
	ccdm_room_wake(c);
}

static void ccdm_write_work(struct work_struct *work)
{
	struct ccdm_node_write *w = container_of(work, struct ccdm_node_write, work);
	struct ccdm *c = w->c;
	bool ok = !w->bio.bi_status;

	if (!ok) {
		ccdm_count(c, CCDM_STAT_NODE_ERRORS, 1);
		DMERR_LIMIT("%s: node level %u index %llu (%u): write error %d", ccdm_name(c),
			    w->nodes[0]->level, w->nodes[0]->index, w->nr,
			    blk_status_to_errno(w->bio.bi_status));
	}
	bio_uninit(&w->bio);
	ccdm_write_finish(w, ok);
	ccdm_room_trim(c);
	ccdm_writeback_kick(c);
}

static void ccdm_write_end_io(struct bio *bio)
{
	struct ccdm_node_write *w = bio->bi_private;

	queue_work(w->c->done, &w->work);
}

/* ---- the writer ---------------------------------------------------------- */

/* Take @node off the dirty list, to be written. */
static void ccdm_write_take(struct ccdm_cache *k, struct ccdm_node *node)
{
	lockdep_assert_held(&k->lock);
	list_del_init(&node->dirty_link);
	k->nr_dirty--;
	k->writing[node->level]++;
}

/* Should @node be written now? A glance without its lock, under which ccdm_write_add() decides. */
static bool ccdm_write_glance(const struct ccdm_node *node, bool force)
{
	struct ccdm_mask children = {
		{ READ_ONCE(node->mask.w[0]), READ_ONCE(node->mask.w[1]) }
	};

	return ccdm_tree_writable(node->level, READ_ONCE(node->state), true, &children, force);
}

/* The first node of @list that may be written now. */
static struct ccdm_node *ccdm_write_search(struct ccdm_cache *k, struct list_head *list,
					   bool sync, bool failed)
{
	struct ccdm_node *node;
	unsigned int looked = 0;

	list_for_each_entry(node, list, dirty_link) {
		if (++looked > CCDM_PICK_MAX)
			break;
		if (failed) {
			if (sync ? node->level != k->sync_level || node->dirty_gen > k->sync_gen :
				   time_before(jiffies, node->retry_at))
				continue;
		} else if (sync && node->dirty_gen > k->sync_gen) {
			break;
		}
		if (ccdm_write_glance(node, sync || failed)) {
			ccdm_write_take(k, node);
			return node;
		}
	}
	return NULL;
}

/*
 * The next node that should be written, off its list; NULL if none. @force: it
 * is written even if it has children in the cache.
 */
static struct ccdm_node *ccdm_write_pick(struct ccdm *c, bool *force)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	unsigned int level, end;
	unsigned long flags;
	bool sync;

	spin_lock_irqsave(&k->lock, flags);
	sync = k->sync_level >= 0;
	*force = true;
	node = ccdm_write_search(k, &k->failed, sync, true);
	if (node)
		goto out;
	*force = sync;

	if (k->nr_dirty >= k->limit / 4 * 3)
		k->lowering = true;
	else if (k->nr_dirty <= k->limit / 8 * 5)
		k->lowering = false;

	level = sync ? k->sync_level : 0;
	end = sync ? level + 1 : c->g.levels;
	if (!sync && !k->lowering && !atomic_read(&k->room_waiters) && k->nr <= k->limit)
		end = 0;
	for (; level < end && !node; level++)
		node = ccdm_write_search(k, &k->dirty[level], sync, false);
out:
	spin_unlock_irqrestore(&k->lock, flags);
	return node;
}

/* The neighbour (level, index), if it should go along: pinned by being dirty. */
static struct ccdm_node *ccdm_write_neighbour(struct ccdm *c, unsigned int level, u64 index,
					      bool force)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	unsigned long flags;
	bool take;

	if (index >= c->g.nodes[level])
		return NULL;
	node = ccdm_cache_find(c, level, index);
	if (!node)
		return NULL;
	spin_lock_irqsave(&k->lock, flags);
	take = !list_empty(&node->dirty_link) && !node->alone && !node->unwritable &&
	       ccdm_write_glance(node, force);
	if (take)
		ccdm_write_take(k, node);
	spin_unlock_irqrestore(&k->lock, flags);
	ccdm_node_unpin(c, node);
	return take ? node : NULL;
}

/*
 * It was not to be written after all: back to where it was taken from. Never one that
 * has failed: that is written whatever children it has.
 */
static void ccdm_write_untake(struct ccdm *c, struct ccdm_node *node)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *next;
	unsigned long flags;

	spin_lock_irqsave(&k->lock, flags);
	k->writing[node->level]--;
	k->nr_dirty++;
	/* A sync that has begun meanwhile counts on age, and on the list's order. */
	list_for_each_entry(next, &k->dirty[node->level], dirty_link)
		if (next->dirty_gen >= node->dirty_gen)
			break;
	list_add_tail(&node->dirty_link, &next->dirty_link);
	spin_unlock_irqrestore(&k->lock, flags);
}

/* Copy and seal @node as number @w->nr of @w. Return: false if it stays behind. */
static bool ccdm_write_add(struct ccdm *c, struct ccdm_node_write *w, struct ccdm_node *node,
			   bool force, int *error)
{
	struct ccdm_place place = {
		.domain = CCDM_DOMAIN_NODE(node->level),
		.index = node->index,
	};
	struct ccdm_creq *creq;
	unsigned int i = w->nr;
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&node->lock, flags);
	ok = ccdm_tree_writable(node->level, node->state, node->dirty, &node->mask, force);
	if (ok) {
		WRITE_ONCE(node->state, CCDM_NODE_WRITING);
		node->dirty = false;
		memcpy(page_address(c->cache.scratch), node->entry, PAGE_SIZE);
	}
	spin_unlock_irqrestore(&node->lock, flags);
	if (!ok) {
		ccdm_write_untake(c, node);
		return false;
	}

	w->nodes[i] = node;
	w->nr++;
	place.seq = ccdm_take_seq(c, 1);
	w->seq[i] = place.seq;
	if (!place.seq) {
		*error = -EIO;
		return true;
	}
	creq = ccdm_creq_get(&c->creqs, GFP_NOIO);
	*error = ccdm_seal(&c->node, creq, &place, c->cache.scratch, 0, w->pages[i], w->tag[i]);
	ccdm_creq_put(&c->creqs, creq);
	trace_ccdm_writeback(ccdm_name(c), node->level, node->index);
	return true;
}

static void ccdm_write_submit(struct ccdm *c, struct ccdm_node_write *w)
{
	unsigned int i;

	bio_init(&w->bio, c->dev->bdev, w->vec, CCDM_WRITE_NODES, REQ_OP_WRITE | REQ_META);
	w->bio.bi_iter.bi_sector = (c->g.first[w->nodes[0]->level] + w->nodes[0]->index) *
				   CCDM_BLOCK_SECTORS;
	w->bio.bi_end_io = ccdm_write_end_io;
	w->bio.bi_private = w;
	for (i = 0; i < w->nr; i++)
		__bio_add_page(&w->bio, w->pages[i], CCDM_BLOCK_SIZE, 0);
	submit_bio(&w->bio);
}

static struct ccdm_node_write *ccdm_write_get(struct ccdm *c)
{
	struct ccdm_node_write *w;
	unsigned long flags;

	spin_lock_irqsave(&c->cache.lock, flags);
	w = list_first_entry_or_null(&c->cache.free_writes, struct ccdm_node_write, list);
	if (w)
		list_del_init(&w->list);
	spin_unlock_irqrestore(&c->cache.lock, flags);
	return w;
}

static void ccdm_writer(struct work_struct *work)
{
	struct ccdm_cache *k = container_of(work, struct ccdm_cache, writer);
	struct ccdm *c = container_of(k, struct ccdm, cache);
	struct ccdm_node_write *w;
	struct ccdm_node *node;
	bool force, alone;
	int error;

	while (!READ_ONCE(k->stopped) && ccdm_active(c) && (w = ccdm_write_get(c))) {
		node = ccdm_write_pick(c, &force);
		if (!node) {
			ccdm_write_put(c, w);
			break;
		}
		w->nr = 0;
		error = 0;
		alone = node->alone || node->unwritable;
		do {
			if (!ccdm_write_add(c, w, node, force, &error) || error || alone ||
			    w->nr == CCDM_WRITE_NODES)
				break;
			node = ccdm_write_neighbour(c, node->level, node->index + 1, force);
		} while (node);

		if (!w->nr)
			ccdm_write_put(c, w);
		else if (error || !ccdm_active(c))
			ccdm_write_finish(w, false);
		else
			ccdm_write_submit(c, w);
		cond_resched();
	}
}

/* Failed nodes are tried again whether there is need or not: they block others. */
static void ccdm_write_retry(struct work_struct *work)
{
	struct ccdm_cache *k = container_of(to_delayed_work(work), struct ccdm_cache, retry);
	struct ccdm *c = container_of(k, struct ccdm, cache);

	if (READ_ONCE(k->stopped) || list_empty_careful(&k->failed))
		return;
	ccdm_writeback_kick(c);
	queue_delayed_work(c->done, &k->retry, CCDM_BACKOFF_MIN);
}

/* ---- life ---------------------------------------------------------------- */

void ccdm_writeback_start(struct ccdm *c)
{
	WRITE_ONCE(c->cache.stopped, false);
	queue_delayed_work(c->done, &c->cache.retry, CCDM_BACKOFF_MIN);
	ccdm_writeback_kick(c);
}

static bool ccdm_writes_idle(struct ccdm_cache *k)
{
	struct list_head *p;
	unsigned int n = 0;

	spin_lock_irq(&k->lock);
	list_for_each(p, &k->free_writes)
		n++;
	spin_unlock_irq(&k->lock);
	return n == k->nr_writes;
}

/* On return nothing is in flight and nothing starts. Sleeps. */
void ccdm_writeback_stop(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;

	WRITE_ONCE(k->stopped, true);
	wake_up_all(&k->sync_wait);
	cancel_work_sync(&k->writer);
	wait_event(k->sync_wait, ccdm_writes_idle(k));
	cancel_delayed_work_sync(&k->retry);
}

int ccdm_writeback_init(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	unsigned int i, j, nr = clamp(c->opt.cache_mib, 2u, (unsigned int)CCDM_WRITES_MAX);

	k->stopped = true;
	INIT_WORK(&k->writer, ccdm_writer);
	INIT_DELAYED_WORK(&k->retry, ccdm_write_retry);
	k->scratch = alloc_page(GFP_KERNEL | __GFP_ZERO);
	k->writes = kvcalloc(nr, sizeof(*k->writes), GFP_KERNEL);
	if (!k->scratch || !k->writes)
		return -ENOMEM;
	k->nr_writes = nr;
	for (i = 0; i < nr; i++) {
		struct ccdm_node_write *w = &k->writes[i];

		w->c = c;
		INIT_WORK(&w->work, ccdm_write_work);
		list_add(&w->list, &k->free_writes);
		for (j = 0; j < CCDM_WRITE_NODES; j++) {
			w->pages[j] = alloc_page(GFP_KERNEL | __GFP_ZERO);
			if (!w->pages[j])
				return -ENOMEM;
		}
	}
	return 0;
}

void ccdm_writeback_exit(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	unsigned int i, j;

	for (i = 0; i < k->nr_writes; i++)
		for (j = 0; j < CCDM_WRITE_NODES; j++)
			if (k->writes[i].pages[j])
				__free_page(k->writes[i].pages[j]);
	kvfree(k->writes);
	if (k->scratch)
		__free_page(k->scratch);
}
