/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * trace.h - trace a program's steps for --verbose and --debug
 *
 * Never trace a secret, token, nonce or key: name the step and the number of bytes.
 */
#ifndef CCDM_TRACE_H
#define CCDM_TRACE_H

#include <stddef.h>

enum ccdm_trace_level {
	CCDM_TRACE_OFF,
	CCDM_TRACE_VERBOSE, /* a line for each step */
	CCDM_TRACE_DEBUG,   /* also messages of libraries */
};

extern enum ccdm_trace_level ccdm_trace_level;

/* Print a line to standard error: with --verbose, or only with --debug. The text is made plain. */
void ccdm_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ccdm_trace_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
