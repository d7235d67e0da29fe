/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* forge_tpm.h - signed data of a TPM, made without a TPM */
#ifndef CCDM_TEST_FORGE_TPM_H
#define CCDM_TEST_FORGE_TPM_H

#include <string.h>
#include "evidence/tpm_quote.h"

/* Fields of a TPMS_ATTEST; zero means the value that a TPM would use. */
struct forge_attest {
	uint32_t magic;
	uint16_t type;
	const uint8_t *nonce;
	size_t nonce_size;
	unsigned int banks; /* number: the first is @bank, the others SHA-1; 0: one, 9: none */
	bool same_bank;	    /* all of them are @bank */
	uint16_t bank;
	uint32_t selection;
	bool wide;	       /* the selection has a fourth byte */
	const uint8_t *digest; /* of the registers */
	size_t digest_size;
};

static inline void forge_be(uint8_t **at, uint64_t n, unsigned int bytes)
{
	while (bytes--)
		*(*at)++ = n >> 8 * bytes;
}

/* Write a TPMS_ATTEST. Return: its size in bytes */
static inline size_t forge_attest(const struct forge_attest *a, uint8_t *message)
{
	unsigned int banks = a->banks == 9 ? 0 : a->banks ? a->banks : 1, i;
	uint8_t *p = message;

	forge_be(&p, a->magic ? a->magic : 0xff544347, 4);
	forge_be(&p, a->type ? a->type : 0x8018, 2);
	forge_be(&p, 0, 2); /* signer */
	forge_be(&p, a->nonce_size, 2);
	memcpy(p, a->nonce, a->nonce_size);
	p += a->nonce_size;
	forge_be(&p, 1, 8); /* clock */
	forge_be(&p, 2, 4);
	forge_be(&p, 3, 4);
	forge_be(&p, 1, 1);
	forge_be(&p, 4, 8);	 /* firmware */
	if (a->type == 0x8017) { /* not a quote but the certification of a key: two names */
		forge_be(&p, 0, 4);
		return p - message;
	}
	forge_be(&p, banks, 4);
	for (i = 0; i < banks; i++) {
		forge_be(&p,
			 i && !a->same_bank ? CCDM_ALG_SHA1
			 : a->bank	    ? a->bank
					    : CCDM_ALG_SHA256,
			 2);
		forge_be(&p, a->wide ? 4 : 3, 1);
		forge_be(&p, a->selection & 0xff, 1);
		forge_be(&p, a->selection >> 8 & 0xff, 1);
		forge_be(&p, a->selection >> 16, 1);
		if (a->wide)
			forge_be(&p, 0, 1);
	}
	forge_be(&p, a->digest_size, 2);
	memcpy(p, a->digest, a->digest_size);
	return p + a->digest_size - message;
}

#endif
