// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* initrd_pack.c - compress an initrd: see repack.h */
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#include "repack.h"

#define LEVEL 12 /* 100 MiB in some seconds; the levels above gain little */

int ccdm_initrd_compress(const uint8_t *bytes, size_t size, uint8_t **packed, size_t *packed_size,
			 struct ccdm_err *err)
{
	size_t room = ZSTD_compressBound(size), n;
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	uint8_t *to = malloc(room);

	if (!zstd || !to) {
		ZSTD_freeCCtx(zstd);
		free(to);
		return ccdm_err_memory(err);
	}
	/* (this call has one thread) */
	n = ZSTD_compressCCtx(zstd, to, room, bytes, size, LEVEL);
	ZSTD_freeCCtx(zstd);
	if (ZSTD_isError(n)) {
		free(to);
		if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
			return ccdm_err_memory(err);
		return ccdm_err_set(err, -EIO, "zstd: %s", ZSTD_getErrorName(n));
	}
	*packed = to;
	*packed_size = n;
	return 0;
}

const char *ccdm_initrd_compressor(void)
{
	return ZSTD_versionString();
}
