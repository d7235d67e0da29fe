/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* setup.h - the verbs of ccdm-setup: each in its own cmd_<verb>.c */
#ifndef CCDM_SETUP_H
#define CCDM_SETUP_H

#include <getopt.h>
#include "base/compiler.h"
#include "base/options.h"
#include "base/ui.h"
#include "crypto/digest.h"
#include "disk/dm.h"

#define CCDM_PROGRAM "ccdm-setup"

/**
 * struct ccdm_setup_verb - a verb
 * @verb: its words and options
 * @run: gets the words but those of the verb, the program's name before them; returns an exit code
 */
struct ccdm_setup_verb {
	struct ccdm_verb verb;
	enum ccdm_exit (*run)(const struct ccdm_verb *verb, int argc, char **argv);
};

extern const struct ccdm_setup_verb ccdm_verb_open;
extern const struct ccdm_setup_verb ccdm_verb_close;
extern const struct ccdm_setup_verb ccdm_verb_status;
extern const struct ccdm_setup_verb ccdm_verb_list;
extern const struct ccdm_setup_verb ccdm_verb_cache;
extern const struct ccdm_setup_verb ccdm_verb_scrub;
extern const struct ccdm_setup_verb ccdm_verb_monitor;
extern const struct ccdm_setup_verb ccdm_verb_attach;
extern const struct ccdm_setup_verb ccdm_verb_config;
extern const struct ccdm_setup_verb ccdm_verb_measure;
extern const struct ccdm_setup_verb ccdm_verb_evidence;
extern const struct ccdm_setup_verb ccdm_verb_attest;
extern const struct ccdm_setup_verb ccdm_verb_secret;
extern const struct ccdm_setup_verb ccdm_verb_benchmark;
extern const struct ccdm_setup_verb ccdm_verb_boot;
extern const struct ccdm_setup_verb ccdm_verb_verify;

/* main.c: usage error on standard error */
enum ccdm_exit __must_check ccdm_setup_usage(const struct ccdm_verb *verb, const char *what);

/*
 * The options of the verb: calls @take for each, and counts the arguments. Return: CCDM_EXIT_OK with
 * optind at the first argument; otherwise the verb is over, *over is set, and this is its exit code.
 */
enum ccdm_exit __must_check ccdm_setup_options(const struct ccdm_verb *verb, int argc, char **argv,
					       enum ccdm_exit (*take)(int option, void *arg),
					       void *arg, bool *over);

/* "must be root", said before anything is tried */
int __must_check ccdm_setup_root(struct ccdm_err *err);

/* The same for a verb that uses device-mapper, which a container normally does not have. */
int __must_check ccdm_setup_dm(struct ccdm_err *err);

/* Say that there is none; its exit code. */
enum ccdm_exit __must_check ccdm_setup_memory(void);

/* ccdm_ui_json(), and the exit code of it. */
enum ccdm_exit __must_check ccdm_setup_print(json_t *object);

/* measure and boot share it: the values of a PCR, by bank */
json_t *ccdm_setup_values(const struct ccdm_digests *values);

/* status and list share it: a mapping as a JSON object */
json_t *ccdm_setup_json(const struct ccdm_dm_info *info);

#endif
