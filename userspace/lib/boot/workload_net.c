// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_net.c - see workload_net.h */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/file.h"
#include "workload_net.h"
#include "workload_run.h"

#define UNPRIVILEGED "/proc/sys/net/ipv4/ip_unprivileged_port_start"

void ccdm_workload_net_names(const struct ccdm_workload_json *w, char text[CCDM_NET_NAMES])
{
	struct ccdm_err none;
	unsigned int i;
	size_t at = 0;

	text[0] = '\0';
	for (i = 0; w->net == CCDM_WORKLOAD_STATIC && i < w->nr_dns; i++)
		at += snprintf(text + at, CCDM_NET_NAMES - at, "nameserver %s\n", w->dns[i]);
	/* no network: no name servers */
	if (w->net == CCDM_WORKLOAD_DHCP && ccdm_net_servers(text, &none))
		text[0] = '\0';
}

void ccdm_workload_net_rules(const struct ccdm_workload_json *w, char *text, size_t size)
{
	char ports[CCDM_WORKLOAD_JSON_PORTS * 6 + 1] = "";
	unsigned int i;
	size_t at = 0;

	for (i = 0; i < w->nr_ports; i++)
		at += snprintf(ports + at, sizeof(ports) - at, "%s%u", i ? "," : "", w->port[i]);
	/* ICMP and ICMPv6 by number: a minimal base has no /etc/protocols, which nft reads */
	at = snprintf(text, size,
		      "table inet ccdm {\n"
		      "\tchain input {\n"
		      "\t\ttype filter hook input priority filter; policy drop;\n"
		      "\t\tiifname \"lo\" accept\n"
		      "\t\tct state established,related accept\n"
		      "\t\tmeta l4proto { 1, 58 } accept\n"
		      "\t\tudp dport { 68, 546 } accept\n");
	if (w->nr_ports)
		at += snprintf(text + at, size - at,
			       "\t\ttcp dport { %s } accept\n\t\tudp dport { %s } accept\n", ports,
			       ports);
	snprintf(text + at, size - at,
		 "\t}\n"
		 "\tchain forward {\n"
		 "\t\ttype filter hook forward priority filter; policy drop;\n"
		 "\t}\n"
		 "}\n");
}

static int ccdm_workload_net_filter(const struct ccdm_workload_json *w, struct ccdm_err *err)
{
	static const char *const argv[] = { "/usr/sbin/nft", "-f", CCDM_WORKLOAD_NET_RULES, NULL };
	char text[CCDM_WORKLOAD_NET_RULES_MAX];
	int r;

	ccdm_workload_net_rules(w, text, sizeof(text));
	r = ccdm_file_write(CCDM_WORKLOAD_NET_RULES, text, strlen(text), 0600, err);
	return r ? r : ccdm_workload_run_well(argv, err);
}

/* Shut down each interface except the loopback. */
static int ccdm_workload_net_down(struct ccdm_err *err)
{
	struct if_nameindex *all = if_nameindex(), *i;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r = 0;
	struct ifreq request;

	if (!all || fd < 0)
		r = -errno;
	for (i = all; !r && i && i->if_name; i++) {
		memset(&request, 0, sizeof(request));
		snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", i->if_name);
		if (ioctl(fd, SIOCGIFFLAGS, &request)) {
			r = -errno;
		} else if (!(request.ifr_flags & IFF_LOOPBACK) && request.ifr_flags & IFF_UP) {
			request.ifr_flags &= ~IFF_UP;
			r = ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
		}
	}
	if_freenameindex(all);
	if (fd >= 0)
		close(fd);
	return r ? ccdm_err_set(err, r, "cannot bring the network down: %s", strerror(-r)) : 0;
}

int ccdm_workload_net_close(const struct ccdm_workload_json *w, struct ccdm_err *err)
{
	int r = ccdm_file_tell(UNPRIVILEGED, "0", err);

	if (!r && w->net == CCDM_WORKLOAD_OFFLINE)
		r = ccdm_workload_net_down(err);
	return r || !w->has_ports ? r : ccdm_workload_net_filter(w, err);
}
