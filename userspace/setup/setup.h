/* SPDX-License-Identifier: Apache-2.0 */
/* setup.h - the verbs of ccdm-setup: each in its own cmd_<verb>.c */
#ifndef CCDM_SETUP_H
#define CCDM_SETUP_H

#include <getopt.h>
#include "crypto/digest.h"
#include "disk/dm.h"
#include "base/ui.h"

#define CCDM_PROGRAM "ccdm-setup"

/**
 * struct ccdm_verb - a verb
 * @name: as typed
 * @usage: its arguments, for the usage line
 * @summary: one line
 * @help: what --help says of its options
 * @run: gets argv from the verb on; returns an exit code
 */
struct ccdm_verb {
	const char *name;
	const char *usage;
	const char *summary;
	const char *help;
	enum ccdm_exit (*run)(const struct ccdm_verb *verb, int argc, char **argv);
};

enum ccdm_exit cmd_open(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_close(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_status(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_list(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_cache(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_scrub(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_monitor(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_config(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_measure(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_attach(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_boot(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_evidence(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_attest(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_secret(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_verify(const struct ccdm_verb *verb, int argc, char **argv);
enum ccdm_exit cmd_benchmark(const struct ccdm_verb *verb, int argc, char **argv);

/* main.c: help for @verb on standard output, usage error on standard error */
void ccdm_setup_help(const struct ccdm_verb *verb);
enum ccdm_exit ccdm_setup_usage(const struct ccdm_verb *verb, const char *what);

/*
 * The options after the verb: calls @take for each, moves what is no option to
 * the end. Return: CCDM_EXIT_OK with optind at the first argument; otherwise the
 * verb is over, *over is set, and this is its exit code.
 */
enum ccdm_exit ccdm_setup_options(const struct ccdm_verb *verb, int argc, char **argv,
				  const struct option *options,
				  enum ccdm_exit (*take)(int option, void *arg), void *arg,
				  int min_args, int max_args, bool *over);

/* "must be root", said before anything is tried */
int ccdm_setup_root(struct ccdm_err *err);

/* The same for a verb that uses device-mapper, which a container normally does not have. */
int ccdm_setup_dm(struct ccdm_err *err);

/* Say that there is none; its exit code. */
enum ccdm_exit ccdm_setup_memory(void);

/* ccdm_ui_json(), and the exit code of it. */
enum ccdm_exit ccdm_setup_print(json_t *object);

/* measure and boot share it: the values of a PCR, by bank */
json_t *ccdm_setup_values(const struct ccdm_digests *values);

/* status and list share it: a mapping as a JSON object */
json_t *ccdm_setup_json(const struct ccdm_dm_info *info);

#endif
