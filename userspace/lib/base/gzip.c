// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* gzip.c - see gzip.h */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include "gzip.h"

#define GZIP_ONLY 16 /* for inflateInit2(): accept only gzip, with its header and checksum */

bool ccdm_gzip_is(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;

	return size >= 2 && b[0] == 0x1f && b[1] == 0x8b;
}

/* Unpack into @room of *@n bytes. Sets *@n to the bytes written, *@left to the bytes not read. */
static int ccdm_gzip_inflate(const void *bytes, size_t size, char *room, size_t *n, size_t *left)
{
	z_stream z = {
		.next_in = (Bytef *)bytes,
		.avail_in = size,
		.next_out = (Bytef *)room,
		.avail_out = *n,
	};
	int r = inflateInit2(&z, GZIP_ONLY + MAX_WBITS);

	if (r != Z_OK)
		return r;
	r = inflate(&z, Z_FINISH);
	*n -= z.avail_out;
	*left = z.avail_in;
	inflateEnd(&z);
	return r;
}

int ccdm_gzip_unpack(const char *file, const void *bytes, size_t size, size_t max, char **text,
		     size_t *text_size, struct ccdm_err *err)
{
	size_t n = max + 1, left = 0;
	char *room = malloc(max + 2);
	int r = room && size <= UINT_MAX && max < UINT_MAX
			? ccdm_gzip_inflate(bytes, size, room, &n, &left)
			: Z_MEM_ERROR;

	*text = NULL;
	*text_size = 0;
	if (r == Z_MEM_ERROR)
		r = ccdm_err_memory(err);
	else if (n > max)
		r = ccdm_err_set(err, -EFBIG, "%s: the gzip data unpacks to more than %zu bytes",
				 file, max);
	else if (r == Z_BUF_ERROR || r == Z_OK)
		r = ccdm_err_set(err, -EINVAL, "%s: the gzip data is truncated", file);
	else if (r != Z_STREAM_END)
		r = ccdm_err_set(err, -EINVAL,
				 "%s: the gzip data is damaged: bad header, data or checksum",
				 file);
	else if (left)
		r = ccdm_err_set(err, -EINVAL,
				 "%s: %zu bytes follow the gzip data; expected one member and its "
				 "end",
				 file, left);
	else
		r = 0;
	if (r) {
		free(room);
		return r;
	}
	room[n] = '\0';
	*text = room;
	*text_size = n;
	return 0;
}
