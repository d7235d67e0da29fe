/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * nonce.h - nonces that authenticate themselves
 *
 * A nonce is random bytes, an expiry and a MAC over both and over the guest's
 * first message; the cookie carries all of it. So the broker stores nothing for a guest that
 * only requested a nonce. The store keeps the IDs of used nonces until they expire.
 */
#ifndef CCDM_BROKER_NONCE_H
#define CCDM_BROKER_NONCE_H

#include "base/compiler.h"
#include "kbs/kbs.h"
#include "keys.h"

#define CCDM_NONCE_ID	  16  /* bytes of the unique part of a nonce */
#define CCDM_NONCE_COOKIE 160 /* bytes of a cookie, with the NUL */

/**
 * struct ccdm_nonce - a nonce
 * @id: its random bytes
 * @expires: seconds since 1970
 * @tee: TEE that the guest claims
 * @version: of the protocol
 * @text: the nonce that the guest gets
 */
struct ccdm_nonce {
	uint8_t id[CCDM_NONCE_ID];
	int64_t expires;
	char tee[24];
	enum ccdm_kbs_version version;
	char text[80];
};

/* Draw a new nonce for a known TEE. Return: 0, -EIO */
int __must_check ccdm_nonce_new(const struct ccdm_keys *keys, const char *tee,
				enum ccdm_kbs_version version, int64_t expires,
				struct ccdm_nonce *nonce, char cookie[CCDM_NONCE_COOKIE]);

/* Read a cookie. Return: 0; -EINVAL if this broker did not make it; -ETIME if it has expired */
int __must_check ccdm_nonce_read(const struct ccdm_keys *keys, const char *cookie, int64_t now,
				 struct ccdm_nonce *nonce);

/* Its ID in hexadecimal, as logs and tokens name the session. */
void ccdm_nonce_hex(const struct ccdm_nonce *nonce, char hex[2 * CCDM_NONCE_ID + 1]);

#endif
