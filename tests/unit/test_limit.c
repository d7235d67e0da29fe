// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* What one address may take: which addresses count as one, connections, lines of the log. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "core/limit.h"

#define SECOND 1000000LL

static struct ccdm_sources *sources;

static struct ccdm_source *find(const char *text, int64_t us)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return ccdm_sources_find(sources, (struct sockaddr *)&four, us);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return ccdm_sources_find(sources, (struct sockaddr *)&six, us);
}

static void addresses(void **state)
{
	static const struct {
		const char *one, *two;
		bool same;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		/* a socket of IPv6 shows addresses of IPv4 like this */
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		/* one machine has all addresses of a network of 64 bits */
		{ "2001:db8::1", "2001:db8::2", true },
		{ "2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", true },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", false },
		{ "::1", "192.0.2.1", false },
		/* the same bytes, another family */
		{ "192.0.2.1", "c000:201::", false },
	};
	size_t i;

	(void)state;
	sources = ccdm_sources_new();
	assert_non_null(sources);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if ((find(cases[i].one, 0) == find(cases[i].two, 0)) != cases[i].same)
			fail_msg("%s, %s", cases[i].one, cases[i].two);
	/* addresses of another family share an entry */
	assert_ptr_equal(ccdm_sources_find(sources, &(struct sockaddr){ .sa_family = AF_UNIX }, 0),
			 ccdm_sources_find(sources, &(struct sockaddr){ .sa_family = AF_UNIX }, 0));
	ccdm_sources_free(sources);
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
	static const struct ccdm_limits limits = { .rate = 1, .burst = 1 };
	struct ccdm_source *kept, *slow, *old;
	unsigned int i;

	(void)state;
	sources = ccdm_sources_new();
	assert_non_null(sources);
	kept = nth(0, 0);
	kept->connections = 1;
	slow = nth(1, 0);
	assert_true(ccdm_limit_connect(&limits, slow, 10 * SECOND));
	for (i = 2; i < CCDM_SOURCES; i++)
		assert_true(ccdm_limit_connect(&limits, nth(i, 1), 1));
	/* an entry that has its whole allowance again says nothing: it goes first */
	old = nth(2, 2 * SECOND);
	assert_ptr_equal(nth(CCDM_SOURCES, 2 * SECOND), old);
	assert_ptr_equal(nth(0, 2 * SECOND), kept);
	assert_ptr_equal(nth(1, 0), slow);
	assert_false(ccdm_limit_connect(&limits, slow, 10 * SECOND));
	/* if none has, the oldest */
	slow->connect = 99 * SECOND;
	for (i = 2; i < CCDM_SOURCES; i++)
		nth(CCDM_SOURCES + i, 20 * SECOND)->connect = 99 * SECOND;
	assert_ptr_equal(nth(3 * CCDM_SOURCES, 21 * SECOND), slow);
	/* if all have connections or requests, new addresses share an entry */
	for (i = 0; i < CCDM_SOURCES; i++)
		nth(CCDM_SOURCES + i, 30 * SECOND)->waiting = 1;
	assert_ptr_equal(nth(10 * CCDM_SOURCES, 40 * SECOND),
			 nth(10 * CCDM_SOURCES + 1, 40 * SECOND));
	assert_ptr_not_equal(nth(10 * CCDM_SOURCES, 40 * SECOND), kept);
	ccdm_sources_free(sources);
}

static void connections(void **state)
{
	static const struct ccdm_limits limits = { .rate = 20, .burst = 60 }, none = { 0 };
	struct ccdm_source a = { 0 }, b = { 0 };
	unsigned int i, n = 0;

	(void)state;
	for (i = 0; i < 100; i++)
		n += ccdm_limit_connect(&limits, &a, SECOND);
	assert_int_equal(n, 60);
	assert_true(ccdm_limit_connect(&limits, &b, SECOND));
	/* in a second, 20 more */
	for (i = 0; i < 100; i++)
		n += ccdm_limit_connect(&limits, &a, SECOND + (i + 1) * SECOND / 100);
	assert_int_equal(n, 80);
	/* after a pause, not more than at first */
	for (i = 0; i < 100; i++)
		n += ccdm_limit_connect(&limits, &a, 100 * SECOND);
	assert_int_equal(n, 140);
	for (i = 0; i < 1000; i++)
		assert_true(ccdm_limit_connect(&none, &a, 100 * SECOND));
}

static void lines(void **state)
{
	struct ccdm_quota q = { .limits = { .lines = 10, .bytes = 8000 } };
	struct ccdm_source a = { 0 }, all[20] = { { 0 } };
	unsigned int i, n = 0;

	(void)state;
	for (i = 0; i < 50; i++)
		n += ccdm_quota_line(&q, &a, 10, SECOND);
	assert_int_equal(n, 10);
	/* one address has an eighth of the bytes, all have all */
	q.full = 0;
	assert_false(ccdm_quota_line(&q, &all[0], 1001, SECOND));
	for (n = 0, i = 0; i < 20; i++)
		n += ccdm_quota_line(&q, &all[i], 1000, SECOND);
	assert_int_equal(n, 8);
	/* what was refused for all took nothing from the address */
	assert_int_equal(all[19].bytes, 0);
	assert_int_equal(all[19].line, 0);
	assert_false(ccdm_quota_line(&q, NULL, 1, SECOND));
	/* a day later all are there again */
	assert_true(ccdm_quota_line(&q, NULL, 8000, SECOND + 86400 * SECOND + SECOND));
	assert_false(ccdm_quota_low(&q));
	q.directory = "/nonexistent";
	assert_false(ccdm_quota_low(&q));
	/* a file system without any room */
	q.directory = "/proc";
	q.limits = (struct ccdm_limits){ 0 };
	assert_true(ccdm_quota_line(&q, NULL, 1 << 20, SECOND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(room),
		cmocka_unit_test(connections),
		cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
