/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* file.h - small files, read and written whole */
#ifndef CCDM_FILE_H
#define CCDM_FILE_H

#include <stddef.h>
#include <sys/types.h>
#include "compiler.h"
#include "err.h"

/**
 * ccdm_file_read() - a whole file
 * @file: path
 * @max: most bytes it may have
 * @text: set to its content and a NUL behind it; the caller frees it
 * @size: its bytes
 *
 * Return: 0, -EFBIG, or what open(2) and read(2) say.
 */
int __must_check ccdm_file_read(const char *file, size_t max, char **text, size_t *size,
				struct ccdm_err *err);

/**
 * ccdm_file_lines() - walk through a text, line by line
 * @file: its name, for messages
 * @text: untrusted
 * @size: its bytes
 * @max: most bytes it may have
 * @each: called with a line that it may write into, without the newline, and its number,
 *	from 1; a nonzero result ends the walk and is returned
 * @arg: argument of the callback
 *
 * Lines live until the walk ends.
 *
 * Return: 0, -EINVAL if it is too large or holds a zero byte, -ENOMEM.
 */
int __must_check ccdm_file_lines(const char *file, const char *text, size_t size, size_t max,
				 int (*each)(char *line, unsigned int number, void *arg,
					     struct ccdm_err *err),
				 void *arg, struct ccdm_err *err);

/**
 * ccdm_file_private() - is it a file that nobody else reaches, as one with a key must be?
 * @file: path; regular, mode 0600 or less, of root's or ours; for root, of anyone's
 *
 * Return: 0, -EACCES, what stat(2) says.
 */
int __must_check ccdm_file_private(const char *file, struct ccdm_err *err);

/**
 * ccdm_file_write() - put bytes in the place of a file, in one step
 * @file: path; beside it "FILE.tmp" is used
 *
 * After a crash there is the old file or the new one, whole. Nothing of @text stays when it
 * fails before the new one has its name.
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_file_write(const char *file, const void *text, size_t size, mode_t mode,
				 struct ccdm_err *err);

/**
 * ccdm_file_rename() - rename, and have the name on the disk
 * @to: in the same directory; may be there
 *
 * Return: 0, -errno; also when only the directory could not be written.
 */
int __must_check ccdm_file_rename(const char *from, const char *to);

/* A number or a word into a file of /proc or /sys. */
int __must_check ccdm_file_tell(const char *file, const char *word, struct ccdm_err *err);

#endif
