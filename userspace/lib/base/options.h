/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * options.h - tables of a program's verbs and options
 *
 * The parser, --help, the suggestions after a typing mistake and the completion of the shells all
 * read these tables.
 */
#ifndef CCDM_OPTIONS_H
#define CCDM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "compiler.h"
#include "ui.h"

/**
 * struct ccdm_option - an option
 * @name: without the dashes
 * @letter: its short form, or 0
 * @id: passed to the verb's function
 * @arg: the name of its argument in the help; NULL: it has none
 * @help: what it does; lines end with a newline, the last one does not
 * @offer: values of the argument, with a space between; "@file" stands for files, another word
 *         with @ for what ccdm_program.offer prints
 * @verbs: the verbs that have it, each between commas; NULL: all verbs that see the table
 */
struct ccdm_option {
	const char *name;
	char letter;
	int id;
	const char *arg;
	const char *help;
	const char *offer;
	const char *verbs;
};

/**
 * struct ccdm_verb - a verb
 * @name: one word or two: "open", "policy add"; "" of a program without verbs, which has this one
 * @usage: its arguments, for the usage line
 * @summary: one line
 * @intro: lines of --help before the options, or NULL
 * @text: lines of --help after them, or NULL
 * @options: table that ends with an option without a name; NULL: none
 * @offer: as in an option; a | before what is offered for the next argument; the last part counts
 *         for all that follow
 * @min_args, @max_args: how many arguments it takes
 */
struct ccdm_verb {
	const char *name;
	const char *usage;
	const char *summary;
	const char *intro;
	const char *text;
	const struct ccdm_option *options;
	const char *offer;
	int min_args, max_args;
};

/**
 * struct ccdm_program - a program
 * @name: as it is installed
 * @manual: manual page that the help refers to
 * @verb: its verbs by number, NULL after the last
 * @options: options of all verbs, or of those in @verbs; ends with an option without a name
 * @offer: print the values for @kind (without the @), one per line
 */
struct ccdm_program {
	const char *name;
	const char *manual;
	const struct ccdm_verb *(*verb)(unsigned int number);
	const struct ccdm_option *options;
	void (*offer)(const char *kind);
};

#define CCDM_ARGS_ANY (1 << 16)

/**
 * ccdm_verb_find() - find the verb of a command line
 * @argc, @argv: of main(); the verb's words are removed, options before them stay. A program
 *               without verbs keeps all words, and gets its only verb
 * @code: the exit code if there is no verb: help or an error was printed
 *
 * Return: the verb, or NULL.
 */
const struct ccdm_verb *ccdm_verb_find(const struct ccdm_program *program, int *argc, char **argv,
				       enum ccdm_exit *code);

/**
 * ccdm_options() - read the options of a verb, and count its arguments
 * @take: called with the id of each option, optarg is its argument. Return: 0, or that it is
 *        unusable. NULL: the verb has no options
 * @code: the exit code if the verb must end
 *
 * Arguments are moved after the options; optind is the first. --debug and --verbose set
 * ccdm_trace_level.
 *
 * Return: true if the verb continues; false if it must end.
 */
bool __must_check ccdm_options(const struct ccdm_program *program, const struct ccdm_verb *verb,
			       int argc, char **argv, enum ccdm_exit (*take)(int id, void *arg),
			       void *arg, enum ccdm_exit *code);

/* Print @what and the usage line of @verb to standard error. Return: CCDM_EXIT_USAGE */
enum ccdm_exit __must_check ccdm_verb_usage(const struct ccdm_program *program,
					    const struct ccdm_verb *verb, const char *what);

/* ---- for complete.c -------------------------------------------------------------- */

/* Option @number that @verb can have; NULL @verb: without a verb. NULL after the last. */
const struct ccdm_option *ccdm_option_nth(const struct ccdm_program *program,
					  const struct ccdm_verb *verb, unsigned int number);

/* An option by @word, which begins with a dash; NULL @verb: of any verb. */
const struct ccdm_option *ccdm_option_find(const struct ccdm_program *program,
					   const struct ccdm_verb *verb, const char *word);

/* A verb by its words; @second may be NULL. */
const struct ccdm_verb *ccdm_verb_named(const struct ccdm_program *program, const char *first,
					const char *second);

/* True if a verb of two words begins with @first. */
bool __must_check ccdm_verb_group(const struct ccdm_program *program, const char *first);

/**
 * ccdm_nearest() - choose the candidate that the user may have meant
 * @best: the nearest so far, or NULL; @distance: its distance
 *
 * Return: @candidate if it is near to @word and nearer than @best, else @best.
 */
const char *ccdm_nearest(const char *word, const char *candidate, const char *best,
			 unsigned int *distance);

/* Print the completions of the last of @words. */
void ccdm_complete(const struct ccdm_program *program, int count, char **words);

/* Print the completion script for @shell, which calls ccdm_complete(). Return: an exit code */
enum ccdm_exit __must_check ccdm_completion(const struct ccdm_program *program, const char *shell);

#endif
