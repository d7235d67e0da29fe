// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/base/gzip.c - gzip data, and what it unpacks to */
#include "base/gzip.h"
#include "fuzz.h"

#define MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_err err;
	char *text;
	size_t n;

	if (!ccdm_gzip_is(data, size))
		return 0;
	if (ccdm_gzip_unpack("fuzz", data, size, MAX, &text, &n, &err))
		return 0;
	if (n > MAX || text[n])
		abort();
	free(text);
	return 0;
}
