// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * cache.c - nodes in memory: look-up and walks
 *
 * A node in the hash that is not LOADING is trusted. It was initialised under a
 * reserved entry, or read and verified against its parent's entry; a cached
 * child pins its parent, so the way up is always in memory, up to the root,
 * which is only there.
 *
 * Order of steps (why: Documentation/explanation/concurrency.rst):
 *
 *	load	into the hash as LOADING; under the parent's lock copy the entry
 *		and set the child's bit; read and verify (load.c); CLEAN
 *	evict	nodes.c
 *
 * While a child's bit is set, only the child's write-back changes its entry.
 *
 * A walk takes one step after the other, and never blocks a thread: it waits in a list,
 * at a node that is LOADING, for memory for a load, or for room. The end of its wait
 * puts it on the list "again", which a worker serves, or ends it.
 */
#include <linux/completion.h>
#include <linux/slab.h>
#include "ccdm.h"
#include "trace.h"

#ifndef CCDM_LOADS_MAX			/* (a test that uses all of them has fewer) */
#define CCDM_LOADS_MIN		16u
#define CCDM_LOADS_MAX		1024u
#define CCDM_WRITES_MIN		16u
#define CCDM_WRITES_MAX		256u
#endif

/* ---- finding ------------------------------------------------------------- */

static struct ccdm_node *ccdm_bucket_find(struct ccdm_bucket *b, unsigned int level, u64 index)
{
	struct ccdm_node *node;

	hlist_for_each_entry(node, &b->head, hash)
		/* coverage: only the size of memory puts nodes of two levels into one bucket */
		if (node->index == index && node->level == level)
			return node;
	return NULL;
}

static bool ccdm_node_usable(const struct ccdm_node *node)
{
	u8 state = smp_load_acquire(&node->state);	/* pairs with ccdm_cache_publish() */

	return state == CCDM_NODE_CLEAN || state == CCDM_NODE_WRITING;
}

struct ccdm_node *ccdm_cache_find(struct ccdm *c, unsigned int level, u64 index)
{
	struct ccdm_bucket *b = ccdm_bucket(&c->cache, level, index);
	struct ccdm_node *node;
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	node = ccdm_bucket_find(b, level, index);
	if (node && ccdm_node_usable(node))
		atomic_inc(&node->pins);
	else
		node = NULL;
	spin_unlock_irqrestore(&b->lock, flags);

	if (node && !READ_ONCE(node->referenced))
		WRITE_ONCE(node->referenced, true);
	return node;
}

/*
 * Find or, with @fresh, insert; what is found is pinned. -EAGAIN: it is leaving.
 */
static struct ccdm_node *ccdm_cache_lookup(struct ccdm *c, unsigned int level, u64 index,
					   struct ccdm_node *fresh)
{
	struct ccdm_bucket *b = ccdm_bucket(&c->cache, level, index);
	struct ccdm_node *node;
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	node = ccdm_bucket_find(b, level, index);
	if (node && READ_ONCE(node->state) == CCDM_NODE_LEAVING) {
		node = ERR_PTR(-EAGAIN);
	} else if (node) {
		atomic_inc(&node->pins);
		WRITE_ONCE(node->referenced, true);
	} else if (fresh) {
		hlist_add_head(&fresh->hash, &b->head);
		node = fresh;
	}
	spin_unlock_irqrestore(&b->lock, flags);
	return node;
}

/*
 * Insert @fresh unless the node is in the hash, in any state. Does not pin the existing node:
 * only a walk that waits for its end may pin a LOADING node.
 */
static bool ccdm_cache_insert(struct ccdm *c, struct ccdm_node *fresh)
{
	struct ccdm_bucket *b = ccdm_bucket(&c->cache, fresh->level, fresh->index);
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&b->lock, flags);
	ok = !ccdm_bucket_find(b, fresh->level, fresh->index);
	if (ok)
		hlist_add_head(&fresh->hash, &b->head);
	spin_unlock_irqrestore(&b->lock, flags);
	return ok;
}

/* ---- the end of LOADING --------------------------------------------------- */

/* Let @walk wait for the end of LOADING. Return: false if LOADING has ended. Holds a pin. */
static bool ccdm_node_wait(struct ccdm_node *node, struct ccdm_walk *walk)
{
	unsigned long flags;
	bool waits;

	spin_lock_irqsave(&node->lock, flags);
	waits = READ_ONCE(node->state) == CCDM_NODE_LOADING;
	if (waits)
		list_add_tail(&walk->waiter.list, &node->walks);
	spin_unlock_irqrestore(&node->lock, flags);
	return waits;
}

/* Continue the walks that waited at @node, one by one; each holds a pin of it. */
static void ccdm_node_loaded(struct ccdm *c, struct ccdm_node *node, struct list_head *walks,
			     int error)
{
	struct ccdm_walk *walk, *tmp;

	list_for_each_entry_safe(walk, tmp, walks, waiter.list) {
		list_del_init(&walk->waiter.list);
		if (error) {
			ccdm_node_unpin(c, node);
			if (error == -EAGAIN)
				ccdm_walk_again(c, walk);
			else
				ccdm_walk_end(c, walk, ERR_PTR(error));
		} else if (node->level == walk->level) {
			ccdm_walk_end(c, walk, node);
		} else {
			walk->node = node;
			ccdm_walk_again(c, walk);
		}
	}
}

void ccdm_cache_publish(struct ccdm *c, struct ccdm_node *node)
{
	LIST_HEAD(walks);
	unsigned long flags;

	node->referenced = true;
	ccdm_node_clean(c, node);
	spin_lock_irqsave(&node->lock, flags);
	/* Code that sees the state also sees the entries. */
	smp_store_release(&node->state, CCDM_NODE_CLEAN);
	list_splice_init(&node->walks, &walks);
	spin_unlock_irqrestore(&node->lock, flags);
	ccdm_node_loaded(c, node, &walks, 0);
}

void ccdm_cache_abandon(struct ccdm *c, struct ccdm_node *node, int error)
{
	struct ccdm_node *parent = node->parent;
	LIST_HEAD(walks);
	unsigned long flags;

	ccdm_node_detach(c, node);
	spin_lock_irqsave(&node->lock, flags);
	list_splice_init(&node->walks, &walks);
	spin_unlock_irqrestore(&node->lock, flags);
	ccdm_node_loaded(c, node, &walks, error ?: -EAGAIN);
	ccdm_node_unpin(c, parent);
	ccdm_node_unpin(c, node);
}

/* ---- walking ------------------------------------------------------------- */

void ccdm_walk_again(struct ccdm *c, struct ccdm_walk *walk)
{
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;

	spin_lock_irqsave(&k->load_lock, flags);
	list_add_tail(&walk->waiter.list, &k->again);
	spin_unlock_irqrestore(&k->load_lock, flags);
	queue_work(c->done, &k->walker);
}

void ccdm_walk_end(struct ccdm *c, struct ccdm_walk *walk, struct ccdm_node *node)
{
	if (walk->first)
		ccdm_nodes_done(c, walk);
	walk->node = node;
	walk->done(walk);
}

static void ccdm_walker(struct work_struct *work)
{
	struct ccdm_cache *k = container_of(work, struct ccdm_cache, walker);
	struct ccdm *c = container_of(k, struct ccdm, cache);
	struct ccdm_walk *walk;
	struct ccdm_node *node;

	for (;;) {
		spin_lock_irq(&k->load_lock);
		walk = list_first_entry_or_null(&k->again, struct ccdm_walk, waiter.list);
		if (walk)
			list_del_init(&walk->waiter.list);
		spin_unlock_irq(&k->load_lock);
		if (!walk)
			return;
		node = ccdm_walk_on(c, walk, false);
		if (node)
			ccdm_walk_end(c, walk, node);
		cond_resched();
	}
}

/* The deepest node in memory on the way, pinned; perhaps LOADING. -EAGAIN: one is leaving. */
static struct ccdm_node *ccdm_cache_deepest(struct ccdm *c, unsigned int level, u64 index)
{
	struct ccdm_node *node;

	for (; level < c->g.levels; level++, index >>= CCDM_NODE_SHIFT) {
		node = ccdm_cache_lookup(c, level, index, NULL);
		if (node)
			return node;
	}
	ccdm_node_pin(&c->cache.root);
	return &c->cache.root;
}

/* True if the entry now says that the child of @node in @slot is on the device. */
static bool ccdm_cache_sealed(struct ccdm_node *node, unsigned int slot)
{
	unsigned long flags;
	bool sealed;

	spin_lock_irqsave(&node->lock, flags);
	sealed = ccdm_tree_kind(&node->entry[slot]) == CCDM_KIND_SEALED;
	spin_unlock_irqrestore(&node->lock, flags);
	return sealed;
}

/*
 * @node has just been inserted; @parent's pin becomes the node's. Copies the parent's entry,
 * which nobody changes from now on but this child's write-back.
 */
static void ccdm_cache_adopt(struct ccdm_node *node, struct ccdm_node *parent,
			     struct ccdm_entry *e)
{
	unsigned int slot = ccdm_node_slot(node);
	unsigned long flags;

	node->parent = parent;
	spin_lock_irqsave(&parent->lock, flags);
	*e = parent->entry[slot];
	ccdm_mask_set(&parent->mask, slot);
	spin_unlock_irqrestore(&parent->lock, flags);
}

static void ccdm_walk_unload(struct ccdm *c, struct ccdm_walk *walk)
{
	if (walk->load)
		ccdm_load_put(c, walk->load);
	walk->load = NULL;
}

/* The load owns @fresh, which is LOADING: let @walk wait for it, then send the load. */
static void ccdm_walk_load(struct ccdm *c, struct ccdm_walk *walk, struct ccdm_node *fresh,
			   const struct ccdm_entry *e, bool direct)
{
	struct ccdm_load *load = walk->load;

	ccdm_load_set(load, fresh, e, walk);
	walk->load = NULL;
	walk->at_leaf = fresh->level == walk->level;
	/* It has all that it needs: the next in line has its turn. */
	if (walk->first && walk->at_leaf)
		ccdm_nodes_done(c, walk);
	ccdm_node_pin(fresh);
	/* @walk will wait: only the load ends LOADING. After this @walk is no longer ours. */
	if (WARN_ON_ONCE(!ccdm_node_wait(fresh, walk)))
		return;
	ccdm_load_start(load, direct);
}

/*
 * From @node, which is usable, one level down; its pin is used up. Return:
 *	the child, pinned; perhaps LOADING, and with @mine for us to end that
 *	NULL: look again
 *	ERR_PTR(-EAGAIN): it is leaving
 *	ERR_PTR(-EINPROGRESS): @walk waits, and is not ours any more
 *	ERR_PTR(-EIO): there will be no room
 */
static struct ccdm_node *ccdm_walk_down(struct ccdm *c, struct ccdm_walk *walk,
					struct ccdm_node *node, bool direct, bool *mine)
{
	unsigned int l = node->level - 1;
	u64 index = walk->index >> (CCDM_NODE_SHIFT * (l - walk->level));
	bool cover = walk->how == CCDM_GET_COVER && l == walk->level;
	struct ccdm_node *fresh, *child;
	struct ccdm_load *load;
	struct ccdm_entry e;
	int seq;

	/* A waiter in a line must hold nothing. */
	if (!walk->load && !cover && ccdm_cache_sealed(node, index % CCDM_NODE_ENTRIES)) {
		load = ccdm_load_get(c, NULL, walk->waiter.group);
		if (!load) {
			ccdm_node_unpin(c, node);
			load = ccdm_load_get(c, walk, walk->waiter.group);
			if (!load)
				return ERR_PTR(-EINPROGRESS);
			walk->load = load;
			return NULL;
		}
		walk->load = load;
	}
	seq = atomic_read(&c->cache.room_seq);
	fresh = ccdm_nodes_get(c, walk->first);
	if (!fresh) {
		/* No news for the line: the first would wake itself, again and again. */
		atomic_dec(&node->pins);
		ccdm_walk_unload(c, walk);
		return ERR_PTR(ccdm_nodes_wait(c, walk, seq) ?: -EINPROGRESS);
	}

	ccdm_node_setup(fresh, l, index);
	child = ccdm_cache_lookup(c, l, index, fresh);
	if (child != fresh) {
		ccdm_nodes_put(c, fresh);
		ccdm_node_unpin(c, node);
		return child;
	}
	trace_ccdm_load(ccdm_name(c), l, index);
	ccdm_cache_adopt(fresh, node, &e);
	*mine = cover;
	if (cover)
		return fresh;
	if (ccdm_tree_init_child(&e, fresh->entry)) {
		ccdm_cache_publish(c, fresh);
		return fresh;
	}
	if (!walk->load) {
		/* It was written, and has left memory, since we looked. */
		ccdm_cache_abandon(c, fresh, 0);
		return NULL;
	}
	ccdm_walk_load(c, walk, fresh, &e, direct);
	return ERR_PTR(-EINPROGRESS);
}

/* A node on the way is leaving. In a worker: wait, it is a few steps that do not sleep. */
static bool ccdm_walk_leaving(struct ccdm *c, struct ccdm_walk *walk, bool direct)
{
	if (direct) {
		ccdm_walk_unload(c, walk);
		ccdm_walk_again(c, walk);
		return false;
	}
	wait_event_timeout(c->cache.leave_wait, !atomic_read(&c->cache.nr_leaving), 1);
	return true;
}

struct ccdm_node *ccdm_walk_on(struct ccdm *c, struct ccdm_walk *walk, bool direct)
{
	struct ccdm_node *node = walk->node;
	bool mine = false;

	walk->node = NULL;
	for (;;) {
		if (!ccdm_active(c)) {
			if (!IS_ERR_OR_NULL(node))
				ccdm_node_unpin(c, node);
			node = ERR_PTR(-EIO);
			break;
		}
		if (!node)
			node = ccdm_cache_deepest(c, walk->level, walk->index);
		if (node == ERR_PTR(-EAGAIN)) {
			if (!ccdm_walk_leaving(c, walk, direct))
				return NULL;
			node = NULL;
			continue;
		}
		if (!ccdm_node_usable(node)) {
			walk->at_leaf = node->level == walk->level;
			/* Another walk loads it. */
			ccdm_walk_unload(c, walk);
			if (ccdm_node_wait(node, walk))
				return NULL;
			if (!ccdm_node_usable(node)) {
				ccdm_node_unpin(c, node);
				node = NULL;
			}
			continue;
		}
		if (node->level == walk->level)
			break;
		node = ccdm_walk_down(c, walk, node, direct, &mine);
		if (node == ERR_PTR(-EINPROGRESS))
			return NULL;
		if (mine || node == ERR_PTR(-EIO))
			break;
	}
	ccdm_walk_unload(c, walk);
	return node;
}

struct ccdm_node *ccdm_cache_walk(struct ccdm *c, struct ccdm_walk *walk, bool direct)
{
	walk->first = false;
	walk->at_leaf = false;
	walk->node = NULL;
	walk->load = NULL;
	return ccdm_walk_on(c, walk, direct);
}

/* struct ccdm_get_wait - a walk whose owner sleeps until it has ended */
struct ccdm_get_wait {
	struct ccdm_walk walk;
	struct completion done;
};

static void ccdm_get_done(struct ccdm_walk *walk)
{
	complete(&container_of(walk, struct ccdm_get_wait, walk)->done);
}

struct ccdm_node *ccdm_cache_get(struct ccdm *c, unsigned int level, u64 index,
				 enum ccdm_get how, const struct ccdm_walk *like)
{
	struct ccdm_get_wait w = {
		.walk = {
			.index = index,
			.level = level,
			.how = how,
			.done = ccdm_get_done,
		},
	};
	struct ccdm_node *node;

	if (like) {
		w.walk.waiter.group = like->waiter.group;
		w.walk.ioprio = like->ioprio;
		w.walk.opf = like->opf;
	}
	init_completion(&w.done);
	node = ccdm_cache_walk(c, &w.walk, true);
	if (node)
		return node;
	wait_for_completion(&w.done);
	return w.walk.node;
}

void ccdm_cache_prefetch(struct ccdm *c, u64 index, const struct ccdm_walk *like, bool direct)
{
	struct ccdm_node *parent, *fresh = NULL;
	struct ccdm_load *load;
	struct ccdm_entry e;

	if (index >= c->g.nodes[0])
		return;
	/* coverage: a mapping of one leaf loads nothing ahead */
	if (c->g.levels > 1) {
		parent = ccdm_cache_find(c, 1, index >> CCDM_NODE_SHIFT);
	} else {
		parent = &c->cache.root;
		ccdm_node_pin(parent);
	}
	if (!parent)
		return;
	load = ccdm_cache_sealed(parent, index % CCDM_NODE_ENTRIES) ?
	       ccdm_load_get(c, NULL, like->waiter.group) : NULL;
	if (load)
		fresh = ccdm_nodes_get(c, false);
	if (!fresh)
		goto out;
	ccdm_node_setup(fresh, 0, index);
	if (ccdm_cache_insert(c, fresh)) {
		trace_ccdm_load(ccdm_name(c), 0, index);
		ccdm_cache_adopt(fresh, parent, &e);
		/* coverage: rare: the entry is discarded a few instructions after the look at it */
		if (ccdm_tree_kind(&e) == CCDM_KIND_SEALED) {
			ccdm_load_set(load, fresh, &e, like);
			ccdm_load_start(load, direct);
			return;
		}
		ccdm_cache_abandon(c, fresh, 0);
		ccdm_load_put(c, load);
		return;
	}
	ccdm_nodes_put(c, fresh);
out:
	if (load)
		ccdm_load_put(c, load);
	ccdm_node_unpin(c, parent);
}

/* ---- dirty --------------------------------------------------------------- */

bool ccdm_cache_set_dirty(struct ccdm *c, struct ccdm_node *node)
{
	struct ccdm_cache *k = &c->cache;
	bool kick;

	lockdep_assert_held(&node->lock);
	if (node->dirty || node == &k->root)
		return false;
	node->dirty = true;
	/* While it is written it has this pin already. */
	if (node->state != CCDM_NODE_WRITING)
		atomic_inc(&node->pins);
	/*
	 * Put it on its list in the same critical section: code that finds it dirty, and says that
	 * a child is written, relies on a sync to find it on the list.
	 */
	spin_lock(&k->lock);
	node->dirty_gen = k->gen;
	node->off_clock = true;
	if (!list_empty(&node->clock)) {
		list_del_init(&node->clock);
		k->nr_clock--;
	}
	list_add_tail(&node->dirty_link, node->unwritable || node->alone ?
		      &k->failed[node->level] : &k->dirty[node->level]);
	k->nr_dirty++;
	kick = k->nr_dirty >= k->limit / 4 * 3;
	spin_unlock(&k->lock);
	return kick;
}

void ccdm_cache_stopped(struct ccdm *c)
{
	wake_up_all(&c->cache.sync_wait);
	ccdm_nodes_wake(c);
}

/* ---- life ---------------------------------------------------------------- */

int ccdm_cache_init(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	size_t fixed, pages, size;
	unsigned int i, guess;
	int r;

	spin_lock_init(&k->lock);
	spin_lock_init(&k->load_lock);
	mutex_init(&k->sync_lock);
	ccdm_line_init(&k->load_line);
	INIT_LIST_HEAD(&k->room_line);
	INIT_LIST_HEAD(&k->free_loads);
	INIT_LIST_HEAD(&k->again);
	INIT_WORK(&k->walker, ccdm_walker);
	INIT_LIST_HEAD(&k->clock);
	INIT_LIST_HEAD(&k->reserve);
	INIT_LIST_HEAD(&k->spare);
	INIT_LIST_HEAD(&k->free_writes);
	for (i = 0; i < CCDM_MAX_LEVELS; i++) {
		INIT_LIST_HEAD(&k->dirty[i]);
		INIT_LIST_HEAD(&k->failed[i]);
	}
	init_waitqueue_head(&k->leave_wait);
	init_waitqueue_head(&k->load_wait);
	init_waitqueue_head(&k->sync_wait);
	k->sync_level = -1;

	/* The root is the one entry of a parent that is always there. */
	k->root.entry = &k->root_entry;
	ccdm_node_setup(&k->root, c->g.levels, 0);
	k->root.state = CCDM_NODE_CLEAN;

	guess = ((size_t)c->opt.cache_mib << 20) / CCDM_NODE_COST / 2;
	k->hash_bits = max(4, ilog2(roundup_pow_of_two(guess)));
	k->buckets = kvcalloc(1u << k->hash_bits, sizeof(*k->buckets), GFP_KERNEL);
	if (!k->buckets)
		return -ENOMEM;
	for (i = 0; i < 1u << k->hash_bits; i++)
		spin_lock_init(&k->buckets[i].lock);

	/* An eighth of the nodes that there may be. */
	pages = ccdm_pages_cost(c->pages.nr);
	size = (size_t)c->opt.cache_mib << 20;
	/* coverage: 23-many-cpus has a cache that is smaller than its pages */
	guess = (size > pages ? size - pages : 0) / CCDM_NODE_COST / 8;
	r = ccdm_load_init(c, clamp(guess, CCDM_LOADS_MIN, CCDM_LOADS_MAX));
	if (!r)
		r = ccdm_writeback_init(c, clamp(guess / 2, CCDM_WRITES_MIN, CCDM_WRITES_MAX));
	if (r)
		return r;
	fixed = sizeof(*c) + pages + c->fixed_bytes + (sizeof(*k->buckets) << k->hash_bits) +
		ccdm_load_cost(k->nr_loads) + ccdm_writeback_cost(k->nr_writes);
	k->fixed_kib = DIV_ROUND_UP(fixed, 1024);

	k->limit = ccdm_nodes_fit(c, c->opt.cache_mib);
	/* coverage: a guard: 2 MiB hold the fixed parts on any VM of the tests */
	if (!k->limit)
		return -ENOSPC;
	return ccdm_nodes_init(c);
}

/* Call when nothing runs any more. Writes nothing back. */
void ccdm_cache_exit(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	struct hlist_node *tmp;
	unsigned int i;

	/* The first thing that ccdm_cache_init() allocates. */
	if (!k->buckets)
		return;
	ccdm_nodes_exit(c);
	ccdm_writeback_exit(c);
	for (i = 0; i < 1u << k->hash_bits; i++)
		hlist_for_each_entry_safe(node, tmp, &k->buckets[i].head, hash)
			ccdm_node_destroy(node);
	kvfree(k->buckets);
	ccdm_load_exit(c);
}
