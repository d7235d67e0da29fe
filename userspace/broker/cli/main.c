// SPDX-License-Identifier: Apache-2.0
/* main.c - ccdm-broker, the broker's admin tool: the table of verbs */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/ui.h"
#include "cli.h"
#include "client.h"

static const struct cli_verb {
	const char *word, *second;
	const char *usage;
	const char *summary;
	int min_args, max_args;
	int (*run)(const struct ccdm_cli *cli, struct ccdm_err *err);
} cli_verbs[] = {
	{ "init", NULL, "--name HOST...", "CA, server certificate and keys of a new broker", 0, 0,
	  cmd_init },
	{ "renew", NULL, "[--name HOST...]", "a new server certificate, of the same key", 0, 0,
	  cmd_renew },
	{ "rotate-key", NULL, "", "a new key for secrets at rest, before the old ones", 0, 0,
	  cmd_rotate },
	{ "policy", "check", "FILE...", "are these policies good, and what is odd about them", 1,
	  1 << 16, cmd_policy_check },
	{ "policy", "add", "[--dry-run] FILE", "use a policy, in place of one of the same name", 1,
	  1, cmd_policy_add },
	{ "policy", "list", "", "the policies in use", 0, 0, cmd_policy_list },
	{ "policy", "remove", "NAME", "do not use it any more", 1, 1, cmd_policy_remove },
	{ "secret", "put", "REPO/TYPE/TAG [FILE]", "keep a secret, from a file or standard input",
	  1, 2, cmd_secret_put },
	{ "secret", "list", "", "names of the secrets", 0, 0, cmd_secret_list },
	{ "secret", "remove", "REPO/TYPE/TAG", "forget a secret", 1, 1, cmd_secret_remove },
	{ "secret", "reseal", "", "seal them under the newest key", 0, 0, cmd_secret_reseal },
	{ "trust", "fetch", "[snp] [tdx]",
	  "revocation lists, chips and platforms, from AMD and Intel", 0, 2, cmd_trust_fetch },
	{ "trust", "import", "FILE...", "the same from files", 1, 1 << 16, cmd_trust_import },
	{ "trust", "status", "", "what is in the trust directory, and until when it is valid", 0, 0,
	  cmd_trust_status },
	{ "backup", NULL, "FILE", "database and audit log into a new file", 1, 1, cmd_backup },
	{ "restore", NULL, "FILE", "of a stopped broker that has neither", 1, 1, cmd_restore },
	{ "status", NULL, "", "how the daemon is", 0, 0, cmd_status },
	{ "explain", NULL, "EVIDENCE", "what the policies say to it, condition by condition", 1, 1,
	  cmd_explain },
	{ "log", "verify", "[FILE]", "was the audit log changed", 0, 1, cmd_log_verify },
	{ "log", NULL, "", "the audit log, for a person", 0, 0, cmd_log },
};

#define CLI_VERBS (sizeof(cli_verbs) / sizeof(cli_verbs[0]))

static int cli_help(FILE *to, int code)
{
	char words[32];
	size_t i;

	fprintf(to, "usage: " CCDM_PROGRAM " VERB [OPTION...] [ARGUMENT...]\n\n");
	for (i = 0; i < CLI_VERBS; i++) {
		const struct cli_verb *v = &cli_verbs[i];

		snprintf(words, sizeof(words), "%s%s%s", v->word, v->second ? " " : "",
			 v->second ? v->second : "");
		fprintf(to, "  %-14s %-21s %s\n", words, v->usage, v->summary);
	}
	fprintf(to,
		"\n"
		"      --name HOST        init, renew: name or address of the server; once or more\n"
		"      --days N           init, renew: of the server's certificate (default 365)\n"
		"      --dry-run          policy add: only show the difference\n"
		"      --fmspc HEX        trust fetch: a platform with TDX; once or more\n"
		"      --report FILE      trust fetch: an SNP report whose chip's certificate is wanted\n"
		"      --from URL         trust fetch: from a mirror of AMD and Intel\n"
		"      --timeout SECONDS  trust fetch: for one answer (60)\n"
		"      --ca FILE          trust fetch: CAs that know the server\n"
		"      --print            trust fetch: only say what to fetch, and for which file\n"
		"      --vlek             trust import: AMD's lists are those for VLEKs\n"
		"      --at TIME          trust: evaluate at this time, not now\n"
		"      --config FILE      instead of " CCDM_CONF_FILE "\n"
		"      --json             as JSON\n"
		"  -h, --help             this\n"
		"  -V, --version          version\n\n"
		"man 8 " CCDM_PROGRAM "; man 5 ccdm-policy\n");
	return code;
}

int ccdm_cli_conf(const struct ccdm_cli *cli, struct ccdm_conf *conf, struct ccdm_err *err)
{
	return ccdm_conf_load(cli->conf_file ? cli->conf_file : CCDM_CONF_FILE, conf, err);
}

int ccdm_cli_ask(const struct ccdm_cli *cli, json_t *question, json_t **answer,
		 struct ccdm_err *err)
{
	struct ccdm_conf conf;
	int r = ccdm_cli_conf(cli, &conf, err);

	if (!r)
		return ccdm_client_ask(conf.admin, question, answer, err);
	json_decref(question);
	return r;
}

static int cli_run(struct ccdm_cli *cli, int argc, char **argv)
{
	struct ccdm_err err = { 0 };
	int words, r;
	size_t i;

	for (i = 0; argc && i < CLI_VERBS; i++) {
		const struct cli_verb *v = &cli_verbs[i];

		words = v->second ? 2 : 1;
		if (argc < words || strcmp(argv[0], v->word) ||
		    (v->second && strcmp(argv[1], v->second)))
			continue;
		cli->argc = argc - words;
		cli->argv = argv + words;
		if (cli->argc < v->min_args || cli->argc > v->max_args) {
			fprintf(stderr, CCDM_PROGRAM " %s%s%s: too %s arguments\n", v->word,
				v->second ? " " : "", v->second ? v->second : "",
				cli->argc < v->min_args ? "few" : "many");
			return CCDM_EXIT_USAGE;
		}
		r = v->run(cli, &err);
		return r ? (int)ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
	}
	return cli_help(stderr, CCDM_EXIT_USAGE);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "days", required_argument, NULL, 'd' },
		{ "dry-run", no_argument, NULL, 'y' },
		{ "fmspc", required_argument, NULL, 'f' },
		{ "report", required_argument, NULL, 'r' },
		{ "from", required_argument, NULL, 'm' },
		{ "ca", required_argument, NULL, 'a' },
		{ "timeout", required_argument, NULL, 's' },
		{ "print", no_argument, NULL, 'p' },
		{ "vlek", no_argument, NULL, 'l' },
		{ "at", required_argument, NULL, 't' },
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct ccdm_cli cli = { .days = 365, .at = time(NULL), .timeout = 60 };
	char *end = NULL;
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (o) {
		case 'n':
			if (cli.nr_names == sizeof(cli.names) / sizeof(cli.names[0]))
				return cli_help(stderr, CCDM_EXIT_USAGE);
			cli.names[cli.nr_names++] = optarg;
			break;
		case 'd':
			cli.days = strtoul(optarg, &end, 10);
			if (*end || !cli.days || cli.days > 36500)
				return cli_help(stderr, CCDM_EXIT_USAGE);
			break;
		case 'y':
			cli.dry = true;
			break;
		case 'f':
			if (cli.nr_fmspc == sizeof(cli.fmspc) / sizeof(cli.fmspc[0]))
				return cli_help(stderr, CCDM_EXIT_USAGE);
			cli.fmspc[cli.nr_fmspc++] = optarg;
			break;
		case 'r':
			cli.report = optarg;
			break;
		case 'm':
			cli.from = optarg;
			break;
		case 'a':
			cli.ca = optarg;
			break;
		case 's':
			cli.timeout = strtoul(optarg, &end, 10);
			if (*end || !cli.timeout || cli.timeout > 3600)
				return cli_help(stderr, CCDM_EXIT_USAGE);
			break;
		case 'p':
			cli.print = true;
			break;
		case 'l':
			cli.vlek = true;
			break;
		case 't':
			if (ccdm_ui_time(optarg, &cli.at))
				return cli_help(stderr, CCDM_EXIT_USAGE);
			break;
		case 'c':
			cli.conf_file = optarg;
			break;
		case 'j':
			cli.json = true;
			break;
		case 'h':
			return ccdm_ui_end(CCDM_PROGRAM, cli_help(stdout, CCDM_EXIT_OK));
		case 'V':
			puts(CCDM_PROGRAM " " CCDM_VERSION);
			return ccdm_ui_end(CCDM_PROGRAM, CCDM_EXIT_OK);
		default:
			fprintf(stderr, CCDM_PROGRAM ": %s is not an option\n", argv[optind - 1]);
			return cli_help(stderr, CCDM_EXIT_USAGE);
		}
	}
	return ccdm_ui_end(CCDM_PROGRAM, cli_run(&cli, argc - optind, argv + optind));
}
