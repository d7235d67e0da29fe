// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* lines.c - see lines.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lines.h"

static int ccdm_lines_one(const char *what, unsigned int number, char *line, ccdm_line_fn take,
			  void *arg, struct ccdm_err *err)
{
	char *word[CCDM_LINES_WORDS + 1] = { 0 }, *rest, where[300];
	unsigned int n = 0;

	line[strcspn(line, "#")] = '\0';
	word[0] = strtok_r(line, " \t\r", &rest);
	if (!word[0])
		return 0;
	while (++n < CCDM_LINES_WORDS && (word[n] = strtok_r(NULL, " \t\r", &rest)))
		;
	snprintf(where, sizeof(where), "%.256s: line %u", what, number);
	return take(where, word, n, arg, err);
}

int ccdm_lines_read(const char *what, const char *text, size_t size, size_t max, ccdm_line_fn take,
		    void *arg, struct ccdm_err *err)
{
	char *copy, *rest, *line;
	unsigned int number = 0;
	int r = 0;

	if (size > max || memchr(text, '\0', size))
		return ccdm_err_set(err, -EINVAL, "%s: expected a text of at most %zu bytes", what,
				    max);
	copy = strndup(text, size);
	if (!copy)
		return ccdm_err_memory(err);
	rest = copy;
	while (!r && (line = strsep(&rest, "\n")))
		r = ccdm_lines_one(what, ++number, line, take, arg, err);
	free(copy);
	return r;
}
