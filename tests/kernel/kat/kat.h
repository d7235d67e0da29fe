/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
#ifndef CCDM_KAT_H
#define CCDM_KAT_H

/*
 * struct ccdm_kat - a known answer. Keys: xts byte i is i, mac byte i is 0x80 + i;
 * plaintext byte i is 7 * i + i / 256.
 */
struct ccdm_kat {
	int kind;
	unsigned int domain;
	unsigned long long index, seq;
	unsigned char first[32], last[32], tag[16];
};

#include "vectors.h"
#endif
