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
 * @run: gets the program's name and the words after the verb; returns an exit code
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
extern const struct ccdm_setup_verb ccdm_verb_workload;

/* main.c: print a usage error to standard error */
enum ccdm_exit __must_check ccdm_setup_usage(const struct ccdm_verb *verb, const char *what);

/*
 * Read the verb's options: call @take for each, and count the arguments. Return: CCDM_EXIT_OK with
 * optind at the first argument; otherwise *over is set: the verb must end with this exit code.
 */
enum ccdm_exit __must_check ccdm_setup_options(const struct ccdm_verb *verb, int argc, char **argv,
					       enum ccdm_exit (*take)(int option, void *arg),
					       void *arg, bool *over);

/* Fail early unless the caller is root. */
int __must_check ccdm_setup_root(struct ccdm_err *err);

/* The same for a verb that needs device-mapper, which containers normally lack. */
int __must_check ccdm_setup_dm(struct ccdm_err *err);

/* Print "out of memory"; return its exit code. */
enum ccdm_exit __must_check ccdm_setup_memory(void);

/* Call ccdm_ui_json(); return its exit code. */
enum ccdm_exit __must_check ccdm_setup_print(json_t *object);

/* For measure and boot: the values of a PCR, by bank */
json_t *ccdm_setup_values(const struct ccdm_digests *values);

/* For status and list: a mapping as a JSON object */
json_t *ccdm_setup_json(const struct ccdm_dm_info *info);

#endif
