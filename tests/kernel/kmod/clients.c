// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* clients.c - clients that read, write, discard and write zeroes, and check the results */
#include "block.h"
#include "cipher.h"
#include "mapping.h"
#include "memory.h"
#include "oracle.h"
#include "sched.h"
#include "ccdm.h"

#define BEFORE 0x77 /* content of a reader's pages before the read */

_Static_assert(CLIENTS + 1 == ORACLE_WHO, "each client, and who looks at the end");

struct client {
	unsigned int nr;
	unsigned int ops;
	struct ccdm_io io;
	struct bio bio;
	struct bio_vec vec[BIO_BLOCKS];
	struct completion done;
	struct version *version[8 * BIO_BLOCKS];
	const u8 *reading; /* pages of a read that is under way */
	unsigned int nr_reading;
};

static struct client clients[CLIENTS + 1]; /* and the client of the final check */

static void client_end_io(struct bio *bio)
{
	complete(&container_of(bio, struct client, bio)->done);
}

/* The client's pages: contiguous, or in separate pieces. */
static u8 *client_pages(struct client *k, unsigned int n)
{
	struct page *page = sim_user_pages() + k->nr * (BIO_BLOCKS + 1);
	unsigned int i, at = 0, offset = sim_draw(2) ? sim_draw(8) * 512 : 0;

	bio_init(&k->bio, &sim.other, k->vec, BIO_BLOCKS, 0);
	while (at < n) {
		i = sim_draw(2) ? n - at : 1 + sim_draw(n - at);
		/* Adjacent pages form one segment, as file systems send them. */
		__bio_add_page(&k->bio, page + at, i * CCDM_BLOCK_SIZE, offset);
		at += i;
	}
	return (u8 *)page_address(page) + offset;
}

static bool op_known(blk_opf_t opf)
{
	unsigned int op = opf & REQ_OP_MASK;

	return op == REQ_OP_READ || op == REQ_OP_WRITE || op == REQ_OP_DISCARD ||
	       op == REQ_OP_WRITE_ZEROES;
}

/* Send the bio, and wait until it ends. */
static bool client_send(struct client *k, blk_opf_t opf, u64 block)
{
	struct list_head *sent;

	if (!sim_draw(4))
		opf |= REQ_NOWAIT;
	if ((opf & REQ_OP_MASK) != REQ_OP_READ && sim_draw(2))
		opf |= REQ_SYNC;
	sim_may_sleep();
	while (sim.pause)
		wait_event(sim.wait, !sim.pause);
	sim.inside++;
	k->bio.bi_opf = opf;
	k->bio.bi_blkg = (void *)(uintptr_t)sim_draw(3);
	k->bio.bi_iter.bi_sector = sim.ti.begin + block * CCDM_BLOCK_SECTORS;
	k->bio.bi_end_io = client_end_io;
	init_completion(&k->done);
	sim_map(true);
	ccdm_map_bio(&sim.c, &k->bio, &k->io);
	sent = sim_map_bios();
	sim_map(false);
	/* The block layer also submits bios sent in map() only after map() has returned. */
	while (!list_empty(sent)) {
		struct bio *bio = list_first_entry(sent, struct bio, sim);

		list_del(&bio->sim);
		if ((opf & REQ_NOWAIT) && !(bio->bi_opf & REQ_NOWAIT))
			sim_bug("a sender that may not wait waits for the device");
		sim_device_take(bio);
	}
	wait_for_completion(&k->done);
	sim.inside--;
	wake_up_all(&sim.wait);
	if (k->bio.bi_end_io != client_end_io ||
	    (k->bio.bi_opf & ~REQ_RAHEAD) != (opf & ~REQ_RAHEAD))
		sim_bug("a bio comes back changed");
	if (k->bio.bi_status && k->bio.bi_status != BLK_STS_IOERR &&
	    (op_known(opf) || k->bio.bi_status != BLK_STS_NOTSUPP))
		sim_bug("the host's status %u reaches the sender", k->bio.bi_status);
	return !k->bio.bi_status;
}

static void client_read(struct client *k, u64 block, unsigned int n)
{
	u8 *bytes = client_pages(k, n);
	u64 begin = oracle_begin(k->nr);
	unsigned int i;
	bool good;

	memset(bytes, BEFORE, n * CCDM_BLOCK_SIZE);
	k->reading = bytes;
	k->nr_reading = n;
	good = client_send(k, REQ_OP_READ | (sim_draw(8) ? 0 : REQ_RAHEAD), block);
	k->reading = NULL;
	sim_total.reads += n;
	if (good) {
		for (i = 0; i < n; i++)
			oracle_read(block + i,
				    oracle_version(bytes + i * CCDM_BLOCK_SIZE, block + i), false,
				    begin);
	} else {
		sim_total.errors++;
		/* A failed read must show nothing: only zeros, or the old content. */
		for (i = 0; i < n * CCDM_BLOCK_SIZE; i++)
			if (bytes[i] && bytes[i] != BEFORE)
				sim_bug("block %llu: a read that failed shows something", block);
		/* Any block of the read, or any failed call, may be the reason. */
		if (!sim.excused && !sim_failed())
			sim_bug("block %llu (%u): cannot be read, and nothing failed", block, n);
		if (sim.calm && n == 1 && !sim.excused) {
			oracle_read(block, 0, true, begin);
			/* Each block of a failed write was sent again in a bio of its own. */
			if (!sim_device_bad(&sim.backing, block))
				sim_bug("block %llu: its last write went well, and it cannot be read",
					block);
		}
	}
	oracle_end(k->nr);
}

/* Another user of a reader's pages must never see unverified content in them. */
void client_peek(void)
{
	const struct client *k;
	u8 unverified[16];
	unsigned int i;

	memset(unverified, UNVERIFIED, sizeof(unverified));
	for (k = clients; k < clients + ARRAY_SIZE(clients); k++)
		for (i = 0; k->reading && i < k->nr_reading; i++)
			if (!memcmp(k->reading + i * CCDM_BLOCK_SIZE + 16, unverified, 16))
				sim_bug("a reader's page shows what was not verified");
}

static void client_change(struct client *k, u64 block, unsigned int n, blk_opf_t op)
{
	u8 *bytes = op == REQ_OP_WRITE ? client_pages(k, n) : NULL;
	u64 id = op == REQ_OP_WRITE ? oracle_id() : 0;
	unsigned int i;
	bool good;

	if (!bytes) {
		bio_init(&k->bio, &sim.other, NULL, 0, 0);
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
		sim_total.errors++;
		if (!sim.excused && !sim_failed())
			sim_bug("block %llu (%u): cannot be written, and nothing failed", block, n);
	}
	oracle_end(k->nr);
	for (i = 0; i < n; i++)
		oracle_trim(block + i);
	/* After that, the client may use its pages for other content. */
	if (bytes)
		memset(bytes, 0x99, n * CCDM_BLOCK_SIZE);
}

/* Send an invalid bio: an empty one, a block in two segments, or an unknown operation. */
static void client_odd(struct client *k, u64 block)
{
	struct page *page = sim_user_pages() + k->nr * (BIO_BLOCKS + 1);
	static const blk_opf_t unknown[] = { REQ_OP_SECURE_ERASE, REQ_OP_ZONE_RESET };
	bool empty = sim_draw(2), good;

	bio_init(&k->bio, &sim.other, k->vec, BIO_BLOCKS, 0);
	if (!empty) {
		__bio_add_page(&k->bio, page, 512, 0);
		__bio_add_page(&k->bio, page, CCDM_BLOCK_SIZE - 512, 1024);
	}
	if (!sim_draw(3)) {
		/* a later read there shows that it had no effect */
		bio_init(&k->bio, &sim.other, NULL, 0, 0);
		k->bio.bi_iter.bi_size = CCDM_BLOCK_SIZE;
		empty = false;
		good = client_send(k, unknown[sim_draw(2)], block);
	} else {
		good = client_send(k, sim_draw(2) ? REQ_OP_READ : REQ_OP_WRITE, block);
	}
	if (good != empty && !sim.excused)
		sim_bug("block %llu: an odd bio is answered with %d", block, good);
}

static void client_op(struct client *k)
{
	u64 leaf = sim.hot[sim_draw(HOT)], block = leaf << CCDM_NODE_SHIFT;
	unsigned int room = min((u64)CCDM_NODE_ENTRIES, sim.c.g.blocks - block), n, first;
	unsigned int what = sim_draw(32);

	sim_total.ops++;
	if (what < 2) {
		n = room;
		first = 0;
	} else {
		/* few positions, so operations overlap */
		first = sim_draw(2) ? sim_draw(room) : sim_draw(min(room, 4u));
		n = 1 + sim_draw(sim_draw(4) ? min(4u, room - first) : room - first);
	}
	sim_total.blocks += n;
	if (!sim_draw(64))
		client_odd(k, block);
	if (what < 16) {
		client_read(k, block + first, n);
	} else if (what < 29 || what == 1) {
		client_change(k, block + first, n, REQ_OP_WRITE);
	} else {
		/* dm does not split discards at leaf boundaries */
		if (!sim_draw(4))
			n = min(sim.c.g.blocks - block - first,
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
	sim.left--;
	wake_up_all(&sim.wait);
}

void client_start(unsigned int nr, unsigned int ops)
{
	struct client *k = &clients[nr];

	memset(k, 0, sizeof(*k));
	k->nr = nr;
	k->ops = ops;
	sim_spawn(client_run, k, SIM_TASK);
}

void client_look(u64 block)
{
	struct client *k = &clients[CLIENTS];

	k->nr = CLIENTS;
	client_read(k, block, 1);
}

void client_write_on(u64 block)
{
	struct client *k = &clients[CLIENTS];

	k->nr = CLIENTS;
	client_change(k, block, 1, REQ_OP_WRITE);
	client_change(k, block, 1, REQ_OP_DISCARD);
}
