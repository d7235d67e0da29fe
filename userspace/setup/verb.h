/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * verb.h - verbs that ccdm-setup and ccdm-open both have, and what all verbs share
 *
 * ccdm-open is a static program, so these verbs use no library but libc.
 */
#ifndef CCDM_SETUP_VERB_H
#define CCDM_SETUP_VERB_H

#include <getopt.h>
#include "base/compiler.h"
#include "base/options.h"
#include "base/ui.h"
#include "disk/dm.h"

/* ccdm-open is compiled with its own name. */
#ifndef CCDM_PROGRAM
#define CCDM_PROGRAM "ccdm-setup"
#endif

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
extern const struct ccdm_setup_verb ccdm_verb_attach;

/* The program: its name and its verbs. Each program defines it. */
extern const struct ccdm_program ccdm_setup_program;

/* Offer names of mappings ("mapping") or of lines of ccdmtab ("tab") for a completion. */
void ccdm_setup_offer(const char *kind);

/* Print a usage error to standard error. */
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

/* Print a mapping as a JSON object; each line after the first begins with @indent spaces. */
void ccdm_setup_json(const struct ccdm_dm_info *info, unsigned int indent);

#endif
