/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* memory.h - memory and pages, and which calls fail */
#ifndef CCDM_TEST_MEMORY_H
#define CCDM_TEST_MEMORY_H

#include "kernel.h"

/* Allocate all pages; the first @user pages, contiguous, are the clients'. */
void sim_pages_init(unsigned int user);
struct page *sim_user_pages(void);
bool sim_is_users(const struct page *page);
/* Memory for callers with a reserve: never fails. Free it with sim_free(). */
void *sim_take(size_t size);
/* Number of allocations and pages that are not freed. */
u64 sim_held(void);

/* @n is the number of the first call of that kind that fails, @times how many do. */
void sim_fail(enum sim_call call, u64 n, u64 times);
/* One of @per of these calls fails; 0: none. */
void sim_fail_often(enum sim_call call, unsigned int per);
void sim_fail_never(void);
/* Calls that failed since the last sim_fail_never(), and of one kind. */
u64 sim_failed(void);
u64 sim_failed_of(enum sim_call call);

#endif /* CCDM_TEST_MEMORY_H */
