/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* file.h - read and write whole small files */
#ifndef CCDM_FILE_H
#define CCDM_FILE_H

#include <stddef.h>
#include <sys/types.h>
#include "compiler.h"
#include "err.h"

/**
 * ccdm_file_read() - read a whole file
 * @file: path
 * @max: size limit in bytes
 * @text: set to its content and a NUL after it; the caller frees it
 * @size: its bytes
 *
 * Return: 0, -EFBIG, or errors of open(2) and read(2).
 */
int __must_check ccdm_file_read(const char *file, size_t max, char **text, size_t *size,
				struct ccdm_err *err);

/**
 * ccdm_file_lines() - walk through a text, line by line
 * @file: its name, for messages
 * @text: untrusted
 * @size: its bytes
 * @max: size limit in bytes
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
 * ccdm_file_private() - check that no other user can access a file with a key
 * @file: path; regular, mode 0600 or less, owned by root or the caller (root accepts any owner)
 *
 * Return: 0, -EACCES, errors of stat(2).
 */
int __must_check ccdm_file_private(const char *file, struct ccdm_err *err);

/**
 * ccdm_file_write() - replace a file atomically
 * @file: path; the function also uses "FILE.tmp"
 *
 * After a crash there is the whole old or new file. Nothing of @text remains if it
 * fails before the new file has its name.
 *
 * Return: 0; -EEXIST as ccdm_file_replaceable(); -errno.
 */
int __must_check ccdm_file_write(const char *file, const void *text, size_t size, mode_t mode,
				 struct ccdm_err *err);

/**
 * ccdm_file_wipe() - overwrite a file in memory with zeros, empty it, and remove it
 * @file: path in a ramfs or tmpfs; it is not an error if it is not there
 *
 * Other names of the file, its mounts and its open descriptors find it empty. The name is removed
 * even if the content cannot be overwritten.
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_file_wipe(const char *file, struct ccdm_err *err);

/* Wipe each file of a folder, even after an error; the first error is returned. */
int __must_check ccdm_file_wipe_all(const char *dir, struct ccdm_err *err);

/**
 * ccdm_file_replaceable() - check that a rename would not replace a device, a pipe or a socket
 * @file: path; links are followed
 *
 * Return: 0, also if there is no such file; -EEXIST.
 */
int __must_check ccdm_file_replaceable(const char *file, struct ccdm_err *err);

/**
 * ccdm_file_rename() - rename a file, and sync the directory
 * @to: in the same directory; may be there
 *
 * Return: 0; -EEXIST for what is not replaceable, which stays; -errno; also when only the directory
 * could not be written.
 */
int __must_check ccdm_file_rename(const char *from, const char *to);

/* Write a number or a word to a file of /proc or /sys. */
int __must_check ccdm_file_tell(const char *file, const char *word, struct ccdm_err *err);

#endif
