/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * trace.h - what --verbose and --debug make a program say of its steps
 *
 * No secret, token, nonce or key is traced, at any level: name what was done, and how many bytes.
 */
#ifndef CCDM_TRACE_H
#define CCDM_TRACE_H

#include <stddef.h>

enum ccdm_trace_level {
	CCDM_TRACE_OFF,
	CCDM_TRACE_VERBOSE, /* a line for each step */
	CCDM_TRACE_DEBUG,   /* and what the libraries say */
};

extern enum ccdm_trace_level ccdm_trace_level;

/* Print a line to standard error: at --verbose, or at --debug alone. The text is made plain. */
void ccdm_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ccdm_trace_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
