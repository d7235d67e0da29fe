/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * net.h - wait for the network that systemd-networkd sets up in the initrd
 */
#ifndef CCDM_NET_H
#define CCDM_NET_H

#include <stdbool.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_net - state after the wait
 * @links: Ethernet interfaces, named, as far as there is room; empty if there are none
 * @carrier: one of them has a link
 * @address: one of those has an address that reaches beyond the link
 */
struct ccdm_net {
	char links[128];
	bool carrier;
	bool address;
};

/**
 * ccdm_net_wait() - wait for an address, and for a name server if one is needed
 * @names: names will be looked up: write the name servers that networkd received
 *	to /etc/resolv.conf
 * @seconds: how long
 * @net: filled, also after an error
 *
 * Return: 0; -ENODEV: no interface; -ENOLINK: none has a link; -EADDRNOTAVAIL: no address;
 * -ENOENT: no name server; -EIO.
 */
int __must_check ccdm_net_wait(bool names, unsigned int seconds, struct ccdm_net *net,
			       struct ccdm_err *err);

#define CCDM_NET_NAMES 256

/* The name servers that networkd knows, as lines of resolv.conf(5); "" if there are none. */
int __must_check ccdm_net_servers(char text[CCDM_NET_NAMES], struct ccdm_err *err);

/* True if the host of this URL is a name, not an address. */
bool __must_check ccdm_net_is_name(const char *url);

#endif
