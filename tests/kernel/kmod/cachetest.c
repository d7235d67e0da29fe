// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * cachetest.c - which nodes leave memory, and in which order
 *
 * tests/kernel/kmod runs these cases, and so does KUnit (tests/kernel/kunit/cache.c), with real
 * workers, a real device and the kernel's own locks.
 */
#ifndef MODULE
#include "block.h"
#include "cipher.h"
#include "mapping.h"
#include "memory.h"
#include "sched.h"
#endif

static struct ccdm *c;

static bool there(u64 leaf)
{
	struct ccdm_bucket *b = ccdm_bucket(&c->cache, 0, leaf);
	struct ccdm_node *node;
	struct hlist_node *at;
	bool found = false;

	/* Do not call ccdm_cache_find() here: it would count as a use of the node. */
	spin_lock_irq(&b->lock);
	for (at = b->head.first; at; at = at->next) {
		node = container_of(at, struct ccdm_node, hash);
		found |= node->index == leaf && !node->level;
	}
	spin_unlock_irq(&b->lock);
	return found;
}

static struct ccdm_node *get(u64 leaf)
{
	struct ccdm_node *node = ccdm_cache_get(c, 0, leaf, CCDM_GET_READ, NULL);

	if (IS_ERR(node))
		sim_bug("leaf %llu: %d", leaf, (int)PTR_ERR(node));
	return node;
}

static void use(u64 leaf)
{
	ccdm_node_unpin(c, get(leaf));
}

static unsigned long shrink(unsigned long n)
{
	struct shrink_control sc = { .nr_to_scan = n };

	return c->cache.shrinker->scan_objects(c->cache.shrinker, &sc);
}

static void expect(u64 leaf, bool in, const char *why)
{
	if (there(leaf) != in)
		sim_bug("leaf %llu is %s: %s", leaf, in ? "gone" : "there", why);
}

/* The oldest node is evicted, unless it was used since the clock's hand passed it. */
static void order(void)
{
	u64 i;

	for (i = 0; i < 10; i++)
		use(i);
	if (shrink(1) != 1)
		sim_bug("nobody can leave");
	expect(0, false, "it is the oldest");
	expect(1, true, "one was to leave");
	use(1);
	shrink(1);
	expect(1, true, "it was used");
	expect(2, false, "it is the oldest that was not");
	shrink(1);
	expect(3, false, "it is the next");
	shrink(4);
	expect(1, true, "it came round last");
	for (i = 4; i < 8; i++)
		expect(i, false, "one after the other");
	ccdm_nodes_drop(c);
}

static void pinned(void)
{
	struct ccdm_node *node = get(5);

	use(6);
	ccdm_nodes_drop(c);
	expect(5, true, "it is pinned");
	expect(6, false, "it is not");
	if (ccdm_mask_empty(&node->parent->mask) || node->parent == &c->cache.root)
		sim_bug("a node is there, and its parent does not know");
	ccdm_node_unpin(c, node);
	ccdm_nodes_drop(c);
	expect(5, false, "nobody pins it any more");
}

static void change(struct ccdm_node *node, u8 tag)
{
	static u64 seq = 1000;
	u8 bytes[CCDM_TAG_SIZE];
	bool kick;

	memset(bytes, tag, sizeof(bytes));
	spin_lock_irq(&node->lock);
	ccdm_tree_seal(&node->entry[3], seq++, bytes);
	kick = ccdm_cache_set_dirty(c, node);
	spin_unlock_irq(&node->lock);
	if (kick)
		ccdm_writeback_kick(c);
}

static bool syncing;

static void sync_run(void *arg)
{
	(void)arg;
	if (ccdm_sync(c))
		sim_bug("a sync fails");
	WRITE_ONCE(syncing, false);
}

static void dirty(void)
{
	struct ccdm_node *node = get(7);

	change(node, 1);
	ccdm_node_unpin(c, node);
	ccdm_nodes_drop(c);
	expect(7, true, "it is dirty");
	if (shrink(100) != SHRINK_STOP)
		sim_bug("a dirty node or its parent was given back");
	sync_run(NULL);
	ccdm_nodes_drop(c);
	expect(7, false, "it is written");
	/* It is read again, and verified against the entry that the write left in its parent. */
	node = get(7);
	if (node->entry[3].tag[0] != 1)
		sim_bug("a node is not what was written");

	/* A node that changes while it is written is dirty afterwards, and is written again. */
	change(node, 2);
	syncing = true;
	sim_device_hold(true);
	sim_spawn(sync_run, NULL, SIM_TASK);
	while (READ_ONCE(node->state) != CCDM_NODE_WRITING)
		sim_yield();
	change(node, 3);
	sim_device_hold(false);
	while (READ_ONCE(syncing))
		sim_yield();
	if (!node->dirty)
		sim_bug("what was changed while it was written is not dirty");
	ccdm_node_unpin(c, node);
	sync_run(NULL);
	ccdm_nodes_drop(c);
	node = get(7);
	if (node->entry[3].tag[0] != 3)
		sim_bug("a change is lost that came while the node was written");
	ccdm_node_unpin(c, node);
}

/* After a failed write the node stays in memory, whoever asks for room. */
static void failed(void)
{
	struct ccdm_node *node = get(9);

	change(node, 4);
	ccdm_node_unpin(c, node);
	sim_fail_often(SIM_WRITE, 1);
	if (ccdm_sync(c) != -EIO)
		sim_bug("a sync does not say that a write failed");
	if (c->cache.nr_unwritable != 1)
		sim_bug("%u nodes are unwritable", c->cache.nr_unwritable);
	ccdm_nodes_drop(c);
	expect(9, true, "its write failed");
	sim_fail_often(SIM_WRITE, 0);
	sync_run(NULL);
	if (c->cache.nr_unwritable || c->cache.nr_dirty)
		sim_bug("written at last, and it still counts");
	ccdm_nodes_drop(c);
	expect(9, false, "it is written");
}

#ifndef MODULE
/* While a walk waits in line for room, only the first in line gets a node. */
static void room_line(void)
{
	struct ccdm_node *node;

	atomic_inc(&c->cache.room_waiters);
	if (ccdm_nodes_get(c, false))
		sim_bug("a walk passes the line for room");
	node = ccdm_nodes_get(c, true);
	atomic_dec(&c->cache.room_waiters);
	if (!node)
		sim_bug("the first in line gets no node");
	ccdm_nodes_put(c, node);
}

static struct ccdm_node *above;

static void above_run(void *arg)
{
	(void)arg;
	change(above, 9);
	WRITE_ONCE(syncing, false);
}

/*
 * A sync also writes what a leaf's write left in its parent, even if a discard makes the parent
 * dirty at the same moment.
 */
static void shared_parent(void)
{
	struct ccdm_node *leaf = get(7);
	unsigned int i;

	above = leaf->parent;
	for (i = 0; i < 400; i++) {
		change(leaf, 5);
		syncing = true;
		sim_spawn(above_run, NULL, SIM_TASK);
		if (ccdm_sync(c))
			sim_bug("a sync fails");
		if (sim_sealed(CCDM_DOMAIN_NODE(1), 0) < sim_sealed(CCDM_DOMAIN_NODE(0), 7))
			sim_bug("synced, and a parent was not written after its leaf");
		while (READ_ONCE(syncing))
			sim_yield();
		sync_run(NULL);
		sim_progress();
	}
	ccdm_node_unpin(c, leaf);
}

/* Many inner nodes whose write failed must not keep a sync from a leaf whose write failed. */
static void hidden(void)
{
	struct ccdm_node *leaf[19];
	unsigned int i, tries;

	for (i = 0; i < ARRAY_SIZE(leaf); i++)
		leaf[i] = get((u64)i * CCDM_NODE_ENTRIES);
	sim_fail_often(SIM_WRITE, 1);
	for (i = 0; i < ARRAY_SIZE(leaf); i++)
		change(leaf[i]->parent, 6);
	for (tries = 0; tries < 2000 && c->cache.nr_unwritable < ARRAY_SIZE(leaf); tries++)
		if (ccdm_sync(c) != -EIO)
			sim_bug("a sync does not say that a write failed");
	if (c->cache.nr_unwritable != ARRAY_SIZE(leaf))
		sim_bug("%u nodes are unwritable", c->cache.nr_unwritable);
	change(leaf[0], 7);
	while (!leaf[0]->unwritable)
		if (ccdm_sync(c) != -EIO)
			sim_bug("a sync does not say that a leaf's write failed");
	sim_fail_often(SIM_WRITE, 0);
	/* writes under way may still fail */
	for (tries = 0; tries < 16 && ccdm_sync(c); tries++)
		;
	if (tries == 16)
		sim_bug("a sync fails, and nothing fails any more");
	if (c->cache.nr_unwritable || c->cache.nr_dirty)
		sim_bug("synced, and %u nodes are dirty", c->cache.nr_dirty);
	for (i = 0; i < ARRAY_SIZE(leaf); i++)
		ccdm_node_unpin(c, leaf[i]);
}

static void hidden_run(void *arg)
{
	(void)arg;
	mapping_resume();
	hidden();
	mapping_suspend();
}

static void cache_run(void *arg)
{
	(void)arg;
	mapping_resume();
	order();
	pinned();
	dirty();
	failed();
	room_line();
	shared_parent();
	mapping_suspend();
}

void cache_test(void)
{
	c = mapping_begin(16384);
	if (mapping_new())
		sim_bug("it cannot be made");
	c->cache.floor = 0;
	sim_spawn(cache_run, NULL, SIM_TASK);
	sim_run(sim_device);
	mapping_end();

	c = mapping_begin(300000);
	if (mapping_new())
		sim_bug("it cannot be made");
	sim_spawn(hidden_run, NULL, SIM_TASK);
	sim_run(sim_device);
	mapping_end();
}
#endif
