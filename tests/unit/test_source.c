// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Addresses and their networks: which are the same, how many are remembered, and which of two gives up something. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "core/source.h"

#define SECOND 1000000LL

static struct ccdm_sources *sources;

static int setup(void **state)
{
	(void)state;
	sources = ccdm_sources_new();
	return !sources;
}

static int teardown(void **state)
{
	(void)state;
	ccdm_sources_free(sources);
	return 0;
}

static struct ccdm_source *asked(const char *text, bool (*may)(const struct ccdm_source *, void *),
				 int64_t us)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return ccdm_sources_find(sources, (struct sockaddr *)&four, may, NULL, us);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return ccdm_sources_find(sources, (struct sockaddr *)&six, may, NULL, us);
}

static struct ccdm_source *find(const char *text, int64_t us)
{
	return asked(text, NULL, us);
}

static void addresses(void **state)
{
	static const struct {
		const char *one, *two;
		unsigned int same; /* of address, network of 64 bits, network of 48 bits */
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", 1 },
		{ "192.0.2.1", "192.0.2.2", 0 },
		/* a socket of IPv6 shows addresses of IPv4 like this */
		{ "192.0.2.1", "::ffff:192.0.2.1", 1 },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", 0 },
		{ "2001:db8::1", "2001:db8::1", 3 },
		{ "2001:db8::1", "2001:db8::2", 2 },
		{ "2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", 2 },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", 1 },
		{ "2001:db8:1::1", "2001:db8:2::1", 0 },
		{ "::1", "192.0.2.1", 0 },
		/* the same bytes, another family */
		{ "192.0.2.1", "c000:201::", 0 },
	};
	const struct ccdm_source *one, *two;
	unsigned int same;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		one = find(cases[i].one, 0);
		two = find(cases[i].two, 0);
		for (same = 0; one && two; one = one->network, two = two->network)
			same += one == two;
		if (same != cases[i].same)
			fail_msg("%s, %s: %u", cases[i].one, cases[i].two, same);
	}
	/* addresses of another family share an entry */
	assert_ptr_equal(ccdm_sources_find(sources, &(struct sockaddr){ .sa_family = AF_UNIX },
					   NULL, NULL, 0),
			 ccdm_sources_find(sources, &(struct sockaddr){ .sa_family = AF_UNIX },
					   NULL, NULL, 0));
}

/* An address of many. */
static struct ccdm_source *nth(unsigned int n, int64_t us)
{
	char text[32];

	snprintf(text, sizeof(text), "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
	return find(text, us);
}

/* There is room for so many addresses; what is in use stays. */
static void room(void **state)
{
	struct ccdm_source *kept, *slow, *old;
	unsigned int i;

	(void)state;
	kept = nth(0, 0);
	ccdm_source_hold(kept, CCDM_HELD_CONNECTIONS, 1);
	slow = nth(1, 0);
	slow->connect = 11 * SECOND;
	for (i = 2; i < CCDM_SOURCES; i++)
		nth(i, 1)->connect = SECOND;
	/* an entry that has its whole allowance again says nothing: it goes first */
	old = nth(2, 2 * SECOND);
	assert_ptr_equal(nth(CCDM_SOURCES, 2 * SECOND), old);
	assert_ptr_equal(nth(0, 2 * SECOND), kept);
	assert_ptr_equal(nth(1, 0), slow);
	assert_int_equal(slow->connect, 11 * SECOND);
	/* each allowance counts; if none is whole, the oldest goes */
	slow->quiet = 99 * SECOND;
	for (i = 2; i < CCDM_SOURCES; i++) {
		old = nth(CCDM_SOURCES + i, 20 * SECOND);
		*(i % 4 == 0   ? &old->connect
		  : i % 4 == 1 ? &old->quiet
		  : i % 4 == 2 ? &old->line[i / 4 % 2]
			       : &old->bytes[i / 4 % 2]) = 99 * SECOND;
	}
	assert_ptr_equal(nth(3 * CCDM_SOURCES, 21 * SECOND), slow);
	/* if all have connections or requests, new addresses share an entry */
	for (i = 0; i < CCDM_SOURCES; i++)
		ccdm_source_hold(nth(CCDM_SOURCES + i, 30 * SECOND),
				 i % 2 ? CCDM_HELD_REQUESTS : CCDM_HELD_CONNECTIONS, 1);
	assert_ptr_equal(nth(10 * CCDM_SOURCES, 40 * SECOND),
			 nth(10 * CCDM_SOURCES + 1, 40 * SECOND));
	assert_ptr_not_equal(nth(10 * CCDM_SOURCES, 40 * SECOND), kept);
	/* those of IPv6 have room of their own */
	assert_ptr_not_equal(find("2001:db8::1", 40 * SECOND), find("2001:db8::2", 40 * SECOND));
}

static bool no_site(const struct ccdm_source *a, void *arg)
{
	(void)arg;
	return a->kind != CCDM_SOURCE_SITE;
}

static bool no_host(const struct ccdm_source *a, void *arg)
{
	(void)arg;
	return a->kind != CCDM_SOURCE_HOST;
}

/* A network that may take no more cannot use up the entries of others. */
static void refused(void **state)
{
	struct ccdm_source *kept = find("2001:db8::1", 0);
	char text[64];
	unsigned int i;

	(void)state;
	kept->connect = 99 * SECOND;
	for (i = 0; i < 2 * CCDM_SOURCES; i++) {
		snprintf(text, sizeof(text), "2001:db8:1:%x::%x", i, i);
		assert_null(asked(text, no_site, 1 * SECOND));
	}
	assert_int_equal(find("2001:db8::1", SECOND)->connect, 99 * SECOND);
	assert_null(asked("2001:db8:1:1::1", no_host, SECOND));
	assert_non_null(asked("192.0.2.1", no_host, SECOND));
}

static void hold(const char *text, int n)
{
	ccdm_source_hold(find(text, 0), CCDM_HELD_CONNECTIONS, n);
}

static bool yields(const char *a, const char *b, const char *to)
{
	return ccdm_source_yields(find(a, 0), find(b, 0), find(to, 0), CCDM_HELD_CONNECTIONS);
}

/* The network that has the most gives up one of its own; in it the smaller network, and then the address. */
static void most(void **state)
{
	(void)state;
	hold("192.0.2.1", 3);
	hold("2001:db8:1:1::1", 2);
	hold("2001:db8:1:2::1", 1);
	hold("2001:db8:1:2::2", 1);
	hold("2001:db8:2::1", 3);
	assert_int_equal(find("2001:db8:1:9::9", 0)->network->network->held[0], 4);
	/* 4 in the network of 48 bits, though its addresses have fewer */
	assert_true(yields("2001:db8:1:2::1", "192.0.2.1", "192.0.2.9"));
	assert_false(yields("192.0.2.1", "2001:db8:1:2::1", "192.0.2.9"));
	/* both networks of 64 bits have 2; then the address */
	assert_false(yields("2001:db8:1:1::1", "2001:db8:1:2::1", "192.0.2.9"));
	hold("2001:db8:1:1::1", 1);
	assert_true(yields("2001:db8:1:1::1", "2001:db8:1:2::1", "192.0.2.9"));
	hold("2001:db8:1:2::2", 2);
	assert_true(yields("2001:db8:1:2::2", "2001:db8:1:1::1", "192.0.2.9"));
	assert_true(yields("2001:db8:1:2::2", "2001:db8:1:2::1", "192.0.2.9"));
	/* an address is not another one */
	assert_false(yields("192.0.2.1", "192.0.2.1", "192.0.2.1"));
}

/* What the new one would have counts; but it does not lose to one that had more before. */
static void ties(void **state)
{
	struct ccdm_source *early = find("192.0.2.1", 0), *late = find("192.0.2.2", 0);

	(void)state;
	hold("192.0.2.1", 1);
	hold("192.0.2.2", 1);
	assert_true(yields("192.0.2.1", "192.0.2.3", "192.0.2.3"));
	assert_false(yields("192.0.2.3", "192.0.2.1", "192.0.2.3"));
	hold("192.0.2.3", 1);
	assert_false(yields("192.0.2.1", "192.0.2.3", "192.0.2.3"));
	assert_true(yields("192.0.2.3", "192.0.2.1", "192.0.2.3"));
	/* of requests, the one whose turn is later */
	ccdm_source_hold(early, CCDM_HELD_REQUESTS, 1);
	ccdm_source_hold(late, CCDM_HELD_REQUESTS, 1);
	early->turn = 1;
	late->turn = 2;
	assert_true(ccdm_source_yields(late, early, find("::1", 0), CCDM_HELD_REQUESTS));
	assert_false(ccdm_source_yields(early, late, find("::1", 0), CCDM_HELD_REQUESTS));
	assert_false(yields("192.0.2.2", "192.0.2.1", "::1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(room, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(most, setup, teardown),
		cmocka_unit_test_setup_teardown(ties, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
