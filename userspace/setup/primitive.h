/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* primitive.h - the primitives of the cipher suites, in the kernel, through AF_ALG */
#ifndef CCDM_SETUP_PRIMITIVE_H
#define CCDM_SETUP_PRIMITIVE_H

#include <stdbool.h>
#include "base/compiler.h"

#define CCDM_PRIMITIVE_BYTES 65536

/**
 * struct ccdm_primitive - a primitive
 * @type: of AF_ALG
 * @alg: the kernel's name of the algorithm
 * @key_bytes: size of the key
 * @iv_bytes: size of the IV; 0: a hash
 * @aad: pass all data as additional data, for GMAC
 * @mib_s: measured speed; 0: this kernel lacks the primitive
 */
struct ccdm_primitive {
	const char *type;
	const char *alg;
	unsigned int key_bytes;
	unsigned int iv_bytes;
	bool aad;
	double mib_s;
};

#define CCDM_PRIMITIVE_XTS                               \
	{                                                \
		"skcipher", "xts(aes)", 64, 16, false, 0 \
	}
#define CCDM_PRIMITIVE_GMAC                         \
	{                                           \
		"aead", "gcm(aes)", 32, 12, true, 0 \
	}
#define CCDM_PRIMITIVE_HMAC                             \
	{                                               \
		"hash", "hmac(sha256)", 32, 0, false, 0 \
	}
#define CCDM_PRIMITIVE_GCM                           \
	{                                            \
		"aead", "gcm(aes)", 32, 12, false, 0 \
	}

/**
 * ccdm_primitive_open() - open a primitive with a random key
 * @fd: set to its socket, which the caller closes; -1 after an error
 *
 * May load modules of the kernel's crypto API. Return: 0; -EAFNOSUPPORT, -EPERM, -EACCES: AF_ALG
 * cannot be used; -ENOENT: the kernel lacks the primitive or its part of AF_ALG; -errno.
 */
int __must_check ccdm_primitive_open(const struct ccdm_primitive *p, int *fd);

/* Run one operation over CCDM_PRIMITIVE_BYTES at @buf, which has 16 bytes more. Return: 0, -errno. */
int __must_check ccdm_primitive_run(int fd, const struct ccdm_primitive *p, unsigned char *buf);

#endif
