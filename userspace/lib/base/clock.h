/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* clock.h - monotonic time */
#ifndef CCDM_CLOCK_H
#define CCDM_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds of CLOCK_MONOTONIC, which the host's clock does not change. */
static inline int64_t ccdm_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
