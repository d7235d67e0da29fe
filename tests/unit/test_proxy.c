// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* PROXY protocol, version 2: the list of load balancers, and headers that are valid, cut, false or too long. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "core/proxy.h"
#include "seed.h"

static struct ccdm_err err;

static bool has(const struct ccdm_proxies *p, const char *text)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return ccdm_proxies_has(p, (struct sockaddr *)&four);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return ccdm_proxies_has(p, (struct sockaddr *)&six);
}

static void list(void **state)
{
	static const char *const bad[] = { "x",
					   "192.0.2.1/33",
					   "192.0.2.1/0",
					   "192.0.2.1/",
					   "192.0.2.1/x",
					   "192.0.2.1/24",
					   "2001:db8::/129",
					   "2001:db8::1/64",
					   "192.0.2.0/24x",
					   "192.0.2.0/ 24",
					   "192.0.2.0/-1" };
	struct ccdm_proxies p;
	char many[512] = "";
	size_t i;

	(void)state;
	assert_int_equal(ccdm_proxies_read("", &p, &err), 0);
	assert_int_equal(p.count, 0);
	assert_false(has(&p, "192.0.2.1"));
	assert_false(has(&p, "::"));
	assert_int_equal(
		ccdm_proxies_read(" 192.0.2.1  198.51.100.0/24,2001:db8::1 2001:db8:1::/48", &p,
				  &err),
		0);
	assert_int_equal(p.count, 4);
	assert_true(has(&p, "192.0.2.1"));
	assert_true(has(&p, "::ffff:192.0.2.1"));
	assert_false(has(&p, "192.0.2.2"));
	assert_true(has(&p, "198.51.100.0"));
	assert_true(has(&p, "198.51.100.255"));
	assert_false(has(&p, "198.51.101.0"));
	assert_true(has(&p, "2001:db8::1"));
	assert_false(has(&p, "2001:db8::2"));
	assert_true(has(&p, "2001:db8:1:ffff::1"));
	assert_false(has(&p, "2001:db8:2::1"));
	/* the bytes of an address of IPv4 are not one of IPv6 */
	assert_false(has(&p, "c000:201::"));
	assert_false(has(&p, "::192.0.2.1"));
	assert_false(ccdm_proxies_has(&p, &(struct sockaddr){ .sa_family = AF_UNIX }));
	seed("proxy", "l192.0.2.1 198.51.100.0/24 2001:db8:1::/48", 43);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ccdm_proxies_read(bad[i], &p, &err) != -EINVAL)
			fail_msg("%s", bad[i]);
	for (i = 0; i < CCDM_PROXIES + 1; i++)
		strcat(many, "192.0.2.1 ");
	assert_int_equal(ccdm_proxies_read(many, &p, &err), -EINVAL);
	many[strlen(many) - 10] = '\0';
	assert_int_equal(ccdm_proxies_read(many, &p, &err), 0);
}

/* Make a header. Return: its bytes */
static size_t header(uint8_t *to, uint8_t command, uint8_t family, const void *addresses,
		     size_t size, size_t more)
{
	memcpy(to, "\r\n\r\n\0\r\nQUIT\n", 12);
	to[12] = command;
	to[13] = family;
	to[14] = (size + more) >> 8;
	to[15] = (size + more) & 255;
	memcpy(to + 16, addresses, size);
	memset(to + 16 + size, 0x5a, more);
	return 16 + size + more;
}

static const uint8_t four[12] = { 192, 0, 2, 7, 192, 0, 2, 9, 0x12, 0x34, 1, 187 };
static const uint8_t six[36] = {
	0x20, 1, 0xd, 0xb8, [15] = 7, [16] = 0x20, [32] = 0x12, 0x34, 1, 187
};

static void valid(void **state)
{
	struct sockaddr_storage address;
	uint8_t bytes[CCDM_PROXY_MAX];
	struct sockaddr_in a;
	struct sockaddr_in6 b;
	size_t length, n, i;

	(void)state;
	n = header(bytes, 0x21, 0x11, four, sizeof(four), 0);
	seed("proxy", bytes, n);
	/* a caller that reads what is missing, byte by byte, gets the whole header and no more */
	for (i = 0; i < n; i++) {
		assert_int_equal(ccdm_proxy_read(bytes, i, &address, &length), CCDM_PROXY_MORE);
		assert_in_range(length, i + 1, n);
	}
	assert_int_equal(ccdm_proxy_read(bytes, n, &address, &length), CCDM_PROXY_ADDRESS);
	assert_int_equal(length, n);
	memcpy(&a, &address, sizeof(a));
	assert_int_equal(a.sin_family, AF_INET);
	assert_memory_equal(&a.sin_addr, four, 4);
	assert_int_equal(ntohs(a.sin_port), 0x1234);
	/* further values follow the addresses */
	n = header(bytes, 0x21, 0x21, six, sizeof(six), 500);
	seed("proxy", bytes, n);
	assert_int_equal(n, CCDM_PROXY_MAX);
	assert_int_equal(ccdm_proxy_read(bytes, n, &address, &length), CCDM_PROXY_ADDRESS);
	memcpy(&b, &address, sizeof(b));
	assert_int_equal(b.sin6_family, AF_INET6);
	assert_memory_equal(&b.sin6_addr, six, 16);
	/* a question of the load balancer itself: addresses do not matter */
	n = header(bytes, 0x20, 0, "", 0, 0);
	seed("proxy", bytes, n);
	assert_int_equal(ccdm_proxy_read(bytes, n, &address, &length), CCDM_PROXY_LOCAL);
	n = header(bytes, 0x20, 0x11, four, sizeof(four), 3);
	assert_int_equal(ccdm_proxy_read(bytes, n, &address, &length), CCDM_PROXY_LOCAL);
}

static void invalid(void **state)
{
	static const struct {
		uint8_t command, family;
		size_t size, more;
	} cases[] = {
		{ 0x11, 0x11, 12, 0 }, /* version 1 */
		{ 0x31, 0x11, 12, 0 },	   { 0x22, 0x11, 12, 0 },
		{ 0x21, 0x00, 12, 0 },	 /* no address */
		{ 0x21, 0x12, 12, 0 },	 /* UDP */
		{ 0x21, 0x31, 12, 204 }, /* a socket of UNIX */
		{ 0x21, 0x11, 11, 0 },	   { 0x21, 0x11, 0, 0 },
		{ 0x21, 0x21, 12, 23 },	   { 0x21, 0x11, 12, CCDM_PROXY_MAX - 16 - 12 + 1 },
		{ 0x20, 0x00, 0, 0xffff },
	};
	static uint8_t bytes[1 << 17];
	struct sockaddr_storage address;
	size_t length, n, i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = header(bytes, cases[i].command, cases[i].family, six, cases[i].size,
			   cases[i].more);
		if (n > CCDM_PROXY_MAX)
			n = CCDM_PROXY_MAX;
		seed("proxy", bytes, n);
		if (ccdm_proxy_read(bytes, n, &address, &length) != CCDM_PROXY_BAD)
			fail_msg("case %zu", i);
		assert_in_range(length, CCDM_PROXY_LEAST, CCDM_PROXY_MAX);
	}
	/* the first byte that differs ends it: TLS, version 1 in text */
	assert_int_equal(ccdm_proxy_read((const uint8_t *)"\x16", 1, &address, &length),
			 CCDM_PROXY_BAD);
	assert_int_equal(ccdm_proxy_read((const uint8_t *)"PROXY TCP4 ", 11, &address, &length),
			 CCDM_PROXY_BAD);
	n = header(bytes, 0x21, 0x11, four, sizeof(four), 0);
	for (i = 0; i < 12; i++) {
		bytes[i] ^= 1;
		assert_int_equal(ccdm_proxy_read(bytes, n, &address, &length), CCDM_PROXY_BAD);
		bytes[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list),
		cmocka_unit_test(valid),
		cmocka_unit_test(invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
