// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* memory.c - see memory.h */
#include <sys/mman.h>
#include "memory.h"

#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#define poison(p, n)   __asan_poison_memory_region(p, n)
#define unpoison(p, n) __asan_unpoison_memory_region(p, n)
#else
#define poison(p, n)   ((void)(p))
#define unpoison(p, n) ((void)(p))
#endif

#define PAGES 32768u

static u64 held, called[SIM_CALLS], failed, failed_of[SIM_CALLS];

/* ---- failing calls ---------------------------------------------------------------- */

static struct {
	enum sim_call call;
	u64 from, to;
	unsigned int per[SIM_CALLS];
} plan;

void sim_fail(enum sim_call call, u64 n, u64 times)
{
	plan.call = call;
	plan.from = (call < SIM_CALLS ? called[call] : 0) + n;
	plan.to = plan.from + times;
}

void sim_fail_often(enum sim_call call, unsigned int per)
{
	plan.per[call] = per;
}

void sim_fail_never(void)
{
	memset(&plan, 0, sizeof(plan));
	failed = 0;
	memset(failed_of, 0, sizeof(failed_of));
}

u64 sim_failed(void)
{
	return failed;
}

u64 sim_failed_of(enum sim_call call)
{
	return failed_of[call];
}

bool sim_fails(enum sim_call call)
{
	u64 n = ++called[call];
	bool fails = (call == plan.call && n >= plan.from && n < plan.to) ||
		     (plan.per[call] && !sim_draw(plan.per[call]));

	failed += fails;
	failed_of[call] += fails;
	return fails;
}

/* ---- memory ----------------------------------------------------------------------- */

void *sim_alloc(size_t size)
{
	void *p = sim_fails(SIM_ALLOC) ? NULL : calloc(1, size);

	if (p)
		held++;
	return p;
}

void *sim_take(size_t size)
{
	void *p = calloc(1, size);

	assert(p);
	held++;
	return p;
}

void sim_free(void *p)
{
	if (p)
		held--;
	free(p);
}

u64 sim_held(void)
{
	return held;
}

struct percpu {
	struct percpu *next;
	size_t size;
	char *base;
};

static struct percpu *areas;

void *sim_percpu_alloc(size_t size)
{
	struct percpu *a = sim_alloc(sizeof(*a));

	if (!a)
		return NULL;
	a->base = sim_alloc(SIM_CPUS * SIM_PERCPU);
	if (!a->base) {
		sim_free(a);
		return NULL;
	}
	assert(size <= SIM_PERCPU);
	a->size = size;
	a->next = areas;
	areas = a;
	return a->base;
}

/* Addresses outside of the per-CPU areas are variables of the module, which exist once. */
void *sim_percpu(void *base, unsigned int cpu)
{
	struct percpu *a;

	for (a = areas; a; a = a->next)
		if ((char *)base >= a->base && (char *)base < a->base + a->size)
			return (char *)base + cpu * SIM_PERCPU;
	return base;
}

void sim_percpu_free(void *base)
{
	struct percpu **p, *a;

	for (p = &areas; base && *p; p = &(*p)->next)
		if ((*p)->base == base) {
			a = *p;
			*p = a->next;
			sim_free(a->base);
			sim_free(a);
			return;
		}
}

static struct page page_table[PAGES];
static u8 *page_memory;
static unsigned int free_pages[PAGES], nr_free_pages, user_pages;

void sim_pages_init(unsigned int user)
{
	unsigned int i;

	page_memory = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(page_memory != MAP_FAILED);
	user_pages = user;
	for (i = 0; i < PAGES; i++)
		page_table[i].nr = i;
	for (i = PAGES; i > user; i--)
		free_pages[nr_free_pages++] = i - 1;
	poison(page_memory + user * PAGE_SIZE, (PAGES - user) * PAGE_SIZE);
}

struct page *sim_user_pages(void)
{
	return page_table;
}

bool sim_is_users(const struct page *page)
{
	return page->nr < user_pages;
}

struct page *alloc_page(gfp_t gfp)
{
	struct page *page;

	if (sim_fails(SIM_ALLOC))
		return NULL;
	assert(nr_free_pages);
	page = &page_table[free_pages[--nr_free_pages]];
	held++;
	unpoison(page_address(page), PAGE_SIZE);
	memset(page_address(page), gfp & __GFP_ZERO ? 0 : 0xa5, PAGE_SIZE);
	return page;
}

void __free_page(struct page *page)
{
	assert(page->nr >= user_pages && page->nr < PAGES);
	poison(page_address(page), PAGE_SIZE);
	free_pages[nr_free_pages++] = page->nr;
	held--;
}

void *page_address(struct page *page)
{
	return page_memory + page->nr * PAGE_SIZE;
}

struct page *virt_to_page(const void *p)
{
	return &page_table[((const u8 *)p - page_memory) / PAGE_SIZE];
}

struct shrinker *ccdm_shrinker_new(unsigned long (*count)(struct shrinker *,
							  struct shrink_control *),
				   unsigned long (*scan)(struct shrinker *,
							 struct shrink_control *),
				   void *private, const char *name)
{
	struct shrinker *s = sim_alloc(sizeof(*s));

	(void)name;
	if (s)
		*s = (struct shrinker){ count, scan, private };
	return s;
}

void ccdm_shrinker_free(struct shrinker *s)
{
	sim_free(s);
}
