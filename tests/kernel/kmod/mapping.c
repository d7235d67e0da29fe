// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * mapping.c - the module's tree, cache and I/O path in a program, checked by an oracle
 *
 *	mapping good SEED COUNT		COUNT runs, each drawn from its own seed
 *	mapping errors SEED COUNT	calls fail at random
 *	mapping attack SEED COUNT	a host changes the device
 *	mapping sweep SEED TIMES	the n-th call of each kind fails in turn, or TIMES calls from it on
 *	mapping cache SEED		which nodes leave memory (cachetest.c)
 *	mapping line SEED		in which order requests are served (linetest.c)
 *
 * Clients read, write, discard and write zeroes at random. Meanwhile the cache is dropped, resized,
 * shrunk, synced and scrubbed, and the mapping is suspended. For each block the oracle knows which
 * writes have ended and which are under way: a read must return one of the permitted contents. In
 * sweep and errors, EIO is allowed where a call failed. A tamper is allowed only after an attack.
 * Memory, pages and requests must all be returned, nothing may wait forever, and in the end all
 * content must be right.
 */
#include "block.h"
#include "cipher.h"
#include "mapping.h"
#include "memory.h"
#include "oracle.h"
#include "sched.h"
#include "ccdm.h"

struct mapping sim;
struct totals sim_total;

static struct dm_dev dev, origin_dev;
static struct request_queue queue;
static struct block_device origin;

/* ---- replacements for parts of the module that are not compiled here ------------------------- */

const char *ccdm_name(struct ccdm *m)
{
	(void)m;
	return "sim";
}

static void mapping_dead(struct ccdm *m)
{
	sim.excused = true;
	ccdm_cache_stopped(m);
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
	if (!sim_failed_of(SIM_WRITE))
		sim_bug("the device is said to take no nodes, and it took all");
	ccdm_event_send(m, "unwritable");
}

void ccdm_tamper(struct ccdm *m, const char *kind, unsigned int level, u64 index)
{
	if (!sim.attacked)
		sim_bug("false tamper: %s level %u index %llu", kind, level, index);
	sim_log("tamper: %s level %u index %llu\n", kind, level, index);
	sim.tampered = sim.excused = true;
	if (xchg(&m->state, CCDM_TAMPERED) == CCDM_TAMPERED)
		return;
	mapping_dead(m);
}

/* ---- disturbances --------------------------------------------------------------------- */

void mapping_suspend(void)
{
	ccdm_scrub_allow(&sim.c, false);
	ccdm_scrub_stop(&sim.c);
	sim.pause = true;
	wait_event(sim.wait, !sim.inside);
	ccdm_writeback_stop(&sim.c);
	flush_workqueue(sim.c.walk);
	ccdm_submitter_flush(&sim.c.submitter);
	flush_workqueue(sim.c.done);
	if (sim.c.cache.nr_free_loads != sim.c.cache.nr_loads)
		sim_bug("a node is being loaded while the mapping is suspended");
}

void mapping_resume(void)
{
	ccdm_scrub_allow(&sim.c, true);
	ccdm_writeback_start(&sim.c);
	sim.pause = false;
	wake_up_all(&sim.wait);
}

static void disturb_once(void)
{
	struct shrink_control sc = { 1 + sim_draw(32) };
	int r;

	switch (sim_draw(9)) {
	case 0:
		r = ccdm_sync(&sim.c);
		if (r && r != -EAGAIN && !sim.excused && !sim_failed())
			sim_bug("a sync fails, and nothing failed: %d", r);
		break;
	case 1:
		ccdm_nodes_drop(&sim.c);
		break;
	case 2:
		ccdm_nodes_resize(&sim.c, sim.limit + sim_draw(64));
		break;
	case 3:
		if (sim.c.cache.shrinker->count_objects(sim.c.cache.shrinker, &sc) != SHRINK_EMPTY)
			sim.c.cache.shrinker->scan_objects(sim.c.cache.shrinker, &sc);
		break;
	case 4:
		(void)!ccdm_scrub_start(&sim.c);
		break;
	case 5:
		ccdm_scrub_stop(&sim.c);
		break;
	case 6:
		mutex_lock(&sim.suspend);
		mapping_suspend();
		if (sim_draw(2))
			ccdm_sync(&sim.c);
		mapping_resume();
		mutex_unlock(&sim.suspend);
		break;
	case 7:
		/* the device refuses writes for a while */
		if (sim.errors)
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
	while (sim.left) {
		disturb_once();
		for (i = 0, n = sim_draw(2000); i < n && sim.left; i++)
			sim_yield();
	}
	sim.disturbers--;
	wake_up_all(&sim.wait);
}

/* ---- create, check, destroy ----------------------------------------------------------- */

int mapping_new(void)
{
	int r = -ENOMEM;

	sim.c.stats = alloc_percpu(struct ccdm_stats);
	if (sim.c.stats)
		/* Fewer than a real mapping has: reads, or writes, can have enough for one bio. */
		r = ccdm_pages_init(&sim.c.pages,
				    CCDM_NODE_ENTRIES * 3 / 2 +
					    sim_draw(2) * sim_draw(2 * CCDM_NODE_ENTRIES));
	if (!r)
		r = bioset_init(&sim.c.bios, 4, offsetof(struct ccdm_child, bio),
				BIOSET_NEED_BVECS);
	if (!r)
		r = ccdm_scrub_init(&sim.c);
	if (!r)
		r = ccdm_cache_init(&sim.c);
	return r;
}

static void mapping_free(void)
{
	ccdm_scrub_exit(&sim.c);
	ccdm_cache_exit(&sim.c);
	bioset_exit(&sim.c.bios);
	ccdm_pages_exit(&sim.c.pages);
	free_percpu(sim.c.stats);
}

/* A scrub that could not read a block must not report that it read everything. */
static void scrub_fails(enum sim_call call, u64 times)
{
	u64 finished = sim.c.scrub.finished, before = sim_failed_of(call);

	ccdm_nodes_drop(&sim.c);
	sim_fail(call, 1 + sim_draw(8), times);
	(void)!ccdm_scrub_start(&sim.c);
	flush_work(&sim.c.scrub.work);
	sim_fail(SIM_CALLS, 0, 0);
	if (sim_failed_of(call) - before >= times && sim.c.scrub.finished != finished)
		sim_bug("a scrub that met %llu errors says that all is read", times);
	if (sim_failed_of(call) == before && !sim.excused && sim.c.scrub.finished == finished)
		sim_bug("a scrub that met no error does not say that all is read");
}

/* No call fails any more, so all content must be right. */
static void verify_run(void *arg)
{
	enum sim_call call;
	unsigned int tries;
	u64 block;

	(void)arg;
	wait_event(sim.wait, !sim.left && !sim.disturbers);
	ccdm_scrub_stop(&sim.c);
	sim.calm = true;
	sim_fail(SIM_CALLS, 0, 0);
	for (call = 0; call < SIM_CALLS; call++)
		sim_fail_often(call, 0);
	/* Let the time of all retries come. */
	jiffies += 60 * HZ;
	/* Writes under way may still fail, at most one for each request. */
	for (tries = 0; tries < 16 && ccdm_sync(&sim.c); tries++)
		;
	if (sim.tampered) {
		/* I/O under way ends; after that the device must receive no write. */
		mapping_suspend();
		mapping_resume();
		sim_device_no_writes();
		client_write_on(sim_draw(sim.c.g.blocks));
		(void)!ccdm_sync(&sim.c);
	}
	if (tries == 16 && !sim.excused)
		sim_bug("a sync fails, and nothing fails any more");
	if (!sim.excused && (sim.c.cache.nr_dirty || sim.c.cache.nr_unwritable))
		sim_bug("synced, and %u nodes are dirty, %u unwritable", sim.c.cache.nr_dirty,
			sim.c.cache.nr_unwritable);
	ccdm_nodes_drop(&sim.c);
	for (block = 0; block < sim.c.g.blocks; block++)
		if (oracle_touched(block)) {
			client_look(block);
			sim_progress();
		}
	if (!sim.excused) {
		/* a sweep counts its own failures; an opening is tried three times */
		if (!sim.sweep) {
			scrub_fails(SIM_READ, 1);
			scrub_fails(SIM_OPEN, 6);
		}
		(void)!ccdm_scrub_start(&sim.c);
		flush_work(&sim.c.scrub.work);
		if (ccdm_sync(&sim.c) && !sim.excused)
			sim_bug("the last sync fails");
		/* leaves that were read ahead */
		ccdm_load_drain(&sim.c);
		ccdm_nodes_drop(&sim.c);
		if (sim.c.cache.root.pins.n != 1 || !ccdm_mask_empty(&sim.c.cache.root.mask))
			sim_bug("all is dropped, and the root is pinned %d times",
				sim.c.cache.root.pins.n);
	}
	mapping_suspend();
	if (ccdm_pages_free(&sim.c.pages) != sim.c.pages.nr)
		sim_bug("%u of %u pages are not given back",
			sim.c.pages.nr - ccdm_pages_free(&sim.c.pages), sim.c.pages.nr);
	sim_total.detections += sim.tampered;
}

/* Set the geometry: @n blocks; 0: draw the number. */
static void shape(u64 n)
{
	static const u64 blocks[] = { 1, 100, 128, 129, 1000, 16384, 16385, 40000, 300000 };
	unsigned int i;

	if (!n)
		n = sim_draw(64) ? blocks[sim_draw(ARRAY_SIZE(blocks))] : 2097153; /* four levels */
	assert(!ccdm_geometry_set(&sim.c.g, n));
	sim_block_init(&sim.backing, sim.c.g.total);
	sim.ti.begin = sim_draw(2) * 800;
	sim.ti.private = &sim.c;
	dev.bdev = &sim.backing;
	sim.c.ti = &sim.ti;
	sim.c.dev = &dev;
	sim.origin = !sim_draw(3);
	if (sim.origin) {
		sim_block_init(&origin, 1 + sim_draw(n));
		origin.origin = true;
		origin_dev.bdev = &origin;
		sim.c.origin = &origin_dev;
		sim.c.origin_blocks = origin.blocks;
	}
	sim.c.opt.allow_discards = !sim_draw(2);
	sim.c.opt.cache_mib = 3;
	sim.limit = 4 * sim.c.g.levels + sim_draw(2) * sim_draw(64);
	sim.clients = 1 + sim_draw(CLIENTS);
	for (i = 0; i < HOT; i++)
		sim.hot[i] = i < 3   ? min((u64)i, sim.c.g.nodes[0] - 1)
			     : i < 5 ? sim.c.g.nodes[0] - 1
				     : sim_draw(sim.c.g.nodes[0]);
	oracle_new(n, sim.c.origin_blocks);
}

static void clean(void)
{
	unsigned int g;

	oracle_free();
	sim_block_exit(&sim.backing);
	if (sim.origin)
		sim_block_exit(&origin);
	sim_sched_exit();
	for (g = 0; g < CCDM_GROUPS; g++)
		if (sim.c.submitter.writes[g].n)
			sim_bug("%d writes are said to be at the device",
				sim.c.submitter.writes[g].n);
	if (sim.c.cache.room_waiters.n)
		sim_bug("%d walks are said to wait for room", sim.c.cache.room_waiters.n);
	if (sim_css())
		sim_bug("%d references to control groups are not given back", sim_css());
	if (sim_held())
		sim_bug("%llu pieces of memory are not given back", sim_held());
}

enum mode { MODE_GOOD, MODE_ERRORS, MODE_ATTACK };

/* struct fault - the @n-th call of this kind fails, in the constructor (@ctr) or later */
struct fault {
	enum sim_call call;
	u64 n, times;
	bool ctr;
};

struct ccdm *mapping_begin(u64 blocks)
{
	memset(&sim, 0, sizeof(sim));
	init_waitqueue_head(&sim.wait);
	mutex_init(&sim.suspend);
	sim_cipher_init();
	sim_fail_never();
	shape(blocks);
	atomic64_set(&sim.c.seq, CCDM_SEQ_FIRST - 1);
	sim.c.cache.stopped = true;
	sim.c.walk = sim_workqueue();
	sim.c.done = sim_workqueue();
	queue.nr_requests = 1 + sim_draw(16);
	assert(!ccdm_submitter_init(&sim.c.submitter, "sim", &queue));
	return &sim.c;
}

void mapping_end(void)
{
	mapping_free();
	sim_workqueue_free(sim.c.walk);
	sim_workqueue_free(sim.c.done);
	ccdm_submitter_exit(&sim.c.submitter);
	clean();
}

/* Return: whether the fault occurred. */
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
		ccdm_nodes_resize(&sim.c, sim.limit);
		sim.left = sim.clients;
		if (fault && !fault->ctr)
			sim_fail(fault->call, fault->n, fault->times);
		sim.errors = mode == MODE_ERRORS;
		sim.sweep = fault;
		for (i = 0; sim.errors && i < SIM_NUMBER; i++)
			if (sim_draw(2))
				sim_fail_often(i, 4 << sim_draw(8));
		for (i = 0; i < sim.clients; i++)
			client_start(i, ops / sim.clients);
		sim.disturbers = 2;
		sim_spawn(disturb_run, NULL, SIM_TASK);
		sim_spawn(disturb_run, NULL, SIM_TASK);
		if (mode == MODE_ATTACK)
			sim_spawn(host_run, NULL, SIM_TASK);
		sim_spawn(verify_run, NULL, SIM_TASK);
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
		sim_pages_init(USER_PAGES);
		assert(!ccdm_soft_module_init() && !ccdm_nodes_module_init());
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

/* Let each call of each kind fail once; then all calls from there on, for a while. */
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
			"usage: mapping {good | errors | attack} SEED COUNT; sweep SEED TIMES; {cache | line} SEED\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sim_verbose = getenv("VERBOSE");
	sim_pages_init(USER_PAGES);
	assert(!ccdm_soft_module_init() && !ccdm_nodes_module_init());
	if (!strcmp(argv[1], "cache")) {
		begin(seed, "cache");
		cache_test();
	} else if (!strcmp(argv[1], "line")) {
		begin(seed, "line");
		line_test();
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
	ccdm_nodes_module_exit();
	ccdm_soft_module_exit();
	printf("operations %llu blocks %llu read %llu errors %llu attacks %llu detections %llu\n",
	       sim_total.ops, sim_total.blocks, sim_total.reads, sim_total.errors,
	       sim_total.attacks, sim_total.detections);
	return 0;
}
#endif
