/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * program.h - find and run other programs
 *
 * A program gets no shell, an environment that does not depend on the caller's, and /dev/null as its
 * standard input. The same input therefore gives the same output for every user.
 */
#ifndef CCDM_IMAGE_PROGRAM_H
#define CCDM_IMAGE_PROGRAM_H

#include <limits.h>
#include <stddef.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_program_found - a program that is there
 * @name: as it was asked for
 * @path: its file
 * @version: "1.47.2"; "" if the program is in no list of program.c, or does not say
 */
struct ccdm_program_found {
	const char *name;
	char path[PATH_MAX];
	char version[32];
};

/**
 * ccdm_program_find() - look for a program in PATH
 * @name: "mke2fs"; for each folder .../bin of PATH the folder .../sbin counts, too
 * @found: filled
 *
 * program.c lists the programs that are known, with the lowest version and the package of each.
 *
 * Return: 0; -ENOENT with the program, the version and the package in @err if the program is
 * missing or too old; -EINTR, -ENOMEM.
 */
int __must_check ccdm_program_find(const char *name, struct ccdm_program_found *found,
				   struct ccdm_err *err);

/**
 * ccdm_program_run() - run a program and wait for its end
 * @argv: path of the program and its arguments; ends with NULL
 * @env: variables "NAME=VALUE" in addition to PATH, HOME, LC_ALL=C and TZ=UTC; ends with NULL; may
 *	be NULL
 * @in: descriptor that becomes standard input; -1: /dev/null
 * @output: set to what the program printed to standard output, which the caller frees; NULL: its
 *	standard output is part of its messages
 * @err: on failure, the program and the last lines of its messages
 *
 * The umask is 022. If this process gets a signal (base/interrupt.h), the program and its children
 * are ended.
 *
 * Return: 0 if it ended with 0; -EIO if it ended otherwise; -ENOSPC, -EACCES or -ENOMEM if its
 * messages say so; -EFBIG if it printed more than 64 MiB; -EINTR; errors of fork(2) and execve(2).
 */
int __must_check ccdm_program_run(const char *const *argv, const char *const *env, int in,
				  char **output, struct ccdm_err *err);

#define CCDM_PROGRAM_MESSAGES 4096

/**
 * ccdm_program_run_messages() - the same, for a caller that knows how the program's messages look
 * @argv, @env, @err: as of ccdm_program_run()
 * @messages: if the program ended with another status than 0, the last messages in lines, else ""
 *
 * Return: as ccdm_program_run().
 */
int __must_check ccdm_program_run_messages(const char *const *argv, const char *const *env,
					   char messages[CCDM_PROGRAM_MESSAGES + 1],
					   struct ccdm_err *err);

#endif
