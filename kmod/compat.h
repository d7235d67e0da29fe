/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * compat.h - differences between the supported kernels, 6.1 to 7.3
 *
 * Force-included into every object, so that no other file asks for a version.
 * Each CCDM_HAVE_* is the answer of a compile probe (kmod/probe/, Kbuild):
 * distributions backport, so version numbers are no help.
 */
#ifndef CCDM_COMPAT_H
#define CCDM_COMPAT_H

#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/kthread.h>
#include <linux/shrinker.h>
#include <linux/workqueue.h>

#ifdef CCDM_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#ifdef CCDM_HAVE_CRYPTO_UTILS
#include <crypto/utils.h>
#else
#include <crypto/algapi.h>
#endif

/* The callback of a crypto request now gets its data; it used to get the request. */
#ifdef CCDM_HAVE_CRYPTO_CALLBACK_DATA
#define CCDM_CRYPTO_CALLBACK_ARG	void *data
#define CCDM_CRYPTO_CALLBACK_DATA	data
#else
#define CCDM_CRYPTO_CALLBACK_ARG	struct crypto_async_request *base
#define CCDM_CRYPTO_CALLBACK_DATA	base->data
#endif

/* blk_mode_t replaced fmode_t. */
#ifdef CCDM_HAVE_BLK_MODE
#define CCDM_MODE_READ	BLK_OPEN_READ
#define CCDM_MODE_WRITE	BLK_OPEN_WRITE
#else
#define CCDM_MODE_READ	FMODE_READ
#define CCDM_MODE_WRITE	FMODE_WRITE
#endif

/* bi_offset is the new name of the offset in a bio_vec. */
#ifdef CCDM_HAVE_BVEC_OFFSET
#define bi_bvec_done	bi_offset
#endif

/*
 * Write-cache and FUA became inherited queue features; the target needs no flush. So did stable
 * pages, which only the device needs, and it gets copies; and
 * polling, which nobody does for the target's own bios.
 */
static inline void ccdm_no_features(struct queue_limits *limits)
{
#ifdef CCDM_HAVE_LIMITS_FEATURES
	limits->features &= ~(BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA | BLK_FEAT_STABLE_WRITES |
			      BLK_FEAT_POLL);
#endif
}

/* Ignore the backing device's discard alignment: discards are split at blocks of the mapping. */
static inline void ccdm_discard_limits(struct queue_limits *limits, unsigned int sectors)
{
	limits->discard_alignment = 0;
	limits->discard_granularity = 4096;
	limits->max_hw_discard_sectors = sectors;
	limits->max_discard_sectors = sectors;
}

/*
 * Get a reference to the block control group that a bio is charged to, which outlives the bio's
 * own; charge another bio to it.
 */
#ifdef CONFIG_BLK_CGROUP
#include <linux/blk-cgroup.h>
#include <linux/cgroup.h>

static inline struct cgroup_subsys_state *ccdm_css_get(struct bio *bio)
{
	struct cgroup_subsys_state *css = bio_blkcg_css(bio);

	if (css)
		css_get(css);
	return css;
}

static inline void ccdm_css_put(struct cgroup_subsys_state *css)
{
	if (css)
		css_put(css);
}

static inline bool ccdm_css_is_root(const struct cgroup_subsys_state *css)
{
	return !css || css == blkcg_root_css;
}

static inline void ccdm_css_charge_root(struct bio *bio)
{
	bio_associate_blkg_from_css(bio, blkcg_root_css);
}

static inline void ccdm_css_charge(struct bio *bio, struct cgroup_subsys_state *css)
{
	if (css)
		bio_associate_blkg_from_css(bio, css);
}
#else
#define ccdm_css_get(bio)	((struct cgroup_subsys_state *)NULL)
#define ccdm_css_put(css)	((void)(css))
#define ccdm_css_is_root(css)	(true)
#define ccdm_css_charge(bio, css) ((void)(css))
#define ccdm_css_charge_root(bio) ((void)(bio))
#endif

/* Shrinkers are now allocated; they used to be embedded. */
#ifndef CCDM_HAVE_SHRINKER_ALLOC
#include <linux/slab.h>

struct ccdm_compat_shrinker {
	struct shrinker s;
	void *private_data;
};

static inline void ccdm_shrinker_free(struct shrinker *s)
{
	if (!s)
		return;
	unregister_shrinker(s);
	kfree(container_of(s, struct ccdm_compat_shrinker, s));
}

#define ccdm_shrinker_private(sh) \
	(container_of(sh, struct ccdm_compat_shrinker, s)->private_data)

static inline struct shrinker *
ccdm_shrinker_new(unsigned long (*count)(struct shrinker *, struct shrink_control *),
		  unsigned long (*scan)(struct shrinker *, struct shrink_control *),
		  void *private_data, const char *name)
{
	struct ccdm_compat_shrinker *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	c->s.count_objects = count;
	c->s.scan_objects = scan;
	c->s.seeks = DEFAULT_SEEKS;
	c->private_data = private_data;
	if (register_shrinker(&c->s, "ccdm:%s", name)) {
		kfree(c);
		return NULL;
	}
	return &c->s;
}
#else
#define ccdm_shrinker_free(s)		shrinker_free(s)
#define ccdm_shrinker_private(sh)	((sh)->private_data)

static inline struct shrinker *
ccdm_shrinker_new(unsigned long (*count)(struct shrinker *, struct shrink_control *),
		  unsigned long (*scan)(struct shrinker *, struct shrink_control *),
		  void *private_data, const char *name)
{
	struct shrinker *s = shrinker_alloc(0, "ccdm:%s", name);

	if (!s)
		return NULL;
	s->count_objects = count;
	s->scan_objects = scan;
	s->private_data = private_data;
	shrinker_register(s);
	return s;
}
#endif

/* kthread_create_worker() used to start its thread; now the caller must wake it. */
#ifndef CCDM_HAVE_KTHREAD_RUN_WORKER
#define kthread_run_worker(flags, ...)	kthread_create_worker(flags, __VA_ARGS__)
#endif

/*
 * Marks functions that fail_function of a debug kernel can make fail. On other kernels
 * the marks are empty.
 */
#ifdef CONFIG_FAIL_FUNCTION
#include <linux/error-injection.h>
#define ccdm_injectable		noinline
#define CCDM_INJECTABLE(fn)	ALLOW_ERROR_INJECTION(fn, ERRNO)
#else
#define ccdm_injectable
#define CCDM_INJECTABLE(fn)
#endif

#endif /* CCDM_COMPAT_H */
