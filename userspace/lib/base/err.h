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
 * struct ccdm_err - what went wrong, for a person
 * @text: what, which thing, expected and found; no newline; empty if nothing
 * @hint: what to do next, or empty
 */
struct ccdm_err {
	char text[512];
	char hint[256];
};

/**
 * ccdm_err_set() - fill @err and pass an error on
 * @err: filled
 * @error: negative errno
 * @fmt: as printf
 *
 * Return: @error
 */
#define ccdm_err_set(err, error, ...) (ccdm_err_text(err, __VA_ARGS__), ccdm_err_pass(error))

/* Seen where it is called, so that a checker knows that an error is one. */
static inline int ccdm_err_pass(int error)
{
	return error;
}

/* The one way to say it. Return: -ENOMEM */
#define ccdm_err_memory(err) ccdm_err_set(err, -ENOMEM, "out of memory")

/*
 * What came from elsewhere, fit for a terminal and for JSON: what would steer it, begin a line, or is
 * no UTF-8 becomes '?'.
 */
void ccdm_err_plain(char *text);

/* Text and hint are made plain. */
void ccdm_err_text(struct ccdm_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void ccdm_err_hint(struct ccdm_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
