// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* digest.c - see digest.h */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/compiler.h"
#include "digest.h"

static const struct {
	uint16_t alg;
	uint16_t size;
	const char *name;
	const EVP_MD *(*md)(void);
} ccdm_digest_table[] = {
	{ CCDM_ALG_SHA1, 20, "sha1", EVP_sha1 },
	{ CCDM_ALG_SHA256, 32, "sha256", EVP_sha256 },
	{ CCDM_ALG_SHA384, 48, "sha384", EVP_sha384 },
	{ CCDM_ALG_SHA512, 64, "sha512", EVP_sha512 },
};

#define CCDM_DIGESTS (ARRAY_SIZE(ccdm_digest_table))

const char *ccdm_digest_name(uint16_t alg)
{
	size_t i;

	for (i = 0; i < CCDM_DIGESTS; i++)
		if (ccdm_digest_table[i].alg == alg)
			return ccdm_digest_table[i].name;
	return NULL;
}

uint16_t ccdm_digest_alg(const char *name)
{
	size_t i;

	for (i = 0; i < CCDM_DIGESTS; i++)
		if (!strcmp(ccdm_digest_table[i].name, name))
			return ccdm_digest_table[i].alg;
	return 0;
}

uint16_t ccdm_digest_size(uint16_t alg)
{
	size_t i;

	for (i = 0; i < CCDM_DIGESTS; i++)
		if (ccdm_digest_table[i].alg == alg)
			return ccdm_digest_table[i].size;
	return 0;
}

static int ccdm_digest_begin(uint16_t alg, EVP_MD_CTX **ctx)
{
	size_t i;

	*ctx = NULL;
	for (i = 0; i < CCDM_DIGESTS; i++)
		if (ccdm_digest_table[i].alg == alg)
			break;
	if (i == CCDM_DIGESTS)
		return -ENOTSUP;
	*ctx = EVP_MD_CTX_new();
	if (!*ctx)
		return -ENOMEM;
	return EVP_DigestInit_ex(*ctx, ccdm_digest_table[i].md(), NULL) ? 0 : -EIO;
}

/* @r: 0, or the error of an earlier step. Return: @r, or -EIO if OpenSSL fails now. */
static int ccdm_digest_end(uint16_t alg, EVP_MD_CTX *ctx, int r, struct ccdm_digest *digest)
{
	if (!r && !EVP_DigestFinal_ex(ctx, digest->bytes, NULL))
		r = -EIO;
	EVP_MD_CTX_free(ctx);
	if (r)
		return r;
	digest->alg = alg;
	digest->size = ccdm_digest_size(alg);
	return 0;
}

int ccdm_digest_of(uint16_t alg, const void *a, size_t a_size, const void *b, size_t b_size,
		   struct ccdm_digest *digest)
{
	EVP_MD_CTX *ctx;
	int r = ccdm_digest_begin(alg, &ctx);

	if (!r &&
	    (!EVP_DigestUpdate(ctx, a, a_size) || (b_size && !EVP_DigestUpdate(ctx, b, b_size))))
		r = -EIO;
	return ccdm_digest_end(alg, ctx, r, digest);
}

int ccdm_digest_pieces(uint16_t alg, const struct ccdm_piece *piece, size_t count,
		       struct ccdm_digest *digest)
{
	EVP_MD_CTX *ctx;
	int r = ccdm_digest_begin(alg, &ctx);
	size_t i;

	for (i = 0; !r && i < count; i++)
		if (piece[i].size && !EVP_DigestUpdate(ctx, piece[i].bytes, piece[i].size))
			r = -EIO;
	return ccdm_digest_end(alg, ctx, r, digest);
}

int ccdm_digest_start(uint16_t alg, struct ccdm_digest_stream *stream)
{
	EVP_MD_CTX *ctx;
	int r = ccdm_digest_begin(alg, &ctx);

	if (r) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	stream->alg = alg;
	stream->ctx = ctx;
	return r;
}

int ccdm_digest_add(struct ccdm_digest_stream *stream, const void *bytes, size_t size)
{
	return !size || EVP_DigestUpdate(stream->ctx, bytes, size) ? 0 : -EIO;
}

int ccdm_digest_finish(struct ccdm_digest_stream *stream, int r, struct ccdm_digest *digest)
{
	r = ccdm_digest_end(stream->alg, stream->ctx, r, digest);
	stream->ctx = NULL;
	return r;
}

int ccdm_digest_file(uint16_t alg, const char *file, struct ccdm_digest *digest)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), r = fd < 0 ? -errno : 0;
	EVP_MD_CTX *ctx = NULL;
	uint8_t piece[16384];
	ssize_t n;

	if (!r)
		r = ccdm_digest_begin(alg, &ctx);
	while (!r && (n = read(fd, piece, sizeof(piece)))) {
		if (n < 0)
			r = -errno;
		else if (!EVP_DigestUpdate(ctx, piece, n))
			r = -EIO;
	}
	if (fd >= 0)
		close(fd);
	return ccdm_digest_end(alg, ctx, r, digest);
}
