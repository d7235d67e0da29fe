// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* proxy.c - see proxy.h */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "proxy.h"

static const uint8_t ccdm_proxy_magic[12] = "\r\n\r\n\0\r\nQUIT\n";

/* Bytes 12 and 13 of a header. */
#define PROXY_LOCAL   0x20 /* version 2, command LOCAL */
#define PROXY_COMMAND 0x21 /* version 2, command PROXY */
#define PROXY_TCP4    0x11
#define PROXY_TCP6    0x21

/* ---- the list ------------------------------------------------------------------------ */

/* Write an address of IPv4 in its IPv6 form. */
static void ccdm_proxy_mapped(const void *four, uint8_t address[16])
{
	memset(address, 0, 10);
	memset(address + 10, 0xff, 2);
	memcpy(address + 12, four, 4);
}

static bool ccdm_proxy_bit(const uint8_t address[16], unsigned int bit)
{
	return address[bit / 8] >> (7 - bit % 8) & 1;
}

static int ccdm_proxies_one(char *word, struct ccdm_proxies *p, struct ccdm_err *err)
{
	char *slash = strchr(word, '/'), *end = NULL;
	unsigned int most = 128, i;
	uint8_t four[4], *address;
	unsigned long bits;

	if (p->count == CCDM_PROXIES)
		return ccdm_err_set(err, -EINVAL, "expected at most %d addresses", CCDM_PROXIES);
	address = p->all[p->count].address;
	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, word, four) == 1) {
		most = 32;
		ccdm_proxy_mapped(four, address);
	} else if (inet_pton(AF_INET6, word, address) != 1) {
		return ccdm_err_set(err, -EINVAL, "expected an address, found '%.64s'", word);
	}
	bits = slash ? strtoul(slash + 1, &end, 10) : most;
	if (slash &&
	    (!strchr("0123456789", slash[1]) || end == slash + 1 || *end || !bits || bits > most))
		return ccdm_err_set(err, -EINVAL, "%.64s: expected 1 to %u bits, found '%.16s'",
				    word, most, slash + 1);
	bits += 128 - most;
	for (i = (unsigned int)bits; i < 128; i++)
		if (ccdm_proxy_bit(address, i))
			return ccdm_err_set(err, -EINVAL,
					    "%.64s: expected zeros after %lu bits of the address",
					    word, bits - (128 - most));
	p->all[p->count++].bits = (unsigned int)bits;
	return 0;
}

int ccdm_proxies_read(const char *text, struct ccdm_proxies *p, struct ccdm_err *err)
{
	char *copy = strdup(text), *words = copy, *word;
	int r = copy ? 0 : ccdm_err_memory(err);

	memset(p, 0, sizeof(*p));
	while (!r && (word = strsep(&words, " \t,")))
		if (*word)
			r = ccdm_proxies_one(word, p, err);
	free(copy);
	return r;
}

bool ccdm_proxies_has(const struct ccdm_proxies *p, const struct sockaddr *address)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	uint8_t bytes[16];
	unsigned int i, bit;

	if (address->sa_family == AF_INET) {
		memcpy(&four, address, sizeof(four));
		ccdm_proxy_mapped(&four.sin_addr, bytes);
	} else if (address->sa_family == AF_INET6) {
		memcpy(&six, address, sizeof(six));
		memcpy(bytes, &six.sin6_addr, 16);
	} else {
		return false;
	}
	for (i = 0; i < p->count; i++) {
		for (bit = 0; bit < p->all[i].bits; bit++)
			if (ccdm_proxy_bit(bytes, bit) != ccdm_proxy_bit(p->all[i].address, bit))
				break;
		if (bit == p->all[i].bits)
			return true;
	}
	return false;
}

/* ---- a header -------------------------------------------------------------------------- */

static enum ccdm_proxy_said ccdm_proxy_address(const uint8_t *bytes, size_t size, uint8_t family,
					       struct sockaddr_storage *address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	memset(address, 0, sizeof(*address));
	/* two addresses and two ports: the guest's, then the load balancer's */
	if (family == PROXY_TCP4 && size >= 12) {
		memcpy(&four.sin_addr, bytes, 4);
		memcpy(&four.sin_port, bytes + 8, 2);
		memcpy(address, &four, sizeof(four));
		return CCDM_PROXY_ADDRESS;
	}
	if (family == PROXY_TCP6 && size >= 36) {
		memcpy(&six.sin6_addr, bytes, 16);
		memcpy(&six.sin6_port, bytes + 32, 2);
		memcpy(address, &six, sizeof(six));
		return CCDM_PROXY_ADDRESS;
	}
	return CCDM_PROXY_BAD;
}

enum ccdm_proxy_said ccdm_proxy_read(const uint8_t *bytes, size_t size,
				     struct sockaddr_storage *address, size_t *length)
{
	const size_t known = size < sizeof(ccdm_proxy_magic) ? size : sizeof(ccdm_proxy_magic);

	*length = CCDM_PROXY_LEAST;
	if (memcmp(bytes, ccdm_proxy_magic, known))
		return CCDM_PROXY_BAD;
	if (size < CCDM_PROXY_LEAST)
		return CCDM_PROXY_MORE;
	if (bytes[12] != PROXY_LOCAL && bytes[12] != PROXY_COMMAND)
		return CCDM_PROXY_BAD;
	*length = CCDM_PROXY_LEAST + (size_t)(bytes[14] << 8 | bytes[15]);
	if (*length > CCDM_PROXY_MAX) {
		*length = CCDM_PROXY_LEAST;
		return CCDM_PROXY_BAD;
	}
	if (size < *length)
		return CCDM_PROXY_MORE;
	if (bytes[12] == PROXY_LOCAL)
		return CCDM_PROXY_LOCAL;
	return ccdm_proxy_address(bytes + CCDM_PROXY_LEAST, *length - CCDM_PROXY_LEAST, bytes[13],
				  address);
}
