// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * ctr.c - constructor and destructor of a mapping: devices, keys, memory
 *
 * Every refusal has a message of its own. If a step fails, ccdm_dtr() releases
 * the resources of the steps before it.
 */
#include <linux/kexec.h>
#include <linux/vmalloc.h>
#include "ccdm.h"
#include "key.h"

#define CCDM_PAGES_MIN		(2 * CCDM_NODE_ENTRIES)
#define CCDM_PAGES_ENOUGH	(4 * CCDM_NODE_ENTRIES)
#define CCDM_PAGES_MAX		8192
#define CCDM_CREQS		16	/* kept for when memory is short, and one per CPU */
#define CCDM_CREQS_MAX		128u	/* so that what is fixed fits a small cache */
#define CCDM_CHILD_BIOS		16	/* kept for when memory is short; 4 KiB of bio_vecs each */
#define CCDM_WALKERS		128
/* Memory of a mapping for each CPU, without a crypto request. */
#define CCDM_PER_CPU		(sizeof(struct ccdm_stats) + sizeof(struct ccdm_pages_cpu) + \
				 sizeof(struct ccdm_creq *))

/*
 * All mappings. The lock guards the variables below, and makes the claim of a backing device
 * and the insertion into the list one step. Sleeps; nests in no lock of ccdm.
 */
static DEFINE_MUTEX(ccdm_list_lock);
static LIST_HEAD(ccdm_list);
static bool ccdm_hibernating;

/* ---- claiming devices ---------------------------------------------------- */

bool ccdm_hibernate(bool begin)
{
	bool ok;

	mutex_lock(&ccdm_list_lock);
	ok = !begin || list_empty(&ccdm_list);
	ccdm_hibernating = begin && ok;
	mutex_unlock(&ccdm_list_lock);
	return ok;
}

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
			c->ti->error = "The mapping has a table: a new one would have a new key";
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
	if (ccdm_hibernating) {
		mutex_unlock(&ccdm_list_lock);
		ti->error = "The system is being hibernated: its image would hold the key";
		return -EBUSY;
	}
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
		ti->error = "A read-only mapping could never hold data";
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

	/* Otherwise an earlier buffered write could later overwrite sealed blocks. */
	r = sync_blockdev(bdev);
	if (!r)
		r = sync_blockdev(bdev_whole(bdev));
	if (r)
		ti->error = "Cannot write back the page cache of the backing device";
	else
		invalidate_bdev(bdev);
	/* Of a partition: what was buffered through the whole disk stays, but clean. */
	return r;
}

/* ---- keys and memory ------------------------------------------------------ */

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

#define CCDM_DEVICE_ERROR	"A driver would give keys and plaintext to a device (see the log)"

static int ccdm_ctr_keys(struct ccdm *c)
{
	struct ccdm_secret *secret = ccdm_key_birth();
	unsigned int nr = min(CCDM_CREQS + num_possible_cpus(), CCDM_CREQS_MAX);
	size_t size, scratch;
	int r;

	if (IS_ERR(secret)) {
		r = PTR_ERR(secret);
		c->ti->error = r == -ENODEV ?
			"This CPU has no random generator that works (" CCDM_SEED_SOURCES ")" :
			r == -EPERM ? CCDM_DEVICE_ERROR : "Cannot draw a key";
		return r;
	}
	r = ccdm_ctr_cipher(c, secret, "block", &c->block,
			    ccdm_gmac_construction(c->opt.suite->block));
	if (!r)
		r = ccdm_ctr_cipher(c, secret, "node", &c->node, c->opt.suite->node);
	ccdm_key_death(secret);
	if (r) {
		c->ti->error = r == -EPERM ? CCDM_DEVICE_ERROR :
			       "Cipher suite is not available in this kernel";
		return r;
	}
	size = max(ccdm_creq_size(&c->block), ccdm_creq_size(&c->node));
	scratch = ccdm_creq_scratch(&c->block);
	/* (each request is a kmalloc() of its own) */
	c->fixed_bytes = (nr + num_possible_cpus()) * (kmalloc_size_roundup(size) + scratch) +
			 num_possible_cpus() * CCDM_PER_CPU +
			 CCDM_CHILD_BIOS * (sizeof(struct ccdm_child) + BIO_MAX_VECS *
					    sizeof(struct bio_vec));
	return ccdm_creqs_init(&c->creqs, nr, size, scratch);
}

static int ccdm_ctr_memory(struct ccdm *c)
{
	unsigned long all = (unsigned long)c->opt.cache_mib << (20 - PAGE_SHIFT);
	unsigned long rest = all - min(all, c->fixed_bytes >> PAGE_SHIFT);
	/* An eighth; of a small cache a quarter, since I/Os wait for each other there. */
	unsigned int pages = clamp(max(all / 8, min_t(unsigned long, rest / 4, CCDM_PAGES_ENOUGH)),
				   (unsigned long)CCDM_PAGES_MIN, (unsigned long)CCDM_PAGES_MAX);
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
	c->done = alloc_workqueue("ccdm_done/%s", WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, 0,
				  ccdm_name(c));
	r = ccdm_submitter_init(&c->submitter, ccdm_name(c), bdev_get_queue(c->dev->bdev));
	if (r || !c->walk || !c->done)
		return -ENOMEM;
	r = ccdm_scrub_init(c);
	if (r)
		return r;
	r = ccdm_cache_init(c);
	if (r == -ENOSPC)
		c->ti->error = "cache_mib: too small for the memory of each CPU; give more MiB";
	return r;
}

/* ---- making and unmaking --------------------------------------------------- */

void ccdm_dtr(struct dm_target *ti)
{
	struct ccdm *c = ti->private;

	ccdm_event_exit(c);
	if (c->opened)
		ccdm_event_send(c, "closed");
	ccdm_scrub_exit(c);
	ccdm_cache_exit(c);
	if (c->walk)
		destroy_workqueue(c->walk);
	if (c->done)
		destroy_workqueue(c->done);
	ccdm_submitter_exit(&c->submitter);
	bioset_exit(&c->bios);
	ccdm_pages_exit(&c->pages);
	ccdm_creqs_exit(&c->creqs);
	ccdm_cipher_exit(&c->block);
	ccdm_cipher_exit(&c->node);
	free_percpu(c->stats);
	if (c->origin)
		dm_put_device(ti, c->origin);
	ccdm_unclaim(c);
	kfree(c);
}

int ccdm_ctr(struct dm_target *ti, unsigned int argc, char **argv)
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
	c->on_stop = ccdm_cache_stopped;
	INIT_LIST_HEAD(&c->list);
	atomic64_set(&c->seq, CCDM_SEQ_FIRST - 1);
	ccdm_name_update(c);
	ccdm_event_init(c);
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
			ti->error = r == -ENOMEM ? "Out of memory" :
				    r == -ENOSPC ? "cache_mib: too small for the fixed parts" :
				    "Cannot make the mapping";
		ccdm_dtr(ti);
		return r;
	}

	ti->per_io_data_size = sizeof(struct ccdm_io);
	ti->num_flush_bios = 0;
	ti->num_discard_bios = 1;
	ti->num_write_zeroes_bios = 1;
	ti->discards_supported = true;
	ti->limit_swap_bios = true;
	return 0;
}
