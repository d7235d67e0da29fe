// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapping.c - the module's tree, cache and I/O path in a program, beside an oracle
 *
 *	mapping good SEED COUNT		COUNT runs, each drawn from its own seed
 *	mapping errors SEED COUNT	calls fail at random
 *	mapping attack SEED COUNT	a host changes the device
 *	mapping sweep SEED TIMES	one after the other the n-th call of each kind fails, or TIMES from it on
 *	mapping cache SEED		who leaves memory, and who does not (cachetest.c)
 *
 * Clients read, write, discard and write zeroes at random, while the cache is dropped,
 * resized, shrunk, synced and scrubbed, and the mapping suspended. For each block the
 * oracle knows which writes have ended and which are under way: a read gets one of those
 * that it may get, and nothing else. With a sweep or with errors, EIO is allowed where a
 * call failed; a tamper is allowed only after an attack; memory, pages and requests must
 * all be given back, nothing may wait for ever, and afterwards all is right again.
 */
#include "block.h"
#include "mapping.h"
#include "oracle.h"
#include "sched.h"
#include "ccdm.h"

#define CLIENTS	   6
#define BIO_BLOCKS CCDM_NODE_ENTRIES
#define HOT	   48	/* leaves that are used */
#define BEFORE	   0x77 /* what a reader's pages hold */

_Static_assert(CLIENTS + 1 == ORACLE_WHO, "each client, and who looks at the end");

static struct ccdm c;
static struct dm_target ti;
static struct dm_dev dev, origin_dev;
static struct block_device backing, origin;
static struct block_device other; /* a bio's before it is mapped */

static struct {
	u64 ops, blocks, reads, errors, attacks, detections;
} total;

static struct {
	bool origin, errors;
	unsigned int clients, limit, left;
	bool pause, attacked, tampered, calm, excused;
	unsigned int disturbers;
	struct mutex suspend;
	unsigned int inside;
	wait_queue_head_t wait;
} run;

/* ---- the rest of the module, as far as it is not compiled here ------------------------------- */

const char *ccdm_name(struct ccdm *m)
{
	(void)m;
	return "sim";
}

static void mapping_dead(struct ccdm *m)
{
	run.excused = true;
	wake_up_all(&m->cache.sync_wait);
	ccdm_room_wake(m);
}

u64 ccdm_take_seq(struct ccdm *m, unsigned int n)
{
	if (sim_fails(SIM_NUMBER)) {
		m->state = CCDM_FAILED;
		mapping_dead(m);
		return 0;
	}
	return atomic64_add_return(n, &m->seq) - n + 1;
}

void ccdm_event_send(struct ccdm *m, const char *name)
{
	(void)m;
	sim_log("event %s\n", name);
}

void ccdm_event_unwritable(struct ccdm *m)
{
	ccdm_event_send(m, "unwritable");
}

void ccdm_tamper(struct ccdm *m, const char *kind, unsigned int level, u64 index)
{
	if (!run.attacked)
		sim_bug("false tamper: %s level %u index %llu", kind, level, index);
	sim_log("tamper: %s level %u index %llu\n", kind, level, index);
	run.tampered = run.excused = true;
	if (xchg(&m->state, CCDM_TAMPERED) == CCDM_TAMPERED)
		return;
	mapping_dead(m);
}

/* ---- clients ------------------------------------------------------------------------------------ */

struct client {
	unsigned int nr;
	unsigned int ops;
	struct ccdm_io io;
	struct bio bio;
	struct bio_vec vec[BIO_BLOCKS];
	struct completion done;
	struct version *version[8 * BIO_BLOCKS];
};

static struct client clients[CLIENTS + 1];
static u64 hot[HOT];

static void client_end_io(struct bio *bio)
{
	complete(&container_of(bio, struct client, bio)->done);
}

/* The sender's pages: in a row, or each alone, somewhere within them. */
static u8 *client_pages(struct client *k, unsigned int n)
{
	struct page *page = sim_user_pages() + k->nr * (BIO_BLOCKS + 1);
	unsigned int i, at = 0, offset = sim_draw(2) ? sim_draw(8) * 512 : 0;

	bio_init(&k->bio, &other, k->vec, BIO_BLOCKS, 0);
	while (at < n) {
		i = sim_draw(2) ? n - at : 1 + sim_draw(n - at);
		/* Pages that follow each other are one piece, as a file system sends them. */
		__bio_add_page(&k->bio, page + at, i * CCDM_BLOCK_SIZE, offset);
		at += i;
	}
	return (u8 *)page_address(page) + offset;
}

/* Send it, and wait. */
static bool client_send(struct client *k, blk_opf_t opf, u64 block)
{
	sim_may_sleep();
	while (run.pause)
		wait_event(run.wait, !run.pause);
	run.inside++;
	k->bio.bi_opf = opf;
	k->bio.bi_iter.bi_sector = ti.begin + block * CCDM_BLOCK_SECTORS;
	k->bio.bi_end_io = client_end_io;
	init_completion(&k->done);
	ccdm_io_map(&c, &k->bio, &k->io);
	wait_for_completion(&k->done);
	run.inside--;
	wake_up_all(&run.wait);
	if (k->bio.bi_end_io != client_end_io ||
	    (k->bio.bi_opf & ~REQ_RAHEAD) != (opf & ~REQ_RAHEAD))
		sim_bug("a bio comes back changed");
	return !k->bio.bi_status;
}

static void client_read(struct client *k, u64 block, unsigned int n)
{
	u8 *bytes = client_pages(k, n);
	u64 begin = oracle_begin(k->nr);
	unsigned int i;
	bool good;

	memset(bytes, BEFORE, n * CCDM_BLOCK_SIZE);
	good = client_send(k, REQ_OP_READ | (sim_draw(8) ? 0 : REQ_RAHEAD), block);
	total.reads += n;
	if (good) {
		for (i = 0; i < n; i++)
			oracle_read(block + i,
				    oracle_version(bytes + i * CCDM_BLOCK_SIZE, block + i), false,
				    begin);
	} else {
		total.errors++;
		/* Nothing is shown of a read that fails: zeros, or what was there before. */
		for (i = 0; i < n * CCDM_BLOCK_SIZE; i++)
			if (bytes[i] && bytes[i] != BEFORE)
				sim_bug("block %llu: a read that failed shows something", block);
		/* Which of them it was nobody says; nor of a call that failed meanwhile. */
		if (!run.excused && !sim_failed())
			sim_bug("block %llu (%u): cannot be read, and nothing failed", block, n);
		if (run.calm && n == 1 && !run.excused) {
			oracle_read(block, 0, true, begin);
			/* Each block of a failed write was sent again alone. */
			if (!sim_device_bad(&backing, block))
				sim_bug("block %llu: its last write went well, and it cannot be read",
					block);
		}
	}
	oracle_end(k->nr);
}

static void client_change(struct client *k, u64 block, unsigned int n, blk_opf_t op)
{
	u8 *bytes = op == REQ_OP_WRITE ? client_pages(k, n) : NULL;
	u64 id = op == REQ_OP_WRITE ? oracle_id() : 0;
	unsigned int i;
	bool good;

	if (!bytes) {
		bio_init(&k->bio, &other, NULL, 0, 0);
		k->bio.bi_iter.bi_size = n * CCDM_BLOCK_SIZE;
	}
	oracle_begin(k->nr);
	for (i = 0; i < n; i++) {
		k->version[i] = oracle_write(block + i, id);
		if (bytes)
			oracle_fill(bytes + i * CCDM_BLOCK_SIZE, id, block + i);
	}
	good = client_send(k, op, block);
	for (i = 0; i < n; i++)
		oracle_written(k->version[i], good);
	if (!good) {
		total.errors++;
		if (!run.excused && !sim_failed())
			sim_bug("block %llu (%u): cannot be written, and nothing failed", block, n);
	}
	oracle_end(k->nr);
	for (i = 0; i < n; i++)
		oracle_trim(block + i);
	/* What the sender does with its pages afterwards is nobody's business. */
	if (bytes)
		memset(bytes, 0x99, n * CCDM_BLOCK_SIZE);
}

/* A bio that is none of ours: nothing, or a block in two pieces. */
static void client_odd(struct client *k, u64 block)
{
	struct page *page = sim_user_pages() + k->nr * (BIO_BLOCKS + 1);
	bool empty = sim_draw(2), good;

	bio_init(&k->bio, &other, k->vec, BIO_BLOCKS, 0);
	if (!empty) {
		__bio_add_page(&k->bio, page, 512, 0);
		__bio_add_page(&k->bio, page, CCDM_BLOCK_SIZE - 512, 1024);
	}
	good = client_send(k, sim_draw(2) ? REQ_OP_READ : REQ_OP_WRITE, block);
	if (good != empty && !run.excused)
		sim_bug("block %llu: an odd bio is answered with %d", block, good);
}

static void client_op(struct client *k)
{
	u64 leaf = hot[sim_draw(HOT)], block = leaf << CCDM_NODE_SHIFT;
	unsigned int room = min((u64)CCDM_NODE_ENTRIES, c.g.blocks - block), n, first;
	unsigned int what = sim_draw(32);

	total.ops++;
	if (what < 2) {
		n = room;
		first = 0;
	} else {
		/* Few places, so that they meet. */
		first = sim_draw(2) ? sim_draw(room) : sim_draw(min(room, 4u));
		n = 1 + sim_draw(sim_draw(4) ? min(4u, room - first) : room - first);
	}
	total.blocks += n;
	if (!sim_draw(64))
		client_odd(k, block);
	if (what < 16) {
		client_read(k, block + first, n);
	} else if (what < 29 || what == 1) {
		client_change(k, block + first, n, REQ_OP_WRITE);
	} else {
		/* dm splits discards at no leaf. */
		if (!sim_draw(4))
			n = min(c.g.blocks - block - first,
				(u64)n + sim_draw(7 * CCDM_NODE_ENTRIES));
		client_change(k, block + first, n,
			      sim_draw(2) ? REQ_OP_DISCARD : REQ_OP_WRITE_ZEROES);
	}
	sim_progress();
}

static void client_run(void *arg)
{
	struct client *k = arg;

	for (; k->ops; k->ops--)
		client_op(k);
	run.left--;
	wake_up_all(&run.wait);
}

/* ---- who disturbs ------------------------------------------------------------------------------- */

void mapping_suspend(void)
{
	ccdm_scrub_allow(&c, false);
	ccdm_scrub_stop(&c);
	run.pause = true;
	wait_event(run.wait, !run.inside);
	ccdm_writeback_stop(&c);
	flush_workqueue(c.walk);
	flush_workqueue(c.done);
}

void mapping_resume(void)
{
	ccdm_scrub_allow(&c, true);
	ccdm_writeback_start(&c);
	run.pause = false;
	wake_up_all(&run.wait);
}

static void disturb_once(void)
{
	struct shrink_control sc = { 1 + sim_draw(32) };
	int r;

	switch (sim_draw(9)) {
	case 0:
		r = ccdm_sync(&c);
		if (r && r != -EAGAIN && !run.excused && !sim_failed())
			sim_bug("a sync fails, and nothing failed: %d", r);
		break;
	case 1:
		ccdm_room_drop(&c);
		break;
	case 2:
		ccdm_room_resize(&c, run.limit + sim_draw(64));
		break;
	case 3:
		if (c.cache.shrinker->count(c.cache.shrinker, &sc) != SHRINK_EMPTY)
			c.cache.shrinker->scan(c.cache.shrinker, &sc);
		break;
	case 4:
		(void)!ccdm_scrub_start(&c);
		break;
	case 5:
		ccdm_scrub_stop(&c);
		break;
	case 6:
		mutex_lock(&run.suspend);
		mapping_suspend();
		if (sim_draw(2))
			ccdm_sync(&c);
		mapping_resume();
		mutex_unlock(&run.suspend);
		break;
	case 7:
		/* The device takes nothing for a while. */
		if (run.errors)
			sim_fail_often(SIM_WRITE, sim_draw(2) ? 1 : 64);
		break;
	default:
		jiffies += sim_draw(HZ);
	}
}

static void disturb_run(void *arg)
{
	unsigned int i, n;

	(void)arg;
	while (run.left) {
		disturb_once();
		for (i = 0, n = sim_draw(2000); i < n && run.left; i++)
			sim_yield();
	}
	run.disturbers--;
	wake_up_all(&run.wait);
}

/* Let others go on for a while. */
static void attack_waits(void)
{
	unsigned int i;

	for (i = sim_draw(6000); i && run.left; i--)
		sim_yield();
}

/* Put back what stood at @block when it was @old. */
static void attack_replay(u64 block, const u8 *old)
{
	u8 *now = old ? sim_device_copy(&backing, block) : NULL;

	if (now && memcmp(old, now, PAGE_SIZE)) {
		run.attacked = true;
		sim_device_put(&backing, block, old);
	}
	free(now);
}

static void attack_flip(u64 block)
{
	u8 *now = sim_device_copy(&backing, block);

	if (now) {
		now[sim_draw(PAGE_SIZE)] ^= 1 << sim_draw(8);
		run.attacked = true;
		sim_device_put(&backing, block, now);
	}
	free(now);
}

/* The whole device as it was: each block of it fits every other. */
static void attack_rollback(void)
{
	u8 **old = calloc(c.g.total, sizeof(*old));
	u64 i;

	assert(old);
	for (i = 0; i < c.g.total; i++)
		old[i] = sim_device_copy(&backing, i);
	attack_waits();
	for (i = 0; i < c.g.total; i++) {
		attack_replay(i, old[i]);
		free(old[i]);
	}
	free(old);
}

/* The host: what it changes it does not change back. */
static void attack_run(void *arg)
{
	unsigned int tries;
	u64 block;
	u8 *old;

	(void)arg;
	for (tries = 0; tries < 50 && run.left && !run.attacked; tries++) {
		attack_waits();
		/* A node, or a block that was used. */
		block = sim_draw(2) ? c.g.blocks + sim_draw(c.g.total - c.g.blocks)
				    : ((hot[sim_draw(HOT)] << CCDM_NODE_SHIFT) + sim_draw(4)) %
					      c.g.blocks;
		switch (sim_draw(3)) {
		case 0:
			attack_flip(block);
			break;
		case 1:
			old = sim_device_copy(&backing, block);
			attack_waits();
			attack_replay(block, old);
			free(old);
			break;
		default:
			attack_rollback();
		}
	}
	total.attacks += run.attacked;
}

/* ---- from beginning to end ------------------------------------------------------------------------ */

int mapping_new(void)
{
	int r = -ENOMEM;

	c.stats = alloc_percpu(struct ccdm_stats);
	if (c.stats)
		/* (Half of what there is at least: enough for one bio.) */
		r = ccdm_pages_init(&c.pages,
				    CCDM_NODE_ENTRIES +
					    sim_draw(2) * sim_draw(2 * CCDM_NODE_ENTRIES));
	if (!r)
		r = bioset_init(&c.bios, 4, offsetof(struct ccdm_child, bio), BIOSET_NEED_BVECS);
	if (!r)
		r = ccdm_cache_init(&c);
	return r;
}

static void mapping_free(void)
{
	ccdm_cache_exit(&c);
	bioset_exit(&c.bios);
	ccdm_pages_exit(&c.pages);
	free_percpu(c.stats);
}

/* Nobody fails any more: all must be right. */
static void verify_run(void *arg)
{
	struct client *k = arg;
	enum sim_call call;
	unsigned int tries;
	u64 block;

	wait_event(run.wait, !run.left && !run.disturbers);
	ccdm_scrub_stop(&c);
	run.calm = true;
	sim_fail(SIM_CALLS, 0, 0);
	for (call = 0; call < SIM_CALLS; call++)
		sim_fail_often(call, 0);
	/* What is to be tried again is tried in its time. */
	jiffies += 60 * HZ;
	/* (Writes that are under way, one for each request there is, may still fail.) */
	for (tries = 0; tries < 16 && ccdm_sync(&c); tries++)
		;
	if (tries == 16 && !run.excused)
		sim_bug("a sync fails, and nothing fails any more");
	if (!run.excused && (c.cache.nr_dirty || c.cache.nr_unwritable))
		sim_bug("synced, and %u nodes are dirty, %u unwritable", c.cache.nr_dirty,
			c.cache.nr_unwritable);
	ccdm_room_drop(&c);
	for (block = 0; block < c.g.blocks; block++)
		if (oracle_touched(block)) {
			client_read(k, block, 1);
			sim_progress();
		}
	if (!run.excused) {
		(void)!ccdm_scrub_start(&c);
		flush_work(&c.scrub.work);
		if (ccdm_sync(&c) && !run.excused)
			sim_bug("the last sync fails");
		ccdm_room_drop(&c);
		if (c.cache.root.pins.n != 1 || !ccdm_mask_empty(&c.cache.root.mask))
			sim_bug("all is dropped, and the root is pinned %d times",
				c.cache.root.pins.n);
	}
	mapping_suspend();
	if (ccdm_pages_free(&c.pages) != c.pages.nr)
		sim_bug("%u of %u pages are not given back", c.pages.nr - ccdm_pages_free(&c.pages),
			c.pages.nr);
	total.detections += run.tampered;
}

/* @n blocks, or as many as are drawn. */
static void shape(u64 n)
{
	static const u64 blocks[] = { 1, 100, 128, 129, 1000, 16384, 16385, 40000, 300000 };
	unsigned int i;

	if (!n)
		n = sim_draw(64) ? blocks[sim_draw(ARRAY_SIZE(blocks))] : 2097153; /* four levels */
	assert(!ccdm_geometry_set(&c.g, n));
	sim_block_init(&backing, c.g.total);
	ti.begin = sim_draw(2) * 800;
	ti.private = &c;
	dev.bdev = &backing;
	c.ti = &ti;
	c.dev = &dev;
	run.origin = !sim_draw(3);
	if (run.origin) {
		sim_block_init(&origin, 1 + sim_draw(n));
		origin.origin = true;
		origin_dev.bdev = &origin;
		c.origin = &origin_dev;
		c.origin_blocks = origin.blocks;
	}
	c.opt.allow_discards = !sim_draw(2);
	c.opt.cache_mib = 2;
	run.limit = 4 * c.g.levels + sim_draw(2) * sim_draw(64);
	run.clients = 1 + sim_draw(CLIENTS);
	for (i = 0; i < HOT; i++)
		hot[i] = i < 3	 ? min((u64)i, c.g.nodes[0] - 1)
			 : i < 5 ? c.g.nodes[0] - 1
				 : sim_draw(c.g.nodes[0]);
	oracle_new(n, c.origin_blocks);
}

static void clean(void)
{
	oracle_free();
	sim_block_exit(&backing);
	if (run.origin)
		sim_block_exit(&origin);
	sim_sched_exit();
	if (sim_held())
		sim_bug("%llu pieces of memory are not given back", sim_held());
}

enum mode { MODE_GOOD, MODE_ERRORS, MODE_ATTACK };

/* struct fault - the @n-th call of that kind fails, in making (@ctr) or in use */
struct fault {
	enum sim_call call;
	u64 n, times;
	bool ctr;
};

struct ccdm *mapping_begin(u64 blocks)
{
	memset(&c, 0, sizeof(c));
	memset(&run, 0, sizeof(run));
	memset(clients, 0, sizeof(clients));
	init_waitqueue_head(&run.wait);
	mutex_init(&run.suspend);
	sim_suite_init();
	sim_fail_never();
	shape(blocks);
	c.last_miss = U64_MAX - 1;
	atomic64_set(&c.seq, CCDM_SEQ_FIRST - 1);
	c.cache.stopped = true;
	ccdm_scrub_init(&c);
	ccdm_read_ahead_init(&c);
	c.walk = sim_workqueue();
	c.done = sim_workqueue();
	return &c;
}

void mapping_end(void)
{
	mapping_free();
	sim_workqueue_free(c.walk);
	sim_workqueue_free(c.done);
	clean();
}

/* Return: whether the fault was met. */
static bool mapping_run(enum mode mode, unsigned int ops, const struct fault *fault)
{
	unsigned int i;
	bool met;
	int r;

	mapping_begin(0);
	if (fault && fault->ctr)
		sim_fail(fault->call, fault->n, fault->times);
	r = mapping_new();
	met = sim_failed();
	if (!r == met)
		sim_bug("made: %d, and %llu calls failed", r, sim_failed());
	if (!r) {
		ccdm_room_resize(&c, run.limit);
		run.left = run.clients;
		if (fault && !fault->ctr)
			sim_fail(fault->call, fault->n, fault->times);
		run.errors = mode == MODE_ERRORS;
		for (i = 0; run.errors && i < SIM_NUMBER; i++)
			if (sim_draw(2))
				sim_fail_often(i, 4 << sim_draw(8));
		for (i = 0; i <= CLIENTS; i++) {
			clients[i].nr = i;
			clients[i].ops = ops / run.clients;
			if (i < run.clients)
				sim_spawn(client_run, &clients[i], SIM_TASK);
		}
		run.disturbers = 2;
		sim_spawn(disturb_run, NULL, SIM_TASK);
		sim_spawn(disturb_run, NULL, SIM_TASK);
		if (mode == MODE_ATTACK)
			sim_spawn(attack_run, NULL, SIM_TASK);
		sim_spawn(verify_run, &clients[CLIENTS], SIM_TASK);
		mapping_resume();
		sim_run(sim_device);
		met = sim_failed();
	}
	mapping_end();
	return met;
}

static void begin(u64 seed, const char *what)
{
	snprintf(sim_what, sizeof(sim_what), "%s, seed %llu", what, seed);
	sim_choices(seed, NULL, 0);
}

#ifdef FUZZ
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static bool there;

	if (!there) {
		sim_pages_init((CLIENTS + 1) * (BIO_BLOCKS + 1));
		ccdm_io_module_init();
		assert(!ccdm_room_module_init());
		there = true;
	}
	if (size < 2)
		return 0;
	snprintf(sim_what, sizeof(sim_what), "of a fuzzer");
	sim_choices(data[0], data + 1, size - 1);
	mapping_run(data[0] % 3, 40, NULL);
	return 0;
}
#else
static const char *const call_names[] = { "allocation", "read",	   "write",
					  "sealing",	"opening", "number" };

/* Each call of each kind fails once; and then all from there on, a while. */
static void sweep(u64 seed, u64 times)
{
	struct fault f = { 0 };
	char what[128];

	for (f.ctr = true;; f.ctr = false) {
		for (f.call = 0; f.call < (f.ctr ? SIM_READ : SIM_CALLS); f.call++) {
			u64 met = 0;

			f.times = times;
			for (f.n = 1;; f.n++) {
				snprintf(what, sizeof(what), "%s %llu of %s fails",
					 call_names[f.call], f.n, f.ctr ? "making" : "use");
				begin(seed, what);
				if (!mapping_run(MODE_GOOD, 60, &f))
					break;
				met++;
			}
			if (met)
				printf("swept %s %s %llu\n", call_names[f.call],
				       f.ctr ? "making" : "use", met);
		}
		if (!f.ctr)
			break;
	}
}

int main(int argc, char **argv)
{
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	u64 count = argc > 3 ? strtoull(argv[3], NULL, 0) : 1, i;
	enum mode mode;

	if (argc < 2) {
		fprintf(stderr,
			"usage: mapping {good | errors | attack} SEED COUNT; sweep SEED TIMES; cache SEED\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sim_verbose = getenv("VERBOSE");
	sim_pages_init((CLIENTS + 1) * (BIO_BLOCKS + 1));
	ccdm_io_module_init();
	assert(!ccdm_room_module_init());
	if (!strcmp(argv[1], "cache")) {
		begin(seed, "cache");
		cache_test();
	} else if (!strcmp(argv[1], "sweep")) {
		sweep(seed, count);
	} else {
		mode = !strcmp(argv[1], "errors")   ? MODE_ERRORS
		       : !strcmp(argv[1], "attack") ? MODE_ATTACK
						    : MODE_GOOD;
		for (i = 0; i < count; i++) {
			begin(seed + i, argv[1]);
			mapping_run(mode, 400, NULL);
		}
	}
	printf("operations %llu blocks %llu read %llu errors %llu attacks %llu detections %llu\n",
	       total.ops, total.blocks, total.reads, total.errors, total.attacks, total.detections);
	return 0;
}
#endif
