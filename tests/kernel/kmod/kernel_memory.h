/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* kernel_memory.h - the kernel's memory, pages and shrinkers; kernel.h includes it */
#ifndef CCDM_TEST_KERNEL_MEMORY_H
#define CCDM_TEST_KERNEL_MEMORY_H

#define __GFP_ZERO		1u
#define __GFP_NORETRY		2u
#define __GFP_NOWARN		4u
#define __GFP_NOMEMALLOC	64u
#define GFP_KERNEL		8u
#define GFP_NOIO		16u
#define GFP_NOWAIT		32u
#define memalloc_noio_save()	0u
#define memalloc_noio_restore(x)	((void)(x))

void *sim_alloc(size_t size);
void sim_free(void *p);
#define kmalloc(n, gfp)		sim_alloc(n)
#define kzalloc(n, gfp)		sim_alloc(n)
#define kvzalloc(n, gfp)	sim_alloc(n)
#define kvcalloc(n, size, gfp)	sim_alloc((n) * (size))
#define kfree(p)		sim_free(p)
#define kvfree(p)		sim_free(p)

struct kmem_cache;
#define KMEM_CACHE(s, flags)	((struct kmem_cache *)sizeof(struct s))
#define kmem_cache_zalloc(k, gfp)	sim_alloc((size_t)(k))
#define kmem_cache_free(k, p)	sim_free(p)
#define kmem_cache_destroy(k)	((void)(k))

struct page {
	u64 nr;
};

struct page *alloc_page(gfp_t gfp);
void __free_page(struct page *page);
void *page_address(struct page *page);
struct page *virt_to_page(const void *p);
#define clear_page(p)		memset(p, 0, PAGE_SIZE)
#define clear_highpage(p)	memset(page_address(p), 0, PAGE_SIZE)

static inline unsigned long __get_free_page(gfp_t gfp)
{
	struct page *page = alloc_page(gfp);

	return page ? (unsigned long)page_address(page) : 0;
}

#define free_page(p)		__free_page(virt_to_page((void *)(p)))

struct shrink_control {
	unsigned long nr_to_scan;
};

#define SHRINK_EMPTY		(~0ul - 1)
#define SHRINK_STOP		(~0ul)

struct shrinker {
	unsigned long (*count_objects)(struct shrinker *s, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *s, struct shrink_control *sc);
	void *private;
};

struct shrinker *ccdm_shrinker_new(unsigned long (*count)(struct shrinker *, struct shrink_control *),
				   unsigned long (*scan)(struct shrinker *, struct shrink_control *),
				   void *private, const char *name);
void ccdm_shrinker_free(struct shrinker *s);
#define ccdm_shrinker_private(s)	((s)->private)

#endif /* CCDM_TEST_KERNEL_MEMORY_H */
