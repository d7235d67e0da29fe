/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* ini.h - the syntax of configuration files */
#ifndef CCDM_INI_H
#define CCDM_INI_H

#include <stddef.h>
#include "compiler.h"
#include "err.h"

#define CCDM_INI_MAX 65536 /* bytes of a file */

/**
 * struct ccdm_ini_item - a section, or a key with its value
 * @file: name of the file, for messages
 * @line: its line, from 1
 * @section: its section
 * @key: NULL when the section begins
 * @value: without blanks around it, may be empty
 * @key_column: column of the section's or key's first letter, from 1
 * @value_column: column of the value's first letter
 *
 * The strings live as long as the call.
 */
struct ccdm_ini_item {
	const char *file;
	unsigned int line;
	const char *section;
	const char *key;
	const char *value;
	unsigned int key_column;
	unsigned int value_column;
};

/**
 * ccdm_ini_parse() - walk through a text
 * @file: its name, for messages
 * @text: untrusted; lines of "[section]", "key = value", "# comment", or blank
 * @size: its bytes
 * @each: called in order; a nonzero result ends the walk and is returned
 * @arg: argument of the callback
 *
 * Return: 0, -EINVAL for a syntax error ("FILE:LINE:COLUMN: ..." in @err).
 */
int __must_check ccdm_ini_parse(const char *file, const char *text, size_t size,
				int (*each)(const struct ccdm_ini_item *item, void *arg,
					    struct ccdm_err *err),
				void *arg, struct ccdm_err *err);

#endif
