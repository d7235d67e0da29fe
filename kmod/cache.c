// SPDX-License-Identifier: GPL-2.0-only
/*
 * cache.c - nodes in memory: finding and loading them
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
 *	evict	room.c
 *
 * While a child's bit is set nobody changes its entry but its write-back.
 */
#include <linux/slab.h>
#include "ccdm.h"
#include "trace.h"

/* ---- finding ------------------------------------------------------------- */

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
 * Find or, with @fresh, insert; what is found is pinned. -EAGAIN: it was leaving,
 * and has left; or with CCDM_GET_NOWAIT one would have to wait for it.
 */
static struct ccdm_node *ccdm_cache_lookup(struct ccdm *c, unsigned int level, u64 index,
					   enum ccdm_get how, struct ccdm_node *fresh)
{
	struct ccdm_bucket *b = ccdm_bucket(&c->cache, level, index);
	struct ccdm_node *node;
	unsigned long flags;
	bool leaving, loading;

	spin_lock_irqsave(&b->lock, flags);
	node = ccdm_bucket_find(b, level, index);
	leaving = node && READ_ONCE(node->state) == CCDM_NODE_LEAVING;
	loading = node && how == CCDM_GET_NOWAIT && !ccdm_node_usable(node);
	if (node && !leaving && !loading) {
		atomic_inc(&node->pins);
		WRITE_ONCE(node->referenced, true);
	} else if (!node && fresh) {
		hlist_add_head(&fresh->hash, &b->head);
		node = fresh;
	}
	spin_unlock_irqrestore(&b->lock, flags);

	/* A few steps that do not sleep; it holds no lock we have. */
	if (leaving && how != CCDM_GET_NOWAIT)
		wait_event_timeout(c->cache.leave_wait, !atomic_read(&c->cache.nr_leaving), 1);
	return leaving || loading ? ERR_PTR(-EAGAIN) : node;
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
		/* Not before: who seals needs such memory too, and the device may take long. */
		creq = ccdm_creq_get(&c->creqs, GFP_NOIO);
		r = ccdm_open(&c->node, creq, &place, e->tag, page, virt_to_page(node->entry), 0,
			      false);
		ccdm_creq_put(&c->creqs, creq);
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
	ccdm_read_page_put(&c->cache, page);
	return r ? -EIO : 0;
}

void ccdm_cache_publish(struct ccdm *c, struct ccdm_node *node)
{
	node->referenced = true;
	ccdm_room_enter(c, node);
	/* Who sees the state sees the entries. */
	smp_store_release(&node->state, CCDM_NODE_CLEAN);
	wake_up_all(&node->wait);
}

void ccdm_cache_abandon(struct ccdm *c, struct ccdm_node *node, int error)
{
	struct ccdm_node *parent = node->parent;

	node->error = error;
	ccdm_room_detach(c, node);
	wake_up_all(&node->wait);
	ccdm_node_unpin(c, parent);
	ccdm_node_unpin(c, node);
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

/* 0: usable. -EAGAIN: gone, look again. Another -errno: gone for a reason. */
static int ccdm_node_wait(struct ccdm_node *node)
{
	wait_event(node->wait, READ_ONCE(node->state) != CCDM_NODE_LOADING);
	if (ccdm_node_usable(node))
		return 0;
	return node->error ?: -EAGAIN;
}

/* The deepest node in memory on the way to (level, index), pinned. */
static struct ccdm_node *ccdm_cache_deepest(struct ccdm *c, unsigned int level, u64 index,
					    enum ccdm_get how)
{
	struct ccdm_node *node;
	int r;

	for (; level < c->g.levels; level++, index >>= CCDM_NODE_SHIFT) {
		node = ccdm_cache_lookup(c, level, index, how, NULL);
		if (!node)
			continue;
		if (IS_ERR(node))
			return node;
		r = ccdm_node_wait(node);
		if (!r)
			return node;
		ccdm_node_unpin(c, node);
		return ERR_PTR(r);
	}
	ccdm_node_pin(&c->cache.root);
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

		child = ccdm_cache_lookup(c, l, fresh->index, how, fresh);
		if (child == fresh) {
			trace_ccdm_load(ccdm_name(c), l, fresh->index);
			r = ccdm_cache_load(c, child, node, l == level ? how : CCDM_GET_READ);
			if (r) {
				ccdm_cache_abandon(c, child, r);
				return ERR_PTR(r);
			}
		} else {
			list_add(&fresh->clock, spare);
			ccdm_node_unpin(c, node);
			if (IS_ERR(child))
				return child;
			r = ccdm_node_wait(child);
			if (r) {
				ccdm_node_unpin(c, child);
				return ERR_PTR(r);
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
		ccdm_node_unpin(c, node);
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
		ccdm_node_pin(parent);
	if (!parent)
		return false;
	spin_lock_irqsave(&parent->lock, flags);
	sealed = !ccdm_mask_test(&parent->mask, slot) &&
		 ccdm_tree_kind(&parent->entry[slot]) == CCDM_KIND_SEALED;
	spin_unlock_irqrestore(&parent->lock, flags);
	ccdm_node_unpin(c, parent);
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

	k->limit = ccdm_room_nodes(c, c->opt.cache_mib);
	if (!k->limit)
		return -ENOSPC;
	return ccdm_room_init(c);
}

/* Nothing runs any more; nothing is written back. */
void ccdm_cache_exit(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_node *node;
	struct hlist_node *tmp;
	unsigned int i;

	/* The first thing that ccdm_cache_init() allocates. */
	if (!k->buckets)
		return;
	ccdm_room_exit(c);
	ccdm_writeback_exit(c);
	for (i = 0; i < 1u << k->hash_bits; i++)
		hlist_for_each_entry_safe(node, tmp, &k->buckets[i].head, hash)
			ccdm_node_destroy(node);
	kvfree(k->buckets);
	while (k->nr_read_pages)
		__free_page(k->read_page[--k->nr_read_pages]);
}
