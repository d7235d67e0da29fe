// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * linetest.c - the queue with ranks, and the page pool that uses it
 *
 * These cases test what a user of the mapping can expect: a read is served while writes wait; a
 * control group whose I/O never ends blocks nobody else; and no request waits forever.
 */
#ifndef FUZZ
#include "mapping.h"
#include "memory.h"
#include "sched.h"

#define PAGES 256

static struct ccdm_waiter *first(struct ccdm_line *line, u32 skip)
{
	struct ccdm_waiter *w = NULL;
	u8 order[CCDM_RANKS];
	unsigned int i;

	ccdm_line_order(line, order);
	for (i = 0; i < CCDM_RANKS && !w; i++)
		w = ccdm_line_next(line, order[i], skip);
	if (w)
		ccdm_line_serve(line, w);
	return w;
}

static void expect(struct ccdm_line *line, u32 skip, struct ccdm_waiter *w, const char *why)
{
	if (first(line, skip) != w)
		sim_bug("the line serves somebody else: %s", why);
}

static void ranks(void)
{
	struct ccdm_waiter read = { .rank = CCDM_RANK_READ }, rest = { .rank = CCDM_RANK_REST };
	struct ccdm_waiter sync[4] = { { .rank = CCDM_RANK_SYNC, .group = 3 },
				       { .rank = CCDM_RANK_SYNC, .group = 3 },
				       { .rank = CCDM_RANK_SYNC, .group = 5 },
				       { .rank = CCDM_RANK_SYNC, .group = 1 } };
	struct ccdm_line line;
	unsigned int i;

	ccdm_line_init(&line);
	expect(&line, 0, NULL, "nobody is there");
	ccdm_line_add(&line, &rest);
	for (i = 0; i < ARRAY_SIZE(sync); i++)
		ccdm_line_add(&line, &sync[i]);
	ccdm_line_add(&line, &read);
	expect(&line, 0, &read, "reads come first");
	expect(&line, 0, &sync[3], "groups begin with the lowest");
	expect(&line, 0, &sync[0], "another group's turn");
	expect(&line, 0, &sync[2], "another group's turn again");
	expect(&line, 1u << 3, &rest, "who is passed over waits");
	expect(&line, 0, &sync[1], "it came back");
	if (!ccdm_line_empty(&line))
		sim_bug("the line is not empty");

	/* A write that reads overtake is served in the end. */
	ccdm_line_add(&line, &rest);
	for (i = 0; i < CCDM_LINE_PATIENCE; i++) {
		ccdm_line_add(&line, &read);
		expect(&line, 0, &read, "reads come first");
	}
	ccdm_line_add(&line, &read);
	expect(&line, 0, &rest, "it was passed often enough");
	ccdm_line_add(&line, &rest);
	expect(&line, 0, &read, "only once");
	ccdm_line_remove(&line, &rest);
	expect(&line, 0, NULL, "it has left");
}

static struct ccdm_pages pool;
static unsigned int told;

static void granted(struct ccdm_page_req *req)
{
	if (!req->pages)
		sim_bug("granted, and there are no pages");
	told++;
}

static void let_in(struct ccdm_page_req *req)
{
	if (req->pages)
		sim_bug("let in, and there are pages");
	told++;
}

static bool take(struct ccdm_page_req *req, enum ccdm_rank rank, unsigned int group,
		 unsigned int nr)
{
	*req = (struct ccdm_page_req){ .waiter = { .rank = rank, .group = group },
				       .nr = nr,
				       .on_granted = granted };
	return ccdm_pages_take(&pool, req, true);
}

static void put(struct ccdm_page_req *req)
{
	if (!req->pages)
		sim_bug("somebody still waits");
	ccdm_pages_put(&pool, req);
}

static bool enter(struct ccdm_page_req *req, enum ccdm_rank rank, unsigned int group,
		  unsigned int nr)
{
	*req = (struct ccdm_page_req){ .waiter = { .rank = rank, .group = group },
				       .nr = nr,
				       .on_granted = let_in };
	return ccdm_pages_enter(&pool, req);
}

/* A group whose writes never end: its further writes wait outside, all other groups are let in. */
static void stuck_group(void)
{
	struct ccdm_page_req one[64], read[64], big, small, late, other;
	unsigned int n = 0, r = 0, i;

	assert(!ccdm_pages_init(&pool, PAGES));
	while (n < ARRAY_SIZE(one) && enter(&one[n], CCDM_RANK_REST, 1, 16))
		n++;
	if (n * 16 > PAGES / 8 * 3)
		sim_bug("a group has %u blocks of writes inside, with %u pages", n * 16, PAGES);
	while (r < ARRAY_SIZE(read) && enter(&read[r], CCDM_RANK_READ, 1, 4))
		r++;
	if (r < 6)
		sim_bug("%u reads come in beside the writes of their group", r);
	if (n * 16 + r * 4 > PAGES / 2)
		sim_bug("a group has %u blocks inside", n * 16 + r * 4);
	if (!enter(&other, CCDM_RANK_REST, 7, 128))
		sim_bug("another group waits outside");
	ccdm_pages_leave(&pool, &other, 128);
	if (enter(&big, CCDM_RANK_SYNC, 1, 128) || enter(&small, CCDM_RANK_SYNC, 1, 1))
		sim_bug("a group that has too much inside gets more in");
	/* First a read; then the others in the order of their arrival, as soon as there is room. */
	told = 0;
	ccdm_pages_leave(&pool, &one[0], 16);
	if (told != 1)
		sim_bug("%u were let in where one read was due", told);
	for (i = 0; i <= r; i++)
		ccdm_pages_leave(&pool, &read[i], 4);
	if (told != 2)
		sim_bug("%u were let in where a write was due", told);
	for (i = 1; i < n; i++)
		ccdm_pages_leave(&pool, &one[i], 16);
	if (told != 2)
		sim_bug("a large one is passed at the gate");
	if (enter(&late, CCDM_RANK_SYNC, 1, 1))
		sim_bug("a late one passes those at the gate");
	ccdm_pages_leave(&pool, &one[n], 16);
	if (told != 3)
		sim_bug("a large one is not let in, and the group has no write inside");
	ccdm_pages_leave(&pool, &big, 128);
	if (told != 5)
		sim_bug("the last ones are not let in");
	ccdm_pages_leave(&pool, &small, 1);
	ccdm_pages_leave(&pool, &late, 1);
	if (pool.gates)
		sim_bug("somebody is said to wait");
	ccdm_pages_exit(&pool);
}

/* Groups whose writes never end, one after the other: each leaves some pages for the next. */
static void stuck_groups(void)
{
	static struct ccdm_page_req want[CCDM_GROUPS][256], one;
	unsigned int n[CCDM_GROUPS], g, i, all = 0;

	assert(!ccdm_pages_init(&pool, 8 * PAGES));
	for (g = 1; g <= 3; g++) {
		for (n[g] = 0; n[g] < 256 && enter(&want[g][n[g]], CCDM_RANK_REST, g, 16);)
			n[g]++;
		if (!n[g])
			sim_bug("group %u waits outside", g);
		all += n[g] * 16;
	}
	if (all >= pool.bound || !enter(&one, CCDM_RANK_SYNC, 4, 16))
		sim_bug("three groups have %u of %u blocks inside", all, pool.bound);
	if (!take(&one, CCDM_RANK_SYNC, 4, 16))
		sim_bug("a write waits for pages");
	put(&one);
	ccdm_pages_leave(&pool, &one, 16);
	/* When the first group's writes end, the others get more. */
	told = 0;
	for (i = 0; i < n[1]; i++)
		ccdm_pages_leave(&pool, &want[1][i], 16);
	if (told != 1)
		sim_bug("%u were let in where one waits", told);
	ccdm_pages_leave(&pool, &want[1][n[1]], 16);
	ccdm_pages_leave(&pool, &want[2][0], 16);
	if (told != 2)
		sim_bug("one waits outside, and there are pages");
	for (g = 2; g <= 3; g++)
		for (i = g == 2; i <= n[g]; i++)
			ccdm_pages_leave(&pool, &want[g][i], 16);
	if (pool.gates)
		sim_bug("somebody is said to wait");
	ccdm_pages_exit(&pool);
}

/* I/O that needs a table and few pages: a group leaves tables for others, too. */
static void stuck_tables(enum ccdm_rank rank)
{
	static struct ccdm_page_req in[1024], other[3];
	unsigned int n, i;

	assert(!ccdm_pages_init(&pool, 8 * PAGES));
	for (n = 0; n < ARRAY_SIZE(in) && enter(&in[n], rank, 1, ccdm_pages_weight(9)); n++)
		if (!take(&in[n], rank, 1, 9))
			sim_bug("%u I/Os are inside, and there are no pages", n);
	for (i = 0; i < ARRAY_SIZE(other); i++)
		if (!enter(&other[i], rank, 5, 1) || !take(&other[i], rank, 5, 1))
			sim_bug("another group waits for tables, of which it needs none");
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		put(&other[i]);
		ccdm_pages_leave(&pool, &other[i], 1);
	}
	for (i = 0; i < n; i++) {
		put(&in[i]);
		ccdm_pages_leave(&pool, &in[i], ccdm_pages_weight(9));
	}
	ccdm_pages_leave(&pool, &in[n], ccdm_pages_weight(9));
	ccdm_pages_exit(&pool);
}

/* Writes of several groups hold all that they can get: reads go on, and ranks count. */
static void stuck_writes(void)
{
	struct ccdm_page_req write[32], read[3], sync;
	unsigned int n = 0, i;

	assert(!ccdm_pages_init(&pool, PAGES));
	while (n < ARRAY_SIZE(write) && take(&write[n], CCDM_RANK_REST, n % 3, 16))
		n++;
	if (n == ARRAY_SIZE(write))
		sim_bug("writes never wait");
	for (i = 0; i < 3; i++)
		if (!take(&read[i], CCDM_RANK_READ, 1, 16))
			sim_bug("a read waits for pages that writes have");
	told = 0;
	if (take(&sync, CCDM_RANK_SYNC, 3, 16))
		sim_bug("a write takes what is kept for reads");
	put(&write[0]);
	if (!sync.pages || told != 1)
		sim_bug("a synchronous write waits behind another one");
	put(&sync);
	for (i = 0; i < 3; i++)
		put(&read[i]);
	for (i = 1; i <= n; i++)
		put(&write[i]);
	if (ccdm_pages_free(&pool) != PAGES)
		sim_bug("%u of %u pages came back", ccdm_pages_free(&pool), PAGES);
	ccdm_pages_exit(&pool);
}

/* Reads that hold all that they can get leave enough for writes. */
static void stuck_reads(void)
{
	struct ccdm_page_req read[64], write;
	unsigned int n = 0, i;

	assert(!ccdm_pages_init(&pool, PAGES));
	while (n < ARRAY_SIZE(read) && take(&read[n], CCDM_RANK_READ, n % CCDM_GROUPS, 8))
		n++;
	if (n == ARRAY_SIZE(read))
		sim_bug("reads never wait");
	if (!take(&write, CCDM_RANK_REST, 0, PAGES / 4))
		sim_bug("a write waits for pages that reads have");
	put(&write);
	for (i = 0; i <= n; i++)
		put(&read[i]);
	ccdm_pages_exit(&pool);
}

static unsigned int group_of(unsigned int css)
{
	return ccdm_pages_group(&pool, (void *)(uintptr_t)css);
}

/* Control groups with I/O inside are told apart, as long as there are free groups. */
static void groups_apart(void)
{
	struct ccdm_page_req want[CCDM_GROUPS - 1], stuck[CCDM_GROUPS - 1], more;
	unsigned int i, group, stuck_nr = 0;
	u32 seen = 1; /* group 0 is the root group */

	assert(!ccdm_pages_init(&pool, PAGES));
	if (group_of(0))
		sim_bug("the root group has another group");
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		group = group_of(64 * i + 8);
		if (seen & (1u << group))
			sim_bug("control group %u is taken for another one", i);
		seen |= 1u << group;
		if (!enter(&want[i], CCDM_RANK_REST, group, 1 + (i != 5)))
			sim_bug("control group %u waits outside", i);
		if (group_of(64 * i + 8) != group)
			sim_bug("control group %u is another one by now", i);
	}
	/* One more shares the group with the least inside, among those without waiters outside. */
	if (group_of(4) != want[5].waiter.group)
		sim_bug("one more shares with somebody who has more inside");
	for (i = 0; i < ARRAY_SIZE(want); i++)
		if (i != 9 && enter(&stuck[stuck_nr++], CCDM_RANK_REST, want[i].waiter.group, 128))
			sim_bug("a group that has too much inside gets more in");
	if (group_of(4) != want[9].waiter.group)
		sim_bug("one more shares with somebody who waits outside");
	/* When one leaves, its group is free for any other. */
	ccdm_pages_leave(&pool, &want[9], 2);
	if (group_of(4) != want[9].waiter.group || !enter(&more, CCDM_RANK_REST, group_of(4), 1))
		sim_bug("a group that nobody uses is not given away");
	if (group_of(4) != more.waiter.group)
		sim_bug("one more is another one by now");
	ccdm_pages_leave(&pool, &more, 1);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		if (i != 9)
			ccdm_pages_leave(&pool, &want[i], 1 + (i != 5));
	for (i = 0; i < stuck_nr; i++)
		ccdm_pages_leave(&pool, &stuck[i], 128);
	if (pool.gates)
		sim_bug("somebody is said to wait");
	ccdm_pages_exit(&pool);

	/* Two that prefer the same group, and alternate, must not take it from each other. */
	for (i = 8;; i += 64) {
		assert(!ccdm_pages_init(&pool, PAGES));
		group = group_of(i + 64);
		ccdm_pages_exit(&pool);
		assert(!ccdm_pages_init(&pool, PAGES));
		if (group_of(8) == group)
			break;
		ccdm_pages_exit(&pool);
	}
	if (group_of(i + 64) == group || group_of(8) != group)
		sim_bug("two share a group, and there are others");
	ccdm_pages_exit(&pool);
}

/*
 * Writes that are held above the device have no tag, so other writes are not held because of them.
 */
static void stuck_tags(void)
{
	static struct request_queue queue = { .nr_requests = 128 };
	static struct ccdm_submitter s;
	unsigned int i;

	assert(!ccdm_submitter_init(&s, "line", &queue));
	for (i = 0; i < 200; i++)
		ccdm_submitter_sent(&s, 3);
	if (!ccdm_submitter_idle(&s, 3))
		sim_bug("writes are held, and nobody reads");
	ccdm_submitter_read(&s);
	if (ccdm_submitter_idle(&s, 3))
		sim_bug("writes take all tags, and somebody reads");
	/* two groups: a share is half of a quarter */
	for (i = 0; i < 16; i++) {
		if (!ccdm_submitter_idle(&s, 5))
			sim_bug("a group is held that has less than its share");
		ccdm_submitter_sent(&s, 5);
	}
	if (ccdm_submitter_idle(&s, 5))
		sim_bug("a group has more than its share");
	for (i = 0; i < 200 - 48; i++)
		ccdm_submitter_back(&s, 3);
	for (i = 0; i < 16; i++)
		ccdm_submitter_back(&s, 5);
	if (!ccdm_submitter_idle(&s, 3))
		sim_bug("writes are held, and there are tags");
	ccdm_submitter_exit(&s);
}

static struct request_queue four_tags = { .nr_requests = 4 };
static struct ccdm_submitter four;
static unsigned int sent, reads, last_after;

static void last_sent(struct ccdm_send *send)
{
	sent++;
	last_after = reads;
}

/* While the thread for small I/O sends this, the tags come back without a wakeup. */
static void sync_sent(struct ccdm_send *send)
{
	unsigned int i;

	while (four.large.awake)
		sim_yield();
	for (i = 0; i < 3; i++)
		ccdm_submitter_back(&four, 3);
	sent++;
}

static bool no_device(void)
{
	return false;
}

/* A thread leaves the last rank to the other one, which sleeps and must be woken. */
static void last_rank(void)
{
	struct ccdm_send last = { { .rank = CCDM_RANK_REST, .group = 3 }, last_sent };
	struct ccdm_send sync = { { .rank = CCDM_RANK_SYNC, .group = 5 }, sync_sent };
	unsigned int i;

	assert(!ccdm_submitter_init(&four, "line", &four_tags));
	for (i = 0; i < 3; i++)
		ccdm_submitter_sent(&four, 3);
	ccdm_submitter_read(&four);
	ccdm_submit(&four, &last, false);
	if (!four.large.awake || four.small.awake)
		sim_bug("the last rank is left to the wrong thread");
	sim_run(no_device);
	if (sent || !four.held)
		sim_bug("a write is sent, and its group has all the tags");
	ccdm_submitter_read(&four);
	ccdm_submit(&four, &sync, false);
	if (four.large.awake || !four.small.awake)
		sim_bug("a small one wakes the wrong thread");
	sim_run(no_device);
	if (sent != 2)
		sim_bug("a write of the last rank is forgotten");
	/* There are no more reads, and no write ends: the next submitter notices. */
	for (i = 0; i < 3; i++)
		ccdm_submitter_sent(&four, 3);
	ccdm_submitter_read(&four);
	ccdm_submit(&four, &last, false);
	sim_run(no_device);
	if (sent != 2)
		sim_bug("a write is sent, and its group has all the tags");
	jiffies += HZ;
	sync.send = last_sent;
	ccdm_submit(&four, &sync, false);
	sim_run(no_device);
	if (sent != 4)
		sim_bug("a write of the last rank is forgotten after the last read");
	for (i = 0; i < 3; i++)
		ccdm_submitter_back(&four, 3);
	/* A thread that waits for the device does not block the rank: the other one is woken. */
	for (i = 0; i < 3; i++)
		ccdm_submitter_sent(&four, 3);
	ccdm_submitter_read(&four);
	sync.waiter.group = 3;
	ccdm_submit(&four, &sync, false);
	sim_run(no_device);
	four.large.awake = true;
	ccdm_submitter_back(&four, 3);
	sim_run(no_device);
	if (sent != 5)
		sim_bug("nobody is woken while one waits for the device");
	/* The same holds for a thread that sends the last rank, which wbt may throttle. */
	four.large.rank = CCDM_RANK_REST;
	sync.waiter.group = 5;
	ccdm_submit(&four, &sync, true);
	sim_run(no_device);
	four.large.awake = false;
	if (sent != 6)
		sim_bug("a synchronous write waits for one of the last rank");
	ccdm_submitter_exit(&four);
}

static struct ccdm_send read_send;

static void read_sent(struct ccdm_send *send)
{
	unsigned int i;

	ccdm_submitter_read(&four);
	if (++reads == 1)
		for (i = 0; i < 3; i++)
			ccdm_submitter_back(&four, 3);
	if (reads < 1000)
		ccdm_submit(&four, &read_send, false);
}

/* Endless reads keep a thread busy: a write of the last rank is sent nevertheless. */
static void last_rank_starves(void)
{
	struct ccdm_send last = { { .rank = CCDM_RANK_REST, .group = 3 }, last_sent };
	unsigned int i;

	assert(!ccdm_submitter_init(&four, "line", &four_tags));
	sent = 0;
	for (i = 0; i < 3; i++)
		ccdm_submitter_sent(&four, 3);
	ccdm_submitter_read(&four);
	ccdm_submit(&four, &last, false);
	sim_run(no_device);
	read_send = (struct ccdm_send){ { .rank = CCDM_RANK_READ, .group = 5 }, read_sent };
	ccdm_submit(&four, &read_send, false);
	sim_run(no_device);
	if (sent != 1 || last_after > 100)
		sim_bug("a write of the last rank is sent after %u reads", last_after);
	ccdm_submitter_exit(&four);
}

static struct ccdm_page_req back, wanted;

static void back_run(void *arg)
{
	(void)arg;
	put(&back);
}

static void wanted_run(void *arg)
{
	(void)arg;
	if (take(&wanted, CCDM_RANK_READ, 0, 70))
		told++;
}

/*
 * Pages come back while a request for them enters the line: they must not stay in the list of a
 * CPU. The request needs all the pages that are kept for reads, and these.
 */
static void back_meanwhile(void)
{
	struct ccdm_page_req rest;
	unsigned int i;

	assert(!ccdm_pages_init(&pool, PAGES));
	if (!take(&rest, CCDM_RANK_REST, 0, 120))
		sim_bug("the pool is new, and a request waits");
	for (i = 0; i < 400; i++) {
		told = 0;
		if (!take(&back, CCDM_RANK_READ, 0, 8))
			sim_bug("all pages are back, and a request waits");
		sim_spawn(wanted_run, NULL, SIM_TASK);
		sim_spawn(back_run, NULL, SIM_TASK);
		sim_run(no_device);
		if (told != 1)
			sim_bug("pages came back, and a request waits");
		put(&wanted);
		sim_progress();
	}
	put(&rest);
	ccdm_pages_exit(&pool);
}

void line_test(void)
{
	sim_fail_never();
	ranks();
	stuck_group();
	stuck_groups();
	stuck_tables(CCDM_RANK_READ);
	stuck_tables(CCDM_RANK_REST);
	stuck_writes();
	stuck_reads();
	groups_apart();
	stuck_tags();
	last_rank();
	last_rank_starves();
	back_meanwhile();
}
#endif
