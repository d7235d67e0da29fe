/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* cli.h - the verbs of ccdm-broker: each in its own cmd_<verb>.c */
#ifndef CCDM_BROKER_CLI_H
#define CCDM_BROKER_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/ui_report.h"
#include "core/conf.h"

#define CCDM_PROGRAM "ccdm-broker"

/**
 * struct ccdm_cli - options and arguments
 * @argc, @argv: arguments after the verb
 * @json: --json
 * @dry: --dry-run
 * @allow_empty: --allow-empty
 * @conf_file: --config
 * @names, @nr_names: --name, once or more
 * @days: --days
 * @at: --at, or now
 * @from, @ca, @report: --from, --ca, --report
 * @timeout: --timeout, seconds
 * @print, @vlek: --print, --vlek
 * @fmspc, @nr_fmspc: --fmspc, once or more
 */
struct ccdm_cli {
	int argc;
	char **argv;
	bool json;
	bool dry;
	bool allow_empty;
	const char *conf_file;
	char *names[32];
	unsigned int nr_names;
	unsigned int days;
	int64_t at;
	const char *from;
	const char *ca;
	const char *report;
	unsigned int timeout;
	bool print;
	bool vlek;
	char *fmspc[64];
	unsigned int nr_fmspc;
};

/* Load the configuration; the defaults if there is no --config and no file. */
int __must_check ccdm_cli_conf(const struct ccdm_cli *cli, struct ccdm_conf *conf,
			       struct ccdm_err *err);

/* Send a request to the running broker. Takes @question; the caller drops @answer. */
int __must_check ccdm_cli_ask(const struct ccdm_cli *cli, json_t *question, json_t **answer,
			      struct ccdm_err *err);

int __must_check cmd_init(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_renew(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_rotate(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_policy_check(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_policy_add(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_policy_show(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_policy_list(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_policy_remove(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_secret_put(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_secret_list(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_secret_remove(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_secret_reseal(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_backup(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_restore(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_status(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_trust_fetch(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_trust_status(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_trust_import(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_explain(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_log(const struct ccdm_cli *cli, struct ccdm_err *err);
int __must_check cmd_log_verify(const struct ccdm_cli *cli, struct ccdm_err *err);

#endif
