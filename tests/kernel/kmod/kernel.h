/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * kernel.h - the part of the kernel that kmod/ needs to run in a program
 *
 * The compiler includes it before each file; the kernel's own headers are empty files here.
 * Workers, completions and clients are coroutines. At every lock, atomic and barrier sched.c
 * continues with another one, which it draws from a seed or from the bytes of a fuzzer.
 * memory.c has memory and pages, block.c bios and the device. sim_draw() makes every choice,
 * sim_fails() decides which call fails.
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

/* ---- the test's side ------------------------------------------------------- */

/* A choice: a number below @n, drawn from the seed. */
unsigned int sim_draw(unsigned int n);
/* Another coroutine may run here. */
void sim_yield(void);
/* Report a bug that the test found, with the seed, and end the program. */
void __attribute__((noreturn, format(printf, 1, 2))) sim_bug(const char *fmt, ...);
void __attribute__((format(printf, 1, 2))) sim_log(const char *fmt, ...);

enum sim_call {
	SIM_ALLOC,	/* of memory, also of pages */
	SIM_READ,	/* of the device */
	SIM_WRITE,
	SIM_SEAL,
	SIM_OPEN,
	SIM_NUMBER,	/* sequence numbers are used up */
	SIM_CALLS,
};

/* True if this call must fail. */
bool sim_fails(enum sim_call call);

/* ---- types and macros ------------------------------------------------------ */

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

/* ---- memory that other CPUs see -------------------------------------------- */

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
/* (the caller may be on another CPU by now) */
#define raw_cpu_ptr(p)		per_cpu_ptr(p, sim_draw(16) ? sim_cpu() : sim_draw(SIM_CPUS))
#define DEFINE_PER_CPU(type, name)	type name	/* variables of the module itself: one for all CPUs */
#define per_cpu(name, cpu)	(*((void)(cpu), &(name)))
#define this_cpu_add(x, v)	(*this_cpu_ptr(&(x)) += (v))

#include "kernel_list.h"
#include "kernel_work.h"
#include "kernel_memory.h"
#include "kernel_bio.h"

/* ---- device-mapper, crypto: what the headers of kmod/ name ----------------- */

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
