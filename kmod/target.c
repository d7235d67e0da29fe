// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * target.c - device-mapper's side: bios, suspend and resume, status, messages,
 * limits; and the module
 */
#include <linux/module.h>
#include <linux/suspend.h>
#include "ccdm.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Discards reach a worker of ours in one piece up to this: 1 GiB. */
#define CCDM_DISCARD_SECTORS	(1u << 21)

/* ---- life ---------------------------------------------------------------- */

static int ccdm_map(struct dm_target *ti, struct bio *bio)
{
	ccdm_map_bio(ti->private, bio, dm_per_bio_data(bio, sizeof(struct ccdm_io)));
	return DM_MAPIO_SUBMITTED;
}

static void ccdm_presuspend(struct dm_target *ti)
{
	struct ccdm *c = ti->private;

	/* Write-back goes on: what dm waits for after this needs room. */
	ccdm_scrub_allow(c, false);
	ccdm_scrub_stop(c);
}

static void ccdm_presuspend_undo(struct dm_target *ti)
{
	struct ccdm *c = ti->private;

	ccdm_scrub_allow(c, true);
}

static void ccdm_postsuspend(struct dm_target *ti)
{
	struct ccdm *c = ti->private;

	ccdm_writeback_stop(c);
	flush_workqueue(c->walk);
	ccdm_submitter_flush(&c->submitter);
	flush_workqueue(c->done);
	/* The last of those works may have set it. */
	cancel_delayed_work_sync(&c->cache.room_retry);
	flush_workqueue(c->done);
}

static void ccdm_resume(struct dm_target *ti)
{
	struct ccdm *c = ti->private;

	ccdm_name_update(c);
	ccdm_scrub_allow(c, true);
	ccdm_writeback_start(c);
	if (!c->opened) {
		c->opened = true;
		ccdm_event_send(c, "opened");
	}
}

static void ccdm_status(struct dm_target *ti, status_type_t type, unsigned int flags,
			char *result, unsigned int maxlen)
{
	struct ccdm *c = ti->private;

	switch (type) {
	case STATUSTYPE_INFO:
		ccdm_status_print(c, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		ccdm_table_print(c, result, maxlen);
		break;
	/* coverage: 82-ima, on Debian's kernels */
	case STATUSTYPE_IMA:
		ccdm_status_ima(c, result, maxlen);
		break;
	}
}

/* ---- messages ------------------------------------------------------------ */

static int ccdm_message_sync(struct ccdm *c, char *result, unsigned int maxlen)
{
	struct ccdm_entry root;
	unsigned int sz = 0;
	int r = ccdm_sync(c);

	if (r)
		return r;
	spin_lock_irq(&c->cache.root.lock);
	root = c->cache.root_entry;
	spin_unlock_irq(&c->cache.root.lock);
	DMEMIT("%llu %*phN", ccdm_le64_to_cpu(root.seq), CCDM_TAG_SIZE, root.tag);
	return 1;	/* the answer is in @result */
}

static int ccdm_message_cache(struct ccdm *c, const char *value)
{
	unsigned int mib, nodes;

	if (kstrtouint(value, 10, &mib) || mib < CCDM_CACHE_MIB_MIN ||
	    mib > ccdm_table_cache_max())
		return -EINVAL;
	nodes = ccdm_nodes_fit(c, mib);
	if (!nodes) {
		DMWARN("%s: cache_mib:%u: the fixed parts alone take %u KiB", ccdm_name(c), mib,
		       c->cache.fixed_kib);
		return -ENOSPC;
	}
	c->opt.cache_mib = mib;
	c->opt.given.cache_mib = true;
	ccdm_nodes_resize(c, nodes);
	return 0;
}

static int ccdm_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			unsigned int maxlen)
{
	struct ccdm *c = ti->private;

	if (argc == 1 && !strcasecmp(argv[0], "sync"))
		return ccdm_message_sync(c, result, maxlen);
	if (argc == 1 && !strcasecmp(argv[0], "drop")) {
		ccdm_nodes_drop(c);
		return 0;
	}
	if (argc == 2 && !strcasecmp(argv[0], "cache_mib"))
		return ccdm_message_cache(c, argv[1]);
	if (argc == 2 && !strcasecmp(argv[0], "scrub") && !strcasecmp(argv[1], "start"))
		return ccdm_scrub_start(c);
	if (argc == 2 && !strcasecmp(argv[0], "scrub") && !strcasecmp(argv[1], "stop")) {
		ccdm_scrub_stop(c);
		return 0;
	}
	DMWARN("%s: unknown message", ccdm_name(c));
	return -EINVAL;
}

/* ---- limits -------------------------------------------------------------- */

/* The origin is read only through us; its limits were checked in ctr. */
static int ccdm_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct ccdm *c = ti->private;

	return fn(ti, c->dev, 0, ti->len, data);
}

static void ccdm_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	limits->logical_block_size = CCDM_BLOCK_SIZE;
	limits->physical_block_size = CCDM_BLOCK_SIZE;
	limits->io_min = CCDM_BLOCK_SIZE;
	limits->dma_alignment = CCDM_BLOCK_SIZE - 1;
	ccdm_discard_limits(limits, CCDM_DISCARD_SECTORS);
	ccdm_no_features(limits);
}

/* ---- the module ---------------------------------------------------------- */

/*
 * Hibernation would write keys and an old root to a disk. Between its first step and the
 * image user space goes on, with /dev/snapshot for as long as it likes.
 */
static int ccdm_pm_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	bool begin = action == PM_HIBERNATION_PREPARE || action == PM_RESTORE_PREPARE;

	/* coverage: 78-guards gives hibernation up; no test resumes an image */
	if (!begin && action != PM_POST_HIBERNATION && action != PM_POST_RESTORE)
		return NOTIFY_DONE;
	if (ccdm_hibernate(begin))
		return NOTIFY_OK;
	pr_err("ccdm: hibernation refused: a mapping is open\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block ccdm_pm_nb = { .notifier_call = ccdm_pm_notify };

static struct target_type ccdm_target = {
	.name = "ccdm",
	.version = { 1, 0, 0 },
	.features = DM_TARGET_SINGLETON | DM_TARGET_IMMUTABLE | DM_TARGET_NOWAIT,
	.module = THIS_MODULE,
	.ctr = ccdm_ctr,
	.dtr = ccdm_dtr,
	.map = ccdm_map,
	.presuspend = ccdm_presuspend,
	.presuspend_undo = ccdm_presuspend_undo,
	.postsuspend = ccdm_postsuspend,
	.resume = ccdm_resume,
	.status = ccdm_status,
	.message = ccdm_message,
	.iterate_devices = ccdm_iterate_devices,
	.io_hints = ccdm_io_hints,
};

static int __init ccdm_init(void)
{
	int r;

	/* dm gives every clone this much: see "Pages" in the design. */
#ifndef CONFIG_LOCKDEP
	BUILD_BUG_ON(sizeof(struct ccdm_io) > 512);
#endif
	BUILD_BUG_ON(sizeof(struct ccdm_entry) * CCDM_NODE_ENTRIES != CCDM_BLOCK_SIZE);
	BUILD_BUG_ON(PAGE_SIZE != CCDM_BLOCK_SIZE);
	BUILD_BUG_ON(CCDM_INLINE_VECS != CCDM_INLINE_BLOCKS);
#ifdef CONFIG_SMP
	/* What is written by each I/O shares no cache line with what each I/O reads. */
	BUILD_BUG_ON(offsetof(struct ccdm, seq) % SMP_CACHE_BYTES);
	BUILD_BUG_ON(offsetof(struct ccdm, pages) - offsetof(struct ccdm, seq) < SMP_CACHE_BYTES);
	BUILD_BUG_ON(offsetof(struct ccdm_pages, held) % SMP_CACHE_BYTES);
	BUILD_BUG_ON(offsetof(struct ccdm_pages, lock) % SMP_CACHE_BYTES);
	BUILD_BUG_ON(offsetof(struct ccdm_pages, slow) > offsetof(struct ccdm_pages, held));
	BUILD_BUG_ON(offsetof(struct ccdm_pages, gates) > offsetof(struct ccdm_pages, held));
	BUILD_BUG_ON(offsetof(struct ccdm_cache, root) % SMP_CACHE_BYTES);
	BUILD_BUG_ON(offsetof(struct ccdm_cache, hash_bits) > offsetof(struct ccdm_cache, root));
#endif

	r = ccdm_gmac_module_init();
	if (r)
		return r;
	r = ccdm_soft_module_init();
	if (r)
		return r;
	r = ccdm_nodes_module_init();
	if (r)
		goto bad_room;
	r = ccdm_event_module_init();
	if (r)
		goto bad_event;
	r = register_pm_notifier(&ccdm_pm_nb);
	if (r)
		goto bad_pm;
	r = dm_register_target(&ccdm_target);
	if (r)
		goto bad_target;
	return 0;

bad_target:
	unregister_pm_notifier(&ccdm_pm_nb);
bad_pm:
	ccdm_event_module_exit();
bad_event:
	ccdm_nodes_module_exit();
bad_room:
	ccdm_soft_module_exit();
	return r;
}

static void __exit ccdm_exit(void)
{
	dm_unregister_target(&ccdm_target);
	unregister_pm_notifier(&ccdm_pm_nb);
	ccdm_event_module_exit();
	ccdm_nodes_module_exit();
	ccdm_soft_module_exit();
}

/* In a built-in module this is after the ciphers of all CPUs; in a module it is module_init(). */
late_initcall(ccdm_init);
module_exit(ccdm_exit);

MODULE_DESCRIPTION("device-mapper target: encrypted, authenticated, rollback-proof, ephemeral");
MODULE_AUTHOR("The ccdm project");
MODULE_LICENSE("GPL");
MODULE_VERSION(CCDM_VERSION);
MODULE_SOFTDEP("pre: xts gcm hmac sha256");
