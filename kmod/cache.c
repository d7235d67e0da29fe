// SPDX-License-Identifier: GPL-2.0-only
/*
 * cache.c - nodes in memory: finding, loading and evicting them
 *
 * A node that can be found and is not LOADING is trusted. It was born under a
 * reserved entry, or read and verified against its parent's entry; a cached
 * child pins its parent, so the way up is always in memory, up to the root,
 * which is only there.
 *
 * Order of steps (why: Documentation/concurrency.rst):
 *
 *	load	into the hash as LOADING; under the parent's lock copy the entry
 *		and set the child's bit; read and verify; CLEAN
 *	evict	under the bucket lock LEAVING, which needs no pins; clear the bit
 *		under the parent's lock; out of the hash; unpin the parent
 *
 * While a child's bit is set nobody changes its entry but its write-back.
 */
#include <linux/hash.h>
#include <linux/slab.h>
#include "ccdm.h"
#include "trace.h"

static struct kmem_cache *ccdm_node_cache;

int ccdm_cache_module_init(void)
{
	ccdm_node_cache = KMEM_CACHE(ccdm_node, 0);
	return ccdm_node_cache ? 0 : -ENOMEM;
}

void ccdm_cache_module_exit(void)
{
	kmem_cache_destroy(ccdm_node_cache);
}

/* ---- memory of nodes ----------------------------------------------------- */

#define CCDM_NODE_COST	(PAGE_SIZE + sizeof(struct ccdm_node))

#define CCDM_FLOOR_MIN	128u
#define CCDM_FLOOR_MAX	1024u

static void ccdm_node_destroy(struct ccdm_node *node)
{
	if (node->entry)
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
static void ccdm_node_release(struct ccdm *c, struct ccdm_node *node)
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
	ccdm_cache_room_wake(c);
}

static void ccdm_node_setup(struct ccdm_node *node, unsigned int level, u64 index)
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
	init_waitqueue_head(&node->wait);
}

/* ---- finding ------------------------------------------------------------- */

static struct ccdm_bucket *ccdm_bucket(struct ccdm *c, unsigned int level, u64 index)
{
	return &c->cache.buckets[hash_64(index << 3 | level, c->cache.hash_bits)];
}

static struct ccdm_node *ccdm_bucket_find(struct ccdm_bucket *b, unsigned int level, u64 index)
{
	struct ccdm_node *node;

	hlist_for_each_entry(node, &b->head, hash)
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
	struct ccdm_bucket *b = ccdm_bucket(c, level, index);
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
 * Find or, with @fresh, insert; what is found is pinned, in whatever state but
 * LEAVING: then -EAGAIN after it has left.
 */
static struct ccdm_node *ccdm_cache_lookup(struct ccdm *c, unsigned int level, u64 index,
					   struct ccdm_node *fresh)
{
	struct ccdm_bucket *b = ccdm_bucket(c, level, index);
	struct ccdm_node *node;
	unsigned long flags;
	bool leaving;

	spin_lock_irqsave(&b->lock, flags);
	node = ccdm_bucket_find(b, level, index);
	leaving = node && node->state == CCDM_NODE_LEAVING;
	if (node && !leaving) {
		atomic_inc(&node->pins);
		WRITE_ONCE(node->referenced, true);
	} else if (!node && fresh) {
		hlist_add_head(&fresh->hash, &b->head);
		node = fresh;
	}
	spin_unlock_irqrestore(&b->lock, flags);

	if (leaving) {
		/* A few steps that do not sleep; it holds no lock we have. */
		wait_event_timeout(c->cache.leave_wait,
				   !atomic_read(&c->cache.nr_leaving), 1);
		return ERR_PTR(-EAGAIN);
	}
	return node;
}

void ccdm_cache_pin(struct ccdm_node *node)
{
	atomic_inc(&node->pins);
}

void ccdm_cache_room_wake(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;

	if (atomic_read(&k->room_waiters)) {
		atomic_inc(&k->room_seq);
		wake_up(&k->room_wait);
	}
}

void ccdm_cache_unpin(struct ccdm *c, struct ccdm_node *node)
{
	/* Once GONE always GONE, and not GONE while somebody counts on it. */
	bool gone = READ_ONCE(node->state) == CCDM_NODE_GONE;

	/* Fully ordered: the waiter is counted before it looks for room. */
	if (!atomic_dec_and_test(&node->pins))
		return;
	if (gone)
		ccdm_node_release(c, node);
	else
		ccdm_cache_room_wake(c);
}

/* ---- evicting ------------------------------------------------------------ */

static void ccdm_parent_clear_bit(struct ccdm_node *node)
{
	struct ccdm_node *parent = node->parent;
	unsigned long flags;

	spin_lock_irqsave(&parent->lock, flags);
	ccdm_mask_clear(&parent->mask, ccdm_node_slot(node));
	spin_unlock_irqrestore(&parent->lock, flags);
}

static void ccdm_cache_unhash(struct ccdm *c, struct ccdm_node *node, u8 state)
{
	struct ccdm_bucket *b = ccdm_bucket(c, node->level, node->index);
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	hlist_del(&node->hash);
	WRITE_ONCE(node->state, state);
	spin_unlock_irqrestore(&b->lock, flags);
}

/*
 * @node has been taken off the CLOCK ring by us, so no other evictor has it.
 * Return: true if it has left and is ours alone.
 */
static bool ccdm_cache_leave(struct ccdm *c, struct ccdm_node *node)
{
	struct ccdm_bucket *b = ccdm_bucket(c, node->level, node->index);
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&b->lock, flags);
	ok = ccdm_tree_evictable(node->state, atomic_read(&node->pins));
	if (ok) {
		WRITE_ONCE(node->state, CCDM_NODE_LEAVING);
		atomic_inc(&k->nr_leaving);
	}
	spin_unlock_irqrestore(&b->lock, flags);
	if (!ok)
		return false;

	ccdm_parent_clear_bit(node);
	ccdm_cache_unhash(c, node, CCDM_NODE_GONE);
	if (atomic_dec_and_test(&k->nr_leaving))
		wake_up_all(&k->leave_wait);
	ccdm_cache_unpin(c, node->parent);
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

static void ccdm_clock_add(struct ccdm *c, struct ccdm_node *node)
{
	unsigned long flags;

	spin_lock_irqsave(&c->cache.lock, flags);
	list_add_tail(&node->clock, &c->cache.clock);
	spin_unlock_irqrestore(&c->cache.lock, flags);
}

/* Evict one node that nobody needs. Does not sleep. */
static struct ccdm_node *ccdm_cache_evict(struct ccdm *c, bool forced)
{
	unsigned int steps = 2 * READ_ONCE(c->cache.nr);
	struct ccdm_node *node;

	while ((node = ccdm_clock_take(c, &steps, forced))) {
		if (ccdm_cache_leave(c, node))
			return node;
		ccdm_clock_add(c, node);
	}
	return NULL;
}

void ccdm_cache_drop(struct ccdm *c)
{
	struct ccdm_node *node;

	/* Children leave before their parents can: the parents are pinned. */
	while ((node = ccdm_cache_evict(c, true))) {
		ccdm_node_release(c, node);
		cond_resched();
	}
}

void ccdm_cache_forget(struct ccdm *c, struct ccdm_node *node)
{
	unsigned long flags;
	bool mine;

	/* Off the ring while we still pin it: from here nobody else evicts it. */
	spin_lock_irqsave(&c->cache.lock, flags);
	mine = !list_empty(&node->clock);
	if (mine)
		list_del_init(&node->clock);
	spin_unlock_irqrestore(&c->cache.lock, flags);
	ccdm_cache_unpin(c, node);
	if (!mine)
		return;
	if (ccdm_cache_leave(c, node))
		ccdm_node_release(c, node);
	else
		ccdm_clock_add(c, node);
}

/* ---- room ---------------------------------------------------------------- */

static struct ccdm_node *ccdm_room_one(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	unsigned long flags;
	bool below = false;

	spin_lock_irqsave(&k->lock, flags);
	node = list_first_entry_or_null(&k->spare, struct ccdm_node, clock);
	if (node) {
		list_del_init(&node->clock);
	} else {
		below = k->nr < k->limit;
		if (below)
			k->nr++;
	}
	spin_unlock_irqrestore(&k->lock, flags);
	if (node)
		return node;

	if (below) {
		node = ccdm_node_create(GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN);
		if (node)
			return node;
		spin_lock_irqsave(&k->lock, flags);
		k->nr--;
		spin_unlock_irqrestore(&k->lock, flags);
	}
	return ccdm_cache_evict(c, false);
}

static void ccdm_room_return(struct ccdm *c, struct list_head *spare)
{
	struct ccdm_node *node, *tmp;

	list_for_each_entry_safe(node, tmp, spare, clock) {
		list_del_init(&node->clock);
		ccdm_node_release(c, node);
	}
}

/*
 * Get @nr spare nodes, all or none. The first in line may also use the reserve;
 * nobody passes the line.
 */
static bool ccdm_room_take(struct ccdm *c, unsigned int nr, struct list_head *spare, bool first)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	unsigned long flags;

	if (!first) {
		if (atomic_read(&k->room_waiters))
			return false;
		/* Before anybody else is served, the reserve is filled again. */
		while (READ_ONCE(k->nr_reserve) < c->g.levels) {
			node = ccdm_room_one(c);
			if (!node)
				return false;
			ccdm_node_release(c, node);
		}
	}

	while (nr) {
		node = ccdm_room_one(c);
		if (!node && first) {
			spin_lock_irqsave(&k->lock, flags);
			node = list_first_entry_or_null(&k->reserve, struct ccdm_node, clock);
			if (node) {
				list_del_init(&node->clock);
				k->nr_reserve--;
			}
			spin_unlock_irqrestore(&k->lock, flags);
		}
		if (!node) {
			ccdm_room_return(c, spare);
			return false;
		}
		list_add(&node->clock, spare);
		nr--;
	}
	return true;
}

/* Waits in line, then for room. 0: first in line, try again. */
static int ccdm_room_wait(struct ccdm *c, bool *first, int *seq)
{
	struct ccdm_cache *k = &c->cache;

	if (ccdm_writeback_stuck(c))
		return -EIO;
	if (!*first) {
		atomic_inc(&k->room_waiters);
		mutex_lock(&k->room_line);
		*first = true;
	} else {
		ccdm_writeback_kick(c);
		/* The time limit is for memory, whose coming back tells nobody. */
		wait_event_timeout(k->room_wait, atomic_read(&k->room_seq) != *seq, HZ / 10);
	}
	*seq = atomic_read(&k->room_seq);
	return 0;
}

static void ccdm_room_done(struct ccdm *c)
{
	mutex_unlock(&c->cache.room_line);
	atomic_dec(&c->cache.room_waiters);
}

/* ---- loading ------------------------------------------------------------- */

static struct page *ccdm_read_page_get(struct ccdm_cache *k)
{
	struct page *page = NULL;
	unsigned long flags;

	spin_lock_irqsave(&k->read_lock, flags);
	if (k->nr_read_pages)
		page = k->read_page[--k->nr_read_pages];
	spin_unlock_irqrestore(&k->read_lock, flags);
	return page;
}

static void ccdm_read_page_put(struct ccdm_cache *k, struct page *page)
{
	unsigned long flags;

	spin_lock_irqsave(&k->read_lock, flags);
	k->read_page[k->nr_read_pages++] = page;
	spin_unlock_irqrestore(&k->read_lock, flags);
	wake_up(&k->read_wait);
}

/* Read a node and verify it against @e, its parent's entry, which cannot change now. */
static int ccdm_node_read(struct ccdm *c, struct ccdm_node *node, const struct ccdm_entry *e)
{
	struct ccdm_place place = {
		.domain = CCDM_DOMAIN_NODE(node->level),
		.index = node->index,
		.seq = ccdm_le64_to_cpu(e->seq),
	};
	struct ccdm_creq *creq;
	unsigned int tries, misses = 0;
	struct bio_vec vec;
	struct page *page;
	struct bio bio;
	int r;

	wait_event(c->cache.read_wait, (page = ccdm_read_page_get(&c->cache)));
	creq = mempool_alloc(c->creqs, GFP_NOIO);

	for (tries = 0; tries < 3; tries++) {
		bio_init(&bio, c->dev->bdev, &vec, 1, REQ_OP_READ | REQ_META | REQ_SYNC);
		bio.bi_iter.bi_sector = (c->g.first[node->level] + node->index) *
					CCDM_BLOCK_SECTORS;
		__bio_add_page(&bio, page, CCDM_BLOCK_SIZE, 0);
		r = submit_bio_wait(&bio);
		bio_uninit(&bio);
		if (r) {
			ccdm_count(c, CCDM_STAT_NODE_ERRORS, 1);
			DMERR_LIMIT("%s: node level %u index %llu: read error %d",
				    ccdm_name(c), node->level, node->index, r);
			break;
		}
		r = ccdm_open(&c->node, creq, &place, e->tag, page, virt_to_page(node->entry), 0,
			      false);
		if (!r)
			break;
		/* Another error of the crypto API is no verdict: once more. */
		if (r != -EBADMSG)
			continue;
		if (misses++) {
			ccdm_tamper(c, "node", node->level, node->index);
			break;
		}
		ccdm_count(c, CCDM_STAT_RECHECKS, 1);
		trace_ccdm_recheck(ccdm_name(c), node->level + 1, node->index);
	}
	mempool_free(creq, c->creqs);
	ccdm_read_page_put(&c->cache, page);
	return r ? -EIO : 0;
}

void ccdm_cache_publish(struct ccdm *c, struct ccdm_node *node)
{
	node->referenced = true;
	ccdm_clock_add(c, node);
	/* Who sees the state sees the entries. */
	smp_store_release(&node->state, CCDM_NODE_CLEAN);
	wake_up_all(&node->wait);
}

void ccdm_cache_abandon(struct ccdm *c, struct ccdm_node *node, int error)
{
	struct ccdm_node *parent = node->parent;

	node->error = error;
	ccdm_parent_clear_bit(node);
	ccdm_cache_unhash(c, node, CCDM_NODE_GONE);
	wake_up_all(&node->wait);
	ccdm_cache_unpin(c, parent);
	ccdm_cache_unpin(c, node);
}

/*
 * @node has just been inserted; @parent's pin becomes the node's. Return: 0
 * with the node usable, or LOADING and the caller's with CCDM_GET_COVER.
 */
static int ccdm_cache_load(struct ccdm *c, struct ccdm_node *node, struct ccdm_node *parent,
			   enum ccdm_get how)
{
	unsigned int slot = ccdm_node_slot(node);
	struct ccdm_entry e;
	unsigned long flags;
	int r = 0;

	node->parent = parent;
	spin_lock_irqsave(&parent->lock, flags);
	e = parent->entry[slot];
	ccdm_mask_set(&parent->mask, slot);
	spin_unlock_irqrestore(&parent->lock, flags);

	if (how == CCDM_GET_COVER)
		return 0;
	if (!ccdm_tree_born(&e, node->entry))
		r = ccdm_node_read(c, node, &e);
	if (!r)
		ccdm_cache_publish(c, node);
	return r;
}

/* 0: usable. 1: gone, look again. -errno: gone for a reason. */
static int ccdm_node_wait(struct ccdm_node *node, enum ccdm_get how)
{
	if (how == CCDM_GET_NOWAIT && READ_ONCE(node->state) == CCDM_NODE_LOADING)
		return -EAGAIN;
	wait_event(node->wait, READ_ONCE(node->state) != CCDM_NODE_LOADING);
	if (ccdm_node_usable(node))
		return 0;
	return node->error ?: 1;
}

/* The deepest node in memory on the way to (level, index), pinned. */
static struct ccdm_node *ccdm_cache_deepest(struct ccdm *c, unsigned int level, u64 index,
					    enum ccdm_get how)
{
	struct ccdm_node *node;
	int r;

	for (; level < c->g.levels; level++, index >>= CCDM_NODE_SHIFT) {
		node = ccdm_cache_lookup(c, level, index, NULL);
		if (!node)
			continue;
		if (IS_ERR(node))
			return node;
		r = ccdm_node_wait(node, how);
		if (!r)
			return node;
		ccdm_cache_unpin(c, node);
		return ERR_PTR(r < 0 ? r : -EAGAIN);
	}
	ccdm_cache_pin(&c->cache.root);
	return &c->cache.root;
}

/* From @node, whose pin is used up, down to @level with the nodes of @spare. */
static struct ccdm_node *ccdm_cache_descend(struct ccdm *c, struct ccdm_node *node,
					    unsigned int level, u64 index, enum ccdm_get how,
					    struct list_head *spare)
{
	struct ccdm_node *fresh, *child;
	unsigned int l;
	int r;

	while (node->level > level) {
		l = node->level - 1;
		fresh = list_first_entry(spare, struct ccdm_node, clock);
		list_del_init(&fresh->clock);
		ccdm_node_setup(fresh, l, index >> (CCDM_NODE_SHIFT * (l - level)));

		child = ccdm_cache_lookup(c, l, fresh->index, fresh);
		if (child == fresh) {
			trace_ccdm_load(ccdm_name(c), l, fresh->index);
			r = ccdm_cache_load(c, child, node, l == level ? how : CCDM_GET_READ);
			if (r) {
				ccdm_cache_abandon(c, child, r);
				return ERR_PTR(r);
			}
		} else {
			list_add(&fresh->clock, spare);
			ccdm_cache_unpin(c, node);
			if (IS_ERR(child))
				return child;
			r = ccdm_node_wait(child, how);
			if (r) {
				ccdm_cache_unpin(c, child);
				return ERR_PTR(r < 0 ? r : -EAGAIN);
			}
		}
		node = child;
	}
	return node;
}

struct ccdm_node *ccdm_cache_get(struct ccdm *c, unsigned int level, u64 index,
				 enum ccdm_get how)
{
	struct ccdm_node *node;
	bool first = false;
	LIST_HEAD(spare);
	int r, seq = 0;

	do {
		if (!ccdm_active(c)) {
			node = ERR_PTR(-EIO);
			break;
		}
		node = ccdm_cache_deepest(c, level, index, how);
		if (IS_ERR(node) || node->level == level)
			continue;
		if (ccdm_room_take(c, node->level - level, &spare, first)) {
			node = ccdm_cache_descend(c, node, level, index, how, &spare);
			ccdm_room_return(c, &spare);
			continue;
		}
		/* Not all at once: let go of everything, and wait in line. */
		ccdm_cache_unpin(c, node);
		r = how == CCDM_GET_NOWAIT ? 0 : ccdm_room_wait(c, &first, &seq);
		node = ERR_PTR(r ?: -EAGAIN);
	} while (node == ERR_PTR(-EAGAIN) && how != CCDM_GET_NOWAIT);

	if (first)
		ccdm_room_done(c);
	return node;
}

bool ccdm_cache_leaf_sealed(struct ccdm *c, u64 index)
{
	struct ccdm_node *parent = &c->cache.root;
	unsigned int slot = index % CCDM_NODE_ENTRIES;
	unsigned long flags;
	bool sealed;

	if (c->g.levels > 1)
		parent = ccdm_cache_find(c, 1, index >> CCDM_NODE_SHIFT);
	else
		ccdm_cache_pin(parent);
	if (!parent)
		return false;
	spin_lock_irqsave(&parent->lock, flags);
	sealed = !ccdm_mask_test(&parent->mask, slot) &&
		 ccdm_tree_kind(&parent->entry[slot]) == CCDM_KIND_SEALED;
	spin_unlock_irqrestore(&parent->lock, flags);
	ccdm_cache_unpin(c, parent);
	return sealed;
}

/* ---- dirty --------------------------------------------------------------- */

bool ccdm_cache_set_dirty(struct ccdm *c, struct ccdm_node *node)
{
	lockdep_assert_held(&node->lock);
	if (node->dirty || node == &c->cache.root)
		return false;
	node->dirty = true;
	/* While it is written it has this pin already. */
	if (node->state != CCDM_NODE_WRITING)
		atomic_inc(&node->pins);
	return true;
}

void ccdm_cache_dirty(struct ccdm *c, struct ccdm_node *node)
{
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;
	bool kick;

	spin_lock_irqsave(&k->lock, flags);
	node->dirty_gen = k->gen;
	list_add_tail(&node->dirty_link, node->unwritable || node->alone ?
		      &k->failed : &k->dirty[node->level]);
	k->nr_dirty++;
	kick = k->nr_dirty >= k->limit / 4 * 3;
	spin_unlock_irqrestore(&k->lock, flags);
	if (kick)
		ccdm_writeback_kick(c);
}

/* ---- life ---------------------------------------------------------------- */

static unsigned long ccdm_shrink_count(struct shrinker *s, struct shrink_control *sc)
{
	struct ccdm *c = ccdm_shrinker_private(s);
	unsigned int nr = READ_ONCE(c->cache.nr);
	unsigned int kept = max(READ_ONCE(c->cache.nr_dirty), c->cache.floor);

	return nr > kept ? nr - kept : SHRINK_EMPTY;
}

static unsigned long ccdm_shrink_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct ccdm *c = ccdm_shrinker_private(s);
	unsigned long freed = 0;
	struct ccdm_node *node;

	while (freed < sc->nr_to_scan && READ_ONCE(c->cache.nr) > c->cache.floor &&
	       (node = ccdm_cache_evict(c, false))) {
		ccdm_node_release(c, node);
		freed++;
	}
	return freed ?: SHRINK_STOP;
}

unsigned int ccdm_cache_nodes(struct ccdm *c, unsigned int mib)
{
	size_t all = (size_t)mib << 20, fixed = (size_t)c->cache.fixed_kib << 10;
	size_t n;

	if (all <= fixed)
		return 0;
	n = (all - fixed) / CCDM_NODE_COST;
	/* Two paths and something to work with. */
	return n < 4 * CCDM_MAX_LEVELS ? 0 : min_t(size_t, n, UINT_MAX / 2);
}

unsigned int ccdm_cache_kib(struct ccdm *c)
{
	return c->cache.fixed_kib + ((size_t)READ_ONCE(c->cache.nr) * CCDM_NODE_COST >> 10);
}

void ccdm_cache_trim(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;

	while (READ_ONCE(k->nr) > READ_ONCE(k->limit) && (node = ccdm_cache_evict(c, false)))
		ccdm_node_release(c, node);
}

void ccdm_cache_resize(struct ccdm *c, unsigned int nodes)
{
	struct ccdm_cache *k = &c->cache;

	spin_lock_irq(&k->lock);
	k->limit = nodes;
	spin_unlock_irq(&k->lock);
	ccdm_cache_trim(c);
	/* What is dirty is written, and goes then. */
	ccdm_writeback_kick(c);
	ccdm_cache_room_wake(c);
}

int ccdm_cache_init(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	unsigned int i, guess;
	size_t fixed;
	int r;

	spin_lock_init(&k->lock);
	spin_lock_init(&k->read_lock);
	mutex_init(&k->room_line);
	mutex_init(&k->sync_lock);
	INIT_LIST_HEAD(&k->clock);
	INIT_LIST_HEAD(&k->reserve);
	INIT_LIST_HEAD(&k->spare);
	INIT_LIST_HEAD(&k->free_writes);
	INIT_LIST_HEAD(&k->failed);
	for (i = 0; i < CCDM_MAX_LEVELS; i++)
		INIT_LIST_HEAD(&k->dirty[i]);
	init_waitqueue_head(&k->room_wait);
	init_waitqueue_head(&k->leave_wait);
	init_waitqueue_head(&k->read_wait);
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

	for (i = 0; i < CCDM_READ_PAGES; i++) {
		k->read_page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!k->read_page[i])
			return -ENOMEM;
		k->nr_read_pages++;
	}

	fixed = sizeof(*c) + ccdm_pages_cost(c->pages.nr) + c->fixed_bytes +
		(sizeof(*k->buckets) << k->hash_bits) + CCDM_READ_PAGES * PAGE_SIZE;
	r = ccdm_writeback_init(c);
	if (r)
		return r;
	fixed += k->nr_writes * CCDM_WRITE_NODES * PAGE_SIZE + PAGE_SIZE;
	k->fixed_kib = DIV_ROUND_UP(fixed, 1024);

	k->limit = ccdm_cache_nodes(c, c->opt.cache_mib);
	if (!k->limit)
		return -ENOSPC;
	/*
	 * When memory is short none can be had, least of all by who writes to
	 * swap: enough to work with is there from the beginning.
	 */
	k->floor = clamp(k->limit / 8, CCDM_FLOOR_MIN, CCDM_FLOOR_MAX);
	k->floor = min(k->floor, k->limit);
	for (i = 0; i < k->floor; i++) {
		struct ccdm_node *node = ccdm_node_create(GFP_KERNEL);

		if (!node)
			return -ENOMEM;
		k->nr++;
		ccdm_node_release(c, node);
	}

	k->shrinker = ccdm_shrinker_new(ccdm_shrink_count, ccdm_shrink_scan, c, ccdm_name(c));
	return k->shrinker ? 0 : -ENOMEM;
}

/* Nothing runs any more; nothing is written back. */
void ccdm_cache_exit(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	struct hlist_node *tmp;
	unsigned int i;

	ccdm_shrinker_free(k->shrinker);
	ccdm_writeback_exit(c);
	if (k->buckets)
		for (i = 0; i < 1u << k->hash_bits; i++)
			hlist_for_each_entry_safe(node, tmp, &k->buckets[i].head, hash)
				ccdm_node_destroy(node);
	kvfree(k->buckets);
	list_splice_init(&k->reserve, &k->spare);
	while ((node = list_first_entry_or_null(&k->spare, struct ccdm_node, clock))) {
		list_del(&node->clock);
		ccdm_node_destroy(node);
	}
	while (k->nr_read_pages)
		__free_page(k->read_page[--k->nr_read_pages]);
}
