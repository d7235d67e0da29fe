/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* lines.h - an operator's list: one item of several words per line; "#" starts a comment */
#ifndef CCDM_LINES_H
#define CCDM_LINES_H

#include <stddef.h>
#include "compiler.h"
#include "err.h"

#define CCDM_LINES_WORDS 6 /* words of a line; further words are ignored */

/**
 * typedef ccdm_line_fn - takes a line that has words
 * @where: "FILE: line N", for messages
 * @word: its words; NULL after the last
 * @words: how many, CCDM_LINES_WORDS at most
 *
 * Return: 0; -errno with @err set, which ends the reading.
 */
typedef int (*ccdm_line_fn)(const char *where, char *const *word, unsigned int words, void *arg,
			    struct ccdm_err *err);

/**
 * ccdm_lines_read() - read a list line by line
 * @what: the list's name, for messages
 * @text, @size: untrusted
 * @max: bytes that it may have
 * @take, @arg: called for each line that is not empty
 *
 * Return: 0; -EINVAL: too large, or a zero in it; what @take said; -ENOMEM. May sleep.
 */
int __must_check ccdm_lines_read(const char *what, const char *text, size_t size, size_t max,
				 ccdm_line_fn take, void *arg, struct ccdm_err *err);

#endif
