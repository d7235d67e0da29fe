// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* block.c - see block.h */
#include "block.h"
#include "mapping.h"
#include "memory.h"
#include "sched.h"
#include "ccdm.h"

/* ---- bios --------------------------------------------------------------------------- */

void bio_init(struct bio *bio, struct block_device *bdev, struct bio_vec *vec, unsigned short max,
	      blk_opf_t opf)
{
	memset(bio, 0, sizeof(*bio));
	bio->bi_bdev = bdev;
	bio->bi_io_vec = vec;
	bio->bi_max_vecs = max;
	bio->bi_opf = opf;
}

void __bio_add_page(struct bio *bio, struct page *page, unsigned int len, unsigned int offset)
{
	assert(bio->bi_vcnt < bio->bi_max_vecs);
	bio->bi_io_vec[bio->bi_vcnt++] = (struct bio_vec){ page, len, offset };
	bio->bi_iter.bi_size += len;
}

int bioset_init(struct bio_set *set, unsigned int kept, size_t front, int flags)
{
	(void)flags;
	set->kept = kept;
	set->out = 0;
	set->front = front;
	init_waitqueue_head(&set->wait);
	return 0;
}

void bioset_exit(struct bio_set *set)
{
	if (set->out)
		sim_bug("%u bios are not given back", set->out);
}

struct bio *bio_alloc_bioset(struct block_device *bdev, unsigned short vecs, blk_opf_t opf,
			     gfp_t gfp, struct bio_set *set)
{
	struct bio *bio;
	char *p;

	assert(gfp == GFP_NOIO);
	/* Wait until an element of the reserve is free, since memory may be short at any time. */
	wait_event(set->wait, set->out < set->kept);
	set->out++;
	p = sim_take(set->front + sizeof(*bio) + vecs * sizeof(struct bio_vec));
	bio = (struct bio *)(p + set->front);
	bio_init(bio, bdev, (struct bio_vec *)(bio + 1), vecs, opf);
	bio->set = set;
	return bio;
}

void bio_put(struct bio *bio)
{
	struct bio_set *set = bio->set;

	set->out--;
	sim_free((char *)bio - set->front);
	wake_up(&set->wait);
}

void bio_endio(struct bio *bio)
{
	bio->bi_end_io(bio);
}

static int css_held;

int sim_css(void)
{
	return css_held;
}

struct cgroup_subsys_state *ccdm_css_get(struct bio *bio)
{
	css_held += !!bio->bi_blkg;
	return (void *)(uintptr_t)bio->bi_blkg;
}

void ccdm_css_put(struct cgroup_subsys_state *css)
{
	css_held -= !!css;
}

/* ---- the device ------------------------------------------------------------------------ */

/* struct request - a bio in the device; its blocks are processed one by one, in any order */
struct request {
	struct bio *bio;
	struct block_device *bdev;
	unsigned int op, n, left;
	u64 block;
	bool fails, done[CCDM_NODE_ENTRIES];
	u8 *bytes[CCDM_NODE_ENTRIES];
};

static struct request *waiting[4096];
static unsigned int nr_waiting;
static bool held_back, no_more;
static unsigned int tags; /* number of bios that the device accepts at a time */
static wait_queue_head_t tag_free;

void sim_block_init(struct block_device *bdev, u64 blocks)
{
	memset(bdev, 0, sizeof(*bdev));
	no_more = false;
	tags = sim_draw(2) ? 1 + sim_draw(8) : ARRAY_SIZE(waiting);
	init_waitqueue_head(&tag_free);
	bdev->blocks = blocks;
	bdev->block = calloc(blocks, sizeof(u8 *));
	bdev->bad = calloc(blocks, sizeof(bool));
	assert(bdev->block && bdev->bad);
}

bool sim_device_bad(struct block_device *bdev, u64 block)
{
	return bdev->bad[block];
}

void sim_block_exit(struct block_device *bdev)
{
	u64 i;

	for (i = 0; i < bdev->blocks; i++)
		free(bdev->block[i]);
	free(bdev->block);
	free(bdev->bad);
}

u8 *sim_device_copy(struct block_device *bdev, u64 block)
{
	u8 *p;

	if (!bdev->block[block])
		return NULL;
	p = malloc(PAGE_SIZE);
	assert(p);
	return memcpy(p, bdev->block[block], PAGE_SIZE);
}

void sim_device_put(struct block_device *bdev, u64 block, const u8 *bytes)
{
	if (!bdev->block[block])
		bdev->block[block] = malloc(PAGE_SIZE);
	assert(bdev->block[block]);
	memcpy(bdev->block[block], bytes, PAGE_SIZE);
}

bool bdev_nowait(struct block_device *bdev)
{
	return !bdev->origin;
}

void sim_origin(u64 block, u8 *bytes)
{
	u64 i, *w = (u64 *)(void *)bytes;

	for (i = 0; i < PAGE_SIZE / 8; i++)
		w[i] = 0x0417 + (block << 20) + i;
}

void submit_bio_noacct(struct bio *bio)
{
	struct list_head *later = sim_map_bios();

	if (sim_on_queue(sim.c.done))
		sim_bug("a worker that must not sleep sends a bio");
	if (later) {
		list_add_tail(&bio->sim, later);
	} else {
		/* A sender that can wait does wait, so no such bio may have REQ_NOWAIT. */
		if (bio->bi_opf & REQ_NOWAIT)
			sim_bug("a bio that is not sent in map() may not wait");
		sim_device_take(bio);
	}
	sim_yield();
}

void sim_device_take(struct bio *bio)
{
	struct bvec_iter it = bio->bi_iter;
	struct request *q;
	unsigned int i;

	if ((bio->bi_opf & REQ_NOWAIT) && it.bi_size / CCDM_BLOCK_SIZE > 64)
		sim_bug("a bio may not wait that is refused for ever");
	if ((bio->bi_opf & REQ_NOWAIT) && bio->bi_bdev->origin)
		sim_bug("an origin may not know how to refuse a bio");
	if ((bio->bi_opf & REQ_NOWAIT) && (nr_waiting >= tags || !sim_draw(4))) {
		/* The device below may have been replaced, or consist of several devices. */
		bio->bi_status = sim_draw(4) ? BLK_STS_AGAIN : BLK_STS_NOTSUPP;
		for (i = 0; bio_op(bio) == REQ_OP_WRITE && i < it.bi_size / CCDM_BLOCK_SIZE; i++)
			if (!sim_draw(4))
				sim_device_put(bio->bi_bdev, it.bi_sector / CCDM_BLOCK_SECTORS + i,
					       (u8 *)page_address(bio->bi_io_vec[i].bv_page));
		bio_endio(bio);
		return;
	}
	q = calloc(1, sizeof(*q));
	assert(q);
	wait_event(tag_free, nr_waiting < tags);
	q->bio = bio;
	q->bdev = bio->bi_bdev;
	q->op = bio_op(bio);
	q->block = it.bi_sector / CCDM_BLOCK_SECTORS;
	q->n = q->left = it.bi_size / CCDM_BLOCK_SIZE;
	if (!q->n || q->n > CCDM_NODE_ENTRIES || it.bi_sector % CCDM_BLOCK_SECTORS ||
	    it.bi_size % CCDM_BLOCK_SIZE || q->block + q->n > q->bdev->blocks)
		sim_bug("a bio of %u bytes at sector %llu", it.bi_size, it.bi_sector);
	if (q->bdev->origin && q->op != REQ_OP_READ)
		sim_bug("the origin is written");
	if (no_more && q->op != REQ_OP_READ)
		sim_bug("the device is written after a tamper");
	for (i = 0; q->op != REQ_OP_DISCARD && i < q->n; i++) {
		struct bio_vec v = mp_bvec_iter_bvec(bio->bi_io_vec, it);

		q->bytes[i] = (u8 *)page_address(v.bv_page) + v.bv_offset;
		if (!q->bdev->origin && sim_is_users(v.bv_page))
			sim_bug("the sender's page goes to the host");
		if (v.bv_offset && !q->bdev->origin)
			sim_bug("a page of the pool with an offset");
		bvec_iter_advance_single(bio->bi_io_vec, &it, CCDM_BLOCK_SIZE);
	}
	q->fails = sim_fails(q->op == REQ_OP_READ ? SIM_READ : SIM_WRITE);
	waiting[nr_waiting++] = q;
}

static void sim_block_do(struct request *q, unsigned int i)
{
	u8 **p = &q->bdev->block[q->block + i], *bytes = q->bytes[i];

	q->done[i] = true;
	q->left--;
	if (q->op == REQ_OP_WRITE)
		q->bdev->bad[q->block + i] = q->fails;
	if (q->fails && sim_draw(2))
		return;
	if (q->op == REQ_OP_DISCARD) {
		/* After a discard, a read returns arbitrary content. */
		if (*p)
			memset(*p, sim_draw(256), PAGE_SIZE);
	} else if (q->op == REQ_OP_WRITE) {
		sim_device_put(q->bdev, q->block + i, bytes);
	} else if (q->bdev->origin) {
		sim_origin(q->block + i, bytes);
	} else if (*p) {
		memcpy(bytes, *p, PAGE_SIZE);
	} else {
		memset(bytes, 0, PAGE_SIZE);
	}
}

static void sim_bio_end(void *arg)
{
	bio_endio(arg);
}

void sim_device_hold(bool hold)
{
	held_back = hold;
}

void sim_device_no_writes(void)
{
	no_more = true;
}

bool sim_device(void)
{
	unsigned int at = sim_draw(nr_waiting), i, n;
	struct request *q;
	struct bio *bio;

	client_peek();
	if (!nr_waiting || held_back)
		return false;
	q = waiting[at];
	for (n = 1 + sim_draw(8); n && q->left; n--) {
		i = sim_draw(q->n);
		while (q->done[i])
			i = (i + 1) % q->n;
		sim_block_do(q, i);
	}
	if (q->left)
		return true;
	waiting[at] = waiting[--nr_waiting];
	wake_up(&tag_free);
	bio = q->bio;
	/* The host can return any status: not supported, a protection error, try again. */
	bio->bi_status = q->fails ? 1 + sim_draw(17) : BLK_STS_OK;
	/* Block drivers advance the iterator, so do the same. */
	bio->bi_iter.bi_size = 0;
	bio->bi_iter.bi_sector += q->n * CCDM_BLOCK_SECTORS;
	free(q);
	sim_progress();
	sim_spawn(sim_bio_end, bio, sim_draw(2) ? SIM_IRQ : SIM_SOFTIRQ);
	return true;
}
