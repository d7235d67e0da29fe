/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* compat.h - parts of KUnit that older kernels lack; "make lint" compiles these tests for 6.1 */
#ifndef CCDM_KUNIT_COMPAT_H
#define CCDM_KUNIT_COMPAT_H

#include <kunit/test.h>

#ifndef KUNIT_EXPECT_MEMEQ
#define KUNIT_EXPECT_MEMEQ(test, a, b, size)  KUNIT_EXPECT_EQ(test, memcmp(a, b, size), 0)
#define KUNIT_EXPECT_MEMNEQ(test, a, b, size) KUNIT_EXPECT_NE(test, memcmp(a, b, size), 0)
#endif

#ifndef KUNIT_FAIL_AND_ABORT
#define KUNIT_FAIL_AND_ABORT(test, fmt, ...)  KUNIT_ASSERT_TRUE_MSG(test, false, fmt, ##__VA_ARGS__)
#endif

#endif
