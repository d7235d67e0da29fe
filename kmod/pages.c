// SPDX-License-Identifier: GPL-2.0-only
/*
 * pages.c - the pages that the host may see
 *
 * In a confidential VM a page named in a bio is copied to memory shared with
 * the host, before a read as well as before a write. So every bio that goes to
 * the backing device names pages of this pool, and nothing but ciphertext is
 * ever put into them.
 *
 * A bio takes all its pages or none; who cannot have them stands in line. While
 * anybody does, what is given back goes to the line, and the per-CPU lists are
 * emptied for its head.
 */
#include <linux/slab.h>
#include "ccdm.h"

/* One table for this many pages: an I/O that needs one has more than 8. */
#define CCDM_PAGES_PER_VECS	16
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

static void ccdm_vecs_push(struct ccdm_vecs **head, struct ccdm_vecs *vecs)
{
	vecs->next = *head;
	*head = vecs;
}

/* Fill @want from a list of pages and one of tables, if they have it all. */
static bool ccdm_pages_fill(struct ccdm_want *want, struct ccdm_pg **head, unsigned int *nr,
			    struct ccdm_vecs **vecs)
{
	struct ccdm_pg *last = *head;
	unsigned int n = want->nr;

	if (*nr < n || (n > CCDM_INLINE_VECS && !*vecs))
		return false;
	if (n > CCDM_INLINE_VECS) {
		want->vecs = *vecs;
		*vecs = want->vecs->next;
	}
	want->pages = *head;
	*nr -= n;
	while (--n)
		last = last->next;
	*head = last->next;
	last->next = NULL;
	return true;
}

static struct ccdm_pg *ccdm_pages_last(struct ccdm_pg *pg, unsigned int *nr)
{
	*nr = 1;
	while (pg->next) {
		pg = pg->next;
		(*nr)++;
	}
	return pg;
}

/* Empty the per-CPU lists into the common ones. */
static void ccdm_pages_gather(struct ccdm_pages *pool)
{
	unsigned int cpu, n;

	lockdep_assert_held(&pool->lock);
	for_each_possible_cpu(cpu) {
		struct ccdm_pages_cpu *pc = per_cpu_ptr(pool->cpu, cpu);
		struct ccdm_vecs *vecs;
		struct ccdm_pg *list;

		spin_lock(&pc->lock);
		list = pc->head;
		pc->head = NULL;
		pc->nr = 0;
		while ((vecs = pc->vecs)) {
			pc->vecs = vecs->next;
			ccdm_vecs_push(&pool->vecs, vecs);
		}
		spin_unlock(&pc->lock);
		if (list) {
			ccdm_pages_last(list, &n)->next = pool->head;
			pool->head = list;
			pool->nr_head += n;
		}
	}
}

/* All or none from the common lists. */
static bool ccdm_pages_grant(struct ccdm_pages *pool, struct ccdm_want *want)
{
	lockdep_assert_held(&pool->lock);
	return ccdm_pages_fill(want, &pool->head, &pool->nr_head, &pool->vecs);
}

bool ccdm_pages_take(struct ccdm_pages *pool, struct ccdm_want *want, bool wait)
{
	struct ccdm_pages_cpu *pc;
	unsigned long flags;
	bool ok;

	want->vecs = NULL;
	local_irq_save(flags);
	pc = this_cpu_ptr(pool->cpu);
	spin_lock(&pc->lock);
	ok = ccdm_pages_fill(want, &pc->head, &pc->nr, &pc->vecs);
	spin_unlock(&pc->lock);
	local_irq_restore(flags);
	if (ok)
		return true;

	spin_lock_irqsave(&pool->lock, flags);
	if (list_empty(&pool->line)) {
		ok = ccdm_pages_grant(pool, want);
		if (!ok) {
			/*
			 * Said before the per-CPU lists are emptied, under their
			 * locks: who gives back later sees it and comes here.
			 */
			WRITE_ONCE(pool->waiting, 1);
			ccdm_pages_gather(pool);
			ok = ccdm_pages_grant(pool, want);
			if (ok || !wait)
				WRITE_ONCE(pool->waiting, 0);
		}
	}
	if (!ok && wait)
		list_add_tail(&want->list, &pool->line);
	spin_unlock_irqrestore(&pool->lock, flags);
	return ok;
}

void ccdm_pages_put(struct ccdm_pages *pool, struct ccdm_want *want)
{
	struct ccdm_pg *list = want->pages, *last;
	struct ccdm_want *next, *tmp;
	struct ccdm_pages_cpu *pc;
	LIST_HEAD(granted);
	struct ccdm_vecs *vecs = want->vecs;
	unsigned long flags;
	unsigned int n;
	bool ok;

	want->pages = NULL;
	want->vecs = NULL;
	last = ccdm_pages_last(list, &n);

	local_irq_save(flags);
	pc = this_cpu_ptr(pool->cpu);
	spin_lock(&pc->lock);
	ok = !READ_ONCE(pool->waiting) && pc->nr + n <= pool->cpu_max;
	if (ok) {
		last->next = pc->head;
		pc->head = list;
		pc->nr += n;
		if (vecs)
			ccdm_vecs_push(&pc->vecs, vecs);
	}
	spin_unlock(&pc->lock);
	local_irq_restore(flags);
	if (ok)
		return;

	spin_lock_irqsave(&pool->lock, flags);
	last->next = pool->head;
	pool->head = list;
	pool->nr_head += n;
	if (vecs)
		ccdm_vecs_push(&pool->vecs, vecs);
	list_for_each_entry_safe(next, tmp, &pool->line, list) {
		if (!ccdm_pages_grant(pool, next)) {
			/* Pages may have gone to a CPU before the line was seen. */
			ccdm_pages_gather(pool);
			if (!ccdm_pages_grant(pool, next))
				break;
		}
		list_move_tail(&next->list, &granted);
	}
	if (list_empty(&pool->line))
		WRITE_ONCE(pool->waiting, 0);
	spin_unlock_irqrestore(&pool->lock, flags);

	list_for_each_entry_safe(next, tmp, &granted, list) {
		list_del_init(&next->list);
		next->granted(next);
	}
}

int ccdm_pages_init(struct ccdm_pages *pool, unsigned int nr)
{
	unsigned int i, cpu;

	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->line);
	/* At most half of all stay with the CPUs. */
	pool->cpu_max = min(CCDM_PAGES_CPU_MAX, nr / 2 / num_online_cpus());

	pool->cpu = alloc_percpu(struct ccdm_pages_cpu);
	if (!pool->cpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(pool->cpu, cpu)->lock);
	pool->all = kvcalloc(nr, sizeof(*pool->all), GFP_KERNEL);
	if (!pool->all)
		return -ENOMEM;

	for (i = 0; i < nr; i++) {
		struct ccdm_pg *pg = &pool->all[i];

		pg->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pg->page)
			return -ENOMEM;
		pool->nr++;
		pg->next = pool->head;
		pool->head = pg;
		pool->nr_head++;
	}
	for (i = 0; i < ccdm_pages_nr_vecs(nr); i++) {
		struct ccdm_vecs *vecs = kmalloc(sizeof(*vecs), GFP_KERNEL);

		if (!vecs)
			return -ENOMEM;
		ccdm_vecs_push(&pool->vecs, vecs);
	}
	return 0;
}

void ccdm_pages_exit(struct ccdm_pages *pool)
{
	struct ccdm_vecs *vecs;
	unsigned int i;

	if (pool->cpu) {
		spin_lock_irq(&pool->lock);
		ccdm_pages_gather(pool);
		spin_unlock_irq(&pool->lock);
	}
	for (i = 0; i < pool->nr; i++)
		__free_page(pool->all[i].page);
	kvfree(pool->all);
	while ((vecs = pool->vecs)) {
		pool->vecs = vecs->next;
		kfree(vecs);
	}
	free_percpu(pool->cpu);
	memset(pool, 0, sizeof(*pool));
}

unsigned int ccdm_pages_free(struct ccdm_pages *pool)
{
	unsigned int n = READ_ONCE(pool->nr_head), cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(pool->cpu, cpu)->nr);
	return n;
}
