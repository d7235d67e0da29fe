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

const struct ccdm_option verify_options[] = {
	{ "cert", 0, OPT_CERT, "FILE",
	  "the VCEK or VLEK, or the TPM key's certificate; if\n"
	  "there are several, the one that fits an SNP report",
	  "@file", NULL },
	{ "chain", 0, OPT_CHAIN, "FILE", "the issuers' certificates, PEM", "@file", NULL },
	{ "crl", 0, OPT_CRL, "FILE", "revocation lists, PEM or DER", "@file", NULL },
	{ "root", 0, OPT_ROOT, "FILE", "the root to trust in place of the vendor's", "@file",
	  NULL },
	{ "ak-root", 0, OPT_AK_ROOT, "FILE",
	  "tpm: root of the provider that certifies attestation keys", "@file", NULL },
	{ "ak-usage", 0, OPT_AK_USAGE, "OID",
	  "tpm: extended key usage of these certificates\n"
	  "(default 2.23.133.8.3)",
	  NULL, NULL },
	{ "ek-root", 0, OPT_EK_ROOT, "FILE", "tpm: root of the TPM's manufacturer", "@file", NULL },
	{ "tcb-floor", 0, OPT_TCB_FLOOR, "FILE", "snp: lowest firmware versions, in place of AMD's",
	  "@file", NULL },
	{ "paravisors", 0, OPT_PARAVISORS, "FILE",
	  "azure: launch values of the paravisors that you trust", "@file", NULL },
	{ "collateral", 0, OPT_COLLATERAL, "FILE",
	  "tdx: Intel's TCB info, QE identity and certificates in\n"
	  "one JSON object",
	  "@file", NULL },
	{ "tcb-info", 0, OPT_TCB_INFO, "FILE", "tdx: Intel's TCB info, in place of --collateral",
	  "@file", NULL },
	{ "qe-identity", 0, OPT_QE_IDENTITY, "FILE", "", "@file", NULL },
	{ "svsms", 0, OPT_SVSMS, "FILE", "snp: launch measurements of the SVSMs that you trust",
	  "@file", NULL },
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
	{ "at", 0, OPT_AT, "TIME", "time of evaluation, RFC 3339 (default: now)", NULL, NULL },
	{ "report-data", 0, OPT_REPORT_DATA, "HEX", "value that the evidence must be bound to",
	  NULL, NULL },
	{ "allow", 0, OPT_ALLOW, "WORDS",
	  "debug vmpl expired tcb-out-of-date tcb-config\ntcb-sw-hardening smt sha1 no-crl\nmigration sept-ve",
	  "debug vmpl expired tcb-out-of-date tcb-config tcb-sw-hardening smt sha1 no-crl migration sept-ve",
	  NULL },
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
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
