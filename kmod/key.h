/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
#ifndef CCDM_KEY_H
#define CCDM_KEY_H

#include "suite.h"

/* The CPU's instructions for random words (cpu_seed.h), for messages */
#ifdef CONFIG_ARM64
#define CCDM_SEED_SOURCES	"RNDRRS"
#else
#define CCDM_SEED_SOURCES	"RDSEED, RDRAND"
#endif

/**
 * struct ccdm_secret - secret from which all keys of a mapping are derived
 * @prk: pseudo-random key of HKDF-SHA-256 (RFC 5869)
 *
 * Created by ccdm_key_birth(), wiped by ccdm_key_death() as soon as the keys are
 * derived. Never printed, never copied.
 */
struct ccdm_secret {
	u8 prk[32];
};

/**
 * ccdm_key_birth() - draw a secret from the CPU and the kernel's generator
 *
 * Sleeps. Return: the secret, for ccdm_key_death(); -ENODEV if this CPU has no
 * random generator or it does not answer; -ENOMEM; errors of the crypto API.
 */
struct ccdm_secret *ccdm_key_birth(void);
void ccdm_key_death(struct ccdm_secret *secret);

/**
 * ccdm_key_derive() - derive the keys for one use
 * @secret: from ccdm_key_birth()
 * @use: "block" or "node"
 * @key: filled; the caller clears it
 *
 * Sleeps. Return: 0 or -errno.
 */
int ccdm_key_derive(const struct ccdm_secret *secret, const char *use, struct ccdm_key *key);

/* HKDF-SHA-256 as in RFC 5869; @out_len at most 255 * 32. Declared for key.c and its test. */
int ccdm_hkdf_extract(const u8 *salt, size_t salt_len, const u8 *ikm, size_t ikm_len, u8 *prk);
int ccdm_hkdf_expand(const u8 *prk, const u8 *info, size_t info_len, u8 *out, size_t out_len);

#endif /* CCDM_KEY_H */
