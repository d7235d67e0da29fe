// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* capabilities.c - see capabilities.h; the numbers are those of linux/capability.h */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "capabilities.h"

static const char *const ccdm_capabilities_names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

uint64_t ccdm_capabilities_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_capabilities_names); i++)
		if (!strcmp(name, ccdm_capabilities_names[i]) ||
		    !strcmp(name, ccdm_capabilities_names[i] + 4))
			return 1ULL << i;
	return 0;
}

static int ccdm_capabilities_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *ccdm_capabilities_json(uint64_t set)
{
	const char *names[ARRAY_SIZE(ccdm_capabilities_names)];
	json_t *list = json_array();
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (set & 1ULL << i)
			names[n++] = ccdm_capabilities_names[i];
	qsort(names, n, sizeof(names[0]), ccdm_capabilities_order);
	for (i = 0; i < n; i++)
		ccdm_json_add(&list, json_string(names[i]));
	return list;
}
