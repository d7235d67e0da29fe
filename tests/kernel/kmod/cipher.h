/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* cipher.h - replaces suite.c: no secrecy, but each sealing differs */
#ifndef CCDM_TEST_CIPHER_H
#define CCDM_TEST_CIPHER_H

#include "kernel.h"

#define UNVERIFIED 0x5a /* content after a failed opening */

/* Number of a node's last sealing among all sealings; 0: never sealed. */
u64 sim_sealed(unsigned int domain, u64 index);

/* Start a new mapping without used sequence numbers. */
void sim_cipher_init(void);

#endif /* CCDM_TEST_CIPHER_H */
