// SPDX-License-Identifier: Apache-2.0
/* verify_args.c - ccdm-setup verify: its options */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "log/tcglog.h"
#include "setup.h"
#include "verify.h"

enum {
	OPT_CERT = 256,
	OPT_CHAIN,
	OPT_CRL,
	OPT_ROOT,
	OPT_AK_ROOT,
	OPT_AK_USAGE,
	OPT_EK_ROOT,
	OPT_COLLATERAL,
	OPT_TCB_INFO,
	OPT_QE_IDENTITY,
	OPT_EXPECT,
	OPT_CCDM_LOG,
	OPT_SYSTEMD_LOG,
	OPT_PARAVISORS,
	OPT_TCB_FLOOR,
	OPT_SVSMS,
	OPT_REGISTERS,
	OPT_AT,
	OPT_REPORT_DATA,
	OPT_ALLOW,
};

const struct option verify_options[] = {
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "chain", required_argument, NULL, OPT_CHAIN },
	{ "crl", required_argument, NULL, OPT_CRL },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "ak-root", required_argument, NULL, OPT_AK_ROOT },
	{ "ak-usage", required_argument, NULL, OPT_AK_USAGE },
	{ "ek-root", required_argument, NULL, OPT_EK_ROOT },
	{ "collateral", required_argument, NULL, OPT_COLLATERAL },
	{ "tcb-info", required_argument, NULL, OPT_TCB_INFO },
	{ "qe-identity", required_argument, NULL, OPT_QE_IDENTITY },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	{ "ccdm-log", required_argument, NULL, OPT_CCDM_LOG },
	{ "systemd-log", required_argument, NULL, OPT_SYSTEMD_LOG },
	{ "paravisors", required_argument, NULL, OPT_PARAVISORS },
	{ "tcb-floor", required_argument, NULL, OPT_TCB_FLOOR },
	{ "svsms", required_argument, NULL, OPT_SVSMS },
	{ "registers", required_argument, NULL, OPT_REGISTERS },
	{ "at", required_argument, NULL, OPT_AT },
	{ "report-data", required_argument, NULL, OPT_REPORT_DATA },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static int verify_allow(char *words, unsigned int *allow)
{
	unsigned int bit;
	char *word;

	while ((word = strsep(&words, ", "))) {
		bit = ccdm_allow_word(word);
		if (!bit)
			return -EINVAL;
		*allow |= bit;
	}
	return 0;
}

/* "0-9,14": numbers of registers, and ranges of them */
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
	case OPT_CERT:
		if (a->nr_certs == CCDM_CERTS_MAX)
			return CCDM_EXIT_USAGE;
		a->cert[a->nr_certs++] = optarg;
		break;
	case OPT_CHAIN:
		a->chain = optarg;
		break;
	case OPT_CRL:
		a->crl = optarg;
		break;
	case OPT_ROOT:
		a->root = optarg;
		break;
	case OPT_AK_ROOT:
		a->ak_root = optarg;
		break;
	case OPT_AK_USAGE:
		a->ak_usage = optarg;
		r = ccdm_usage_valid(optarg) ? 0 : -EINVAL;
		break;
	case OPT_EK_ROOT:
		a->ek_root = optarg;
		break;
	case OPT_COLLATERAL:
		a->collateral = optarg;
		break;
	case OPT_TCB_INFO:
		a->tcb_info = optarg;
		break;
	case OPT_QE_IDENTITY:
		a->qe_identity = optarg;
		break;
	case OPT_EXPECT:
		a->expect = optarg;
		break;
	case OPT_CCDM_LOG:
		a->ccdm_log = optarg;
		break;
	case OPT_SYSTEMD_LOG:
		a->systemd_log = optarg;
		break;
	case OPT_PARAVISORS:
		a->paravisors = optarg;
		break;
	case OPT_TCB_FLOOR:
		a->tcb_floor = optarg;
		break;
	case OPT_SVSMS:
		a->svsms = optarg;
		break;
	case OPT_REGISTERS:
		r = verify_registers(optarg, &a->registers);
		break;
	case OPT_AT:
		r = ccdm_ui_time(optarg, &a->at);
		break;
	case OPT_REPORT_DATA:
		a->report_data_size = strlen(optarg) / 2;
		r = a->report_data_size && a->report_data_size <= sizeof(a->report_data)
			    ? ccdm_unhex(optarg, a->report_data, a->report_data_size)
			    : -EINVAL;
		break;
	case OPT_ALLOW:
		r = verify_allow(optarg, &a->allow);
		break;
	case 'j':
		a->json = true;
		break;
	default:
		r = -EINVAL;
	}
	return r ? CCDM_EXIT_USAGE : CCDM_EXIT_OK;
}

bool verify_has_trust(const struct verify_args *a)
{
	return a->nr_certs || a->chain || a->crl || a->root || a->ak_root || a->ak_usage ||
	       a->ek_root || verify_has_collateral(a) || a->paravisors || a->tcb_floor ||
	       a->svsms || a->registers || a->report_data_size || a->allow;
}
