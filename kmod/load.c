// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * load.c - read nodes and verify them
 *
 * A load blocks no thread. It begins in map() or in a worker, is a bio at the device,
 * and its completion goes on: verify and decipher in softirq, publish the node, tell
 * the walks that wait at it. A worker goes on where softirq cannot: without memory for
 * a request, with a cipher that is asynchronous, or after an error.
 *
 * The memory for loads is allocated when the mapping is made. It bounds how many are
 * under way; a control group has at most three quarters of it.
 */
#include <linux/slab.h>
#include "ccdm.h"
#include "trace.h"

/**
 * struct ccdm_load - memory for the load of a node
 * @list: in the list of those that are free
 * @c: mapping
 * @node: the node, LOADING, pinned by the load
 * @entry: the parent's entry for it
 * @page: for the ciphertext; belongs to this struct
 * @creq: request of an asynchronous opening
 * @ioprio: priority of the I/O that it serves
 * @opf: flags of that I/O
 * @group: its group while it is in use
 * @tries: errors of the crypto API
 * @misses: mismatches
 * @work: goes on in a worker
 * @soft: goes on in softirq
 * @send: goes to the submitter with it
 * @vec: table of @bio
 * @bio: the read
 */
struct ccdm_load {
	struct list_head list;
	struct ccdm *c;
	struct ccdm_node *node;
	struct ccdm_entry entry;
	struct page *page;
	struct ccdm_creq *creq;
	unsigned short ioprio;
	blk_opf_t opf;
	u8 group;
	u8 tries;
	u8 misses;
	struct work_struct work;
	struct ccdm_soft soft;
	struct ccdm_send send;
	struct bio_vec vec;
	struct bio bio;
};

/* ---- memory -------------------------------------------------------------- */

static struct ccdm_load *ccdm_load_take(struct ccdm_cache *k, unsigned int group)
{
	struct ccdm_load *load;

	lockdep_assert_held(&k->load_lock);
	load = list_first_entry_or_null(&k->free_loads, struct ccdm_load, list);
	if (!load || k->group_loads[group] >= k->nr_loads - k->nr_loads / 4)
		return NULL;
	list_del_init(&load->list);
	k->nr_free_loads--;
	k->group_loads[group]++;
	load->group = group;
	return load;
}

struct ccdm_load *ccdm_load_get(struct ccdm *c, struct ccdm_walk *walk, unsigned int group)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_load *load = NULL;
	unsigned long flags;

	spin_lock_irqsave(&k->load_lock, flags);
	/* No walk overtakes the line: its first gets the next free load. */
	if (!(k->load_line.groups[CCDM_RANK_READ] & 1u << group))
		load = ccdm_load_take(k, group);
	if (!load && walk) {
		walk->waiter.rank = CCDM_RANK_READ;
		ccdm_line_add(&k->load_line, &walk->waiter);
	}
	spin_unlock_irqrestore(&k->load_lock, flags);
	return load;
}

/* Give free loads to waiting walks, one by one. */
static void ccdm_load_serve(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;
	struct ccdm_waiter *waiter;
	struct ccdm_walk *walk;
	u32 skip = 0;

	lockdep_assert_held(&k->load_lock);
	while ((waiter = ccdm_line_next(&k->load_line, CCDM_RANK_READ, skip))) {
		walk = container_of(waiter, struct ccdm_walk, waiter);
		walk->load = ccdm_load_take(k, waiter->group);
		if (!walk->load) {
			skip |= 1u << waiter->group;
			continue;
		}
		ccdm_line_serve(&k->load_line, waiter);
		list_add_tail(&waiter->list, &k->again);
		queue_work(c->done, &k->walker);
	}
}

void ccdm_load_put(struct ccdm *c, struct ccdm_load *load)
{
	struct ccdm_cache *k = &c->cache;
	unsigned long flags;

	spin_lock_irqsave(&k->load_lock, flags);
	load->node = NULL;
	list_add(&load->list, &k->free_loads);
	k->nr_free_loads++;
	k->group_loads[load->group]--;
	ccdm_load_serve(c);
	/* In the lock: the waiter for the last load frees the mapping afterwards. */
	if (k->nr_free_loads == k->nr_loads)
		wake_up_all(&k->load_wait);
	spin_unlock_irqrestore(&k->load_lock, flags);
}

/* ---- the life of a load --------------------------------------------------- */

static void ccdm_load_end(struct ccdm_load *load, int error)
{
	struct ccdm_node *node = load->node;
	struct ccdm *c = load->c;

	if (error) {
		ccdm_cache_abandon(c, node, -EIO);
	} else {
		ccdm_cache_publish(c, node);
		ccdm_node_unpin(c, node);
	}
	/* Last: the mapping goes when all are free. */
	ccdm_load_put(c, load);
}

static void ccdm_load_later(struct ccdm_load *load)
{
	queue_work(load->c->done, &load->work);
}

/* An opening that began in softirq has ended: repeat it where sleeping is allowed. */
static void ccdm_load_async_done(void *arg)
{
	struct ccdm_load *load = arg;

	/* A load that waits for a worker keeps no request. */
	ccdm_creq_put(&load->c->creqs, load->creq);
	load->creq = NULL;
	ccdm_load_later(load);
}

static void ccdm_load_resend(struct ccdm_load *load);

/* Verify and decipher what has arrived. @atomic: may not sleep. */
static void ccdm_load_open(struct ccdm_load *load, bool atomic)
{
	struct ccdm_node *node = load->node;
	struct ccdm *c = load->c;
	struct ccdm_place place = {
		.domain = CCDM_DOMAIN_NODE(node->level),
		.index = node->index,
		.seq = ccdm_le64_to_cpu(load->entry.seq),
	};
	struct ccdm_creq *creq = ccdm_creq_get(&c->creqs, atomic ? GFP_NOWAIT | __GFP_NOWARN :
								   GFP_NOIO);
	int r;

	if (!creq) {
		ccdm_load_later(load);
		return;
	}
	do {
		creq->done = ccdm_load_async_done;
		creq->arg = load;
		load->creq = creq;
		r = ccdm_open(&c->node, creq, &place, load->entry.tag, load->page,
			      virt_to_page(node->entry), 0, atomic);
		if (r == -EINPROGRESS)
			return;	/* load is not ours any more */
		/* Another error of the crypto API is no verdict: once more where one can sleep. */
	} while (r && r != -EBADMSG && !atomic && ++load->tries < 3);
	load->creq = NULL;
	ccdm_creq_put(&c->creqs, creq);

	if (!r) {
		ccdm_load_end(load, 0);
	} else if (r != -EBADMSG && atomic) {
		ccdm_load_later(load);
	} else if (r == -EBADMSG && !load->misses++) {
		ccdm_count(c, CCDM_STAT_RECHECKS, 1);
		trace_ccdm_recheck(ccdm_name(c), node->level + 1, node->index);
		ccdm_load_resend(load);
	} else {
		if (r == -EBADMSG)
			ccdm_tamper(c, "node", node->level, node->index);
		ccdm_load_end(load, -EIO);
	}
}

static void ccdm_load_arrived(struct ccdm_load *load)
{
	if (unlikely(load->bio.bi_status) || !may_use_simd())
		ccdm_load_later(load);
	else
		ccdm_load_open(load, true);
}

static void ccdm_load_soft(struct ccdm_soft *soft)
{
	ccdm_load_arrived(container_of(soft, struct ccdm_load, soft));
}

/* By a worker: what softirq could not do. */
static void ccdm_load_work(struct work_struct *work)
{
	struct ccdm_load *load = container_of(work, struct ccdm_load, work);
	unsigned int noio = memalloc_noio_save();
	struct ccdm *c = load->c;

	if (load->bio.bi_status) {
		ccdm_count(c, CCDM_STAT_NODE_ERRORS, 1);
		DMERR_LIMIT("%s: node level %u index %llu: read error %d", ccdm_name(c),
			    load->node->level, load->node->index,
			    blk_status_to_errno(load->bio.bi_status));
		ccdm_load_end(load, -EIO);
	} else {
		ccdm_load_open(load, false);
	}
	memalloc_noio_restore(noio);
}

static void ccdm_load_end_io(struct bio *bio)
{
	struct ccdm_load *load = bio->bi_private;

	if (in_hardirq() || irqs_disabled())
		ccdm_soft_queue(&load->soft);
	else
		ccdm_load_arrived(load);
}

static void ccdm_load_send(struct ccdm_send *send)
{
	submit_bio_noacct(&container_of(send, struct ccdm_load, send)->bio);
}

static void ccdm_load_prepare(struct ccdm_load *load)
{
	struct ccdm *c = load->c;
	struct bio *bio = &load->bio;

	bio_init(bio, NULL, &load->vec, 1, REQ_OP_READ | REQ_META | REQ_SYNC | load->opf);
	bio->bi_bdev = c->dev->bdev;
	/* Charged to the root group: others may wait when the node's first user is throttled. */
	ccdm_css_charge_root(bio);
	bio->bi_ioprio = load->ioprio;
	bio->bi_iter.bi_sector = (c->g.first[load->node->level] + load->node->index) *
				 CCDM_BLOCK_SECTORS;
	bio->bi_end_io = ccdm_load_end_io;
	bio->bi_private = load;
	__bio_add_page(bio, load->page, CCDM_BLOCK_SIZE, 0);
}

void ccdm_load_start(struct ccdm_load *load, bool direct)
{
	if (direct) {
		submit_bio_noacct(&load->bio);
		return;
	}
	ccdm_waiter_set(&load->send.waiter, &load->bio, load->group);
	ccdm_submit(&load->c->submitter, &load->send, false);
}

static void ccdm_load_resend(struct ccdm_load *load)
{
	ccdm_load_prepare(load);
	ccdm_load_start(load, false);
}

void ccdm_load_set(struct ccdm_load *load, struct ccdm_node *node, const struct ccdm_entry *e,
		   const struct ccdm_walk *walk)
{
	load->node = node;
	load->entry = *e;
	load->tries = 0;
	load->misses = 0;
	load->ioprio = walk->ioprio;
	load->opf = walk->opf;
	ccdm_load_prepare(load);
}

/* ---- life ---------------------------------------------------------------- */

size_t ccdm_load_cost(unsigned int nr)
{
	return nr * (sizeof(struct ccdm_load) + PAGE_SIZE);
}

int ccdm_load_init(struct ccdm *c, unsigned int nr)
{
	struct ccdm_cache *k = &c->cache;
	unsigned int i;

	k->loads = kvcalloc(nr, sizeof(*k->loads), GFP_KERNEL);
	if (!k->loads)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		struct ccdm_load *load = &k->loads[i];

		load->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!load->page)
			return -ENOMEM;
		load->c = c;
		load->soft.step = ccdm_load_soft;
		load->send.send = ccdm_load_send;
		INIT_WORK(&load->work, ccdm_load_work);
		list_add_tail(&load->list, &k->free_loads);
		k->nr_loads++;
		k->nr_free_loads++;
	}
	return 0;
}

static bool ccdm_load_idle(struct ccdm_cache *k)
{
	bool idle;

	spin_lock_irq(&k->load_lock);
	idle = k->nr_free_loads == k->nr_loads;
	spin_unlock_irq(&k->load_lock);
	return idle;
}

void ccdm_load_drain(struct ccdm *c)
{
	wait_event(c->cache.load_wait, ccdm_load_idle(&c->cache));
}

void ccdm_load_exit(struct ccdm *c)
{
	struct ccdm_cache *k = &c->cache;

	while (k->nr_loads)
		__free_page(k->loads[--k->nr_loads].page);
	kvfree(k->loads);
}
