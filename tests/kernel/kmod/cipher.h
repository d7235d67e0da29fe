/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* cipher.h - suite.c's place: no secrecy, but each sealing differs */
#ifndef CCDM_TEST_CIPHER_H
#define CCDM_TEST_CIPHER_H

#include "kernel.h"

#define UNVERIFIED 0x5a /* what an opening that fails leaves behind */

/* When a node was last sealed: the how-manyth sealing that was; 0: never. */
u64 sim_sealed(unsigned int domain, u64 index);

/* A new mapping: no number has been used. */
void sim_cipher_init(void);

#endif /* CCDM_TEST_CIPHER_H */
