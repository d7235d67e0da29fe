// SPDX-License-Identifier: GPL-2.0-only
/*
 * target.c - device-mapper's side: making and unmaking a mapping, its limits,
 * suspend and resume, messages; and the module
 */
#include <linux/kexec.h>
#include <linux/module.h>
#include <linux/suspend.h>
#include <linux/vmalloc.h>
#include "ccdm.h"
#include "key.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Discards reach a worker of ours in one piece up to this: 1 GiB. */
#define CCDM_DISCARD_SECTORS	(1u << 21)

#define CCDM_PAGES_MIN		(2 * CCDM_NODE_ENTRIES)
#define CCDM_PAGES_MAX		8192
#define CCDM_CREQS		16	/* kept for when memory is short */
#define CCDM_CHILD_BIOS		16	/* likewise; 4 KiB of bio_vecs each */
#define CCDM_WALKERS		128

/*
 * All mappings there are. Guards the list, and makes claiming a backing device and
 * entering the list one step. Sleeps; taken inside nothing of ours.
 */
static DEFINE_MUTEX(ccdm_list_lock);
static LIST_HEAD(ccdm_list);

const char *ccdm_name(struct ccdm *c)
{
	return c->name;
}

/* A mapping may be renamed: looked up again whenever it matters. */
void ccdm_name_update(struct ccdm *c)
{
	char name[DM_NAME_LEN], uuid[DM_UUID_LEN];

	if (dm_copy_name_and_uuid(c->md, name, uuid))
		return;
	strscpy(c->name, name, sizeof(c->name));
	strscpy(c->uuid, uuid, sizeof(c->uuid));
}

u64 ccdm_take_seq(struct ccdm *c, unsigned int n)
{
	u64 last = atomic64_add_return(n, &c->seq);

	if (unlikely(last >= CCDM_SEQ_LIMIT - CCDM_NODE_ENTRIES)) {
		ccdm_failed(c);
		return 0;
	}
	return last - n + 1;
}

/* ---- making a mapping ---------------------------------------------------- */

/*
 * One mapping per device-mapper device, and one user per backing device. dm
 * claims for all its tables with one holder, so the claim alone does not keep
 * other tables out: the count of holders tells. A claim of a whole disk counts
 * twice.
 */
static int ccdm_claim_only(struct ccdm *c)
{
	struct block_device *bdev = c->dev->bdev;
	int holders = bdev == bdev_whole(bdev) ? 2 : 1;
	struct ccdm *other;
	int r = 0;

	lockdep_assert_held(&ccdm_list_lock);
	list_for_each_entry(other, &ccdm_list, list) {
		if (other->md == c->md) {
			c->ti->error = "The mapping has a table: another would have another key";
			r = -EBUSY;
		} else if (other->dev->bdev->bd_dev == bdev->bd_dev) {
			c->ti->error = "Backing device is in use by another ccdm mapping";
			r = -EBUSY;
		}
	}
	if (!r && READ_ONCE(bdev->bd_holders) > holders) {
		c->ti->error = "Backing device is in use by another device-mapper table";
		r = -EBUSY;
	}
	return r;
}

static int ccdm_claim(struct ccdm *c, const char *path)
{
	struct dm_target *ti = c->ti;
	int r;

	mutex_lock(&ccdm_list_lock);
	r = dm_get_device(ti, path, dm_table_get_mode(ti->table), &c->dev);
	if (r)
		ti->error = r == -EBUSY ? "Backing device is busy" :
			    r == -EROFS || r == -EACCES ? "Backing device is read-only" :
			    "Cannot open the backing device";
	else
		r = ccdm_claim_only(c);
	if (!r) {
		list_add(&c->list, &ccdm_list);
	} else if (c->dev) {
		dm_put_device(ti, c->dev);
		c->dev = NULL;
	}
	mutex_unlock(&ccdm_list_lock);
	return r;
}

static void ccdm_unclaim(struct ccdm *c)
{
	mutex_lock(&ccdm_list_lock);
	if (c->dev) {
		list_del_init(&c->list);
		dm_put_device(c->ti, c->dev);
	}
	mutex_unlock(&ccdm_list_lock);
}

static int ccdm_ctr_origin(struct ccdm *c, const char *path)
{
	struct dm_target *ti = c->ti;
	struct block_device *bdev;
	int r;

	if (!path)
		return 0;
	r = dm_get_device(ti, path, CCDM_MODE_READ, &c->origin);
	if (r) {
		ti->error = "Cannot open the origin";
		return r;
	}
	bdev = c->origin->bdev;
	if (bdev == c->dev->bdev ||
	    (bdev_whole(bdev) == bdev_whole(c->dev->bdev) &&
	     (bdev_whole(bdev) == bdev || bdev_whole(bdev) == c->dev->bdev))) {
		ti->error = "Origin would be written through the mapping";
		return -EINVAL;
	}
	if (bdev_nr_sectors(bdev) % CCDM_BLOCK_SECTORS) {
		ti->error = "Origin is not a multiple of 4096 bytes";
		return -EINVAL;
	}
	if (bdev_logical_block_size(bdev) > CCDM_BLOCK_SIZE) {
		ti->error = "Origin has logical blocks above 4096 bytes";
		return -EINVAL;
	}
	if (bdev_nr_sectors(bdev) > ti->len) {
		ti->error = "Origin is longer than the mapping";
		return -EINVAL;
	}
	c->origin_blocks = bdev_nr_sectors(bdev) / CCDM_BLOCK_SECTORS;
	return 0;
}

static int ccdm_ctr_devices(struct ccdm *c, const char *path, const char *origin)
{
	struct dm_target *ti = c->ti;
	struct block_device *bdev;
	int r;

	if (!c->opt.allow_kdump && kexec_crash_loaded()) {
		ti->error = "A crash kernel is loaded: a dump would hold the key (allow_kdump)";
		return -EBUSY;
	}
	if (!(dm_table_get_mode(ti->table) & CCDM_MODE_WRITE)) {
		ti->error = "A read-only mapping would never hold anything";
		return -EROFS;
	}
	if (ti->len % CCDM_BLOCK_SECTORS) {
		ti->error = "Length is not a multiple of 8 sectors";
		return -EINVAL;
	}
	if (ccdm_geometry_set(&c->g, ti->len / CCDM_BLOCK_SECTORS)) {
		ti->error = "Length is out of range";
		return -EINVAL;
	}

	r = ccdm_claim(c, path);
	if (r)
		return r;
	bdev = c->dev->bdev;
	if (bdev_read_only(bdev)) {
		ti->error = "Backing device is read-only";
		return -EROFS;
	}
	if (bdev_is_zoned(bdev)) {
		ti->error = "Backing device is zoned";
		return -EINVAL;
	}
	if (bdev_logical_block_size(bdev) > CCDM_BLOCK_SIZE) {
		ti->error = "Backing device has logical blocks above 4096 bytes";
		return -EINVAL;
	}
	if (c->g.total > bdev_nr_sectors(bdev) / CCDM_BLOCK_SECTORS) {
		ti->error = "Backing device is too small for data and tree";
		return -ENOSPC;
	}
	r = ccdm_ctr_origin(c, origin);
	if (r)
		return r;

	/* Or somebody's earlier buffered write would later land on sealed blocks. */
	r = sync_blockdev(bdev);
	if (!r)
		r = sync_blockdev(bdev_whole(bdev));
	if (r)
		ti->error = "Page cache of the backing device cannot be written back";
	else
		invalidate_bdev(bdev);
	/* Of a partition: what was buffered through the whole disk stays, but clean. */
	return r;
}

static int ccdm_ctr_cipher(struct ccdm *c, struct ccdm_secret *secret, const char *use,
			   struct ccdm_cipher *cipher, enum ccdm_construction kind)
{
	struct ccdm_key *key = kzalloc(sizeof(*key), GFP_KERNEL);
	int r;

	if (!key)
		return -ENOMEM;
	r = ccdm_key_derive(secret, use, key);
	if (!r)
		r = ccdm_cipher_init(cipher, kind, key);
	kfree_sensitive(key);
	return r;
}

static int ccdm_ctr_keys(struct ccdm *c)
{
	struct ccdm_secret *secret = ccdm_key_birth();
	size_t size;
	int r;

	if (IS_ERR(secret)) {
		r = PTR_ERR(secret);
		c->ti->error = r == -ENODEV ?
			"This CPU has no random generator (RDSEED, RDRAND) that works" :
			"Cannot draw a key";
		return r;
	}
	r = ccdm_ctr_cipher(c, secret, "block", &c->block, c->opt.suite->block);
	if (!r)
		r = ccdm_ctr_cipher(c, secret, "node", &c->node, c->opt.suite->node);
	ccdm_key_death(secret);
	if (r) {
		c->ti->error = "Cipher suite is not available in this kernel";
		return r;
	}
	size = max(ccdm_creq_size(&c->block), ccdm_creq_size(&c->node));
	c->creqs = mempool_create_kmalloc_pool(CCDM_CREQS + num_possible_cpus(), size);
	c->fixed_bytes = (CCDM_CREQS + num_possible_cpus()) * size +
			 CCDM_CHILD_BIOS * (sizeof(struct ccdm_child) + BIO_MAX_VECS *
					    sizeof(struct bio_vec));
	return c->creqs ? 0 : -ENOMEM;
}

static int ccdm_ctr_memory(struct ccdm *c)
{
	unsigned int pages = clamp_t(unsigned long,
				     ((unsigned long)c->opt.cache_mib << (20 - PAGE_SHIFT)) / 8,
				     CCDM_PAGES_MIN, CCDM_PAGES_MAX);
	int r;

	c->stats = alloc_percpu(struct ccdm_stats);
	if (!c->stats)
		return -ENOMEM;
	r = ccdm_pages_init(&c->pages, pages);
	if (!r)
		r = bioset_init(&c->bios, CCDM_CHILD_BIOS, offsetof(struct ccdm_child, bio),
				BIOSET_NEED_BVECS);
	if (r)
		return r;

	c->walk = alloc_workqueue("ccdm_walk/%s", WQ_MEM_RECLAIM | WQ_UNBOUND, CCDM_WALKERS,
				  ccdm_name(c));
	c->done = alloc_workqueue("ccdm_done/%s", WQ_MEM_RECLAIM | WQ_HIGHPRI | CCDM_WQ_PERCPU, 0,
				  ccdm_name(c));
	if (!c->walk || !c->done)
		return -ENOMEM;
	r = ccdm_cache_init(c);
	if (r == -ENOSPC)
		c->ti->error = "cache_mib: too small for this machine";
	return r;
}

static void ccdm_dtr(struct dm_target *ti)
{
	struct ccdm *c = ti->private;

	if (c->opened)
		ccdm_event_send(c, "closed");
	ccdm_event_exit(c);
	if (c->done)
		ccdm_cache_exit(c);
	if (c->walk)
		destroy_workqueue(c->walk);
	if (c->done)
		destroy_workqueue(c->done);
	bioset_exit(&c->bios);
	ccdm_pages_exit(&c->pages);
	mempool_destroy(c->creqs);
	ccdm_cipher_exit(&c->block);
	ccdm_cipher_exit(&c->node);
	free_percpu(c->stats);
	if (c->origin)
		dm_put_device(ti, c->origin);
	ccdm_unclaim(c);
	kfree(c);
}

static int ccdm_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct ccdm *c = kzalloc(sizeof(*c), GFP_KERNEL);
	const char *origin;
	int r;

	if (!c) {
		ti->error = "Out of memory";
		return -ENOMEM;
	}
	ti->private = c;
	c->ti = ti;
	c->md = dm_table_get_md(ti->table);
	c->last_miss = U64_MAX - 1;
	INIT_LIST_HEAD(&c->list);
	atomic64_set(&c->seq, CCDM_SEQ_FIRST - 1);
	ccdm_name_update(c);
	ccdm_event_init(c);
	ccdm_scrub_init(c);
	ccdm_read_ahead_init(c);
	c->cache.stopped = true;

	r = ccdm_table_parse(c, argc, argv, &origin);
	if (!r)
		r = ccdm_ctr_devices(c, argv[1], origin);
	if (!r)
		r = ccdm_ctr_keys(c);
	if (!r)
		r = ccdm_ctr_memory(c);
	if (!r)
		r = dm_set_target_max_io_len(ti, CCDM_LEAF_SECTORS);
	if (r) {
		if (!ti->error)
			ti->error = r == -ENOMEM ? "Out of memory" : "Cannot make the mapping";
		ccdm_dtr(ti);
		return r;
	}

	ti->per_io_data_size = sizeof(struct ccdm_io);
	ti->num_flush_bios = 0;
	ti->num_discard_bios = 1;
	ti->num_write_zeroes_bios = 1;
	ti->discards_supported = true;
	ti->limit_swap_bios = true;
	ti->accounts_remapped_io = true;
	return 0;
}

/* ---- life ---------------------------------------------------------------- */

static int ccdm_map(struct dm_target *ti, struct bio *bio)
{
	ccdm_io_map(ti->private, bio, dm_per_bio_data(bio, sizeof(struct ccdm_io)));
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
	int r = ccdm_writeback_sync(c);

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
	nodes = ccdm_cache_nodes(c, mib);
	if (!nodes) {
		DMWARN("%s: cache_mib:%u: the fixed parts alone take %u KiB", ccdm_name(c), mib,
		       c->cache.fixed_kib);
		return -ENOSPC;
	}
	c->opt.cache_mib = mib;
	c->opt.given.cache_mib = true;
	ccdm_cache_resize(c, nodes);
	return 0;
}

static int ccdm_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			unsigned int maxlen)
{
	struct ccdm *c = ti->private;

	if (argc == 1 && !strcasecmp(argv[0], "sync"))
		return ccdm_message_sync(c, result, maxlen);
	if (argc == 1 && !strcasecmp(argv[0], "drop")) {
		ccdm_cache_drop(c);
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
	ccdm_no_write_cache(limits);
}

/* ---- the module ---------------------------------------------------------- */

/* Hibernation would write keys and an old root to a disk. */
static int ccdm_pm_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	int r = NOTIFY_DONE;

	if (action != PM_HIBERNATION_PREPARE && action != PM_RESTORE_PREPARE)
		return r;
	mutex_lock(&ccdm_list_lock);
	if (!list_empty(&ccdm_list)) {
		pr_err("ccdm: hibernation refused: a mapping is open\n");
		r = notifier_from_errno(-EBUSY);
	}
	mutex_unlock(&ccdm_list_lock);
	return r;
}

static struct notifier_block ccdm_pm_nb = { .notifier_call = ccdm_pm_notify };

static struct target_type ccdm_target = {
	.name = "ccdm",
	.version = { 1, 0, 0 },
	.features = DM_TARGET_SINGLETON | DM_TARGET_IMMUTABLE,
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

	r = ccdm_cache_module_init();
	if (r)
		return r;
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
	ccdm_cache_module_exit();
	return r;
}

static void __exit ccdm_exit(void)
{
	dm_unregister_target(&ccdm_target);
	unregister_pm_notifier(&ccdm_pm_nb);
	ccdm_event_module_exit();
	ccdm_cache_module_exit();
}

module_init(ccdm_init);
module_exit(ccdm_exit);

MODULE_DESCRIPTION("device-mapper target: encrypted, authenticated, rollback-proof, ephemeral");
MODULE_AUTHOR("The ccdm project");
MODULE_LICENSE("GPL");
MODULE_VERSION(CCDM_VERSION);
MODULE_SOFTDEP("pre: xts gcm hmac sha256");
