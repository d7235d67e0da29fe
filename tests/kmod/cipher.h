/* SPDX-License-Identifier: GPL-2.0-only */
/* cipher.h - suite.c's place: no secrecy, but each sealing differs */
#ifndef CCDM_TEST_CIPHER_H
#define CCDM_TEST_CIPHER_H

#include "kernel.h"

/* A new mapping: no number has been used. */
void sim_cipher_init(void);

#endif /* CCDM_TEST_CIPHER_H */
