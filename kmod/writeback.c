// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * writeback.c - write dirty nodes back to the device
 *
 * One work item, the writer, chooses what is written. It copies a node under its
 * lock, seals the copy with a new number, and gives it to the submitter, neighbours
 * in one bio; one write per node is in flight at most. When the device has it, the
 * new entry goes to the parent first, then the node's state changes.
 *
 * The writer goes through the oldest dirty nodes of a level in the order of their
 * places, as an elevator does, and takes dirty neighbours on both sides along. The
 * levels take turns.
 *
 * A node whose write failed stays dirty and in memory: the device may hold the
 * old node, which the parent would still accept, so dropping it would be a
 * rollback. It is retried with growing delays.
 *
 * The writer and the completions run on the "done" queue and never wait.
 */
#include <linux/slab.h>
#include "ccdm.h"
#include "trace.h"

#define CCDM_BACKOFF_MIN	(HZ / 4)
#define CCDM_BACKOFF_MAX	(30 * HZ)
#define CCDM_PICK_WINDOW	32	/* old nodes among which the place decides */
#ifndef CCDM_PICK_MAX			/* (a test that meets it has a smaller one) */
#define CCDM_PICK_MAX		1024	/* nodes looked at in one search */
#endif

/**
 * struct ccdm_node_write - a node that is being written
 * @c: mapping
 * @list: in the list of free writes, or in the list @nodes of the first write of a bio
 * @nodes: of the first of a bio: all of the bio, in the order of their places
 * @nr: of the first of a bio: how many these are
 * @node: the node, state WRITING
 * @page: for the ciphertext; belongs to this struct
 * @seq: number of the sealing
 * @tag: tag of the sealing
 * @work: goes on after the completion
 * @send: goes to the submitter with it
 * @vec: of the first of a bio: its table
 * @bio: of the first of a bio
 */
struct ccdm_node_write {
	struct ccdm *c;
	struct list_head list;
	struct list_head nodes;
	unsigned int nr;
	struct ccdm_node *node;
	struct page *page;
	u64 seq;
	u8 tag[CCDM_TAG_SIZE];
	struct work_struct work;
	struct ccdm_send send;
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

static void ccdm_write_succeeded(struct ccdm *c, struct ccdm_node_write *w)
{
	struct ccdm_node *node = w->node, *parent = node->parent;
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;
	bool kick, dirty;

	spin_lock_irqsave(&parent->lock, flags);
	ccdm_tree_seal(&parent->entry[ccdm_node_slot(node)], w->seq, w->tag);
	kick = ccdm_cache_set_dirty(c, parent);
	spin_unlock_irqrestore(&parent->lock, flags);
	if (kick)
		ccdm_writeback_kick(c);

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
	if (!dirty)
		ccdm_node_clean(c, node);
	spin_unlock_irqrestore(&node->lock, flags);
	if (!dirty)
		ccdm_node_unpin(c, node);
}

/* @sent: the device had it, and may hold the old node; else it could not be sealed. */
static void ccdm_write_failed(struct ccdm *c, struct ccdm_node_write *w, bool several, bool sent)
{
	struct ccdm_node *node = w->node;
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
	if (several) {
		node->alone = true;
	} else {
		if (sent && !node->unwritable) {
			first = !k->nr_unwritable++;
			node->unwritable = true;
		}
		node->alone = true;
		node->backoff = clamp_t(unsigned long, node->backoff * 2, CCDM_BACKOFF_MIN,
					CCDM_BACKOFF_MAX);
		node->retry_at += node->backoff;
	}
	if (!was_dirty) {
		node->dirty_gen = k->gen;
		k->nr_dirty++;
		list_add_tail(&node->dirty_link, &k->failed[node->level]);
	} else if (!list_empty(&node->dirty_link)) {	/* coverage: rare: a sync takes it */
		list_move_tail(&node->dirty_link, &k->failed[node->level]);
	}
	spin_unlock_irqrestore(&k->lock, flags);

	spin_lock_irqsave(&node->lock, flags);
	WRITE_ONCE(node->state, CCDM_NODE_CLEAN);
	spin_unlock_irqrestore(&node->lock, flags);
	if (first)
		ccdm_event_unwritable(c);
}

/* Free @w and all writes in its list. @ended: a write ended; wake the writer to use them. */
static void ccdm_write_put(struct ccdm *c, struct ccdm_node_write *w, bool ended)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node_write *n, *tmp;
	unsigned long flags;

	spin_lock_irqsave(&k->lock, flags);
	list_for_each_entry_safe(n, tmp, &w->nodes, list) {
		list_move_tail(&n->list, &k->free_writes);
		k->nr_free_writes++;
	}
	/* In the lock: the waiter for the last write frees the mapping afterwards. */
	if (ended)
		ccdm_writeback_kick(c);
	wake_up_all(&k->sync_wait);
	spin_unlock_irqrestore(&k->lock, flags);
}

static void ccdm_write_finish(struct ccdm_node_write *w, bool ok, bool sent)
{
	unsigned int nr = w->nr;
	struct ccdm_node_write *n;
	struct ccdm *c = w->c;

	list_for_each_entry(n, &w->nodes, list) {
		if (ok)
			ccdm_write_succeeded(c, n);
		else
			ccdm_write_failed(c, n, nr > 1, sent);
	}
	if (ok)
		ccdm_count(c, CCDM_STAT_WRITEBACKS, nr);
	else
		mod_delayed_work(c->done, &c->cache.retry, nr > 1 ? 0 : CCDM_BACKOFF_MIN);
	ccdm_nodes_wake(c);
	ccdm_nodes_trim(c);
	ccdm_write_put(c, w, true);
}

static void ccdm_write_work(struct work_struct *work)
{
	struct ccdm_node_write *w = container_of(work, struct ccdm_node_write, work);
	struct ccdm *c = w->c;
	bool ok = !w->bio.bi_status;

	if (!ok) {
		ccdm_count(c, CCDM_STAT_NODE_ERRORS, 1);
		DMERR_LIMIT("%s: node level %u index %llu (%u): write error %d", ccdm_name(c),
			    w->node->level, w->node->index, w->nr,
			    blk_status_to_errno(w->bio.bi_status));
	}
	ccdm_write_finish(w, ok, true);
}

static void ccdm_write_end_io(struct bio *bio)
{
	struct ccdm_node_write *w = bio->bi_private;

	ccdm_submitter_back(&w->c->submitter, 0);
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

/*
 * Of the oldest nodes of a list of dirty ones that may be written now: the next one by place
 * from @hand on; the first of all where there is none.
 */
static struct ccdm_node *ccdm_write_search(struct ccdm_cache *k, struct list_head *list,
					   u64 hand, bool sync)
{
	struct ccdm_node *node, *next = NULL, *lowest = NULL;
	unsigned int looked = 0, window = 0;

	list_for_each_entry(node, list, dirty_link) {
		/*
		 * coverage: bounds the time under the lock: bench, row tenth, has that many
		 * nodes
		 */
		if (++looked > CCDM_PICK_MAX || window == CCDM_PICK_WINDOW ||
		    (sync && node->dirty_gen > k->sync_gen))
			break;
		if (!ccdm_write_glance(node, sync))
			continue;
		window++;
		if (node->index >= hand && (!next || node->index < next->index))
			next = node;
		if (!lowest || node->index < lowest->index)
			lowest = node;
	}
	node = next ?: lowest;
	if (node)
		ccdm_write_take(k, node);
	return node;
}

/*
 * The first node with a failed write that is due for a retry, or that a sync needs.
 * A skipped node goes to the end, so that it hides no other node for ever.
 */
static struct ccdm_node *ccdm_write_search_failed(struct ccdm_cache *k, struct list_head *list,
						  bool sync)
{
	struct ccdm_node *node, *tmp, *last = NULL;
	unsigned int looked = 0;

	list_for_each_entry_safe(node, tmp, list, dirty_link) {
		if (node == last || ++looked > CCDM_PICK_MAX)
			break;
		if ((sync ? node->dirty_gen <= k->sync_gen :
			    !time_before(jiffies, node->retry_at)) &&
		    ccdm_write_glance(node, true)) {
			ccdm_write_take(k, node);
			return node;
		}
		last = last ?: node;
		list_move_tail(&node->dirty_link, list);
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
	struct ccdm_node *node = NULL;
	unsigned int level, end;
	unsigned long flags;
	bool sync;

	spin_lock_irqsave(&k->lock, flags);
	sync = k->sync_level >= 0;
	level = sync ? k->sync_level : 0;
	end = sync ? level + 1 : c->g.levels;
	*force = true;
	for (; level < end && !node; level++)
		node = ccdm_write_search_failed(k, &k->failed[level], sync);
	if (node)
		goto out;
	*force = sync;

	if (k->nr_dirty >= k->limit / 4 * 3)
		k->lowering = true;
	else if (k->nr_dirty <= k->limit / 8 * 5)
		k->lowering = false;

	if (sync) {
		level = k->sync_level;
		node = ccdm_write_search(k, &k->dirty[level], k->hand[level], true);
	} else if (k->lowering || atomic_read(&k->room_waiters) || k->nr > k->limit) {
		/* Another level's turn each time. */
		for (end = 0; end < c->g.levels && !node; end++) {
			level = k->turn++ % c->g.levels;
			node = ccdm_write_search(k, &k->dirty[level], k->hand[level], false);
		}
	}
	if (node)
		k->hand[node->level] = node->index + 1;
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
	/* coverage: 50-trouble has a neighbour that failed before */
	take = !list_empty(&node->dirty_link) && !node->alone && !node->unwritable &&
	       ccdm_write_glance(node, force);
	if (take)
		ccdm_write_take(k, node);
	spin_unlock_irqrestore(&k->lock, flags);
	ccdm_node_unpin(c, node);
	return take ? node : NULL;
}

/*
 * Put a node that is not written after all back on its dirty list. Never called for a node that
 * failed before: such a node is written even with cached children.
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

/* Copy and seal the node of @w. Return: false if it stays behind. */
static bool ccdm_write_seal(struct ccdm *c, struct ccdm_node_write *w, bool force, int *error)
{
	struct ccdm_node *node = w->node;
	struct ccdm_place place = {
		.domain = CCDM_DOMAIN_NODE(node->level),
		.index = node->index,
	};
	struct ccdm_creq *creq;
	unsigned int tries = 0;
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

	creq = ccdm_creq_get(&c->creqs, GFP_NOIO);
	do {
		place.seq = ccdm_take_seq(c, 1);
		w->seq = place.seq;
		/* The crypto API failed, not the device: retry, as writes do. */
		*error = place.seq ? ccdm_seal(&c->node, creq, &place, c->cache.scratch, 0,
					       w->page, w->tag) :
				     -EIO;
	} while (*error && place.seq && ++tries < 3);
	ccdm_creq_put(&c->creqs, creq);
	trace_ccdm_writeback(ccdm_name(c), node->level, node->index);
	return true;
}

static struct ccdm_node_write *ccdm_write_get(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node_write *w;
	unsigned long flags;

	spin_lock_irqsave(&k->lock, flags);
	w = list_first_entry_or_null(&k->free_writes, struct ccdm_node_write, list);
	if (w) {
		list_del_init(&w->list);
		k->nr_free_writes--;
	}
	spin_unlock_irqrestore(&k->lock, flags);
	if (w) {
		INIT_LIST_HEAD(&w->nodes);
		list_add(&w->list, &w->nodes);
		w->nr = 1;
	}
	return w;
}

/*
 * @w holds the first node of a bio, sealed. Neighbours that should be written go along, on
 * the side of the device's end and then on the other one. Return: the first by place.
 */
static struct ccdm_node_write *ccdm_write_extend(struct ccdm *c, struct ccdm_node_write *w,
						 bool force, int *error)
{
	struct ccdm_node_write *first = w, *last = w, *n;
	bool up = true, down = true;
	LIST_HEAD(nodes);
	struct ccdm_node *node;
	unsigned int nr = 1;

	list_del(&w->list);
	list_add(&w->list, &nodes);
	/* coverage: no schedule of the program has so many dirty neighbours */
	while ((up || down) && nr < CCDM_WRITE_NODES && !*error) {
		u64 index = up ? last->node->index + 1 : first->node->index - 1;

		/* Below 0 it is no index either. */
		node = ccdm_write_neighbour(c, w->node->level, index, force);
		n = node ? ccdm_write_get(c) : NULL;
		if (node && !n)
			ccdm_write_untake(c, node);
		if (n) {
			list_del_init(&n->list);
			n->node = node;
			if (!ccdm_write_seal(c, n, force, error)) {
				list_add(&n->list, &n->nodes);
				ccdm_write_put(c, n, false);
				n = NULL;
			}
		}
		if (!n && up)
			up = false;
		else if (!n)
			down = false;
		else if (up)
			last = n;
		else
			first = n;
		if (n) {
			if (up)
				list_add_tail(&n->list, &nodes);
			else
				list_add(&n->list, &nodes);
			nr++;
		}
	}
	INIT_LIST_HEAD(&first->nodes);
	list_splice_init(&nodes, &first->nodes);
	first->nr = nr;
	return first;
}

static void ccdm_write_send(struct ccdm_send *send)
{
	struct ccdm_node_write *w = container_of(send, struct ccdm_node_write, send);

	if (!ccdm_active(w->c)) {
		bio_uninit(&w->bio);
		ccdm_write_finish(w, false, false);
		return;
	}
	ccdm_submitter_sent(&w->c->submitter, 0);
	submit_bio_noacct(&w->bio);
}

static void ccdm_write_submit(struct ccdm *c, struct ccdm_node_write *w)
{
	struct ccdm_node_write *n;

	/*
	 * Synchronous: I/Os wait for the room. As the page cache's write-back it would be held
	 * back while the device is slow (wbt), and all that the submitter sends with it.
	 */
	bio_init(&w->bio, c->dev->bdev, w->vec, CCDM_WRITE_NODES,
		 REQ_OP_WRITE | REQ_META | REQ_SYNC | REQ_IDLE);
	w->bio.bi_iter.bi_sector = (c->g.first[w->node->level] + w->node->index) *
				   CCDM_BLOCK_SECTORS;
	w->bio.bi_end_io = ccdm_write_end_io;
	w->bio.bi_private = w;
	list_for_each_entry(n, &w->nodes, list)
		__bio_add_page(&w->bio, n->page, CCDM_BLOCK_SIZE, 0);
	w->send.send = ccdm_write_send;
	ccdm_waiter_set(&w->send.waiter, &w->bio, 0);
	ccdm_submit(&c->submitter, &w->send, false);
}

static void ccdm_writer(struct work_struct *work)
{
	struct ccdm_cache *k = container_of(work, struct ccdm_cache, writer);
	struct ccdm *c = container_of(k, struct ccdm, cache);
	struct ccdm_node_write *w;
	bool force, alone;
	int error;

	while (!READ_ONCE(k->stopped) && ccdm_active(c) && (w = ccdm_write_get(c))) {
		w->node = ccdm_write_pick(c, &force);
		if (!w->node) {
			ccdm_write_put(c, w, false);
			break;
		}
		/* coverage: 50-trouble has a device that fails */
		alone = w->node->alone || w->node->unwritable;
		error = 0;
		if (!ccdm_write_seal(c, w, force, &error)) {
			ccdm_write_put(c, w, false);
			continue;
		}
		if (!error && !alone)
			w = ccdm_write_extend(c, w, force, &error);
		if (error || !ccdm_active(c))
			ccdm_write_finish(w, false, false);
		else
			ccdm_write_submit(c, w);
		cond_resched();
	}
}

/* Always retry failed nodes, because they block others. */
static void ccdm_write_retry(struct work_struct *work)
{
	struct ccdm_cache *k = container_of(to_delayed_work(work), struct ccdm_cache, retry);
	struct ccdm *c = container_of(k, struct ccdm, cache);
	unsigned int level = 0;

	while (level < c->g.levels && list_empty_careful(&k->failed[level]))
		level++;
	if (READ_ONCE(k->stopped) || level == c->g.levels)
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
	bool idle;

	spin_lock_irq(&k->lock);
	idle = k->nr_free_writes == k->nr_writes;
	spin_unlock_irq(&k->lock);
	return idle;
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
	cancel_delayed_work_sync(&k->room_retry);
	ccdm_load_drain(c);
}

size_t ccdm_writeback_cost(unsigned int nr)
{
	return nr * (sizeof(struct ccdm_node_write) + PAGE_SIZE) + PAGE_SIZE;
}

int ccdm_writeback_init(struct ccdm *c, unsigned int nr)
{
	struct ccdm_cache *k = &c->cache;
	unsigned int i;

	k->stopped = true;
	INIT_WORK(&k->writer, ccdm_writer);
	INIT_DELAYED_WORK(&k->retry, ccdm_write_retry);
	k->scratch = alloc_page(GFP_KERNEL | __GFP_ZERO);
	k->writes = kvcalloc(nr, sizeof(*k->writes), GFP_KERNEL);
	if (!k->scratch || !k->writes)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		struct ccdm_node_write *w = &k->writes[i];

		w->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!w->page)
			return -ENOMEM;
		w->c = c;
		INIT_WORK(&w->work, ccdm_write_work);
		list_add_tail(&w->list, &k->free_writes);
		k->nr_writes++;
		k->nr_free_writes++;
	}
	return 0;
}

void ccdm_writeback_exit(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;

	while (k->nr_writes)
		__free_page(k->writes[--k->nr_writes].page);
	kvfree(k->writes);
	if (k->scratch)
		__free_page(k->scratch);
}
