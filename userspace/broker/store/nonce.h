/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * nonce.h - nonces that authenticate themselves
 *
 * A nonce is random bytes, an expiry and a MAC over both and over what the guest said in
 * its first message; the cookie carries all of it. So nothing is kept for a guest that
 * only asked, and the store keeps the IDs of those that were used until they expire.
 */
#ifndef CCDM_BROKER_NONCE_H
#define CCDM_BROKER_NONCE_H

#include "base/compiler.h"
#include "kbs/kbs.h"
#include "keys.h"

#define CCDM_NONCE_ID	  16  /* bytes; what makes a nonce unlike all others */
#define CCDM_NONCE_COOKIE 160 /* bytes of a cookie, with the NUL */

/**
 * struct ccdm_nonce - a nonce
 * @id: its random bytes
 * @expires: seconds since 1970
 * @tee: what the guest says it is
 * @version: of the protocol
 * @text: as the guest gets it
 */
struct ccdm_nonce {
	uint8_t id[CCDM_NONCE_ID];
	int64_t expires;
	char tee[24];
	enum ccdm_kbs_version version;
	char text[80];
};

/* A new one, for a TEE that is known. Return: 0, -EIO */
int __must_check ccdm_nonce_new(const struct ccdm_keys *keys, const char *tee,
				enum ccdm_kbs_version version, int64_t expires,
				struct ccdm_nonce *nonce, char cookie[CCDM_NONCE_COOKIE]);

/* What a cookie says. Return: 0; -EINVAL if it is none of ours; -ETIME if it has expired */
int __must_check ccdm_nonce_read(const struct ccdm_keys *keys, const char *cookie, int64_t now,
				 struct ccdm_nonce *nonce);

/* Its ID in hexadecimal, as logs and tokens name the session. */
void ccdm_nonce_hex(const struct ccdm_nonce *nonce, char hex[2 * CCDM_NONCE_ID + 1]);

#endif
