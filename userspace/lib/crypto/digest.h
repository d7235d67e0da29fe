/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* digest.h - hashes of the TPM's banks, through OpenSSL */
#ifndef CCDM_DIGEST_H
#define CCDM_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/bytes.h"

#define CCDM_DIGEST_MAX 64 /* bytes of the longest */
#define CCDM_BANKS_MAX	16

/* TPM_ALG_ID, TCG Algorithm Registry */
#define CCDM_ALG_SHA1	0x0004
#define CCDM_ALG_SHA256 0x000b
#define CCDM_ALG_SHA384 0x000c
#define CCDM_ALG_SHA512 0x000d

/**
 * struct ccdm_digest - a digest, or the value of a register
 * @alg: TPM_ALG_ID
 * @size: bytes of it
 * @bytes: the digest
 */
struct ccdm_digest {
	uint16_t alg;
	uint16_t size;
	uint8_t bytes[CCDM_DIGEST_MAX];
};

/**
 * struct ccdm_digests - one for each bank
 * @count: how many
 * @digest: in the TPM's order
 */
struct ccdm_digests {
	unsigned int count;
	struct ccdm_digest digest[CCDM_BANKS_MAX];
};

/* "sha256", as in systemd's log; NULL for an unknown algorithm */
const char *ccdm_digest_name(uint16_t alg);
/* TPM_ALG_ID, 0 for an unknown name */
uint16_t ccdm_digest_alg(const char *name);
/* bytes of a digest, 0 for an unknown algorithm */
uint16_t ccdm_digest_size(uint16_t alg);

/**
 * ccdm_digest_of() - hash two pieces, one behind the other
 * @alg: TPM_ALG_ID
 * @a, @b: the pieces; @b may be NULL with @b_size 0
 * @digest: filled
 *
 * Return: 0, -ENOTSUP for an unknown algorithm, -EIO.
 */
int __must_check ccdm_digest_of(uint16_t alg, const void *a, size_t a_size, const void *b,
				size_t b_size, struct ccdm_digest *digest);

/**
 * struct ccdm_piece - bytes that are hashed with others
 * @bytes: @size of them; may be NULL if there are none
 */
struct ccdm_piece {
	const void *bytes;
	size_t size;
};

/* The same over @count pieces, one behind the other. */
int __must_check ccdm_digest_pieces(uint16_t alg, const struct ccdm_piece *piece, size_t count,
				    struct ccdm_digest *digest);

/**
 * struct ccdm_digest_stream - a digest whose bytes come piece by piece
 * @alg: TPM_ALG_ID
 * @ctx: of OpenSSL
 */
struct ccdm_digest_stream {
	uint16_t alg;
	void *ctx;
};

/* Every stream that was started must be finished. Return: 0, -ENOTSUP, -ENOMEM, -EIO. */
int __must_check ccdm_digest_start(uint16_t alg, struct ccdm_digest_stream *stream);
int __must_check ccdm_digest_add(struct ccdm_digest_stream *stream, const void *bytes, size_t size);

/**
 * ccdm_digest_finish() - end a stream
 * @stream: freed
 * @r: an error that stopped the caller, or 0
 * @digest: filled if @r is 0; may be NULL if it is not
 *
 * Return: @r if that is an error; 0, -EIO.
 */
int __must_check ccdm_digest_finish(struct ccdm_digest_stream *stream, int r,
				    struct ccdm_digest *digest);

/* Of a file's bytes, however many. Return: 0, -ENOTSUP, errors of open(2) and read(2). */
int __must_check ccdm_digest_file(uint16_t alg, const char *file, struct ccdm_digest *digest);

#endif
