// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_network.c - the network of a running system: "network" of workload.yaml */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "workload.h"
#include "workload_fields.h"
#include "workload_parts.h"

/* An address in the form that the C library prints. Return: its family, or 0. */
static int ccdm_network_family(const char *text, char *to, size_t size)
{
	uint8_t bytes[16];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	return inet_pton(family, text, bytes) == 1 && inet_ntop(family, bytes, to, size) ? family
											 : 0;
}

/* "192.0.2.7/24" */
static int ccdm_network_address(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;
	char address[INET6_ADDRSTRLEN], plain[INET6_ADDRSTRLEN];
	const char *text, *slash;
	int r, family = 0;
	size_t digits;
	long bits = 0;

	text = ccdm_field_text(y, n, &r);
	if (r)
		return r;
	slash = strchr(text, '/');
	if (slash && (size_t)(slash - text) < sizeof(address)) {
		memcpy(address, text, slash - text);
		address[slash - text] = '\0';
		family = ccdm_network_family(address, plain, sizeof(plain));
		digits = strspn(slash + 1, "0123456789");
		bits = digits && digits <= 3 && !slash[1 + digits] ? strtol(slash + 1, NULL, 10)
								   : -1;
	}
	if (!family || bits < 1 || bits > (family == AF_INET ? 32 : 128))
		return ccdm_yaml_bad(y, n,
				     "expected an address with the length of its prefix "
				     "(192.0.2.7/24), found",
				     text);
	snprintf(w->address, sizeof(w->address), "%s/%ld", plain, bits);
	return 0;
}

static int ccdm_network_plain(const struct ccdm_yaml *y, const yaml_node_t *n, char *to,
			      size_t size)
{
	const char *text;
	int r;

	text = ccdm_field_text(y, n, &r);
	if (!r && !ccdm_network_family(text, to, size))
		r = ccdm_yaml_bad(y, n, "expected an IP address, found", text);
	return r;
}

static int ccdm_network_gateway(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;

	return ccdm_network_plain(y, n, w->gateway, sizeof(w->gateway));
}

static int ccdm_network_dns_one(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	char plain[INET6_ADDRSTRLEN];
	int r = ccdm_network_plain(y, n, plain, sizeof(plain));

	return r ? r : ccdm_field_append(arg, json_string(plain));
}

static int ccdm_network_dns(struct ccdm_yaml *y, const yaml_node_t *n, void *to)
{
	struct ccdm_workload *w = to;

	return ccdm_field_array(y, n, CCDM_WORKLOAD_DNS, ccdm_network_dns_one, &w->dns);
}

int ccdm_workload_network(struct ccdm_yaml *y, const yaml_node_t *n, void *workload)
{
	static const struct ccdm_field fields[] = {
		{ "address", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_network_address },
		{ "gateway", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_network_gateway },
		{ "dns", CCDM_FIELD_CALL, 0, 0, 0, NULL, ccdm_network_dns },
		{ NULL, 0, 0, 0, 0, NULL, NULL },
	};
	static const char *const words[] = { "dhcp", "none", NULL };
	struct ccdm_workload *w = workload;
	unsigned int place = 0;
	int r;

	if (n->type != YAML_MAPPING_NODE) {
		r = ccdm_yaml_word(y, n, words, &place);
		if (!r)
			w->network = words[place];
		return r;
	}
	w->network = NULL;
	r = ccdm_fields_read(y, n, fields, workload);
	if (!r && !w->address[0])
		r = ccdm_yaml_bad(y, n, "a network needs an 'address'", NULL);
	if (!r && w->gateway[0] && !strchr(w->gateway, ':') != !strchr(w->address, ':'))
		r = ccdm_yaml_bad(y, n, "address and gateway must both be IPv4 or both IPv6", NULL);
	return r;
}
