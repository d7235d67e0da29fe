// SPDX-License-Identifier: Apache-2.0
/* main.c - ccdm-setup: the table of verbs, and what all of them share */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "broker_args.h"
#include "setup.h"

static const struct ccdm_verb ccdm_verbs[] = {
	{ "open", "DEVICE NAME", "open an ephemeral encrypted disk on DEVICE",
	  "  -c, --cipher SUITE     aes-xts-gmac (default), aes-xts-hmac-sha256 or aes-gcm\n"
	  "      --cache-size SIZE  memory for the tree, 2 MiB to half of the RAM\n"
	  "                         (default 2 % of the RAM, 4 MiB to 1 GiB)\n"
	  "      --on-tamper WHAT   panic (default), poweroff or eio\n"
	  "      --origin DEV       show the read-only DEV where nothing was written yet\n"
	  "      --allow-discards   pass discards down to DEVICE as well\n"
	  "      --allow-kdump      open although a crash kernel is loaded\n"
	  "      --size SIZE        size of the mapping (default: as large as fits)\n"
	  "      --uuid HEX         32 hex digits for the UUID (default: random)\n"
	  "  -y, --yes              do not ask before the content of DEVICE is lost\n"
	  "\n"
	  "SIZE is in bytes, or with S (512 bytes), K M G T, KiB ..., KB ... (1000).\n"
	  "Everything on DEVICE is lost, when it is opened and again when it is closed.\n",
	  cmd_open },
	{ "close", "NAME", "close it; its content is lost",
	  "      --deferred         close when the last user has left\n"
	  "      --discard          discard the whole backing device afterwards\n",
	  cmd_close },
	{ "status", "[NAME]", "what a mapping, or the root, is and how it fares",
	  "      --json             as JSON\n", cmd_status },
	{ "list", "", "the mappings there are", "      --json             as JSON\n", cmd_list },
	{ "cache", "NAME SIZE", "change the size of the cache of a live mapping", "", cmd_cache },
	{ "scrub", "NAME", "read and verify everything that was written",
	  "      --detach           start it and return\n"
	  "      --stop             stop a running scrub\n"
	  "      --progress-json    progress as lines of JSON\n"
	  "  -q, --quiet            no progress\n",
	  cmd_scrub },
	{ "monitor", "[NAME]", "print events as they come",
	  "      --json             one JSON object a line\n"
	  "  -n, --count N          end after N events\n"
	  "      --drop-secrets     at a tamper, remove those in /run/credstore\n",
	  cmd_monitor },
	{ "attach", "NAME", "open what /etc/ccdmtab says of NAME",
	  "      --tab FILE         instead of /etc/ccdmtab\n"
	  "      --generate DIR     make systemd units of it (for the generator)\n",
	  cmd_attach },
	{ "config", "check|files|attest [FILE]", "is the configuration of the boot good; its files",
	  "", cmd_config },
	{ "measure", "", "measure the configuration into the TPM, as the boot does",
	  "      --check            only: does the log replay to what the TPM holds?\n"
	  "      --dry-run          only print what would be measured\n"
	  "      --config FILE      instead of /etc/ccdm/ccdm.conf\n"
	  "      --json             as JSON\n",
	  cmd_measure },
	{ "evidence", "", "what makes evidence here; with --nonce or --json, make some",
	  "      --nonce TEXT       collect evidence that is bound to TEXT, and print it as JSON\n"
	  "      --manifest FILE    what the builder of the image says of it, signed\n"
	  "      --certificate FILE the processor's (VCEK, VLEK), if the host gives none\n"
	  "      --json             the list as JSON, and evidence over a nonce that is drawn\n",
	  cmd_evidence },
	{ "attest", "", "prove to a broker what runs here",
	  CCDM_BROKER_ARGS_HELP "      --output FILE      write the token there\n"
				"      --json             as JSON\n",
	  cmd_attest },
	{ "secret", "get NAME...|fetch|drop", "secrets from the broker",
	  "  get NAME...   write secrets to standard output, as they are\n"
	  "  fetch         those of the configuration, into /run/credstore for services\n"
	  "  drop          remove them from there\n"
	  "\n" CCDM_BROKER_ARGS_HELP "      --force            get: also to a terminal\n",
	  cmd_secret },
	{ "verify", "KIND FILE", "is this evidence genuine, and of a guest as it must be?",
	  "  KIND is snp or tdx (FILE is raw, hex, base64, or KBS evidence in JSON), tpm or\n"
	  "  azure (KBS evidence), or eventlog (of firmware, or of a confidential guest);\n"
	  "  each may be gzip'ed\n"
	  "\n"
	  "      --cert FILE        the VCEK or VLEK, or the TPM key's certificate;\n"
	  "                         several: the one that fits an SNP report is taken\n"
	  "      --chain FILE       the certificates above it, PEM\n"
	  "      --crl FILE         revocation lists, PEM or DER\n"
	  "      --root FILE        a root to trust in place of the vendor's\n"
	  "      --ak-root FILE     tpm: root of who certifies attestation keys\n"
	  "      --ak-usage OID     the usage that his certificates carry (2.23.133.8.3)\n"
	  "      --ek-root FILE     tpm: root of the TPM's maker\n"
	  "      --tcb-floor FILE   snp: lowest firmware, in place of AMD's bulletins'\n"
	  "      --paravisors FILE  azure: launch values of the paravisors that you know\n"
	  "      --collateral FILE  tdx: everything of the vendor's in one JSON object, or\n"
	  "      --tcb-info FILE    the vendor's answers one by one\n"
	  "      --qe-identity FILE\n"
	  "      --svsms FILE       snp: launch measurements of the SVSMs that you know\n"
	  "      --expect FILE      eventlog: a quote, which is verified first, or JSON of\n"
	  "                         the registers it must replay to; without, they are printed\n"
	  "      --registers LIST   of the quote's only these (0-9,14)\n"
	  "      --ccdm-log FILE    eventlog: ccdm's log of the same boot, and\n"
	  "      --systemd-log FILE systemd's; with --expect: prints the enclave ID\n"
	  "      --at TIME          time of evaluation, RFC 3339 (default: now)\n"
	  "      --report-data HEX  what the evidence must be bound to\n"
	  "      --allow WORDS      debug vmpl expired tcb-out-of-date tcb-config\n"
	  "                         tcb-sw-hardening smt sha1 no-crl\n"
	  "                         migration sept-ve\n"
	  "      --json             as JSON\n"
	  "\n"
	  "Exit code 0: accepted. 7: it can be read, and is not accepted. 1: it cannot be read.\n",
	  cmd_verify },
	{ "boot", "STEP [UNIT]", "a step of the boot, for the units of the initrd", "", cmd_boot },
	{ "benchmark", "", "how fast this kernel runs the cipher suites",
	  "      --json             as JSON\n", cmd_benchmark },
};

#define CCDM_VERBS (sizeof(ccdm_verbs) / sizeof(ccdm_verbs[0]))

static void ccdm_setup_general(FILE *to)
{
	size_t i;

	fprintf(to, "usage: " CCDM_PROGRAM " [--debug] VERB [OPTION...] [ARGUMENT...]\n\n");
	for (i = 0; i < CCDM_VERBS; i++)
		fprintf(to, "  %-9s %-18s %s\n", ccdm_verbs[i].name, ccdm_verbs[i].usage,
			ccdm_verbs[i].summary);
	fprintf(to, "\n  --help after a verb explains it; --version; man 8 " CCDM_PROGRAM "\n");
}

void ccdm_setup_help(const struct ccdm_verb *verb)
{
	printf("usage: " CCDM_PROGRAM " %s [OPTION...] %s\n%s\n\n%s"
	       "  -h, --help             this\n"
	       "  -V, --version          version\n",
	       verb->name, verb->usage, verb->summary, verb->help);
}

enum ccdm_exit ccdm_setup_usage(const struct ccdm_verb *verb, const char *what)
{
	fprintf(stderr, CCDM_PROGRAM " %s: %s\nusage: " CCDM_PROGRAM " %s [OPTION...] %s\n",
		verb->name, what, verb->name, verb->usage);
	return CCDM_EXIT_USAGE;
}

enum ccdm_exit ccdm_setup_options(const struct ccdm_verb *verb, int argc, char **argv,
				  const struct option *options,
				  enum ccdm_exit (*take)(int option, void *arg), void *arg,
				  int min_args, int max_args, bool *over)
{
	enum ccdm_exit e = CCDM_EXIT_OK;
	char what[128];
	int o;

	*over = true;
	optind = 1;
	opterr = 0;
	while ((o = getopt_long(argc, argv, ":c:n:yqhV", options, NULL)) != -1) {
		switch (o) {
		case 'h':
			ccdm_setup_help(verb);
			return CCDM_EXIT_OK;
		case 'V':
			puts(CCDM_PROGRAM " " CCDM_VERSION);
			return CCDM_EXIT_OK;
		case ':':
			snprintf(what, sizeof(what), "%.80s needs a value", argv[optind - 1]);
			return ccdm_setup_usage(verb, what);
		case '?':
			snprintf(what, sizeof(what), "%.80s is not an option of %s",
				 argv[optind - 1], verb->name);
			return ccdm_setup_usage(verb, what);
		default:
			e = take ? take(o, arg) : CCDM_EXIT_USAGE;
			if (e) {
				snprintf(what, sizeof(what), "%.80s does not fit there",
					 optarg ? optarg : argv[optind - 1]);
				return ccdm_setup_usage(verb, what);
			}
		}
	}
	if (argc - optind < min_args)
		return ccdm_setup_usage(verb, "too few arguments");
	if (argc - optind > max_args)
		return ccdm_setup_usage(verb, "too many arguments");
	*over = false;
	return CCDM_EXIT_OK;
}

enum ccdm_exit ccdm_setup_memory(void)
{
	return ccdm_ui_fail(CCDM_PROGRAM, &(struct ccdm_err){ "out of memory", "" }, -ENOMEM);
}

enum ccdm_exit ccdm_setup_print(json_t *object)
{
	struct ccdm_err err = { 0 };
	int r = ccdm_ui_json(object, &err);

	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

int ccdm_setup_root(struct ccdm_err *err)
{
	if (geteuid() == 0)
		return 0;
	ccdm_err_hint(err, "run it as root");
	return ccdm_err_set(err, -EPERM, "this needs CAP_SYS_ADMIN");
}

int ccdm_setup_dm(struct ccdm_err *err)
{
	int r = ccdm_setup_root(err);

	return r ? r : ccdm_dm_need(err);
}

int main(int argc, char **argv)
{
	bool debug = false;
	size_t i;

	while (argc > 1 && argv[1][0] == '-') {
		if (!strcmp(argv[1], "--debug")) {
			debug = true;
		} else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
			puts(CCDM_PROGRAM " " CCDM_VERSION);
			return ccdm_ui_end(CCDM_PROGRAM, CCDM_EXIT_OK);
		} else if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
			ccdm_setup_general(stdout);
			return ccdm_ui_end(CCDM_PROGRAM, CCDM_EXIT_OK);
		} else {
			fprintf(stderr, CCDM_PROGRAM ": unknown option %s\n", argv[1]);
			ccdm_setup_general(stderr);
			return CCDM_EXIT_USAGE;
		}
		argc--;
		argv++;
	}
	if (argc < 2) {
		ccdm_setup_general(stderr);
		return CCDM_EXIT_USAGE;
	}
	ccdm_dm_init(debug);
	for (i = 0; i < CCDM_VERBS; i++)
		if (!strcmp(argv[1], ccdm_verbs[i].name))
			return ccdm_ui_end(CCDM_PROGRAM,
					   ccdm_verbs[i].run(&ccdm_verbs[i], argc - 1, argv + 1));
	fprintf(stderr, CCDM_PROGRAM ": unknown verb '%s'\n", argv[1]);
	ccdm_setup_general(stderr);
	return CCDM_EXIT_USAGE;
}
