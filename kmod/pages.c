// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * pages.c - the pages that the host may see
 *
 * In a confidential VM a page named in a bio is copied to memory shared with
 * the host, before a read as well as before a write. So every bio that goes to
 * the backing device names pages of this pool, and nothing but what the host
 * knows already is ever put into them.
 *
 * A bio takes all its pages or none. Most take them from the list of their CPU.
 * A bio that cannot have its pages stands in line (line.h). While anybody stands
 * there, pages that are given back go to the line, and the per-CPU lists are
 * emptied for it.
 *
 * Two rules keep one user of the pool from stopping another:
 *
 *	Some pages are kept for reads, and as many for writes: an eighth of all, enough for
 *	one I/O at least, a quarter at most. Pages that a read gives back fill up first what
 *	is kept for reads; writes likewise.
 *
 *	The reads of a control group, or its writes, may be inside the mapping for at most
 *	three times as many pages as all I/Os inside leave over, of those that are not kept.
 *	The device may take very long for those of a group that is throttled. So the first
 *	such group has three quarters, the second three quarters of the rest, and something
 *	is left for others. Further reads or writes of the group wait at its gates, where
 *	they hold nothing: no leaf, no marks, no pages.
 */
#include <linux/hash.h>
#include <linux/slab.h>
#include "ccdm.h"

/* One table for this many pages: an I/O that needs one has more than 8. */
#define CCDM_PAGES_PER_VECS	16u
#define CCDM_PAGES_CPU_MAX	256

static unsigned int ccdm_pages_nr_vecs(unsigned int nr)
{
	return nr / CCDM_PAGES_PER_VECS;
}

size_t ccdm_pages_cost(unsigned int nr)
{
	return (size_t)nr * (PAGE_SIZE + sizeof(struct ccdm_pg)) +
	       ccdm_pages_nr_vecs(nr) * sizeof(struct ccdm_vecs);
}

/* ---- lists of pages ------------------------------------------------------ */

static struct ccdm_pg *ccdm_pages_last(struct ccdm_pg *pg, unsigned int *nr)
{
	*nr = 1;
	while (pg->next) {
		pg = pg->next;
		(*nr)++;
	}
	return pg;
}

/* Move @n pages of @list, which has them, to the front of *@to. */
static void ccdm_pages_move(struct ccdm_pages_list *list, unsigned int n, struct ccdm_pg **to)
{
	struct ccdm_pg *first = list->head, *last = first;

	if (!n)
		return;
	list->nr -= n;
	while (--n)
		last = last->next;
	list->head = last->next;
	last->next = *to;
	*to = first;
}

static void ccdm_pages_add(struct ccdm_pages_list *list, struct ccdm_pg *pg)
{
	unsigned int n;

	ccdm_pages_last(pg, &n)->next = list->head;
	list->head = pg;
	list->nr += n;
}

static void ccdm_vecs_push(struct ccdm_pages_list *list, struct ccdm_vecs *vecs)
{
	vecs->next = list->vecs;
	list->vecs = vecs;
	list->nr_vecs++;
}

static struct ccdm_vecs *ccdm_vecs_pop(struct ccdm_pages_list *list)
{
	struct ccdm_vecs *vecs = list->vecs;

	if (vecs) {
		list->vecs = vecs->next;
		list->nr_vecs--;
	}
	return vecs;
}

static bool ccdm_pages_needs_vecs(const struct ccdm_page_req *req)
{
	return req->nr > CCDM_INLINE_VECS;
}

/* ---- control groups ------------------------------------------------------ */

static enum ccdm_pages_use ccdm_pages_use(const struct ccdm_page_req *req)
{
	return req->waiter.rank == CCDM_RANK_READ ? CCDM_PAGES_READS : CCDM_PAGES_WRITES;
}

static u32 ccdm_pages_gate_bit(enum ccdm_pages_use use, unsigned int group)
{
	return 1u << (use * CCDM_GROUPS + group);
}

/* The group that stands for @css already, or 0. */
static unsigned int ccdm_pages_find(const struct ccdm_pages *pool,
				    const struct cgroup_subsys_state *css)
{
	unsigned int group;

	for (group = 1; group < CCDM_GROUPS; group++)
		if (READ_ONCE(pool->owner[group]) == css)
			return group;
	return 0;
}

/*
 * How unsuitable @group is for another control group: 0 if it never had an owner, 1 if its owner
 * has nothing inside, UINT_MAX if I/Os wait at its gates.
 */
static unsigned int ccdm_pages_taken(const struct ccdm_pages *pool, unsigned int group)
{
	u32 gates = ccdm_pages_gate_bit(CCDM_PAGES_READS, group) |
		    ccdm_pages_gate_bit(CCDM_PAGES_WRITES, group);

	lockdep_assert_held(&pool->lock);
	if (!pool->owner[group])
		return 0;
	if (pool->gates & gates)
		return UINT_MAX;
	return 1 + atomic_read(&pool->held[CCDM_PAGES_READS][group]) +
	       atomic_read(&pool->held[CCDM_PAGES_WRITES][group]);
}

/*
 * A group for @css: its own, a free one, or the one with the fewest blocks inside. Another control
 * group may claim a free one again before @css has an I/O inside: then both share it for a while.
 */
static unsigned int ccdm_pages_claim(struct ccdm_pages *pool,
				     const struct cgroup_subsys_state *css, unsigned int home)
{
	unsigned int group, i, at, taken, least = UINT_MAX;
	unsigned long flags;

	group = ccdm_pages_find(pool, css);
	if (group)
		return group;
	spin_lock_irqsave(&pool->lock, flags);
	group = ccdm_pages_find(pool, css);
	if (!group) {
		group = home;
		for (i = 0; i < CCDM_GROUPS - 1; i++) {
			at = 1 + (home - 1 + i) % (CCDM_GROUPS - 1);
			taken = ccdm_pages_taken(pool, at);
			if (taken < least) {
				least = taken;
				group = at;
			}
		}
		if (least < 2)
			WRITE_ONCE(pool->owner[group], css);
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	return group;
}

unsigned int ccdm_pages_group(struct ccdm_pages *pool, const struct cgroup_subsys_state *css)
{
	unsigned int home;

	if (ccdm_css_is_root(css))
		return 0;
	home = 1 + hash_ptr(css, 16) % (CCDM_GROUPS - 1);
	if (likely(READ_ONCE(pool->owner[home]) == css))
		return home;
	return ccdm_pages_claim(pool, css, home);
}

/* Most blocks that the reads, or the writes, of one group may have inside now. */
static unsigned int ccdm_pages_most(const struct ccdm_pages *pool)
{
	enum ccdm_pages_use use;
	unsigned int group, n = 0;

	for (use = 0; use < CCDM_PAGES_USES; use++)
		for (group = 0; group < CCDM_GROUPS; group++)
			n += atomic_read(&pool->held[use][group]);
	return n < pool->bound ? 3 * (pool->bound - n) : 0;
}

/* Count @req to its group. Return: false if the group has too much inside. */
static bool ccdm_pages_count(struct ccdm_pages *pool, const struct ccdm_page_req *req)
{
	enum ccdm_pages_use use = ccdm_pages_use(req);
	unsigned int group = req->waiter.group;
	unsigned int n = atomic_add_return(req->nr, &pool->held[use][group]);

	/* One I/O of each use may always be inside. */
	if (likely(n <= pool->few) || n == req->nr || n <= ccdm_pages_most(pool))
		return true;
	atomic_sub_return(req->nr, &pool->held[use][group]);
	return false;
}

/* Those at a gate of @group that may come in now, reads first. */
static void ccdm_pages_open_gates(struct ccdm_pages *pool, unsigned int group,
				  struct list_head *granted)
{
	enum ccdm_pages_use use;
	struct ccdm_page_req *req;

	lockdep_assert_held(&pool->lock);
	for (use = 0; use < CCDM_PAGES_USES; use++) {
		struct list_head *gate = &pool->gate[use][group];

		while (!list_empty(gate)) {
			req = list_first_entry(gate, struct ccdm_page_req, waiter.list);
			if (!ccdm_pages_count(pool, req))
				break;
			list_move_tail(&req->waiter.list, granted);
		}
		if (list_empty(gate))
			WRITE_ONCE(pool->gates, pool->gates & ~ccdm_pages_gate_bit(use, group));
	}
}

static void ccdm_pages_tell(struct list_head *granted)
{
	struct ccdm_page_req *req, *tmp;

	list_for_each_entry_safe(req, tmp, granted, waiter.list) {
		list_del_init(&req->waiter.list);
		req->on_granted(req);
	}
}

unsigned int ccdm_pages_weight(unsigned int nr)
{
	return nr > CCDM_INLINE_VECS ? max(nr, CCDM_PAGES_PER_VECS) : nr;
}

bool ccdm_pages_enter(struct ccdm_pages *pool, struct ccdm_page_req *req)
{
	unsigned int group = req->waiter.group;
	enum ccdm_pages_use use = ccdm_pages_use(req);
	u32 bit = ccdm_pages_gate_bit(use, group);
	struct ccdm_page_req *in, *tmp;
	LIST_HEAD(granted);
	unsigned long flags;
	bool ok = false;

	/* Nobody passes the gate while others wait there. */
	if (likely(!(READ_ONCE(pool->gates) & bit)) && likely(ccdm_pages_count(pool, req)))
		return true;
	spin_lock_irqsave(&pool->lock, flags);
	list_add_tail(&req->waiter.list, &pool->gate[use][group]);
	/*
	 * Said before it is counted once more, and that is fully ordered, as is the counting of
	 * those that leave: they see that somebody waits, or we see that they have left.
	 */
	WRITE_ONCE(pool->gates, pool->gates | bit);
	ccdm_pages_open_gates(pool, group, &granted);
	list_for_each_entry_safe(in, tmp, &granted, waiter.list)
		if (in == req) {
			list_del_init(&req->waiter.list);
			ok = true;
		}
	spin_unlock_irqrestore(&pool->lock, flags);
	ccdm_pages_tell(&granted);
	return ok;
}

void ccdm_pages_leave(struct ccdm_pages *pool, const struct ccdm_page_req *req, unsigned int nr)
{
	unsigned int group = req->waiter.group;
	enum ccdm_pages_use use = ccdm_pages_use(req);
	u32 bits = ccdm_pages_gate_bit(CCDM_PAGES_READS, group) |
		   ccdm_pages_gate_bit(CCDM_PAGES_WRITES, group);
	LIST_HEAD(granted);
	unsigned long flags;

	atomic_sub_return(nr, &pool->held[use][group]);
	if (likely(!(READ_ONCE(pool->gates) & bits)))
		return;
	spin_lock_irqsave(&pool->lock, flags);
	ccdm_pages_open_gates(pool, group, &granted);
	spin_unlock_irqrestore(&pool->lock, flags);
	ccdm_pages_tell(&granted);
}

/* ---- the line ------------------------------------------------------------ */

/* Empty the per-CPU lists into the common one. */
static void ccdm_pages_gather(struct ccdm_pages *pool)
{
	struct ccdm_vecs *vecs;
	unsigned int cpu;

	lockdep_assert_held(&pool->lock);
	for_each_possible_cpu(cpu) {
		struct ccdm_pages_cpu *pc = per_cpu_ptr(pool->cpu, cpu);

		spin_lock(&pc->lock);
		pool->common.nr += pc->list.nr;
		ccdm_pages_move(&pc->list, pc->list.nr, &pool->common.head);
		while ((vecs = ccdm_vecs_pop(&pc->list)))
			ccdm_vecs_push(&pool->common, vecs);
		spin_unlock(&pc->lock);
	}
}

/* All or none, from what is kept for this use and, with @common, from what is not kept. */
static bool ccdm_pages_grant(struct ccdm_pages *pool, struct ccdm_page_req *req, bool common)
{
	struct ccdm_pages_list *kept = &pool->kept[ccdm_pages_use(req)];
	unsigned int n = common ? min(req->nr, pool->common.nr) : 0;

	lockdep_assert_held(&pool->lock);
	/* coverage: tables suffice for all pages: who can have its pages can have a table */
	if (n + kept->nr < req->nr ||
	    (ccdm_pages_needs_vecs(req) && !kept->vecs && !(common && pool->common.vecs)))
		return false;
	ccdm_pages_move(&pool->common, n, &req->pages);
	ccdm_pages_move(kept, req->nr - n, &req->pages);
	if (ccdm_pages_needs_vecs(req)) {
		req->vecs = common ? ccdm_vecs_pop(&pool->common) : NULL;
		if (!req->vecs)
			req->vecs = ccdm_vecs_pop(kept);
	}
	return true;
}

/*
 * Serve the line in its order. Where the next waiter cannot have its pages nobody after
 * it takes from what it waits for: a rank that is served later has only what is kept for
 * its use, and writes among themselves keep their order.
 */
static bool ccdm_pages_serve_line(struct ccdm_pages *pool, struct list_head *granted)
{
	bool common = true, writes = true, all = true;
	struct ccdm_waiter *waiter;
	u8 order[CCDM_RANKS];
	unsigned int i;

	ccdm_line_order(&pool->line, order);
	for (i = 0; i < CCDM_RANKS; i++) {
		if (order[i] != CCDM_RANK_READ && !writes)
			continue;
		while ((waiter = ccdm_line_next(&pool->line, order[i], 0))) {
			struct ccdm_page_req *req =
				container_of(waiter, struct ccdm_page_req, waiter);

			if (!ccdm_pages_grant(pool, req, common)) {
				if (order[i] != CCDM_RANK_READ)
					writes = false;
				common = false;
				all = false;
				break;
			}
			ccdm_line_serve(&pool->line, waiter);
			list_add_tail(&waiter->list, granted);
		}
	}
	return all;
}

static void ccdm_pages_serve(struct ccdm_pages *pool, struct list_head *granted)
{
	enum ccdm_pages_use use;
	bool slow;

	lockdep_assert_held(&pool->lock);
	if (!ccdm_pages_serve_line(pool, granted)) {
		/* Pages may have gone to a CPU before it was said that somebody waits. */
		ccdm_pages_gather(pool);
		ccdm_pages_serve_line(pool, granted);
	}
	slow = !ccdm_line_empty(&pool->line);
	for (use = 0; use < CCDM_PAGES_USES; use++)
		slow |= pool->kept[use].nr < pool->keep ||
			pool->kept[use].nr_vecs < pool->keep_vecs;
	WRITE_ONCE(pool->slow, slow);
}

bool ccdm_pages_take(struct ccdm_pages *pool, struct ccdm_page_req *req, bool wait)
{
	struct ccdm_pages_cpu *pc;
	LIST_HEAD(granted);
	unsigned long flags;
	bool ok = false;

	req->vecs = NULL;
	/* Another CPU's by now, perhaps: its lock is what counts. */
	pc = raw_cpu_ptr(pool->cpu);
	spin_lock_irqsave(&pc->lock, flags);
	if (pc->list.nr >= req->nr && (!ccdm_pages_needs_vecs(req) || pc->list.vecs)) {
		ccdm_pages_move(&pc->list, req->nr, &req->pages);
		if (ccdm_pages_needs_vecs(req))
			req->vecs = ccdm_vecs_pop(&pc->list);
		ok = true;
	}
	spin_unlock_irqrestore(&pc->lock, flags);
	if (ok)
		return true;

	spin_lock_irqsave(&pool->lock, flags);
	ccdm_line_add(&pool->line, &req->waiter);
	/*
	 * Said before the line is served: who gives pages back later sees it and comes here.
	 * Pairs with the per-CPU locks.
	 */
	WRITE_ONCE(pool->slow, true);
	ccdm_pages_serve(pool, &granted);
	ok = req->pages;
	if (ok)
		list_del_init(&req->waiter.list);
	else if (!wait)
		ccdm_line_remove(&pool->line, &req->waiter);
	spin_unlock_irqrestore(&pool->lock, flags);
	ccdm_pages_tell(&granted);
	return ok;
}

void ccdm_pages_put(struct ccdm_pages *pool, struct ccdm_page_req *req)
{
	struct ccdm_pages_list *kept = &pool->kept[ccdm_pages_use(req)];
	struct ccdm_pages_list back = { req->pages, req->nr };
	struct ccdm_vecs *vecs = req->vecs;
	struct ccdm_pages_cpu *pc;
	LIST_HEAD(granted);
	unsigned long flags;
	bool ok;

	req->pages = NULL;
	req->vecs = NULL;

	pc = raw_cpu_ptr(pool->cpu);
	spin_lock_irqsave(&pc->lock, flags);
	ok = !READ_ONCE(pool->slow) && pc->list.nr + back.nr <= pool->cpu_max;
	if (ok) {
		ccdm_pages_add(&pc->list, back.head);
		if (vecs)
			ccdm_vecs_push(&pc->list, vecs);
	}
	spin_unlock_irqrestore(&pc->lock, flags);
	if (ok)
		return;

	spin_lock_irqsave(&pool->lock, flags);
	if (kept->nr < pool->keep) {
		unsigned int n = min(pool->keep - kept->nr, back.nr);

		kept->nr += n;
		ccdm_pages_move(&back, n, &kept->head);
	}
	if (back.nr)
		ccdm_pages_add(&pool->common, back.head);
	if (vecs)
		ccdm_vecs_push(kept->nr_vecs < pool->keep_vecs ? kept : &pool->common, vecs);
	ccdm_pages_serve(pool, &granted);
	spin_unlock_irqrestore(&pool->lock, flags);
	ccdm_pages_tell(&granted);
}

/* ---- life ---------------------------------------------------------------- */

int ccdm_pages_init(struct ccdm_pages *pool, unsigned int nr)
{
	enum ccdm_pages_use use;
	unsigned int i, cpu;

	spin_lock_init(&pool->lock);
	ccdm_line_init(&pool->line);
	for (use = 0; use < CCDM_PAGES_USES; use++)
		for (i = 0; i < CCDM_GROUPS; i++)
			INIT_LIST_HEAD(&pool->gate[use][i]);
	/* Enough for the largest I/O, where there are enough. */
	pool->keep = min(max(nr / 8, CCDM_NODE_ENTRIES), nr / 4);
	pool->keep_vecs = ccdm_pages_nr_vecs(pool->keep);
	pool->bound = nr - CCDM_PAGES_USES * pool->keep;
	/* So that all groups together have no more than is kept for their use. */
	pool->few = pool->keep / CCDM_GROUPS;
	/* At most half of what is not kept stays with the CPUs. */
	pool->cpu_max = min(CCDM_PAGES_CPU_MAX, pool->bound / 2 / num_online_cpus());

	pool->cpu = alloc_percpu(struct ccdm_pages_cpu);
	if (!pool->cpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(pool->cpu, cpu)->lock);
	pool->all = kvcalloc(nr, sizeof(*pool->all), GFP_KERNEL);
	pool->vecs = kvcalloc(ccdm_pages_nr_vecs(nr), sizeof(*pool->vecs), GFP_KERNEL);
	if (!pool->all || !pool->vecs)
		return -ENOMEM;

	for (i = 0; i < nr; i++) {
		struct ccdm_pg *pg = &pool->all[i];

		pg->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pg->page)
			return -ENOMEM;
		pool->nr++;
		ccdm_pages_add(&pool->common, pg);
	}
	for (i = 0; i < ccdm_pages_nr_vecs(nr); i++)
		ccdm_vecs_push(&pool->common, &pool->vecs[i]);
	for (use = 0; use < CCDM_PAGES_USES; use++) {
		pool->kept[use].nr = pool->keep;
		ccdm_pages_move(&pool->common, pool->keep, &pool->kept[use].head);
		for (i = 0; i < pool->keep_vecs; i++)
			ccdm_vecs_push(&pool->kept[use], ccdm_vecs_pop(&pool->common));
	}
	return 0;
}

void ccdm_pages_exit(struct ccdm_pages *pool)
{
	unsigned int i;

	for (i = 0; i < pool->nr; i++)
		__free_page(pool->all[i].page);
	kvfree(pool->all);
	kvfree(pool->vecs);
	free_percpu(pool->cpu);
	memset(pool, 0, sizeof(*pool));
}

unsigned int ccdm_pages_free(struct ccdm_pages *pool)
{
	unsigned int n = READ_ONCE(pool->common.nr), cpu;
	enum ccdm_pages_use use;

	for (use = 0; use < CCDM_PAGES_USES; use++)
		n += READ_ONCE(pool->kept[use].nr);
	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(pool->cpu, cpu)->list.nr);
	return n;
}
