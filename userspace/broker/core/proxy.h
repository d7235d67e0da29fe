/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * proxy.h - the address of a guest behind a load balancer: PROXY protocol, version 2
 *
 * The load balancer sends a header before the first byte of TLS. It can name any address, so the broker
 * reads it only from the addresses in the configuration, and from these it is not optional.
 */
#ifndef CCDM_BROKER_PROXY_H
#define CCDM_BROKER_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_PROXIES	 16  /* addresses or networks of load balancers */
#define CCDM_PROXY_MAX	 552 /* bytes of a header */
#define CCDM_PROXY_LEAST 16  /* bytes before the addresses */

/**
 * struct ccdm_proxies - addresses of load balancers
 * @count: 0: there is none
 * @address: of IPv6, or of IPv4 in its IPv6 form
 * @bits: of it that count
 */
struct ccdm_proxies {
	unsigned int count;
	struct {
		uint8_t address[16];
		unsigned int bits;
	} all[CCDM_PROXIES];
};

/**
 * ccdm_proxies_read() - read a list
 * @text: ADDRESS or ADDRESS/BITS, separated by spaces; "": none
 *
 * Return: 0, -EINVAL.
 */
int __must_check ccdm_proxies_read(const char *text, struct ccdm_proxies *proxies,
				   struct ccdm_err *err);

/* Is this the address of a load balancer? */
bool __must_check ccdm_proxies_has(const struct ccdm_proxies *proxies,
				   const struct sockaddr *address);

/* What a header says. */
enum ccdm_proxy_said {
	CCDM_PROXY_BAD,	  /* it is no header, or one without an address of TCP */
	CCDM_PROXY_MORE,  /* it is not complete */
	CCDM_PROXY_LOCAL, /* the load balancer itself connects, to see whether the broker is there */
	CCDM_PROXY_ADDRESS, /* it connects for this address */
};

/**
 * ccdm_proxy_read() - read a header
 * @bytes, @size: untrusted, at most CCDM_PROXY_MAX
 * @address: set if it has one
 * @length: set to the bytes of the header as far as known; never more than CCDM_PROXY_MAX
 *
 * A caller that never receives more than @length bytes takes nothing of what follows the header.
 */
enum ccdm_proxy_said __must_check ccdm_proxy_read(const uint8_t *bytes, size_t size,
						  struct sockaddr_storage *address, size_t *length);

#endif
