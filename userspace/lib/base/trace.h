/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - what --verbose and --debug make a program say of its steps */
#ifndef CCDM_TRACE_H
#define CCDM_TRACE_H

#include <stddef.h>

enum ccdm_trace_level {
	CCDM_TRACE_OFF,
	CCDM_TRACE_VERBOSE, /* a line for each step */
	CCDM_TRACE_DEBUG,   /* and what the libraries say */
};

extern enum ccdm_trace_level ccdm_trace_level;

#endif
