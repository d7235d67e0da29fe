/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* compiler.h - attributes of the compiler */
#ifndef CCDM_COMPILER_H
#define CCDM_COMPILER_H

/* Result of a verification or judgement: the caller must use it. */
#ifndef __must_check
#define __must_check __attribute__((warn_unused_result))
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#endif
