/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* cmocka.h - cmocka's interface on KUnit, so that a unit test also runs in the kernel */
#ifndef CCDM_KUNIT_CMOCKA_H
#define CCDM_KUNIT_CMOCKA_H

#include <kunit/test.h>
#include <linux/prandom.h>

static struct kunit *ccdm_test;		/* the running case */
static struct rnd_state ccdm_rnd;

#define UINT64_MAX			U64_MAX
#define rand()				((int)(prandom_u32_state(&ccdm_rnd) >> 1))

#define assert_int_equal(a, b)		KUNIT_ASSERT_EQ(ccdm_test, (u64)(a), (u64)(b))
#define assert_int_not_equal(a, b)	KUNIT_ASSERT_NE(ccdm_test, (u64)(a), (u64)(b))
#define assert_true(x)			KUNIT_ASSERT_TRUE(ccdm_test, x)
#define assert_false(x)			KUNIT_ASSERT_FALSE(ccdm_test, x)
#define assert_memory_equal(a, b, n)	KUNIT_ASSERT_EQ(ccdm_test, memcmp(a, b, n), 0)

/* KUnit's case of a cmocka test. */
#define CCDM_CASE(name)						\
	static void kunit_##name(struct kunit *test)		\
	{							\
		ccdm_test = test;				\
		prandom_seed_state(&ccdm_rnd, 1);		\
		name(NULL);					\
	}

#endif
