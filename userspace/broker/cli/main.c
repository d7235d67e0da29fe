// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* main.c - ccdm-broker, the broker's admin tool: the table of verbs */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/compiler.h"
#include "base/json.h"
#include "base/options.h"
#include "base/trace.h"
#include "base/ui.h"
#include "cli.h"
#include "client.h"

/* In the order of --help. Verbs with the same first word must stand together. */
static const struct cli_verb {
	struct ccdm_verb verb;
	int (*run)(const struct ccdm_cli *cli, struct ccdm_err *err);
} cli_verbs[] = {
	{ { "init", "--name HOST...", "create CA, server certificate and keys of a new broker",
	    .max_args = 0 },
	  cmd_init },
	{ { "renew", "[--name HOST...]", "create a new server certificate for the same key",
	    .max_args = 0 },
	  cmd_renew },
	{ { "rotate-key", "", "add a new key for secrets at rest, before the old ones",
	    .max_args = 0 },
	  cmd_rotate },
	{ { "policy check", "FILE...", "check that policies are valid", .offer = "@file",
	    .min_args = 1, .max_args = CCDM_ARGS_ANY },
	  cmd_policy_check },
	{ { "policy add", "[--dry-run] FILE", "add policies, or replace those of the same name",
	    .offer = "@file|", .min_args = 1, .max_args = 1 },
	  cmd_policy_add },
	{ { "policy list", "", "list the policies", .max_args = 0 }, cmd_policy_list },
	{ { "policy show", "NAME", "print the text of a policy", .offer = "@policy|", .min_args = 1,
	    .max_args = 1 },
	  cmd_policy_show },
	{ { "policy remove", "NAME", "remove a policy", .offer = "@policy|", .min_args = 1,
	    .max_args = 1 },
	  cmd_policy_remove },
	{ { "secret put", "[--allow-empty] REPO/TYPE/TAG [FILE]",
	    "store a secret from a file or standard input", .offer = "@secret|@file|",
	    .min_args = 1, .max_args = 2 },
	  cmd_secret_put },
	{ { "secret list", "", "list the secrets by name", .max_args = 0 }, cmd_secret_list },
	{ { "secret remove", "REPO/TYPE/TAG", "remove a secret", .offer = "@secret|", .min_args = 1,
	    .max_args = 1 },
	  cmd_secret_remove },
	{ { "secret reseal", "", "seal all secrets under the newest key", .max_args = 0 },
	  cmd_secret_reseal },
	{ { "trust fetch", "[snp] [tdx]", "fetch revocation lists, certificates and collateral",
	    .offer = "snp tdx|snp tdx|", .max_args = 2 },
	  cmd_trust_fetch },
	{ { "trust import", "FILE...", "import revocation lists, certificates and collateral",
	    .offer = "@file", .min_args = 1, .max_args = CCDM_ARGS_ANY },
	  cmd_trust_import },
	{ { "trust status", "", "list the trust directory, with dates of expiry", .max_args = 0 },
	  cmd_trust_status },
	{ { "backup", "FILE", "save database and audit log to a new file", .offer = "@file|",
	    .min_args = 1, .max_args = 1 },
	  cmd_backup },
	{ { "restore", "FILE", "restore a backup, for a stopped broker without data",
	    .offer = "@file|", .min_args = 1, .max_args = 1 },
	  cmd_restore },
	{ { "status", "", "show the state of the daemon", .max_args = 0 }, cmd_status },
	{ { "explain", "EVIDENCE", "judge evidence by the policies, and show each condition",
	    .offer = "@file|", .min_args = 1, .max_args = 1 },
	  cmd_explain },
	{ { "log", "", "print the audit log", .max_args = 0 }, cmd_log },
	{ { "log verify", "[FILE]", "verify that the audit log was not changed", .offer = "@file|",
	    .max_args = 1 },
	  cmd_log_verify },
};

static const struct ccdm_option cli_options[] = {
	{ "name", 0, 'n', "HOST", "name or address of the server; can be repeated", NULL,
	  ",init,renew," },
	{ "days", 0, 'd', "N", "validity of the server's certificate (default 365)", NULL,
	  ",init,renew," },
	{ "dry-run", 0, 'y', NULL, "change nothing; show the difference", NULL, ",policy add," },
	{ "allow-empty", 0, 'e', NULL, "store a secret without a byte", NULL, ",secret put," },
	{ "fmspc", 0, 'f', "HEX", "FMSPC of a TDX platform; can be repeated", NULL,
	  ",trust fetch," },
	{ "report", 0, 'r', "FILE", "fetch the certificate of the chip in this SNP report", "@file",
	  ",trust fetch," },
	{ "from", 0, 'm', "URL", "fetch from a mirror, not from AMD and Intel", NULL,
	  ",trust fetch," },
	{ "timeout", 0, 's', "SECONDS", "time limit for one answer (default 60)", NULL,
	  ",trust fetch," },
	{ "ca", 0, 'a', "FILE", "CA certificates for the server (default: the system's)", "@file",
	  ",trust fetch," },
	{ "print", 0, 'p', NULL, "fetch nothing; print each URL and its file", NULL,
	  ",trust fetch," },
	{ "vlek", 0, 'l', NULL, "the AMD lists in FILE are those for VLEKs", NULL,
	  ",trust import," },
	{ "at", 0, 't', "TIME", "time of evaluation (default: now)", NULL,
	  ",trust fetch,trust import,trust status," },
	{ "config", 0, 'c', "FILE", "read FILE in place of " CCDM_CONF_FILE, "@file", NULL },
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

static const struct ccdm_verb *cli_verb(unsigned int number)
{
	return number < ARRAY_SIZE(cli_verbs) ? &cli_verbs[number].verb : NULL;
}

/* Offer names from the running broker; none if it does not run. */
static void cli_offer(const char *kind)
{
	const char *list = strcmp(kind, "policy") ? "secrets" : "policies", *name;
	struct ccdm_cli cli = { 0 };
	struct ccdm_err ignored;
	json_t *answer = NULL, *one;
	size_t i;

	if (ccdm_cli_ask(&cli,
			 json_pack("{s:s}", "do",
				   strcmp(kind, "policy") ? "secret-list" : "policy-list"),
			 &answer, &ignored))
		return;
	json_array_foreach(json_object_get(answer, list), i, one)
	{
		name = json_string_value(json_object_get(one, "name"));
		if (name)
			ccdm_ui_line("%s", name);
	}
	json_decref(answer);
}

static const struct ccdm_program cli_program = { .name = CCDM_PROGRAM,
						 .manual = "man 8 " CCDM_PROGRAM
							   "; man 5 ccdm-policy",
						 .verb = cli_verb,
						 .options = cli_options,
						 .offer = cli_offer };

int ccdm_cli_conf(const struct ccdm_cli *cli, struct ccdm_conf *conf, struct ccdm_err *err)
{
	const char *file = cli->conf_file ? cli->conf_file : CCDM_CONF_FILE;

	ccdm_trace("configuration: %s", file);
	return ccdm_conf_load(file, conf, err);
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

static enum ccdm_exit cli_take(int id, void *arg)
{
	struct ccdm_cli *cli = arg;
	char *end = NULL;

	switch (id) {
	case 'n':
		if (cli->nr_names == ARRAY_SIZE(cli->names))
			return CCDM_EXIT_USAGE;
		cli->names[cli->nr_names++] = optarg;
		break;
	case 'd':
		cli->days = strtoul(optarg, &end, 10);
		if (*end || !cli->days || cli->days > 36500)
			return CCDM_EXIT_USAGE;
		break;
	case 'e':
		cli->allow_empty = true;
		break;
	case 'y':
		cli->dry = true;
		break;
	case 'f':
		if (cli->nr_fmspc == ARRAY_SIZE(cli->fmspc))
			return CCDM_EXIT_USAGE;
		cli->fmspc[cli->nr_fmspc++] = optarg;
		break;
	case 'r':
		cli->report = optarg;
		break;
	case 'm':
		cli->from = optarg;
		break;
	case 'a':
		cli->ca = optarg;
		break;
	case 's':
		cli->timeout = strtoul(optarg, &end, 10);
		if (*end || !cli->timeout || cli->timeout > 3600)
			return CCDM_EXIT_USAGE;
		break;
	case 'p':
		cli->print = true;
		break;
	case 'l':
		cli->vlek = true;
		break;
	case 't':
		if (ccdm_ui_time(optarg, &cli->at))
			return CCDM_EXIT_USAGE;
		break;
	case 'c':
		cli->conf_file = optarg;
		break;
	case 'j':
		cli->json = true;
		break;
	default:
		return CCDM_EXIT_USAGE;
	}
	return CCDM_EXIT_OK;
}

static enum ccdm_exit cli_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct ccdm_cli cli = { .days = 365, .at = time(NULL), .timeout = 60 };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	int r;

	if (!ccdm_options(&cli_program, &verb->verb, argc, argv, cli_take, &cli, &e))
		return e;
	cli.argc = argc - optind;
	cli.argv = argv + optind;
	r = verb->run(&cli, &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

int main(int argc, char **argv)
{
	const struct ccdm_verb *verb;
	enum ccdm_exit e;
	unsigned int i;

	verb = ccdm_verb_find(&cli_program, &argc, argv, &e);
	for (i = 0; verb && cli_verb(i); i++)
		if (cli_verb(i) == verb)
			e = cli_run(&cli_verbs[i], argc, argv);
	return ccdm_ui_end(CCDM_PROGRAM, e);
}
