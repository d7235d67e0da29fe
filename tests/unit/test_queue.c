// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Requests that wait: whose turn it is, and who loses the place. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "daemon/queue.h"

static struct ccdm_source sources[3];

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
	assert_int_equal(sources[0].waiting, 50);
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
	assert_int_equal(sources[0].waiting + sources[1].waiting + sources[2].waiting, 0);
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
	/* all have the same: the one that came last */
	ccdm_queue_limit(q, 3);
	more = of(1, CCDM_TURN_SECRET);
	assert_ptr_equal(ccdm_queue_add(q, &more), &b);
	ccdm_queue_limit(q, 2);
	assert_ptr_equal(ccdm_queue_add(q, &b), &b);
	ccdm_queue_limit(q, 0);
	for (i = 0; ccdm_queue_take(q); i++)
		;
	assert_int_equal(i, 4);
	/* no place at all: the line of an address ends with its last request */
	b = of(1, CCDM_TURN_OTHER);
	assert_ptr_equal(ccdm_queue_add(q, &b), &b);
	assert_null(ccdm_queue_take(q));
	assert_int_equal(sources[0].waiting + sources[1].waiting + sources[2].waiting, 0);
	ccdm_queue_free(q);
	ccdm_queue_free(NULL);
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
		cmocka_unit_test(turns),
		cmocka_unit_test(full),
		cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
