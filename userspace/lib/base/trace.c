// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* trace.c - see trace.h */
#include <stdarg.h>
#include <stdio.h>
#include "err.h"
#include "trace.h"

enum ccdm_trace_level ccdm_trace_level;

static void trace_line(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static void trace_line(const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	ccdm_err_plain(text);
	fprintf(stderr, "# %s\n", text);
}

void ccdm_trace(const char *fmt, ...)
{
	va_list ap;

	if (ccdm_trace_level < CCDM_TRACE_VERBOSE)
		return;
	va_start(ap, fmt);
	trace_line(fmt, ap);
	va_end(ap);
}

void ccdm_trace_debug(const char *fmt, ...)
{
	va_list ap;

	if (ccdm_trace_level < CCDM_TRACE_DEBUG)
		return;
	va_start(ap, fmt);
	trace_line(fmt, ap);
	va_end(ap);
}
