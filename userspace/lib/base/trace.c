// SPDX-License-Identifier: Apache-2.0
/* trace.c - see trace.h */
#include "trace.h"

enum ccdm_trace_level ccdm_trace_level;
