// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* manifest_part_text.c - parse the bytes of the partition; see manifest_part.h */
#include <errno.h>
#include <string.h>
#include "manifest_part.h"

static const char ccdm_manifest_part_jws[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

int ccdm_manifest_part_text(const char *path, const void *bytes, size_t size, size_t *length,
			    struct ccdm_err *err)
{
	const unsigned char *b = bytes;
	unsigned int dots = 0;
	size_t i, n;

	for (n = 0; n < size && b[n]; n++) {
		if (!strchr(ccdm_manifest_part_jws, b[n]))
			return ccdm_err_set(err, -EINVAL,
					    "%s: expected a JWS in compact form and then zeros, "
					    "found the byte 0x%02x at %zu",
					    path, b[n], n);
		dots += b[n] == '.';
	}
	for (i = n; i < size; i++)
		if (b[i])
			return ccdm_err_set(
				err, -EINVAL,
				"%s: expected zeros behind the JWS of %zu bytes, found the "
				"byte 0x%02x at %zu",
				path, n, b[i], i);
	if (n && dots != 2)
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected a JWS in compact form, found %u dots in its %zu "
				    "bytes",
				    path, dots, n);
	*length = n;
	return 0;
}
