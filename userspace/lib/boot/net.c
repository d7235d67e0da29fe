// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* net.c - see net.h */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "net.h"

#define NETIF_STATE "/run/systemd/netif/state"
#define RESOLV_CONF "/etc/resolv.conf"
#define STATE_MAX   65536

/* ---- interfaces and addresses ------------------------------------------------ */

static bool ccdm_net_reaches(const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa && sa->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 16 != 0xa9fe; /* 169.254.0.0/16 */
	return sa && sa->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
}

static void ccdm_net_look(struct ccdm_net *net)
{
	struct ifaddrs *all, *i;

	memset(net, 0, sizeof(*net));
	if (getifaddrs(&all))
		return;
	for (i = all; i; i = i->ifa_next) {
		size_t at = strlen(net->links);

		if (i->ifa_flags & IFF_LOOPBACK)
			continue;
		/* each interface has one entry of this family */
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_PACKET)
			snprintf(net->links + at, sizeof(net->links) - at, "%s%s", at ? " " : "",
				 i->ifa_name);
		if (!(i->ifa_flags & IFF_RUNNING))
			continue;
		net->carrier = true;
		net->address |= ccdm_net_reaches(i->ifa_addr);
	}
	freeifaddrs(all);
}

/* ---- name servers -------------------------------------------------------------- */

bool ccdm_net_is_name(const char *url)
{
	const char *host = strstr(url, "://");
	struct in_addr in;
	char name[256];

	host = host ? host + 3 : url;
	if (*host == '[')
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, ":/"), host);
	return inet_pton(AF_INET, name, &in) != 1;
}

static int ccdm_net_server(char *line, unsigned int number, void *arg, struct ccdm_err *err)
{
	char *text = arg, *word, *rest;
	struct in6_addr in;
	size_t at;

	(void)number;
	(void)err;
	if (strncmp(line, "DNS=", 4))
		return 0;
	for (word = strtok_r(line + 4, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		at = strlen(text);
		/* the resolver ignores servers after the third one */
		if (at < 200 &&
		    (inet_pton(AF_INET, word, &in) == 1 || inet_pton(AF_INET6, word, &in) == 1))
			snprintf(text + at, CCDM_NET_NAMES - at, "nameserver %s\n", word);
	}
	return 0;
}

int ccdm_net_servers(char text[CCDM_NET_NAMES], struct ccdm_err *err)
{
	char *state;
	size_t size;
	int r;

	text[0] = '\0';
	r = ccdm_file_read(NETIF_STATE, STATE_MAX, &state, &size, err);
	if (r)
		return r;
	r = ccdm_file_lines(NETIF_STATE, state, size, STATE_MAX, ccdm_net_server, text, err);
	free(state);
	return r;
}

/*
 * Write resolv.conf, since the initrd has no systemd-resolved. The host controls DHCP and the
 * servers' answers; TLS does not rely on them.
 */
static bool ccdm_net_names(void)
{
	struct ccdm_err ignored;
	char text[CCDM_NET_NAMES];

	return !ccdm_net_servers(text, &ignored) && text[0] &&
	       !ccdm_file_write(RESOLV_CONF, text, strlen(text), 0644, &ignored);
}

/* ---- waiting ---------------------------------------------------------------------- */

/* Subscribe to changes of links and addresses. Return: file descriptor, or -1. */
static int ccdm_net_listen(void)
{
	struct sockaddr_nl at = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int ccdm_net_why(const struct ccdm_net *net, unsigned int seconds, struct ccdm_err *err)
{
	if (!net->links[0])
		return ccdm_err_set(err, -ENODEV, "found no network interface within %u s",
				    seconds);
	if (!net->carrier)
		return ccdm_err_set(err, -ENOLINK, "%s: no link within %u s", net->links, seconds);
	if (!net->address)
		return ccdm_err_set(err, -EADDRNOTAVAIL, "%s: no address from DHCP within %u s",
				    net->links, seconds);
	return ccdm_err_set(err, -ENOENT, "%s: DHCP provided no name server", net->links);
}

int ccdm_net_wait(bool names, unsigned int seconds, struct ccdm_net *net, struct ccdm_err *err)
{
	int64_t end = ccdm_clock_ms() + seconds * 1000LL, left;
	struct pollfd fd = { .fd = ccdm_net_listen(), .events = POLLIN };
	char message[8192];
	bool good = false;

	if (fd.fd < 0)
		return ccdm_err_set(err, -EIO, "netlink: %s", strerror(errno));
	for (;;) {
		ccdm_net_look(net);
		good = net->address && (!names || ccdm_net_names());
		left = end - ccdm_clock_ms();
		if (good || left <= 0)
			break;
		/* networkd writes its state without a signal, so check each second */
		if (poll(&fd, 1, left > 1000 ? 1000 : (int)left) < 0 && errno != EINTR)
			break;
		while (recv(fd.fd, message, sizeof(message), 0) > 0)
			;
	}
	close(fd.fd);
	return good ? 0 : ccdm_net_why(net, seconds, err);
}
