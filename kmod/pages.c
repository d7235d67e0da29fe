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
#define CCDM_PAGES_CPU_MAX	64

static unsigned int ccdm_pages_nr_vecs(unsigned int nr)
{
	return nr / CCDM_PAGES_PER_VECS;
}

size_t ccdm_pages_cost(unsigned int nr)
{
	return (size_t)nr * (PAGE_SIZE + sizeof(struct ccdm_pg)) +
	       ccdm_pages_nr_vecs(nr) * sizeof(struct ccdm_vecs);
}

int ccdm_pages_init(struct ccdm_pages *pool, unsigned int nr)
{
	unsigned int i, cpu;

	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->line);
	pool->cpu_max = min(CCDM_PAGES_CPU_MAX, nr / 8);

	pool->cpu = alloc_percpu(struct ccdm_pages_cpu);
	pool->all = kvcalloc(nr, sizeof(*pool->all), GFP_KERNEL);
	if (!pool->cpu || !pool->all)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(pool->cpu, cpu)->lock);

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
		vecs->next = pool->vecs;
		pool->vecs = vecs;
	}
	return 0;
}

void ccdm_pages_exit(struct ccdm_pages *pool)
{
	struct ccdm_vecs *vecs;
	unsigned int i;

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

/* Take @nr pages off a list that has them. */
static struct ccdm_pg *ccdm_pages_cut(struct ccdm_pg **head, unsigned int nr)
{
	struct ccdm_pg *first = *head, *last = first;

	while (--nr)
		last = last->next;
	*head = last->next;
	last->next = NULL;
	return first;
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

/* Empty the per-CPU lists into the common one. */
static void ccdm_pages_gather(struct ccdm_pages *pool)
{
	unsigned int cpu, n;

	lockdep_assert_held(&pool->lock);
	for_each_possible_cpu(cpu) {
		struct ccdm_pages_cpu *pc = per_cpu_ptr(pool->cpu, cpu);
		struct ccdm_pg *list;

		spin_lock(&pc->lock);
		list = pc->head;
		pc->head = NULL;
		pc->nr = 0;
		spin_unlock(&pc->lock);
		if (list) {
			ccdm_pages_last(list, &n)->next = pool->head;
			pool->head = list;
			pool->nr_head += n;
		}
	}
}

/* All or none from the common list. */
static bool ccdm_pages_grant(struct ccdm_pages *pool, struct ccdm_want *want)
{
	bool vecs = want->nr > CCDM_INLINE_VECS;

	lockdep_assert_held(&pool->lock);
	if ((vecs && !pool->vecs) || pool->nr_head < want->nr)
		return false;
	want->pages = ccdm_pages_cut(&pool->head, want->nr);
	pool->nr_head -= want->nr;
	if (vecs) {
		want->vecs = pool->vecs;
		pool->vecs = want->vecs->next;
	}
	return true;
}

bool ccdm_pages_take(struct ccdm_pages *pool, struct ccdm_want *want, bool wait)
{
	struct ccdm_pages_cpu *pc;
	unsigned long flags;
	bool ok = false;

	want->vecs = NULL;
	if (want->nr <= CCDM_INLINE_VECS) {
		local_irq_save(flags);
		pc = this_cpu_ptr(pool->cpu);
		spin_lock(&pc->lock);
		if (pc->nr >= want->nr) {
			want->pages = ccdm_pages_cut(&pc->head, want->nr);
			pc->nr -= want->nr;
			ok = true;
		}
		spin_unlock(&pc->lock);
		local_irq_restore(flags);
		if (ok)
			return true;
	}

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
	unsigned long flags;
	unsigned int n;

	want->pages = NULL;
	if (!list)
		return;
	last = ccdm_pages_last(list, &n);

	if (!want->vecs) {
		bool ok = false;

		local_irq_save(flags);
		pc = this_cpu_ptr(pool->cpu);
		spin_lock(&pc->lock);
		if (!READ_ONCE(pool->waiting) && pc->nr + n <= pool->cpu_max) {
			last->next = pc->head;
			pc->head = list;
			pc->nr += n;
			ok = true;
		}
		spin_unlock(&pc->lock);
		local_irq_restore(flags);
		if (ok)
			return;
	}

	spin_lock_irqsave(&pool->lock, flags);
	last->next = pool->head;
	pool->head = list;
	pool->nr_head += n;
	if (want->vecs) {
		want->vecs->next = pool->vecs;
		pool->vecs = want->vecs;
		want->vecs = NULL;
	}
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

unsigned int ccdm_pages_free(struct ccdm_pages *pool)
{
	unsigned int n = READ_ONCE(pool->nr_head), cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(pool->cpu, cpu)->nr);
	return n;
}
