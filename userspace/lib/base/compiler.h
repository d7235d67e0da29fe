/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* compiler.h - what every file may use of the compiler */
#ifndef CCDM_COMPILER_H
#define CCDM_COMPILER_H

/* A verification or judgement: a caller that ignores it is wrong. */
#ifndef __must_check
#define __must_check __attribute__((warn_unused_result))
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#endif
