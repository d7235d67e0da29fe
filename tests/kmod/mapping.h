/* SPDX-License-Identifier: GPL-2.0-only */
/* mapping.h - a mapping in a program: made, used, and everything of it given back */
#ifndef CCDM_TEST_MAPPING_H
#define CCDM_TEST_MAPPING_H

#include "ccdm.h"

/* A mapping of @blocks blocks, or of as many as are drawn; not made yet. */
struct ccdm *mapping_begin(u64 blocks);
/* What ctr makes. Return: 0 or -errno; mapping_end() either way. */
int mapping_new(void);
void mapping_end(void);
/* As device-mapper calls it; in a coroutine. */
void mapping_suspend(void);
void mapping_resume(void);

/* cachetest.c */
void cache_test(void);

#endif /* CCDM_TEST_MAPPING_H */
