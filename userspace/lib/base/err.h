/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * err.h - an error and its text
 *
 * The library prints nothing: it fills a struct ccdm_err and returns -errno.
 */
#ifndef CCDM_ERR_H
#define CCDM_ERR_H

#include <errno.h>

/**
 * struct ccdm_err - an error for a person
 * @text: object, what was expected and what was found; no newline; empty: no error
 * @hint: what to do next, or empty
 */
struct ccdm_err {
	char text[512];
	char hint[256];
};

/**
 * ccdm_err_set() - fill @err and return @error
 * @err: filled
 * @error: negative errno
 * @fmt: as printf
 *
 * Return: @error
 */
#define ccdm_err_set(err, error, ...) (ccdm_err_text(err, __VA_ARGS__), ccdm_err_pass(error))

/* Inline, so that a static checker sees that the result is an error. */
static inline int ccdm_err_pass(int error)
{
	return error;
}

/* Set "out of memory". Return: -ENOMEM */
#define ccdm_err_memory(err) ccdm_err_set(err, -ENOMEM, "out of memory")

/*
 * Make untrusted text safe for a terminal and for JSON: control characters, line breaks and invalid
 * UTF-8 become '?'.
 */
void ccdm_err_plain(char *text);

/* Text and hint pass through ccdm_err_plain(). */
void ccdm_err_text(struct ccdm_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void ccdm_err_hint(struct ccdm_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
