// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verify_args.c - ccdm-setup verify: options */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "log/tcglog.h"
#include "setup.h"
#include "verify.h"

enum { OPT_EXPECT = 256, OPT_CCDM_LOG, OPT_SYSTEMD_LOG, OPT_REGISTERS };

const struct ccdm_option verify_options[] = {
	CCDM_OFFLINE_OPTIONS,
	{ "expect", 0, OPT_EXPECT, "FILE",
	  "eventlog: a quote, or JSON of the registers, that the log\n"
	  "must replay to (default: print the registers)",
	  "@file", NULL },
	{ "registers", 0, OPT_REGISTERS, "LIST",
	  "eventlog: compare only these registers (such as 0-9,14)", NULL, NULL },
	{ "ccdm-log", 0, OPT_CCDM_LOG, "FILE", "eventlog: ccdm's log of the same boot", "@file",
	  NULL },
	{ "systemd-log", 0, OPT_SYSTEMD_LOG, "FILE", "eventlog: systemd's log of the same boot",
	  "@file", NULL },
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

/* Parse numbers and ranges of registers, as in "0-9,14". */
static int verify_registers(const char *text, uint32_t *registers)
{
	unsigned long first, last;
	char *end;

	do {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		first = strtoul(text, &end, 10);
		last = first;
		if (*end == '-') {
			text = end + 1;
			if (*text < '0' || *text > '9')
				return -EINVAL;
			last = strtoul(text, &end, 10);
		}
		if (first > last || last >= CCDM_REGISTERS)
			return -EINVAL;
		for (; first <= last; first++)
			*registers |= 1U << first;
		text = end + 1;
	} while (*end == ',');
	return *end ? -EINVAL : 0;
}

enum ccdm_exit verify_take(int option, void *arg)
{
	struct verify_args *a = arg;
	int r = 0;

	switch (option) {
	case OPT_EXPECT:
		a->expect = optarg;
		break;
	case OPT_CCDM_LOG:
		a->ccdm_log = optarg;
		break;
	case OPT_SYSTEMD_LOG:
		a->systemd_log = optarg;
		break;
	case OPT_REGISTERS:
		r = verify_registers(optarg, &a->registers);
		break;
	case 'j':
		a->json = true;
		break;
	default:
		r = ccdm_offline_take(option, optarg, &a->trust);
	}
	return r ? CCDM_EXIT_USAGE : CCDM_EXIT_OK;
}

bool verify_has_trust(const struct verify_args *a)
{
	return ccdm_offline_any(&a->trust) || a->registers;
}
