// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Requests that wait: whose turn it is, and who loses the place. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "daemon/queue.h"

static struct ccdm_source sources[9];

/* A request of this address. */
static struct ccdm_wait of(unsigned int source, enum ccdm_turn turn)
{
	return (struct ccdm_wait){ .source = &sources[source], .turn = turn };
}

static void turns(void **state)
{
	struct ccdm_queue *q = ccdm_queue_new(100);
	struct ccdm_wait many[50], one = of(1, CCDM_TURN_OTHER), two = of(2, CCDM_TURN_OTHER), *w;
	unsigned int i;

	(void)state;
	assert_non_null(q);
	assert_null(ccdm_queue_take(q));
	for (i = 0; i < 50; i++) {
		many[i] = of(0, CCDM_TURN_OTHER);
		assert_null(ccdm_queue_add(q, &many[i]));
	}
	assert_null(ccdm_queue_add(q, &one));
	assert_null(ccdm_queue_add(q, &two));
	assert_int_equal(sources[0].held[CCDM_HELD_REQUESTS], 50);
	assert_ptr_equal(ccdm_queue_take(q), &many[0]);
	assert_ptr_equal(ccdm_queue_take(q), &one);
	assert_ptr_equal(ccdm_queue_take(q), &two);
	/* who comes again is behind the others, in their order */
	assert_null(ccdm_queue_add(q, &one));
	for (i = 1; i < 50; i++) {
		w = ccdm_queue_take(q);
		assert_ptr_equal(w, &many[i]);
		if (i == 1)
			assert_ptr_equal(ccdm_queue_take(q), &one);
	}
	assert_null(ccdm_queue_take(q));
	assert_int_equal(sources[0].held[CCDM_HELD_REQUESTS] + sources[1].held[CCDM_HELD_REQUESTS] +
				 sources[2].held[CCDM_HELD_REQUESTS],
			 0);
	/* of one address, secrets first */
	one = of(1, CCDM_TURN_OTHER);
	two = of(1, CCDM_TURN_ATTEST);
	many[0] = of(1, CCDM_TURN_SECRET);
	assert_null(ccdm_queue_add(q, &one));
	assert_null(ccdm_queue_add(q, &two));
	assert_null(ccdm_queue_add(q, &many[0]));
	assert_ptr_equal(ccdm_queue_take(q), &many[0]);
	assert_ptr_equal(ccdm_queue_take(q), &two);
	assert_ptr_equal(ccdm_queue_take(q), &one);
	ccdm_queue_free(q);
}

static void full(void **state)
{
	struct ccdm_queue *q = ccdm_queue_new(4);
	struct ccdm_wait a[4], b = of(1, CCDM_TURN_OTHER), c = of(2, CCDM_TURN_SECRET), more;
	unsigned int i;

	(void)state;
	assert_non_null(q);
	a[0] = of(0, CCDM_TURN_OTHER);
	a[1] = of(0, CCDM_TURN_OTHER);
	a[2] = of(0, CCDM_TURN_ATTEST);
	a[3] = of(0, CCDM_TURN_SECRET);
	for (i = 0; i < 4; i++)
		assert_null(ccdm_queue_add(q, &a[i]));
	/* the address with the most loses its newest of the last kind, also if it is the new one */
	more = of(0, CCDM_TURN_OTHER);
	assert_ptr_equal(ccdm_queue_add(q, &more), &more);
	assert_ptr_equal(ccdm_queue_add(q, &b), &a[1]);
	assert_ptr_equal(ccdm_queue_add(q, &c), &a[0]);
	/* one that has as many as the others loses its own */
	ccdm_queue_limit(q, 3);
	more = of(1, CCDM_TURN_SECRET);
	assert_ptr_equal(ccdm_queue_add(q, &more), &a[2]);
	assert_ptr_equal(ccdm_queue_add(q, &a[2]), &b);
	ccdm_queue_limit(q, 0);
	for (i = 0; ccdm_queue_take(q); i++)
		;
	assert_int_equal(i, 4);
	/* no place at all: the line of an address ends with its last request */
	b = of(1, CCDM_TURN_OTHER);
	assert_ptr_equal(ccdm_queue_add(q, &b), &b);
	assert_null(ccdm_queue_take(q));
	assert_int_equal(sources[0].held[CCDM_HELD_REQUESTS] + sources[1].held[CCDM_HELD_REQUESTS] +
				 sources[2].held[CCDM_HELD_REQUESTS],
			 0);
	ccdm_queue_free(q);
	ccdm_queue_free(NULL);
}

/* One of each of many addresses has a place: one that has none gets it from the last of them. */
static void newcomer(void **state)
{
	struct ccdm_queue *q = ccdm_queue_new(8);
	struct ccdm_wait all[9];
	unsigned int i;

	(void)state;
	assert_non_null(q);
	for (i = 0; i < 8; i++) {
		all[i] = of(i, CCDM_TURN_OTHER);
		assert_null(ccdm_queue_add(q, &all[i]));
	}
	all[8] = of(8, CCDM_TURN_OTHER);
	assert_ptr_equal(ccdm_queue_add(q, &all[8]), &all[7]);
	/* those that wait longer keep their turn */
	for (i = 0; i < 7; i++)
		assert_ptr_equal(ccdm_queue_take(q), &all[i]);
	assert_ptr_equal(ccdm_queue_take(q), &all[8]);
	assert_null(ccdm_queue_take(q));
	ccdm_queue_free(q);
}

/* Addresses of one network share its turns, and lose before one of another network. */
static void networks(void **state)
{
	struct ccdm_source site = { 0 }, link[2] = { { .network = &site }, { .network = &site } };
	struct ccdm_queue *q = ccdm_queue_new(7);
	struct ccdm_wait all[6], one = of(8, CCDM_TURN_OTHER), two = of(8, CCDM_TURN_OTHER);
	struct ccdm_wait more = of(8, CCDM_TURN_OTHER);
	unsigned int i;

	(void)state;
	assert_non_null(q);
	/* addresses 0 to 3 in one network, 4 and 5 in another one, both in the same site */
	for (i = 0; i < 6; i++) {
		sources[i] = (struct ccdm_source){ .network = &link[i / 4] };
		all[i] = of(i, CCDM_TURN_OTHER);
		assert_null(ccdm_queue_add(q, &all[i]));
	}
	assert_int_equal(site.held[CCDM_HELD_REQUESTS], 6);
	assert_null(ccdm_queue_add(q, &one));
	/* the site has 6, its larger network 4 of them, and of its addresses the last one loses */
	assert_ptr_equal(ccdm_queue_add(q, &two), &all[3]);
	assert_ptr_equal(ccdm_queue_add(q, &more), &all[2]);
	/* inside, too: the address that has none gets the place of one that has one */
	assert_ptr_equal(ccdm_queue_add(q, &all[2]), &all[1]);
	/* turns: site and address; in the site, its networks; in these, their addresses */
	assert_ptr_equal(ccdm_queue_take(q), &all[0]);
	assert_ptr_equal(ccdm_queue_take(q), &one);
	assert_ptr_equal(ccdm_queue_take(q), &all[4]);
	assert_ptr_equal(ccdm_queue_take(q), &two);
	assert_ptr_equal(ccdm_queue_take(q), &all[2]);
	assert_ptr_equal(ccdm_queue_take(q), &more);
	assert_ptr_equal(ccdm_queue_take(q), &all[5]);
	assert_null(ccdm_queue_take(q));
	assert_int_equal(site.held[CCDM_HELD_REQUESTS] + link[0].held[CCDM_HELD_REQUESTS], 0);
	for (i = 0; i < 6; i++)
		sources[i].network = NULL;
	ccdm_queue_free(q);
}

/* Anybody can ask for a secret without a session: this keeps out nobody else of the same address. */
static void kinds(void **state)
{
	struct ccdm_queue *q = ccdm_queue_new(8);
	struct ccdm_wait quote = of(0, CCDM_TURN_ATTEST), nonce = of(0, CCDM_TURN_OTHER);
	struct ccdm_wait flood[8], *w;
	unsigned int i, n, quoted = 0, asked = 0;

	(void)state;
	assert_non_null(q);
	for (i = 0; i < 8; i++) {
		flood[i] = of(0, CCDM_TURN_SECRET);
		assert_null(ccdm_queue_add(q, &flood[i]));
	}
	/* the kind with the most requests loses one */
	assert_ptr_equal(ccdm_queue_add(q, &quote), &flood[7]);
	assert_ptr_equal(ccdm_queue_add(q, &nonce), &flood[6]);
	/* each answer is followed by the next request of the same kind, also of the other two */
	for (n = 0; n < 60; n++) {
		w = ccdm_queue_take(q);
		assert_non_null(w);
		quoted += w == &quote;
		asked += w == &nonce;
		if (n == 0)
			assert_ptr_equal(w, &flood[0]);
		assert_null(ccdm_queue_add(q, w));
	}
	assert_true(quoted >= 9 && quoted <= 20);
	assert_true(asked >= 9 && asked <= 20);
	while (ccdm_queue_take(q))
		;
	ccdm_queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns),    cmocka_unit_test(full),  cmocka_unit_test(newcomer),
		cmocka_unit_test(networks), cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
