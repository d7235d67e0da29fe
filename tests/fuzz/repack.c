// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/repack.c lib/image/cpio.c - an initrd that is packed again: twice gives the same bytes */
#include "image/repack.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const drop[] = { "init", NULL };
	uint8_t *cpio = NULL, *again = NULL;
	size_t n = 0, again_n = 0;
	struct ccdm_err err = { 0 };
	int r;

	if (ccdm_initrd_repack("initrd", data, size, drop, 1700000000, &cpio, &n, &err)) {
		fuzz_said("repack", "no");
		return 0;
	}
	fuzz_said("repack", "yes");
	r = ccdm_initrd_repack("initrd", cpio, n, NULL, 1700000000, &again, &again_n, &err);
	if (r ? r != -ENOMEM : n != again_n || memcmp(cpio, again, n))
		abort();
	free(cpio);
	free(again);
	return 0;
}
