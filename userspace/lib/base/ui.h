/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * ui.h - user interface of the programs: errors, exit codes, sizes, questions, progress
 *
 * The rest of lib/ prints nothing; see err.h.
 */
#ifndef CCDM_UI_H
#define CCDM_UI_H

#include <stdbool.h>
#include <stdint.h>
#include "compiler.h"
#include "err.h"

/* Exit codes of all programs; the same table is in the man pages. */
enum ccdm_exit {
	CCDM_EXIT_OK = 0,
	CCDM_EXIT_USAGE = 1, /* usage, unusable input, or interrupted */
	CCDM_EXIT_PERMISSION = 2,
	CCDM_EXIT_MEMORY = 3,
	CCDM_EXIT_DEVICE = 4, /* device, or not active */
	CCDM_EXIT_BUSY = 5,   /* exists or busy */
	CCDM_EXIT_TAMPER = 6,
	CCDM_EXIT_REFUSED = 7,
	CCDM_EXIT_NETWORK = 8,
};

/* Print one line with its newline; the text may be untrusted and is made plain. */
void ccdm_ui_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The only translation of -errno to an exit code. */
enum ccdm_exit ccdm_exit_of(int error);

/* Print "program: text" and the hint to standard error. Return: exit code of @error. */
enum ccdm_exit ccdm_ui_fail(const char *program, const struct ccdm_err *err, int error);

/* Flush standard output. Return: @code for main(), or an error if the output is incomplete. */
int __must_check ccdm_ui_end(const char *program, int code);

/**
 * ccdm_ui_size() - parse a size as cryptsetup does
 * @text: number with S (512 bytes), K M G T, KiB MiB GiB TiB (1024), KB MB GB TB (1000)
 * @bytes: set
 *
 * Return: 0, -EINVAL if it is not a size, -ERANGE if it does not fit.
 */
int __must_check ccdm_ui_size(const char *text, uint64_t *bytes);

/* Parse a decimal number from 0 to @max, without sign and blanks. Return: 0, -EINVAL. */
int __must_check ccdm_ui_number(const char *text, uint64_t max, uint64_t *number);

/**
 * ccdm_ui_time() - parse a time
 * @text: RFC 3339: 2026-11-22T12:00:00Z, or with +01:00; a date alone is its beginning
 * @at: set to seconds since 1970; parts of a second are dropped
 *
 * Return: 0, -EINVAL.
 */
int __must_check ccdm_ui_time(const char *text, int64_t *at);

/* Format a time as RFC 3339; @buf holds at least 32 bytes. Return: @buf */
char *ccdm_ui_date(int64_t at, char *buf);

/* "1.5 GiB"; @buf holds at least 32 bytes. Return: @buf */
char *ccdm_ui_human(uint64_t bytes, char *buf);

/**
 * ccdm_malloc_or_exit() - malloc() for a library that does not survive a lack of memory
 *
 * libevent would use freed memory. The program prints "out of memory" and ends.
 */
void *ccdm_malloc_or_exit(size_t size);

/* Ask @question on the terminal. True only for YES in capitals; false without a terminal. */
bool __must_check ccdm_ui_confirm(const char *question);

/* Print @text to standard output as a JSON string, in ASCII; what is no UTF-8 becomes '?'. */
void ccdm_ui_json_text(const char *text);

/**
 * struct ccdm_progress - a bar on a terminal, or lines of JSON
 * @what: "scrub", for the JSON
 * @json: lines of JSON on standard output
 * @quiet: neither
 */
struct ccdm_progress {
	const char *what;
	bool json;
	bool quiet;
	bool drawn;
	uint64_t started_ms;
};

/* Sizes are bytes; 64-bit numbers are strings in the JSON, as in cryptsetup. */
void ccdm_ui_progress(struct ccdm_progress *p, uint64_t done, uint64_t all);
void ccdm_ui_progress_end(struct ccdm_progress *p);

#endif
