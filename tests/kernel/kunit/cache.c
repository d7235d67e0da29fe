// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * cache.c - KUnit: compare the tree with an array, and test the cache, on a real mapping
 *
 * This module includes all sources of the product, so it is a target, too. The suite opens a
 * mapping like any user, over a device that it can hold and let fail (parameter "device"). It uses
 * the mapping's nodes directly, with the kernel's own threads, workers, locks and bios.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/umh.h>
#include <linux/vmalloc.h>

#include "../../../kmod/cache.c"
#include "../../../kmod/ctr.c"
#include "../../../kmod/discard.c"
#include "../../../kmod/event.c"
#include "../../../kmod/io.c"
#include "../../../kmod/line.c"
#include "../../../kmod/load.c"
#include "../../../kmod/map.c"
#include "../../../kmod/name.c"
#include "../../../kmod/pages.c"
#include "../../../kmod/read.c"
#include "../../../kmod/nodes.c"
#include "../../../kmod/scrub.c"
#include "../../../kmod/seq.c"
#include "../../../kmod/soft.c"
#include "../../../kmod/submit.c"
#include "../../../kmod/sync.c"
#include "../../../kmod/table.c"
#include "../../../kmod/write.c"
#include "../../../kmod/target.c"
#include "compat.h"

static char *device = "";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "command that makes, holds, fails and removes the mapping's device");

static unsigned int runs = 2;
module_param(runs, uint, 0444);
MODULE_PARM_DESC(runs, "how often the tree is held beside an array, each time from another seed");

static struct ccdm *mapping;
static u32 *known;		 /* the version of each entry of each leaf, as in "model" */
static struct kunit *cache_case; /* the running case; only one runs at a time */
static bool wrong;		 /* a case has failed */

/* A function that another thread runs for a case. */
struct spawned {
	struct work_struct work;
	void (*fn)(void *arg);
	void *arg;
};

static void spawned_run(struct work_struct *work)
{
	struct spawned *s = container_of(work, struct spawned, work);

	s->fn(s->arg);
}

static struct spawned spawned; /* only one at a time; the case waits for its end */

static int device_does(const char *what)
{
	char command[256];
	char *argv[] = { "/bin/sh", "-c", command, NULL };
	char *envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", NULL };

	snprintf(command, sizeof(command), "exec %s %s >/dev/kmsg 2>&1", device, what);
	return call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

static int cache_suite_init(struct kunit_suite *suite)
{
	int r;

	INIT_WORK(&spawned.work, spawned_run);
	r = device_does("make");
	if (r)
		return r;
	mutex_lock(&ccdm_list_lock);
	mapping = list_first_entry_or_null(&ccdm_list, struct ccdm, list);
	mutex_unlock(&ccdm_list_lock);
	if (!mapping || mapping->g.levels < 3)
		return -ENODEV;
	known = vzalloc(array_size(mapping->g.nodes[0], CCDM_NODE_ENTRIES * sizeof(*known)));
	return known ? 0 : -ENOMEM;
}

static void cache_suite_exit(struct kunit_suite *suite)
{
	device_does("remove");
	mapping = NULL;
	vfree(known);
}

/* After a failure the mapping may hang each later case, so skip them. */
static int cache_init(struct kunit *test)
{
	return wrong ? -EUCLEAN : 0;
}

static void cache_exit(struct kunit *test)
{
	wrong |= READ_ONCE(test->status) == KUNIT_FAILURE;
}

/* ---- interface of tests/kernel/kmod/cachetest.c --------------------------------------- */

#define sim_bug(fmt, ...) KUNIT_FAIL_AND_ABORT(cache_case, fmt "\n", ##__VA_ARGS__)
#define sim_yield()	  usleep_range(500, 1000)

enum { SIM_TASK };
enum { SIM_WRITE };

static void sim_spawn(void (*fn)(void *arg), void *arg, int context)
{
	spawned.fn = fn;
	spawned.arg = arg;
	queue_work(system_unbound_wq, &spawned.work);
}

static void sim_device_hold(bool hold)
{
	KUNIT_ASSERT_EQ(cache_case, device_does(hold ? "hold" : "go"), 0);
}

static void sim_fail_often(int call, unsigned int one_in)
{
	KUNIT_ASSERT_EQ(cache_case, device_does(one_in ? "fail" : "mend"), 0);
}

#include "../kmod/cachetest.c"

/* Run one of its cases: the cache is empty, and no nodes are kept in reserve. */
#define CACHE_CASE(name)                             \
	static void kunit_##name(struct kunit *test) \
	{                                            \
		unsigned int floor;                  \
                                                     \
		c = mapping;                         \
		cache_case = test;                   \
		ccdm_nodes_drop(c);                   \
		floor = c->cache.floor;              \
		c->cache.floor = 0;                  \
		name();                              \
		flush_work(&spawned.work);           \
		c->cache.floor = floor;              \
	}

CACHE_CASE(order)
CACHE_CASE(pinned)
CACHE_CASE(dirty)
CACHE_CASE(failed)

/* ---- compare the tree with an array -------------------------------------------------------- */

#define MODEL_STEPS   10000 /* half a minute; a longer run would look like a hang */
#define MODEL_THREADS 3
#define MODEL_HOT     64 /* leaves that all threads use */

/*
 * The version of an entry is 0 if it is unwritten, odd if it is zeroed, else it is sealed. In each
 * leaf, a thread owns the entries whose slot is its own number modulo MODEL_THREADS. It knows their
 * versions, while the other threads change the same leaf, and the cache writes, drops and reads it.
 */
struct model {
	struct kunit *test;
	u64 leaves;
	atomic64_t changed, looked, loaded, failed;
	atomic_t left;
	struct completion done;
	struct model_thread {
		struct model *m;
		unsigned int nr;
		struct rnd_state rnd;
	} thread[MODEL_THREADS];
};

static void model_tag(u8 *tag, u64 leaf, unsigned int slot, u32 version)
{
	u64 w[2] = { (leaf << 7 | slot) * 0x9e3779b97f4a7c15ull, version * 0xc2b2ae3d27d4eb4full };

	memcpy(tag, w, CCDM_TAG_SIZE);
}

static bool model_right(u64 leaf, unsigned int slot, const struct ccdm_entry *e)
{
	u32 version = known[leaf * CCDM_NODE_ENTRIES + slot];
	u8 tag[CCDM_TAG_SIZE] = {};
	enum ccdm_kind kind = CCDM_KIND_UNWRITTEN;

	if (version & 1) {
		kind = CCDM_KIND_ZEROED;
	} else if (version) {
		kind = CCDM_KIND_SEALED;
		model_tag(tag, leaf, slot, version);
	}
	return ccdm_tree_kind(e) == kind && !memcmp(e->tag, tag, CCDM_TAG_SIZE) &&
	       !memchr_inv(e->zero, 0, sizeof(e->zero));
}

static void model_change(struct model_thread *t, u64 leaf, struct ccdm_node *node)
{
	struct model *m = t->m;
	unsigned int slot = t->nr;
	unsigned int n = prandom_u32_state(&t->rnd) % 4 ? 1 : 1 + prandom_u32_state(&t->rnd) % 40;
	u32 *version = &known[leaf * CCDM_NODE_ENTRIES];
	u64 seq = ccdm_take_seq(mapping, n);
	u8 tag[CCDM_TAG_SIZE];
	bool kick;

	slot += prandom_u32_state(&t->rnd) % (CCDM_NODE_ENTRIES / MODEL_THREADS) * MODEL_THREADS;
	spin_lock_irq(&node->lock);
	for (; n && slot < CCDM_NODE_ENTRIES; n--, slot += MODEL_THREADS, seq++) {
		version[slot] += prandom_u32_state(&t->rnd) % 4 ? 2 - (version[slot] & 1)
								: 1 + (version[slot] & 1);
		if (version[slot] & 1) {
			ccdm_tree_reserve(&node->entry[slot], CCDM_SEQ_ZEROED);
			continue;
		}
		model_tag(tag, leaf, slot, version[slot]);
		ccdm_tree_seal(&node->entry[slot], seq, tag);
	}
	kick = ccdm_cache_set_dirty(mapping, node);
	spin_unlock_irq(&node->lock);
	if (kick)
		ccdm_writeback_kick(mapping);
	atomic64_inc(&m->changed);
}

/* Check the entries from @slot on, every @step-th of them. */
static void model_look(struct model *m, u64 leaf, struct ccdm_node *node, unsigned int slot,
		       unsigned int step)
{
	struct ccdm_entry e;

	for (; slot < CCDM_NODE_ENTRIES; slot += step) {
		spin_lock_irq(&node->lock);
		e = node->entry[slot];
		spin_unlock_irq(&node->lock);
		if (!model_right(leaf, slot, &e) && atomic64_inc_return(&m->failed) < 10)
			KUNIT_FAIL(
				m->test,
				"leaf %llu entry %u: number %llu, tag %*phN, in its version %u\n",
				leaf, slot, ccdm_le64_to_cpu(e.seq), CCDM_TAG_SIZE, e.tag,
				known[leaf * CCDM_NODE_ENTRIES + slot]);
	}
	atomic64_inc(&m->looked);
}

/* Do what other users of the cache do. Their results are not checked, only that they end. */
static void model_disturb(struct model_thread *t)
{
	struct shrink_control sc = { .nr_to_scan = 1 + prandom_u32_state(&t->rnd) % 32 };
	struct shrinker *s = mapping->cache.shrinker;
	int r;

	switch (prandom_u32_state(&t->rnd) % 16) {
	case 0:
		r = ccdm_sync(mapping);
		if (r)
			KUNIT_FAIL(t->m->test, "a sync fails: %d\n", r);
		break;
	case 1:
		ccdm_nodes_drop(mapping);
		break;
	case 2:
	case 3:
		/* one thread only: otherwise the last limit would be unknown */
		if (!t->nr)
			ccdm_nodes_resize(mapping,
					 4 * CCDM_MAX_LEVELS + prandom_u32_state(&t->rnd) % 1024);
		break;
	default:
		s->scan_objects(s, &sc);
	}
}

/* Request a leaf whose old content is not needed, then give up the request. */
static void model_cover(u64 leaf)
{
	struct ccdm_node *node = ccdm_cache_get(mapping, 0, leaf, CCDM_GET_COVER, NULL);

	if (IS_ERR(node))
		return;
	if (READ_ONCE(node->state) == CCDM_NODE_LOADING)
		ccdm_cache_abandon(mapping, node, 0);
	else
		ccdm_node_unpin(mapping, node);
}

static void model_step(struct model_thread *t)
{
	u32 what = prandom_u32_state(&t->rnd) % 32;
	u64 leaf = prandom_u32_state(&t->rnd) % t->m->leaves;
	struct ccdm_walk like = { 0 };
	struct ccdm_node *node;

	if (prandom_u32_state(&t->rnd) % 2)
		leaf %= MODEL_HOT;
	if (!what)
		return model_disturb(t);
	if (what == 1)
		return model_cover(leaf);
	if (what == 2)
		return ccdm_cache_prefetch(mapping, leaf, &like, false);
	node = ccdm_cache_find(mapping, 0, leaf);
	if (!node) {
		atomic64_inc(&t->m->loaded);
		node = ccdm_cache_get(mapping, 0, leaf, CCDM_GET_READ, NULL);
		if (IS_ERR(node)) {
			atomic64_inc(&t->m->failed);
			KUNIT_FAIL(t->m->test, "leaf %llu: %d\n", leaf, (int)PTR_ERR(node));
			return;
		}
	}
	if (what < 16)
		model_change(t, leaf, node);
	else
		model_look(t->m, leaf, node, t->nr, MODEL_THREADS);
	ccdm_node_unpin(mapping, node);
}

static int model_thread(void *data)
{
	struct model_thread *t = data;
	unsigned int i;

	for (i = 0; i < MODEL_STEPS / MODEL_THREADS && !atomic64_read(&t->m->failed); i++) {
		model_step(t);
		cond_resched();
	}
	if (atomic_dec_and_test(&t->m->left))
		complete(&t->m->done);
	return 0;
}

static void model(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	const unsigned int *seed = test->param_value;
	unsigned int limit = mapping->cache.limit, i;
	struct ccdm_node *node;
	u64 leaf;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	m->leaves = mapping->g.nodes[0];
	init_completion(&m->done);
	atomic_set(&m->left, MODEL_THREADS);
	for (i = 0; i < MODEL_THREADS; i++) {
		m->thread[i].m = m;
		m->thread[i].nr = i;
		prandom_seed_state(&m->thread[i].rnd, *seed * MODEL_THREADS + i);
		if (IS_ERR(kthread_run(model_thread, &m->thread[i], "model/%u", i)))
			model_thread(&m->thread[i]);
	}
	wait_for_completion(&m->done);
	if (atomic64_read(&m->failed))
		return;

	/* read everything back from the device, as it was last written */
	KUNIT_EXPECT_EQ(test, ccdm_sync(mapping), 0);
	KUNIT_EXPECT_EQ(test, mapping->cache.nr_dirty, 0);
	ccdm_nodes_resize(mapping, limit);
	ccdm_nodes_drop(mapping);
	for (leaf = 0; leaf < m->leaves; leaf++) {
		node = ccdm_cache_get(mapping, 0, leaf, CCDM_GET_READ, NULL);
		if (IS_ERR(node)) {
			KUNIT_FAIL(test, "leaf %llu: %d\n", leaf, (int)PTR_ERR(node));
			break;
		}
		model_look(m, leaf, node, 0, 1);
		ccdm_node_unpin(mapping, node);
	}
	KUNIT_EXPECT_EQ(test, mapping->state, CCDM_ACTIVE);
	kunit_info(test, "%llu leaves, %u threads: %lld changes, %lld looks, %lld leaves loaded\n",
		   m->leaves, MODEL_THREADS, atomic64_read(&m->changed), atomic64_read(&m->looked),
		   atomic64_read(&m->loaded));
	KUNIT_EXPECT_GT(test, atomic64_read(&m->loaded), MODEL_STEPS / 20);
}

static const void *model_seed(const void *last, char *text)
{
	static unsigned int seed;

	seed = last ? seed + 1 : 1;
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "seed %u", seed);
	return seed <= runs ? &seed : NULL;
}

static struct kunit_case cache_cases[] = { KUNIT_CASE_PARAM(model, model_seed),
					   KUNIT_CASE(kunit_order),
					   KUNIT_CASE(kunit_pinned),
					   KUNIT_CASE(kunit_dirty),
					   KUNIT_CASE(kunit_failed),
					   {} };

static struct kunit_suite cache_suite = {
	.name = "ccdm-cache",
	.suite_init = cache_suite_init,
	.suite_exit = cache_suite_exit,
	.init = cache_init,
	.exit = cache_exit,
	.test_cases = cache_cases,
};

kunit_test_suites(&cache_suite);
