// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* What one address and its networks may take: connections, lines of the log. */
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
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

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

static struct sockaddr_storage address(const char *format, unsigned int n)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_storage all = { 0 };
	char text[64];

	snprintf(text, sizeof(text), format, n, n);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	memcpy(&all, &six, sizeof(six));
	return all;
}

/* How many of @n connections are let in; each address is one of @format. */
static unsigned int connect_all(const struct ccdm_limits *limits, const char *format,
				unsigned int n, int64_t us)
{
	struct sockaddr_storage a;
	unsigned int i, in = 0;

	for (i = 0; i < n; i++) {
		a = address(format, i);
		in += ccdm_limit_connect(limits, sources, (struct sockaddr *)&a, us) != NULL;
	}
	return in;
}

static void connections(void **state)
{
	static const struct ccdm_limits limits = { .rate = 20, .burst = 60 }, none = { 0 };
	unsigned int i, n;

	(void)state;
	assert_int_equal(connect_all(&limits, "::ffff:192.0.2.1", 100, SECOND), 60);
	assert_int_equal(connect_all(&limits, "::ffff:192.0.2.2", 1, SECOND), 1);
	/* in a second, 20 more */
	for (n = 0, i = 0; i < 100; i++)
		n += connect_all(&limits, "::ffff:192.0.2.1", 1, SECOND + (i + 1) * SECOND / 100);
	assert_int_equal(n, 20);
	/* after a pause, not more than at first */
	assert_int_equal(connect_all(&limits, "::ffff:192.0.2.1", 100, 100 * SECOND), 60);
	assert_int_equal(connect_all(&none, "::ffff:192.0.2.1", 1000, 100 * SECOND), 1000);
}

/* An address leaves something for its network; a network has more than an address, but not without bound. */
static void networks(void **state)
{
	static const struct ccdm_limits limits = { .rate = 20, .burst = 60 };

	(void)state;
	assert_int_equal(connect_all(&limits, "2001:db8::1", 10000, SECOND), 60);
	assert_int_equal(connect_all(&limits, "2001:db8::2", 10000, SECOND), 60);
	/* all addresses of this network of 64 bits: 4 times as many as one */
	assert_int_equal(connect_all(&limits, "2001:db8::1:%x", 10000, SECOND), 120);
	assert_int_equal(connect_all(&limits, "2001:db8::3", 1, SECOND), 0);
	/* another one of the same 48 bits, and then all of them: 16 times */
	assert_int_equal(connect_all(&limits, "2001:db8:0:1::1", 10000, SECOND), 60);
	assert_int_equal(connect_all(&limits, "2001:db8:0:2:%x::", 10000, SECOND), 240);
	assert_int_equal(connect_all(&limits, "2001:db8:0:%x::%x", 10000, SECOND), 420);
	assert_int_equal(connect_all(&limits, "2001:db8:0:ffff::1", 1, SECOND), 0);
	/* others have theirs */
	assert_int_equal(connect_all(&limits, "2001:db8:1::1", 10000, SECOND), 60);
	assert_int_equal(connect_all(&limits, "::ffff:192.0.2.1", 1, SECOND), 1);
	/* a second later: 20, 80 and 320 more */
	assert_int_equal(connect_all(&limits, "2001:db8::1", 10000, 2 * SECOND), 20);
	assert_int_equal(connect_all(&limits, "2001:db8::1:%x", 10000, 2 * SECOND), 60);
	assert_int_equal(connect_all(&limits, "2001:db8:0:%x::%x", 10000, 2 * SECOND), 240);
}

static struct ccdm_source *of(const char *format, unsigned int n)
{
	static const struct ccdm_limits none = { 0 };
	struct sockaddr_storage a = address(format, n);

	return ccdm_limit_connect(&none, sources, (struct sockaddr *)&a, 0);
}

static void lines(void **state)
{
	struct ccdm_quota q = { .limits = { .lines = 10, .bytes = 16000 } };
	struct ccdm_source *a = of("::ffff:192.0.2.1", 0);
	unsigned int i, n[3] = { 0 };

	(void)state;
	for (i = 0; i < 50; i++)
		n[ccdm_quota_line(&q, a, CCDM_LINE_STRANGER, 10, SECOND)]++;
	/* 10 in a minute, and a short one in an hour */
	assert_int_equal(n[CCDM_LINE_WHOLE], 10);
	assert_int_equal(n[CCDM_LINE_BRIEF], 1);
	/* strangers have half of the bytes, one address an eighth of these */
	q.full[CCDM_LINE_STRANGER] = 0;
	assert_int_equal(
		ccdm_quota_line(&q, of("::ffff:192.0.3.0", 0), CCDM_LINE_STRANGER, 1001, SECOND),
		CCDM_LINE_BRIEF);
	for (i = 0; i < 20; i++)
		n[ccdm_quota_line(&q, of("::ffff:192.0.3.%u", i), CCDM_LINE_STRANGER, 1000,
				  SECOND)]++;
	assert_int_equal(n[CCDM_LINE_WHOLE], 18);
	/* one with a line has no short one; what was refused took nothing from the address */
	assert_int_equal(of("::ffff:192.0.3.%u", 7)->quiet, 0);
	assert_int_equal(of("::ffff:192.0.3.%u", 19)->bytes[CCDM_LINE_STRANGER], 0);
	assert_int_equal(of("::ffff:192.0.3.%u", 19)->line[CCDM_LINE_STRANGER], 0);
	assert_int_equal(ccdm_quota_line(&q, NULL, CCDM_LINE_STRANGER, 1, SECOND), CCDM_LINE_NONE);
	/* a day later all are there again */
	assert_int_equal(ccdm_quota_line(&q, NULL, CCDM_LINE_STRANGER, 8000, 2 * SECOND + DAY),
			 CCDM_LINE_WHOLE);
	assert_false(ccdm_quota_low(&q));
	q.directory = "/nonexistent";
	assert_false(ccdm_quota_low(&q));
	/* a file system without any room */
	q.directory = "/proc";
	q.limits = (struct ccdm_limits){ 0 };
	assert_int_equal(ccdm_quota_line(&q, NULL, CCDM_LINE_STRANGER, 1 << 20, SECOND),
			 CCDM_LINE_WHOLE);
}

/* A flood takes neither the text of genuine guests' refusals nor that of a quiet address. */
static void flood(void **state)
{
	struct ccdm_quota q = { .limits = { .lines = 1000000, .bytes = 1 << 20 } };
	unsigned int i, j, n[3] = { 0 };

	(void)state;
	for (i = 0; i < 40; i++)
		for (j = 0; j < 200; j++)
			n[ccdm_quota_line(&q, of("::ffff:10.0.0.%u", i), CCDM_LINE_STRANGER, 1000,
					  SECOND)]++;
	assert_int_equal(n[CCDM_LINE_WHOLE], (1 << 19) / 1000);
	assert_int_equal(n[CCDM_LINE_BRIEF], 40);
	/* also behind the same address as the flood */
	assert_int_equal(
		ccdm_quota_line(&q, of("::ffff:10.0.0.1", 0), CCDM_LINE_GENUINE, 20000, SECOND),
		CCDM_LINE_WHOLE);
	assert_int_equal(
		ccdm_quota_line(&q, of("::ffff:192.0.2.1", 0), CCDM_LINE_STRANGER, 20000, SECOND),
		CCDM_LINE_BRIEF);
	/* genuine ones do not take the lines of strangers */
	q = (struct ccdm_quota){ .limits = q.limits };
	for (i = 0; i < 40; i++)
		for (j = 0; j < 200; j++)
			n[ccdm_quota_line(&q, of("::ffff:10.0.1.%u", i), CCDM_LINE_GENUINE, 1000,
					  SECOND)]++;
	assert_int_equal(n[CCDM_LINE_WHOLE], (1 << 19) / 1000 + (1 << 18) / 1000);
	assert_int_equal(
		ccdm_quota_line(&q, of("::ffff:192.0.2.2", 0), CCDM_LINE_STRANGER, 20000, SECOND),
		CCDM_LINE_WHOLE);
}

/* A network of IPv6 has 4 or 16 lines for each of one address, and a quarter or a half of the bytes. */
static void line_networks(void **state)
{
	struct ccdm_quota q = { .limits = { .lines = 10 } };
	unsigned int i, n[3] = { 0 };

	(void)state;
	for (i = 0; i < 100; i++)
		n[ccdm_quota_line(&q, of("2001:db8::1", 0), CCDM_LINE_STRANGER, 10, SECOND)]++;
	assert_int_equal(n[CCDM_LINE_WHOLE], 10);
	assert_int_equal(n[CCDM_LINE_BRIEF], 1);
	for (i = 0; i < 100; i++)
		n[ccdm_quota_line(&q, of("2001:db8::1:%x", i), CCDM_LINE_STRANGER, 10, SECOND)]++;
	assert_int_equal(n[CCDM_LINE_WHOLE], 40);
	assert_int_equal(n[CCDM_LINE_BRIEF], 4);
	for (i = 0; i < 1000; i++)
		n[ccdm_quota_line(&q, of("2001:db8:0:%x::%x", i), CCDM_LINE_STRANGER, 10,
				  SECOND)]++;
	assert_int_equal(n[CCDM_LINE_WHOLE], 160);
	assert_int_equal(n[CCDM_LINE_BRIEF], 16);
	/* bytes */
	q = (struct ccdm_quota){ .limits = { .bytes = 16000 } };
	n[CCDM_LINE_WHOLE] = 0;
	for (i = 0; i < 100; i++)
		n[ccdm_quota_line(&q, of("2001:db8:5::1:%x", i), CCDM_LINE_STRANGER, 1000,
				  SECOND)]++;
	assert_int_equal(n[CCDM_LINE_WHOLE], 2);
	for (i = 0; i < 100; i++)
		n[ccdm_quota_line(&q, of("2001:db8:5:%x::%x", i), CCDM_LINE_STRANGER, 1000,
				  SECOND)]++;
	assert_int_equal(n[CCDM_LINE_WHOLE], 4);
}

/* Short lines have a quarter of the bytes. */
static void quiet(void **state)
{
	struct ccdm_quota q = { .limits = { .lines = 1000000, .bytes = 4 * 10 * CCDM_LINE_SHORT } };
	unsigned int i, n[3] = { 0 };

	(void)state;
	q.full[CCDM_LINE_STRANGER] = 2 * DAY;
	for (i = 0; i < 100; i++)
		n[ccdm_quota_line(&q, of("::ffff:10.0.0.%u", i), CCDM_LINE_STRANGER, 1 << 18,
				  SECOND)]++;
	assert_int_equal(n[CCDM_LINE_BRIEF], 10);
	assert_int_equal(n[CCDM_LINE_NONE], 90);
	assert_int_equal(of("::ffff:10.0.0.%u", 50)->quiet, 0);
	/* an hour later an address has one again */
	q.quiet = 0;
	for (i = 0; i < 2; i++)
		n[ccdm_quota_line(&q, of("::ffff:10.0.0.1", 0), CCDM_LINE_STRANGER, 100,
				  SECOND + (i ? HOUR : HOUR / 2))]++;
	assert_int_equal(n[CCDM_LINE_BRIEF], 11);
	/* without a limit of bytes */
	q.limits = (struct ccdm_limits){ .lines = 1 };
	for (i = 0; i < 3; i++)
		n[ccdm_quota_line(&q, of("::ffff:10.0.9.1", 0), CCDM_LINE_STRANGER, 1000,
				  SECOND)]++;
	assert_int_equal(n[CCDM_LINE_WHOLE], 1);
	assert_int_equal(n[CCDM_LINE_BRIEF], 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(connections, setup, teardown),
		cmocka_unit_test_setup_teardown(networks, setup, teardown),
		cmocka_unit_test_setup_teardown(lines, setup, teardown),
		cmocka_unit_test_setup_teardown(flood, setup, teardown),
		cmocka_unit_test_setup_teardown(line_networks, setup, teardown),
		cmocka_unit_test_setup_teardown(quiet, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
