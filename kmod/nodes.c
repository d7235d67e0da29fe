// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * nodes.c - memory of nodes: how many there are, who may leave, who waits
 *
 *	evict	under the bucket lock LEAVING, which needs no pins; clear the bit
 *		under the parent's lock; out of the hash; unpin the parent
 *
 * A walk that cannot have the node it lacks gives up everything and stands in
 * line. The first in line owns a reserve of one path, so it always gets on. One
 * work item serves the line. (Why: Documentation/explanation/concurrency.rst)
 *
 * The CLOCK ring holds clean nodes only. A node leaves it when it becomes dirty,
 * and comes back when it is written: so a cache full of dirty nodes costs no search.
 */
#include <linux/slab.h>
#include "ccdm.h"

static struct kmem_cache *ccdm_node_cache;

int ccdm_nodes_module_init(void)
{
	ccdm_node_cache = KMEM_CACHE(ccdm_node, 0);
	return ccdm_node_cache ? 0 : -ENOMEM;
}

void ccdm_nodes_module_exit(void)
{
	kmem_cache_destroy(ccdm_node_cache);
}

/* ---- memory of nodes ----------------------------------------------------- */

#define CCDM_FLOOR_MIN	128u
#define CCDM_FLOOR_MAX	1024u

void ccdm_node_destroy(struct ccdm_node *node)
{
	free_page((unsigned long)node->entry);
	kmem_cache_free(ccdm_node_cache, node);
}

static struct ccdm_node *ccdm_node_create(gfp_t gfp)
{
	struct ccdm_node *node = kmem_cache_zalloc(ccdm_node_cache, gfp);

	if (!node)
		return NULL;
	node->entry = (void *)__get_free_page(gfp);
	if (!node->entry) {
		kmem_cache_free(ccdm_node_cache, node);
		return NULL;
	}
	return node;
}

/* A node that nobody can find any more: to the reserve, or back to the system. */
void ccdm_nodes_put(struct ccdm *c, struct ccdm_node *node)
{
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;
	bool keep = true;

	spin_lock_irqsave(&k->lock, flags);
	if (k->nr_reserve < c->g.levels) {
		list_add(&node->clock, &k->reserve);
		k->nr_reserve++;
	} else if (k->nr <= k->floor) {
		list_add(&node->clock, &k->spare);
	} else {
		k->nr--;
		keep = false;
	}
	spin_unlock_irqrestore(&k->lock, flags);
	if (!keep)
		ccdm_node_destroy(node);
	ccdm_nodes_wake(c);
}

void ccdm_node_setup(struct ccdm_node *node, unsigned int level, u64 index)
{
	struct ccdm_entry *entry = node->entry;

	memset(node, 0, sizeof(*node));
	node->entry = entry;
	node->level = level;
	node->index = index;
	node->state = CCDM_NODE_LOADING;
	atomic_set(&node->pins, 1);
	spin_lock_init(&node->lock);
	INIT_LIST_HEAD(&node->clock);
	INIT_LIST_HEAD(&node->dirty_link);
	INIT_LIST_HEAD(&node->line);
	INIT_LIST_HEAD(&node->walks);
}

/* ---- pins ---------------------------------------------------------------- */

void ccdm_node_pin(struct ccdm_node *node)
{
	atomic_inc(&node->pins);
}

void ccdm_nodes_wake(struct ccdm *c)
{
	/* Pairs with the counting of the waiter, which then looks for room itself. */
	if (!atomic_read(&c->cache.room_waiters))
		return;
	atomic_inc(&c->cache.room_seq);
	queue_work(c->done, &c->cache.room);
}

void ccdm_node_unpin(struct ccdm *c, struct ccdm_node *node)
{
	/*
	 * Final: a walk that pins a LOADING node waits for its end, and a usable node
	 * does not go while it is pinned.
	 */
	bool gone = READ_ONCE(node->state) == CCDM_NODE_GONE;

	/* Fully ordered: the waiter is counted before it looks for room. */
	if (!atomic_dec_and_test(&node->pins))
		return;
	if (gone)
		ccdm_nodes_put(c, node);
	else
		ccdm_nodes_wake(c);
}

/* ---- evicting ------------------------------------------------------------ */

void ccdm_node_detach(struct ccdm *c, struct ccdm_node *node)
{
	struct ccdm_bucket *b = ccdm_bucket(&c->cache, node->level, node->index);
	struct ccdm_node *parent = node->parent;
	unsigned long flags;

	spin_lock_irqsave(&parent->lock, flags);
	ccdm_mask_clear(&parent->mask, ccdm_node_slot(node));
	spin_unlock_irqrestore(&parent->lock, flags);

	spin_lock_irqsave(&b->lock, flags);
	hlist_del(&node->hash);
	WRITE_ONCE(node->state, CCDM_NODE_GONE);
	spin_unlock_irqrestore(&b->lock, flags);
}

/*
 * @node has been taken off the CLOCK ring by us, so no other evictor has it.
 * Return: true if it has left and is ours alone.
 */
static bool ccdm_node_leave(struct ccdm *c, struct ccdm_node *node)
{
	struct ccdm_bucket *b = ccdm_bucket(&c->cache, node->level, node->index);
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&b->lock, flags);
	ok = ccdm_tree_evictable(READ_ONCE(node->state), atomic_read(&node->pins));
	if (ok) {
		WRITE_ONCE(node->state, CCDM_NODE_LEAVING);
		atomic_inc(&k->nr_leaving);
	}
	spin_unlock_irqrestore(&b->lock, flags);
	if (!ok)
		return false;

	ccdm_node_detach(c, node);
	node->looked_at = false;
	if (atomic_dec_and_test(&k->nr_leaving))
		wake_up_all(&k->leave_wait);
	ccdm_node_unpin(c, node->parent);
	return true;
}

/* One step of the CLOCK hand. @forced: whether it was used lately or not. */
static struct ccdm_node *ccdm_clock_take(struct ccdm *c, unsigned int *steps, bool forced)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node = NULL, *n;
	unsigned long flags;

	spin_lock_irqsave(&k->lock, flags);
	while (*steps && !list_empty(&k->clock)) {
		(*steps)--;
		n = list_first_entry(&k->clock, struct ccdm_node, clock);
		if (!atomic_read(&n->pins) && (forced || !READ_ONCE(n->referenced))) {
			list_del_init(&n->clock);
			k->nr_clock--;
			n->looked_at = true;
			node = n;
			break;
		}
		WRITE_ONCE(n->referenced, false);
		list_move_tail(&n->clock, &k->clock);
		if (!(*steps % 64)) {
			/* let interrupts in; the ring may turn meanwhile */
			spin_unlock_irqrestore(&k->lock, flags);
			spin_lock_irqsave(&k->lock, flags);
		}
	}
	spin_unlock_irqrestore(&k->lock, flags);
	return node;
}

static void ccdm_node_link(struct ccdm *c, struct ccdm_node *node, bool looked)
{
	unsigned long flags;

	spin_lock_irqsave(&c->cache.lock, flags);
	if (looked)
		node->looked_at = false;
	else
		node->off_clock = false;
	/* Dirty nodes are not in the ring: they would only be passed over. */
	/* coverage: rare: two reasons to be off the ring end at once */
	if (!node->looked_at && !node->off_clock && list_empty(&node->clock)) {
		list_add_tail(&node->clock, &c->cache.clock);
		c->cache.nr_clock++;
	}
	spin_unlock_irqrestore(&c->cache.lock, flags);
}

/* An evictor has taken @node off the ring, and leaves it in memory. */
static void ccdm_node_leave_be(struct ccdm *c, struct ccdm_node *node)
{
	ccdm_node_link(c, node, true);
}

void ccdm_node_clean(struct ccdm *c, struct ccdm_node *node)
{
	ccdm_node_link(c, node, false);
}

/* Evict one node that nobody needs. Does not sleep. */
static struct ccdm_node *ccdm_nodes_evict(struct ccdm *c, bool forced)
{
	unsigned int steps = 2 * READ_ONCE(c->cache.nr_clock);
	struct ccdm_node *node;

	while ((node = ccdm_clock_take(c, &steps, forced))) {
		if (ccdm_node_leave(c, node))
			return node;
		ccdm_node_leave_be(c, node);
	}
	return NULL;
}

void ccdm_nodes_drop(struct ccdm *c)
{
	struct ccdm_node *node;

	/* Children leave before their parents can: the parents are pinned. */
	while ((node = ccdm_nodes_evict(c, true))) {
		ccdm_nodes_put(c, node);
		cond_resched();
	}
}

void ccdm_node_forget(struct ccdm *c, struct ccdm_node *node)
{
	unsigned long flags;
	bool mine;

	/* Off the ring while we still pin it: from here nobody else evicts it. */
	spin_lock_irqsave(&c->cache.lock, flags);
	mine = !list_empty(&node->clock);
	if (mine) {
		list_del_init(&node->clock);
		c->cache.nr_clock--;
		node->looked_at = true;
	}
	spin_unlock_irqrestore(&c->cache.lock, flags);
	ccdm_node_unpin(c, node);
	if (!mine)
		return;
	if (ccdm_node_leave(c, node))
		ccdm_nodes_put(c, node);
	else
		ccdm_node_leave_be(c, node);
}

/* ---- the line ------------------------------------------------------------ */

static struct ccdm_node *ccdm_nodes_spare(struct ccdm_cache *k)
{
	struct ccdm_node *node;

	lockdep_assert_held(&k->lock);
	node = list_first_entry_or_null(&k->spare, struct ccdm_node, clock);
	if (node)
		list_del_init(&node->clock);
	return node;
}

static struct ccdm_node *ccdm_nodes_one(struct ccdm *c, gfp_t gfp)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	unsigned long flags;
	bool below;

	spin_lock_irqsave(&k->lock, flags);
	node = ccdm_nodes_spare(k);
	below = !node && k->nr < k->limit;
	if (below)
		k->nr++;
	spin_unlock_irqrestore(&k->lock, flags);
	if (node)
		return node;

	if (below) {
		node = ccdm_node_create(gfp);
		if (node)
			return node;
		spin_lock_irqsave(&k->lock, flags);
		k->nr--;
		spin_unlock_irqrestore(&k->lock, flags);
	}
	return ccdm_nodes_evict(c, false);
}

/*
 * The first in line may also use the reserve; nobody passes the line. It alone has time
 * to wait for memory: the others may be in map().
 */
struct ccdm_node *ccdm_nodes_get(struct ccdm *c, bool first)
{
	/* Not from the emergency reserves, though the caller may be writing to swap. */
	gfp_t gfp = (first ? GFP_NOIO | __GFP_NORETRY : GFP_NOWAIT) | __GFP_NOWARN |
		    __GFP_NOMEMALLOC;
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	unsigned long flags;

	if (!first) {
		if (atomic_read(&k->room_waiters))
			return NULL;
		/* Before anybody else is served, the reserve is filled again. */
		while (READ_ONCE(k->nr_reserve) < c->g.levels) {
			node = ccdm_nodes_one(c, gfp);
			if (!node)
				return NULL;
			ccdm_nodes_put(c, node);
		}
	}
	node = ccdm_nodes_one(c, gfp);
	if (node || !first)
		return node;
	spin_lock_irqsave(&k->lock, flags);
	node = list_first_entry_or_null(&k->reserve, struct ccdm_node, clock);
	if (node) {
		list_del_init(&node->clock);
		k->nr_reserve--;
	}
	spin_unlock_irqrestore(&k->lock, flags);
	return node;
}

int ccdm_nodes_wait(struct ccdm *c, struct ccdm_walk *walk, int seq)
{
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;
	bool look = true;

	if (ccdm_writeback_stuck(c))
		return -EIO;
	spin_lock_irqsave(&k->lock, flags);
	if (walk->first) {
		list_add(&walk->waiter.list, &k->room_line);
		k->room_busy = false;
		look = atomic_read(&k->room_seq) != seq;
	} else {
		list_add_tail(&walk->waiter.list, &k->room_line);
		/* Counted before the line is served: who makes room from now on says so. */
		atomic_inc(&k->room_waiters);
	}
	spin_unlock_irqrestore(&k->lock, flags);
	ccdm_writeback_kick(c);
	if (look)
		queue_work(c->done, &k->room);
	else
		queue_delayed_work(c->done, &k->room_retry, HZ / 10);
	return 0;
}

void ccdm_nodes_done(struct ccdm *c, struct ccdm_walk *walk)
{
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;

	spin_lock_irqsave(&k->lock, flags);
	walk->first = false;
	k->room_busy = false;
	atomic_dec(&k->room_waiters);
	spin_unlock_irqrestore(&k->lock, flags);
	queue_work(c->done, &k->room);
}

/* Serve the line, one walk after the other, until one has to wait. */
static void ccdm_nodes_serve(struct work_struct *work)
{
	struct ccdm_cache *k = container_of(work, struct ccdm_cache, room);
	struct ccdm *c = container_of(k, struct ccdm, cache);
	struct ccdm_node *node;
	struct ccdm_walk *walk;

	do {
		walk = NULL;
		spin_lock_irq(&k->lock);
		if (!k->room_busy)
			walk = list_first_entry_or_null(&k->room_line, struct ccdm_walk,
							waiter.list);
		if (walk) {
			list_del_init(&walk->waiter.list);
			walk->first = true;
			k->room_busy = true;
		}
		spin_unlock_irq(&k->lock);
		if (!walk)
			return;
		node = ccdm_walk_on(c, walk, false);
		if (node)
			ccdm_walk_end(c, walk, node);
		cond_resched();
	} while (node);
}

static void ccdm_nodes_retry(struct work_struct *work)
{
	struct ccdm_cache *k = container_of(to_delayed_work(work), struct ccdm_cache, room_retry);
	struct ccdm *c = container_of(k, struct ccdm, cache);

	queue_work(c->done, &k->room);
}

/* ---- limits ---------------------------------------------------------------- */

static unsigned long ccdm_shrink_count(struct shrinker *s, struct shrink_control *sc)
{
	struct ccdm *c = ccdm_shrinker_private(s);
	unsigned int nr = READ_ONCE(c->cache.nr);
	unsigned int kept = max(READ_ONCE(c->cache.nr_dirty), READ_ONCE(c->cache.floor));

	return nr > kept ? nr - kept : SHRINK_EMPTY;
}

static unsigned long ccdm_shrink_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct ccdm *c = ccdm_shrinker_private(s);
	unsigned long freed = 0;
	struct ccdm_node *node;

	while (freed < sc->nr_to_scan && READ_ONCE(c->cache.nr) > READ_ONCE(c->cache.floor) &&
	       (node = ccdm_nodes_evict(c, false))) {
		ccdm_nodes_put(c, node);
		freed++;
	}
	return freed ?: SHRINK_STOP;
}

unsigned int ccdm_nodes_fit(struct ccdm *c, unsigned int mib)
{
	size_t all = (size_t)mib << 20, fixed = (size_t)c->cache.fixed_kib << 10;
	size_t n;

	/* coverage: 10-life has a cache that does not hold its fixed parts */
	if (all <= fixed)
		return 0;
	n = (all - fixed) / CCDM_NODE_COST;
	/* Two paths and something to work with. */
	/* coverage: a guard: no test has a cache that holds hardly more than its fixed parts */
	return n < 4 * CCDM_MAX_LEVELS ? 0 : min_t(size_t, n, UINT_MAX / 2);
}

unsigned int ccdm_nodes_kib(struct ccdm *c)
{
	return c->cache.fixed_kib + ((size_t)READ_ONCE(c->cache.nr) * CCDM_NODE_COST >> 10);
}

void ccdm_nodes_trim(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	unsigned long flags;

	while (READ_ONCE(k->nr) > READ_ONCE(k->limit)) {
		spin_lock_irqsave(&k->lock, flags);
		node = ccdm_nodes_spare(k);
		spin_unlock_irqrestore(&k->lock, flags);
		if (!node)
			node = ccdm_nodes_evict(c, false);
		if (!node)
			break;
		ccdm_nodes_put(c, node);
	}
}

void ccdm_nodes_resize(struct ccdm *c, unsigned int nodes)
{
	struct ccdm_cache *k = &c->cache;

	spin_lock_irq(&k->lock);
	k->limit = nodes;
	k->floor = min(k->floor, nodes);
	spin_unlock_irq(&k->lock);
	ccdm_nodes_trim(c);
	/* What is dirty is written, and goes then. */
	ccdm_writeback_kick(c);
	ccdm_nodes_wake(c);
}

/*
 * When memory is short none can be had, least of all by who writes to swap:
 * enough to work with is there from the beginning.
 */
int ccdm_nodes_init(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	unsigned int i;

	INIT_WORK(&k->room, ccdm_nodes_serve);
	INIT_DELAYED_WORK(&k->room_retry, ccdm_nodes_retry);
	k->floor = min(clamp(k->limit / 8, CCDM_FLOOR_MIN, CCDM_FLOOR_MAX), k->limit);
	for (i = 0; i < k->floor; i++) {
		node = ccdm_node_create(GFP_KERNEL);
		if (!node)
			return -ENOMEM;
		k->nr++;
		ccdm_nodes_put(c, node);
	}
	k->shrinker = ccdm_shrinker_new(ccdm_shrink_count, ccdm_shrink_scan, c, ccdm_name(c));
	return k->shrinker ? 0 : -ENOMEM;
}

/* Nodes that can be found are the caller's to destroy. */
void ccdm_nodes_exit(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;

	ccdm_shrinker_free(k->shrinker);
	list_splice_init(&k->reserve, &k->spare);
	while ((node = list_first_entry_or_null(&k->spare, struct ccdm_node, clock))) {
		list_del(&node->clock);
		ccdm_node_destroy(node);
	}
}
