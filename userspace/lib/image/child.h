/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * child.h - programs that run in the background
 *
 * program.h waits until a program ends. A program of child.h runs until this program ends it, and
 * dies with this program.
 */
#ifndef CCDM_CHILD_H
#define CCDM_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_CHILD_FDS 8

/**
 * struct ccdm_child - a program that runs; begins as { .pidfd = -1 }
 * @name: for messages
 * @pid: its process, 0 without one
 * @pidfd: readable once it has ended, for poll(2)
 */
struct ccdm_child {
	const char *name;
	pid_t pid;
	int pidfd;
};

/**
 * struct ccdm_child_fds - descriptors of a new program
 * @in, @out, @messages: its standard descriptors; -1: /dev/null
 * @nr, @keep: descriptors that it gets under the same numbers
 */
struct ccdm_child_fds {
	int in, out, messages;
	unsigned int nr;
	int keep[CCDM_CHILD_FDS];
};

/**
 * ccdm_child_start() - start a program
 * @argv: path of the program and its arguments; ends with NULL
 * @tmp: value of TMPDIR; the rest of the environment is as program.h has it
 *
 * The program has its own process group, so the terminal's signals do not reach it.
 *
 * Return: 0, -errno of fork(2).
 */
int __must_check ccdm_child_start(struct ccdm_child *child, const char *const *argv,
				  const char *tmp, const struct ccdm_child_fds *fds,
				  struct ccdm_err *err);

/* Wait until it has ended, or until the time is over. Return: true if it has ended */
bool __must_check ccdm_child_wait(struct ccdm_child *child, int milliseconds, int *status);

/* End it with SIGTERM, and with SIGKILL after three seconds. Nothing happens if none runs. */
void ccdm_child_end(struct ccdm_child *child);

#endif
