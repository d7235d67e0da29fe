/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* workload_net.h - the workload's ports, and a VM whose workload has no network */
#ifndef CCDM_WORKLOAD_NET_H
#define CCDM_WORKLOAD_NET_H

#include <stddef.h>
#include "base/compiler.h"
#include "base/err.h"
#include "net.h"
#include "workload_json.h"

#define CCDM_WORKLOAD_NET_RULES	    "/run/ccdm/workload.nft"
#define CCDM_WORKLOAD_NET_RULES_MAX 8192

/*
 * The rules of nft(8) that drop connections to other ports than those of @w. Answers to the
 * workload's own connections, ICMP and DHCP pass.
 */
void ccdm_workload_net_rules(const struct ccdm_workload_json *w, char *text, size_t size);

/*
 * The name servers of the workload, as lines of resolv.conf(5); "" if there are none. Those of a
 * static network are known before networkd has set it up.
 */
void ccdm_workload_net_names(const struct ccdm_workload_json *w, char text[CCDM_NET_NAMES]);

/**
 * ccdm_workload_net_close() - close what the workload does not use
 * @w: the workload
 *
 * With 'ports' the kernel gets the rules. Without a network every interface goes down that the
 * initrd brought up. Any user may listen on ports below 1024, as in a container of Docker.
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_workload_net_close(const struct ccdm_workload_json *w, struct ccdm_err *err);

#endif
