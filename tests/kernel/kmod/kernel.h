/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * kernel.h - as much of the kernel as kmod/ needs to run in a program
 *
 * Included before everything; the kernel's own headers are empty files here. Workers,
 * completions and clients are coroutines of sched.c, which goes on with another one at
 * every lock, atomic and barrier: which one is drawn from a seed, or from the bytes of a
 * fuzzer. Memory and pages are in memory.c, bios and the device in block.c. What is drawn or fails is
 * decided in one place, sim_draw() and sim_fails().
 */
#ifndef CCDM_TEST_KERNEL_H
#define CCDM_TEST_KERNEL_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#define SIM_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN
#endif
#endif

/* ---- the test's side ----------------------------------------------------------- */

/* Below @n; never the same for another seed. */
unsigned int sim_draw(unsigned int n);
/* Another coroutine may go on here. */
void sim_yield(void);
/* The test has found something: says so, with the seed, and ends the program. */
void __attribute__((noreturn, format(printf, 1, 2))) sim_bug(const char *fmt, ...);
void __attribute__((format(printf, 1, 2))) sim_log(const char *fmt, ...);

enum sim_call {
	SIM_ALLOC,	/* of memory, also of pages */
	SIM_READ,	/* of the device */
	SIM_WRITE,
	SIM_SEAL,
	SIM_OPEN,
	SIM_NUMBER,	/* there is no sequence number left */
	SIM_CALLS,
};

/* Is this call one that fails? */
bool sim_fails(enum sim_call call);

/* ---- words ------------------------------------------------------------------------- */

typedef uint8_t u8, __u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64, __u64, __le64, sector_t;
typedef long long s64;
typedef unsigned int gfp_t;
typedef unsigned int blk_opf_t;
typedef u8 blk_status_t;

#define __must_check		__attribute__((warn_unused_result))
#define __percpu
#define ____cacheline_aligned_in_smp
#define noinline
#define likely(x)		(x)
#define unlikely(x)		(x)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define WARN_ON_ONCE(x)		({ bool _w = (x); if (_w) sim_bug("a warning: " #x); _w; })
#define BUILD_BUG_ON(x)		_Static_assert(!(x), #x)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define U64_MAX			UINT64_MAX
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096ul
#define le64_to_cpu(x)		le64toh(x)
#define cpu_to_le64(x)		htole64(x)

#define container_of(p, type, member)	((type *)((char *)(p) - offsetof(type, member)))
#define min(a, b)		({ __auto_type _a = (a); __auto_type _b = (b); _a < _b ? _a : _b; })
#define max(a, b)		({ __auto_type _c = (a); __auto_type _d = (b); _c > _d ? _c : _d; })
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define clamp_t(t, v, lo, hi)	clamp((t)(v), (t)(lo), (t)(hi))

static inline int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

static inline u64 roundup_pow_of_two(u64 n)
{
	return n < 2 ? 1 : 1ull << (ilog2(n - 1) + 1);
}

#define IS_ERR(p)		((uintptr_t)(p) >= (uintptr_t)-4095)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define PTR_ERR(p)		((int)(intptr_t)(p))
#define ERR_PTR(e)		((void *)(intptr_t)(e))

/* ---- memory that others see ------------------------------------------------------------ */

#define READ_ONCE(x)		({ sim_yield(); *(volatile __typeof__(x) *)&(x); })
#define WRITE_ONCE(x, v)	({ *(volatile __typeof__(x) *)&(x) = (v); sim_yield(); })
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
#define smp_mb()		sim_yield()
#define xchg(p, v)		({ __typeof__(*(p)) _o = *(p); *(p) = (v); sim_yield(); _o; })

typedef struct {
	int n;
} atomic_t;

typedef struct {
	s64 n;
} atomic64_t;

#define atomic_set(a, v)	((a)->n = (v))
#define atomic64_set(a, v)	((a)->n = (v))
#define atomic_read(a)		({ sim_yield(); (a)->n; })
#define atomic_inc(a)		({ (a)->n++; sim_yield(); })
#define atomic_dec_return(a)	atomic_sub_return(1, a)
#define atomic_dec(a)		({ (a)->n--; sim_yield(); })
#define atomic_dec_and_test(a)	({ int _n = --(a)->n; if (_n < 0) sim_bug("a count below zero"); sim_yield(); !_n; })
#define atomic_add_return(v, a)	({ int _n = (a)->n += (v); sim_yield(); _n; })
#define atomic_sub_return(v, a)	({ int _n = (a)->n -= (v); if (_n < 0) sim_bug("a count below zero"); sim_yield(); _n; })
#define atomic64_add_return(v, a)	({ s64 _n = (a)->n += (v); sim_yield(); _n; })
#define set_bit(i, p)		({ ((unsigned long *)(p))[(i) / 64] |= 1ul << (i) % 64; sim_yield(); })

/* Two CPUs; a coroutine stays on its own. */
#define SIM_CPUS		2
#define SIM_PERCPU		4096
unsigned int sim_cpu(void);
void *sim_percpu(void *base, unsigned int cpu);
void *sim_percpu_alloc(size_t size);
void sim_percpu_free(void *base);

#define num_online_cpus()	((unsigned int)SIM_CPUS)
#define num_possible_cpus()	((unsigned int)SIM_CPUS)
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < SIM_CPUS; (cpu)++)
#define alloc_percpu(type)	((type *)sim_percpu_alloc(sizeof(type)))
#define free_percpu(p)		sim_percpu_free(p)
#define per_cpu_ptr(p, cpu)	((__typeof__(p))sim_percpu(p, cpu))
#define this_cpu_ptr(p)		per_cpu_ptr(p, sim_cpu())
/* (Who may be moved may be anywhere by now.) */
#define raw_cpu_ptr(p)		per_cpu_ptr(p, sim_draw(16) ? sim_cpu() : sim_draw(SIM_CPUS))
#define DEFINE_PER_CPU(type, name)	type name	/* of the module itself: one for all CPUs */
#define per_cpu(name, cpu)	(*((void)(cpu), &(name)))
#define this_cpu_add(x, v)	(*this_cpu_ptr(&(x)) += (v))

/* ---- lists --------------------------------------------------------------------------- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD(name)		struct list_head name = { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h->prev = h;
}

static inline void sim_list_put(struct list_head *e, struct list_head *prev, struct list_head *next)
{
	next->prev = e;
	e->next = next;
	e->prev = prev;
	prev->next = e;
}

static inline void list_add(struct list_head *e, struct list_head *h)
{
	sim_list_put(e, h, h->next);
}

static inline void list_add_tail(struct list_head *e, struct list_head *h)
{
	sim_list_put(e, h->prev, h);
}

static inline void list_del(struct list_head *e)
{
	if (e->next->prev != e || e->prev->next != e)
		sim_bug("a list is broken");
	e->next->prev = e->prev;
	e->prev->next = e->next;
	e->next = e->prev = NULL;
}

static inline void list_del_init(struct list_head *e)
{
	list_del(e);
	INIT_LIST_HEAD(e);
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

#define list_empty_careful(h)	list_empty(h)

static inline void list_move_tail(struct list_head *e, struct list_head *h)
{
	list_del(e);
	list_add_tail(e, h);
}

static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
	while (!list_empty(from)) {
		struct list_head *e = from->prev;

		list_del(e);
		list_add(e, to);
	}
}

#define list_entry(p, type, member)		container_of(p, type, member)
#define list_first_entry(h, type, member)	list_entry((h)->next, type, member)
#define list_first_entry_or_null(h, type, member) \
	(list_empty(h) ? NULL : list_first_entry(h, type, member))
#define list_for_each(p, h)	for ((p) = (h)->next; (p) != (h); (p) = (p)->next)
#define list_for_each_entry(p, h, member)					\
	for ((p) = list_entry((h)->next, __typeof__(*(p)), member); &(p)->member != (h); \
	     (p) = list_entry((p)->member.next, __typeof__(*(p)), member))
#define list_for_each_entry_safe(p, n, h, member)				\
	for ((p) = list_entry((h)->next, __typeof__(*(p)), member),		\
	     (n) = list_entry((p)->member.next, __typeof__(*(p)), member); &(p)->member != (h); \
	     (p) = (n), (n) = list_entry((n)->member.next, __typeof__(*(p)), member))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	if (n->next)
		n->next->pprev = &n->next;
	h->first = n;
	n->pprev = &h->first;
}

static inline void hlist_del(struct hlist_node *n)
{
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
	n->next = NULL;
	n->pprev = NULL;
}

#define sim_hlist_entry(p, type, member)	((p) ? container_of(p, type, member) : NULL)
#define hlist_for_each_entry(p, h, member)					\
	for ((p) = sim_hlist_entry((h)->first, __typeof__(*(p)), member); (p);	\
	     (p) = sim_hlist_entry((p)->member.next, __typeof__(*(p)), member))
#define hlist_for_each_entry_safe(p, n, h, member)				\
	for ((p) = sim_hlist_entry((h)->first, __typeof__(*(p)), member);	\
	     (p) && ((n) = (p)->member.next, true);				\
	     (p) = sim_hlist_entry(n, __typeof__(*(p)), member))

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

#define llist_entry(p, type, member)	container_of(p, type, member)

static inline bool llist_add(struct llist_node *n, struct llist_head *h)
{
	bool was_empty = !h->first;

	n->next = h->first;
	h->first = n;
	sim_yield();
	return was_empty;
}

static inline bool llist_empty(const struct llist_head *h)
{
	return !h->first;
}

static inline struct llist_node *llist_del_all(struct llist_head *h)
{
	struct llist_node *n = h->first;

	h->first = NULL;
	sim_yield();
	return n;
}

static inline struct llist_node *llist_reverse_order(struct llist_node *n)
{
	struct llist_node *out = NULL, *next;

	for (; n; n = next) {
		next = n->next;
		n->next = out;
		out = n;
	}
	return out;
}

#define hash_ptr(p, bits)	hash_64((uintptr_t)(p), bits)
#define hash_64(v, bits)	((unsigned int)(((u64)(v) * 0x61c8864680b583ebull) >> (64 - (bits))))

/* ---- locks -------------------------------------------------------------------------- */

typedef struct {
	void *holder;
} spinlock_t;

#define spin_lock_init(l)	((l)->holder = NULL)
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
#define spin_lock_irq(l)	spin_lock(l)
#define spin_unlock_irq(l)	spin_unlock(l)
#define spin_lock_irqsave(l, flags)	({ (flags) = 0; spin_lock(l); })
#define spin_unlock_irqrestore(l, flags)	({ (void)(flags); spin_unlock(l); })
void lockdep_assert_held(spinlock_t *lock);

typedef struct {
	struct list_head waiters;
} wait_queue_head_t;

void init_waitqueue_head(wait_queue_head_t *q);
void wake_up_all(wait_queue_head_t *q);
#define wake_up(q)		wake_up_all(q)
/* Begin to listen; wait to be woken, at most @timeout jiffies if not 0; stop listening. */
void sim_listen(wait_queue_head_t *q);
void sim_wait(unsigned long timeout);
void sim_unlisten(void);
#define sim_wait_event(q, cond, timeout) ({					\
	unsigned long _t = (timeout), _end = jiffies + _t;			\
										\
	sim_may_wait();								\
	for (;;) {								\
		sim_listen(&(q));						\
		if (cond)							\
			break;							\
		if (_t && jiffies >= _end)					\
			break;							\
		sim_wait(_t ? _end - jiffies : 0);				\
		sim_unlisten();							\
	}									\
	sim_unlisten();								\
})
#define wait_event(q, cond)	sim_wait_event(q, cond, 0)
#define wait_event_timeout(q, cond, t)	sim_wait_event(q, cond, t)
#define wait_event_killable(q, cond)	({ sim_wait_event(q, cond, 0); 0; })
/* A bug where one must not: in a completion or a tasklet, or with a spinlock held. */
void sim_may_sleep(void);
/* The same for who waits for somebody else: not in map() either, where crypto may sleep. */
void sim_may_wait(void);
bool sim_in_irq(void);
#define in_hardirq()		sim_in_irq()
#define irqs_disabled()		sim_in_irq()
#define irq_fpu_usable()	(sim_draw(8) != 0)
#define cond_resched()		({ sim_may_sleep(); sim_yield(); })

struct mutex {
	void *holder;
	wait_queue_head_t wait;
};

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);

struct completion {
	bool done;
	wait_queue_head_t wait;
};

void init_completion(struct completion *x);
#define reinit_completion(x)	((x)->done = false)
void complete(struct completion *x);
void wait_for_completion(struct completion *x);

/* ---- time, work, tasklets ---------------------------------------------------------------- */

#define HZ			250
extern unsigned long jiffies;
#define local_clock()		((u64)sim_draw(200000))
#define yield()			cond_resched()
#define time_before(a, b)	((long)((a) - (b)) < 0)

struct workqueue_struct;
struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t func;
	struct workqueue_struct *wq;	/* queued there, or NULL */
	struct workqueue_struct *last;	/* was last */
	struct list_head list;
};

struct delayed_work {
	struct work_struct work;
	struct workqueue_struct *to;	/* after @when, or NULL */
	unsigned long when;
	struct list_head timer;
};

#define WQ_MEM_RECLAIM		1
#define WQ_UNBOUND		2
#define alloc_ordered_workqueue(name, flags, ...)	sim_workqueue()
#define alloc_workqueue(name, flags, ...)	sim_workqueue()
#define destroy_workqueue(wq)	sim_workqueue_free(wq)
struct workqueue_struct *sim_workqueue(void);
void sim_workqueue_free(struct workqueue_struct *wq);
#define INIT_WORK(w, f)		({ (w)->func = (f); (w)->wq = NULL; (w)->last = NULL; })
#define INIT_DELAYED_WORK(w, f)	({ INIT_WORK(&(w)->work, f); (w)->to = NULL; })
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay);
bool flush_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work_sync(struct delayed_work *work);
void flush_workqueue(struct workqueue_struct *wq);

/* A thread that carries out work is a queue here, and has no priorities. */
#define kthread_worker		workqueue_struct
#define kthread_work		work_struct
struct kthread_worker *sim_kthread_worker(void);
#define kthread_run_worker(flags, ...)	sim_kthread_worker()
#define kthread_destroy_worker(worker)	((void)(worker))
#define kthread_init_work(w, f)	INIT_WORK(w, f)
#define kthread_queue_work(worker, w)	queue_work(worker, w)
#define kthread_flush_work(w)	flush_work(w)
#define MAX_NICE		19
#define set_user_nice(task, nice)	((void)(nice))
#define set_task_ioprio(task, prio)	((void)(prio))

struct tasklet_struct {
	void (*func)(struct tasklet_struct *tasklet);
	bool queued;
	bool running;
};

void tasklet_setup(struct tasklet_struct *t, void (*func)(struct tasklet_struct *));
void tasklet_schedule(struct tasklet_struct *t);
#define tasklet_kill(t)		((void)(t))

/* ---- memory ---------------------------------------------------------------------------- */

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

/* ---- bios -------------------------------------------------------------------------------- */

#define REQ_OP_READ		0u
#define REQ_OP_WRITE		1u
#define REQ_OP_DISCARD		3u
#define REQ_OP_SECURE_ERASE	5u
#define REQ_OP_WRITE_ZEROES	9u
#define REQ_OP_ZONE_RESET	15u
#define REQ_OP_MASK		0xffu
#define REQ_SYNC		0x100u
#define REQ_META		0x200u
#define REQ_PRIO		0x400u
#define REQ_IDLE		0x800u
#define REQ_RAHEAD		0x1000u
#define REQ_NOWAIT		0x2000u
#define BLK_STS_OK		0
#define BLK_STS_NOTSUPP		1
#define BLK_STS_IOERR		10
#define BLK_STS_AGAIN		12
#define blk_status_to_errno(s)	((s) ? -EIO : 0)
#define IOPRIO_CLASS_BE		2
#define IOPRIO_CLASS_IDLE	3
#define IOPRIO_PRIO_CLASS(prio)	((prio) >> 13)
#define IOPRIO_PRIO_VALUE(c, d)	((c) << 13 | (d))
#define BIO_MAX_VECS		256u

struct request_queue {
	unsigned long nr_requests;
};

struct block_device;
bool bdev_nowait(struct block_device *bdev);
#define bdev_get_queue(b)	(b)
#define queue_max_segments(q)	((void)(q), 64u)
struct cgroup_subsys_state;
/* References to control groups that are held. */
int sim_css(void);

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct bvec_iter {
	sector_t bi_sector;
	unsigned int bi_size;
	unsigned int bi_idx;
	unsigned int bi_bvec_done;
};

struct bio_set {
	unsigned int kept;
	unsigned int out;
	size_t front;
	wait_queue_head_t wait;
};

struct bio;
typedef void (bio_end_io_t)(struct bio *bio);

struct bio {
	struct block_device *bi_bdev;
	blk_opf_t bi_opf;
	blk_status_t bi_status;
	unsigned short bi_ioprio;
	unsigned short bi_vcnt;
	unsigned short bi_max_vecs;
	struct bvec_iter bi_iter;
	const void *bi_blkg;
	struct bio_vec *bi_io_vec;
	bio_end_io_t *bi_end_io;
	void *bi_private;
	struct bio_set *set;
	struct list_head sim;	/* waits in the device */
};

#define bio_op(b)		((b)->bi_opf & REQ_OP_MASK)
#define bio_sectors(b)		((b)->bi_iter.bi_size >> 9)
#define bio_set_dev(b, d)	((b)->bi_bdev = (d))
struct cgroup_subsys_state *ccdm_css_get(struct bio *bio);
void ccdm_css_put(struct cgroup_subsys_state *css);
#define ccdm_css_is_root(css)	(!(css))
#define ccdm_css_charge_root(b)	((b)->bi_blkg = NULL)
#define ccdm_css_charge(b, css)	((b)->bi_blkg = (css))
#define ccdm_bio_blkg(b)	((b)->bi_blkg)
#define bio_uninit(b)		((void)(b))

void bio_init(struct bio *bio, struct block_device *bdev, struct bio_vec *vec, unsigned short max,
	      blk_opf_t opf);
void __bio_add_page(struct bio *bio, struct page *page, unsigned int len, unsigned int offset);
int bioset_init(struct bio_set *set, unsigned int kept, size_t front, int flags);
void bioset_exit(struct bio_set *set);
#define BIOSET_NEED_BVECS	0
struct bio *bio_alloc_bioset(struct block_device *bdev, unsigned short vecs, blk_opf_t opf, gfp_t gfp,
			     struct bio_set *set);
void bio_put(struct bio *bio);
void submit_bio_noacct(struct bio *bio);
#define submit_bio(b)		submit_bio_noacct(b)
#define dm_submit_bio_remap(b, x)	submit_bio_noacct(b)

struct blk_plug {
	int dummy;
};

#define blk_start_plug(p)	((void)(p))
#define blk_finish_plug(p)	((void)(p))
void bio_endio(struct bio *bio);
#define bio_io_error(b)		({ (b)->bi_status = BLK_STS_IOERR; bio_endio(b); })

/* The next @n bytes of a table: never across a bio_vec but at its end. */
static inline void bvec_iter_advance_single(const struct bio_vec *v, struct bvec_iter *it,
					    unsigned int n)
{
	it->bi_size -= n;
	it->bi_bvec_done += n;
	if (it->bi_bvec_done == v[it->bi_idx].bv_len) {
		it->bi_bvec_done = 0;
		it->bi_idx++;
	} else if (it->bi_bvec_done > v[it->bi_idx].bv_len) {
		sim_bug("a block in two pieces");
	}
}

static inline struct bio_vec mp_bvec_iter_bvec(const struct bio_vec *v, struct bvec_iter it)
{
	const struct bio_vec *bv = &v[it.bi_idx];
	struct bio_vec out = { bv->bv_page, bv->bv_len - it.bi_bvec_done,
			       bv->bv_offset + it.bi_bvec_done };

	return out;
}

/* ---- device-mapper, crypto: what the headers of kmod/ name ---------------------------------- */

#define DM_NAME_LEN		128
#define DM_UUID_LEN		129

struct dm_table;
struct mapped_device;

struct dm_dev {
	struct block_device *bdev;
};

struct dm_target {
	struct dm_table *table;
	sector_t begin;
	sector_t len;
	void *private;
};

#define dm_target_offset(ti, sector)	((sector) - (ti)->begin)
#define dm_table_event(t)	((void)(t))
#define DMERR_LIMIT(fmt, ...)	sim_log(fmt "\n", ##__VA_ARGS__)

#define CRYPTO_MINALIGN_ATTR

struct crypto_wait {
	int err;
};

struct scatterlist {
	struct page *page;
};

typedef struct mempool mempool_t;

#define TP_PROTO(...)		__VA_ARGS__
#define TP_ARGS(...)
#define DECLARE_EVENT_CLASS(...)
#define DEFINE_EVENT(class, name, proto, args)					\
	static inline void trace_##name(proto) { sim_log(#name " %u %llu\n", level, (unsigned long long)index); }

#endif /* CCDM_TEST_KERNEL_H */
